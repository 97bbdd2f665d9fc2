"""The look-back: what cases of an infection had in common, against all who were treated as well.

The people compared are all who were treated at the location in the days asked for. A person was
exposed to a thing when it was there in one of their sessions; of a case only sessions up to the day
on which it began count, since what came later cannot have caused it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from aftercare.safety.exposures import (
    PERSON,
    Exposure,
    Kind,
    container_said,
    exposed,
    product_names,
)
from aftercare.safety.models import ExposureKind, LookBack
from aftercare.safety.risk import Risk, compare
from clinic.access.models import Staff
from clinic.errors import ActionRefused
from clinic.places.models import Device, Room
from treatments.catalogue.models import Technique
from treatments.sessions.models import Anaesthesia, MixComponent, TreatedArea
from treatments.stock.models import Movement, OpenContainer

MOST_SESSIONS = 100_000
"""More than that is no outbreak of one clinic, and would take too long to look through."""
MANY = 5
"""So many sessions and more are one step of the dose-response, as in the Balearic outbreak."""
ORDERS = ("least", "risk", "rate", "p")

Thing = tuple[str, ...]
"""Kind and key of an exposure, as `Exposure` has them."""


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

    `steps`: by how often a person was exposed, 0 first. `wait` is counted from the last exposed
    session before the onset.
    """

    exposure: Exposure
    words: str
    risk: Risk
    steps: Sequence[Step]
    wait: Wait | None

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


@dataclass(frozen=True)
class Visit:
    """A session as it is counted: when, on the clinic's calendar, and what was there."""

    day: date
    things: frozenset[Thing]


def look_back(question: LookBack, order: str = ORDERS[0]) -> Answer:
    """The answer to a look-back as the records stand now, ranked by `order`.

    A fixed number of queries. Raises `ActionRefused` where it would be more than `MOST_SESSIONS`.
    """
    place = question.location
    onsets = _onsets(question)
    window = Exposure(Kind.WINDOW, since=question.since, until=question.until)
    sessions = exposed(window, [place.pk], place.zone)
    visits = visits_of(sessions, place.zone)
    return answer_of(visits, onsets, order, question.since, question.until)


def _onsets(question: LookBack) -> dict[int, date]:
    """When each case began, by the number of the file that counts."""
    return dict(question.cases.annotate(person=PERSON).values_list("person", "onset_on"))


def visits_of(sessions: Any, zone: ZoneInfo) -> dict[int, list[Visit]]:
    """Every visit by the person it was of, in order. Raises `ActionRefused` for too many."""
    rows = list(
        sessions.order_by("started_at", "pk")
        .annotate(person=PERSON)
        .values_list("pk", "person", "started_at", "practitioner_id", "appointment__room_id")[
            : MOST_SESSIONS + 1
        ]
    )
    if len(rows) > MOST_SESSIONS:
        raise ActionRefused(_("These are too many sessions to compare: choose fewer days."))
    things = _things(sessions.order_by().values("pk"))
    found: dict[int, list[Visit]] = defaultdict(list)
    for pk, person, at, practitioner, room in rows:
        there = {*things.get(pk, ()), (Kind.PRACTITIONER.value, str(practitioner))}
        if room is not None:
            there.add((Kind.ROOM.value, str(room)))
        found[person].append(Visit(_day(at, zone), frozenset(there)))
    return found


def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def _things(ids: Any) -> dict[int, set[Thing]]:
    """What was there in each session of a subquery, but for people and rooms. Four queries."""
    found: dict[int, set[Thing]] = defaultdict(set)
    syringes: dict[tuple[int, int | None], set[str]] = defaultdict(set)
    drawn = MixComponent.objects.order_by().filter(session_id__in=ids)
    for pk, syringe, code, number in drawn.values_list(
        "session_id", "syringe_id", "lot__product__code", "lot__number"
    ):
        found[pk] |= {(Kind.LOT.value, code, number), (Kind.PRODUCT.value, code)}
        syringes[pk, syringe].add(code)
    for (pk, _syringe), codes in syringes.items():
        if len(codes) > 1:
            found[pk].add((Kind.MIX.value, *sorted(codes)))
    rubbed = Anaesthesia.objects.filter(session_id__in=ids, lot__isnull=False)
    for pk, code, number in rubbed.values_list("session_id", "lot__product__code", "lot__number"):
        found[pk] |= {(Kind.LOT.value, code, number), (Kind.PRODUCT.value, code)}
    used = Movement.objects.filter(
        session_id__in=ids, kind=Movement.Kind.USED, container__isnull=False
    )
    for session, container in used.values_list("session_id", "container_id"):
        if session is not None:
            found[session].add((Kind.CONTAINER.value, str(container)))
    areas = TreatedArea.objects.order_by().filter(session_id__in=ids)
    for pk, device, technique in areas.values_list("session_id", "device_id", "technique__code"):
        found[pk].add((Kind.TECHNIQUE.value, technique))
        if device is not None:
            found[pk].add((Kind.DEVICE.value, str(device)))
    return found


# -- the comparison; pure from here on, but for the names ------------------------------------


def answer_of(
    visits: Mapping[int, Sequence[Visit]],
    onsets: Mapping[int, date],
    order: str,
    since: date | None = None,
    until: date | None = None,
) -> Answer:
    """The whole answer for these people; `onsets` says who is a case, and since when."""
    counted = {person: _before(own, onsets.get(person)) for person, own in visits.items()}
    # A case first treated after it had begun has no session that counts: it is not of these.
    counted = {person: own for person, own in counted.items() if own}
    cases = {person for person in onsets if person in counted}
    times = _times(counted)
    suspects = {thing for person in cases for visit in counted[person] for thing in visit.things}
    names = _names(suspects)
    findings = [
        _finding(thing, times[thing], counted, onsets, cases, names, since, until)
        for thing in suspects
    ]
    lengths = {person: len(own) for person, own in counted.items()}
    return Answer(
        people=len(counted),
        sessions=sum(lengths.values()),
        cases=len(cases),
        outside=sorted(set(onsets) - cases),
        findings=sorted(findings, key=_rank(order)),
        others=len(times) - len(suspects),
        steps=_steps(lengths, cases),
        first_wait=_wait((onsets[one] - counted[one][0].day).days for one in cases),
        last_wait=_wait((onsets[one] - counted[one][-1].day).days for one in cases),
    )


def _before(visits: Sequence[Visit], onset: date | None) -> list[Visit]:
    return [one for one in visits if onset is None or one.day <= onset]


def _times(counted: Mapping[int, Sequence[Visit]]) -> dict[Thing, dict[int, int]]:
    """How often each person was exposed to each thing."""
    found: dict[Thing, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for person, visits in counted.items():
        for visit in visits:
            for thing in visit.things:
                found[thing][person] += 1
    return found


def _finding(
    thing: Thing,
    times: Mapping[int, int],
    counted: Mapping[int, Sequence[Visit]],
    onsets: Mapping[int, date],
    cases: set[int],
    names: Mapping[Thing, str],
    since: date | None,
    until: date | None,
) -> Finding:
    ill = cases & set(times)
    last = {one: max(v.day for v in counted[one] if thing in v.things) for one in ill}
    return Finding(
        exposure=Exposure(thing[0], thing[1:], since, until),
        words=names[thing],
        risk=compare(len(ill), len(times), len(cases - ill), len(counted) - len(times)),
        steps=_steps({person: times.get(person, 0) for person in counted}, cases),
        wait=_wait((onsets[one] - day).days for one, day in last.items()),
    )


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


def _steps(times: Mapping[int, int], cases: set[int]) -> list[Step]:
    """People by how often; each row against the first that there is."""
    people: dict[int, set[int]] = defaultdict(set)
    for person, count in times.items():
        people[min(count, MANY)].add(person)
    found: list[Step] = []
    for count in sorted(people):
        ill, there = len(people[count] & cases), len(people[count])
        first = found[0] if found else None
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
