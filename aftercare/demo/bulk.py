"""The scale path: rows by COPY, under the same constraints and the same audit triggers.

Rows come in the order that closing asks for: a plan and a session are copied open, then their
parts, and only then are they accepted and signed, each by one statement.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count, islice
from random import Random
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection, models, transaction
from psycopg import sql

from aftercare.demo import courses
from aftercare.demo.agenda import HALF_HOUR, half_hours
from aftercare.demo.courses import Course
from aftercare.demo.ground import Ground, Place
from aftercare.demo.people import people
from aftercare.watch.models import CheckIn
from aftercare.watch.schedule import due_times, steps_of
from clinic.access.models import Membership, Staff
from clinic.access.permissions import Role
from clinic.audit.context import SYSTEM, Actor, acting, current
from clinic.places.holidays import holidays_of
from clinic.places.models import Location, Room
from patients.intake.models import History
from patients.registry.models import Patient, Registration
from treatments.catalogue.models import CheckInTime, Lot
from treatments.consents.in_force import TEMPLATE_VERSION
from treatments.consents.models import Consent
from treatments.consultations.models import Consultation
from treatments.diary.hours import Hours
from treatments.diary.models import Appointment
from treatments.diary.slots import Span
from treatments.plans.models import MixLine, Phase, Plan, PlanArea
from treatments.sessions.models import MixComponent, Session, TreatedArea

OWN = ("clinic", "patients", "treatments", "aftercare")
PATIENTS_PER_SCALE = 300
APPOINTMENTS_PER_SCALE = 1_500
ROOMS_OF_A_NEW_PLACE = 4
SCALES_PER_NEW_PLACE = 12
YEARS_BACK, YEARS_AHEAD = 4, 1
FULL_DAY_VISITS = 60
DAYS_BEHIND, DAYS_AHEAD = 180, 56
"""Bulk visits keep this far from today: nearer is where the story is told."""
DEMO_DATA = Actor(kind="system", who="demo data", role="system")


# -- rows by COPY ----------------------------------------------------------------------------


def copy(model: type[models.Model], rows: Iterable[models.Model]) -> int:
    """Write unsaved instances by COPY; those with a primary key keep it. How many were written."""
    columns = {
        field.column: field
        for field in model._meta.local_concrete_fields
        if field.column and not getattr(field, "generated", False)
    }
    rows = list(rows)
    if rows and rows[0].pk is None:
        columns.pop("id")
    names = sql.SQL(", ").join([sql.Identifier(name) for name in columns])
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table), names
    )
    actor = json.dumps(asdict(current() or SYSTEM))
    with connection.cursor() as cursor, connection.wrap_database_errors:
        # Only executed statements name the actor by themselves.
        cursor.execute("SELECT set_config('clinic.actor', %s, true)", [actor])
        with cursor.copy(statement) as pipe:
            for row in rows:
                pipe.write_row([_stored(field, row) for field in columns.values()])
    return len(rows)


def _stored(field: models.Field[Any, Any], row: models.Model) -> Any:
    value = getattr(row, field.attname)
    return value if type(value) in PLAIN else field.get_db_prep_save(value, connection)


PLAIN = {type(None), bool, int, str, Decimal, date, datetime, UUID}
"""What PostgreSQL takes as it is."""


def ids(model: type[models.Model], wanted: int) -> list[int]:
    """Fresh primary keys from the table's own sequence."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, wanted],
        )
        return [row[0] for row in cursor.fetchall()]


# -- the full day ----------------------------------------------------------------------------


def full_day(today: date) -> date:
    """The Wednesday about seven weeks on, or the next day that is no holiday, whose diary at the
    first location is full.
    """
    later = today + timedelta(days=45)
    day = later + timedelta(days=(2 - later.weekday()) % 7)
    while day in holidays_of("FR", "", day.year, ""):
        day += timedelta(days=1)
    return day


def fill_full_day(ground: Ground, patients: list[int], today: date) -> int:
    """Exactly sixty visits of half an hour at the first location; how many were written."""
    place, service = ground.places[0], ground.services["consultation"]
    starts = half_hours(place, full_day(today))
    times = [(start, n) for start in starts for n in range(len(place.practitioners))]
    rows = [
        Appointment(
            location=place.location,
            patient_id=patient,
            practitioner=place.practitioners[number],
            room=place.room_of(place.practitioners[number]),
            service=service,
            starts_at=start,
            ends_at=start + timedelta(minutes=service.minutes),
            status=("booked", "confirmed")[index % 2],
            booked_by=place.desk,
        )
        for index, ((start, number), patient) in enumerate(
            zip(times[:FULL_DAY_VISITS], patients, strict=False)
        )
    ]
    return copy(Appointment, rows)


# -- the crowd -------------------------------------------------------------------------------


@dataclass
class Stay:
    """A bulk patient and their visits, as (appointment id, start) by time."""

    pk: int
    place: Place
    weight_kg: Decimal
    name: str
    visits: list[tuple[int, datetime]]


def add_crowd(
    ground: Ground, *, scales: int, seed: int, now: datetime, say: Callable[[str], None]
) -> None:
    """So many times 300 patients and 1500 appointments, with notes, plans and sessions."""
    with transaction.atomic(), acting(DEMO_DATA):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '30s'")
        crowd = Crowd(ground, scales, seed, now)
        crowd.open_places()
        crowd.register()
        say(f"{len(crowd.stays)} more patients")
        crowd.write_histories()
        say(f"{crowd.write_appointments()} more appointments")
        crowd.write_courses()
        say(f"{crowd.notes} more notes, {crowd.plans} plans, {crowd.sessions} sessions")
    count_anew()


def count_anew() -> None:
    """Let the planner know how much there is by now: it may take what was just filled for empty.

    Not the tables that all databases share: another one may be at them just now.
    """
    own = [model._meta.db_table for name in OWN for model in apps.get_app_config(name).get_models()]
    tables = ", ".join(map(connection.ops.quote_name, own))
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = 0; ANALYZE {tables}; RESET statement_timeout")


class Crowd:
    """Patients by the thousand; each visits often enough for a course."""

    def __init__(self, ground: Ground, scales: int, seed: int, now: datetime) -> None:
        self.ground = ground
        self.scales = scales
        self.seed = seed
        self.now = now
        self.today = now.astimezone(ground.places[0].location.zone).date()
        self.random = Random(f"crowd {seed}")  # noqa: S311  plausible, not secret
        self.places = list(ground.places)
        self.stays: list[Stay] = []
        self.notes = self.plans = self.sessions = 0
        self.lots: dict[tuple[int, str], Lot] = {}
        self.times = steps_of(CheckInTime.objects.current(), ())

    def open_places(self) -> None:
        """More locations of the chain, and the lots that the crowd's sessions are drawn from."""
        for number in range(1, 1 + -(-self.scales // SCALES_PER_NEW_PLACE)):
            model = self.ground.places[number % 2]
            self.places.append(self._open_place(model, number))
        wanted = {share.product for course in courses.COURSES for share in course.mix}
        stamp = f"{self.now:%y%m%d%H%M%S}"
        rows = [
            Lot(
                location=place.location,
                product=self.ground.products[code],
                number=f"BULK{stamp}",
                expires_on=self.today + timedelta(days=700),
                quantity_ml=Decimal(400),
            )
            for place in self.places
            for code in sorted(wanted)
        ]
        for lot in Lot.objects.bulk_create(rows):
            self.lots[lot.location_id, lot.product.code] = lot

    def _open_place(self, model: Place, number: int) -> Place:
        serial = Location.objects.count() + 1
        kept = model.location
        place = Location.objects.create(
            name=f"{kept.name} {serial}",
            country_id=kept.country_id,
            timezone=kept.timezone,
            language=kept.language,
            address=kept.address,
            phone=kept.phone,
            phone_out_of_hours=kept.phone_out_of_hours,
            email=kept.email,
            opens_at=kept.opens_at,
            closes_at=kept.closes_at,
        )
        rooms = Room.objects.bulk_create(
            [Room(location=place, name=f"{n}") for n in range(1, ROOMS_OF_A_NEW_PLACE + 1)]
        )
        doctors = [
            Staff.objects.create_user(
                f"crowd{serial}.{n}@demo.clinic",
                name=f"Dr {chr(64 + n)}. Crowd {serial}",
                role=Role.PRACTITIONER,
                registration_number=f"DEMO {serial}-{n}",
            )
            for n in range(1, ROOMS_OF_A_NEW_PLACE + 1)
        ]
        Membership.objects.bulk_create([Membership(staff=one, location=place) for one in doctors])
        return Place(place, rooms, doctors, model.desk, model.devices)

    # -- who ---------------------------------------------------------------------------------

    def register(self) -> None:
        """The patients, evenly over all places."""
        wanted = self.scales * PATIENTS_PER_SCALE
        keys = iter(ids(Patient, wanted))
        patients, registrations = [], []
        for number, place in enumerate(self.places):
            share = wanted * (number + 1) // len(self.places) - wanted * number // len(self.places)
            line = people(
                seed=hash_free(self.seed, number + 1 + self.scales),
                country=place.location.country_id,
                today=self.today,
            )
            for person, pk in zip(islice(line, share), keys, strict=False):
                since = self.now - timedelta(days=self.random.randint(40, 365 * YEARS_BACK))
                patients.append(
                    Patient(
                        pk=pk,
                        created_at=since,
                        given_name=person.given_name,
                        family_name=person.family_name,
                        birth_date=person.birth_date,
                        sex=person.sex,
                        phone=person.phone,
                        email=person.email,
                        language=person.language,
                    )
                )
                registrations.append(
                    Registration(created_at=since, patient_id=pk, location=place.location)
                )
                self.stays.append(Stay(pk, place, person.weight_kg, person.name, []))
        copy(Patient, patients)
        copy(Registration, registrations)

    def write_histories(self) -> None:
        """One history each, handed in years ago."""
        at = self.now - timedelta(days=365 * YEARS_BACK)
        copy(
            History,
            [
                History(
                    created_at=at,
                    patient_id=stay.pk,
                    version=1,
                    origin=History.Origin.LINK,
                    answers={"done": ["about", "conditions", "medicines", "allergies", "skin"]},
                    no_known_allergies=True,
                    weight_kg=stay.weight_kg,
                    pregnant=False,
                    submitted_at=at,
                    signed_name=stay.name,
                    reviewed_by=stay.place.practitioners[0],
                    reviewed_at=at + timedelta(days=1),
                )
                for stay in self.stays
            ],
        )

    # -- visits ------------------------------------------------------------------------------

    def write_appointments(self) -> int:
        """Visits from years back to a year ahead, leaving out the weeks around today."""
        wanted = self.scales * APPOINTMENTS_PER_SCALE
        keys = iter(ids(Appointment, wanted))
        rows: list[Appointment] = []
        for number, place in enumerate(self.places):
            share = wanted * (number + 1) // len(self.places) - wanted * number // len(self.places)
            rows += self._visits_of(place, share, keys)
        return copy(Appointment, rows)

    def _visits_of(self, place: Place, share: int, keys: Iterator[int]) -> Iterator[Appointment]:
        mine = [stay for stay in self.stays if stay.place is place]
        times = self._times(place, share)
        service = self.ground.services["consultation"]
        for number, (start, column) in enumerate(times):
            # One after the other: whoever shares a half hour is someone else.
            stay = mine[number % len(mine)]
            pk, past = next(keys), start < self.now
            stay.visits.append((pk, start))
            yield Appointment(
                pk=pk,
                created_at=min(start, self.now) - timedelta(days=9),
                location=place.location,
                patient_id=stay.pk,
                practitioner=place.practitioners[column],
                room=place.room_of(place.practitioners[column]),
                service=service,
                starts_at=start,
                ends_at=start + timedelta(minutes=service.minutes),
                status="done" if past else ("booked", "confirmed")[number % 2],
                booked_by=place.desk,
            )

    def _times(self, place: Place, share: int) -> list[tuple[datetime, int]]:
        """As many half hours as wanted, evenly thinned over all days; (start, practitioner)."""
        cells = list(self._cells(place))
        if len(cells) < share:
            raise ValueError("The places have too few half hours for so many appointments.")
        step = len(cells) / share if share else 1
        return [cells[int(number * step)] for number in range(share)]

    def _cells(self, place: Place) -> Iterator[tuple[datetime, int]]:
        """Every half hour in which someone works, who and whose room are still free; (start,
        practitioner).
        """
        days, taken = list(self._days()), _taken(place)
        hours = Hours.of(place.location, days[0], days[-1])
        for day in days:
            working = [hours.working(doctor.pk, day) for doctor in place.practitioners]
            for start in half_hours(place, day) if any(working) else ():
                visit = Span(start, start + HALF_HOUR)
                for column, spans in enumerate(working):
                    doctor = place.practitioners[column]
                    held = taken[doctor.pk, 0, day] + taken[0, place.room_of(doctor).pk, day]
                    works = any(span.holds(visit) for span in spans)
                    if works and not any(span.overlaps(visit) for span in held):
                        yield start, column

    def _days(self) -> Iterator[date]:
        for offset in count(-365 * YEARS_BACK):
            day = self.today + timedelta(days=offset)
            if offset > 365 * YEARS_AHEAD:
                return
            if not -DAYS_BEHIND < offset < DAYS_AHEAD and day.isoweekday() <= 5:
                yield day

    # -- care --------------------------------------------------------------------------------

    def write_courses(self) -> None:
        """A note for every third patient, a plan for every fifth, and the sessions they came to."""
        treated: list[tuple[Stay, Course]] = []
        notes: list[Consultation] = []
        for number, stay in enumerate(self.stays):
            past = [visit for visit in stay.visits if visit[1] < self.now]
            if number % 3 or not past:
                continue
            course = courses.COURSES[number // 3 % len(courses.COURSES)]
            notes.append(self._note(stay, course, *past[0]))
            if number % 15 and len(past) > 1:
                treated.append((stay, course))
        self.notes = copy(Consultation, notes)
        for start in range(0, len(treated), 2_000):
            self._write_plans(treated[start : start + 2_000])

    def _note(self, stay: Stay, course: Course, appointment: int, at: datetime) -> Consultation:
        doctor = stay.place.practitioners[0]
        return Consultation(
            created_at=at,
            patient_id=stay.pk,
            location=stay.place.location,
            appointment_id=appointment,
            practitioner=doctor,
            concern=course.concern,
            indications=[course.indication],
            areas=sorted({spot.area for spot in course.spots}),
            examination=course.examination,
            fitzpatrick=1 + stay.pk % 5,
            discussion="Course, cost, what may happen.",
            alternatives="Doing nothing.",
            decision="suitable",
            history_version=1,
            revision=1,
            signed_at=at + timedelta(minutes=20),
            signed_by=doctor,
        )

    def _write_plans(self, treated: list[tuple[Stay, Course]]) -> None:
        keys = ids(Plan, len(treated))
        papers = ids(Consent, len(treated))
        plans, parts, sessions = [], Parts(), []
        consents = []
        for plan, paper, (stay, course) in zip(keys, papers, treated, strict=True):
            at = stay.visits[0][1] + timedelta(minutes=25)
            doctor = stay.place.practitioners[0]
            plans.append(
                Plan(
                    pk=plan,
                    created_at=at,
                    patient_id=stay.pk,
                    location=stay.place.location,
                    indication=course.indication,
                    title=course.title,
                    made_by=doctor,
                )
            )
            parts.add(plan, course, self.ground, at)
            consents.append(self._consent(paper, plan, stay, course, at))
            past = [visit for visit in stay.visits[1:] if visit[1] < self.now]
            for number, (visit, start) in enumerate(past[: course.sessions()], start=1):
                sessions.append((stay, course, plan, paper, number, visit, start))
        self.plans += copy(Plan, plans)
        for model, rows in parts.rows.items():
            copy(model, rows)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE treatments_plan SET state = 'accepted', accepted_at = created_at "
                "WHERE id = ANY(%s)",
                [keys],
            )
        copy(Consent, consents)
        self._write_sessions(sessions)

    def _consent(self, pk: int, plan: int, stay: Stay, course: Course, at: datetime) -> Consent:
        products = [self.ground.products[share.product] for share in course.mix]
        return Consent(
            pk=pk,
            created_at=at,
            patient_id=stay.pk,
            plan_id=plan,
            language="en",
            template_version=TEMPLATE_VERSION,
            html="<p>Consent brought over on paper.</p>",
            text_sha256="0" * 64,
            substances=sorted(
                {i.substance.code for product in products for i in product.ingredients.all()}
            ),
            techniques=sorted({spot.technique for spot in course.spots}),
            areas=sorted({spot.area for spot in course.spots}),
            ready_to_read_at=at,
            prepared_by=stay.place.practitioners[0],
            signed_at=at + timedelta(minutes=10),
            signed_name=stay.name,
            method=Consent.Method.TYPED,
        )

    def _write_sessions(
        self, told: list[tuple[Stay, Course, int, int, int, int, datetime]]
    ) -> None:
        keys = ids(Session, len(told))
        sessions: list[Session] = []
        mix: list[MixComponent] = []
        areas: list[TreatedArea] = []
        check_ins: list[CheckIn] = []
        for pk, (stay, course, plan, paper, number, visit, start) in zip(keys, told, strict=True):
            place = stay.place
            sessions.append(
                Session(
                    pk=pk,
                    created_at=start,
                    patient_id=stay.pk,
                    location=place.location,
                    plan_id=plan,
                    consent_id=paper,
                    appointment_id=visit,
                    practitioner=place.practitioners[0],
                    number=number,
                    history_version=1,
                    weight_kg=stay.weight_kg,
                    started_at=start,
                    history_confirmed_at=start,
                    antiseptic="Chlorhexidine 0.5 % in alcohol",
                    cleansed_at=start,
                    discarded_ml=Decimal(0),
                    observation="Tolerated well.",
                    adverse_events="none",
                    revision=1,
                    saved_at=start,
                )
            )
            drawn = [
                share
                for share in course.mix
                if share.first <= number and (share.last is None or number <= share.last)
            ]
            mix += [
                MixComponent(
                    created_at=start,
                    session_id=pk,
                    lot=self.lots[place.location.pk, share.product],
                    ml=Decimal(share.ml),
                )
                for share in drawn
            ]
            areas += self._map(pk, course, place, start)
            check_ins += self._watch(pk, stay, start)
        copy(Session, sessions)
        copy(MixComponent, mix)
        copy(TreatedArea, areas)
        with connection.cursor() as cursor:
            cursor.execute(SIGN, [keys])
        copy(CheckIn, check_ins)
        self.sessions += len(sessions)

    def _map(
        self, session: int, course: Course, place: Place, at: datetime
    ) -> Iterator[TreatedArea]:
        for entry in courses.map_of(course, self.ground, self.ground.places[0]):
            yield TreatedArea(
                created_at=at,
                session_id=session,
                area=entry.area,
                side=entry.side,
                chart=entry.chart,
                technique=entry.technique,
                method=entry.method,
                depth_mm=entry.depth_mm,
                needle_gauge=entry.needle_gauge,
                needle_mm=entry.needle_mm,
                ml_per_point=entry.ml_per_point,
                points=[list(point) for point in entry.points],
            )

    def _watch(self, session: int, stay: Stay, at: datetime) -> Iterator[CheckIn]:
        for time, due_at in due_times(at, stay.place.location.zone, self.times):
            answered = time.step in ("24h", "7d") and due_at < self.now
            past = due_at < self.now
            yield CheckIn(
                created_at=at,
                patient_id=stay.pk,
                session_id=session,
                step=time.step,
                hours=time.hours,
                time=time,
                due_at=due_at,
                state="answered" if answered else "cancelled" if past else "planned",
                answers={"well": True, "signs": []} if answered else None,
                colour="green" if answered else "",
                answered_at=due_at if answered else None,
            )


SIGN = """
UPDATE treatments_session AS s SET signed_at = s.started_at + interval '40 minutes',
    signed_by_id = s.practitioner_id,
    totals = jsonb_build_object('drawn_ml', (SELECT sum(ml)::text FROM treatments_mixcomponent m
                                             WHERE m.session_id = s.id),
                                'amounts', '[]'::jsonb, 'points', 0, 'warnings', '[]'::jsonb)
WHERE s.id = ANY(%s)
"""


def _taken(place: Place) -> dict[tuple[int, int, date], list[Span]]:
    """What the story has booked: (practitioner, 0, day) and (0, room, day), the day in UTC, to the
    spans in which they are needed.
    """
    taken: dict[tuple[int, int, date], list[Span]] = defaultdict(list)
    for row in Appointment.objects.live().filter(location=place.location):
        day = row.starts_at.date()
        taken[row.practitioner_id, 0, day].append(Span(row.hands_on_at, row.ends_at))
        taken[0, row.room_id, day].append(Span(row.starts_at, row.clean_at))
    return taken


class Parts:
    """The rows of many plans' areas, mixes and phases."""

    def __init__(self) -> None:
        self.rows: dict[type[models.Model], list[models.Model]] = {
            PlanArea: [],
            MixLine: [],
            Phase: [],
        }

    def add(self, plan: int, course: Course, ground: Ground, at: datetime) -> None:
        """Those of one plan."""
        self.rows[PlanArea] += [
            PlanArea(plan_id=plan, created_at=at, **vars(spec))
            for spec in courses.area_specs(course, ground)
        ]
        self.rows[MixLine] += [
            MixLine(plan_id=plan, created_at=at, **vars(spec))
            for spec in courses.mix_specs(course, ground)
        ]
        self.rows[Phase] += [
            Phase(plan_id=plan, created_at=at, position=position, **vars(spec))
            for position, spec in enumerate(courses.phase_specs(course), start=1)
        ]


def hash_free(seed: int, number: int) -> int:
    """Another seed from a seed: the same on every machine and in every run."""
    return seed * 1_000_003 + number
