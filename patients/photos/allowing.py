"""What a patient allows their photos to be used for: said, taken back, and asked at each use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from patients.photos.models import PhotoPermission, Use
from patients.registry.models import Patient

LONGEST_NOTE = 300
BY_STAFF = ("spoken", "signed", "phone", "written")


def standing(patient: Patient) -> dict[str, PhotoPermission | None]:
    """The last word on each use, in the order of `Use`; None where it was never asked."""
    spoken = PhotoPermission.objects.in_force(patient).select_related("recorded_by")
    last = {row.use: row for row in spoken}
    return {use: last.get(use) for use in Use.values}


def is_allowed(patient: Patient, use: str) -> bool:
    """Whether the patient allows a use now. Never asked is not allowed."""
    last = PhotoPermission.objects.in_force(patient).filter(use=use).first()
    return last is not None and last.is_given


def refuse_unless_allowed(patient: Patient, use: str) -> None:
    """Raise `ActionRefused` unless the patient allows a use now."""
    if not is_allowed(patient, use):
        raise ActionRefused(_("The patient does not allow this use of their photos."))


@transaction.atomic
def give(
    *, by: Staff, patient: Patient, use: str, said_on: date, how: str, note: str = ""
) -> PhotoPermission:
    """The patient allows a use. Raises `ActionRefused` for a day in the future or before birth,
    for one before the patient's last refusal, and when it is allowed already.
    """
    if not by.may(Permission.TAKE_CONSENT):
        raise ActionRefused(_("Only a practitioner records what a patient allows."))
    last = _lock_and_ask(patient, use)
    _refuse_impossible(patient, said_on, how, note)
    if last is not None and last.is_given:
        raise ActionRefused(_("This use is allowed already."))
    if last is not None and said_on < last.said_on:
        raise ActionRefused(
            _("The patient has refused this use after that day. Ask again."), field="said_on"
        )
    return _say(patient, use, given=True, said_on=said_on, how=how, note=note, by=by)


@transaction.atomic
def withdraw(
    *,
    by: Staff | None,
    patient: Patient,
    use: str,
    how: str,
    said_on: date | None = None,
    note: str = "",
) -> PhotoPermission:
    """The patient does not allow a use, or no longer: from this moment, whatever day it was said.

    Without `by`, the patient said it on their own page. Raises `ActionRefused` when that is
    the last word already.
    """
    day = said_on or timezone.localdate()
    last = _lock_and_ask(patient, use)
    if by is not None:
        _refuse_impossible(patient, day, how, note)
    if last is not None and not last.is_given:
        raise ActionRefused(_("This use is refused already."))
    return _say(patient, use, given=False, said_on=day, how=how, note=note, by=by)


@transaction.atomic
def choose_in_consent(*, patient: Patient, choices: Mapping[str, bool], said_on: date) -> None:
    """What a patient chose use by use while signing a consent; only what it changes is written."""
    for use, given in choices.items():
        last = _lock_and_ask(patient, use)
        if last is None or last.is_given != given:
            how = PhotoPermission.How.CONSENT
            _say(patient, use, given=given, said_on=said_on, how=how, note="", by=None)


@transaction.atomic
def allow_by_sending(*, patient: Patient) -> None:
    """Who sends a photo for their record, told so beside the field, allows it to be kept there."""
    last = _lock_and_ask(patient, Use.RECORD)
    if last is None or not last.is_given:
        how = PhotoPermission.How.LINK
        today = timezone.localdate()
        _say(patient, Use.RECORD, given=True, said_on=today, how=how, note="", by=None)


def lock_patient(patient: Patient) -> None:
    """Let what is allowed stay as it is until the end of the transaction."""
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)


def _lock_and_ask(patient: Patient, use: str) -> PhotoPermission | None:
    if use not in Use.values:
        raise ActionRefused(_("Choose a use."), field="use")
    lock_patient(patient)
    return PhotoPermission.objects.in_force(patient).filter(use=use).first()


def _refuse_impossible(patient: Patient, said_on: date, how: str, note: str) -> None:
    if not patient.birth_date <= said_on <= timezone.localdate():
        raise ActionRefused(_("Enter a day between birth and today."), field="said_on")
    if how not in BY_STAFF:
        raise ActionRefused(_("Choose how the patient said so."), field="how")
    if len(note) > LONGEST_NOTE:
        raise ActionRefused(_("This note is too long."), field="note")


def _say(
    patient: Patient, use: str, *, given: bool, said_on: date, how: str, note: str, by: Staff | None
) -> PhotoPermission:
    return PhotoPermission.objects.create(
        patient=patient,
        use=use,
        is_given=given,
        said_on=said_on,
        how=how,
        note=" ".join(note.split()),
        recorded_by=by,
    )
