"""The look-back: what cases of an infection had in common, against all who were treated as well.

The people compared are all who were treated at its locations in the days asked for. A person was
exposed to a thing when it was there in one of their sessions; of a case only sessions up to the day
on which it began count, since what came later cannot have caused it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any

from django.utils.translation import gettext as _

from aftercare.safety.counting import MANY, Thing, Times, Window, everyone, suspects
from aftercare.safety.exposures import PERSON, Exposure, container_said, product_names
from aftercare.safety.models import ExposureKind, LookBack
from aftercare.safety.risk import Risk, compare
from clinic.access.models import Staff
from clinic.errors import ActionRefused
from clinic.places.models import Device, Room
from treatments.catalogue.models import Technique
from treatments.stock.models import OpenContainer

MOST_SESSIONS = 250_000
"""More than that is no outbreak of a few clinics, and would take too long to look through."""
ORDERS = ("least", "risk", "rate", "p")


@dataclass(frozen=True)
class Wait:
    """Days from a session to the onset, over the cases: their middle, and from least to most."""

    middle: float
    least: int
    most: int


@dataclass(frozen=True)
class Step:
    """People with so many sessions (`MANY`: or more): a row of the dose-response.

    `risk` compares with the fewest sessions there are; None for that row itself.
    """

    sessions: int
    is_open: bool
    people: int
    cases: int
    risk: Risk | None

    @property
    def rate(self) -> float:
        """Attack rate, from 0 to 1."""
        return self.cases / self.people


@dataclass(frozen=True)
class Finding:
    """One thing, how the exposed fared against the others, and how long it took.

    `times`: by how often a person was exposed, 0 first. `wait` is counted from the last exposed
    session before the onset.
    """

    exposure: Exposure
    words: str
    risk: Risk
    times: Times
    wait: Wait | None

    @property
    def steps(self) -> list[Step]:
        """The dose-response, computed when it is looked at: there are many findings."""
        return _steps(self.times)

    @property
    def kind_words(self) -> str:
        return str(ExposureKind(self.exposure.kind).label)


@dataclass(frozen=True)
class Answer:
    """All of it. `outside`: cases who were not treated here in these days before they fell ill.

    `others`: how many further things no case was exposed to. `first_wait` and `last_wait` are
    counted from the first and from the last session before the onset.
    """

    people: int
    sessions: int
    cases: int
    outside: Sequence[int]
    findings: Sequence[Finding]
    others: int
    steps: Sequence[Step]
    first_wait: Wait | None
    last_wait: Wait | None


def look_back(question: LookBack, order: str = ORDERS[0]) -> Answer:
    """The answer to a look-back as the records stand now, ranked by `order`.

    A fixed number of queries. Raises `ActionRefused` where it would be more than `MOST_SESSIONS`.
    """
    onsets = _onsets(question)
    window = Window(question.place_ids, question.since, question.until)
    treated = everyone(window, onsets)
    if treated.sessions > MOST_SESSIONS:
        raise ActionRefused(_("These are too many sessions to compare: choose fewer days."))
    things, others = suspects(window, onsets)
    names = _names(things)
    people, cases = _sum(treated.times.people), _sum(treated.times.cases)
    findings = [
        _finding(Exposure(thing[0], thing[1:], question.since, question.until), names[thing],
                 times, people, cases)
        for thing, times in things.items()
    ]  # fmt: skip
    return Answer(
        people=people,
        sessions=treated.sessions,
        cases=cases,
        outside=sorted(set(onsets) - treated.ill),
        findings=sorted(findings, key=_rank(order)),
        others=others,
        steps=_steps(treated.times),
        first_wait=_wait(treated.first_waits),
        last_wait=_wait(treated.times.waits),
    )


def _onsets(question: LookBack) -> dict[int, date]:
    """When each case began, by the number of the file that counts."""
    return dict(question.cases.annotate(person=PERSON).values_list("person", "onset_on"))


def _sum(steps: Mapping[int, int]) -> int:
    return sum(steps.values())


def _finding(exposure: Exposure, words: str, times: Times, people: int, cases: int) -> Finding:
    """One thing against all `people`, of whom `cases` are ill."""
    exposed, ill = _sum(times.people), _sum(times.cases)
    risk = compare(ill, exposed, cases - ill, people - exposed)
    never = Times({0: people - exposed, **times.people}, {0: cases - ill, **times.cases})
    return Finding(exposure, words, risk, never, _wait(times.waits))


def _rank(order: str) -> Any:
    """Highest first. `least`: by what the numbers allow at least, so that one lucky case does not
    come before a lot that made many ill; the others by what they are called.
    """

    def key(one: Finding) -> tuple[Any, ...]:
        risk = one.risk
        ratio = -1.0 if risk.ratio is None else risk.ratio
        p = 1.0 if risk.p is None else risk.p
        by = {
            "least": (-(risk.at_least or 0), p, -ratio),
            "risk": (-ratio, p, -risk.rate),
            "rate": (-risk.rate, -ratio, p),
            "p": (p, -ratio),
        }
        return (*by[order], one.exposure.kind, one.words)

    return key


def _steps(times: Times) -> list[Step]:
    """People by how often; each row against the first that there is."""
    found: list[Step] = []
    for count, there in sorted(times.people.items()):
        if there:
            ill, first = times.cases[count], found[0] if found else None
            risk = compare(ill, there, first.cases, first.people) if first else None
            found.append(Step(count, count == MANY, there, ill, risk))
    return found


def _wait(days: Iterable[int]) -> Wait | None:
    known = sorted(days)
    return Wait(float(median(known)), known[0], known[-1]) if known else None


# -- names -----------------------------------------------------------------------------------


def _names(things: Iterable[Thing]) -> dict[Thing, str]:
    """Every thing in words. One query for each kind that there is."""
    by_kind: dict[str, list[Thing]] = defaultdict(list)
    for thing in things:
        by_kind[thing[0]].append(thing)
    codes = {code for kind in ("mix", "product") for one in by_kind[kind] for code in one[1:]}
    codes |= {one[1] for one in by_kind["lot"]}
    products = product_names(codes)
    found = {one: products.get(one[1], one[1]) for one in by_kind["product"]}
    for one in by_kind["mix"]:
        found[one] = " + ".join(products.get(code, code) for code in one[1:])
    for one in by_kind["lot"]:
        name = products.get(one[1], one[1])
        found[one] = _("Lot %(number)s of %(product)s") % {"number": one[2], "product": name}
    found |= _rows_named(by_kind)
    techniques = Technique.objects.filter(code__in=[one[1] for one in by_kind["technique"]])
    said = {row.code: row.name for row in techniques.order_by("is_current", "version")}
    return found | {one: said.get(one[1], one[1]) for one in by_kind["technique"]}


def _rows_named(by_kind: Mapping[str, Sequence[Thing]]) -> dict[Thing, str]:
    """Containers, devices, rooms and people."""
    containers = OpenContainer.objects.select_related("lot__product", "lot__location")
    sources: dict[str, tuple[Any, Any]] = {
        "container": (containers, container_said),
        "device": (Device.objects.all(), str),
        "room": (Room.objects.all(), str),
        "practitioner": (Staff.objects.all(), lambda person: person.name),
    }
    found: dict[Thing, str] = {}
    for kind, (rows, words) in sources.items():
        wanted = by_kind.get(kind, ())
        if wanted:
            known = rows.in_bulk([int(one[1]) for one in wanted])
            found |= {one: words(known[int(one[1])]) for one in wanted}
    return found
