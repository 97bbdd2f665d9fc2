"""The worker's way to the messages that are due."""

from __future__ import annotations

import time

from celery import shared_task
from django.utils import timezone

from clinic.audit.context import SYSTEM, acting
from clinic.wake import wake
from patients.messages.actions import SEND_TASK
from patients.messages.asking import ANSWER_TASK, answer_next
from patients.messages.sending import send_next

LONGEST_SECONDS = 60
"""A task makes room for others after this long; the rest is found by the next wake-up."""


@shared_task(name=SEND_TASK)
def send_messages() -> None:
    """Send whatever is due, one after the other."""
    until = time.monotonic() + LONGEST_SECONDS
    with acting(SYSTEM):
        while send_next() is not None:
            if time.monotonic() > until:
                wake(SEND_TASK)
                return


@shared_task(name=ANSWER_TASK)
def answer_link_requests() -> None:
    """Answer whoever asked for a link anew."""
    with acting(SYSTEM):
        while answer_next(at=timezone.now()) is not None:
            pass
