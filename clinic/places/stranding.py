"""Asking before a change of places, people or hours leaves booked appointments without them.

Appointments belong to a higher wing, which gives its check to `provide` when it starts; the other
actions of settings run inside `asking_first`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from clinic.errors import ActionRefused

if TYPE_CHECKING:
    from clinic.access.models import Staff
    from clinic.places.models import Device, Location, Room


class Stranding(ActionRefused):
    """Appointments would be left behind; they are listed, and the person decides."""

    def __init__(self, appointments: Sequence[Any], message: str = "") -> None:
        super().__init__(
            message
            or _("Appointments are booked in this time. Move them first, or block it all the same.")
        )
        self.appointments = appointments


@dataclass(frozen=True)
class Concerned:
    """Whose appointments a change may touch; all those of a location, a person, a room or a
    device. The one that is given is meant; `service` is the id of one.
    """

    location: Location | None = None
    staff: Staff | None = None
    room: Room | None = None
    device: Device | None = None
    service: int | None = None


Check = Callable[[Concerned, Collection[int]], AbstractContextManager[None]]
_checks: list[Check] = []


def provide(check: Check) -> None:
    """Called once, when the wing that holds appointments starts."""
    _checks[:] = [check]


def asking_first(concerned: Concerned, known: Collection[int] = ()) -> AbstractContextManager[None]:
    """Within it a change is made; at its end `Stranding` is raised and the change undone where an
    appointment no longer fits that did before, unless its id is among the `known` ones.
    """
    return _checks[0](concerned, known) if _checks else nullcontext()
