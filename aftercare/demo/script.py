"""The story of the demo, told through the actions that the clinic's own pages use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from django.core.management import call_command
from django.db import transaction

from aftercare.demo import bench, bulk, courses, desk, histories, hours, notes, twice
from aftercare.demo.agenda import Agenda, half_hours, near
from aftercare.demo.clock import then
from aftercare.demo.consents import PHOTOS, interpreter, tell_consents
from aftercare.demo.courses import Course
from aftercare.demo.door import put_tablets
from aftercare.demo.ground import Ground, Place, date_rules, lay_ground
from aftercare.demo.minors import tell_minor
from aftercare.demo.notices import tell_notices
from aftercare.demo.people import Person, people
from aftercare.demo.photos import take_photos
from aftercare.demo.planned import book_courses
from aftercare.demo.plans import stop_specs, tell_plans
from aftercare.demo.rights import tell_rights
from aftercare.demo.safety import MOST_LETTERS, keep_safe
from aftercare.demo.sheets import tell_sheets
from aftercare.demo.shelves import use_shelves
from aftercare.demo.shut_door import shut_a_door
from aftercare.demo.tongues import tell_tongues
from aftercare.demo.waiting import fill_waiting_list
from aftercare.demo.watch import keep_watch
from aftercare.sheets.actions import give_sheet
from aftercare.watch.actions import answer_check_in, open_due, plan_watch, urgencies
from aftercare.watch.calls import finish_call, take_call
from aftercare.watch.models import Call, CheckIn
from aftercare.watch.signs import colour_of
from clinic.access.models import Staff
from clinic.errors import ActionRefused
from clinic.web.fields import Signature
from patients.intake.actions import review_history, save_draft, submit_history
from patients.intake.facts import latest_history
from patients.intake.models import History
from patients.messages.actions import note_sent_before
from patients.messages.models import Message
from patients.portal.actions import open_link
from patients.registry.actions import register_patient
from patients.registry.models import Patient, Registration
from treatments.catalogue.models import Anaesthetic, Protocol
from treatments.consents.actions import (
    countersign,
    open_text,
    prepare_consent,
    sign_consent,
    withdraw,
)
from treatments.consultations.actions import (
    save_consultation,
    sign_consultation,
    start_consultation,
)
from treatments.consultations.models import Consultation
from treatments.diary.actions import book, cancel, set_status
from treatments.diary.models import Appointment, Service
from treatments.diary.visit import Visit
from treatments.plans.actions import accept_plan, make_plan, stop_plan
from treatments.plans.models import Plan
from treatments.screening.actions import blocking, override, screen_patient
from treatments.screening.engine import Proposal
from treatments.sessions.actions import save_sections, sign_session, start_session
from treatments.sessions.entries import CreamEntry, Observation, Preparation, Sections
from treatments.sessions.models import Session

PATIENTS = (190, 110)
"""In Paris and in London; together the 300 of one scale."""
MOST_DOCUMENTS = 24
"""Left for the worker to render at the first start; a document takes it about half a second."""
MOST_MAILS = 6
DAYS_BACK, DAYS_AHEAD = 28, 42
BEHIND = (("done", "no_show", "cancelled"), (88, 5, 7))
AHEAD = (("booked", "confirmed", "cancelled"), (60, 37, 3))
SERVICES = ("session", "consultation", "review")
Say = Callable[[str], None]

NOTHING = {
    "conditions": [],
    "medicines": [],
    "allergies": [],
    "no_known_allergies": True,
    "pregnant": False,
    "breastfeeding": False,
    "cold_sores": False,
    "fear_of_needles": False,
}
CLEAN = "Chlorhexidine 0.5 % in alcohol"


@dataclass(frozen=True)
class Told:
    """One patient's course: how far it went, how long ago the last step was, and how they fare.

    `last` is how many days ago the last session was or, before the first one, the consultation.
    `consent`: signed, interpreted, unsigned, missing or withdrawn. `fares`: well, silent, amber,
    red, was-red.
    """

    course: Course
    place: int
    done: int
    last: int
    practitioner: int = 0
    consent: str = "signed"
    fares: str = "well"
    ends: str = ""
    next_in: int | None = None
    papers: bool = False
    history: dict[str, Any] = field(default_factory=dict)


TOLD = (
    # The published back course, finished; and under way with its fourth session today.
    Told(courses.BACK, 0, 5, 26, papers=True),
    Told(courses.BACK, 0, 3, 3, next_in=0, papers=True),
    # The published face course: three of four, the last one today.
    Told(courses.FACE, 0, 3, 15, next_in=0, papers=True),
    Told(courses.FACE, 0, 1, 2, fares="red", next_in=13, papers=True),
    Told(courses.FACE, 0, 2, 16, fares="amber", next_in=1),
    Told(courses.FACE, 0, 4, 35),
    Told(courses.FACE, 0, 0, 6, next_in=0, history={"fear_of_needles": True}),
    Told(courses.MELASMA, 0, 2, 20, practitioner=1, next_in=9),
    Told(courses.MELASMA, 0, 3, 50, practitioner=1, fares="was-red"),
    Told(courses.MELASMA, 0, 0, 9, practitioner=1, consent="unsigned", next_in=3),
    Told(courses.SCALP, 0, 4, 13, practitioner=2, next_in=1),
    Told(courses.SCALP, 0, 2, 40, practitioner=2, ends="Has moved abroad."),
    Told(courses.THIGHS, 0, 3, 5, practitioner=1, fares="silent", next_in=2),
    Told(courses.THIGHS, 0, 0, 4, practitioner=1, consent="missing", next_in=6),
    Told(courses.DECOLLETE, 0, 1, 27, practitioner=2, fares="silent", next_in=2),
    Told(courses.DECOLLETE, 0, 0, 12, practitioner=2, consent="withdrawn"),
    Told(courses.HANDS, 0, 1, 21, practitioner=2, next_in=4),
    Told(
        courses.FACE,
        0,
        0,
        3,
        history={"allergies": ["allergy-hyaluronic-acid"], "no_known_allergies": False},
        next_in=0,
    ),
    Told(courses.BACK, 0, 2, 60, practitioner=1, ends="Pain gone after two sessions."),
    Told(courses.FACE, 0, 0, 2, practitioner=1, consent="draft"),
    Told(courses.FACE, 1, 3, 15, papers=True, next_in=0),
    Told(courses.BACK, 1, 5, 40),
    Told(courses.FACE, 1, 1, 3, fares="amber", next_in=12),
    Told(courses.MELASMA, 1, 1, 28, next_in=1),
    Told(courses.SCALP, 1, 3, 14, practitioner=1, next_in=0),
    Told(courses.THIGHS, 1, 2, 6, practitioner=1, fares="red", next_in=1),
    Told(courses.DECOLLETE, 1, 3, 70, practitioner=1),
    Told(courses.HANDS, 1, 0, 8, consent="unsigned", next_in=5),
    Told(courses.HANDS, 1, 0, 15, practitioner=1, consent="missing"),
    Told(courses.FACE, 1, 0, 1, consent="draft"),
    Told(courses.DECOLLETE, 1, 0, 20, consent="withdrawn"),
    # Three of six done and the rest booked whole; and accepted, with nothing booked yet.
    Told(courses.HAIR, 0, 3, 6, practitioner=2),
    Told(courses.HAIR, 0, 0, 3, consent="interpreted"),
)
NOT_TREATED = (
    ("not_suitable", "Wants the effect of a facelift; explained that needles do not lift skin."),
    ("refer", "New pigmented lesion with irregular border on the cheek: to the dermatologist."),
    ("think", "Would like to think it over and speak with her husband about the cost."),
    ("think", "Wedding in five days: too close for possible bruises. Comes back afterwards."),
    ("not_suitable", "Breastfeeding. To be seen again when that is over."),
)
CONDITIONS: tuple[tuple[dict[str, Any], int], ...] = (
    ({"conditions": ["hypertension"], "medicines_text": "Ramipril 5 mg"}, 8),
    ({"conditions": ["asthma"]}, 6),
    ({"allergies": ["allergy-nsaid"], "no_known_allergies": False}, 4),
    ({"other_allergies": "Nickel", "no_known_allergies": False}, 5),
    ({"medicines": ["antiplatelet"], "medicines_text": "Aspirin 75 mg"}, 4),
    ({"cold_sores": True}, 8),
    ({"fear_of_needles": True}, 6),
    ({}, 60),
)
OBSERVED = (
    "Slight redness, gone after ten minutes. Felt well.",
    "A few pinpoint bleedings, pressed. No swelling.",
    "Papules flat after half an hour. No pain worth naming.",
    "Tolerated well, sat for fifteen minutes, left with the sheet.",
)


@transaction.atomic
def tell(*, seed: int, now: datetime, say: Say) -> Ground:
    """Everything of scale 1, in one transaction: it is all there or nothing is."""
    with then(now):
        call_command("load_catalogue", verbosity=0)
    random = Random(seed)  # noqa: S311  plausible, not secret
    with then(now - timedelta(days=400)) as opened:
        date_rules(opened)
        ground = lay_ground(random, now.date())
    say("Places, people, shelves")
    story = Story(ground, random, now)
    story.register(seed)
    say(f"{len(story.everyone)} patients")
    for told in TOLD:
        story.tell(told)
    say(f"{len(TOLD)} courses")
    story.consult_without_plan()
    story.fill_histories()
    story.fill_diaries()
    with then(now):
        everyone = [patient.pk for *_rest, patient in story.everyone]
        bulk.fill_full_day(ground, everyone, story.today)
        put_tablets(ground, now)
    bulk.count_anew()
    hours.keep_hours(ground, now, story.today)
    book_courses(ground, random, now)
    tell_plans(ground, now)
    tell_consents(ground, now)
    tell_minor(ground, now)
    desk.keep_pauses(ground, now, story.today)
    desk.squeeze_in(ground, now, story.today)
    say("Diaries and hours")
    say(f"{take_photos(ground)} photos")
    notes.write_notes(ground, now)
    say("Notes with scales over time")
    twice.register_twice(ground, now)
    histories.tell_changes(ground, now)
    keep_safe(ground, now)
    tell_sheets(ground, now)
    tell_tongues(ground, now)
    keep_watch(ground, now)
    shut_a_door(ground, now)
    story.settle_messages()
    tell_rights(ground, now)
    tell_notices(ground, now)
    fill_waiting_list(ground, now)
    use_shelves(ground.places, now)
    bench.leave_open(ground, now)
    return ground


class Story:
    """Tells one patient after the other; keeps who was used, and which times are taken."""

    def __init__(self, ground: Ground, random: Random, now: datetime) -> None:
        self.ground = ground
        self.random = random
        self.now = now
        self.today = now.astimezone(ground.places[0].location.zone).date()
        self.agenda = Agenda()
        self.everyone: list[tuple[Place, Person, Patient]] = []
        self.waiting: dict[int, Iterator[tuple[Person, Patient]]] = {}
        self.documents = 0
        self.urgency: dict[str, str] = urgencies()
        self.cream: Anaesthetic = Anaesthetic.objects.current().get(code="emla")
        published = list(Protocol.objects.current().reverse())
        self.protocols = {row.indication: row for row in published}
        self.protocols |= {row.code: row for row in published}

    # -- who ---------------------------------------------------------------------------------

    def register(self, seed: int) -> None:
        """The patients of both locations, over the last two years; a few are known at both."""
        for place, count in zip(self.ground.places, PATIENTS, strict=True):
            line = people(seed=seed, country=place.location.country_id, today=self.today)
            mine = [next(line) for _number in range(count)]
            days = sorted((self.random.randint(200, 730) for _one in mine), reverse=True)
            for person, ago in zip(mine, days, strict=True):
                with then(self.now - timedelta(days=ago), place.desk):
                    patient = register_patient(
                        by=place.desk,
                        location=place.location,
                        given_name=person.given_name,
                        family_name=person.family_name,
                        birth_date=person.birth_date,
                        sex=person.sex,
                        phone=person.phone,
                        email=person.email,
                        language=person.language,
                    )
                self.everyone.append((place, person, patient))
            own = [(one, patient) for where, one, patient in self.everyone if where is place]
            self.waiting[place.location.pk] = iter(own)
        with then(self.now - timedelta(days=90), self.ground.manager):
            for _where, _person, patient in self.everyone[60:64]:
                Registration.objects.create(
                    patient=patient, location=self.ground.places[1].location
                )

    def _next(self, place: Place) -> tuple[Person, Patient]:
        return next(self.waiting[place.location.pk])

    # -- one course --------------------------------------------------------------------------

    def tell(self, told: Told) -> None:
        """From the first visit to where the patient stands today."""
        place = self.ground.places[told.place]
        doctor = place.practitioners[told.practitioner]
        person, patient = self._next(place)
        days = self._session_days(told)
        first = days[0] - timedelta(days=7) if days else self._ago(told.last)
        self._history(patient, person, first - timedelta(days=2), place, **told.history)
        note = self._consult(place, doctor, patient, first, told.course)
        plan = self._plan(told, place, doctor, patient, note)
        if told.consent == "draft" or plan is None:
            return
        self._consent(told, doctor, person, patient, plan, note.signed_at)
        for day in days:
            self._session(told, place, doctor, patient, plan, day)
        if told.ends:
            with then(self._moment(place, self._ago(max(0, told.last - 4)), time(12)), doctor):
                stop_plan(by=doctor, plan=plan, reason=told.ends)
        self._check_ins(told, patient, doctor)
        if told.next_in is not None:
            self._next_visit(told, place, doctor, patient)

    def _ago(self, days: int) -> date:
        return self.today - timedelta(days=days)

    def _session_days(self, told: Told) -> list[date]:
        """Counted back from the last one by the gaps of the phases."""
        gaps = [least for count, least, _most, _k in told.course.phases for _n in range(count)]
        day, found = self._ago(told.last), []
        for number in range(told.done, 0, -1):
            found.append(day)
            day -= timedelta(days=gaps[number - 1])
        return found[::-1]

    def _moment(self, place: Place, day: date, at: time) -> datetime:
        """A wall-clock time at a location; never later than now."""
        return min(datetime.combine(day, at, tzinfo=place.location.zone), self.now)

    def _history(
        self, patient: Patient, person: Person, day: date, place: Place, **said: Any
    ) -> History:
        values = {**NOTHING, "weight_kg": person.weight_kg, **said}
        with then(self._moment(place, day, time(20, 15)), patient):
            draft = save_draft(patient=patient, origin=History.Origin.LINK, values=values)
            return submit_history(history=draft, signed_name=person.name)

    def _book(
        self,
        place: Place,
        doctor: Staff,
        patient: Patient,
        service: str,
        day: date,
        wanted: list[datetime] | None = None,
    ) -> Appointment | None:
        """A visit booked some days before it; None on a day that is full."""
        starts = wanted or near(half_hours(place, day), time(self.random.randint(9, 17)), place)
        kind = self.ground.services[service]
        start = self.agenda.take(place, doctor, patient.pk, kind.minutes, starts)
        if start is None:
            return None
        called = min(self.now, start) - timedelta(days=self.random.randint(2, 9))
        with then(called, place.desk):
            return book(
                by=place.desk,
                location=place.location,
                patient=patient,
                service=kind,
                starts_at=start,
                practitioner=doctor,
                room=place.room_of(doctor),
            )

    def _arrive(self, place: Place, visit: Appointment) -> None:
        for minutes, status in ((-8, "arrived"), (1, "in_room")):
            with then(visit.starts_at + timedelta(minutes=minutes), place.desk) as at:
                set_status(by=place.desk, appointment=visit, status=status, at=at)

    def _consult(
        self, place: Place, doctor: Staff, patient: Patient, day: date, course: Course
    ) -> Consultation:
        visit = self._book(place, doctor, patient, "consultation", day)
        if visit is not None and visit.starts_at > self.now:
            visit = None
        if visit is not None:
            self._arrive(place, visit)
        start = visit.starts_at if visit else self._moment(place, day, time(17))
        values = {
            "concern": course.concern,
            "indications": [course.indication],
            "areas": sorted({spot.area for spot in course.spots}),
            "examination": course.examination,
            "fitzpatrick": self.random.randint(1, 5),
            "discussion": "Course, number of sessions, cost, bruises and redness, rare infection; "
            "no promise of a result. Questions answered.",
            "alternatives": "Doing nothing, creams and sun protection, other clinics' methods.",
            "decision": "suitable",
        }
        note = self._note(doctor, patient, place, start, values, visit)
        if visit is not None:
            with then(start + timedelta(minutes=28), doctor) as at:
                set_status(by=doctor, appointment=visit, status="done", at=at)
        return note

    def _note(
        self,
        doctor: Staff,
        patient: Patient,
        place: Place,
        start: datetime,
        values: dict[str, Any],
        visit: Appointment | None = None,
    ) -> Consultation:
        with then(start + timedelta(minutes=4), doctor):
            history = latest_history(patient)
            if history is not None and history.reviewed_at is None:
                review_history(by=doctor, history=history)
            note = start_consultation(
                by=doctor, patient=patient, location=place.location, appointment=visit
            )
        with then(min(self.now, start + timedelta(minutes=22)), doctor) as at:
            note = save_consultation(
                by=doctor, consultation=note, revision=note.revision, values=values
            )
            try:
                return sign_consultation(by=doctor, consultation=note, at=at)
            except ActionRefused:
                self._decide(doctor, patient, place, values["areas"], at)
                return sign_consultation(by=doctor, consultation=note, at=at)

    def _decide(
        self, doctor: Staff, patient: Patient, place: Place, areas: list[str], at: datetime
    ) -> None:
        """A physician goes on in spite of what stops, and says why."""
        proposal = Proposal(areas=areas, country=place.location.country_id)
        for verdict in blocking(screen_patient(patient=patient, proposal=proposal, at=at)):
            override(
                by=doctor,
                patient=patient,
                verdict=verdict,
                reason="Known, stable and discussed with the patient; benefit outweighs.",
            )

    def _plan(
        self, told: Told, place: Place, doctor: Staff, patient: Patient, note: Consultation
    ) -> Plan | None:
        course = told.course
        assert note.signed_at is not None
        with then(min(self.now, note.signed_at + timedelta(minutes=2)), doctor) as at:
            plan = make_plan(
                by=doctor,
                patient=patient,
                location=place.location,
                consultation=note,
                protocol=self.protocols.get(course.protocol or course.indication),
                indication=course.indication,
                title=course.title,
                areas=courses.area_specs(course, self.ground),
                mix=courses.mix_specs(course, self.ground),
                phases=courses.phase_specs(course),
                stop_rules=stop_specs(course),
            )
            return plan if told.consent == "draft" else accept_plan(by=doctor, plan=plan, at=at)

    def _consent(
        self,
        told: Told,
        doctor: Staff,
        person: Person,
        patient: Patient,
        plan: Plan,
        after: datetime | None,
    ) -> None:
        if told.consent == "missing" or after is None:
            return
        with then(min(self.now, after + timedelta(minutes=5)), doctor) as at:
            paper = prepare_consent(by=doctor, plan=plan, language=patient.language, at=at)
        if told.consent == "unsigned":
            return
        drawn = signature(person.name)
        with then(min(self.now, after + timedelta(minutes=8)), patient) as at:
            open_text(consent=paper, device="clinic device", at=at)
        with then(min(self.now, after + timedelta(minutes=20)), doctor) as at:
            paper = sign_consent(
                consent=paper,
                statements=[one["code"] for one in paper.statements],
                signed_name=person.name,
                method="drawn",
                signature_svg=drawn.svg,
                strokes=drawn.strokes,
                photos=PHOTOS,
                attendants=[interpreter(signature("Amina Belkacem"))]
                if told.consent == "interpreted"
                else [],
                device="clinic device",
                at=at,
                with_pdf=told.consent == "interpreted" or self._may_render(told.papers),
            )
        if told.consent == "withdrawn":
            with then(min(self.now, after + timedelta(days=2)), patient) as at:
                withdraw(consent=paper, reason="I have changed my mind.", at=at)
        elif told.next_in == 0 and self._may_render(told.papers and told.done == 3):
            with then(min(self.now, after + timedelta(minutes=24)), doctor) as at:
                countersign(by=doctor, consent=paper, at=at)

    def _may_render(self, wanted: bool) -> bool:
        """Few documents are asked for: the worker renders them while the demo opens."""
        if not wanted or self.documents >= MOST_DOCUMENTS - MOST_LETTERS:
            return False
        self.documents += 1
        return True

    # -- one session -------------------------------------------------------------------------

    def _session(
        self, told: Told, place: Place, doctor: Staff, patient: Patient, plan: Plan, day: date
    ) -> Session:
        visit = self._book(place, doctor, patient, "session", day)
        start = visit.starts_at if visit else self._moment(place, day, time(17))
        if visit is not None:
            self._arrive(place, visit)
        with then(start + timedelta(minutes=3), doctor) as at:
            session = start_session(
                by=doctor, plan=plan, appointment=visit, location=place.location, at=at
            )
        with then(min(self.now, start + timedelta(minutes=43)), doctor) as at:
            session, refused = save_sections(
                by=doctor,
                session=session,
                revision=session.revision,
                sections=self._sections(told.course, place, session, at),
                at=at,
            )
            assert not refused, refused
            session = sign_session(by=doctor, session=session, at=at)
        self._follow(told, session, day)
        return session

    def _sections(self, course: Course, place: Place, session: Session, at: datetime) -> Sections:
        creams, mix = [], bench.mix_of(course, session)
        if course.cream_g:
            creams.append(
                CreamEntry(
                    anaesthetic=self.cream,
                    grams=Decimal(course.cream_g),
                    area_cm2=Decimal(60),
                    on_at=at - timedelta(minutes=82),
                    off_at=at - timedelta(minutes=18),
                    lot=bench.tube(place, at),
                )
            )
        return Sections(
            preparation=Preparation(
                antiseptic=CLEAN,
                cleansed_at=at - timedelta(minutes=16),
                weight_kg=session.weight_kg,
                unchanged=True,
                identity=True,
                photos="taken" if session.number == 1 else "not-needed",
            ),
            creams=creams,
            mix=mix,
            syringes=bench.tray_of(mix, place, session, at),
            areas=bench.areas_of(course, self.ground, place),
            observation=Observation(
                observation=self.random.choice(OBSERVED),
                adverse_events="none",
                soothing="Cooling gel",
                released_at=at,
            ),
        )

    def _follow(self, told: Told, session: Session, day: date) -> None:
        """The watch of every session; the sheet of the newest ones, as far as papers go."""
        assert session.signed_at is not None
        last = day == self._ago(told.last)
        with then(min(self.now, session.signed_at + timedelta(minutes=1))) as at:
            if last and self._may_render(told.papers or told.last <= 3):
                give_sheet(by=None, session=session, at=at)
            plan_watch(session=session)

    def _check_ins(self, told: Told, patient: Patient, doctor: Staff) -> None:
        """Those due by now are asked; most are answered, the last ones as the patient fares."""
        asked = list(
            CheckIn.objects.filter(patient=patient, due_at__lte=self.now).order_by("due_at")
        )
        for number, check_in in enumerate(asked):
            is_last = number == len(asked) - 1
            with then(check_in.due_at) as at:
                open_due(at=at)
            answered = check_in.due_at + timedelta(hours=self.random.choice((1, 2, 5)))
            if answered > self.now or (told.fares == "silent" and number >= len(asked) - 2):
                continue
            check_in.refresh_from_db()
            if check_in.state != CheckIn.State.OPEN:
                continue
            wanted = {"red": "red", "was-red": "red", "amber": "amber"}.get(told.fares, "")
            signs = self._signs(check_in, wanted if is_last else "")
            with then(answered, patient):
                answer_check_in(
                    check_in=check_in,
                    signs=signs,
                    well=not signs,
                    own_value=_own_value(check_in),
                    at=answered,
                )
        if told.fares == "was-red":
            self._work_off(patient, doctor)

    def _signs(self, check_in: CheckIn, wanted: str) -> list[str]:
        """One sign that means this colour at this step, by the catalogue; none means well."""
        if not wanted:
            return []
        fitting = [
            sign["code"]
            for sign in check_in.asked
            if colour_of([sign["event"]], self.urgency) == wanted
        ]
        return [fitting[-1]] if fitting else []

    def _work_off(self, patient: Patient, doctor: Staff) -> None:
        for call in Call.objects.filter(patient=patient, done_at__isnull=True):
            with then(min(self.now, call.due_at - timedelta(minutes=12)), doctor) as at:
                take_call(by=doctor, call=call, at=at)
                finish_call(
                    by=doctor,
                    call=call,
                    outcome="Reached at once. Seen the same day: scratched insect bite away from "
                    "the treated area. Reassured.",
                    at=at,
                )

    def _next_visit(self, told: Told, place: Place, doctor: Staff, patient: Patient) -> None:
        """The session still to come; one of today lies ahead of the clock where the day allows."""
        assert told.next_in is not None
        day = self.today + timedelta(days=told.next_in)
        while told.next_in and not hours.bookable(place, doctor, day, self.today):
            day += timedelta(days=1)
        times = hours.bookable(place, doctor, day, self.today)
        if told.next_in == 0:
            ahead = [start for start in times if start > self.now]
            self._book(place, doctor, patient, "session", day, [*ahead, *reversed(times)])
            return
        wanted = near(times, time(self.random.randint(9, 17)), place)
        self._book(place, doctor, patient, "session", day, wanted)

    # -- everyone else -----------------------------------------------------------------------

    def consult_without_plan(self) -> None:
        """Notes that led to no plan, and one that is still a draft."""
        for number, (decision, words) in enumerate(NOT_TREATED):
            place = self.ground.places[number % 2]
            doctor = place.practitioners[number % len(place.practitioners)]
            person, patient = self._next(place)
            day = self._ago(5 + number * 6)
            self._history(patient, person, day - timedelta(days=1), place)
            values = {
                "concern": "Would like to look fresher.",
                "examination": words,
                "fitzpatrick": 2,
                "discussion": words,
                "decision": decision,
                "decision_reason": "" if decision == "think" else words,
                "refer_to": "Dr Lemoine, dermatologist" if decision == "refer" else "",
                "think_until": day + timedelta(days=14) if decision == "think" else None,
                "alternatives_named": ["nothing"],
                "areas": [],
            }
            self._note(doctor, patient, place, self._moment(place, day, time(15)), values)
        for place in self.ground.places:
            doctor = place.practitioners[0]
            person, patient = self._next(place)
            self._history(patient, person, self._ago(3), place)
            with then(self.now - timedelta(minutes=20), doctor):
                note = start_consultation(by=doctor, patient=patient, location=place.location)
                save_consultation(
                    by=doctor,
                    consultation=note,
                    revision=note.revision,
                    values={"concern": "Fine lines around the eyes."},
                )

    def fill_histories(self) -> None:
        """Half of the others have handed in a history, some have begun one, some have a link."""
        said, weights = zip(*CONDITIONS, strict=True)
        for place in self.ground.places:
            for number, (person, patient) in enumerate(self.waiting[place.location.pk]):
                day = self._ago(self.random.randint(3, 150))
                if number % 2 == 0:
                    facts = self.random.choices(said, weights)[0]
                    self._history(patient, person, day, place, **facts)
                elif number % 15 == 1:
                    with then(self._moment(place, self._ago(2), time(19)), patient):
                        values = {"weight_kg": person.weight_kg, "pregnant": False}
                        save_draft(patient=patient, origin=History.Origin.LINK, values=values)
                        open_link(patient)

    def fill_diaries(self) -> None:
        """About eight visits per practitioner and working day, today and the days next to it booked
        at the desk, the rest written in one go."""
        rows: list[Appointment] = []
        for offset in range(-DAYS_BACK, DAYS_AHEAD + 1):
            day = self.today + timedelta(days=offset)
            for place in self.ground.places:
                for doctor in place.practitioners:
                    if hours.on_leave(doctor, day, self.today):
                        continue
                    rows += self._fill_day(place, doctor, day, offset)
        bulk.copy(Appointment, rows)
        self._play_today()

    def _fill_day(
        self, place: Place, doctor: Staff, day: date, offset: int
    ) -> Iterator[Appointment]:
        starts = hours.bookable(place, doctor, day, self.today)
        pool = [patient for where, _person, patient in self.everyone if where is place]
        wanted = len(starts) - 3 if offset == 0 else min(len(starts), self.random.randint(9, 12))
        for _try in range(30):
            if self.agenda.busy(doctor, starts) >= wanted:
                return
            patient = self.random.choice(pool)
            service = self.random.choices(SERVICES, (6, 3, 2))[0]
            self.random.shuffle(starts)
            if abs(offset) <= 1:
                self._book(place, doctor, patient, service, day, starts)
            elif (row := self._row(place, doctor, patient, service, starts)) is not None:
                yield row

    def _row(
        self,
        place: Place,
        doctor: Staff,
        patient: Patient,
        service: str,
        starts: list[datetime],
    ) -> Appointment | None:
        """A visit that is over, or still weeks away, as it stands now."""
        kind = self.ground.services[service]
        start = self.agenda.take(place, doctor, patient.pk, kind.minutes, starts)
        if start is None:
            return None
        past = start < self.now
        statuses = (
            ("done", "no_show", "cancelled") if past else ("booked", "confirmed", "cancelled")
        )
        status = self.random.choices(statuses, (88, 5, 7) if past else (60, 37, 3))[0]
        return Appointment(
            created_at=min(self.now, start) - timedelta(days=self.random.randint(2, 20)),
            location=place.location,
            patient=patient,
            practitioner=doctor,
            room=place.room_of(doctor),
            service=kind,
            starts_at=start,
            ends_at=start + timedelta(minutes=kind.minutes),
            **times_needed(kind, start),
            status=status,
            cancel_reason="Patient called, will ring again." if status == "cancelled" else "",
            booked_by=place.desk,
        )

    def _play_today(self) -> None:
        """Yesterday is over; today stands where the clock does."""
        for place in self.ground.places:
            recent = (
                Appointment.objects.filter(
                    location=place.location,
                    starts_at__gte=self.now - timedelta(hours=36),
                    starts_at__lt=self.now + timedelta(hours=36),
                    status=Appointment.Status.BOOKED,
                )
                .select_related("patient")
                .order_by("starts_at", "pk")
            )
            for number, visit in enumerate(recent):
                self._play(place, visit, number)

    def _play(self, place: Place, visit: Appointment, number: int) -> None:
        """One visit, from what was booked to what the clock says of it."""
        desk = place.desk
        steps: list[tuple[datetime, str]] = []
        if visit.starts_at - timedelta(minutes=25) > self.now:
            if number % 3:
                steps = [(self.now - timedelta(hours=20), "confirmed")]
        elif number % 11 == 10 and visit.starts_at < self.now - timedelta(minutes=20):
            steps = [(visit.starts_at + timedelta(minutes=20), "no_show")]
        else:
            steps = [
                (visit.starts_at - timedelta(minutes=9), "arrived"),
                (visit.starts_at, "in_room"),
                (visit.ends_at, "done"),
            ]
        for moment, status in steps:
            if status == "arrived":
                moment = min(moment, self.now)
            if moment <= self.now:
                with then(moment, desk) as at:
                    set_status(by=desk, appointment=visit, status=status, at=at)
        if number == 17 and visit.starts_at > self.now:
            with then(self.now - timedelta(hours=2), desk):
                cancel(by=desk, appointment=visit, reason="Has a cold.")

    def settle_messages(self) -> None:
        """What was due went out long ago; only the newest few are left for the worker to send."""
        due = Message.objects.filter(state=Message.State.PENDING, due_at__lte=self.now)
        newest = due.order_by("-due_at", "-pk")[:MOST_MAILS].values_list("pk", flat=True)
        with then(self.now):
            note_sent_before(
                keys=list(due.exclude(pk__in=list(newest)).values_list("key", flat=True))
            )


def times_needed(service: Service, start: datetime) -> dict[str, datetime]:
    """When the practitioner comes and the room is clean again, where that is not the patient's."""
    needs = Visit.of_service(service).shape.needs(start)
    times = {}
    if service.before_minutes:
        times["practitioner_from"] = needs.practitioner.start
    if service.after_minutes:
        times["room_until"] = needs.room.end
    return times


def _own_value(check_in: CheckIn) -> Decimal | None:
    """How the patient sees it by the scale they are asked with; nobody is asked early."""
    if check_in.own_scale_id is None:
        return None
    return Decimal((2, 1, 3, 2, 4)[check_in.pk % 5])


def signature(name: str) -> Signature:
    """A drawn line that is each name's own."""
    random = Random(name)  # noqa: S311  a squiggle
    strokes = []
    left = 20.0
    for part in name.split()[:3]:
        stroke = [(left, 70.0)]
        for _letter in part[:9]:
            left += 9 + random.random() * 8
            stroke.append((round(left, 1), round(70 - random.uniform(-22, 38), 1)))
        strokes.append(stroke)
        left += 16
    return Signature(strokes=strokes, width=600, height=140, typed_name="")
