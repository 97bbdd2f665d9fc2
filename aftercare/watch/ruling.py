"""Changing how a location watches over its patients."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from aftercare.watch.models import AlsoTold, WatchRules
from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from clinic.places.models import Location


@transaction.atomic
def save_rules(
    *,
    by: Staff,
    location: Location,
    red_minutes: int,
    silent_hours: int,
    least_patients: int,
    escalate_minutes: int = 15,
    also_told: Iterable[Staff] = (),
) -> WatchRules:
    """Keep a location's own rules. `also_told`: who hears of every red flag, on duty or not.

    Raises `ActionRefused` without the right, and for somebody who does not work there.
    """
    if not by.may(Permission.MANAGE_CLINIC) or location.pk not in by.place_ids:
        raise ActionRefused(_("Only a manager of this location changes its rules."))
    rules = WatchRules.objects.select_for_update().filter(location=location).first()
    rules = rules or WatchRules(location=location)
    rules.red_minutes, rules.silent_hours = red_minutes, silent_hours
    rules.least_patients, rules.escalate_minutes = least_patients, escalate_minutes
    rules.save()
    _tell_also(location, {one.pk for one in also_told})
    return rules


def _tell_also(location: Location, wanted: set[int]) -> None:
    if wanted - set(Staff.objects.employed_at(location.pk).values_list("pk", flat=True)):
        raise ActionRefused(_("This person does not work here."), field="also_told")
    had = set(location.also_told.values_list("staff", flat=True))
    location.also_told.filter(staff__in=had - wanted).delete()
    AlsoTold.objects.bulk_create(
        AlsoTold(location=location, staff_id=pk) for pk in sorted(wanted - had)
    )
