"""The one screen of a course: what is wished, what is proposed, and what was typed into it.

Everything typed comes back with each answer, so that the same page serves asking again, choosing
another time for one session, and taking it all. `slot-<row>` holds a row's time, `chosen` the rows
whose time was picked by hand, `reason-<row>` why one lies outside its gap. A row is named by its
session's number or, where it has an appointment, by that (`a7`). Times that are `gone` are dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import groupby
from typing import Any

from crispy_forms.layout import Div, Layout
from django.http import QueryDict
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from clinic.places.holidays import holidays_of
from clinic.places.models import Location
from treatments.courses.forms import MOST_AT_ONCE, WishForm, read_slot
from treatments.courses.openings import Openings
from treatments.courses.proposal import (
    PRACTITIONER,
    TIME_OF_DAY,
    WEEKDAY,
    Proposed,
    Task,
    Wish,
    places_for,
    propose,
)
from treatments.courses.standing import Course, Step
from treatments.diary.candidates import Wish as Reservation
from treatments.diary.candidates import choose
from treatments.diary.free import Free
from treatments.diary.models import Appointment, Service
from treatments.diary.visit import Visit
from treatments.plans.progress import days_words

DAYS_SHOWN = 7


@dataclass
class Row:
    """One session on the screen: done, booked, or with a time that is proposed."""

    number: int
    key: str
    step: Step | None = None
    proposed: Proposed | None = None
    ends: datetime | None = None
    room: str = ""
    is_chosen: bool = False
    reason: str = ""
    problem: str = ""
    was: Free | None = None
    remarks: list[str] = field(default_factory=list)
    others: list[tuple[date, list[Free]]] | None = None
    others_from: date | None = None

    @property
    def slot(self) -> Free | None:
        """The time proposed."""
        return self.proposed.slot if self.proposed else None

    @property
    def has_moved(self) -> bool:
        """Whether the time proposed is another than the one it has."""
        return self.was is None or (self.slot is not None and self.slot.value != self.was.value)

    @property
    def asks_reason(self) -> bool:
        """Whether its time lies outside the gap, so that somebody has to say why."""
        return bool(self.has_moved and self.slot and self.proposed and not self.proposed.is_lawful)


@dataclass
class Screen:
    """A course at one location, as one person sees it at one moment."""

    course: Course
    location: Location
    at: datetime
    data: QueryDict | None = None
    problems: Mapping[int, str] = field(default_factory=dict)
    gone: Collection[str] = ()
    new: list[int] = field(default_factory=list)

    @cached_property
    def today(self) -> date:
        return self.at.astimezone(self.location.zone).date()

    @cached_property
    def names(self) -> dict[int, str]:
        """Who could give the sessions here, by id."""
        people = Staff.objects.practising_at(self.location.pk)
        return dict(people.values_list("pk", "name"))

    @cached_property
    def form(self) -> WishForm:
        return WishForm(self.data, initial=self._initial, location=self.location, left=self.places)

    @property
    def places(self) -> int:
        """How many times are looked for."""
        return self.course.left

    @cached_property
    def _initial(self) -> dict[str, Any]:
        service = Service.objects.filter(is_active=True, kind=Service.Kind.SESSION).order_by("pk")
        return {
            "service": service.values_list("pk", flat=True).first(),
            "practitioner": str(self._usual_practitioner or "any"),
            "same": True,
            # The gap says when the next one is; a first one is seldom wanted at once.
            "first": self.today + timedelta(days=0 if self.course.steps else 1),
            "count": min(self.places, MOST_AT_ONCE),
        }

    @property
    def _usual_practitioner(self) -> int | None:
        """Who is booked already, else who made the plan, if they work here."""
        booked = [
            step.visit.appointment.practitioner_id for step in self.course.booked if step.visit
        ]
        known = [*booked[-1:], self.course.plan.made_by_id]
        return next((pk for pk in known if pk in self.names), None)

    @cached_property
    def values(self) -> dict[str, Any] | None:
        """What is wished; None where the form was filled in wrongly."""
        if self.data is None:
            blank: dict[str, Any] = {"weekdays": [], "parts": []}
            service = Service.objects.filter(pk=self._initial["service"]).first()
            practitioner = self._usual_practitioner
            found = self._initial | blank | {"service": service, "practitioner": practitioner}
            return found if service else None
        return self.form.cleaned_data if self.form.is_valid() else None

    @cached_property
    def wish(self) -> Wish:
        values = self.values or {}
        return Wish(
            first=max(values["first"], self.today),
            weekdays=frozenset(int(day) for day in values["weekdays"]),
            parts=frozenset(values["parts"]),
            practitioner_id=values["practitioner"],
            same=values["same"],
        )

    @cached_property
    def visit(self) -> Visit:
        return Visit.of_service((self.values or {})["service"])

    @cached_property
    def openings(self) -> Openings:
        return Openings(
            self.location,
            self.visit,
            self.course.plan.patient_id,
            self.at,
            practitioner_id=self.wish.practitioner_id,
        )

    @cached_property
    def chosen(self) -> set[str]:
        """The rows whose time was picked by hand."""
        return set(self.data.getlist("chosen")) if self.data else set()

    def typed_slot(self, key: str) -> Free | None:
        """The time that a row held when the page was sent."""
        text = self.data.get(f"slot-{key}", "") if self.data else ""
        return read_slot(text, self.location, self.names)

    @cached_property
    def task(self) -> Task:
        """What is to be found. A time picked by hand is fixed as long as it is free."""
        count = min((self.values or {}).get("count", 1), self.places, MOST_AT_ONCE)
        held, treated = self.course.booked, self.course.treated
        new = places_for(
            self.course.phases,
            [step.on for step in held],
            count,
            done=len(treated),
            before=treated[-1].on if treated else None,
            first=self.wish.first,
        )
        numbers = range(len(treated) + 1, len(treated) + len(held) + count + 1)
        theirs = iter(held)
        fixed = {number: slot_of(next(theirs)) for number in numbers if number not in new}
        picked = {number: slot for number in new if (slot := self._kept(number, by_hand=True))}
        kept = {number: slot for number in new if (slot := self._kept(number, by_hand=False))}
        if self.is_settled and picked:
            # Whoever picks a time expects the later sessions to follow, not the earlier ones.
            picked |= {number: slot for number, slot in kept.items() if number < max(picked)}
        self.new = new
        return Task(
            phases=self.course.phases,
            numbers=list(numbers),
            before=treated[-1].on if treated else None,
            wish=self.wish,
            free=self.openings,
            fixed=fixed | picked,
            kept=kept if self.is_settled else {},
            clock=self._usual_clock,
        )

    @property
    def is_settled(self) -> bool:
        """Whether the rows keep their times where they can: not after other wishes."""
        return self.data is not None and self.data.get("do") != "propose"

    def _kept(self, number: int, *, by_hand: bool) -> Free | None:
        key = str(number)
        if key in self.gone or (key in self.chosen) is not by_hand:
            return None
        slot = self.typed_slot(key)
        return slot if slot and self._is_free(slot) else None

    def _is_free(self, slot: Free) -> bool:
        day = slot.start.date()
        return slot in self.openings(day, day)[day]

    @property
    def _usual_clock(self) -> Any:
        booked = self.course.booked
        return slot_of(booked[-1]).start.time() if booked else None

    @cached_property
    def rows(self) -> list[Row]:
        """Every session of the course in order; those to be booked with the time proposed."""
        rows = [Row(step.number, key_of(step), step=step) for step in self.course.treated]
        if self.values is None or not self.places:
            return [*rows, *(Row(s.number, key_of(s), step=s) for s in self.course.booked)]
        booked = iter(self.course.booked)
        for one in propose(self.task, list(self.names)):
            if one.number in self.new:
                rows.append(self._row(one, str(one.number)))
            else:
                step = next(booked)
                rows.append(Row(one.number, key_of(step), step=renumbered(step, one)))
        return rows

    def _row(self, one: Proposed, key: str) -> Row:
        row = Row(
            one.number,
            key,
            proposed=one,
            is_chosen=key in self.chosen and one.is_fixed,
            reason=self.data.get(f"reason-{key}", "")[:300] if self.data else "",
            problem=self.problems.get(one.number, ""),
        )
        if one.slot:
            row.ends = one.slot.start + self.visit.shape.length
            row.room = self._room(one.slot)
        row.remarks = list(self._remarks(one))
        return row

    def _remarks(self, one: Proposed) -> Iterator[str]:
        """What is not as it was wished, or as the plan has it."""
        if not one.is_lawful:
            yield self._why_outside(one)
        if one.on and (named := self._holiday(one.on)):
            yield _("public holiday: %(name)s") % {"name": named}
        words = {
            WEEKDAY: _("not on a day that suits"),
            TIME_OF_DAY: _("not at a time that suits"),
            PRACTITIONER: _("another practitioner"),
        }
        yield from (words[missed] for missed in one.missed)

    def _holiday(self, day: date) -> str:
        """A public holiday on which this location is open all the same."""
        place = self.location
        days = holidays_of(place.country_id, place.holiday_region, day.year, get_language() or "")
        return days.get(day, "")

    def _why_outside(self, one: Proposed) -> str:
        named = {
            "days": days_words(*one.due) if one.due else "",
            "who": self.names.get(self.wish.practitioner_id or 0, ""),
        }
        if one.is_fixed:
            return _("Outside the gap: due %(days)s.") % named
        if one.due is None:
            return _("No time is free within four weeks.")
        if named["who"]:
            said = _("No time with %(who)s from %(days)s.") % named
        else:
            said = _("No time from %(days)s.") % named
        if one.slot is None:
            return _("%(nothing)s Nor is there one near that.") % {"nothing": said}
        return _("%(nothing)s This is the nearest outside the gap.") % {"nothing": said}

    def _room(self, slot: Free) -> str:
        """The room that the visit would get now; the booking chooses again."""
        wish = Reservation(
            self.location,
            self.course.plan.patient_id,
            slot.starts_at,
            self.visit,
            slot.practitioner_id,
            None,
        )
        try:
            return self._room_names.get(choose(wish).room, "")
        except ActionRefused:
            return ""

    @cached_property
    def _room_names(self) -> dict[int, str]:
        return dict(self.location.rooms.values_list("pk", "name"))

    def show_others(self, key: str, around: date | None) -> None:
        """Open a row's other times: the days of its gap, or a week from the day asked for."""
        row = next((row for row in self.rows if row.key == key and row.proposed), None)
        if row is None or row.proposed is None:
            return
        first, last = self._days_of(row.proposed, around)
        row.others_from = first
        row.others = [
            (day, _one_each(slots)) for day, slots in self.openings(first, last).items() if slots
        ]

    def _days_of(self, one: Proposed, around: date | None) -> tuple[date, date]:
        first = around or (one.due[0] if one.due else one.on) or self.wish.first
        first = max(first, self.today)
        last = first + timedelta(days=DAYS_SHOWN - 1)
        if around is None and one.due and first <= one.due[1] <= first + timedelta(days=13):
            last = one.due[1]
        return first, last


def _one_each(slots: Any) -> list[Free]:
    """Each time once, with the first who is free."""
    return [next(same) for _start, same in groupby(slots, key=lambda slot: slot.start)]


def key_of(step: Step) -> str:
    """Of a row that has its appointment."""
    return f"a{step.appointment_id}"


def slot_of(step: Step) -> Free:
    """The time that a booked session has."""
    assert step.visit is not None
    row = step.visit.appointment
    local = row.starts_at.astimezone(row.location.zone).replace(tzinfo=None)
    return Free(local, row.practitioner_id, "", row.starts_at)


def renumbered(step: Step, one: Proposed) -> Step:
    """A booked session as it will stand among those proposed."""
    return replace(step, number=one.number, due=one.due, gap=one.gap)


@dataclass
class MovingScreen(Screen):
    """The sessions to come around one that has moved, or is going to: it stays, the rest follow.

    `course` counts the appointment at its new time; `was` is where it stands as long as it has not
    moved yet, and `booked_as` what it needs.
    """

    appointment: Appointment | None = None
    booked_as: Visit | None = None
    was: Free | None = None

    @property
    def places(self) -> int:
        return 1

    @cached_property
    def form(self) -> WishForm:
        form = super().form
        del form.fields["service"]
        form.helper.layout = Layout(
            Div("practitioner", "first", css_class="form-row wish-who"),
            Div("weekdays", "parts", "same", css_class="form-row wish-when"),
        )
        return form

    @cached_property
    def visit(self) -> Visit:
        assert self.booked_as is not None
        return self.booked_as

    @cached_property
    def movable(self) -> dict[int, Step]:
        """The sessions whose time is open, by number."""
        return {
            step.number: step
            for step in self.course.booked
            if step.can_move
            and step.visit
            and step.visit.appointment.location_id == self.location.pk
        }

    @cached_property
    def openings(self) -> Openings:
        openings = super().openings
        openings.apart_from = [step.appointment_id or 0 for step in self.movable.values()]
        return openings

    @cached_property
    def task(self) -> Task:
        assert self.appointment is not None
        treated, booked = self.course.treated, self.course.booked
        fixed: dict[int, Free] = {}
        kept: dict[int, Free] = {}
        for step in booked:
            if step.appointment_id == self.appointment.pk or step.number not in self.movable:
                fixed[step.number] = slot_of(step)
            elif slot := self._kept_of(step, by_hand=True):
                fixed[step.number] = slot
            else:
                kept[step.number] = self._kept_of(step, by_hand=False) or slot_of(step)
        return Task(
            phases=self.course.phases,
            numbers=[step.number for step in booked],
            before=treated[-1].on if treated else None,
            wish=self.wish,
            free=self.openings,
            fixed=fixed,
            kept=kept,
            clock=self._usual_clock,
        )

    def _kept_of(self, step: Step, *, by_hand: bool) -> Free | None:
        key = key_of(step)
        if key in self.gone or (key in self.chosen) is not by_hand:
            return None
        slot = self.typed_slot(key) if by_hand or self.is_settled else None
        return slot if slot and self._is_free(slot) else None

    @cached_property
    def rows(self) -> list[Row]:
        rows = [Row(step.number, key_of(step), step=step) for step in self.course.treated]
        if self.values is None:
            return [*rows, *(Row(s.number, key_of(s), step=s) for s in self.course.booked)]
        for step, one in zip(self.course.booked, propose(self.task), strict=True):
            if step.number in self.movable:
                rows.append(self._moving_row(step, one))
            else:
                rows.append(Row(step.number, key_of(step), step=renumbered(step, one)))
        return rows

    def _moving_row(self, step: Step, one: Proposed) -> Row:
        assert self.appointment is not None
        row = self._row(self._named(one), key_of(step))
        row.was = slot_of(step)
        if step.appointment_id == self.appointment.pk and self.was is not None:
            row.was = self.was
        if not row.has_moved and step.visit:
            row.remarks = [] if step.visit.gap_reason else row.remarks
            row.room = self._room_names.get(step.visit.appointment.room_id, "")
        row.step = step
        return row

    def _named(self, one: Proposed) -> Proposed:
        if one.slot is None:
            return one
        name = self.names.get(one.slot.practitioner_id, "")
        return replace(one, slot=one.slot._replace(practitioner=name))
