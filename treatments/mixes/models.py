"""The syringe: what was drawn into it, when and by whom, until when it keeps, what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.records import Record
from patients.registry.models import Registration

if TYPE_CHECKING:
    from patients.registry.models import Patient

LABELS = ("A", "B", "C", "D", "E", "F", "G", "H")
"""How syringes of one session are told apart on the tray."""


class SyringeQuerySet(models.QuerySet["Syringe"]):
    def visible_to(self, user: Staff) -> Self:
        """Syringes of the patients that a staff member may see."""
        return self.filter(
            Exists(
                Registration.objects.filter(
                    patient=OuterRef("session__patient_id"), location__in=user.place_ids
                )
            )
        )


class Syringe(Record):
    """One syringe on the tray of one session, told apart by its label.

    Its contents are the components of the session's `mix` that name it. `pharmacy`: who made it
    up, where it came ready made. `appearance` is what was seen in it; only a limpid one is given.
    """

    class Appearance(models.TextChoices):
        LIMPID = "limpid", _("limpid")
        TURBID = "turbid", _("turbid")
        MILKY = "milky", _("milky")
        COLOURED = "coloured", _("coloured")
        PARTICLES = "particles", _("with particles")

    # By name: the session's own rows point at their syringe, and imports go one way only.
    session = models.ForeignKey("treatments.Session", models.CASCADE, related_name="syringes")
    label = models.CharField(_("syringe"), max_length=1)
    prepared_at = models.DateTimeField(null=True, blank=True)
    prepared_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    discard_by = models.DateTimeField(null=True, blank=True)
    pharmacy = models.CharField(_("made up by a pharmacy"), max_length=160, blank=True)
    appearance = models.CharField(
        _("it looks"), max_length=10, choices=Appearance, blank=True, default=""
    )
    discarded_ml = models.DecimalField(
        _("discarded"), max_digits=6, decimal_places=2, null=True, blank=True
    )

    audit_patient = "session_id>treatments_session.patient_id"
    closed_by = "session_id>treatments_session:signed_at IS NOT NULL"
    objects = SyringeQuerySet.as_manager()

    class Meta:
        ordering = ["session_id", "label"]
        constraints = [
            models.UniqueConstraint(fields=["session", "label"], name="syringe_label_once"),
            models.CheckConstraint(
                condition=models.Q(label__in=LABELS), name="syringe_label_known"
            ),
            models.CheckConstraint(
                condition=models.Q(discarded_ml__isnull=True) | models.Q(discarded_ml__gte=0),
                name="syringe_discarded_not_negative",
                violation_error_message=_("A volume cannot be negative."),
            ),
            models.CheckConstraint(
                condition=models.Q(discard_by__isnull=True)
                | models.Q(discard_by__gte=models.F("prepared_at")),
                name="syringe_kept_after_it_was_prepared",
            ),
            models.CheckConstraint(
                condition=models.Q(prepared_at__isnull=True, prepared_by__isnull=True)
                | models.Q(prepared_at__isnull=False, prepared_by__isnull=False),
                name="syringe_prepared_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def patient(self) -> Patient:
        """Whose session it is for."""
        found: Patient = self.session.patient
        return found

    @property
    def patient_id(self) -> int:
        found: int = self.session.patient_id
        return found
