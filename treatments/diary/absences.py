"""Leave, what is out of service, and closed days: blocks of whole days on the location's clock."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from clinic.places.models import Device, Location, Room
from clinic.places.stranding import Concerned
from treatments.diary.blocks import block
from treatments.diary.fit import asking_first
from treatments.diary.models import Block, BlockQuerySet
from treatments.diary.slots import midnight

FAR = date(2100, 1, 1)
"""The end of what is out of service until further notice."""
LONGEST = timedelta(days=366 * 2)
Thing = Staff | Room | Device | Location
ABSENCES = (Block.Kind.LEAVE, Block.Kind.OUT_OF_SERVICE, Block.Kind.CLOSED)


class Absence(NamedTuple):
    """A block as shown: whose, and its first and last day; no last one until further notice."""

    pk: int
    what: str
    kind: str
    first: date
    last: date | None
    reason: str
    began: bool


def kind_of(thing: Thing) -> str:
    """What keeps it from work."""
    if isinstance(thing, Staff):
        return Block.Kind.LEAVE
    return Block.Kind.CLOSED if isinstance(thing, Location) else Block.Kind.OUT_OF_SERVICE


def may_stay_open(thing: Thing) -> bool:
    """Whether its end may be left open."""
    return isinstance(thing, (Room, Device))


@transaction.atomic
def add_absence(
    *,
    by: Staff | None,
    thing: Thing,
    location: Location,
    first: date,
    last: date | None,
    reason: str = "",
    at: datetime,
    known: Collection[int] = (),
) -> Block:
    """Keep bookings off a person, room, device or location from the start of the first day to the
    end of the last one; what begins today begins now. Without a last day, until further notice.

    Raises `ActionRefused` for days that are past or too many, and `Stranding`.
    """
    today = at.astimezone(location.zone).date()
    if (last or FAR) < today:
        raise ActionRefused(_("These days are past."), field="last")
    if last and last - first > LONGEST:
        raise ActionRefused(_("Two years at most; check the last day."), field="last")
    starts_at = max(midnight(first, location.zone), at) if first <= today else None
    with asking_first(_concerned(thing), known):
        return block(
            by=by,
            location=location,
            starts_at=starts_at or midnight(first, location.zone),
            ends_at=midnight((last + timedelta(days=1)) if last else FAR, location.zone),
            kind=kind_of(thing),
            staff=thing if isinstance(thing, Staff) else None,
            room=thing if isinstance(thing, Room) else None,
            device=thing if isinstance(thing, Device) else None,
            reason=reason,
            although_booked=True,
        )


def _concerned(thing: Thing) -> Concerned:
    if isinstance(thing, Staff):
        return Concerned(staff=thing)
    if isinstance(thing, Room):
        return Concerned(room=thing)
    return Concerned(device=thing) if isinstance(thing, Device) else Concerned(location=thing)


def absences_of(thing: Thing, at: datetime) -> BlockQuerySet:
    """Those of a thing that are not over."""
    rows = Block.objects.filter(kind__in=ABSENCES, ends_at__gt=at)
    if isinstance(thing, Staff):
        return rows.filter(staff=thing)
    if isinstance(thing, Room):
        return rows.filter(room=thing)
    if isinstance(thing, Device):
        return rows.filter(device=thing)
    whole = Q(staff__isnull=True, room__isnull=True, device__isnull=True)
    return rows.filter(whole, location=thing)


def shown(blocks: Iterable[Block], at: datetime) -> list[Absence]:
    """As the pages list them. Fetch `location`, `staff`, `room` and `device` along."""
    return [_absence(row, at) for row in blocks]


def _absence(row: Block, at: datetime) -> Absence:
    zone = row.location.zone
    last = (row.ends_at - timedelta(microseconds=1)).astimezone(zone).date()
    thing = row.staff or row.room or row.device or row.location
    return Absence(
        pk=row.pk,
        what=f"{thing.make} {thing.model}" if isinstance(thing, Device) else thing.name,
        kind=row.get_kind_display(),
        first=row.starts_at.astimezone(zone).date(),
        last=None if last >= FAR - timedelta(days=1) else last,
        reason=row.reason,
        began=row.starts_at <= at,
    )
