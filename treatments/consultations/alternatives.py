"""The alternatives that a note can name by a tick. Doing nothing is always one of them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

NOTHING = "nothing"
ALTERNATIVES = (
    (NOTHING, _("Doing nothing")),
    ("skin-care", _("Skin care and sun protection")),
    ("medicine", _("A medicine")),
    ("physiotherapy", _("Physiotherapy or exercise")),
    ("other-procedure", _("Another procedure")),
    ("other-practitioner", _("Another practitioner")),
)


def alternative_name(code: str) -> str:
    """The words of an alternative."""
    return str(dict(ALTERNATIVES).get(code, code))
