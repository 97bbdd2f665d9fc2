"""The audit trail: who saw or changed what. No foreign keys, append-only, chained by hash."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Action(models.TextChoices):
    CREATE = "create", _("created")
    CHANGE = "change", _("changed")
    DELETE = "delete", _("deleted")
    READ = "read", _("read")
    REFUSE = "refuse", _("was refused a change to")


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def about(self, patient_id: int) -> AuditEntryQuerySet:
        """Everything that touched one patient, newest first."""
        return self.filter(patients__contains=[patient_id]).order_by("-pk")


class AuditEntry(models.Model):
    """One reading, one changed row, or one change that was refused.

    Written by triggers for changes, by the gate for readings.
    """

    at = models.DateTimeField(db_default=Now())
    actor_kind = models.CharField(max_length=10, db_default="database")
    actor_id = models.BigIntegerField(null=True)
    who = models.CharField(max_length=200, db_default="")
    role = models.CharField(max_length=20, db_default="")
    patients = ArrayField(models.BigIntegerField(), db_default=[])
    action = models.CharField(max_length=6, choices=Action)
    what = models.CharField(max_length=100)
    object_id = models.CharField(max_length=60, db_default="")
    request_id = models.CharField(max_length=36, db_default="")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        indexes = [GinIndex(fields=["patients"], name="audit_entry_patients")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.who} {self.action} {self.what}"


class Erasure(models.Model):
    """That everything kept of one file was erased: by whose decision, on what ground, how much.

    It names nobody but who decided. While it stands and is not done, its day has come, and the
    record obliges to nothing, the triggers let the rows of this file go, closed ones too, and
    nothing else (`clinic_erasing`). It cannot be written while the file must be kept.
    `due_on`: the first day on which nothing obliges the clinic to keep the file. `erased` and
    `kept`: what went and what stays, with how many and why. `files`: random names in the store
    that are still to be erased.
    """

    file = models.BigIntegerField()
    due_on = models.DateField()
    ground = models.CharField(max_length=300)
    decided_by = models.CharField(max_length=200)
    decided_at = models.DateTimeField(db_default=Now())
    kept = models.JSONField(default=list)
    erased = models.JSONField(default=list)
    files = models.JSONField(default=list)
    done_at = models.DateTimeField(null=True)

    audit_always = True
    closed_when = "true"
    closed_except = ("erased", "files", "done_at")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file"], name="erased_once"),
            models.CheckConstraint(
                condition=~models.Q(ground="") & ~models.Q(decided_by=""),
                name="erasure_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"erasure of file {self.file}"


class AuditSeal(models.Model):
    """A link of the chain: the hash of a batch of entries and of the seal before it.

    `entries` is a multirange of the ids it covers, so an entry whose transaction committed
    late is simply part of a later batch, and nobody ever waits for the chain.
    """

    LOOK_BACK = timedelta(hours=1)

    sealed_at = models.DateTimeField(db_default=Now())
    entries = models.TextField()
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    count = models.PositiveIntegerField()
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return f"seal {self.pk}: {self.count} entries"
