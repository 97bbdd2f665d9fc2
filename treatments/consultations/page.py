"""What the pages of a note are made of."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.web.local_copy import copy_key, copy_name
from treatments.catalogue.drawings import CHART_TITLES, drawings
from treatments.catalogue.models import NoteTemplate
from treatments.consultations.filling import last_signed
from treatments.consultations.forms import ConsultationForm
from treatments.consultations.marks import marks_json
from treatments.consultations.models import ChartMark, Consultation
from treatments.consultations.reading import NoteText, drawn_charts, origin_words
from treatments.consultations.sections import COPYABLE, NAMES, is_empty
from treatments.consultations.signs import SIGNS
from treatments.consultations.skin import said_by_questions


def edit_context(note: Consultation, form: ConsultationForm, staff: Staff) -> dict[str, Any]:
    """Everything that the form of a draft needs, its verdicts apart."""
    marks = list(note.marks.all())
    sent = form.data if form.is_bound else {}
    return {
        "consultation": note,
        "patient": note.patient,
        "today": timezone.localdate(timezone=note.location.zone),
        "form": form,
        "computed": (note.fitzpatrick_answers or {}).get("computed"),
        "by_questions": said_by_questions(note),
        "templates": templates_for(note),
        "origins": origin_words(note),
        "last": last_note(note),
        "marks": sent.get("marks") or marks_json(marks),
        "marks_known": sent.get("marks_known") or ",".join(str(mark.key) for mark in marks),
        "charts": [(code, title, drawings()[code]) for code, title in CHART_TITLES.items()],
        "first_chart": first_chart(note, marks, form),
        "signs": SIGNS,
        "copy_key": copy_key(staff, note),
        "copy_name": copy_name(staff, note),
        "staff": staff,
        "written": "",
        "held": "",
        "clashes": (),
    }


def first_chart(note: Consultation, marks: list[ChartMark], form: ConsultationForm) -> str:
    """The chart to begin with: one that was drawn on, else that of the first area, else a face."""
    if marks:
        return marks[0].chart
    charts = {row.code: row.charts for row in form.areas_offered.rows}
    listed = [code for area in note.areas for code in charts.get(area, []) if code in drawings()]
    return listed[0] if listed else next(iter(CHART_TITLES))


def templates_for(note: Consultation) -> list[NoteTemplate]:
    """The templates in force, those of the note's indications first."""
    rows = NoteTemplate.objects.current().order_by("position", "code")
    return sorted(rows, key=lambda row: row.indication not in note.indications)


def last_note(note: Consultation) -> dict[str, Any] | None:
    """The last signed note of the patient, with what may be copied from it, and whether there is
    room for it here."""
    source = last_signed(note)
    if source is None:
        return None
    text = NoteText(source)
    parts = [
        (section, NAMES[section], text.words(section), is_empty(note, section))
        for section in COPYABLE
        if not is_empty(source, section)
    ]
    return {"note": source, "parts": parts, "scores": text.score_lines}


def read_context(note: Consultation, staff: Staff) -> dict[str, Any]:
    """Everything that the page to read needs, its addendum form apart."""
    text = NoteText(note)
    return {
        "consultation": note,
        "patient": note.patient,
        "today": timezone.localdate(timezone=note.location.zone),
        "text": text,
        "charts": drawn_charts(note.marks.all()),
        "addenda": note.addenda.select_related("written_by"),
        "plans": note.plans.all(),
        "copy_key": copy_key(staff, note) if staff.may(Permission.WRITE_NOTES) else "",
        "copy_name": copy_name(staff, note),
        "staff": staff,
    }
