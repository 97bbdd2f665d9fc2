"""The clock of the story: actions called inside believe that it is then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import time_machine

from clinic.access.actor import actor_of
from clinic.access.models import Staff
from clinic.audit.context import SYSTEM, Actor, acting
from patients.registry.models import Patient


@contextmanager
def then(moment: datetime, by: Staff | Patient | None = None) -> Iterator[datetime]:
    """What happens inside happens at `moment`, and is `by`'s doing; the system's without one."""
    with time_machine.travel(moment.astimezone(UTC), tick=False), acting(_actor(by)):
        yield moment


def _actor(by: Staff | Patient | None) -> Actor:
    if by is None:
        return SYSTEM
    if isinstance(by, Staff):
        return actor_of(by)
    return Actor(kind="patient", id=by.pk, who=by.number, role="patient")
