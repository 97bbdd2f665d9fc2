"""Filling a draft on purpose: from a template, or section by section from the last note.

Nothing that was typed is ever overwritten: only an empty section can be filled. What was filled is
marked until somebody changes it or says that it holds; a note with such marks cannot be signed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from treatments.catalogue.models import NoteTemplate, RiskLine
from treatments.consultations.actions import (
    HeldElsewhere,
    keep_revision,
    locked_draft,
    write_section,
)
from treatments.consultations.models import Consultation
from treatments.consultations.sections import COPYABLE, contents, field_of, is_empty


@transaction.atomic
def use_template(
    *, by: Staff, consultation: Consultation, template: NoteTemplate, at: datetime | None = None
) -> Consultation:
    """Fill the empty sections with the template's words, and put its scales on the page."""
    note, at = _draft(by, consultation, at)
    origin = {"kind": "template", "code": template.code, "version": template.version}
    filled = [
        (section, values)
        for section, values in _words_of(template).items()
        if any(values.values()) and is_empty(note, section)
    ]
    for section, values in filled:
        write_section(note, section, values, by, at)
        note.origins[section] = origin
    chosen = {
        "indications": sorted({*note.indications, template.indication}),
        "scales": [*note.scales, *(code for code in template.scales if code not in note.scales)],
    }
    for section, values_now in chosen.items():
        if values_now != getattr(note, section):
            write_section(note, section, {section: values_now}, by, at)
    keep_revision(note, by, at)
    return note


def _words_of(template: NoteTemplate) -> dict[str, dict[str, Any]]:
    """Section -> the values the template gives it, in the language in force."""
    lines = RiskLine.objects.current().filter(code__in=template.risks).order_by("position")
    return {
        "examination": {"examination": template.said("examination")},
        "explained": {"explained": [{"code": r.code, "version": r.version} for r in lines]},
        "discussion": {"discussion": template.said("discussion")},
        "alternatives": {
            "alternatives": template.said("other_ways"),
            "alternatives_named": list(template.alternatives),
        },
        "advice": {"advice": template.said("advice")},
    }


@transaction.atomic
def copy_section(
    *,
    by: Staff,
    consultation: Consultation,
    source: Consultation,
    section: str,
    at: datetime | None = None,
) -> Consultation:
    """Take one section over from an earlier signed note of the same person."""
    note, at = _draft(by, consultation, at)
    if section not in COPYABLE:
        raise ActionRefused(_("This part is taken anew each time."))
    if not source.is_signed or not _same_person(note, source):
        raise ActionRefused(_("Only a signed note of the same patient can be copied from."))
    if not is_empty(note, section):
        said = _("Something is written here already. Nothing was overwritten.")
        raise ActionRefused(said, field=field_of(section))
    write_section(note, section, contents(source, section), by, at)
    note.origins[section] = {
        "kind": "copy",
        "note": source.pk,
        "date": source.signed_at.isoformat() if source.signed_at else "",
    }
    keep_revision(note, by, at)
    return note


@transaction.atomic
def confirm_section(
    *, by: Staff, consultation: Consultation, section: str, at: datetime | None = None
) -> Consultation:
    """Say that what was filled in holds as it stands."""
    note, at = _draft(by, consultation, at)
    if note.origins.pop(section, None) is not None:
        keep_revision(note, by, at)
    return note


def last_signed(note: Consultation) -> Consultation | None:
    """The newest signed note of the same person; of an earlier file too."""
    person = note.patient.merged_into or note.patient
    found: Consultation | None = (
        Consultation.objects.of_person(person)
        .filter(signed_at__isnull=False)
        .exclude(pk=note.pk)
        .select_related("signed_by")
        .order_by("-signed_at", "-pk")
        .first()
    )
    return found


def _same_person(note: Consultation, source: Consultation) -> bool:
    return _person_id(note) == _person_id(source)


def _person_id(note: Consultation) -> int:
    """The file that counts for the person."""
    return note.patient.merged_into_id or note.patient_id


def _draft(
    by: Staff, consultation: Consultation, at: datetime | None
) -> tuple[Consultation, datetime]:
    now = at or timezone.now()
    note = locked_draft(consultation)
    if note.is_held_from(by, now):
        raise HeldElsewhere(note)
    return note, now
