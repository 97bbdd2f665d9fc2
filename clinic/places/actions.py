"""What a manager changes: locations, rooms, devices, staff, and the hours of all of them.

Each change that could leave booked appointments behind runs inside `asking_first` and raises
`Stranding` with them, unless their ids are among the `known` ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from datetime import date, datetime, time
from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.access.models import Membership, Staff
from clinic.errors import ActionRefused
from clinic.places.models import (
    DayHours,
    Device,
    DeviceCleaning,
    Location,
    LocationDay,
    Room,
    Weekday,
    WorkingHours,
)
from clinic.places.stranding import Concerned, asking_first

Row = TypeVar("Row", bound=models.Model)
Week = Mapping[int, Sequence[tuple[time, time]]]
"""Spans of hours by weekday."""

LOCATION_FIELDS = (
    "name",
    "country",
    "timezone",
    "language",
    "address",
    "phone",
    "phone_out_of_hours",
    "email",
    "opens_at",
    "closes_at",
    "closed_weekdays",
    "closes_on_holidays",
    "holiday_region",
    "allows_overlap",
    "online_booking",
    "online_notice_hours",
    "online_days_ahead",
    "change_notice_hours",
    "waiting_automatic",
    "hold_minutes",
    "most_offers",
    "cooling_off_hours",
    "retention_years",
    "minors_until_age",
)
ROOM_FIELDS = ("name", "kind", "is_active")
DEVICE_FIELDS = ("kind", "make", "model", "serial_number", "is_active")
STAFF_FIELDS = (
    "name",
    "email",
    "phone",
    "role",
    "registration_number",
    "language",
    "is_active",
)


@transaction.atomic
def save_location(
    *, by: Staff, location: Location | None, known: Collection[int] = (), **values: Any
) -> Location:
    """Add a location, which its maker then belongs to, or change one. Raises `Stranding`."""
    with asking_first(Concerned(location=location), known) if location else nullcontext():
        saved = _store(location or Location(), LOCATION_FIELDS, values)
    if location is None:
        Membership.objects.create(staff=by, location=saved)
    return saved


def save_room(
    *, by: Staff, location: Location, room: Room | None, known: Collection[int] = (), **values: Any
) -> Room:
    """Add a room to a location or change one. Raises `ActionRefused` for a name twice, and
    `Stranding`.
    """
    taken = _("There is a room of this name already.")
    with asking_first(Concerned(room=room), known) if room else nullcontext():
        return _once(room or Room(location=location), ROOM_FIELDS, values, "name", taken)


def save_device(
    *,
    by: Staff,
    location: Location,
    device: Device | None,
    known: Collection[int] = (),
    **values: Any,
) -> Device:
    """Add a device or change one. Raises `ActionRefused` for a serial number twice, and
    `Stranding`.
    """
    taken = _("There is a device with this serial number already.")
    row = device or Device(location=location)
    with asking_first(Concerned(device=device), known) if device else nullcontext():
        return _once(row, DEVICE_FIELDS, values, "serial_number", taken)


def save_staff(
    *,
    by: Staff,
    staff: Staff | None,
    locations: Iterable[Location],
    known: Collection[int] = (),
    **values: Any,
) -> Staff:
    """Add a person or change one, and where they work among the locations of `by`.

    Nobody can take away their own role or lock themselves out. Raises `ActionRefused`, and
    `Stranding`.
    """
    chosen = {location.pk for location in locations} & set(by.place_ids)
    _refuse_lockout(by, staff, values)
    row = staff or Staff()
    if staff is None:
        row.set_unusable_password()
    asked = asking_first(Concerned(staff=staff), known) if staff else nullcontext()
    with transaction.atomic(), asked:
        taken = _("Someone already signs in with this e-mail.")
        saved = _once(row, STAFF_FIELDS, values, "email", taken)
        _place(saved, chosen, set(by.place_ids))
    return saved


@transaction.atomic
def save_week(
    *, by: Staff, staff: Staff, location: Location, week: Week, known: Collection[int] = ()
) -> None:
    """Set the hours that a person works at a location every week; none at all means whenever it
    is open. Spans that touch become one.

    Raises `ActionRefused` for a span that ends before it starts, for spans that overlap, here or
    with hours at another location, and `Stranding`.
    """
    wanted = {(day, *span) for day, spans in week.items() for span in _joined(day, spans)}
    with asking_first(Concerned(location=location, staff=staff), known):
        had = {
            (row.weekday, row.starts_at, row.ends_at): row
            for row in WorkingHours.objects.filter(staff=staff, location=location)
        }
        for key in had.keys() - wanted:
            had[key].delete()
        rows = [
            WorkingHours(
                staff=staff, location=location, weekday=weekday, starts_at=start, ends_at=end
            )
            for weekday, start, end in sorted(wanted - had.keys())
        ]
        try:
            with transaction.atomic():
                WorkingHours.objects.bulk_create(rows)
        except IntegrityError as error:
            said = _("These hours overlap those of the same person at another location.")
            raise ActionRefused(said) from error


def _joined(weekday: int, spans: Sequence[tuple[time, time]]) -> list[tuple[time, time]]:
    joined: list[tuple[time, time]] = []
    for start, end in sorted(spans):
        day = str(Weekday(weekday).label)
        if end <= start:
            raise ActionRefused(_("%(day)s: the end must be after the start.") % {"day": day})
        if joined and start < joined[-1][1]:
            raise ActionRefused(_("%(day)s: these hours overlap.") % {"day": day})
        if joined and start == joined[-1][1]:
            start = joined.pop()[0]
        joined.append((start, end))
    return joined


def save_location_day(
    *,
    by: Staff,
    location: Location,
    entry: LocationDay | None,
    today: date,
    known: Collection[int] = (),
    **values: Any,
) -> LocationDay:
    """Add or change a day with other opening hours, or closed (`opens_at` and `closes_at` None).

    Raises `ActionRefused` for a day that is past or has an entry, and `Stranding`.
    """
    _refuse_past(values["day"], today)
    row = entry or LocationDay(location=location)
    taken = _("There is an entry for this day already.")
    with asking_first(Concerned(location=location), known):
        return _once(row, ("day", "opens_at", "closes_at", "reason"), values, "day", taken)


def remove_location_day(*, by: Staff, entry: LocationDay, known: Collection[int] = ()) -> None:
    """Back to the usual hours of that day. Raises `Stranding`."""
    with asking_first(Concerned(location=entry.location), known):
        entry.delete()


def save_day_hours(
    *,
    by: Staff,
    staff: Staff,
    location: Location,
    entry: DayHours | None,
    today: date,
    known: Collection[int] = (),
    **values: Any,
) -> DayHours:
    """Add or change a day on which a person works other hours, or not (both times None).

    Raises `ActionRefused` for a day that is past or has an entry, and `Stranding`.
    """
    _refuse_past(values["day"], today)
    row = entry or DayHours(staff=staff, location=location)
    taken = _("There is an entry for this day already.")
    with asking_first(Concerned(location=location, staff=staff), known):
        return _once(row, ("day", "starts_at", "ends_at", "reason"), values, "day", taken)


def remove_day_hours(*, by: Staff, entry: DayHours, known: Collection[int] = ()) -> None:
    """Back to the weekly hours of that day. Raises `Stranding`."""
    with asking_first(Concerned(location=entry.location, staff=entry.staff), known):
        entry.delete()


def _refuse_past(day: date, today: date) -> None:
    if day < today:
        raise ActionRefused(_("This day is past."), field="day")


@transaction.atomic
def log_cleaning(
    *, by: Staff, device: Device, cleaned_at: datetime, agent: str, note: str = ""
) -> DeviceCleaning:
    """Write down that a device was cleaned, by whom and with what; it is never changed.

    Raises `ActionRefused` for a time that is still to come.
    """
    if cleaned_at > timezone.now():
        raise ActionRefused(_("This time is still to come."), field="time")
    return DeviceCleaning.objects.create(
        device=device, cleaned_at=cleaned_at, agent=agent, note=note, cleaned_by=by
    )


def _refuse_lockout(by: Staff, staff: Staff | None, values: dict[str, Any]) -> None:
    if staff is None or staff.pk != by.pk:
        return
    if not values["is_active"]:
        raise ActionRefused(_("You cannot deactivate yourself."), field="is_active")
    if values["role"] != by.role:
        raise ActionRefused(_("You cannot change your own role."), field="role")


def _place(staff: Staff, chosen: set[int], mine: set[int]) -> None:
    """Memberships of locations that the manager does not belong to stay as they are."""
    had = set(staff.memberships.values_list("location_id", flat=True))
    if not chosen | (had - mine):
        raise ActionRefused(_("Choose at least one location."), field="locations")
    staff.memberships.filter(location_id__in=(had & mine) - chosen).delete()
    Membership.objects.bulk_create(
        Membership(staff=staff, location_id=pk) for pk in sorted(chosen - had)
    )


def _store(row: Row, fields: tuple[str, ...], values: dict[str, Any]) -> Row:
    for name in fields:
        setattr(row, name, values[name])
    row.save()
    return row


def _once(row: Row, fields: tuple[str, ...], values: dict[str, Any], field: str, said: str) -> Row:
    """Save; what the database already has is refused at the field."""
    try:
        with transaction.atomic():
            return _store(row, fields, values)
    except IntegrityError as error:
        raise ActionRefused(said, field=field) from error
