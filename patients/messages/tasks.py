"""The worker's way to the messages that are due."""

from __future__ import annotations

import time

from celery import shared_task

from clinic.audit.context import SYSTEM, acting
from clinic.wake import wake
from patients.messages.actions import SEND_TASK
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
