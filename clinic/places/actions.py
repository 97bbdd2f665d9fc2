"""What a manager changes: locations, rooms, devices, staff."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from clinic.access.models import Membership, Staff
from clinic.errors import ActionRefused
from clinic.places.models import Device, Location, Room

Row = TypeVar("Row", bound=models.Model)

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
    "online_booking",
    "online_notice_hours",
    "online_days_ahead",
    "change_notice_hours",
    "waiting_automatic",
    "hold_minutes",
    "most_offers",
)
ROOM_FIELDS = ("name", "is_active")
DEVICE_FIELDS = ("kind", "make", "model", "serial_number", "is_active")
STAFF_FIELDS = ("name", "email", "role", "registration_number", "language", "is_active")


@transaction.atomic
def save_location(*, by: Staff, location: Location | None, **values: Any) -> Location:
    """Add a location, which its maker then belongs to, or change one."""
    saved = _store(location or Location(), LOCATION_FIELDS, values)
    if location is None:
        Membership.objects.create(staff=by, location=saved)
    return saved


def save_room(*, by: Staff, location: Location, room: Room | None, **values: Any) -> Room:
    """Add a room to a location or change one. Raises `ActionRefused` for a name twice."""
    taken = _("There is a room of this name already.")
    return _once(room or Room(location=location), ROOM_FIELDS, values, "name", taken)


def save_device(*, by: Staff, location: Location, device: Device | None, **values: Any) -> Device:
    """Add a device or change one. Raises `ActionRefused` for a serial number twice."""
    taken = _("There is a device with this serial number already.")
    row = device or Device(location=location)
    return _once(row, DEVICE_FIELDS, values, "serial_number", taken)


def save_staff(
    *, by: Staff, staff: Staff | None, locations: Iterable[Location], **values: Any
) -> Staff:
    """Add a person or change one, and where they work among the locations of `by`.

    Nobody can take away their own role or lock themselves out. Raises `ActionRefused`.
    """
    chosen = {location.pk for location in locations} & set(by.place_ids)
    _refuse_lockout(by, staff, values)
    row = staff or Staff()
    if staff is None:
        row.set_unusable_password()
    with transaction.atomic():
        taken = _("Someone already signs in with this e-mail.")
        saved = _once(row, STAFF_FIELDS, values, "email", taken)
        _place(saved, chosen, set(by.place_ids))
    return saved


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
