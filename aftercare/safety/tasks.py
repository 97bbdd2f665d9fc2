"""The beat's wake-up for recalls."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from aftercare.safety import recalling
from clinic.audit.context import SYSTEM, acting


@shared_task(name="aftercare.tell_exposed")
def tell_exposed() -> None:
    """Write what those who were exposed are owed."""
    with acting(SYSTEM):
        recalling.tell_exposed(at=timezone.now())
