"""What a patient asks about their data: put down, decided by a person, told, and kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from clinic.access.models import Staff
from clinic.audit.models import Erasure
from clinic.errors import ActionRefused
from patients.messages.actions import LINK, channel_of, queue_message
from patients.registry.models import Patient, Restriction
from patients.registry.restricting import is_restricted, restrict
from patients.rights.erasing import (
    Line,
    decide_erasure,
    erase_what_may_go,
    refuse_unless_may,
    what_stays,
)
from patients.rights.models import ANSWER_DAYS, RightsRequest
from patients.rights.retention import retention_of

MOST_WAITING = 5
Kind, Answer = RightsRequest.Kind, RightsRequest.Answer


@transaction.atomic
def ask(
    *,
    by: Staff | None,
    patient: Patient,
    kind: str,
    words: str,
    at: datetime,
    subject: str = "",
) -> RightsRequest:
    """Put down what a patient asks; without `by` they asked on their own page.

    Raises `ActionRefused` after too many that wait, and for a request that says nothing.
    """
    if by is not None:
        refuse_unless_may(by)
    if not words.strip():
        raise ActionRefused(_("Say what you ask for."), field="words")
    if kind == Kind.CORRECTION and subject not in RightsRequest.Subject.values:
        raise ActionRefused(_("Choose what it is about."), field="subject")
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    if RightsRequest.objects.filter(patient=patient).waiting().count() >= MOST_WAITING:
        raise ActionRefused(_("Several requests wait for an answer already. Please call us."))
    day = timezone.localdate(at)
    return RightsRequest.objects.create(
        patient=patient,
        kind=kind,
        subject=subject if kind == Kind.CORRECTION else "",
        words=words.strip(),
        recorded_by=by,
        due_on=day + timedelta(days=ANSWER_DAYS),
        created_at=at,
    )


def _lock(by: Staff, request: RightsRequest, words: str) -> RightsRequest:
    """The row, to be decided now. Raises `ActionRefused` for one that is decided."""
    refuse_unless_may(by)
    locked = RightsRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
    if locked.decided_at is not None:
        raise ActionRefused(_("Somebody has decided this already."))
    if not words.strip():
        raise ActionRefused(_("Say what was done, or why not."), field="words")
    return locked


def _decide(
    by: Staff,
    row: RightsRequest,
    answer: str,
    words: str,
    at: datetime,
    *,
    gone: Sequence[Line] = (),
    kept: Sequence[Line] = (),
) -> RightsRequest:
    row.answer, row.answer_words = answer, words.strip()
    row.decided_at, row.decided_by = at, by
    row.gone = [line.stored() for line in gone]
    row.kept = [line.stored() for line in kept]
    row.save(update_fields=["answer", "answer_words", "decided_at", "decided_by", "gone", "kept"])
    _tell(row, at)
    return row


def _tell(row: RightsRequest, at: datetime) -> None:
    """That there is an answer, without saying to what."""
    patient = row.patient
    with override(patient.house_language):
        queue_message(
            patient=patient,
            kind="rights",
            key=f"rights-{row.pk}",
            subject=_("Your clinic has answered you"),
            body=_(
                "Hello,\n\nyour clinic has answered what you asked. Read it on your own page:\n\n"
                "%(link)s\n"
            )
            % {"link": LINK},
            due_at=at,
            channel=channel_of(patient),
        )


@transaction.atomic
def refuse_request(*, by: Staff, request: RightsRequest, words: str, at: datetime) -> RightsRequest:
    """It is not done, for a reason that the patient reads. What they asked stays beside it."""
    return _decide(by, _lock(by, request, words), Answer.REFUSED, words, at)


@transaction.atomic
def settle_correction(
    *, by: Staff, request: RightsRequest, words: str, at: datetime, partly: bool = False
) -> RightsRequest:
    """The record was corrected, as these words say; signed records have an addendum instead."""
    row = _lock(by, request, words)
    if row.kind != Kind.CORRECTION:
        raise ActionRefused(_("This is no correction."))
    return _decide(by, row, Answer.PARTLY if partly else Answer.GRANTED, words, at)


@transaction.atomic
def settle_restriction(
    *, by: Staff, request: RightsRequest, ground: str, words: str, at: datetime
) -> RightsRequest:
    """From now on the data are restricted. Raises `ActionRefused` where they are already."""
    row = _lock(by, request, words)
    if row.kind != Kind.RESTRICTION:
        raise ActionRefused(_("This asks for no restriction."))
    restrict(by=by, patient=row.patient, ground=ground, words=row.words[:500], at=at)
    return _decide(by, row, Answer.GRANTED, words, at)


@transaction.atomic
def settle_erasure(
    *, by: Staff, request: RightsRequest, contact: bool, words: str, at: datetime
) -> RightsRequest:
    """While the file must be kept: what is no part of the record goes now, and the rest is
    restricted until it may go. What went and what stays is written into the answer, and why.

    Raises `ActionRefused` where nothing obliges: then the whole file goes, see `settle_whole`.
    """
    row = _lock(by, request, words)
    if row.kind != Kind.ERASURE:
        raise ActionRefused(_("This asks for no erasure."))
    retention = retention_of(row.patient)
    if not retention.obliges(timezone.localdate(at)):
        raise ActionRefused(_("Nothing obliges you to keep this file: erase it whole."))
    _tell(row, at)
    gone = erase_what_may_go(by=by, patient=row.patient, contact=contact, at=at)
    kept = what_stays(row.patient, retention)
    if not is_restricted(row.patient):
        instead = Restriction.Ground.INSTEAD
        restrict(by=by, patient=row.patient, ground=instead, words=row.words[:500], at=at)
    return _decide(by, row, Answer.PARTLY, words, at, gone=gone, kept=kept)


@transaction.atomic
def settle_whole(*, by: Staff, patient: Patient, number: str, reason: str, at: datetime) -> Erasure:
    """Everything of a file goes, by the worker. `number` is typed again by who decides it.

    Raises `ActionRefused` for another number, without a reason, and while the file must be kept.
    """
    if number.strip().upper() != patient.number:
        raise ActionRefused(_("This is not the number of this file."), field="number")
    if not reason.strip():
        raise ActionRefused(_("Say why it is erased."), field="reason")
    today = timezone.localdate(at)
    return decide_erasure(by=by, patient=patient, reason=reason, today=today)
