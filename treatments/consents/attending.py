"""Who signs beside the patient: a holder of parental authority, an interpreter, a witness."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.errors import ActionRefused
from treatments.consents.models import Consent, ConsentAttendant, Identity
from treatments.consents.tongue import speaking

Beside = ConsentAttendant.Role
LATER_ROLES = (Beside.INTERPRETER, Beside.WITNESS)
"""Those who may sign after the patient; a holder of parental authority signs with a minor."""
LONGEST_NAME = 200
LONGEST_CAPACITY = 120
LONGEST_LANGUAGE = 60
STATEMENTS = {
    Beside.INTERPRETER: gettext_lazy(
        "I translated the text, the questions and the answers completely and as they were said."
    ),
    Beside.WITNESS: gettext_lazy("I was there, and I saw the patient sign."),
}


@dataclass(frozen=True)
class Attendant:
    """Somebody who signs beside the patient: drawn, or by their typed name.

    `identity`: how a holder of parental authority was known, by `Identity`.
    """

    role: str
    name: str
    capacity: str
    signature_svg: str
    strokes: Any
    language: str = ""
    identity: str = ""
    method: str = Consent.Method.DRAWN


def said_by(consent: Consent, role: str) -> str:
    """What somebody states by signing in this role, in the language of the consent."""
    if role == Beside.GUARDIAN:
        return next((one["text"] for one in consent.statements if one["code"] == role), "")
    with speaking(consent.language):
        return str(STATEMENTS[Beside(role)])


def write_attendant(
    consent: Consent, one: Attendant, *, device: str, address: str | None, at: datetime
) -> None:
    """One signs once, and never in the place of another. Raises `ActionRefused` for what lacks."""
    _refuse_incomplete(one)
    row = ConsentAttendant(
        consent=consent,
        role=one.role,
        name=" ".join(one.name.split())[:LONGEST_NAME],
        capacity=one.capacity.strip()[:LONGEST_CAPACITY],
        language=one.language.strip()[:LONGEST_LANGUAGE],
        identity=one.identity,
        statement=said_by(consent, one.role)[:500],
        method=one.method,
        signature_svg=one.signature_svg,
        signature_strokes=one.strokes,
        signed_at=at,
        signed_on_device=device[:20],
        signed_from=address,
    )
    row.binding = row.own_binding
    row.save()


def _refuse_incomplete(one: Attendant) -> None:
    is_typed = one.method == Consent.Method.TYPED
    signature = one.name if is_typed else one.signature_svg
    needed = {"name": one.name, "capacity": one.capacity, "signature": signature}
    if one.role == Beside.INTERPRETER:
        needed["language"] = one.language
    if one.role == Beside.GUARDIAN:
        needed["identity"] = one.identity if one.identity in Identity.values else ""
    for name, value in needed.items():
        if not value.strip():
            raise ActionRefused(
                _("Fill in everything about who was there."), field=f"{one.role}_{name}"
            )


def awaited(roles: Collection[str], attendants: Collection[Attendant]) -> list[str]:
    """Of those who are said to sign later, the ones who may and have not signed already."""
    there = {one.role for one in attendants}
    return [role.value for role in LATER_ROLES if role in roles and role not in there]


def refuse_age(consent: Consent, *, minor: bool, attendants: Collection[Attendant]) -> None:
    """A minor signs beside a holder of parental authority, and nobody else beside one.

    Raises `ActionRefused`, also where the text was made for another age than the patient's now.
    """
    if minor != consent.is_of_minor:
        raise ActionRefused(
            _("This text was made for another age of the patient. Please have it prepared again.")
        )
    has_guardian = any(one.role == Beside.GUARDIAN for one in attendants)
    if minor and not has_guardian:
        raise ActionRefused(
            _("The patient is under age: a holder of parental authority must sign too."),
            field=f"{Beside.GUARDIAN}_name",
        )
    if has_guardian and not minor:
        raise ActionRefused(_("The patient is of age and signs alone."))
