"""Adverse events: open one, change it while it is open, close it in words, add to a closed one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from aftercare.safety.changing import PARTS, StaleEvent, as_seen, differing, plain
from aftercare.safety.models import AdverseEvent, EventAddendum, EventPhoto, Grade
from aftercare.safety.record import facts_of
from aftercare.watch.models import Call, CheckIn
from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from clinic.places.models import Location
from patients.photos.models import Photo
from patients.registry.models import Patient
from treatments.catalogue.models import AdverseEventType
from treatments.sessions.models import Session

SAID = (
    "kind",
    "onset_at",
    "is_timed",
    "grade",
    "relatedness",
    "area",
    "side",
    "chart",
    "point_x",
    "point_y",
    "description",
    "action_taken",
    "outcome",
    "follow_up_on",
)
"""What a practitioner says of an event, and may change until it is closed."""


@transaction.atomic
def open_event(
    *,
    by: Staff,
    patient: Patient,
    location: Location,
    said: Mapping[str, Any],
    session: Session | None = None,
    check_in: CheckIn | None = None,
    call: Call | None = None,
    photos: Iterable[Photo] = (),
    at: datetime | None = None,
) -> AdverseEvent:
    """Open an event with what the record says of its session. `said`: the fields of `SAID`.

    A call brings its check-in along, a check-in its session. The same words by the same person are
    the same event: a second click opens no second one. Raises `ActionRefused` without the right,
    for another patient's session, and for an onset that lies ahead.
    """
    _may_record(by, location.pk)
    if call is not None:
        check_in = call.check_in
    if check_in is not None:
        session = session or check_in.session
    for part in (session, check_in, call):
        if part is not None and part.patient_id != patient.pk:
            raise ActionRefused(_("This belongs to another patient."))
    values = _checked(said, location, at or timezone.now())
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    same = {name: values[name] for name in ("kind", "onset_at", "description")}
    known = AdverseEvent.objects.open().filter(patient=patient, opened_by=by, **same).first()
    if known is not None:
        return known
    event = AdverseEvent.objects.create(
        patient=patient,
        location=location,
        session=session,
        check_in=check_in,
        call=call,
        facts=facts_of(session) if session else {},
        opened_by=by,
        **values,
    )
    _show_photos(event, photos)
    return event


@transaction.atomic
def change_event(
    *,
    by: Staff,
    event: AdverseEvent,
    said: Mapping[str, Any],
    photos: Iterable[Photo] = (),
    revision: int | None = None,
    at: datetime | None = None,
) -> AdverseEvent:
    """Change what is said of an open event; its session's record stays as it was taken.

    `revision` is the one the writer saw; None: the present one. Parts that they left as they were
    stay as others have made them since; a part that both have changed is refused (`StaleEvent`),
    and nothing of the call is kept. Raises `ActionRefused` once it is closed.
    """
    locked, moment = _locked(by, event), at or timezone.now()
    values, shown = _checked(said, locked.location, moment), list(photos)
    mine = {name: plain(value) for name, value in values.items()} | {"photos": _ids(shown)}
    now = _values(locked)
    seen = now if revision is None else as_seen(now, locked.earlier, revision)
    touched = differing(mine, seen)
    theirs = set(differing(seen, now)) & set(differing(mine, now))
    if clashing := [part for part in touched if part in theirs]:
        raise StaleEvent(clashing, touched)
    changed = [part for part in touched if part in differing(mine, now)]
    _write(locked, {name: values[name] for name in _fields(changed) if name in values})
    if "photos" in changed:
        _show_photos(locked, shown)
    if changed:
        was = {name: now[name] for name in _fields(changed)}
        locked.revision += 1
        locked.earlier.append(
            {"r": locked.revision, "by": by.name, "at": moment.isoformat(), "was": was}
        )
    locked.save()
    return locked


def _fields(parts: Iterable[str]) -> list[str]:
    return [name for part in parts for name in PARTS[part]]


def _values(event: AdverseEvent) -> dict[str, Any]:
    """What is said of an event as it stands, plain."""
    kept = {name: plain(getattr(event, name)) for name in SAID}
    return kept | {"photos": _ids(row.photo for row in event.photos.select_related("photo"))}


def _ids(photos: Iterable[Photo]) -> list[str]:
    return sorted(str(photo.public_id) for photo in photos)


def _write(locked: AdverseEvent, values: Mapping[str, Any]) -> None:
    """Set some values beside those that stand, and what follows from all of them."""
    for name, value in values.items():
        setattr(locked, name, value)
    _refuse_unlike_death(locked.grade, locked.outcome)
    locked.expected_until = expected_end(locked.kind, locked.onset_at, locked.location)


@transaction.atomic
def close_event(
    *,
    by: Staff,
    event: AdverseEvent,
    outcome: str,
    words: str,
    revision: int | None = None,
    at: datetime | None = None,
) -> AdverseEvent:
    """Close an event with its outcome, in a practitioner's words. Raises `ActionRefused`, also
    where somebody has changed it since the writer looked, at `revision`.
    """
    locked = _locked(by, event)
    if revision is not None and revision != locked.revision:
        raise ActionRefused(
            _("Somebody has changed this event since you opened it. Look at it, then close it.")
        )
    if outcome not in AdverseEvent.ENDED:
        raise ActionRefused(_("Say how it ended before you close it."), field="outcome")
    if not words.strip():
        raise ActionRefused(_("Write how it was closed."), field="words")
    _refuse_unlike_death(locked.grade, outcome)
    locked.outcome, locked.closing_words = outcome, words.strip()
    locked.closed_at, locked.closer = at or timezone.now(), by
    locked.save(update_fields=["outcome", "closing_words", "closed_at", "closer"])
    return locked


@transaction.atomic
def add_to_event(*, by: Staff, event: AdverseEvent, text: str, reason: str) -> EventAddendum:
    """A dated addendum to a closed event. Raises `ActionRefused` while it is open."""
    _may_record(by, event.location_id)
    if event.is_open:
        raise ActionRefused(_("This event is open: change it itself."))
    if not text.strip():
        raise ActionRefused(_("Write the addendum."), field="text")
    if not reason.strip():
        raise ActionRefused(_("Write the reason."), field="reason")
    return EventAddendum.objects.create(
        event=event, text=text.strip(), reason=reason.strip(), written_by=by
    )


def expected_end(kind: AdverseEventType, onset: datetime, location: Location) -> date | None:
    """The day on which the catalogue's course of it is over; None where it gives no length."""
    if kind.expected_days is None:
        return None
    return onset.astimezone(location.zone).date() + timedelta(days=kind.expected_days)


def _locked(by: Staff, event: AdverseEvent) -> AdverseEvent:
    locked = (
        AdverseEvent.objects.select_for_update(of=("self",))
        .select_related("location", "kind")
        .get(pk=event.pk)
    )
    _may_record(by, locked.location_id)
    if not locked.is_open:
        raise ActionRefused(_("This event is closed. Add to it instead."))
    return locked


def _may_record(by: Staff, location_id: int) -> None:
    if not by.may(Permission.RECORD_EVENTS) or location_id not in by.place_ids:
        raise ActionRefused(_("Only a practitioner of this location records adverse events."))


def _checked(said: Mapping[str, Any], location: Location, at: datetime) -> dict[str, Any]:
    """The values to store, with what follows from them."""
    values = {name: said[name] for name in SAID if name in said}
    if values["onset_at"] > at:
        raise ActionRefused(_("The onset cannot lie ahead."), field="onset_at")
    if values.get("follow_up_on") is None:
        values["follow_up_on"] = expected_end(values["kind"], values["onset_at"], location)
    if values["follow_up_on"] is None:
        raise ActionRefused(
            _("Say when it is to be looked at again: the catalogue gives no length for this."),
            field="follow_up_on",
        )
    _refuse_unlike_death(values["grade"], values.get("outcome", ""))
    values["expected_until"] = expected_end(values["kind"], values["onset_at"], location)
    return values


def _refuse_unlike_death(grade: int, outcome: str) -> None:
    if (grade == Grade.DEATH) != (outcome == AdverseEvent.Outcome.FATAL):
        raise ActionRefused(
            _("Grade 5 is death, and death is grade 5: grade and outcome do not fit."),
            field="outcome",
        )


def _show_photos(event: AdverseEvent, photos: Iterable[Photo]) -> None:
    """Exactly these photos, all of the patient's own."""
    wanted = {photo.pk: photo for photo in photos}
    if any(photo.patient_id != event.patient_id for photo in wanted.values()):
        raise ActionRefused(_("This photo belongs to another patient."), field="photos")
    known = set(event.photos.values_list("photo_id", flat=True))
    event.photos.exclude(photo_id__in=wanted).delete()
    EventPhoto.objects.bulk_create(
        EventPhoto(event=event, photo=photo)
        for pk, photo in sorted(wanted.items())
        if pk not in known
    )
