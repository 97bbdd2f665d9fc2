"""An adverse event as FHIR R4 (4.0.1) AdverseEvent, for authorities and makers that take it.

Only elements of the specification that the record can fill. The patient goes without a name: sex,
year of birth and the number of the file. What is referred to is contained, so the file stands for
itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aftercare.safety.models import AdverseEvent, Grade
from treatments.sessions.page import side_name

Resource = dict[str, Any]

TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
SEVERITY = {1: "mild", 2: "moderate", 3: "severe", 4: "severe", 5: "severe"}
SERIOUSNESS = {
    Grade.LIFE_THREATENING: "SeriousIsLifeThreatening",
    Grade.DEATH: "SeriousResultsInDeath",
    Grade.SEVERE: "Serious",
}
# The value set of WHO-UMC has nothing below unlikely.
CAUSALITY = {
    "unrelated": "Unlikely",
    "possible": "Possible",
    "probable": "Probably-Likely",
    "definite": "Certain",
}
GENDERS = {"female", "male", "other", "unknown"}
SNOMED = "http://snomed.info/sct"
# Qualifiers of SNOMED CT: left, right, right and left (DOMAIN.md, section 10).
LATERALITY = {"left": "7771000", "right": "24028007", "both": "51440002"}


def adverse_event(event: AdverseEvent) -> Resource:
    """The event with its patient, session, lots and devices. Needs `kind`, `patient`, `area`,
    `location`, `opened_by` loaded.
    """
    zone = event.location.zone
    procedure = _procedure(event)
    suspects = [*_medications(event), *_devices(event)]
    found: Resource = {
        "resourceType": "AdverseEvent",
        "id": f"event-{event.pk}",
        "contained": [
            _patient(event),
            _practitioner(event),
            *([procedure] if procedure else []),
            *suspects,
        ],
        "identifier": {"system": "urn:clinic:adverse-event", "value": str(event.pk)},
        "actuality": "actual",
        "event": {
            "coding": [{"system": "urn:clinic:adverse-event-type", "code": event.kind.code}],
            "text": event.kind.name,
        },
        "subject": {"reference": "#patient"},
        "date": _onset(event, zone),
        "recordedDate": _moment(event.created_at, zone),
        "location": {"display": event.location.name},
        "seriousness": _coded(
            "adverse-event-seriousness", SERIOUSNESS.get(Grade(event.grade), "Non-serious")
        ),
        "severity": _coded("adverse-event-severity", SEVERITY[event.grade])
        | {"text": f"CTCAE v5 grade {event.grade}"},
        "outcome": _coded("adverse-event-outcome", event.outcome),
        "recorder": {"reference": "#practitioner"},
    }
    if procedure:
        suspects = [procedure, *suspects]
    if suspects:
        found["suspectEntity"] = [_suspect(event, one) for one in suspects]
    return found


def _coded(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"{TERMINOLOGY}/{system}", "code": code}]}


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds")


def _onset(event: AdverseEvent, zone: ZoneInfo) -> str:
    """A FHIR dateTime may be a day alone."""
    at = event.onset_at.astimezone(zone)
    return _moment(at, zone) if event.is_timed else at.date().isoformat()


def _suspect(event: AdverseEvent, resource: Resource) -> Resource:
    assessment = _coded("adverse-event-causality-assess", CAUSALITY[event.relatedness])
    return {
        "instance": {"reference": f"#{resource['id']}"},
        "causality": [{"assessment": assessment, "author": {"reference": "#practitioner"}}],
    }


def _patient(event: AdverseEvent) -> Resource:
    who = event.patient
    return {
        "resourceType": "Patient",
        "id": "patient",
        "identifier": [{"system": "urn:clinic:patient-number", "value": who.number}],
        "gender": who.sex if who.sex in GENDERS else "unknown",
        "birthDate": str(who.birth_date.year),
    }


def _practitioner(event: AdverseEvent) -> Resource:
    return {
        "resourceType": "Practitioner",
        "id": "practitioner",
        "name": [{"text": event.opened_by.name}],
    }


def _procedure(event: AdverseEvent) -> Resource | None:
    """The session that came before it, with the site of the event."""
    session = event.facts.get("session")
    if not session:
        return None
    techniques = dict.fromkeys(area["technique"] for area in event.facts.get("areas", []))
    found: Resource = {
        "resourceType": "Procedure",
        "id": "session",
        "status": "completed",
        "code": {"text": "; ".join(techniques) or "Mesotherapy session"},
        "subject": {"reference": "#patient"},
        "performedDateTime": _moment(datetime.fromisoformat(session["at"]), event.location.zone),
    }
    if event.area:
        found["bodySite"] = [_site(event)]
    return found


def _site(event: AdverseEvent) -> Resource:
    area = event.area
    assert area is not None
    site: Resource = {"text": side_name(area, event.side)}
    codes = [code for code in (area.snomed, LATERALITY.get(event.side, "")) if code.isdigit()]
    if codes:
        site["coding"] = [{"system": SNOMED, "code": code} for code in codes]
    return site


def _medications(event: AdverseEvent) -> list[Resource]:
    return [
        {
            "resourceType": "Medication",
            "id": f"lot-{number}",
            "code": {"text": lot["product"]},
            "manufacturer": {"display": lot["maker"]},
            "batch": {"lotNumber": lot["number"], "expirationDate": lot["expires_on"]},
        }
        for number, lot in enumerate(event.facts.get("lots", []), start=1)
    ]


def _devices(event: AdverseEvent) -> list[Resource]:
    return [
        {
            "resourceType": "Device",
            "id": f"device-{number}",
            "manufacturer": device["make"],
            "serialNumber": device["serial_number"],
            "deviceName": [{"name": device["name"], "type": "user-friendly-name"}],
        }
        for number, device in enumerate(event.facts.get("devices", []), start=1)
    ]
