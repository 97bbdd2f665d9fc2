"""The rail: where a person can go. An entry needs a permission and a URL that exists."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.access.permissions import Permission


class Entry(NamedTuple):
    """One place of the rail; the first of its URL names that exists is used."""

    url_names: tuple[str, ...]
    permission: Permission
    icon: str
    label: str | Promise


RAIL = (
    Entry(("today", "diary:today", "home"), Permission.USE_CLINIC, "sun", _("Today")),
    Entry(("diary:day", "diary:diary", "diary"), Permission.SEE_DIARY, "calendar3", _("Diary")),
    Entry(("patients:search", "patients:list"), Permission.SEE_PATIENTS, "people", _("Patients")),
    Entry(
        ("catalogue:index", "catalogue:browse", "catalogue:list"),
        Permission.SEE_CATALOGUE,
        "journal-bookmark",
        _("Catalogue"),
    ),
    Entry(("messages:index", "messages:list"), Permission.SEE_MESSAGES, "envelope", _("Messages")),
    Entry(
        ("safety:index", "watch:safety", "watch:list", "safety"),
        Permission.CALL_EXPOSED,
        "shield-plus",
        _("Safety"),
    ),
    Entry(
        ("places:index", "places:settings", "places:detail"),
        Permission.MANAGE_CLINIC,
        "gear",
        _("Settings"),
    ),
)


@dataclass(frozen=True)
class Stop:
    """An entry as shown: its address, and whether the current page lies under it."""

    url: str
    icon: str
    label: str | Promise
    current: bool


def url_or_none(url_name: str, *args: object) -> str | None:
    """The address of a URL name, or None where the wing that owns it is not there."""
    return _looked_up(url_name, args) if args else _fixed(url_name)


@cache
def _fixed(url_name: str) -> str | None:
    """Kept: the same dozen addresses stand on every page."""
    return _looked_up(url_name, ())


def _looked_up(url_name: str, args: tuple[object, ...]) -> str | None:
    try:
        return reverse(url_name, args=args)
    except NoReverseMatch:
        return None


def stops(entries: tuple[Entry, ...], user: Staff, path: str) -> list[Stop]:
    """The entries this person may use, in order."""
    shown = []
    for entry in entries:
        url = next(filter(None, map(url_or_none, entry.url_names)), None)
        if url and user.may(entry.permission):
            shown.append(Stop(url, entry.icon, entry.label, _lies_under(path, url)))
    return shown


def _lies_under(path: str, url: str) -> bool:
    return path == url or (url != "/" and path.startswith(url))
