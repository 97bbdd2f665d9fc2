"""The diary against a naive model that looks at every minute: whatever is done to it, the database
holds what the model holds.

Two locations, in Paris and in New York, on days around the change of their clocks; one practitioner
works at both. Each run is one transaction that is rolled back at its end.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from clinic.access.models import Staff
from clinic.access.permissions import Role
from clinic.errors import ActionRefused
from clinic.places.models import DayHours, Device, Location, LocationDay, Room, WorkingHours
from patients.registry.models import Patient
from tests.conftest import make_location, make_patient, make_staff
from treatments.diary import actions, blocks
from treatments.diary.blocks import Stranding
from treatments.diary.models import Appointment, Block, Service
from treatments.diary.slots import NoSuchTimeError, instant

BEFORE_ALL = datetime(2026, 1, 1, tzinfo=UTC)
LONG_AFTER = datetime(2027, 1, 1, tzinfo=UTC)
DAYS = [
    (date(2026, 10, 24), date(2026, 10, 25)),  # Paris goes back in the night between
    (date(2026, 10, 31), date(2026, 11, 1)),  # New York goes back
    (date(2026, 3, 28), date(2026, 3, 29)),  # Paris goes forward
    (date(2026, 3, 7), date(2026, 3, 8)),  # New York goes forward
]
NIGHT, MORNING, AFTERNOON = (
    [time(minutes // 60, minutes % 60) for minutes in range(first, last, 15)]
    for first, last in ((30, 225), (525, 660), (840, 990))
)
"""The night in which clocks change, a morning, and a Paris afternoon that is a New York morning."""
HOURS = [
    ((0, 6), (22, 23)),
    ((6, 22),),
    ((9, 12),),
    ((8, 10), (10, 12)),
    ((15, 20),),
    (),
    None,
]
"""Of a person: rows of whole hours; none at all; no longer any entry."""
PHASES = (Phase.generate, Phase.shrink)
OUTCOMES: Counter[str] = Counter()
"""How often each action did what was asked and how often it refused, over all runs."""
USUAL = {"consultation": (30, 0, 0), "session": (60, 20, 15), "review": (15, 0, 5)}
SHAPES = [(15, 0, 0), (30, 0, 15), (45, 20, 10), (60, 20, 15), (90, 45, 0), (120, 30, 60)]


@dataclass
class World:
    """Everything that stays the same over all runs."""

    places: list[Location]
    staff: list[Staff]
    works_at: dict[int, set[int]]
    rooms: list[Room]
    devices: list[Device]
    services: list[Service]
    patients: list[Patient]


def make_world() -> World:
    paris = make_location("Paris")
    york = make_location("New York", "America/New_York", "US")
    Room.objects.filter(location=paris).last().delete()
    Room.objects.filter(location=york).last().delete()
    Room.objects.create(location=paris, name="Paris C", kind=Room.Kind.CONSULTATION)
    staff = [
        make_staff("Ada", Role.PRACTITIONER, paris),
        make_staff("Bea", Role.PRACTITIONER, paris, york),
        make_staff("Cam", Role.PRACTITIONER, york),
    ]
    for place in (paris, york):
        Device.objects.create(
            location=place, kind="mesogun", make="Gun", model="", serial_number=place.name
        )
    for kind, (minutes, before, after) in USUAL.items():
        Service.objects.create(
            kind=kind,
            name_en=kind,
            name_fr=kind,
            minutes=minutes,
            before_minutes=before,
            after_minutes=after,
            room_kind="treatment" if kind == "session" else "",
            device_kind="mesogun" if kind == "session" else "",
        )
    return World(
        [paris, york],
        staff,
        {
            place.pk: set(place.memberships.values_list("staff", flat=True))
            for place in (paris, york)
        },
        list(Room.objects.order_by("name")),
        list(Device.objects.order_by("pk")),
        list(Service.objects.filter(kind__in=USUAL).order_by("pk")),
        [make_patient(paris, f"Ana{number}", "López") for number in range(3)],
    )


def minute_of(moment: datetime) -> int:
    """Minutes since 1970."""
    return int(moment.timestamp()) // 60


@cache
def on_the_clock(zone: ZoneInfo, minute: int) -> tuple[date, time]:
    """What the clock on the wall shows in a minute."""
    local = datetime.fromtimestamp(minute * 60, zone)
    return local.date(), local.time()


@dataclass(frozen=True)
class Row:
    """An appointment as the model sees it; `begin` in minutes since 1970."""

    place: int
    patient: int
    practitioner: int
    room: int
    device: int | None
    service: int
    begin: int
    shape: tuple[int, int, int]
    status: str = "booked"
    over: bool = False

    @property
    def live(self) -> bool:
        return self.status not in ("cancelled", "no_show")

    def minutes(self, kind: str) -> set[int]:
        """Every minute in which the visit needs its patient, practitioner, room or device."""
        length, before, after = self.shape
        first = self.begin + (before if kind in ("practitioner", "device") else 0)
        last = self.begin + length + (after if kind in ("room", "device") else 0)
        return set(range(first, last))


@dataclass
class Model:
    """What must be in the database."""

    opens: dict[int, tuple[time, time]]
    rows: dict[int, Row] = field(default_factory=dict)
    blocks: dict[int, tuple[str, int, set[int]]] = field(default_factory=dict)
    weekly: dict[tuple[int, int], dict[int, Any]] = field(default_factory=dict)
    single: dict[tuple[int, int, date], Any] = field(default_factory=dict)
    days: dict[tuple[int, date], tuple[time, time] | None] = field(default_factory=dict)
    allows_overlap: bool = False

    def taken(self, row: Row, kind: str, pk: int | None, apart_from: int = 0) -> bool:
        """Whether a live visit has this person or thing in any minute in which `row` needs it."""
        return pk is not None and any(
            getattr(other, kind) == pk and other.minutes(kind) & row.minutes(kind)
            for number, other in self.rows.items()
            if other.live and number != apart_from
        )

    def blocked(self, row: Row, kind: str, pk: int | None) -> bool:
        span = row.minutes("patient" if kind == "place" else kind)
        return any(b[0] == kind and b[1] == pk and b[2] & span for b in self.blocks.values())

    def works(self, row: Row, staff: int, zone: ZoneInfo) -> bool:
        return all(
            self._works_in(staff, row.place, *on_the_clock(zone, minute))
            for minute in row.minutes("practitioner")
        )

    def _works_in(self, staff: int, place: int, day: date, clock: time) -> bool:
        weekly = self.weekly.get((staff, place))
        rows = weekly.get(day.weekday(), ()) if weekly else None
        rows = self.single.get((staff, place, day), rows)
        return rows is None or any(first <= clock < last for first, last in rows)

    def is_open(self, row: Row, zone: ZoneInfo) -> bool:
        """Every minute in the hours of the day on which it starts."""
        day, _clock = on_the_clock(zone, row.begin)
        hours = self.days.get((row.place, day), self.opens[row.place])
        shown = (on_the_clock(zone, minute) for minute in row.minutes("patient"))
        return hours is not None and all(
            on == day and hours[0] <= clock < hours[1] for on, clock in shown
        )


WHERE = st.integers(0, 1)
WHICH = st.integers(0, 30)
DOCTOR = st.sampled_from([None, None, *range(7)])
ROOM = st.sampled_from([None, None, None, 0, 1, 2])
CLOCK = st.integers(0, 63)
"""Which of the times that the run is about."""


class DiaryMachine(RuleBasedStateMachine):
    """One run: a transaction, in which each rule is done to the diary and to the model."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    @initialize(days=st.sampled_from(DAYS), night=st.booleans(), lenient=st.booleans())
    def begin(self, days: tuple[date, date], night: bool, lenient: bool) -> None:
        hours = (time(0), time(23, 45)) if night else (time(6), time(22))
        self.days = days
        self.clocks = [*(NIGHT if night else AFTERNOON), *MORNING]
        self.places = {place.pk: place for place in self.world.places}
        for place in self.world.places:
            place.opens_at, place.closes_at = hours
            place.allows_overlap = lenient
            place.save()
        self.services = [replace_service(s, USUAL[s.kind]) for s in self.world.services]
        self.model = Model(dict.fromkeys(self.places, hours), allows_overlap=lenient)

    # ---- what is asked for ---------------------------------------------------------------------

    def moment(self, place: Location, day: int, clock: int) -> datetime | None:
        try:
            at = self.clocks[clock % len(self.clocks)]
            return instant(self.days[day], at, place.zone)
        except NoSuchTimeError:
            return None

    def doctor(self, place: Location, which: int | None) -> int:
        """0 for any; mostly one who works there."""
        if which is None:
            return 0
        here = [staff for staff in self.world.staff if staff.pk in self.world.works_at[place.pk]]
        return [*here, *here, *self.world.staff][which].pk

    def candidates(self, wish: Row, wanted: Row, apart_from: int = 0) -> dict[str, dict[int, bool]]:
        """kind -> id -> whether it is free, of all that come into question, in their order."""
        place, service = self.places[wish.place], self.service(wish.service)
        model, zone = self.model, place.zone

        def free(kind: str, pk: int) -> bool:
            return not (model.taken(wish, kind, pk, apart_from) or model.blocked(wish, kind, pk))

        return {
            "practitioner": {
                staff.pk: free("practitioner", staff.pk) and model.works(wish, staff.pk, zone)
                for staff in self.world.staff
                if staff.pk in self.world.works_at[place.pk]
            },
            "room": {
                room.pk: free("room", room.pk)
                for room in self.world.rooms
                if room.location_id == place.pk
                and (service.room_kind in ("", room.kind) or room.pk == wanted.room)
            },
            "device": {
                device.pk: free("device", device.pk)
                for device in self.world.devices
                if device.location_id == place.pk and service.device_kind == device.kind
            },
        }

    def service(self, pk: int) -> Service:
        return next(service for service in self.services if service.pk == pk)

    def expected(self, wish: Row, over: bool, apart_from: int = 0) -> Row | None:
        """The row that must come of a wish (0 for any), or None where it must be refused."""
        model, place = self.model, self.places[wish.place]
        if over and not model.allows_overlap:
            return None
        if model.taken(wish, "patient", wish.patient, apart_from):
            return None
        shut = model.blocked(wish, "place", place.pk) or not model.is_open(wish, place.zone)
        if shut and not over:
            return None
        known = self.candidates(wish, wish, apart_from)
        chosen: dict[str, int | None] = {"device": None}
        for kind in ("practitioner", "room", "device"):
            if kind == "device" and not self.service(wish.service).device_kind:
                continue
            wanted = getattr(wish, kind) or 0
            free = [pk for pk, is_free in known[kind].items() if is_free and wanted in (0, pk)]
            if wanted and wanted not in known[kind]:
                return None
            if free:
                chosen[kind] = free[0]
            elif over and known[kind]:
                chosen[kind] = wanted or next(iter(known[kind]))
            else:
                return None
        return replace(wish, over=over, **chosen)

    # ---- the rules -----------------------------------------------------------------------------

    @rule(
        where=WHERE,
        who=st.integers(0, 2),
        what=st.integers(0, 2),
        day=WHERE,
        clock=CLOCK,
        doctor=DOCTOR,
        room=ROOM,
        over=st.sampled_from([False, False, False, True]),
    )
    def book(
        self,
        where: int,
        who: int,
        what: int,
        day: int,
        clock: int,
        doctor: int | None,
        room: int | None,
        over: bool,
    ) -> None:
        place, service = self.world.places[where], self.services[what]
        starts_at = self.moment(place, day, clock)
        if starts_at is None:
            return
        wish = Row(
            place.pk,
            self.world.patients[who].pk,
            self.doctor(place, doctor),
            0 if room is None else self.world.rooms[room].pk,
            None,
            service.pk,
            minute_of(starts_at),
            (service.minutes, service.before_minutes, service.after_minutes),
        )
        expected = self.expected(wish, over)
        made = done(
            actions.book,
            by=None,
            location=self.places[place.pk],
            patient=self.world.patients[who],
            service=service,
            starts_at=starts_at,
            practitioner=wish.practitioner or None,
            room=wish.room or None,
            overlap_reason="on purpose" if over else "",
            at=BEFORE_ALL,
        )
        assert (made is None) == (expected is None), (made, expected, wish)
        if made is not None and expected is not None:
            self.model.rows[made.pk] = expected

    @rule(where=WHERE, who=st.integers(0, 2), what=st.integers(0, 2), day=WHERE, clock=CLOCK)
    def book_with_anyone(self, where: int, who: int, what: int, day: int, clock: int) -> None:
        self.book(where, who, what, day, clock, None, None, False)

    def some_row(self, which: int) -> tuple[int, Row, Appointment]:
        pk = sorted(self.model.rows)[which % len(self.model.rows)]
        return pk, self.model.rows[pk], Appointment.objects.get(pk=pk)

    @precondition(lambda self: self.model.rows)
    @rule(
        which=WHICH,
        day=WHERE,
        clock=CLOCK,
        doctor=DOCTOR,
        minutes=st.sampled_from([None, None, 5, 15, 30, 60, 120]),
        over=st.sampled_from([False, False, False, True]),
    )
    def move(
        self,
        which: int,
        day: int,
        clock: int,
        doctor: int | None,
        minutes: int | None,
        over: bool,
    ) -> None:
        row = self.some_row(which)[1]
        place = self.places[row.place]
        starts_at = self.moment(place, day, clock)
        if starts_at is not None:
            self.moved(which, starts_at, self.doctor(place, doctor), minutes, over)

    def moved(
        self, which: int, starts_at: datetime, doctor: int, minutes: int | None, over: bool
    ) -> None:
        pk, row, appointment = self.some_row(which)
        length, before, after = row.shape
        if minutes is not None:
            length, before = minutes, min(before, max(0, minutes - 5))
        wish = replace(
            row,
            begin=minute_of(starts_at),
            shape=(length, before, after),
            practitioner=doctor,
            room=0,
            device=None,
        )
        expected = self.expected(wish, over, apart_from=pk)
        if row.status not in ("booked", "confirmed"):
            expected = None
        moved = done(
            actions.move,
            by=None,
            appointment=appointment,
            starts_at=starts_at,
            practitioner=wish.practitioner or None,
            minutes=minutes,
            overlap_reason="on purpose" if over else "",
            at=BEFORE_ALL,
        )
        assert (moved is None) == (expected is None), (moved, expected, wish)
        if expected is not None:
            status = row.status if expected.begin == row.begin else "booked"
            self.model.rows[pk] = replace(expected, status=status)

    @precondition(lambda self: self.model.rows)
    @rule(which=WHICH, by=st.sampled_from([-60, -30, -15, 15, 30, 60]))
    def shift(self, which: int, by: int) -> None:
        """By a little: its own time is free for it."""
        _pk, row, appointment = self.some_row(which)
        starts_at = appointment.starts_at + timedelta(minutes=by)
        self.moved(which, starts_at, row.practitioner, None, over=False)

    @precondition(lambda self: self.model.rows)
    @rule(which=WHICH)
    def cancel(self, which: int) -> None:
        pk, row, appointment = self.some_row(which)
        gone = done(actions.cancel, by=None, appointment=appointment, reason="ill")
        allowed = row.status in ("booked", "confirmed", "arrived", "cancelled")
        assert (gone is not None) == allowed
        if allowed:
            self.model.rows[pk] = replace(row, status="cancelled")

    @precondition(lambda self: any(not row.live for row in self.model.rows.values()))
    @rule(which=WHICH)
    def reinstate(self, which: int) -> None:
        given_up = sorted(pk for pk, row in self.model.rows.items() if not row.live)
        pk = given_up[which % len(given_up)]
        row = self.model.rows[pk]
        back = done(
            actions.set_status,
            by=None,
            appointment=Appointment.objects.get(pk=pk),
            status="booked",
        )
        assert (back is not None) == self.comes_back(pk, row)
        if back is not None:
            self.model.rows[pk] = replace(row, status="booked")

    def comes_back(self, pk: int, row: Row) -> bool:
        """A cancelled visit only to free time; a missed one also beside what was booked over."""
        model = self.model
        missed = row.status == "no_show"
        if missed:  # what is on purpose, itself or the other, is in no constraint
            guarded = {n: r for n, r in model.rows.items() if not r.over}
            model = replace(model, rows={} if row.over else guarded)
        things = [("practitioner", row.practitioner), ("room", row.room), ("device", row.device)]
        if self.model.taken(row, "patient", row.patient, pk):
            return False
        if any(model.taken(row, kind, thing, pk) for kind, thing in things):
            return False
        if missed and row.over:
            return True
        return not any(model.blocked(row, *thing) for thing in [*things, ("place", row.place)])

    @precondition(lambda self: any(row.live for row in self.model.rows.values()))
    @rule(
        which=WHICH, status=st.sampled_from(["confirmed", "arrived", "no_show", "in_room", "done"])
    )
    def goes_on(self, which: int, status: str) -> None:
        """Along the way of the day, however its time has been blocked since."""
        follows = {
            "booked": ("confirmed", "arrived", "no_show"),
            "confirmed": ("arrived", "no_show", "confirmed"),
            "arrived": ("in_room", "done", "confirmed", "arrived"),
            "in_room": ("done", "arrived", "in_room"),
            "done": ("in_room", "done"),
        }
        live = sorted(pk for pk, row in self.model.rows.items() if row.live)
        pk = live[which % len(live)]
        row = self.model.rows[pk]
        gone = done(
            actions.set_status,
            by=None,
            appointment=Appointment.objects.get(pk=pk),
            status=status,
            at=LONG_AFTER,
        )
        assert (gone is not None) == (status in follows[row.status])
        if gone is not None:
            self.model.rows[pk] = replace(row, status=status)

    @rule(
        what=st.sampled_from(["practitioner", "room", "device", "room", "place", "leave"]),
        which=WHICH,
        where=WHERE,
        day=WHERE,
        clock=CLOCK,
        minutes=st.sampled_from([15, 30, 60, 240]),
        although=st.sampled_from([False, False, True]),
    )
    def block(
        self, what: str, which: int, where: int, day: int, clock: int, minutes: int, although: bool
    ) -> None:
        """A pause, a room or device out of service, a closed location; a leave is a whole day."""
        place = self.places[self.world.places[where].pk]
        starts_at = self.moment(place, day, clock)
        if what == "leave":
            starts_at, minutes = instant(self.days[day], time(), place.zone), 24 * 60
        if starts_at is None:
            return
        kind = "practitioner" if what == "leave" else what
        named = {
            "practitioner": ("staff", self.world.staff),
            "room": ("room", [r for r in self.world.rooms if r.location_id == place.pk]),
            "device": ("device", [d for d in self.world.devices if d.location_id == place.pk]),
            "place": ("", [place]),
        }
        argument, things = named[kind]
        thing = things[which % len(things)]
        first = minute_of(starts_at)
        span = set(range(first, first + minutes))
        stranded = {
            pk for pk, row in self.model.rows.items() if self.lies_in(row, kind, thing.pk, span)
        }
        wish: dict[str, Any] = {argument: thing} if argument else {}
        made, found = blocked(
            location=place,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=minutes),
            although_booked=although,
            **wish,
        )
        if made is None:
            assert found == stranded
            assert not although
            return
        assert although or not stranded
        self.model.blocks[made.pk] = (kind, thing.pk, span)

    def lies_in(self, row: Row, kind: str, pk: int, span: set[int]) -> bool:
        if not row.live or row.status == "done" or getattr(row, kind) != pk:
            return False
        return bool(row.minutes("patient" if kind == "place" else kind) & span)

    @precondition(lambda self: self.model.blocks)
    @rule(which=WHICH)
    def unblock(self, which: int) -> None:
        pk = sorted(self.model.blocks)[which % len(self.model.blocks)]
        blocks.unblock(by=self.world.staff[0], block=Block.objects.get(pk=pk))
        del self.model.blocks[pk]

    @rule(what=st.integers(0, 2), shape=st.sampled_from(SHAPES))
    def change_duration(self, what: int, shape: tuple[int, int, int]) -> None:
        """Of a service: what is booked keeps its own."""
        replace_service(self.services[what], shape)

    @rule(who=st.integers(0, 2), where=WHERE, hours=st.sampled_from(HOURS))
    def weekly_hours(self, who: int, where: int, hours: Any) -> None:
        """On both weekdays of the run; a person has them at one location at a time."""
        staff = self.world.staff[who]
        WorkingHours.objects.filter(staff=staff).delete()
        for place in self.places:
            self.model.weekly.pop((staff.pk, place), None)
        if not hours:
            return
        place = self.world.places[where].pk
        weekly: dict[int, Any] = {}
        for day in self.days:
            weekly[day.weekday()] = [(time(first), time(last)) for first, last in hours]
            for first, last in weekly[day.weekday()]:
                WorkingHours.objects.create(
                    staff=staff,
                    location_id=place,
                    weekday=day.weekday(),
                    starts_at=first,
                    ends_at=last,
                )
        self.model.weekly[staff.pk, place] = weekly

    @rule(
        who=st.integers(0, 2),
        where=WHERE,
        day=WHERE,
        hours=st.sampled_from([hours for hours in HOURS if hours is None or len(hours) < 2]),
    )
    def hours_of_a_day(self, who: int, where: int, day: int, hours: Any) -> None:
        key = (self.world.staff[who].pk, self.world.places[where].pk, self.days[day])
        named = dict(zip(("staff_id", "location_id", "day"), key, strict=True))
        DayHours.objects.filter(**named).delete()
        self.model.single.pop(key, None)
        if hours is None:
            return
        rows = [(time(first), time(last)) for first, last in hours]
        bounds = dict(zip(("starts_at", "ends_at"), rows[0], strict=True)) if rows else {}
        DayHours.objects.create(**named, **bounds)
        self.model.single[key] = rows

    @rule(
        where=WHERE,
        day=WHERE,
        hours=st.sampled_from(["usual", "closed", (0, 23), (6, 12), (9, 17)]),
    )
    def day_of_a_location(self, where: int, day: int, hours: Any) -> None:
        key = (self.world.places[where].pk, self.days[day])
        LocationDay.objects.filter(location_id=key[0], day=key[1]).delete()
        self.model.days.pop(key, None)
        if hours == "usual":
            return
        bounds = None if hours == "closed" else (time(hours[0]), time(hours[1]))
        opens, closes = bounds or (None, None)
        LocationDay.objects.create(location_id=key[0], day=key[1], opens_at=opens, closes_at=closes)
        self.model.days[key] = bounds

    # ---- the proof -----------------------------------------------------------------------------

    @invariant()
    def the_database_is_the_model(self) -> None:
        if not hasattr(self, "model"):
            return
        assert {row.pk: seen(row) for row in Appointment.objects.all()} == self.model.rows
        assert set(Block.objects.values_list("pk", flat=True)) == set(self.model.blocks)

    @invariant()
    def nothing_is_held_twice_but_on_purpose(self) -> None:
        if not hasattr(self, "model"):
            return
        live = [row for row in self.model.rows.values() if row.live]
        for kind in ("patient", "practitioner", "room", "device"):
            held: set[tuple[int, int]] = set()
            for row in live:
                thing = getattr(row, kind)
                if thing is None or (row.over and kind != "patient"):
                    continue
                mine = {(thing, minute) for minute in row.minutes(kind)}
                assert not mine & held
                held |= mine


def replace_service(service: Service, shape: tuple[int, int, int]) -> Service:
    service.minutes, service.before_minutes, service.after_minutes = shape
    service.save()
    return service


def done(action: Any, **wish: Any) -> Appointment | None:
    """What an action answers, or None where it refuses with something to say."""
    try:
        answer: Appointment = action(**wish)
    except ActionRefused as refused:
        said = refused.message
    else:
        OUTCOMES[f"{action.__name__} done"] += 1
        return answer
    OUTCOMES[f"{action.__name__} refused"] += 1
    assert said
    return None


def blocked(**wish: Any) -> tuple[Block | None, set[int]]:
    """The block, or None and the appointments that it would strand."""
    try:
        made = blocks.block(by=None, **wish)
    except Stranding as refused:
        OUTCOMES["block refused"] += 1
        return None, {row.pk for row in refused.appointments}
    OUTCOMES["block done"] += 1
    return made, set()


def seen(row: Appointment) -> Row:
    """A stored appointment as the model writes it."""
    begin, end = minute_of(row.starts_at), minute_of(row.ends_at)
    before, after = minute_of(row.hands_on_at) - begin, minute_of(row.clean_at) - end
    return Row(
        row.location_id,
        row.patient_id,
        row.practitioner_id,
        row.room_id,
        row.device_id,
        row.service_id,
        begin,
        (end - begin, before, after),
        row.status,
        bool(row.overlap_reason),
    )


def run_machine(world: World, *, runs: int, steps: int, phases: tuple[Phase, ...] = PHASES) -> None:
    """So many runs of so many steps, each with another seed than the last time."""
    machine = type("Machine", (DiaryMachine,), {"world": world})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=phases,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


ACTIONS = ("book", "move", "set_status", "cancel", "block")


def refused_and_done_each() -> bool:
    """Whether every action was both refused and done: else the model was asked too little."""
    return all(OUTCOMES[f"{name} {how}"] for name in ACTIONS for how in ("done", "refused"))


@pytest.mark.django_db
def test_the_database_equals_the_model() -> None:
    OUTCOMES.clear()
    run_machine(make_world(), runs=40, steps=20)
    assert OUTCOMES["book done"] > 10, OUTCOMES
    assert OUTCOMES["book refused"] > 2, OUTCOMES
