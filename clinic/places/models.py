"""Places: country profiles, locations, rooms, devices, and who works where and when."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, IntegerRangeField, RangeOperators
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
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
    retention_years = models.PositiveSmallIntegerField(
        _("years for which records are kept"), default=8, db_default=8
    )
    minors_until_age = models.PositiveSmallIntegerField(
        _("records of minors are kept until the age of"), default=25, db_default=25
    )
    age_of_majority = models.PositiveSmallIntegerField(
        _("age from which a person consents alone"), default=18, db_default=18
    )
    source = models.TextField(_("source"))

    audit_always = True

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(age_of_majority__gte=14, age_of_majority__lte=25),
                name="country_age_of_majority_possible",
                violation_error_message=_("The age of majority is from 14 to 25 years."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class Weekday(models.IntegerChoices):
    """As `date.weekday()` counts."""

    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


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
    closed_weekdays = ArrayField(
        models.PositiveSmallIntegerField(choices=Weekday), blank=True, default=list
    )
    closes_on_holidays = models.BooleanField(_("closed on public holidays"), default=False)
    holiday_region = models.CharField(_("region, for its holidays"), max_length=10, blank=True)
    allows_overlap = models.BooleanField(
        _("the desk may book over what is taken, with a reason"), default=False
    )
    online_booking = models.BooleanField(
        _("patients may book, move and cancel by their link"), default=True, db_default=True
    )
    online_notice_hours = models.PositiveSmallIntegerField(
        _("hours ahead to book by link"), default=4, db_default=4
    )
    online_days_ahead = models.PositiveSmallIntegerField(
        _("days ahead to book by link"), default=60, db_default=60
    )
    change_notice_hours = models.PositiveSmallIntegerField(
        _("hours ahead to move or cancel by link"), default=24, db_default=24
    )
    waiting_automatic = models.BooleanField(
        _("offer freed times to the waiting list by itself"), default=False, db_default=False
    )
    hold_minutes = models.PositiveSmallIntegerField(
        _("minutes an offered time is held"), default=15, db_default=15
    )
    most_offers = models.PositiveSmallIntegerField(
        _("offers for one freed time, at most"), default=3, db_default=3
    )

    cooling_off_hours = models.PositiveSmallIntegerField(
        _("hours between reading and signing a consent"), null=True, blank=True
    )
    retention_years = models.PositiveSmallIntegerField(
        _("years for which records are kept"), null=True, blank=True
    )
    minors_until_age = models.PositiveSmallIntegerField(
        _("records of minors are kept until the age of"), null=True, blank=True
    )

    audit_always = True
    objects = LocationQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(closes_at__gt=models.F("opens_at")),
                name="location_closes_after_it_opens",
                violation_error_message=_("Closing time must be after opening time."),
            ),
            models.CheckConstraint(
                condition=models.Q(
                    online_notice_hours__lte=720,
                    change_notice_hours__lte=720,
                    online_days_ahead__gte=1,
                    online_days_ahead__lte=365,
                ),
                name="location_online_rules_possible",
                violation_error_message=_(
                    "By link: up to 720 hours of notice, and from 1 to 365 days ahead."
                ),
            ),
            models.CheckConstraint(
                condition=models.Q(cooling_off_hours__isnull=True)
                | models.Q(cooling_off_hours__lte=720),
                name="location_cooling_off_possible",
                violation_error_message=_("The time to think is 720 hours at most."),
            ),
            models.CheckConstraint(
                condition=(
                    models.Q(retention_years__isnull=True)
                    | models.Q(retention_years__gte=1, retention_years__lte=60)
                )
                & (
                    models.Q(minors_until_age__isnull=True)
                    | models.Q(minors_until_age__gte=18, minors_until_age__lte=40)
                ),
                name="location_retention_possible",
                violation_error_message=_(
                    "Records are kept for 1 to 60 years, those of minors until 18 to 40."
                ),
            ),
            models.CheckConstraint(
                condition=models.Q(
                    hold_minutes__gte=5,
                    hold_minutes__lte=240,
                    most_offers__gte=1,
                    most_offers__lte=20,
                ),
                name="location_offer_rules_possible",
                violation_error_message=_(
                    "A time is held for 5 to 240 minutes, and offered to 1 to 20 people."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """The location's own clock."""
        return ZoneInfo(self.timezone)

    @property
    def hours_to_think(self) -> int:
        """Hours between reading and signing a consent: its own, else those of the country."""
        own = self.cooling_off_hours
        return int(self.country.cooling_off_hours if own is None else own)

    @property
    def years_kept(self) -> int:
        """Years for which a record is kept after the last care: its own, else the country's."""
        own = self.retention_years
        return int(self.country.retention_years if own is None else own)

    @property
    def kept_until_age(self) -> int:
        """The age until which the record of a minor is kept: its own, else the country's."""
        own = self.minors_until_age
        return int(self.country.minors_until_age if own is None else own)


class LocationDay(models.Model):
    """A day on which a location keeps other hours, or is closed (no hours at all).

    It goes before the usual hours, the closed weekdays and the public holidays.
    """

    location = models.ForeignKey(Location, models.CASCADE, related_name="days")
    day = models.DateField(_("day"))
    opens_at = models.TimeField(_("opens"), null=True, blank=True)
    closes_at = models.TimeField(_("closes"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=120, blank=True)

    audit_always = True

    class Meta:
        ordering = ["location_id", "day"]
        constraints = [
            models.UniqueConstraint(
                fields=["location", "day"],
                name="location_day_once",
                violation_error_message=_("There is an entry for this day already."),
            ),
            models.CheckConstraint(
                condition=models.Q(opens_at__isnull=True, closes_at__isnull=True)
                | models.Q(closes_at__gt=models.F("opens_at")),
                name="location_day_closes_after_it_opens",
                violation_error_message=_("Closing time must be after opening time."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.location_id} on {self.day}"

    @property
    def is_closed(self) -> bool:
        return self.opens_at is None


class Minutes(models.Func):
    """Minutes from midnight of a time of day."""

    template = "(EXTRACT(EPOCH FROM %(expressions)s)::int / 60)"
    output_field = models.IntegerField()


class MinuteRange(models.Func):
    """[start, end) of a day, in minutes from midnight."""

    function = "INT4RANGE"
    output_field = IntegerRangeField()


class WorkingHours(models.Model):
    """Hours in which a person works at a location every week on one weekday.

    Several rows make a day with a break. A person without any row at a location works there
    whenever it is open.
    """

    staff = models.ForeignKey(Staff, models.CASCADE, related_name="working_hours")
    location = models.ForeignKey(Location, models.CASCADE, related_name="working_hours")
    weekday = models.PositiveSmallIntegerField(
        _("weekday"),
        choices=Weekday,
        validators=[MinValueValidator(0), MaxValueValidator(6)],
    )
    starts_at = models.TimeField(_("from"))
    ends_at = models.TimeField(_("until"))

    audit_always = True

    class Meta:
        ordering = ["staff_id", "weekday", "starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")),
                name="working_hours_end_after_start",
                violation_error_message=_("The end must be after the start."),
            ),
            models.CheckConstraint(
                condition=models.Q(weekday__lte=6), name="working_hours_weekday_real"
            ),
            ExclusionConstraint(
                name="working_hours_not_twice",
                expressions=[
                    ("staff", RangeOperators.EQUAL),
                    ("weekday", RangeOperators.EQUAL),
                    (
                        MinuteRange(Minutes("starts_at"), Minutes("ends_at")),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                violation_error_message=_("These hours overlap others of the same person."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.staff_id} at {self.location_id} on {self.weekday}"


class DayHours(models.Model):
    """Hours of a person at a location on one day, in place of the weekly ones; none when off."""

    staff = models.ForeignKey(Staff, models.CASCADE, related_name="day_hours")
    location = models.ForeignKey(Location, models.CASCADE, related_name="day_hours")
    day = models.DateField(_("day"))
    starts_at = models.TimeField(_("from"), null=True, blank=True)
    ends_at = models.TimeField(_("until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=120, blank=True)

    audit_always = True

    class Meta:
        ordering = ["staff_id", "day"]
        constraints = [
            models.UniqueConstraint(
                fields=["staff", "location", "day"],
                name="day_hours_once",
                violation_error_message=_("There is an entry for this day already."),
            ),
            models.CheckConstraint(
                condition=models.Q(starts_at__isnull=True, ends_at__isnull=True)
                | models.Q(ends_at__gt=models.F("starts_at")),
                name="day_hours_end_after_start",
                violation_error_message=_("The end must be after the start."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.staff_id} at {self.location_id} on {self.day}"


class Room(models.Model):
    """A room of a location."""

    class Kind(models.TextChoices):
        TREATMENT = "treatment", _("Treatment room")
        CONSULTATION = "consultation", _("Consultation room")

    location = models.ForeignKey(Location, models.CASCADE, related_name="rooms")
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.TREATMENT)
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


class DeviceCleaning(models.Model):
    """That a device was cleaned: when, with what, by whom. Never changed."""

    device = models.ForeignKey(Device, models.PROTECT, related_name="cleanings")
    cleaned_at = models.DateTimeField(_("cleaned at"))
    agent = models.CharField(_("with"), max_length=120)
    note = models.CharField(_("note"), max_length=300, blank=True)
    cleaned_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")

    audit_always = True
    closed_when = "true"

    class Meta:
        ordering = ["-cleaned_at"]
        indexes = [models.Index(fields=["device", "-cleaned_at"], name="cleaning_of_device")]

    def __str__(self) -> str:
        return f"device {self.device_id} cleaned {self.cleaned_at:%Y-%m-%d}"
