"""The services of the demo: what a session needs before and after it."""

from __future__ import annotations

from clinic.places.models import Room
from treatments.diary.models import Service
from treatments.diary.services import SERVICE_FIELDS, save_service

NUMBING, CLEANING = 20, 10
"""Minutes, of a treatment session."""
NEEDLE_FREE = {
    "name_en": "Needle-free session",
    "name_fr": "Séance sans aiguille",
    "kind": Service.Kind.SESSION,
    "minutes": 45,
    "before_minutes": 0,
    "after_minutes": CLEANING,
    "device_kind": "needle-free",
}


def shape_services(services: dict[str, Service]) -> None:
    """Numbing before a session and cleaning after it, in a treatment room; and one more service."""
    session = services["session"]
    treated = {name: getattr(session, name) for name in SERVICE_FIELDS} | {
        "before_minutes": NUMBING,
        "after_minutes": CLEANING,
        "room_kind": Room.Kind.TREATMENT,
    }
    services["session"] = save_service(by=None, service=session, **treated)
    save_service(by=None, service=None, **treated | NEEDLE_FREE)
    consultation = services["consultation"]
    online = {name: getattr(consultation, name) for name in SERVICE_FIELDS} | {"is_online": True}
    services["consultation"] = save_service(by=None, service=consultation, **online)
