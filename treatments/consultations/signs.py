"""What can be seen or felt on an area: ticks of the examination, and what a mark stands for."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FACE, SCALP, BODY = "face", "scalp", "body"
EVERYWHERE = (FACE, SCALP, BODY)
PART_OF_GROUP = {"scalp": SCALP, "body": BODY}
"""Group of an area -> part of the body; every other group is treated like the face."""


@dataclass(frozen=True)
class Sign:
    """A sign, its words, and on which parts of the body it is offered."""

    code: str
    name: str | Promise
    parts: tuple[str, ...] = EVERYWHERE

    @property
    def where(self) -> str:
        """For a data attribute."""
        return " ".join(self.parts)


SIGNS = (
    Sign("nothing", _("Nothing to see")),
    Sign("lines-motion", _("Lines in motion"), (FACE,)),
    Sign("lines-rest", _("Lines at rest"), (FACE,)),
    Sign("laxity", _("Laxity"), (FACE, BODY)),
    Sign("dryness", _("Dryness"), (FACE, BODY)),
    Sign("pores", _("Wide pores"), (FACE,)),
    Sign("pigment", _("Pigment")),
    Sign("redness", _("Redness, vessels")),
    Sign("scar", _("Scar")),
    Sign("keloid", _("Keloid or thick scar")),
    Sign("acne", _("Active acne"), (FACE, BODY)),
    Sign("thinning", _("Thin hair"), (SCALP,)),
    Sign("scaling", _("Scaling")),
    Sign("fat", _("Fat"), (FACE, BODY)),
    Sign("dimples", _("Dimples"), (BODY,)),
    Sign("stretch", _("Stretch marks"), (BODY,)),
    Sign("swelling", _("Swelling")),
    Sign("veins", _("Veins"), (BODY,)),
    Sign("tender", _("Tender point")),
    Sign("infection", _("Sign of infection")),
    Sign("wound", _("Broken skin")),
    Sign("lesion", _("Lesion to be looked at")),
)
SIGN_NAMES = {sign.code: sign.name for sign in SIGNS}


def sign_name(code: str) -> str:
    """The words of a sign; its code where it is no longer known."""
    return str(SIGN_NAMES.get(code, code))


def part_of(group: str) -> str:
    """The part of the body that a group of areas belongs to."""
    return PART_OF_GROUP.get(group, FACE)
