"""What a group of courses came to, with what few patients could tell hidden. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aftercare.outcomes.cases import EARLY, FINISHED, Case, Group
from aftercare.outcomes.figures import Share, Spread, share_of, spread_of
from aftercare.outcomes.plots import Strip, strip_of
from treatments.catalogue.models import Scale
from treatments.scales.reading import ScaleView


@dataclass(frozen=True)
class Change:
    """One scale before the first treatment and after it; nothing but `n` where too few."""

    view: ScaleView
    shown: bool
    first: Spread | None = None
    last: Spread | None = None
    change: Spread | None = None
    plot: Strip | None = None


@dataclass(frozen=True)
class OwnScore:
    """How patients see it themselves, by the last time that each was asked."""

    view: ScaleView
    shown: bool
    spread: Spread | None = None
    grades: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True)
class Kind:
    """An adverse event: in how many courses, and its highest grade."""

    name: str
    courses: int
    worst: int


@dataclass(frozen=True)
class Result:
    """A group's figures. Unless `shown`, nothing is told but its name: too few patients."""

    group: Group
    shown: bool
    patients: int = 0
    courses: int = 0
    sessions: int = 0
    over: int = 0
    early: Share | None = None
    with_event: Share | None = None
    per_hundred: float = 0.0
    kinds: Sequence[Kind] = ()
    changes: Sequence[Change] = ()
    own: Sequence[OwnScore] = ()


def result_of(
    group: Group, cases: Sequence[Case], scales: Mapping[str, Scale], least: int
) -> Result:
    """The figures of a group; each of them is shown only of at least `least` patients."""
    patients = len({case.patient_id for case in cases})
    if patients < least:
        return Result(group, shown=False)
    over = [case for case in cases if case.ended in (FINISHED, EARLY)]
    early = sum(case.ended == EARLY for case in over)
    events = [event for case in cases for event in case.events]
    sessions = sum(case.sessions for case in cases)
    return Result(
        group=group,
        shown=True,
        patients=patients,
        courses=len(cases),
        sessions=sessions,
        over=len(over) if _enough(over, least) else 0,
        early=share_of(early, len(over)) if _enough(over, least) else None,
        with_event=share_of(sum(bool(case.events) for case in cases), len(cases)),
        per_hundred=100 * len(events) / sessions if sessions else 0.0,
        kinds=_kinds(cases),
        changes=_changes(cases, scales, least),
        own=_own(cases, scales, least),
    )


def _enough(cases: Sequence[Case], least: int) -> bool:
    return len({case.patient_id for case in cases}) >= least


def _kinds(cases: Sequence[Case]) -> list[Kind]:
    courses: Counter[str] = Counter()
    worst: dict[str, int] = defaultdict(int)
    for case in cases:
        courses.update({event.name for event in case.events})
        for event in case.events:
            worst[event.name] = max(worst[event.name], event.grade)
    return [Kind(name, n, worst[name]) for name, n in courses.most_common()]


def _changes(cases: Sequence[Case], scales: Mapping[str, Scale], least: int) -> list[Change]:
    codes = sorted({code for case in cases for code in case.scores})
    return [_change(ScaleView(scales[code]), code, cases, least) for code in codes]


def _change(view: ScaleView, code: str, cases: Sequence[Case], least: int) -> Change:
    scored = [case for case in cases if code in case.scores]
    if not _enough(scored, least):
        return Change(view, shown=False)
    pairs = [case.scores[code] for case in scored]
    change = spread_of([last - first for first, last in pairs])
    return Change(
        view,
        shown=True,
        first=spread_of([first for first, _last in pairs]),
        last=spread_of([last for _first, last in pairs]),
        change=change,
        plot=strip_of(change, float(view.row.maximum - view.row.minimum)),
    )


def _own(cases: Sequence[Case], scales: Mapping[str, Scale], least: int) -> list[OwnScore]:
    codes = sorted({code for case in cases for code in case.own})
    return [_own_score(ScaleView(scales[code]), code, cases, least) for code in codes]


def _own_score(view: ScaleView, code: str, cases: Sequence[Case], least: int) -> OwnScore:
    asked = [case for case in cases if code in case.own]
    if not _enough(asked, least):
        return OwnScore(view, shown=False)
    given = Counter(case.own[code] for case in asked)
    options = view.items[0].options if view.items else ()
    grades = [(words, given[float(points)]) for points, words in options]
    return OwnScore(view, True, spread_of([case.own[code] for case in asked]), grades)
