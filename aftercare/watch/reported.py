"""The check-ins of a plan's sessions that were answered with a red flag, for its stop rules."""

from __future__ import annotations

from django.utils.translation import gettext as _

from aftercare.watch.models import CheckIn
from treatments.plans.models import Plan
from treatments.plans.reports import Report


def red_in_check_ins(plan: Plan) -> list[Report]:
    """One report for each red answer, in the patient's words where there are some; one query."""
    red = CheckIn.objects.filter(
        session__plan=plan, colour=CheckIn.Colour.RED, answered_at__isnull=False
    )
    text = _("red flag in the check-in after session %(number)s")
    found = []
    for row in red.select_related("session").order_by("answered_at"):
        words = text % {"number": row.session.number}
        if row.answered_at is not None:
            found.append(Report(row.answered_at, f"{words}: {row.note}" if row.note else words))
    return found
