"""A note as a person reads it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from clinic.web.templatetags.clinic_web import clinical_date, clock
from treatments.catalogue.drawings import CHART_TITLES, drawing, drawings
from treatments.catalogue.models import Area, RiskLine
from treatments.consultations.alternatives import alternative_name
from treatments.consultations.forms import SIDES, SKIN_TYPES
from treatments.consultations.indications import indication_name
from treatments.consultations.models import ChartMark, Consultation
from treatments.consultations.sections import NAMES, SECTIONS
from treatments.consultations.signs import sign_name
from treatments.consultations.skin import said_by_questions
from treatments.scales.actions import ScoreEntry
from treatments.scales.models import Score
from treatments.scales.reading import ScaleView

TYPES: dict[int, str | Promise] = dict(SKIN_TYPES)
SIDE_NAMES: dict[str, str | Promise] = dict(SIDES)


@dataclass(frozen=True)
class FindingView:
    """What was seen on an area: its name with the side, and the words."""

    place: str
    seen: str


class NoteText:
    """The words of each section of a note. Names of areas and risks are read once, when needed."""

    def __init__(self, note: Consultation, scores: Iterable[Score] | None = None) -> None:
        self.note = note
        self._scores = scores

    @cached_property
    def scores(self) -> list[Score]:
        """The answered scales, in order."""
        if self._scores is not None:
            return list(self._scores)
        return list(self.note.scores.select_related("scale").order_by("pk"))

    @cached_property
    def _areas(self) -> dict[str, Area]:
        codes = {*self.note.areas, *(row["area"] for row in self.note.findings)}
        return Area.objects.in_force(codes)

    def area(self, code: str, side: str = "none") -> str:
        """`Cheek, left`; the code where the catalogue has lost it."""
        name = self._areas[code].name if code in self._areas else code
        return name if side == "none" else f"{name}, {SIDE_NAMES.get(side, side)}"

    @cached_property
    def findings(self) -> list[FindingView]:
        """Each area and side with what was seen there; areas without a finding too."""
        rows = [
            FindingView(
                self.area(row["area"], row["side"]),
                _seen(", ".join(map(sign_name, row["signs"])), row["words"]),
            )
            for row in self.note.findings
        ]
        named = {row["area"] for row in self.note.findings}
        return rows + [FindingView(self.area(c), "") for c in self.note.areas if c not in named]

    @cached_property
    def explained(self) -> list[str]:
        """The risk lines that were ticked, in the version that was ticked."""
        wanted = {(row["code"], row["version"]): "" for row in self.note.explained}
        if not wanted:
            return []
        rows = RiskLine.objects.filter(code__in={code for code, _version in wanted})
        said = {(row.code, row.version): row.said("text") for row in rows}
        return [said.get(key, key[0]) for key in wanted]

    @property
    def indications(self) -> str:
        """Their names."""
        return ", ".join(map(indication_name, self.note.indications))

    @property
    def skin(self) -> str:
        """The clinician's type, and what the ten questions gave where they were asked."""
        words = str(TYPES.get(self.note.fitzpatrick or 0, ""))
        said = said_by_questions(self.note)
        return f"{words} ({said})" if words and said else words or said

    @property
    def alternatives(self) -> str:
        """The ticked ones, then the words."""
        ticked = ", ".join(map(alternative_name, self.note.alternatives_named))
        return "\n".join(part for part in (ticked, self.note.alternatives) if part)

    @property
    def decision(self) -> str:
        """The decision with what belongs to it."""
        note = self.note
        parts = [note.get_decision_display()]
        if note.refer_to:
            parts.append(_("To: %(whom)s") % {"whom": note.refer_to})
        if note.think_until:
            parts.append(_("Until %(date)s") % {"date": clinical_date(note.think_until)})
        if note.decision_reason:
            parts.append(note.decision_reason)
        return "\n".join(part for part in parts if part)

    @property
    def score_lines(self) -> list[tuple[str, str]]:
        """Scale and score; what is not finished says so."""
        return [
            (
                ScaleView(score.scale).title(score.side),
                ScaleView(score.scale).said(score.value) or _("not finished"),
            )
            for score in self.scores
        ]

    def words(self, section: str) -> str:
        """A whole section as plain text."""
        if section == "findings":
            return "\n".join(_colon(row.place, row.seen) for row in self.findings)
        if section == "explained":
            return "\n".join(self.explained)
        if section == "scales":
            return "\n".join(_colon(name, said) for name, said in self.score_lines)
        if section in ("indications", "skin", "alternatives", "decision"):
            found: str = getattr(self, section)
            return found
        return str(getattr(self.note, section))


def _seen(signs: str, words: str) -> str:
    return _colon(signs, words) if signs else words


def _colon(name: str, words: str) -> str:
    return _("%(name)s: %(words)s") % {"name": name, "words": words} if words else name


def note_facts(note: Consultation) -> list[tuple[str, str]]:
    """Label and words of each section of the note, in order; empty ones stay in, empty."""
    text = NoteText(note)
    return [(str(NAMES[section]), text.words(section)) for section in SECTIONS]


@dataclass(frozen=True)
class Clash:
    """A section that two people changed: both texts, and who wrote the saved one, when."""

    section: str
    label: str
    mine: str
    theirs: str
    by: str
    at: str

    @property
    def is_text(self) -> bool:
        """Both can be kept one under the other."""
        return SECTIONS[self.section] == (self.section,) and self.section not in (
            "indications",
            "explained",
            "scales",
        )


def clashes(
    note: Consultation, sections: Sequence[str], values: dict[str, Any], entries: list[ScoreEntry]
) -> list[Clash]:
    """Both texts of each section: what was sent and what is saved."""
    typed = copy(note)
    for name, value in values.items():
        setattr(typed, name, value)
    scores = [_unsaved(entry) for entry in entries if entry.answers]
    mine, theirs = NoteText(typed, scores), NoteText(note)
    zone = note.location.zone
    return [
        Clash(
            section,
            str(NAMES[section]),
            mine.words(section),
            theirs.words(section),
            str(note.sections.get(section, {}).get("by", "")),
            _time(note.sections.get(section, {}).get("at", ""), zone),
        )
        for section in sections
    ]


def _unsaved(entry: ScoreEntry) -> Score:
    kept = {code: str(value) for code, value in entry.answers.items()}
    return Score(scale=entry.scale, side=entry.side, answers=kept)


def _time(iso: str, zone: ZoneInfo) -> str:
    return clock(datetime.fromisoformat(iso).astimezone(zone)) if iso else ""


def origin_words(note: Consultation) -> dict[str, str]:
    """Section -> where its words come from, while nobody has looked at them."""
    found = {}
    for section, origin in note.origins.items():
        if origin["kind"] == "copy":
            day = datetime.fromisoformat(origin["date"]).astimezone(note.location.zone)
            found[section] = _("Copied from the note of %(date)s") % {"date": clinical_date(day)}
        else:
            found[section] = _("From the template %(name)s") % {
                "name": indication_name(origin["code"])
            }
    return found


@dataclass(frozen=True)
class DrawnMark:
    """A mark in chart units, numbered as in the list beside it."""

    number: int
    kind: str
    sign: str
    words: str
    path: str
    at: tuple[float, float]


@dataclass(frozen=True)
class DrawnChart:
    """A chart of the note with its marks; `size` is a pin's radius in chart units."""

    code: str
    title: str
    width: float
    height: float
    size: float
    svg: SafeString
    marks: list[DrawnMark]

    @property
    def is_tall(self) -> bool:
        """A whole body: drawn narrower, so that it fits a screen."""
        return self.height > 1.6 * self.width


def drawn_charts(marks: Iterable[ChartMark]) -> list[DrawnChart]:
    """The charts that were marked, each with its marks."""
    by_chart: dict[str, list[DrawnMark]] = {}
    for number, mark in enumerate(marks, start=1):
        chart = drawings()[mark.chart]
        places = [(round(x * chart.width, 1), round(y * chart.height, 1)) for x, y in mark.points]
        path = " ".join(f"{x:g},{y:g}" for x, y in places)
        drawn = DrawnMark(number, mark.kind, sign_name(mark.sign), mark.words, path, places[0])
        by_chart.setdefault(mark.chart, []).append(drawn)
    return [
        DrawnChart(
            code,
            str(CHART_TITLES[code]),
            drawings()[code].width,
            drawings()[code].height,
            round(drawings()[code].width / 40, 1),
            drawing(code),
            listed,
        )
        for code, listed in by_chart.items()
    ]
