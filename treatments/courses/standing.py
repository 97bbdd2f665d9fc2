"""How a course stands: each session done, booked or still to be booked, numbered by its date."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from treatments.courses.models import PlannedVisit
from treatments.courses.proposal import Window, due_after, within
from treatments.diary.models import Appointment
from treatments.diary.transitions import MOVABLE
from treatments.plans.course import Stretch, total
from treatments.plans.models import Phase, Plan
from treatments.plans.progress import days_words

DONE, BEGUN, BOOKED = "done", "begun", "booked"
WITH_VISIT = (
    "appointment__location",
    "appointment__practitioner",
    "appointment__room",
    "gap_allowed_by",
)


class Treated(NamedTuple):
    """A session begun or signed: its own number, its day, its appointment if it had one."""

    number: int
    on: date
    is_signed: bool
    appointment_id: int | None


@dataclass(frozen=True)
class Step:
    """One session of a course. `gap`: days since the one before; `due`: when it may lawfully be."""

    number: int
    state: str
    on: date
    appointment_id: int | None
    gap: int | None = None
    due: Window | None = None
    visit: PlannedVisit | None = None

    @property
    def is_lawful(self) -> bool:
        """Whether it lies within its gap."""
        return within(self.on, self.due)

    @property
    def is_allowed(self) -> bool:
        """Whether it is lawful or a practitioner said why not."""
        return self.is_lawful or (self.visit is not None and self.visit.gap_reason != "")

    @property
    def due_words(self) -> str:
        """`12 to 19 May`, or nothing."""
        return days_words(*self.due) if self.due else ""

    @property
    def clock(self) -> str:
        """The time it begins, on its location's clock; nothing once it was given."""
        if self.visit is None:
            return ""
        row = self.visit.appointment
        return f"{row.starts_at.astimezone(row.location.zone):%H:%M}"

    @property
    def who(self) -> str:
        """With whom it is booked."""
        return self.visit.appointment.practitioner.name if self.visit else ""

    @property
    def where(self) -> str:
        """In which room it is booked."""
        return self.visit.appointment.room.name if self.visit else ""

    @property
    def can_move(self) -> bool:
        """Whether its time is still open."""
        return self.visit is not None and self.visit.appointment.status in MOVABLE


@dataclass(frozen=True)
class Course:
    """A plan's sessions in order. The numbers go on past `total` where too many are booked."""

    plan: Plan
    phases: Sequence[Stretch]
    steps: list[Step]

    @property
    def total(self) -> int:
        """How many sessions the plan holds."""
        return total(self.phases)

    @property
    def left(self) -> int:
        """How many are neither done nor booked."""
        return max(0, self.total - len(self.steps))

    @property
    def treated(self) -> list[Step]:
        """Those done or begun."""
        return [step for step in self.steps if step.state != BOOKED]

    @property
    def booked(self) -> list[Step]:
        """Those to come."""
        return [step for step in self.steps if step.state == BOOKED]

    @property
    def due(self) -> Window | None:
        """When the session after the last one treated is due."""
        treated = self.treated
        if len(treated) >= self.total:
            return None
        return due_after(self.phases, len(treated) + 1, treated[-1].on if treated else None)

    @property
    def coming(self) -> Step | None:
        """The first of those to come."""
        return next(iter(self.booked), None)

    @property
    def outside(self) -> list[Step]:
        """Those to come outside their gap, which nobody has allowed."""
        return [step for step in self.booked if not step.is_allowed]

    @property
    def progress(self) -> str:
        """`3 of 6 done, 2 booked, 1 to book. Next due 12 to 19 May`; without clinical content."""
        done = sum(step.state == DONE for step in self.steps)
        parts = [
            _("%(done)s of %(total)s done") % {"done": done, "total": self.total},
            _("%(n)s booked") % {"n": len(self.booked)} if self.booked else "",
            _("%(n)s to book") % {"n": self.left} if self.left and self._is_open else "",
        ]
        if self._is_open and self.due:
            parts.append(_("next due %(days)s") % {"days": days_words(*self.due)})
        return ", ".join(part for part in parts if part)

    @property
    def _is_open(self) -> bool:
        return self.plan.state == Plan.State.ACCEPTED

    def step_of(self, appointment_id: int) -> Step | None:
        """The session that an appointment is."""
        return next((one for one in self.steps if one.appointment_id == appointment_id), None)

    def words(self, step: Step) -> str:
        """`3 of 6`."""
        return _("%(done)s of %(total)s") % {"done": step.number, "total": self.total}

    def title(self, step: Step) -> str:
        """`Session 3 of 6, due 12 to 19 May`, and whether it lies outside."""
        said = _("Session %(number)s of %(total)s") % {"number": step.number, "total": self.total}
        if step.number > self.total:
            return _("%(session)s: more than the plan holds") % {"session": said}
        if step.state != BOOKED or step.due is None:
            return said
        shape = (
            _("%(session)s, due %(days)s")
            if step.is_lawful
            else _("%(session)s, outside its gap: due %(days)s")
        )
        return shape % {"session": said, "days": days_words(*step.due)}


def numbered(
    phases: Sequence[Stretch],
    treated: Iterable[Treated],
    booked: Iterable[tuple[date, PlannedVisit]],
) -> list[Step]:
    """Sessions that took place keep their number; those booked follow in the order of their days.

    An appointment whose session has begun counts as that session alone.
    """
    steps: list[Step] = []
    for one in sorted(treated):
        state = DONE if one.is_signed else BEGUN
        steps.append(_step(phases, steps, state, one.number, one.on, one.appointment_id, None))
    used = {step.appointment_id for step in steps}
    free = [(on, visit) for on, visit in booked if visit.appointment_id not in used]
    for on, visit in sorted(free, key=lambda pair: (pair[1].appointment.starts_at, pair[1].pk)):
        number = steps[-1].number + 1 if steps else 1
        steps.append(_step(phases, steps, BOOKED, number, on, visit.appointment_id, visit))
    return steps


def _step(
    phases: Sequence[Stretch],
    steps: list[Step],
    state: str,
    number: int,
    on: date,
    appointment_id: int | None,
    visit: PlannedVisit | None,
) -> Step:
    before = steps[-1].on if steps else None
    due = due_after(phases, number, before)
    gap = (on - before).days if before else None
    return Step(number, state, on, appointment_id, gap, due, visit)


def course_of(plan: Plan, moving: Appointment | None = None) -> Course:
    """How one plan's course stands, or would with an appointment as it is given; three queries."""
    return courses_of([plan], moving)[plan.pk]


def courses_of(plans: Iterable[Plan], moving: Appointment | None = None) -> dict[int, Course]:
    """How the courses of some plans stand, by the plan's id; three queries in all."""
    known = {plan.pk: plan for plan in plans}
    phases: dict[int, list[Phase]] = defaultdict(list)
    for phase in Phase.objects.filter(plan__in=known):
        phases[phase.plan_id].append(phase)
    treated, booked = _treated(known), _booked(known, moving)
    return {
        pk: Course(plan, phases[pk], numbered(phases[pk], treated[pk], booked[pk]))
        for pk, plan in known.items()
    }


def _treated(plans: dict[int, Plan]) -> dict[int, list[Treated]]:
    """By the plan's own relation: sessions live in a room above this one."""
    found: dict[int, list[Treated]] = defaultdict(list)
    rows: Any = Plan._meta.get_field("sessions").related_model
    for one in rows.objects.filter(plan__in=plans).select_related("location"):
        on = one.started_at.astimezone(one.location.zone).date()
        found[one.plan_id].append(Treated(one.number, on, one.is_signed, one.appointment_id))
    return found


def _booked(
    plans: dict[int, Plan], moving: Appointment | None
) -> dict[int, list[tuple[date, PlannedVisit]]]:
    found: dict[int, list[tuple[date, PlannedVisit]]] = defaultdict(list)
    rows = PlannedVisit.objects.live().filter(plan__in=plans)
    for visit in rows.select_related(*WITH_VISIT):
        if moving is not None and visit.appointment_id == moving.pk:
            visit.appointment = moving
        found[visit.plan_id].append((day_of(visit.appointment), visit))
    return found


def day_of(appointment: Appointment) -> date:
    """The day of an appointment on its location's clock."""
    return appointment.starts_at.astimezone(appointment.location.zone).date()
