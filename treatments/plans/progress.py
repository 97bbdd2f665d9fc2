"""How far a course has come, for those who only need to know that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from patients.registry.models import Patient
from treatments.plans.course import next_due, sessions_total
from treatments.plans.models import Plan


@dataclass(frozen=True)
class Progress:
    """Sessions done of all, and when the next one is due; `due` None before the first."""

    done: int
    total: int
    due: tuple[date, date] | None = None

    @property
    def words(self) -> str:
        """`3 of 6, next due 12 to 19 May`; without clinical content."""
        said = _("%(done)s of %(total)s") % {"done": self.done, "total": self.total}
        if self.due is None:
            return said
        return _("%(progress)s, next due %(days)s") % {
            "progress": said,
            "days": days_words(*self.due),
        }


def days_words(first: date, last: date) -> str:
    """`12 to 19 May`, `28 April to 5 May`, `12 May`; years only where they differ."""
    if first == last:
        return date_format(first, _("j F"))
    if first.year != last.year:
        start = date_format(first, _("j F Y"))
        end = date_format(last, _("j F Y"))
    else:
        start = date_format(first, _("j F") if first.month != last.month else "j")
        end = date_format(last, _("j F"))
    return _("%(start)s to %(end)s") % {"start": start, "end": end}


def counted(plans: QuerySet[Plan]) -> QuerySet[Plan]:
    """Each with the sessions signed so far and the last one's time, in the same query."""
    signed = Q(sessions__signed_at__isnull=False)
    return (
        plans.annotate(
            done=Count("sessions", filter=signed),
            last_at=Max("sessions__started_at", filter=signed),
        )
        .select_related("location")
        .prefetch_related("phases")
    )


def progress_of(plan: Plan) -> Progress:
    """The progress of a `counted` plan, or of any after one more query."""
    known: Any = plan if hasattr(plan, "done") else counted(Plan.objects.filter(pk=plan.pk)).get()
    last_on = timezone.localdate(known.last_at, plan.location.zone) if known.last_at else None
    due = next_due(plan, known.done, last_on) if plan.state == Plan.State.ACCEPTED else None
    return Progress(known.done, sessions_total(plan), due)


def current_plans(patient: Patient) -> list[Plan]:
    """The accepted plans of a patient with their progress, newest first."""
    running = Plan.objects.filter(patient=patient, state=Plan.State.ACCEPTED)
    return list(counted(running).order_by("-accepted_at"))
