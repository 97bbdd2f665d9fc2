"""What someone typed into the search box, taken apart: words of a name, a birth date, a number."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

_Reading = Callable[[tuple[str, ...], date], "date | None"]

LONGEST_QUERY = 100
MOST_WORDS = 5
SHORTEST_PHONE = 4
LONGEST_BROKEN_BY_A_SLIP = 9
SHORTEST_WITH_ONE_TOO_MANY = 5
FIGURES_OF_A_DATE = 8
_SIGN = r"\s*([./-]|\s)\s*"
_DAY_FIRST = re.compile(rf"\b(\d{{1,2}}){_SIGN}(\d{{1,2}})\s*\2\s*(\d{{4}}|\d{{2}})\b")
_YEAR_FIRST = re.compile(rf"\b(\d{{4}}){_SIGN}(\d{{1,2}})\s*\2\s*(\d{{1,2}})\b")
_WORDY = re.compile(
    r"\b(\d{1,2})(?:st|nd|rd|th|er)?[\s./-]*([^\W\d_]{3,10})\.?[\s./,-]*(\d{4}|\d{2})\b",
    re.IGNORECASE,
)
_MONTH_FIRST = re.compile(
    r"\b([^\W\d_]{3,10})\.?[\s./-]*(\d{1,2})(?:st|nd|rd|th)?[\s,]+(\d{4})\b", re.IGNORECASE
)
_RUN = re.compile(r"\b(\d{2})(\d{2})(\d{4})\b")
_RUN_YEAR_FIRST = re.compile(r"\b(\d{4})(\d{2})(\d{2})\b")
_NUMBER = re.compile(r"(?:\bP|#\s?|\bn[°º]\s?)0*(\d{1,12})\b", re.IGNORECASE)
_PHONE = re.compile(r"\+?\(?\d[\d\s().\-]*")
_MONTHS = (
    "jan january janv janvier",
    "feb february fev février fév fevrier févr fevr",
    "mar march mars",
    "apr april avr avril",
    "may mai",
    "jun june juin",
    "jul july juil juillet",
    "aug august aou août aoû aout",
    "sep sept september septembre",
    "oct october octobre",
    "nov november novembre",
    "dec december déc décembre decembre",
)
MONTH_OF = {name: month for month, names in enumerate(_MONTHS, 1) for name in names.split()}
"""The number of a month by its name in English or French, as people shorten it."""


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
    """The birth date, and the text without it.

    Among more figures than a date has, those of a phone, only a whole year or a month's name makes
    a date.
    """
    is_long = sum(letter.isdigit() for letter in text) > FIGURES_OF_A_DATE
    for pattern, read in _FORMS:
        found = pattern.search(text)
        if found is None or (is_long and _could_be_a_phone(found)):
            continue
        if day := read(found.groups(), today):
            return day, text[: found.start()] + " " + text[found.end() :]
    for pattern, read in _RUNS:
        if (found := pattern.fullmatch(text)) and (day := read(found.groups(), today)):
            return day, ""
    return None, text


def _could_be_a_phone(found: re.Match[str]) -> bool:
    """Figures in pairs, or parted by spaces alone."""
    figures = re.split(r"\D+", found[0])
    return max(map(len, figures)) < 4 or not re.search(r"[^\d\s]", found[0])


def _from_year(parts: tuple[str, ...], today: date) -> date | None:
    return _date(int(parts[0]), int(parts[-2]), int(parts[-1]))


def _from_day(parts: tuple[str, ...], today: date) -> date | None:
    """Day first; month first only where it cannot be otherwise."""
    day, sign, month, year = parts
    if len(year) == 2 and sign.isspace() and len(day) == len(month) == 2:
        return None  # `06 12 34` is the beginning of a phone number
    born = _year(year, today)
    return _date(born, int(month), int(day)) or _date(born, int(day), int(month))


def _from_run(parts: tuple[str, ...], today: date) -> date | None:
    return _date(int(parts[2]), int(parts[1]), int(parts[0]))


def _from_word(parts: tuple[str, ...], today: date) -> date | None:
    month = MONTH_OF.get(parts[1].lower())
    return _date(_year(parts[2], today), month, int(parts[0])) if month else None


def _from_month(parts: tuple[str, ...], today: date) -> date | None:
    return _from_word((parts[1], parts[0], parts[2]), today)


def _year(figures: str, today: date) -> int:
    """A year of four figures, or the last one past that ends in two."""
    if len(figures) == 4:
        return int(figures)
    year = today.year // 100 * 100 + int(figures)
    return year - 100 if year > today.year else year


_FORMS: tuple[tuple[re.Pattern[str], _Reading], ...] = (
    (_YEAR_FIRST, _from_year),
    (_DAY_FIRST, _from_day),
    (_WORDY, _from_word),
    (_MONTH_FIRST, _from_month),
)
_RUNS: tuple[tuple[re.Pattern[str], _Reading], ...] = (
    (_RUN, _from_run),
    (_RUN_YEAR_FIRST, _from_year),
)


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
    digits = re.sub(r"\D", "", found[0].replace("(0)", "")).lstrip("0")
    return digits[:15], text[: found.start()] + " " + text[found.end() :]


def swapped(word: str) -> list[str]:
    """The word with each pair of neighbouring letters exchanged: `matrin` holds `martin`.

    Trigrams forgive one wrong or missing letter of a long word, but not two exchanged ones.
    """
    return [
        word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        for at in range(len(word) - 1)
        if word[at] != word[at + 1]
    ]


def slips(word: str) -> list[str]:
    """What a word may have been meant as, `_` for one letter: `lppez` holds `l_pez`.

    With one letter wrong, missing inside or (from five letters on) too many. In a word of up to
    nine letters a single slip breaks too many of its trigrams for these to be near. Nothing for a
    longer word, or one with signs in it.
    """
    if not word.isalpha() or len(word) > LONGEST_BROKEN_BY_A_SLIP:
        return []
    places = range(len(word))
    wrong = [word[:at] + "_" + word[at + 1 :] for at in places]
    missing = [word[:at] + "_" + word[at:] for at in places[1:]]
    if len(word) < SHORTEST_WITH_ONE_TOO_MANY:
        return wrong + missing
    return wrong + missing + [word[:at] + word[at + 1 :] for at in places]
