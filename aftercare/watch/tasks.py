"""The beat's wake-up for the watch."""

from __future__ import annotations

from functools import partial

from celery import shared_task
from django.utils import timezone

from aftercare.watch.actions import follow_up_signed_sessions, open_due
from clinic.audit.context import SYSTEM, acting
from clinic.steps import each_by_itself


@shared_task(name="aftercare.open_check_ins")
def open_check_ins() -> None:
    """Take up newly signed sessions, then send the questions that are due."""
    with acting(SYSTEM):
        each_by_itself([follow_up_signed_sessions, partial(open_due, at=timezone.now())])
