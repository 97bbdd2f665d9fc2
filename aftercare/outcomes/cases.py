"""The courses of a period at some locations, as cases to count: what each came to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import mean
from typing import Any

from django.db.models import Exists, Min, OuterRef, Q
from django.utils import timezone

from aftercare.safety.models import AdverseEvent
from aftercare.watch.models import CheckIn
from treatments.catalogue.models import Protocol, Scale
from treatments.consultations.indications import indication_name
from treatments.diary.models import Appointment
from treatments.plans.course import gap_before, next_due, sessions_total
from treatments.plans.models import Plan
from treatments.plans.progress import counted
from treatments.scales.models import Score
from treatments.sessions.models import LONGEST, Session

MOST_PLANS = 5_000
"""The newest so many: a page must not grow with the clinic."""
OWN = "own:"


@dataclass(frozen=True)
class Group:
    """A published course, or an indication treated without one."""

    key: str
    name: str
    indication: str
    protocol: Protocol | None = None


@dataclass(frozen=True)
class Happened:
    """An adverse event of a course."""

    code: str
    name: str
    grade: int


@dataclass
class Case:
    """One course. `ended`: finished, early (before its last session), or under way.

    `scores`: by scale, the value before the first treatment and the last one after it; of a scale
    graded left and right, the mean of the sides. `own`: the patient's own last score, by scale.
    """

    plan_id: int
    patient_id: int
    sessions: int
    ended: str
    scores: dict[str, tuple[float, float]] = field(default_factory=dict)
    own: dict[str, float] = field(default_factory=dict)
    events: list[Happened] = field(default_factory=list)


FINISHED, EARLY, UNDER_WAY = "finished", "early", "under-way"


@dataclass
class Gathered:
    """Every group with its cases; `cut`: there were more than are counted."""

    groups: dict[str, Group]
    cases: dict[str, list[Case]]
    scales: dict[str, Scale]
    cut: bool


def gather(places: Collection[int], since: datetime | None, at: datetime) -> Gathered:
    """The courses accepted since then at these locations and begun; eight queries."""
    plans = _plans(places, since)
    cut = len(plans) > MOST_PLANS
    plans = plans[:MOST_PLANS]
    coming = _who_is_expected(plans, at)
    cases = {plan.pk: _case(plan, coming, at) for plan in plans}
    scales = _add_scores(plans, cases)
    scales |= _add_own(cases)
    _add_events(cases)
    groups: dict[str, Group] = {}
    by_group: dict[str, list[Case]] = defaultdict(list)
    for plan in plans:
        group = group_of(plan)
        groups.setdefault(group.key, group)
        by_group[group.key].append(cases[plan.pk])
    return Gathered(groups, dict(by_group), scales, cut)


def group_of(plan: Plan) -> Group:
    """By the protocol's code whatever its version; else by what the plan is for."""
    if plan.protocol is not None:
        row = plan.protocol
        return Group(row.code, row.name, indication_name(row.indication), row)
    name = indication_name(plan.indication)
    return Group(f"{OWN}{plan.indication}".replace(":", "-"), name, name)


def _plans(places: Collection[int], since: datetime | None) -> list[Plan]:
    signed = Session.objects.filter(plan=OuterRef("pk"), signed_at__isnull=False)
    begun = Plan.objects.filter(Exists(signed), location__in=places, accepted_at__isnull=False)
    if since is not None:
        begun = begun.filter(accepted_at__gte=since)
    first = Min("sessions__started_at", filter=Q(sessions__signed_at__isnull=False))
    rows = counted(begun).annotate(first_at=first).select_related("protocol", "consultation")
    return list(rows.order_by("-accepted_at", "-pk")[: MOST_PLANS + 1])


def _who_is_expected(plans: Iterable[Plan], at: datetime) -> set[int]:
    """Patients with something in the diary."""
    patients = {plan.patient_id for plan in plans}
    rows = Appointment.objects.live().filter(patient__in=patients, starts_at__gt=at)
    return set(rows.order_by().values_list("patient", flat=True))


def _case(plan: Any, coming: Collection[int], at: datetime) -> Case:
    expected = plan.patient_id in coming
    return Case(plan.pk, plan.patient_id, plan.done, _ended(plan, expected, at))


def _ended(plan: Any, expected: bool, at: datetime) -> str:
    """Early: stopped, or a whole further gap has passed since the next session was due at the
    latest, and nothing is booked.
    """
    if plan.state == Plan.State.FINISHED or plan.done >= sessions_total(plan):
        return FINISHED
    if plan.state == Plan.State.STOPPED:
        return EARLY
    last_on = timezone.localdate(plan.last_at, plan.location.zone)
    due, gap = next_due(plan, plan.done, last_on), gap_before(plan.phases.all(), plan.done + 1)
    today: date = at.astimezone(plan.location.zone).date()
    if expected or due is None or gap is None or today <= due[1] + timedelta(days=gap[1]):
        return UNDER_WAY
    return EARLY


def _add_scores(plans: Iterable[Any], cases: dict[int, Case]) -> dict[str, Scale]:
    """Each course's scores lie between the note that led to it and the next course for the same."""
    rows = (
        Score.objects.closed()
        .filter(patient__in={plan.patient_id for plan in plans})
        .values_list("patient", "scale", "side", "value", "taken_at")
    )
    of_patient: dict[int, list[tuple[int, str, float, datetime]]] = defaultdict(list)
    for patient, scale, side, value, taken_at in rows:
        of_patient[patient].append((scale, side, float(value or 0), taken_at))
    known = Scale.objects.in_bulk({row[0] for rows in of_patient.values() for row in rows})
    until = _nexts(plans)
    for plan in plans:
        note = plan.consultation
        since = (note.created_at if note else plan.accepted_at) - timedelta(days=1)
        end = until.get(plan.pk)
        mine = [
            row
            for row in of_patient[plan.patient_id]
            if since <= row[3] and (end is None or row[3] < end)
        ]
        cases[plan.pk].scores = _first_and_last(mine, known, plan.first_at + LONGEST)
    return {scale.code: scale for scale in sorted(known.values(), key=lambda row: row.version)}


def _nexts(plans: Iterable[Any]) -> dict[int, datetime]:
    """When the next course of the same patient for the same was accepted; plans newest first."""
    found: dict[int, datetime] = {}
    seen: dict[tuple[int, str], datetime] = {}
    for plan in plans:
        key = plan.patient_id, plan.indication
        if key in seen:
            found[plan.pk] = seen[key]
        seen[key] = plan.accepted_at
    return found


def _first_and_last(
    rows: Iterable[tuple[int, str, float, datetime]], known: dict[int, Scale], treated: datetime
) -> dict[str, tuple[float, float]]:
    sides: dict[str, dict[str, list[tuple[float, bool]]]] = defaultdict(lambda: defaultdict(list))
    for scale, side, value, taken_at in rows:
        sides[known[scale].code][side].append((value, taken_at <= treated))
    found = {}
    for code, by_side in sides.items():
        pairs = [pair for values in by_side.values() if (pair := _pair(values))]
        if pairs:
            found[code] = mean(pair[0] for pair in pairs), mean(pair[1] for pair in pairs)
    return found


def _pair(values: Iterable[tuple[float, bool]]) -> tuple[float, float] | None:
    before = [value for value, is_before in values if is_before]
    after = [value for value, is_before in values if not is_before]
    return (before[-1], after[-1]) if before and after else None


def _add_own(cases: dict[int, Case]) -> dict[str, Scale]:
    rows = CheckIn.objects.filter(session__plan__in=list(cases), own_value__isnull=False)
    known: dict[str, Scale] = {}
    for row in rows.select_related("own_scale", "session").order_by("answered_at"):
        assert row.own_scale is not None
        known[row.own_scale.code] = row.own_scale
        cases[row.session.plan_id].own[row.own_scale.code] = float(row.own_value or 0)
    return known


def _add_events(cases: dict[int, Case]) -> None:
    rows = AdverseEvent.objects.filter(session__plan__in=list(cases))
    for row in rows.select_related("kind", "session").order_by("onset_at"):
        assert row.session is not None
        happened = Happened(row.kind.code, row.kind.name, row.grade)
        cases[row.session.plan_id].events.append(happened)
