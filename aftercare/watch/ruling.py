"""Changing how a location watches over its patients."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from aftercare.watch.models import WatchRules
from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from clinic.places.models import Location


@transaction.atomic
def save_rules(
    *, by: Staff, location: Location, red_minutes: int, silent_hours: int, least_patients: int
) -> WatchRules:
    """Keep a location's own rules. Raises `ActionRefused` without the right."""
    if not by.may(Permission.MANAGE_CLINIC) or location.pk not in by.place_ids:
        raise ActionRefused(_("Only a manager of this location changes its rules."))
    rules = WatchRules.objects.select_for_update().filter(location=location).first()
    rules = rules or WatchRules(location=location)
    rules.red_minutes, rules.silent_hours = red_minutes, silent_hours
    rules.least_patients = least_patients
    rules.save()
    return rules
