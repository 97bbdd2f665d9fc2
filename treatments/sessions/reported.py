"""The adverse events that signed sessions of a plan say, for its stop rules."""

from __future__ import annotations

from django.utils.translation import gettext as _

from treatments.plans.models import Plan
from treatments.plans.reports import Report
from treatments.sessions.entries import NONE_SEEN
from treatments.sessions.models import Session


def seen_in_sessions(plan: Plan) -> list[Report]:
    """One report for each signed session in which something was seen; one query."""
    signed = Session.objects.filter(plan=plan, signed_at__isnull=False)
    rows = signed.exclude(adverse_events__in=(NONE_SEEN, "")).order_by("number")
    return [
        Report(
            row.started_at,
            _("session %(number)s: %(words)s")
            % {"number": row.number, "words": row.adverse_events},
        )
        for row in rows.only("number", "started_at", "adverse_events")
    ]
