"""What someone typed into the search box, taken apart: words of a name, a birth date, a number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

LONGEST_QUERY = 100
MOST_WORDS = 5
SHORTEST_PHONE = 4
FIGURES_OF_A_DATE = 8
_DAY_FIRST = re.compile(r"\b(\d{1,2})([./\- ])(\d{1,2})\2(\d{4}|\d{2})\b")
_YEAR_FIRST = re.compile(r"\b(\d{4})([./\- ])(\d{1,2})\2(\d{1,2})\b")
_WORDY = re.compile(r"\b(\d{1,2})[\s./-]*([^\W\d_]{3,10})\.?[\s./-]*(\d{4})\b")
_RUN = re.compile(r"\b(\d{2})(\d{2})(\d{4})\b")
_NUMBER = re.compile(r"\bP0*(\d{1,12})\b", re.IGNORECASE)
_PHONE = re.compile(r"\+?\(?\d[\d\s().\-]*")
_MONTHS = (
    ("jan",),
    ("feb", "fev", "fév"),
    ("mar",),
    ("apr", "avr"),
    ("may", "mai"),
    ("jun", "juin"),
    ("jul", "juil"),
    ("aug", "aou", "aoû"),
    ("sep",),
    ("oct",),
    ("nov",),
    ("dec", "déc"),
)


@dataclass(frozen=True)
class Query:
    """Everything given must hold; `number` and `digits` are two readings of the same figures."""

    words: tuple[str, ...] = ()
    birth_date: date | None = None
    number: int | None = None
    digits: str = ""

    @property
    def is_empty(self) -> bool:
        """Nothing in it to look for."""
        return not (self.words or self.birth_date or self.number is not None or self.digits)


def parse(text: str, *, today: date) -> Query:
    """Read a search: `martin elo`, `15/3/1985`, `06 12 34`, `P000123`, or several together.

    `today` decides the century of a birth year of two figures. Never raises.
    """
    rest = " ".join(text[:LONGEST_QUERY].replace("\x00", " ").split())
    if found := _NUMBER.search(rest):
        return Query(number=int(found[1]))
    birth, rest = _take_date(rest, today)
    digits, rest = _take_digits(rest)
    words = tuple(rest.replace(",", " ").split()[:MOST_WORDS])
    number = int(digits) if digits and not words and birth is None and len(digits) <= 12 else None
    long_enough = digits if len(digits) >= SHORTEST_PHONE else ""
    return Query(words=words, birth_date=birth, number=number, digits=long_enough)


def _take_date(text: str, today: date) -> tuple[date | None, str]:
    if sum(letter.isdigit() for letter in text) > FIGURES_OF_A_DATE:
        return None, text
    for pattern, read in ((_YEAR_FIRST, _from_year), (_DAY_FIRST, _from_day), (_WORDY, _from_word)):
        if (found := pattern.search(text)) and (day := read(found.groups(), today)):
            return day, text[: found.start()] + " " + text[found.end() :]
    if (found := _RUN.fullmatch(text)) and (
        day := _date(int(found[3]), int(found[2]), int(found[1]))
    ):
        return day, ""
    return None, text


def _from_year(parts: tuple[str, ...], today: date) -> date | None:
    return _date(int(parts[0]), int(parts[2]), int(parts[3]))


def _from_day(parts: tuple[str, ...], today: date) -> date | None:
    year = int(parts[3])
    if len(parts[3]) == 2:
        if parts[1] == " ":
            return None  # `06 12 34` is the beginning of a phone number
        year += today.year // 100 * 100
        year -= 100 if year > today.year else 0
    return _date(year, int(parts[2]), int(parts[0]))


def _from_word(parts: tuple[str, ...], today: date) -> date | None:
    word = parts[1].lower()
    for month, starts in enumerate(_MONTHS, start=1):
        if word.startswith(starts):
            return _date(int(parts[2]), month, int(parts[0]))
    return None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _take_digits(text: str) -> tuple[str, str]:
    """Figures of a phone number, without the trunk zero that E.164 does not keep."""
    found = _PHONE.search(text)
    if not found:
        return "", text
    digits = re.sub(r"\D", "", found[0]).lstrip("0")
    return digits[:15], text[: found.start()] + " " + text[found.end() :]


def swapped(word: str) -> list[str]:
    """The word with each pair of neighbouring letters exchanged: `matrin` holds `martin`.

    Trigrams forgive a wrong, missing or doubled letter, but not two exchanged ones.
    """
    return [
        word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        for at in range(1, len(word) - 1)
        if word[at] != word[at + 1]
    ]
