"""The beat's wake-up for the waiting list."""

from __future__ import annotations

from functools import partial

from celery import shared_task
from django.utils import timezone

from clinic.audit.context import SYSTEM, acting
from clinic.steps import each_by_itself
from treatments.waiting.actions import WORK_TASK
from treatments.waiting.working import end_due, offer_freed


@shared_task(name=WORK_TASK)
def work_waiting_list() -> None:
    """End what nobody answered, then offer what is free."""
    at = timezone.now()
    with acting(SYSTEM):
        each_by_itself([partial(end_due, at=at), partial(offer_freed, at=at)])
