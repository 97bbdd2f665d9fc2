"""A calendar feed: the diary of one practitioner or one room, behind a secret address."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.access.permissions import Role
from clinic.places.models import Room


class FeedQuerySet(models.QuerySet["Feed"]):
    def open(self) -> FeedQuerySet:
        """Those of people who practise here and rooms that are in use."""
        practising = models.Q(staff__is_active=True, staff__role=Role.PRACTITIONER)
        return self.filter(practising | models.Q(room__is_active=True))


class Feed(models.Model):
    """Of a person or of a room. Only the hash of its secret is kept; a new secret ends the old."""

    class Shows(models.TextChoices):
        INITIALS = "initials", _("initials and service")
        BUSY = "busy", _("busy, nothing else")

    staff = models.OneToOneField(
        Staff, models.CASCADE, null=True, blank=True, related_name="calendar_feed"
    )
    room = models.OneToOneField(
        Room, models.CASCADE, null=True, blank=True, related_name="calendar_feed"
    )
    token_hash = models.CharField(max_length=64, unique=True)
    shows = models.CharField(_("shows"), max_length=8, choices=Shows, default=Shows.INITIALS)
    made_at = models.DateTimeField(_("address made"), default=timezone.now, db_default=Now())
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")

    audit_always = True
    audit_exclude = ("token_hash",)
    objects = FeedQuerySet.as_manager()

    class Meta:
        verbose_name = _("calendar feed")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(staff__isnull=True) ^ models.Q(room__isnull=True),
                name="feed_of_one_person_or_room",
            ),
            models.CheckConstraint(
                condition=models.Q(shows__in=["initials", "busy"]), name="feed_shows_known"
            ),
        ]

    def __str__(self) -> str:
        return f"feed {self.pk}"
