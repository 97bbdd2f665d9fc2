"""Blocking time: leave, pauses, what is out of service, a closed location."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from clinic.places.models import Device, Location, Room
from clinic.places.stranding import Stranding
from treatments.diary.actions import BUSY
from treatments.diary.contention import trying_again
from treatments.diary.models import Appointment, AppointmentQuerySet, Block

__all__ = ["Stranding", "block", "end_block", "stranded_by", "unblock", "wait_for_bookings"]


@trying_again(BUSY)
@transaction.atomic
def block(
    *,
    by: Staff | None,
    location: Location,
    starts_at: datetime,
    ends_at: datetime,
    kind: str = Block.Kind.PAUSE,
    staff: Staff | None = None,
    room: Room | None = None,
    device: Device | None = None,
    reason: str = "",
    although_booked: bool = False,
) -> Block:
    """Keep new appointments out of [starts_at, ends_at) for one person, room or device, or for the
    whole location where none is named.

    Raises `Stranding` with the appointments that are booked in it, unless told that this is known;
    then they stay and are listed by `stranded`. Raises `ActionRefused` for an end before the start.
    """
    if ends_at <= starts_at:
        raise ActionRefused(_("The end must be after the start."), field="ends_at")
    wait_for_bookings()
    row = Block(
        location=location,
        staff=staff,
        room=room,
        device=device,
        kind=kind,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason.strip(),
        made_by=by,
    )
    if not although_booked and (inside := list(stranded_by(row))):
        raise Stranding(inside)
    row.save()
    return row


def wait_for_bookings() -> None:
    """No booking is written while the block is: each sees the other, whichever comes first."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE treatments_appointment IN SHARE ROW EXCLUSIVE MODE")


@transaction.atomic
def end_block(*, by: Staff, block: Block, at: datetime) -> None:
    """Give the rest of the time back: what has begun ends at `at`, what lies ahead is gone."""
    row = Block.objects.select_for_update().get(pk=block.pk)
    if row.starts_at >= at:
        row.delete()
    elif row.ends_at > at:
        row.ends_at = at
        row.save(update_fields=["ends_at"])


@transaction.atomic
def unblock(*, by: Staff, block: Block) -> None:
    """Give the time back."""
    block.delete()


def stranded_by(block: Block) -> AppointmentQuerySet:
    """The appointments still to be kept that lie in a block, by time."""
    live = Appointment.objects.live().overlapping(block.starts_at, block.ends_at)
    open_rows = live.exclude(status=Appointment.Status.DONE)
    if block.staff_id:
        rows = open_rows.needing_practitioner(block.starts_at, block.ends_at)
        rows = rows.filter(practitioner_id=block.staff_id)
    elif block.room_id:
        rows = open_rows.needing_room(block.starts_at, block.ends_at).filter(room_id=block.room_id)
    elif block.device_id:
        rows = open_rows.needing_device(block.starts_at, block.ends_at)
        rows = rows.filter(device_id=block.device_id)
    else:
        rows = open_rows.filter(ends_at__gt=block.starts_at, location_id=block.location_id)
    related = ("patient", "practitioner", "room", "service", "location")
    return rows.select_related(*related).order_by("starts_at", "pk")
