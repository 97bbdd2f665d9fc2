"""How the rows of the story read; nothing here asks the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aftercare.watch.models import CheckIn
from patients.photos.models import Photo
from patients.photos.naming import Names
from treatments.consents.models import Consent
from treatments.consultations.indications import indication_name
from treatments.consultations.models import Consultation
from treatments.plans.course import total
from treatments.plans.models import Plan
from treatments.scales.models import Score
from treatments.scales.reading import ScaleView
from treatments.sessions.models import Session, TreatedArea
from treatments.sessions.page import SHAPES, side_name
from treatments.sessions.small_maps import STROKED, SmallMap, mark, small_maps

IN_A_STRIP = 12
KEY_SIZE = 7


@dataclass(frozen=True)
class AreaLine:
    """One treated area in words, with its mark."""

    shape: int
    name: str
    row: TreatedArea

    @property
    def key(self) -> str:
        """Its mark in a box of 10 by 10 around the middle."""
        return mark(self.shape, 0, 0, KEY_SIZE)

    @property
    def key_line(self) -> float:
        """The width of the mark's line; 0 where it is filled."""
        return round(KEY_SIZE * STROKED.get(self.shape, 0), 1)


@dataclass(frozen=True)
class SessionShown:
    """A session's areas and small maps. `reaction` is what was seen, empty for none.

    `answers` are the check-ins after it that were answered, `silent` those that were not.
    """

    areas: Sequence[AreaLine]
    maps: Sequence[SmallMap]
    reaction: str
    answers: Sequence[CheckIn]
    silent: Sequence[CheckIn]


def session_shown(session: Session, names: Names | None = None) -> SessionShown:
    """Needs the session's areas, lots and check-ins loaded."""
    rows = sorted(session.treated_areas.all(), key=lambda row: row.pk)
    said = session.adverse_events
    asked = sorted(session.check_ins.all(), key=lambda row: row.due_at)
    return SessionShown(
        areas=[AreaLine(n % SHAPES, side_name(r.area, r.side), r) for n, r in enumerate(rows)],
        maps=small_maps(rows),
        reaction="" if said == "none" else said,
        answers=[row for row in asked if row.state == CheckIn.State.ANSWERED],
        silent=[row for row in asked if row.is_silence],
    )


@dataclass(frozen=True)
class NoteShown:
    """What a note was about and where it is to be read."""

    indications: str
    areas: str


def note_shown(note: Consultation, names: Names) -> NoteShown:
    """Names for its codes."""
    return NoteShown(
        indications=", ".join(map(indication_name, note.indications)),
        areas=_areas(note.areas, names),
    )


@dataclass(frozen=True)
class PlanShown:
    """A plan in a line."""

    indication: str
    areas: str
    sessions: int


def plan_shown(plan: Plan, names: Names) -> PlanShown:
    """Needs the plan's areas and phases loaded."""
    return PlanShown(
        indication=indication_name(plan.indication),
        areas=", ".join(side_name(part.area, part.side) for part in plan.areas.all()),
        sessions=total(plan.phases.all()),
    )


@dataclass(frozen=True)
class PhotosShown:
    """The photos of a day: the first few as thumbnails, in the order in which they were taken."""

    photos: Sequence[Photo]
    count: int
    words: str


def photos_shown(photos: Sequence[Photo], names: Names) -> PhotosShown:
    """Newest first in, oldest first out, as the patient turned."""
    named = names.name(list(photos)[::-1])
    words = dict.fromkeys(names.area(one.area, one.side) for one in named)
    return PhotosShown(named[:IN_A_STRIP], len(named), ", ".join(words))


def scores_shown(scores: Sequence[Score], names: Names) -> list[tuple[str, str]]:
    """Scale and score, as the plot's table says them."""
    views = [(ScaleView(score.scale), score) for score in reversed(scores)]
    return [(view.title(score.side), view.said(score.value)) for view, score in views]


def consent_shown(consent: Consent, names: Names) -> str:
    """The areas it covers."""
    return _areas(consent.areas, names)


def _areas(codes: Sequence[str], names: Names) -> str:
    return ", ".join(names.area(code) for code in codes)


SHOWN: dict[str, Callable[[Any, Names], Any]] = {
    "session": session_shown,
    "note": note_shown,
    "plan": plan_shown,
    "photo": photos_shown,
    "score": scores_shown,
    "consent": consent_shown,
}
"""By the name of the source; the rest reads as it is stored."""
