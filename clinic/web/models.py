"""Signs of life of the processes that work in the background."""

from datetime import datetime
from typing import ClassVar

from django.db import models


class HeartbeatQuerySet(models.QuerySet["Heartbeat"]):
    """Questions about signs of life."""

    def times(self) -> dict[str, datetime]:
        """The last sign of each name."""
        return dict(self.values_list("name", "at"))


class Heartbeat(models.Model):
    """When a worker, beat or one scheduled task last gave a sign of life.

    The name is `worker`, `beat` or `task:` and the name of the task.
    """

    name = models.CharField(max_length=200, unique=True)
    at = models.DateTimeField()

    objects: ClassVar[models.Manager["Heartbeat"]] = HeartbeatQuerySet.as_manager()

    class Meta:
        app_label = "clinic"

    def __str__(self) -> str:
        return self.name
