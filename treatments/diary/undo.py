"""Taking the last thing back: the inverse action, with the same rules as any other.

What is to be restored travels with the page, signed; it says nothing that the person could not do
by hand, and is refused when the appointment has been changed since.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.core import signing
from django.db import transaction
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from treatments.diary import actions
from treatments.diary.models import Appointment
from treatments.diary.trace import trace_of
from treatments.diary.transitions import ALLOWED

SALT: Final = "diary.undo"
GOOD_FOR = timedelta(minutes=15)
NEVER_THROUGH = {"cancelled", "no_show"}
"""A way back does not lead through these."""


def undo_token(before: Appointment, after: Appointment) -> str:
    """What brings `after` back to `before`, two states of a row; empty where no way leads back."""
    if way_back(after.status, before.status) is None:
        return ""
    return signing.dumps(
        {
            "pk": before.pk,
            "starts": before.starts_at.isoformat(),
            "minutes": _minutes(before),
            "practitioner": before.practitioner_id,
            "room": before.room_id,
            "status": before.status,
            "over": before.overlap_reason,
            "after": trace_of(after),
        },
        salt=SALT,
    )


def _minutes(row: Appointment) -> int:
    return int((row.ends_at - row.starts_at).total_seconds()) // 60


def read_token(token: str) -> dict[str, Any]:
    """What a token says. Raises `ActionRefused` for one that is too old or not ours."""
    try:
        told: dict[str, Any] = signing.loads(token, salt=SALT, max_age=GOOD_FOR)
    except signing.BadSignature:
        raise ActionRefused(_("It is too late to undo this.")) from None
    return told


@transaction.atomic
def undo(*, by: Staff, appointment: Appointment, told: dict[str, Any]) -> Appointment:
    """Bring an appointment back to what `read_token` told. Raises `ActionRefused`, `Taken`."""
    row: Appointment = Appointment.objects.select_for_update().get(pk=appointment.pk)
    if trace_of(row) != told["after"]:
        raise actions.Changed(row)
    starts_at = datetime.fromisoformat(told["starts"])
    wanted = (starts_at, told["minutes"], told["practitioner"], told["room"])
    if wanted != (row.starts_at, _minutes(row), row.practitioner_id, row.room_id):
        row = actions.move(
            by=by,
            appointment=row,
            starts_at=starts_at,
            practitioner=told["practitioner"],
            room=told["room"],
            minutes=told["minutes"],
            overlap_reason=told["over"],
        )
    way = way_back(row.status, told["status"])
    if way is None:
        raise ActionRefused(_("This cannot be undone. Set the status by hand."))
    for status in way:
        row = actions.set_status(by=by, appointment=row, status=status)
    return row


def way_back(status: str, wanted: str) -> list[str] | None:
    """The fewest steps from a status to another; None where there is no way.

    There is none to a cancellation, which wants a reason anew.
    """
    ways: list[list[str]] = [[status]]
    for way in ways:
        if way[-1] == wanted:
            return way[1:]
        further = [s for s in ALLOWED[way[-1]] if s == wanted or s not in NEVER_THROUGH]
        ways += [[*way, step] for step in further if step not in way and step != "cancelled"]
    return None
