"""Which appointments are a plan's sessions, and who let one lie outside its gap."""

from __future__ import annotations

from django.db import models
from django.db.models import Deferrable, Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.records import Record
from patients.registry.models import Registration
from treatments.diary.models import Appointment
from treatments.plans.models import PLAN_PATIENT, Plan


class PlannedVisitQuerySet(models.QuerySet["PlannedVisit"]):
    def visible_to(self, user: Staff) -> PlannedVisitQuerySet:
        """Those of the patients that a staff member may see."""
        return self.filter(
            Exists(
                Registration.objects.filter(
                    patient=OuterRef("plan__patient_id"), location__in=user.place_ids
                )
            )
        )

    def live(self) -> PlannedVisitQuerySet:
        """Those whose appointment holds its time."""
        return self.exclude(appointment__status__in=Appointment.GIVEN_UP)


class PlannedVisit(Record):
    """An appointment that was booked as one of a plan's sessions.

    `number` counts over all phases from 1; the database lets none be held twice and none lie past
    the plan's last. None: its appointment was cancelled or missed, and another may have the number.
    The numbers follow the order of the dates, so they are written anew whenever the course changes;
    what a page shows is counted from the dates, see `standing`.
    """

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="visits")
    appointment = models.OneToOneField(
        Appointment, models.PROTECT, related_name="planned_visit", verbose_name=_("appointment")
    )
    number = models.PositiveSmallIntegerField(null=True, blank=True)
    gap_reason = models.CharField(_("reason for leaving the gap"), max_length=300, blank=True)
    gap_allowed_by = models.ForeignKey(
        Staff, models.PROTECT, null=True, blank=True, related_name="+"
    )

    audit_patient = PLAN_PATIENT
    objects = PlannedVisitQuerySet.as_manager()

    class Meta:
        constraints = [
            # Deferred: the numbers of a course are written anew one after the other.
            models.UniqueConstraint(
                fields=["plan", "number"],
                name="visit_number_once_per_plan",
                deferrable=Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                condition=Q(number__isnull=True) | Q(number__gte=1), name="visit_number_from_one"
            ),
            models.CheckConstraint(
                condition=Q(gap_reason="", gap_allowed_by__isnull=True)
                | (~Q(gap_reason="") & Q(gap_allowed_by__isnull=False)),
                name="visit_gap_reason_has_a_name",
            ),
        ]

    def __str__(self) -> str:
        return f"visit {self.number} of plan {self.plan_id}"
