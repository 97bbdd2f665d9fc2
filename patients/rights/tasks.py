"""The worker's way to copies that are to be made, and to what is to be erased."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from clinic.audit.context import SYSTEM, acting
from patients.rights.erasing import erase_next_file, forget_next_files
from patients.rights.exporting import WORK_TASK, erase_next, work_next


@shared_task(name=WORK_TASK)
def work_rights() -> None:
    """One copy a step on, and one thing of each kind erased; the next tick does the next."""
    with acting(SYSTEM):
        work_next(at=timezone.now())
        erase_next(at=timezone.now())
        erase_next_file()
        forget_next_files()
