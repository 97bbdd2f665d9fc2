"""Where an event began, and what its form can say of it already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from aftercare.watch.models import Call, CheckIn
from clinic.access.models import Staff
from clinic.web.templatetags.clinic_web import quoted
from patients.registry.models import Patient
from treatments.catalogue.models import AdverseEventType
from treatments.sessions.models import Session


@dataclass(frozen=True)
class Origin:
    """The rows that an event is opened from; nothing for one that is opened by itself."""

    session: Session | None = None
    check_in: CheckIn | None = None
    call: Call | None = None


def origin_of(patient: Patient, staff: Staff, asked: Mapping[str, Any]) -> Origin:
    """From `?session=`, `?check_in=` or `?call=`; what is not this patient's is not taken."""
    here = {"patient": patient}
    call = _found(Call.objects.filter(location_id__in=staff.place_ids, **here), asked.get("call"))
    check_in = (
        call.check_in
        if call
        else _found(
            CheckIn.objects.filter(session__location_id__in=staff.place_ids, **here),
            asked.get("check_in"),
        )
    )
    session = (
        check_in.session
        if check_in
        else _found(
            Session.objects.filter(location_id__in=staff.place_ids, **here), asked.get("session")
        )
    )
    return Origin(session, check_in, call)


def _found(rows: Any, key: Any) -> Any:
    text = str(key or "")
    return rows.filter(pk=int(text)).first() if text.isascii() and text.isdigit() else None


def prefilled(origin: Origin, zone: ZoneInfo) -> dict[str, Any]:
    """The initial values of the form."""
    found: dict[str, Any] = {"onset_on": timezone.localdate(timezone=zone)}
    if origin.session is not None:
        found["session"] = origin.session.pk
        areas = list(origin.session.treated_areas.all()[:2])
        if len(areas) == 1:
            found |= {"area": areas[0].area_id, "side": areas[0].side}
    if origin.check_in is not None:
        found |= _reported(origin.check_in, zone)
    return found


def _reported(check_in: CheckIn, zone: ZoneInfo) -> dict[str, Any]:
    """In the patient's words; as what the first sign stands for in the catalogue."""
    words = [*check_in.said, *([quoted(check_in.note)] if check_in.note else [])]
    codes = check_in.events
    kinds = AdverseEventType.objects.in_force(codes)
    found: dict[str, Any] = {"description": "\n".join(words)}
    if first := next((kinds[code].pk for code in codes if code in kinds), None):
        found["kind"] = first
    if check_in.answered_at is not None:
        found["onset_on"] = check_in.answered_at.astimezone(zone).date()
    return found
