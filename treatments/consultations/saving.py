"""Answering a page that saves itself: what was kept, what was not, and why."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.access.request import staff_of
from clinic.errors import ActionRefused
from clinic.web.templatetags.clinic_web import clock, control_id
from treatments.consultations.actions import (
    HeldElsewhere,
    StaleDraft,
    save_consultation,
    take_over,
)
from treatments.consultations.forms import ConsultationForm
from treatments.consultations.marks import MarkChange, read_change
from treatments.consultations.models import Consultation
from treatments.consultations.reading import clashes
from treatments.consultations.sections import SECTIONS
from treatments.consultations.skin import said_by_questions

EVERYTHING = "*"


class WrongWriter(ActionRefused):
    """The page was opened by somebody else than who is signed in now."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "Someone else has signed in on this device. What you wrote is not saved under "
                "their name: sign in as yourself."
            )
        )


def keep(request: HttpRequest, note: Consultation, form: ConsultationForm) -> Consultation:
    """Save what the form holds of the sections that were written in; all where it does not say.

    Sections with an error beside a field are left out. Raises what `save_consultation` raises.
    """
    staff = staff_of(request)
    if form.cleaned_data.get("writer") not in (None, staff.pk):
        raise WrongWriter
    if request.POST.get("take_over"):
        take_over(by=staff, consultation=note)
    return save_consultation(
        by=staff,
        consultation=note,
        revision=form.cleaned_data["revision"],
        values=form.values,
        changed=changed_sections(request) - form.wrong_sections,
        scores=form.entries,
        marks=marks_of(request),
    )


def changed_sections(request: HttpRequest) -> set[str]:
    """The sections that the page says were written in."""
    named = request.POST.get("changed", EVERYTHING)
    return set(SECTIONS) if named == EVERYTHING else set(named.split(",")) & set(SECTIONS)


def marks_of(request: HttpRequest) -> MarkChange | None:
    """The drawing, where the page has one."""
    if "marks" not in request.POST:
        return None
    return read_change(request.POST["marks"], request.POST.get("marks_known", ""))


def autosave(request: HttpRequest, note: Consultation) -> JsonResponse:
    """Keep what can be kept, and say so: 200 all is kept, 422 not all, 409 a clash, 423 held."""
    form = ConsultationForm(request.POST, note=note)
    form.is_valid()
    if "revision" in form.errors:
        return _not_saved(_("This page could not be read."), 422)
    try:
        saved = keep(request, note, form)
    except StaleDraft as stale:
        return _clash(note, form, stale)
    except HeldElsewhere as held:
        return _held(held)
    except ActionRefused as refused:
        return _not_saved(refused.message, 409 if isinstance(refused, WrongWriter) else 422)
    return _kept(request, saved, form)


def _kept(request: HttpRequest, note: Consultation, form: ConsultationForm) -> JsonResponse:
    fresh = ConsultationForm(note=note, writer=staff_of(request).pk)
    told: dict[str, Any] = {
        "revision": note.revision,
        "saved": sorted(changed_sections(request) - form.wrong_sections),
        "words": _("Saved %(time)s") % {"time": _now(note)},
        "computed": (note.fitzpatrick_answers or {}).get("computed"),
        "by_questions": said_by_questions(note),
        "scores": {group.key: group.said for group in fresh.scale_groups},
        "errors": _errors(form),
        "shape": fresh.shape,
    }
    if request.POST.get("shape", fresh.shape) != fresh.shape:
        told["parts"] = {"scales": _part("scales", fresh, note)}
    return JsonResponse(told, status=422 if form.errors else 200)


def _now(note: Consultation) -> str:
    """The time at the location."""
    return clock(timezone.localtime(timezone.now(), note.location.zone))


def _errors(form: ConsultationForm) -> dict[str, str]:
    """Id of a control -> what is wrong with it."""
    found = {
        control_id(form[name]): str(errors[0])
        for name, errors in form.errors.items()
        if name in form.fields and name != "areas"
    }
    for row in form.rows:
        if row.is_bound:
            found |= {control_id(row[name]): str(errors[0]) for name, errors in row.errors.items()}
    return found


def _part(name: str, form: ConsultationForm, note: Consultation) -> str:
    context = {"form": form, "consultation": note, "patient": note.patient}
    return render_to_string(f"treatments/note_{name}.html", context)


def _clash(note: Consultation, form: ConsultationForm, stale: StaleDraft) -> JsonResponse:
    note.refresh_from_db()
    both = clashes(note, stale.sections, form.values, form.entries)
    told = {
        "message": stale.message,
        "revision": note.revision,
        "clashes": [{**vars(one), "text": one.is_text} for one in both],
    }
    return JsonResponse(told, status=409)


def _held(held: HeldElsewhere) -> JsonResponse:
    return JsonResponse({"message": held.message, "held": holder_words(held.note)}, status=423)


def holder_words(note: Consultation) -> str:
    """`Noor Haddad is writing here since 14:20; last saved 14:32.`"""
    zone = note.location.zone
    if note.editor is None or note.editing_since is None or note.edited_at is None:
        return ""
    return _("%(name)s is writing here since %(since)s; last saved %(saved)s.") % {
        "name": note.editor.name,
        "since": clock(note.editing_since.astimezone(zone)),
        "saved": clock(note.edited_at.astimezone(zone)),
    }


def _not_saved(message: str, status: int) -> JsonResponse:
    return JsonResponse({"message": message}, status=status)
