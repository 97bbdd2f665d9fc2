"""Look-backs: ask one, say who its cases are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from aftercare.safety.models import AdverseEvent, LookBack, LookBackCase, LookBackPlace
from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from clinic.places.models import Location
from patients.registry.models import Patient

SAME_CLICK = timedelta(minutes=1)


@transaction.atomic
def ask_look_back(
    *,
    by: Staff,
    location: Location,
    title: str,
    since: date,
    until: date,
    places: Iterable[Location] = (),
    with_infections: bool = True,
    at: datetime | None = None,
) -> LookBack:
    """A new look-back over `places`, or this location alone; its first cases are the infections
    recorded there since the first day. The same question within a minute is one.

    Raises `ActionRefused` without the right at each of them or a title, and for days out of order.
    """
    compared = sorted({place.pk for place in places} or {location.pk})
    _may_ask(by, [location.pk, *compared])
    if not title.strip():
        raise ActionRefused(_("Give it a title."), field="title")
    if until < since:
        raise ActionRefused(_("The last day is before the first."), field="until")
    moment = at or timezone.now()
    Location.objects.select_for_update(no_key=True).get(pk=location.pk)
    asked = {"location": location, "title": title.strip(), "since": since, "until": until}
    recent = LookBack.objects.filter(**asked, made_by=by, made_at__gt=moment - SAME_CLICK)
    for twice in recent:
        if twice.place_ids == compared:
            return twice
    question = LookBack.objects.create(**asked, made_by=by, made_at=moment)
    LookBackPlace.objects.bulk_create(
        LookBackPlace(look_back=question, location_id=pk) for pk in compared
    )
    if with_infections:
        for event in infections_for(question):
            _add(by, question, event.patient.kept, _onset(event), event)
    return question


def infections_for(question: LookBack) -> list[AdverseEvent]:
    """The infections recorded at its locations that began since its first day, earliest first."""
    rows = AdverseEvent.objects.infections().filter(location__in=question.place_ids)
    rows = rows.select_related("patient", "kind", "location").order_by("onset_at", "pk")
    return [event for event in rows if _onset(event) >= question.since]


def _onset(event: AdverseEvent) -> date:
    day: date = event.onset_at.astimezone(event.location.zone).date()
    return day


@transaction.atomic
def add_case(
    *, by: Staff, question: LookBack, patient: Patient, onset_on: date, at: datetime | None = None
) -> LookBackCase:
    """Count a patient as a case. Raises `ActionRefused` for one who is, for one whom none of its
    locations knows, and for an onset ahead.
    """
    _may_ask(by, question.place_ids)
    today = (at or timezone.now()).astimezone(question.location.zone).date()
    if onset_on > today:
        raise ActionRefused(_("The onset cannot lie ahead."), field="onset_on")
    locked = LookBack.objects.select_for_update().get(pk=question.pk)
    person = patient.kept
    if not person.registrations.filter(location__in=question.place_ids).exists():
        raise ActionRefused(_("There is no such patient here."), field="number")
    if locked.cases.filter(patient=person).exists():
        raise ActionRefused(_("This patient is a case already."), field="number")
    case = _add(by, locked, person, onset_on, None)
    assert case is not None
    return case


def _add(
    by: Staff, question: LookBack, patient: Patient, onset: date, event: AdverseEvent | None
) -> LookBackCase | None:
    """The earliest event of a person makes the case; later ones are the same one."""
    if question.cases.filter(patient=patient).exists():
        return None
    return LookBackCase.objects.create(
        look_back=question, patient=patient, onset_on=onset, event=event, added_by=by
    )


@transaction.atomic
def drop_case(*, by: Staff, case: LookBackCase) -> None:
    """No longer count a patient as a case; the audit keeps that they were."""
    _may_ask(by, case.look_back.place_ids)
    LookBackCase.objects.filter(pk=case.pk).delete()


def _may_ask(by: Staff, places: Iterable[int]) -> None:
    if not by.may(Permission.RUN_RECALLS) or not set(places) <= set(by.place_ids):
        raise ActionRefused(_("You may not look back at this location."))
