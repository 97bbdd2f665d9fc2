"""The beat's wake-up for the watch."""

from __future__ import annotations

from functools import partial

from celery import shared_task
from django.utils import timezone

from aftercare.watch.actions import follow_up_signed_sessions, open_due
from aftercare.watch.alerts import escalate_due
from clinic.audit.context import SYSTEM, acting
from clinic.steps import each_by_itself


@shared_task(name="aftercare.open_check_ins")
def open_check_ins() -> None:
    """Tell everybody of a red flag that nobody took; take up newly signed sessions; then send the
    questions that are due.
    """
    at = timezone.now()
    with acting(SYSTEM):
        each_by_itself(
            [partial(escalate_due, at=at), follow_up_signed_sessions, partial(open_due, at=at)]
        )
