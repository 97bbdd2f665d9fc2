"""What a check-in asks, fitted to the day, and what an answer means. Pure.

Each sign belongs to an adverse event of the catalogue; the event's urgency there decides the
colour, so a clinic that edits the catalogue edits the watch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

EARLY = frozenset({"4h", "24h", "72h"})
MIDDLE = frozenset({"7d", "2w"})
LATE = frozenset({"6w", "12w"})
ALWAYS = EARLY | MIDDLE | LATE

RED_URGENCIES = frozenset({"emergency", "same-day"})
AMBER_URGENCIES = frozenset({"review"})


@dataclass(frozen=True)
class Sign:
    """One thing to tick: its words, the adverse event it may be, the steps that ask for it."""

    code: str
    text: str | Promise
    event: str
    steps: frozenset[str]


SIGNS: tuple[Sign, ...] = (
    Sign(
        "vision", _("My sight has changed, or I have weakness on one side"), "visual-loss", ALWAYS
    ),
    Sign(
        "breathing",
        _("I have trouble breathing or swallowing, or my face or tongue is swelling"),
        "anaphylaxis",
        ALWAYS,
    ),
    # Late as well: clots after tranexamic acid, not only air around the lung.
    Sign(
        "chest-pain",
        _("I have chest pain, I am short of breath, or one leg is swollen"),
        "pneumothorax",
        ALWAYS,
    ),
    Sign(
        "skin-colour",
        _("The skin is white, blue, grey or mottled, or hurts more and more"),
        "vascular-occlusion",
        EARLY | {"7d"},
    ),
    Sign(
        "infection",
        _("Redness is spreading, there is pus, or I have a fever"),
        "abscess",
        ALWAYS,
    ),
    Sign(
        "lump",
        _("There is a new lump, a hard knot or a sore that does not heal"),
        "mycobacteria",
        MIDDLE | LATE,
    ),
    Sign(
        "plaques",
        _("There are itchy patches, blisters or raised plaques"),
        "plaques",
        MIDDLE,
    ),
    Sign(
        "pigment",
        _("The skin has become darker or lighter where I was treated"),
        "hyperpigmentation",
        MIDDLE | LATE,
    ),
    Sign("bruise", _("There are bruises"), "bruise", EARLY | {"7d"}),
    Sign("redness", _("There is a little redness or swelling"), "erythema", EARLY),
)
BY_CODE = {sign.code: sign for sign in SIGNS}


def asked_at(step: str) -> list[Sign]:
    """The signs a step asks for, most urgent first."""
    return [sign for sign in SIGNS if step in sign.steps]


def colour_of(signs: Iterable[str], urgency: Mapping[str, str]) -> str:
    """`red`, `amber` or `green` for ticked signs; `urgency` maps an adverse event to its urgency.

    A sign whose event the catalogue no longer has counts as red: not knowing is no comfort.
    """
    levels = {urgency.get(BY_CODE[code].event, "emergency") for code in signs}
    if levels & RED_URGENCIES:
        return "red"
    return "amber" if levels & AMBER_URGENCIES else "green"


def is_emergency(signs: Iterable[str], urgency: Mapping[str, str]) -> bool:
    """Whether the patient must be told to call the emergency number, and not only the clinic."""
    return any(urgency.get(BY_CODE[code].event, "emergency") == "emergency" for code in signs)
