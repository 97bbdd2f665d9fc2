"""Languages: those of the interface, and those in which a patient may be given papers."""

from __future__ import annotations

from django.conf import settings
from django.conf.locale import LANG_INFO


def is_of_the_house(language: str) -> bool:
    """Whether the interface itself speaks it."""
    return language in dict(settings.LANGUAGES)


def house_language(language: str, otherwise: str = "") -> str:
    """A language in which every page and message has its words: the wanted one where the interface
    speaks it, else `otherwise`, else the first of the house.
    """
    wanted = (one for one in (language, otherwise) if is_of_the_house(one))
    return next(wanted, settings.LANGUAGES[0][0])


def own_name(language: str) -> str:
    """What a language calls itself."""
    name = str(LANG_INFO[language]["name_local"])
    return name[:1].upper() + name[1:]


def is_right_to_left(language: str) -> bool:
    """Whether it is written from right to left."""
    return bool(LANG_INFO.get(language[:2], {}).get("bidi"))
