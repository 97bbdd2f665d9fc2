"""The shelf: the ledger of what came and went, opened containers, low-stock levels, known codes.

The lot itself stands in the catalogue, because records of care name it. Its quantity is the sum of
its ledger. All amounts are in what the product is measured in: mL, of a cream g.
"""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from treatments.catalogue.models import Lot


class OpenContainerQuerySet(models.QuerySet["OpenContainer"]):
    def visible_to(self, user: Staff) -> OpenContainerQuerySet:
        """Those on the shelves of a staff member's locations."""
        return self.filter(lot__location__in=user.place_ids)

    def standing(self) -> OpenContainerQuerySet:
        """Not emptied and not thrown away; first to be discarded first."""
        return self.filter(ended_at__isnull=True).order_by("discard_by", "pk")

    def over(self, at: datetime) -> OpenContainerQuerySet:
        """Still standing, though its time is over."""
        return self.standing().filter(discard_by__lte=at)


class OpenContainer(models.Model):
    """A multi-dose container that was opened: what is left in it, and until when it may be used."""

    lot = models.ForeignKey(Lot, models.PROTECT, related_name="open_containers")
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    discard_by = models.DateTimeField()
    held_ml = models.DecimalField(max_digits=8, decimal_places=2)
    left_ml = models.DecimalField(max_digits=8, decimal_places=2)
    ended_at = models.DateTimeField(null=True, blank=True)

    audit_always = True
    objects = OpenContainerQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["lot", "discard_by"],
                condition=models.Q(ended_at__isnull=True),
                name="open_container_standing",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(held_ml__gt=0, left_ml__gte=0, left_ml__lte=models.F("held_ml")),
                name="open_container_amounts_possible",
            ),
            models.CheckConstraint(
                condition=models.Q(discard_by__gte=models.F("opened_at")),
                name="open_container_times_possible",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True, left_ml__gt=0)
                | models.Q(ended_at__isnull=False, left_ml=0),
                name="open_container_ended_is_empty",
            ),
        ]

    def __str__(self) -> str:
        return f"container {self.pk} of lot {self.lot_id}"


class Movement(models.Model):
    """One line of a lot's ledger; never changed. `change_ml` is signed, `after_ml` what is there.

    `number` counts the lines of a lot without gaps, so two writers cannot both be the next.
    `session_id` is the session it was used in: a number and no key, since sessions stand above.
    `package` is GTIN and serial number of a scanned package, which cannot arrive twice; `key` that
    of the form it was sent with, which cannot be booked twice.
    """

    class Kind(models.TextChoices):
        RECEIVED = "received", _("received")
        USED = "used", _("used in a session")
        OPENED = "opened", _("opened")
        COUNTED = "counted", _("counted")
        WASTED = "wasted", _("thrown away")
        CORRECTED = "corrected", _("corrected")
        STATE = "state", _("state changed")

    lot = models.ForeignKey(Lot, models.PROTECT, related_name="movements")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind)
    change_ml = models.DecimalField(max_digits=8, decimal_places=2)
    before_ml = models.DecimalField(max_digits=8, decimal_places=2)
    after_ml = models.DecimalField(max_digits=8, decimal_places=2)
    container = models.ForeignKey(
        OpenContainer, models.PROTECT, null=True, blank=True, related_name="movements"
    )
    session_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    package = models.CharField(max_length=40, blank=True, default="", db_default="")
    reason = models.CharField(_("reason"), max_length=300, blank=True, default="", db_default="")
    key = models.UUIDField(null=True, blank=True, unique=True)
    by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    audit_always = True
    closed_when = "true"

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lot", "number"], name="movement_number_once"),
            models.UniqueConstraint(
                fields=["lot", "package"],
                condition=~models.Q(package=""),
                name="movement_package_once",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    after_ml=models.F("before_ml") + models.F("change_ml"),
                    before_ml__gte=0,
                    after_ml__gte=0,
                ),
                name="movement_adds_up",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="received", change_ml__gt=0)
                | models.Q(kind__in=["used", "wasted"], change_ml__lt=0)
                | models.Q(kind__in=["opened", "state"], change_ml=0)
                | models.Q(kind__in=["counted", "corrected"]),
                name="movement_sign_of_kind",
            ),
            models.CheckConstraint(
                condition=~models.Q(
                    kind__in=["counted", "wasted", "corrected", "state"], reason=""
                ),
                name="movement_says_why",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="used", session_id__isnull=True),
                name="movement_used_in_a_session",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lot_id}/{self.number}: {self.change_ml}"


class StockLevel(models.Model):
    """Below this amount of a product a location is told that it is low."""

    location = models.ForeignKey("clinic.Location", models.PROTECT, related_name="+")
    product_code = models.SlugField(max_length=80)
    least_ml = models.DecimalField(max_digits=8, decimal_places=2)

    audit_always = True

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["location", "product_code"], name="stock_level_once"),
            models.CheckConstraint(condition=models.Q(least_ml__gt=0), name="stock_level_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.product_code} at {self.location_id}: {self.least_ml}"


class PackageCode(models.Model):
    """Which product a GTIN stands for, and how much the last such delivery was; learned then."""

    gtin = models.CharField(max_length=14, unique=True)
    product_code = models.SlugField(max_length=80)
    content_ml = models.DecimalField(max_digits=8, decimal_places=2)
    learned_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    learned_at = models.DateTimeField()

    audit_always = True

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(gtin__regex=r"^[0-9]{14}$"), name="package_code_is_gtin_14"
            ),
            models.CheckConstraint(
                condition=models.Q(content_ml__gt=0), name="package_code_content_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.gtin
