"""What rooms above the diary want to say when an appointment moves, or whom nobody invites."""

from __future__ import annotations

from typing import Any, Protocol

from django.db.models import Q, QuerySet

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from treatments.diary.models import Appointment


class ReasonWanted(ActionRefused):
    """Refused unless a practitioner says why. `may_give`: whoever asked is one, so a form asks."""

    def __init__(self, message: str, *, may_give: bool) -> None:
        super().__init__(message, field="gap_reason" if may_give else None)
        self.may_give = may_give


class Moving(Protocol):
    """Called in the transaction of a move, with the row as it is going to be, before it is saved.

    Raises `ActionRefused` to stop it, `ReasonWanted` where a reason would let it pass.
    """

    def __call__(self, *, by: Staff | None, appointment: Appointment, reason: str) -> None: ...


_moving: list[Moving] = []


def provide(moving: Moving) -> None:
    """Name a function to ask before each move; called once from an `AppConfig.ready`."""
    if moving not in _moving:
        _moving.append(moving)


def ask_before_moving(*, by: Staff | None, appointment: Appointment, reason: str) -> None:
    """Ask everyone who wanted to be asked."""
    for moving in _moving:
        moving(by=by, appointment=appointment, reason=reason)


class Uninvited(Protocol):
    """The ids of patients whom no message invites to come again, as a query."""

    def __call__(self) -> QuerySet[Any, Any]: ...


_uninvited: list[Uninvited] = []


def leave_out(uninvited: Uninvited) -> None:
    """Name a query of patients not to invite; called once from an `AppConfig.ready`."""
    if uninvited not in _uninvited:
        _uninvited.append(uninvited)


def not_to_invite() -> Q:
    """Of rows with a `patient`: those whom somebody wants left out."""
    found = Q(pk__in=[])
    for uninvited in _uninvited:
        found |= Q(patient__in=uninvited())
    return found
