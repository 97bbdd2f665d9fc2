"""Places: country profiles, locations, rooms and devices."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff


def validate_zone(name: str) -> None:
    """Raise `ValidationError` unless the name is an IANA time zone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError):
        raise ValidationError(_("This is not a known time zone.")) from None


class CountryProfile(models.Model):
    """The rules of a country that change what the clinic may do. Editable, sourced rows."""

    code = models.CharField(_("country code"), max_length=2, primary_key=True)
    name = models.CharField(_("name"), max_length=80)
    emergency_number = models.CharField(_("emergency number"), max_length=20)
    cooling_off_hours = models.PositiveIntegerField(
        _("hours between reading and signing"), default=0
    )
    mixing_in_pharmacy_only = models.BooleanField(_("mixes only from a pharmacy"), default=False)
    adults_only_toxin_filler = models.BooleanField(_("no toxin or filler under 18"), default=False)
    blocks_warned_substances = models.BooleanField(
        _("blocks substances with a warning"), default=False
    )
    source = models.TextField(_("source"))

    audit_always = True

    def __str__(self) -> str:
        return self.name


class LocationQuerySet(models.QuerySet["Location"]):
    def visible_to(self, user: Staff) -> LocationQuerySet:
        """The locations a staff member belongs to."""
        return self.filter(pk__in=user.place_ids)


class Location(models.Model):
    """One clinic: an address, a time zone, a country profile, a letterhead."""

    name = models.CharField(_("name"), max_length=120)
    country = models.ForeignKey(CountryProfile, models.PROTECT, verbose_name=_("country"))
    timezone = models.CharField(_("time zone"), max_length=60, validators=[validate_zone])
    language = models.CharField(_("language"), max_length=8, default="en")
    address = models.TextField(_("address"))
    phone = models.CharField(_("phone in hours"), max_length=40)
    phone_out_of_hours = models.CharField(_("phone out of hours"), max_length=40)
    email = models.EmailField(_("e-mail"))
    opens_at = models.TimeField(_("opens"))
    closes_at = models.TimeField(_("closes"))

    audit_always = True
    objects = LocationQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(closes_at__gt=models.F("opens_at")),
                name="location_closes_after_it_opens",
                violation_error_message=_("Closing time must be after opening time."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """The location's own clock."""
        return ZoneInfo(self.timezone)


class Room(models.Model):
    """A room of a location."""

    location = models.ForeignKey(Location, models.CASCADE, related_name="rooms")
    name = models.CharField(_("name"), max_length=80)
    is_active = models.BooleanField(_("in use"), default=True)

    audit_always = True

    class Meta:
        ordering = ["location_id", "name"]
        constraints = [
            models.UniqueConstraint(fields=["location", "name"], name="room_name_once_per_location")
        ]

    def __str__(self) -> str:
        return self.name


class Device(models.Model):
    """A mesogun or needle-free unit, known by its serial number."""

    location = models.ForeignKey(Location, models.CASCADE, related_name="devices")
    kind = models.CharField(_("kind"), max_length=40)
    make = models.CharField(_("make"), max_length=80)
    model = models.CharField(_("model"), max_length=80)
    serial_number = models.CharField(_("serial number"), max_length=80, unique=True)
    is_active = models.BooleanField(_("in use"), default=True)

    audit_always = True

    class Meta:
        ordering = ["location_id", "make", "model"]

    def __str__(self) -> str:
        return f"{self.make} {self.model} ({self.serial_number})"
