"""Whether the use of a patient's data is restricted, and what that refuses.

What a restriction leaves: storing, care, safety of the patient and of others, claims, and whatever
the patient themselves asks for. What it refuses asks here.
"""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from patients.registry.models import Patient, Restriction


def restriction_of(patient: Patient) -> Restriction | None:
    """The restriction in force on the file that counts, or None."""
    kept = patient.merged_into_id or patient.pk
    in_force = Restriction.objects.filter(patient=kept).in_force()
    return in_force.select_related("set_by").first()


def is_restricted(patient: Patient) -> bool:
    """Whether one is in force."""
    return restriction_of(patient) is not None


def refuse_if_restricted(patient: Patient) -> None:
    """Raise `ActionRefused` where the patient's data may not be used for this now."""
    if is_restricted(patient):
        raise ActionRefused(
            _("The use of this patient's data is restricted: care and safety go on, this does not.")
        )


def _refuse_others(by: Staff) -> None:
    if not by.may(Permission.HANDLE_RIGHTS):
        raise ActionRefused(_("Only a manager or a practitioner decides this."))


@transaction.atomic
def restrict(*, by: Staff, patient: Patient, ground: str, words: str, at: datetime) -> Restriction:
    """From now on the data are used for care, safety and claims alone.

    Raises `ActionRefused` for a file that is restricted already.
    """
    _refuse_others(by)
    if ground not in Restriction.Ground.values:
        raise ActionRefused(_("Choose a ground."), field="ground")
    try:
        with transaction.atomic():
            return Restriction.objects.create(
                patient=patient.kept, ground=ground, words=words.strip(), began_at=at, set_by=by
            )
    except IntegrityError:
        raise ActionRefused(_("This file is restricted already.")) from None


@transaction.atomic
def lift(*, by: Staff, patient: Patient, reason: str) -> Restriction:
    """End the restriction. Raises `ActionRefused` without a reason, or where there is none."""
    _refuse_others(by)
    if not reason.strip():
        raise ActionRefused(_("Say why it is lifted."), field="reason")
    row = Restriction.objects.select_for_update().filter(patient=patient.kept).in_force().first()
    if row is None:
        raise ActionRefused(_("This file is not restricted."))
    row.ended_at, row.ended_by, row.end_reason = timezone.now(), by, reason.strip()
    row.save(update_fields=["ended_at", "ended_by", "end_reason"])
    return row
