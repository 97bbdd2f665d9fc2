"""Recalls: begin one, have the exposed told, write down what came of calls, close it."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from aftercare.safety.exposures import Exposure, exposed, said, thing
from aftercare.safety.models import Attempt, ExposureKind, Recall, RecallContact
from aftercare.safety.survey import note_contacts
from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from clinic.places.models import Location
from clinic.steps import each_by_itself
from clinic.wake import wake
from patients.documents.actions import request_document
from patients.documents.evidence import Evidence
from patients.documents.models import Document
from patients.messages.kinds import Kind
from patients.messages.saying import say

TELL_TASK = "aftercare.tell_exposed"
MOST_PEOPLE = 20_000
"""A recall of more is a slip of the dates; it would also write as many letters."""
BATCH = 100
SAME_CLICK = timedelta(minutes=1)
NAMED = (ExposureKind.LOT, ExposureKind.CONTAINER, ExposureKind.PRODUCT, ExposureKind.MIX)
"""Kinds that a letter names; it never names a person, a room or a device."""


@transaction.atomic
def open_recall(
    *,
    by: Staff,
    location: Location,
    exposure: Exposure,
    reason: str,
    letter_words: str = "",
    zone: ZoneInfo | None = None,
    at: datetime | None = None,
) -> Recall:
    """Note everyone exposed at the locations of `by`; nobody is told yet.

    Raises `ActionRefused` without the right or a reason, when nobody was exposed or more than
    `MOST_PEOPLE`, and while a recall of the same is open.
    """
    _may_run(by, location.pk)
    if not reason.strip():
        raise ActionRefused(_("Write the reason."), field="reason")
    # One at a time for a location: the second of two clicks finds the first one's recall.
    Location.objects.select_for_update(no_key=True).get(pk=location.pk)
    same = {
        "location": location,
        "kind": exposure.kind,
        "key": list(exposure.key),
        "since": exposure.since,
        "until": exposure.until,
    }
    if Recall.objects.open().filter(**same).exists():
        raise ActionRefused(_("A recall of this is open already."))
    recall = Recall.objects.create(
        **same,
        words=said(exposure)[:400],
        reason=reason.strip(),
        letter_words=letter_words.strip(),
        opened_by=by,
        opened_at=at or timezone.now(),
    )
    _note_everyone(recall, exposed(exposure, by.place_ids, zone or location.zone))
    return recall


def _note_everyone(recall: Recall, sessions: Any) -> None:
    people = note_contacts(sessions, recall.pk, MOST_PEOPLE)
    if not people:
        raise ActionRefused(_("Nobody was exposed to this: there is nobody to tell."))
    if people > MOST_PEOPLE:
        raise ActionRefused(
            _("This concerns more than %(most)d people: narrow it by dates.")
            % {"most": MOST_PEOPLE}
        )


@transaction.atomic
def ask_to_tell(*, by: Staff, recall: Recall, at: datetime | None = None) -> int:
    """Have everyone told who was not yet: a message, and a letter on their own page; how many.

    Whoever was spoken with is left alone. The worker writes; nobody is told twice.
    """
    _may_run(by, recall.location_id)
    locked = Recall.objects.select_for_update().get(pk=recall.pk)
    if not locked.is_open:
        raise ActionRefused(_("This recall is closed."))
    spoken_with = Attempt.objects.filter(
        contact__recall=locked, outcome=Attempt.Outcome.REACHED
    ).values("contact_id")
    untold = locked.contacts.filter(asked_at__isnull=True).exclude(pk__in=spoken_with)
    count = untold.update(asked_at=at or timezone.now())
    if not count:
        raise ActionRefused(_("Everyone has been told, or spoken with."))
    wake(TELL_TASK)
    return int(count)


def tell_exposed(*, at: datetime) -> int:
    """Write message and letter of those who are owed them; how many were."""
    owed = list(RecallContact.objects.to_tell().values_list("pk", flat=True)[:BATCH])
    each_by_itself(partial(_tell, pk, at) for pk in owed)
    return len(owed)


@transaction.atomic
def _tell(pk: int, at: datetime) -> None:
    """Tell one, unless another worker has them or had them."""
    contact = (
        RecallContact.objects.to_tell()
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("patient", "location__country", "recall__opened_by")
        .filter(pk=pk)
        .first()
    )
    if contact is None:
        return
    contact.letter = _letter(contact)
    contact.message = say(
        kind=Kind.SAFETY,
        patient=contact.patient,
        location=contact.location,
        key=f"safety-{contact.pk}",
        due_at=at,
    )
    contact.told_at = at
    contact.save(update_fields=["letter", "message", "told_at"])


def _letter(contact: RecallContact) -> Document:
    """The letter in the patient's language: what it is about, and to call."""
    recall, place = contact.recall, contact.location
    exposure = exposure_of(recall)
    with override(contact.patient.house_language):
        html = render_to_string(
            "pdf/recall_letter.html",
            {
                "language": contact.patient.house_language,
                "location": place,
                "patient": contact.patient,
                "contact": contact,
                "recall": recall,
                "thing": thing(exposure) if exposure.kind in NAMED else "",
                "zone": place.zone,
                "written_on": timezone.localdate(timezone=place.zone),
            },
        )
        return request_document(
            patient=contact.patient,
            kind=Document.Kind.LETTER,
            title=_("A letter from your clinic"),
            language=contact.patient.house_language,
            html=html,
            by=recall.opened_by.name,
            evidence=Evidence(
                subject=_("A letter from your clinic"),
                signatures=(),
                facts=[(_("Made by"), recall.opened_by.name)],
            ),
        )


def exposure_of(recall: Recall) -> Exposure:
    """What a recall is about."""
    return Exposure(recall.kind, tuple(recall.key), recall.since, recall.until)


@transaction.atomic
def record_attempt(
    *,
    by: Staff,
    contact: RecallContact,
    outcome: str,
    note: str = "",
    at: datetime | None = None,
) -> Attempt:
    """Write down a call, or a letter that was posted; the same words within a minute once.

    Raises `ActionRefused`.
    """
    locked = (
        RecallContact.objects.select_for_update(of=("self",))
        .select_related("recall")
        .get(pk=contact.pk)
    )
    if not by.may(Permission.CALL_EXPOSED) or locked.location_id not in by.place_ids:
        raise ActionRefused(_("You may not work on this recall."))
    if not locked.recall.is_open:
        raise ActionRefused(_("This recall is closed."))
    if outcome not in Attempt.Outcome.values:
        raise ActionRefused(_("Say what came of it."), field="outcome")
    moment, words = at or timezone.now(), {"outcome": outcome, "note": note.strip(), "by": by}
    twice = locked.attempts.filter(**words, at__gt=moment - SAME_CLICK).first()
    return twice or Attempt.objects.create(contact=locked, at=moment, **words)


@transaction.atomic
def close_recall(*, by: Staff, recall: Recall, words: str, at: datetime | None = None) -> Recall:
    """Close a recall in words, whoever was reached: the list stays. Raises `ActionRefused`."""
    _may_run(by, recall.location_id)
    locked = Recall.objects.select_for_update().get(pk=recall.pk)
    if not locked.is_open:
        raise ActionRefused(_("This recall is closed."))
    if not words.strip():
        raise ActionRefused(_("Write how it was closed."), field="words")
    locked.closed_at, locked.closer = at or timezone.now(), by
    locked.closing_words = words.strip()
    locked.save(update_fields=["closed_at", "closer", "closing_words"])
    return locked


def _may_run(by: Staff, location_id: int) -> None:
    if not by.may(Permission.RUN_RECALLS) or location_id not in by.place_ids:
        raise ActionRefused(_("You may not run recalls at this location."))
