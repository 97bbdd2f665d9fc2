"""The kinds of devices, by the codes that techniques and services name them with."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

DEVICE_KINDS: dict[str, str | Promise] = {
    "mesogun": _("Mesogun"),
    "needle-free": _("Needle-free unit with current"),
    "jet": _("Jet injector"),
    "microneedling-pen": _("Microneedling pen"),
    "other": _("Other device"),
}


def kind_name(code: str) -> str:
    """In the language of the page; an unknown code as it is."""
    return str(DEVICE_KINDS.get(code, code))


def kinds_with(current: str) -> list[tuple[str, str]]:
    """The choices of a form, with what a row holds already though the list lacks it."""
    known = [(code, str(name)) for code, name in DEVICE_KINDS.items()]
    return known if not current or current in DEVICE_KINDS else [*known, (current, current)]
