"""Which free times make a lawful course. Pure: days and clock times of one location.

A gap counts calendar days, as the plan does, so the clocks may change in between. The search looks
back: where a choice leaves no lawful time for a later session, another day is taken for the earlier
one. Where none helps, the nearest time outside the gap is shown, and marked as that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta

from treatments.diary.free import Free
from treatments.plans.course import Stretch, gap_before

FIRST_WITHIN = 28
"""Days in which the first session of a course is looked for."""
OUTSIDE_WITHIN = 42
"""Days beyond the gap in which the nearest time is looked for."""
MOST_TRIES = 400
"""Days that the search looks at before it settles for what it has."""
NOON, EVENING = time(12), time(17)
WEEKDAY, TIME_OF_DAY, PRACTITIONER = "weekday", "time", "practitioner"

FreeTimes = Callable[[date, date], Mapping[date, Sequence[Free]]]
"""The free times from one day to another, both included, by day and in order of time."""
Window = tuple[date, date]


@dataclass(frozen=True)
class Wish:
    """What the person would like; an empty set means that all are equally good.

    `weekdays`: 0 is Monday. `parts`: morning (to 12:00), afternoon (to 17:00), evening. Nothing
    lies before `first`. `practitioner_id` None with `same`: one practitioner throughout, whoever.
    """

    first: date
    weekdays: frozenset[int] = frozenset()
    parts: frozenset[str] = frozenset()
    practitioner_id: int | None = None
    same: bool = False

    def missed_by(self, slot: Free) -> tuple[str, ...]:
        """Which wishes a time does not meet."""
        missed = []
        if self.weekdays and slot.start.weekday() not in self.weekdays:
            missed.append(WEEKDAY)
        if self.parts and part_of_day(slot.start.time()) not in self.parts:
            missed.append(TIME_OF_DAY)
        if self.practitioner_id not in (None, slot.practitioner_id):
            missed.append(PRACTITIONER)
        return tuple(missed)


def part_of_day(at: time) -> str:
    """`morning` before 12:00, `afternoon` before 17:00, else `evening`."""
    return "morning" if at < NOON else "afternoon" if at < EVENING else "evening"


@dataclass(frozen=True)
class Proposed:
    """A time for one session. `slot` None: there is none, not even outside the gap.

    `due`: first and last lawful day after the session before, None for the first. `gap`: days since
    that session. `missed`: wishes not met. `is_fixed`: was given, not searched.
    """

    number: int
    slot: Free | None
    due: Window | None = None
    gap: int | None = None
    missed: tuple[str, ...] = ()
    is_fixed: bool = False

    @property
    def on(self) -> date | None:
        """The day."""
        return self.slot.start.date() if self.slot else None

    @property
    def is_lawful(self) -> bool:
        """Whether it lies within the gap."""
        return self.on is not None and within(self.on, self.due)


def within(day: date, due: Window | None) -> bool:
    """Whether a day is due; every day is where nothing came before."""
    return due is None or due[0] <= day <= due[1]


def due_after(phases: Sequence[Stretch], number: int, before: date | None) -> Window | None:
    """First and last day of session `number` after one on `before`; None: any day will do."""
    gap = gap_before(phases, number)
    if gap is None or before is None:
        return None
    return before + timedelta(days=gap[0]), before + timedelta(days=gap[1])


@dataclass(frozen=True)
class Task:
    """What is to be found: times for the sessions `numbers`, one after the other.

    `before` is the day of the session ahead of them. `fixed` have their time already; `kept` would
    rather keep the one they have. `clock` is the time of day to stay near to.
    """

    phases: Sequence[Stretch]
    numbers: Sequence[int]
    before: date | None
    wish: Wish
    free: FreeTimes
    fixed: Mapping[int, Free] = field(default_factory=dict)
    kept: Mapping[int, Free] = field(default_factory=dict)
    clock: time | None = None


def propose(task: Task, people: Iterable[int] = ()) -> list[Proposed]:
    """A time for each session of a task, in order; the same task has always the same answer.

    `people` are those whom `wish.same` may choose from.
    """
    wish = task.wish
    if not wish.same or wish.practitioner_id is not None:
        return _complete(task)
    with_anyone = _complete(task)
    choices = [_complete(_only_with(task, person)) for person in people]
    best = min(choices, key=_shortcomings, default=with_anyone)
    return best if _failures(best) <= _failures(with_anyone) else _marked(with_anyone)


def _only_with(task: Task, person: int) -> Task:
    def theirs(first: date, last: date) -> dict[date, list[Free]]:
        found = task.free(first, last)
        return {
            day: [one for one in slots if one.practitioner_id == person]
            for day, slots in found.items()
        }

    return replace(task, free=theirs)


def _failures(found: list[Proposed]) -> tuple[int, int]:
    return (
        sum(one.slot is None for one in found),
        sum(not one.is_lawful for one in found if not one.is_fixed),
    )


def _shortcomings(found: list[Proposed]) -> tuple[int, int, int, list[str]]:
    """Less is better; at last the earlier course."""
    missed = sum(len(one.missed) for one in found)
    return *_failures(found), missed, [one.slot.value if one.slot else "~" for one in found]


def _marked(found: list[Proposed]) -> list[Proposed]:
    """Whoever is not the one who has most of them is not the same."""
    have = [one.slot.practitioner_id for one in found if one.slot]
    usual = max(sorted(set(have)), key=have.count, default=None)
    return [
        replace(one, missed=(*one.missed, PRACTITIONER))
        if one.slot and not one.is_fixed and one.slot.practitioner_id != usual
        else one
        for one in found
    ]


def _complete(task: Task) -> list[Proposed]:
    """As far as it goes within the gaps, then one step outside, and on."""
    found: list[Proposed] = []
    before, clock = task.before, task.clock
    while len(found) < len(task.numbers):
        search = _Search(task, found, before, clock)
        found += search.within_gaps()
        if found:
            before, clock = _after(found[-1], before, clock)
        if len(found) < len(task.numbers):
            found.append(_outside(task, task.numbers[len(found)], before, clock))
            before, clock = _after(found[-1], before, clock)
    return found


def _after(
    last: Proposed, before: date | None, clock: time | None
) -> tuple[date | None, time | None]:
    if last.slot is None:
        return (last.due[1] if last.due else before), clock
    return last.on, last.slot.start.time()


class _Search:
    """Depth first over the days of each gap, the most wished first."""

    def __init__(
        self, task: Task, found: list[Proposed], before: date | None, clock: time | None
    ) -> None:
        self.task = task
        self.numbers = task.numbers[len(found) :]
        self.before, self.clock = before, clock
        self.longest: list[Proposed] = []
        self.hopeless: set[tuple[int, date | None]] = set()
        self.tries = 0

    def within_gaps(self) -> list[Proposed]:
        """The whole rest of the course, or the longest beginning of it."""
        self._extend([], self.before, self.clock)
        return self.longest

    def _extend(self, path: list[Proposed], before: date | None, clock: time | None) -> bool:
        if len(path) > len(self.longest):
            self.longest = list(path)
        if len(path) == len(self.numbers):
            return True
        state = (len(path), before)
        if state in self.hopeless:
            return False
        for one in self._candidates(self.numbers[len(path)], before, clock):
            self.tries += 1
            if self.tries > MOST_TRIES:
                return False
            assert one.slot is not None
            if self._extend([*path, one], one.on, one.slot.start.time()):
                return True
        self.hopeless.add(state)
        return False

    def _candidates(
        self, number: int, before: date | None, clock: time | None
    ) -> Iterator[Proposed]:
        task, due = self.task, due_after(self.task.phases, number, before)
        if number in task.fixed:
            one = _proposed(task, number, task.fixed[number], before)
            if one.is_lawful:
                yield one
            return
        first, last = due or (task.wish.first, task.wish.first + timedelta(days=FIRST_WITHIN))
        first = max(first, task.wish.first)
        kept = task.kept.get(number)
        if kept and first <= kept.start.date() <= last:
            yield _proposed(task, number, kept, before)
        if first <= last:
            yield from _by_wish(task, number, (first, last), before, clock)


def _by_wish(
    task: Task, number: int, days: Window, before: date | None, clock: time | None
) -> list[Proposed]:
    """The best time of each day: fewest wishes missed, then nearest to the day aimed at."""
    aim = _aim(task.phases, number, before) or days[0]
    free = task.free(*days)
    best = [
        _proposed(task, number, _best_of(task.wish, free[day], clock), before)
        for day in sorted(free)
        if free[day]
    ]
    return sorted(best, key=lambda one: (len(one.missed), abs((one.on or aim) - aim), one.on))


def _aim(phases: Sequence[Stretch], number: int, before: date | None) -> date | None:
    """Whole weeks after the one before, where the gap holds one; else its middle."""
    gap = gap_before(phases, number)
    if gap is None or before is None:
        return None
    weeks = -(-gap[0] // 7) * 7
    return before + timedelta(days=weeks if weeks <= gap[1] else sum(gap) // 2)


def _best_of(wish: Wish, slots: Sequence[Free], clock: time | None) -> Free:
    def unwanted(slot: Free) -> tuple[int, int, Free]:
        return len(wish.missed_by(slot)), _minutes_between(slot.start.time(), clock), slot

    return min(slots, key=unwanted)


def _minutes_between(at: time, clock: time | None) -> int:
    if clock is None:
        return 0
    return abs(at.hour * 60 + at.minute - clock.hour * 60 - clock.minute)


def _proposed(task: Task, number: int, slot: Free, before: date | None) -> Proposed:
    return Proposed(
        number,
        slot,
        due=due_after(task.phases, number, before),
        gap=(slot.start.date() - before).days if before else None,
        missed=() if number in task.fixed else task.wish.missed_by(slot),
        is_fixed=number in task.fixed,
    )


def _outside(task: Task, number: int, before: date | None, clock: time | None) -> Proposed:
    """The time nearest to the gap, later rather than earlier; none where nothing is free."""
    if number in task.fixed:
        return _proposed(task, number, task.fixed[number], before)
    due = due_after(task.phases, number, before)
    first, last = due or (task.wish.first, task.wish.first + timedelta(days=FIRST_WITHIN))
    earliest = max(task.wish.first, before + timedelta(days=1) if before else task.wish.first)
    earliest = max(earliest, first - timedelta(days=OUTSIDE_WITHIN))
    latest = max(last, earliest) + timedelta(days=OUTSIDE_WITHIN)

    def distance(day: date) -> tuple[timedelta, bool]:
        return max(first - day, day - last, timedelta(0)), day < first

    days = {day: slots for day, slots in task.free(earliest, latest).items() if slots}
    if not days:
        return Proposed(number, None, due=due)
    slot = _best_of(task.wish, days[min(days, key=distance)], clock)
    return _proposed(task, number, slot, before)


def places_for(
    phases: Sequence[Stretch],
    held: Sequence[date],
    count: int,
    *,
    done: int,
    before: date | None,
    first: date,
) -> list[int]:
    """The numbers that `count` new sessions take among the days `held` by others after `done`.

    A new one goes where the next day held is later than its session is due and leaves room for
    another before it; the rest go to the end. Days are sorted, the earliest first.
    """
    taken: list[int] = []
    number, last = done + 1, before
    for day in held:
        while len(taken) < count and _has_hole(phases, number, last, day, first):
            due = due_after(phases, number, last)
            assert due is not None
            taken.append(number)
            number, last = number + 1, max(due[0], first)
        number, last = number + 1, day
    return [*taken, *range(number, number + count - len(taken))]


def _has_hole(
    phases: Sequence[Stretch], number: int, last: date | None, day: date, first: date
) -> bool:
    due = due_after(phases, number, last)
    if due is None or day <= due[1]:
        return False
    following = due_after(phases, number + 1, max(due[0], first))
    return following is not None and following[0] <= day
