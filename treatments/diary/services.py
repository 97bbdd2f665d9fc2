"""What a manager changes of the services; what is booked keeps its times."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import nullcontext
from typing import Any

from django.db import transaction

from clinic.access.models import Staff
from clinic.places.stranding import Concerned
from treatments.diary.fit import asking_first
from treatments.diary.models import Service

SERVICE_FIELDS = (
    "name_en",
    "name_fr",
    "kind",
    "role",
    "minutes",
    "before_minutes",
    "after_minutes",
    "room_kind",
    "device_kind",
    "is_online",
    "adults_only",
    "is_active",
)


@transaction.atomic
def save_service(
    *, by: Staff | None, service: Service | None, known: Collection[int] = (), **values: Any
) -> Service:
    """Add a service or change one. Raises `Stranding` with the appointments whose practitioner,
    room or device is not what it asks for any more.
    """
    row = service or Service()
    asked = asking_first(Concerned(service=service.pk), known) if service else nullcontext()
    with asked:
        for name in SERVICE_FIELDS:
            setattr(row, name, values[name])
        row.save()
    return row
