"""How worker and beat show that they live, and when a scheduled task counts as overdue.

`connect(app)` is called once, where the Celery application is made.
"""

import logging
import os
import signal
from datetime import datetime, timedelta
from typing import Any, cast

from celery import Celery, Task, bootsteps, signals
from celery.schedules import BaseSchedule, crontab, maybe_schedule
from django.apps import apps
from django.db import Error, close_old_connections, connection
from django.utils import timezone

from clinic.embedded.child import end_with_parent

logger = logging.getLogger(__name__)

WORKER = "worker"
BEAT = "beat"
WORKER_EVERY = 20.0
"""Seconds between two signs of a worker."""
WORKER_LIMIT = timedelta(minutes=1)
MISSED_RUNS = 3
OVERDUE_MARGIN = timedelta(seconds=60)


def task_key(task_name: str) -> str:
    """The name under which a scheduled task's last run is kept."""
    return f"task:{task_name}"


def note(name: str, at: datetime | None = None) -> None:
    """Write one sign of life; several processes may write the same one at once."""
    at = at or timezone.now()
    model = apps.get_model("clinic", "Heartbeat")
    model.objects.bulk_create(
        [model(name=name, at=at)],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["at"],
    )


def note_if_possible(name: str) -> None:
    """Write one sign of life; a database that is away is logged and must not end the process."""
    try:
        note(name)
    except Error:
        logger.warning("heartbeat could not be written", exc_info=True)


class WorkerHeartbeat(bootsteps.StartStopStep):
    """Writes the worker's sign from its own event loop, so that a stuck loop gives none."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self.entry: Any = None

    def start(self, parent: Any) -> None:
        """Give the first sign at once and then one every WORKER_EVERY seconds."""
        self.beat()
        self.entry = parent.timer.call_repeatedly(WORKER_EVERY, self.beat)

    def stop(self, parent: Any) -> None:
        """Give no more signs."""
        if self.entry is not None:
            self.entry.cancel()
            self.entry = None

    def beat(self) -> None:
        """Write one sign; the connection is not kept, for the pool's children would inherit it."""
        note_if_possible(WORKER)
        connection.close()


def scheduled_tasks(app: Celery) -> dict[str, BaseSchedule]:
    """Each task of the beat table with its schedule; the table is the whole of what beat does."""
    return {
        entry["task"]: maybe_schedule(entry["schedule"], app=app)
        for entry in app.conf.beat_schedule.values()
    }


def overdue_at(schedule: BaseSchedule, last: datetime) -> datetime:
    """From when a task that last ran at `last` is overdue: three runs missed and a minute."""
    due = last
    for _run in range(MISSED_RUNS):
        due = _next_run(schedule, due)
    return due + OVERDUE_MARGIN


def _next_run(schedule: BaseSchedule, last: datetime) -> datetime:
    if isinstance(schedule, crontab):
        start, delta, _now = schedule.remaining_delta(last)
        return cast("datetime", start + delta)
    return last + cast("timedelta", schedule.run_every)


def overdue_tasks(app: Celery, seen: dict[str, datetime], at: datetime) -> list[str]:
    """The scheduled tasks that should have run by now. `seen` is what Heartbeat knows.

    Beat's own start counts as a run of each, so that a morning's start is not overdue at once.
    """
    started = seen.get(BEAT)
    if started is None:
        return [BEAT]
    return sorted(
        name
        for name, schedule in scheduled_tasks(app).items()
        if overdue_at(schedule, max(started, seen.get(task_key(name), started))) < at
    )


def connect(app: Celery) -> None:
    """Have the app's workers and beat give their signs."""
    app.steps["consumer"].add(WorkerHeartbeat)

    def note_task(sender: Task[Any, Any], **kwargs: Any) -> None:
        if sender.name in scheduled_tasks(app):
            note_if_possible(task_key(sender.name))

    def note_beat(**kwargs: Any) -> None:
        note_if_possible(BEAT)
        close_old_connections()

    signals.task_success.connect(note_task, weak=False)
    signals.beat_init.connect(note_beat, weak=False)
    signals.worker_process_init.connect(_end_with_worker, weak=False)


def _end_with_worker(**kwargs: Any) -> None:
    """A child of a killed worker would wait for work for ever; tasks are acknowledged late."""
    if os.getppid() != 1:
        end_with_parent(signal.SIGKILL)
