"""A verdict as it travels through a page and back, signed so that nobody can write their own."""

from __future__ import annotations

from dataclasses import fields

from django.core import signing

from clinic.errors import ActionRefused
from treatments.screening.engine import Verdict

SALT = "treatments.screening"
OLDEST_SECONDS = 12 * 3600
KEPT = (
    "key",
    "level",
    "rule",
    "version",
    "title",
    "fact",
    "source",
    "overridable",
    "history",
    "needs_doctor",
)


def claim(verdict: Verdict, patient_id: int) -> str:
    """The verdict and its patient, signed."""
    said = {name: getattr(verdict, name) for name in KEPT}
    return signing.dumps({"patient": patient_id, **said}, salt=SALT)


def verdict_of(text: str, patient_id: int, stale: str) -> Verdict:
    """The verdict of a claim. Raises `ActionRefused(stale)` if forged, old or another patient's."""
    try:
        said = signing.loads(text, salt=SALT, max_age=OLDEST_SECONDS)
    except signing.BadSignature:
        raise ActionRefused(stale) from None
    if said.pop("patient", None) != patient_id:
        raise ActionRefused(stale)
    known = {field.name for field in fields(Verdict)}
    return Verdict(**{name: value for name, value in said.items() if name in known})
