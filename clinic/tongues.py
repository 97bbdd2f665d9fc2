"""Languages: those of the interface, and those in which a patient may be given papers.

A further language has no catalogue of translations: what is said in it are phrases by their
English, which a clinician of the clinic has approved. `speaking` lets every text of a page be
looked up among them, in templates and forms alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import trans_real

Phrases = Mapping[str, str]
_NOTHING: tuple[str, Phrases] = ("", {})
_said: ContextVar[tuple[str, Phrases]] = ContextVar("said", default=_NOTHING)
ISOLATE, END = "\u2068", "\u2069"


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


def direction_of(language: str) -> str:
    """Of its writing, as HTML has it."""
    return "rtl" if is_right_to_left(language) else "ltr"


class _Tongue(trans_real.DjangoTranslation):
    """Django's own words in a language (months, errors of forms), and before them the phrases in
    force in this thread.
    """

    def _phrase(self, english: str) -> str:
        language, phrases = _said.get()
        return phrases.get(english, "") if language == self.to_language() else ""

    def gettext(self, message: str) -> str:
        return self._phrase(message) or str(super().gettext(message))

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self._phrase(msgid1 if n == 1 else msgid2) or str(
            super().ngettext(msgid1, msgid2, n)
        )


@contextmanager
def speaking(language: str, phrases: Phrases) -> Iterator[None]:
    """Speak a language, of a further one these phrases; what is not among them stays English."""
    if not is_of_the_house(language):
        known = trans_real._translations  # type: ignore[attr-defined]
        if not isinstance(known.get(language), _Tongue):
            known[language] = _Tongue(language)
    before = _said.set((language, phrases))
    try:
        with translation.override(language):
            yield
    finally:
        _said.reset(before)


def phrase(english: str) -> str:
    """A text that is kept in English alone, in the further language that is spoken now; itself
    where there is no such, or it is not written.
    """
    language, phrases = _said.get()
    return phrases.get(english, english) if language == translation.get_language() else english


def apart(text: object) -> str:
    """A text whose direction stays its own, whatever stands around it."""
    said = str(text)
    return f"{ISOLATE}{said}{END}" if said else ""


def isolated(text: object) -> str:
    """A name, number or address within a line from right to left: what stands in it keeps its own
    direction and moves nothing beside it. As it is within any other line.
    """
    return apart(text) if translation.get_language_bidi() else str(text)


def comma_of(language: str) -> str:
    """What stands between the names of a list."""
    return "، " if language.startswith("ar") else ", "


def listed(names: Iterable[str]) -> str:
    """Names one after another, by the comma of the language."""
    return comma_of(translation.get_language() or "").join(names)


def day_in_words(day: date) -> str:
    """ "15 March 1984", the month in the words of the language; digits are the Latin ones, which
    every reader of these papers knows from boxes of medicine and cannot take for others.
    """
    return date_format(day, "j F Y", use_l10n=False)
