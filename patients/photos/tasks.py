"""The worker's way to the photos whose pictures are to be erased."""

from __future__ import annotations

import time

from celery import shared_task

from clinic.audit.context import SYSTEM, acting
from clinic.wake import wake
from patients.photos.actions import ERASE_TASK, erase_next

LONGEST_SECONDS = 60
"""A task makes room for others after this long; the rest is found by the next wake-up."""


@shared_task(name=ERASE_TASK)
def erase_photos() -> None:
    """Erase whatever is due, one after the other."""
    until = time.monotonic() + LONGEST_SECONDS
    with acting(SYSTEM):
        while erase_next() is not None:
            if time.monotonic() > until:
                wake(ERASE_TASK)
                return
