"""Screening: which fact met which rule, and what a physician decided about it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.records import Record
from patients.registry.models import OfPatientQuerySet, Patient


class Override(Record):
    """A physician's decision to go on in spite of one verdict, bound to that fact and that rule.

    `rule` is the verdict's key (rule code, version and fact), so a new fact or an edited rule asks
    again. `title`, `fact` and `source` are what the rule said on that day.
    """

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="overrides")
    rule = models.CharField(max_length=200)
    level = models.CharField(max_length=10)
    title = models.CharField(max_length=300, blank=True, default="", db_default="")
    fact = models.TextField(blank=True, default="", db_default="")
    source = models.TextField(blank=True, default="", db_default="")
    reason = models.TextField(_("reason"), max_length=2000)
    directed_by = models.CharField(
        _("directing doctor"), max_length=200, blank=True, default="", db_default=""
    )
    decided_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    history_version = models.PositiveIntegerField()

    audit_patient = "patient_id"
    closed_when = "true"
    objects = OfPatientQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "rule", "history_version"], name="override_once"
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="override_has_reason"),
        ]

    def __str__(self) -> str:
        return f"override of {self.rule}"
