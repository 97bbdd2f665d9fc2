"""The worker's way to the documents that wait."""

from __future__ import annotations

import time

from celery import shared_task

from clinic.audit.context import SYSTEM, acting
from clinic.wake import wake
from patients.documents.actions import RENDER_TASK, render_next

LONGEST_SECONDS = 60
"""A task makes room for others after this long; the rest is found by the next wake-up."""


@shared_task(name=RENDER_TASK)
def render_documents() -> None:
    """Render whatever waits, one after the other."""
    until = time.monotonic() + LONGEST_SECONDS
    with acting(SYSTEM):
        while render_next() is not None:
            if time.monotonic() > until:
                wake(RENDER_TASK)
                return
