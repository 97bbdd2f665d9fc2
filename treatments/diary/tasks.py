"""The beat's wake-ups for what patients are told of their appointments."""

from __future__ import annotations

from functools import partial

from celery import shared_task
from django.utils import timezone

from clinic.audit.context import SYSTEM, acting
from clinic.steps import each_by_itself
from treatments.diary.reminding import recall_due, remind_due
from treatments.diary.telling import tell_due


@shared_task(name="treatments.tell_patients")
def tell_patients() -> None:
    """Queue the news that are due, then the reminders."""
    now = timezone.now()
    with acting(SYSTEM):
        each_by_itself([partial(tell_due, at=now), partial(remind_due, at=now)])


@shared_task(name="treatments.recall_patients")
def recall_patients() -> None:
    """Queue the invitations to come again."""
    with acting(SYSTEM):
        recall_due(at=timezone.now())
