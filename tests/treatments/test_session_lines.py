"""An area in one line: what is read, in both languages, and what is never guessed."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from clinic.errors import ActionRefused
from treatments.sessions.lines import plain, read_line

D = Decimal


def row(code: str, english: str, french: str, sided: bool = False) -> Any:
    return SimpleNamespace(code=code, name_en=english, name_fr=french, name=english, is_sided=sided)


AREAS = [
    row("cheek", "Cheek", "Joue", sided=True),
    row("forehead", "Forehead", "Front"),
    row("decollete", "Décolleté", "Décolleté"),
]
TECHNIQUES = [
    row("nappage", "Nappage (superficial intradermal)", "Nappage (intradermique superficiel)"),
    row("papule", "Papule", "Papule"),
]


def read(text: str) -> tuple[Any, ...]:
    line = read_line(text, AREAS, TECHNIQUES)
    technique = line.technique and line.technique.code
    return line.area.code, str(line.side), technique, line.depth_mm, line.points, line.ml


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "left cheek, nappage, 2 mm, 120 points, 0.01 mL",
            ("cheek", "left", "nappage", D(2), 120, D("0.01")),
        ),
        (
            "Joue gauche, nappage, 2 mm, 120 points, 0,01 mL",
            ("cheek", "left", "nappage", D(2), 120, D("0.01")),
        ),
        ("cheek, both, 0.05 ml; papule", ("cheek", "both", "papule", None, None, D("0.05"))),
        ("FOREHEAD", ("forehead", "none", None, None, None, None)),
        ("front, 30 pts", ("forehead", "none", None, None, 30, None)),
        ("decollete, 1.5mm", ("decollete", "none", None, D("1.5"), None, None)),
    ],
)
def test_lines_that_are_read(text: str, expected: tuple[Any, ...]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "such as"),
        ("cheek", "which side"),
        ("left forehead", "no sides"),
        ("left nose", "does not name"),
        ("left cheek, 2", "cannot be read"),
        ("left cheek, 2 cm", "unit"),
        ("left cheek, 0.01 cc", "unit"),
        ("left cheek, 1.5 points", "unit"),
        ("left cheek, 2 mm, 3 mm", "twice"),
        ("left cheek, sometimes", "cannot be read"),
        ("x" * 301, "such as"),
    ],
)
def test_lines_that_are_refused(text: str, words: str) -> None:
    with pytest.raises(ActionRefused, match=words):
        read(text)


def test_accents_and_capitals_do_not_matter() -> None:
    assert plain("  Décolleté   GAUCHE ") == "decollete gauche"
