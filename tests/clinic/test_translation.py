"""The French texts are complete, keep their placeholders, and are set as French is set."""

from __future__ import annotations

import ast
import gettext
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]
FRENCH = ROOT / "locale/fr/LC_MESSAGES/django.po"
SOURCES = ("clinic", "patients", "treatments", "aftercare", "templates")
HOLES = re.compile(r"%\(\w+\)[sd]|%[sd]|%%|\{\w*\}")
KEYWORD = re.compile(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[\d\])?) (".*")')


@dataclass
class Entry:
    """One text of a catalogue: `said` by keyword, `marks` such as fuzzy."""

    said: dict[str, str] = field(default_factory=dict)
    marks: str = ""

    @property
    def source(self) -> tuple[str, str]:
        return self.said.get("msgctxt", ""), self.said["msgid"]

    @property
    def answers(self) -> dict[str, str]:
        return {key: text for key, text in self.said.items() if key.startswith("msgstr")}


def read(text: str) -> list[Entry]:
    """The entries of a .po or .pot file without its header."""
    entries = [_entry(block) for block in re.split(r"\n{2,}", text.strip())]
    return [entry for entry in entries if entry.said.get("msgid")]


def _entry(block: str) -> Entry:
    entry, key = Entry(), ""
    for line in block.splitlines():
        begun = KEYWORD.fullmatch(line)
        if begun:
            key = begun[1]
            entry.said[key] = ast.literal_eval(begun[2])
        elif line.startswith('"'):
            entry.said[key] += ast.literal_eval(line)
        elif line.startswith("#,"):
            entry.marks += line
    return entry


def faults(entry: Entry) -> list[str]:
    """What is wrong with one translation."""
    found = []
    if "fuzzy" in entry.marks:
        found.append("fuzzy")
    for key, text in entry.answers.items():
        plural = key != "msgstr" and key != "msgstr[0]"
        source = entry.said["msgid_plural" if plural else "msgid"]
        if not text.strip():
            found.append("not translated")
        elif sorted(HOLES.findall(text)) != sorted(HOLES.findall(source)):
            found.append("other placeholders")
        if "'" in text or re.search(r" [:;?!»]|« ", text):
            found.append("a straight apostrophe, or a space that may break")
    return found


@pytest.fixture(scope="module")
def french() -> list[Entry]:
    return read(FRENCH.read_text(encoding="utf-8"))


@pytest.fixture
def gather(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Callable[[], Path]:
    """Gathers the texts of a copy of the sources, so that no catalogue of ours is touched."""
    for name in SOURCES:
        skipped = shutil.ignore_patterns("__pycache__", "migrations", "data")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=skipped)
    (tmp_path / "locale").mkdir()
    settings.LOCALE_PATHS = [str(tmp_path / "locale")]
    monkeypatch.chdir(tmp_path)

    def gathered() -> Path:
        call_command("makemessages", locale=["fr"], keep_pot=True, no_location=True, verbosity=0)
        return tmp_path / "locale/django.pot"

    return gathered


def test_no_french_text_has_a_fault(french: list[Entry]) -> None:
    assert len(french) > 1000
    assert {entry.source: found for entry in french if (found := faults(entry))} == {}


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (Entry({"msgid": "Lot", "msgstr": ""}), "not translated"),
        (Entry({"msgid": "Lot", "msgstr": "Lot"}, "#, fuzzy"), "fuzzy"),
        (Entry({"msgid": "Lot %(n)s", "msgstr": "Lot %(m)s"}), "other placeholders"),
        (
            Entry({"msgid": "a", "msgid_plural": "%(n)s", "msgstr[0]": "a", "msgstr[1]": "b"}),
            "other placeholders",
        ),
        (
            Entry({"msgid": "Why?", "msgstr": "Pourquoi ?"}),
            "a straight apostrophe, or a space that may break",
        ),
    ],
)
def test_each_fault_is_seen(entry: Entry, fault: str) -> None:
    assert faults(entry) == [fault]


def test_every_text_of_the_sources_is_in_french(
    gather: Callable[[], Path], french: list[Entry]
) -> None:
    wanted = {entry.source for entry in read(gather().read_text(encoding="utf-8"))}
    missing = sorted(wanted - {entry.source for entry in french})
    assert missing == [], "run `make messages`, then translate these in locale/fr"


def test_a_text_that_is_new_is_found_missing(
    gather: Callable[[], Path], french: list[Entry], tmp_path: Path
) -> None:
    new = "A sentence that nobody has translated."
    page = tmp_path / "templates" / "new.html"
    page.write_text('{% load i18n %}{% translate "' + new + '" %}', encoding="utf-8")
    wanted = {entry.source for entry in read(gather().read_text(encoding="utf-8"))}
    assert ("", new) in wanted - {entry.source for entry in french}


def test_the_catalogue_compiles_and_counts_as_french_does(tmp_path: Path) -> None:
    compiled = tmp_path / "django.mo"
    subprocess.run(["msgfmt", "--check", "-o", str(compiled), str(FRENCH)], check=True)
    with compiled.open("rb") as file:
        texts = gettext.GNUTranslations(file)
    said = [texts.ngettext("%(pages)s page", "%(pages)s pages", n) for n in (0, 1, 2)]
    assert said == ["%(pages)s page", "%(pages)s page", "%(pages)s pages"]
    assert texts.gettext("Front desk") == "Accueil"


def test_no_place_or_person_is_named_in_the_catalogue() -> None:
    text = FRENCH.read_text(encoding="utf-8")
    assert not re.search(r"^#:", text, re.MULTILINE)
    assert not re.search(r"\s/\w+/\w+", text)
    assert "@" not in text


def test_no_result_and_no_absence_of_pain_is_promised(french: list[Entry]) -> None:
    said = " ".join(text for entry in french for text in entry.answers.values()).lower()
    assert [word for word in ("indolore", "sans douleur", "garanti") if word in said] == []
