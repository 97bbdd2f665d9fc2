"""An accepted plan and its bookings, for the tests of courses."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import time_machine

from clinic.audit.context import SYSTEM, acting
from tests.conftest import Cast
from tests.treatments.plan_parts import accepted_plan
from tests.treatments.session_world import sign_consent
from treatments.courses.actions import Choice, book_course
from treatments.courses.models import PlannedVisit
from treatments.diary.slots import instant
from treatments.plans.models import Plan
from treatments.plans.specs import PhaseSpec
from treatments.sessions.models import Session

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
"""A Monday at nine in Paris; the clocks change on 29 March."""
MONDAY = date(2026, 3, 2)


@contextmanager
def on(day: int = 0) -> Iterator[None]:
    """The world as it is some days after the Monday."""
    with acting(SYSTEM), time_machine.travel(NOW + timedelta(days=day), tick=False):
        yield


def course_plan(cast: Cast, *phases: tuple[int, int, int], **changed: Any) -> Plan:
    """An accepted plan; six sessions 7 to 10 days apart where nothing else is said."""
    specs = [PhaseSpec(*phase) for phase in phases or [(6, 7, 10)]]
    changed.setdefault("mix", [])
    changed.setdefault("areas", [_dry()])
    return accepted_plan(cast, phases=specs, **changed)


def _dry() -> Any:
    from tests.treatments.plan_parts import back  # noqa: PLC0415

    return back(ml="0")


def moment(cast: Cast, day: int, hour: int = 10) -> datetime:
    """An hour of the location's clock, some days after the Monday."""
    return instant(MONDAY + timedelta(days=day), time(hour), cast.here.zone)


def choices(cast: Cast, days: Sequence[int], first: int = 1, **changed: Any) -> list[Choice]:
    """One choice for each day, at ten, with the practitioner."""
    return [
        Choice(number, moment(cast, day), changed.get("who", cast.practitioner.pk))
        for number, day in enumerate(days, first)
    ]


def booked(
    cast: Cast, plan: Plan, *days: int, first: int = 1, **changed: Any
) -> list[PlannedVisit]:
    """A course booked by the practitioner, who may leave the gap."""
    values = {
        "by": cast.practitioner,
        "plan": plan,
        "location": cast.here,
        "service": cast.treatment,
        "choices": choices(cast, days, first),
        "key": uuid.uuid4(),
    }
    return book_course(**values | changed)


def treated(cast: Cast, plan: Plan, number: int, day: int, visit: Any = None) -> Session:
    """A session that was given, signed."""
    at = moment(cast, day)
    consent = plan.consents.first() or sign_consent(plan, cast.practitioner)
    return Session.objects.create(
        patient=plan.patient,
        location=cast.here,
        plan=plan,
        consent=consent,
        appointment=visit,
        practitioner=cast.practitioner,
        number=number,
        history_version=1,
        started_at=at,
        antiseptic="chlorhexidine",
        adverse_events="none",
        signed_at=at,
        signed_by=cast.practitioner,
    )
