"""What a session's record says of lots, mixtures, devices, room and people, as plain data.

Taken when an event is opened, so that the event keeps it whatever is renamed later; the ids lead
back to the rows.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

from treatments.catalogue.models import CatalogueRow
from treatments.sessions.models import Session

Facts = dict[str, Any]


def facts_of(session: Session) -> Facts:
    """Everything that a report asks for, in the language in force. Six queries at most."""
    rows = Session.objects.select_related(
        "location", "practitioner", "appointment__room"
    ).prefetch_related(
        "mix__lot__product",
        "mix__syringe",
        "anaesthesia__anaesthetic",
        "anaesthesia__lot__product",
        "syringes__prepared_by",
        "treated_areas__area",
        "treated_areas__technique",
        "treated_areas__device",
    )
    found = rows.get(pk=session.pk)
    return {
        "session": {
            "id": found.pk,
            "number": found.number,
            "at": found.started_at.isoformat(),
            "place": found.location.name,
        },
        "lots": [_lot(part.lot, part) for part in found.mix.all()]
        + [_lot(one.lot, None) for one in found.anaesthesia.all() if one.lot],
        "syringes": [
            {
                "label": one.label,
                "pharmacy": one.pharmacy,
                "prepared_at": one.prepared_at.isoformat() if one.prepared_at else "",
                "prepared_by": one.prepared_by.name if one.prepared_by else "",
                "appearance": one.appearance,
            }
            for one in found.syringes.all()
        ],
        "areas": [_area(row) for row in found.treated_areas.all()],
        "devices": _devices(found),
        "room": _room(found),
        "people": [{"id": found.practitioner_id, "name": found.practitioner.name}],
    }


def _lot(lot: Any, part: Any) -> Facts:
    """One lot; `ml` is empty for a cream, which went on the skin."""
    return {
        "id": lot.pk,
        "number": lot.number,
        "expires_on": lot.expires_on.isoformat(),
        "product": lot.product.name,
        "product_in": _names(lot.product),
        "product_code": lot.product.code,
        "maker": lot.product.maker,
        "ml": str(part.ml) if part else "",
        "syringe": part.syringe.label if part and part.syringe else "",
    }


def _area(row: Any) -> Facts:
    return {
        "code": row.area.code,
        "name": row.area.name,
        "name_in": _names(row.area),
        "side": row.side,
        "technique": row.technique.name,
        "technique_in": _names(row.technique),
        "technique_code": row.technique.code,
        "method": row.method,
        "depth_mm": str(row.depth_mm),
        "points": len(row.points),
    }


def _names(row: CatalogueRow) -> dict[str, str]:
    """What it is called in each language of the interface: a report is read in another than the
    event was opened in.
    """
    return {language: row.said("name", language) for language, _name in settings.LANGUAGES}


def _devices(session: Session) -> list[Facts]:
    used = {row.device_id: row.device for row in session.treated_areas.all() if row.device}
    return [
        {
            "id": pk,
            "name": f"{one.make} {one.model}",
            "make": one.make,
            "serial_number": one.serial_number,
        }
        for pk, one in used.items()
    ]


def _room(session: Session) -> Facts | None:
    visit = session.appointment
    return {"id": visit.room_id, "name": visit.room.name} if visit else None
