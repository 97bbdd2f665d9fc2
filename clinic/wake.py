"""Waking a worker. The row is the truth and beat finds it anyway; this only makes it sooner."""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def wake(task_name: str) -> None:
    """Ask a worker to run a task without arguments once the present transaction is committed."""
    transaction.on_commit(lambda: _publish(task_name))


def _publish(task_name: str) -> None:
    try:
        current_app.send_task(task_name, retry=False, ignore_result=True)
    except OperationalError:
        logger.warning("a worker could not be woken; the next tick will find the work")
