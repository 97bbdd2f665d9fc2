"""The tablets at the door: browsers that may say who has arrived, and nothing else."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff


class TabletQuerySet(models.QuerySet["Tablet"]):
    def visible_to(self, user: Staff) -> TabletQuerySet:
        """Those of a staff member's locations."""
        return self.filter(location__in=user.place_ids)

    def in_use(self) -> TabletQuerySet:
        """Not taken back."""
        return self.filter(revoked_at__isnull=True)


class Tablet(models.Model):
    """A browser in arrival mode. Its cookie holds a secret, of which only the hash is kept here."""

    location = models.ForeignKey("clinic.Location", models.CASCADE, related_name="tablets")
    name = models.CharField(_("name"), max_length=60)
    token_hash = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    audit_always = True
    audit_exclude = ("token_hash", "used_at")
    objects = TabletQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name
