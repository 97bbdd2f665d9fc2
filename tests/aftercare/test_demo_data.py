"""The demo: told once, whole, deterministic; and grown by COPY under the same rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from itertools import islice, pairwise

import phonenumbers
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, transaction

from aftercare.demo import bulk
from aftercare.demo.people import people
from aftercare.demo.script import MOST_DOCUMENTS, MOST_MAILS
from aftercare.watch.models import Call, CheckIn
from clinic.access.models import Staff
from clinic.audit.models import AuditEntry
from clinic.places.models import Location
from clinic.places.stranding import Concerned
from patients.documents.models import Document
from patients.intake.models import Confirmation, History
from patients.messages.models import Message
from patients.registry.models import Patient, Registration
from treatments.catalogue.models import Contraindication, Lot, Substance
from treatments.consents.coverage import coverage
from treatments.consents.models import Consent, ConsentTemplate
from treatments.diary.fit import Reason, misfits
from treatments.diary.hours import usual_opening
from treatments.diary.models import Appointment
from treatments.plans.models import Plan
from treatments.screening.models import Override
from treatments.sessions.models import Session, TreatedArea

DAY = date(2026, 5, 13)
NOON = datetime(2026, 5, 13, 11, tzinfo=UTC)


def demo_data(**options: object) -> str:
    out = StringIO()
    call_command("demo_data", at=DAY, stdout=out, **options)
    return out.getvalue()


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: object) -> Iterator[str]:
    """The demo at scale 2, made once for this module and taken away after it."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        atom = transaction.atomic()
        atom.__enter__()
        try:
            yield demo_data(scale=2)
        finally:
            transaction.set_rollback(True)
            atom.__exit__(None, None, None)


@pytest.fixture
def story(demo: str, db: None) -> str:
    return demo


def told_at(name: str) -> Location:
    return Location.objects.get(name=name)


def test_refused_outside_a_demo(db: None, settings: object) -> None:
    before = Patient.objects.count()
    settings.DEMO = False  # type: ignore[attr-defined]
    with pytest.raises(CommandError, match="only where DEMO is set"):
        demo_data(scale=2)
    assert Patient.objects.count() == before


@pytest.mark.parametrize("scale", [0, -1, 1001])
def test_an_impossible_scale_is_refused(db: None, scale: int) -> None:
    with pytest.raises(CommandError, match="scale"):
        demo_data(scale=scale)


def test_done_twice_it_changes_nothing(story: str) -> None:
    before = Patient.objects.count()
    assert "patients already" in demo_data()
    assert Patient.objects.count() == before


def test_counts_of_scale_two(story: str) -> None:
    # Two were registered twice, one is under age, and two read best what the house does not speak.
    assert Patient.objects.count() == 605
    assert 2_900 <= Appointment.objects.count() <= 4_000
    assert Registration.objects.values("patient").distinct().count() == 605


def test_the_people_of_the_demo_can_sign_in(story: str, settings: object) -> None:
    for name in ("practitioner", "frontdesk", "manager", "practitioner2", "frontdesk2"):
        staff = Staff.objects.get(email=f"{name}@demo.clinic")
        assert staff.has_usable_password()
    others = Staff.objects.exclude(email__regex=r"^(practitioner|frontdesk|manager)2?@")
    assert others
    assert not any(one.has_usable_password() for one in others)
    assert all(one.is_licensed for one in Staff.objects.filter(role="practitioner"))


def test_every_plan_state_is_there(story: str) -> None:
    assert set(Plan.objects.values_list("state", flat=True)) == set(Plan.State.values)
    states = {
        str(coverage(p.patient, p, NOON).state) for p in Plan.objects.filter(state="accepted")
    }
    assert {"covered", "missing", "unsigned", "withdrawn"} <= states


def test_a_consent_of_each_kind_is_there(story: str) -> None:
    waiting = Consent.objects.filter(signed_at__isnull=True)
    assert waiting.filter(sent_at__isnull=False, read_at__isnull=True).exists()
    assert waiting.filter(read_at__isnull=False, questions__answered_at__isnull=True).exists()
    assert waiting.filter(cooling_off_hours__gt=0, read_at__isnull=False).exists()
    assert Consent.objects.filter(attendants__role="interpreter", document__isnull=False).exists()
    assert ConsentTemplate.objects.filter(approved_at__isnull=False).exists()


def back_courses() -> list[Plan]:
    told = Location.objects.filter(name__in=["Clinique Rive Gauche", "Harbour House"])
    plans = Plan.objects.filter(indication="low-back-pain", location__in=told)
    return [plan for plan in plans if plan.sessions.filter(totals__has_key="lidocaine_mg")]


def test_the_published_back_course_holds_its_figures(story: str) -> None:
    plan = next(p for p in back_courses() if p.sessions.count() == 5)
    assert plan.state == Plan.State.FINISHED
    sessions = list(plan.sessions.order_by("number"))
    first = sessions[0].started_at.date()
    assert [(s.started_at.date() - first).days + 1 for s in sessions] == [1, 4, 7, 10, 13]
    amounts = [{a["code"]: a["injected"] for a in s.totals["amounts"]} for s in sessions]
    assert [a["lidocaine"] for a in amounts] == ["20"] * 5
    assert [s.totals["lidocaine_mg"] for s in sessions] == ["20"] * 5
    assert [a["methylprednisolone"] for a in amounts] == ["40", "40", "20", "20", "20"]
    assert [a["ketoprofen"] for a in amounts] == ["160"] * 5
    for session in sessions:
        assert Decimal(session.totals["drawn_ml"]) == Decimal(session.totals["injected_ml"]) == 3
        assert sum(part.ml for part in session.mix.all()) == 3


def test_a_back_course_is_under_way_and_due_today(story: str) -> None:
    plan = next(
        p for p in back_courses() if p.state == Plan.State.ACCEPTED and p.sessions.count() == 3
    )
    assert Appointment.objects.filter(
        patient=plan.patient, starts_at__date=DAY, service__kind="session"
    ).exists()


def test_the_face_course_stands_at_three_of_four(story: str) -> None:
    plans = Plan.objects.filter(
        title="Face, hyaluronic acid and vitamins", state="accepted"
    ).order_by("pk")
    plan = next(p for p in plans if p.sessions.filter(signed_at__isnull=False).count() == 3)
    days = [s.started_at.date() for s in plan.sessions.order_by("number")]
    assert [(b - a).days for a, b in pairwise(days)] == [15, 15]


def test_every_session_told_has_its_map_and_its_watch(story: str) -> None:
    signed = Session.objects.filter(signed_at__isnull=False)
    for session in signed.prefetch_related("treated_areas", "check_ins", "mix"):
        assert session.mix.all()
        assert all(area.points and area.chart for area in session.treated_areas.all())
        assert len(session.check_ins.all()) == 7


def test_the_bench_shows_two_syringes_a_gun_and_a_session_left_open(story: str) -> None:
    two = Session.objects.filter(signed_at__isnull=False, syringes__label="B")
    assert two
    assert {one["label"] for one in two[0].totals["syringes"]} == {"A", "B"}
    told = Session.objects.filter(totals__has_key="syringes")
    gun = TreatedArea.objects.filter(session__in=told, method="gun")
    assert all(area.device_id and area.programme for area in gun)
    assert gun
    begun = Session.objects.filter(signed_at__isnull=True)
    assert {session.location.name for session in begun} == {"Clinique Rive Gauche", "Harbour House"}
    for session in begun:
        first = session.treated_areas.first()
        assert 0 < len(first.points) < len(first.intended)


def test_nobody_is_flooded(story: str) -> None:
    waiting = Document.objects.filter(state=Document.State.QUEUED)
    assert 4 <= waiting.count() <= MOST_DOCUMENTS
    due = Message.objects.filter(state=Message.State.PENDING, due_at__lte=NOON)
    # Beside what was kept, what was told after it: about data, sheets, safety.
    assert 1 <= due.exclude(kind="offer").count() <= MOST_MAILS + 8
    assert not Message.objects.filter(state__in=["failed", "uncertain", "claimed"]).exists()


def test_check_ins_in_every_state(story: str) -> None:
    states = set(CheckIn.objects.values_list("state", flat=True))
    assert {"planned", "open", "answered"} <= states
    assert CheckIn.objects.silent(NOON).exists()
    assert Call.objects.filter(is_red=True, done_at__isnull=True).exists()
    assert Call.objects.filter(is_red=True, done_at__isnull=False).exists()


def test_shelves_hold_good_expiring_expired_and_held_lots(story: str) -> None:
    for place in Location.objects.filter(name__in=["Clinique Rive Gauche", "Harbour House"]):
        lots = Lot.objects.filter(location=place)
        assert lots.filter(expires_on__lt=DAY).exists()
        assert lots.filter(state="quarantined").exists()
        soon = lots.filter(expires_on__range=(DAY, DAY + timedelta(days=45)), state="available")
        assert soon.exists()


def test_nothing_of_the_story_happened_later_than_today(story: str) -> None:
    assert not Patient.objects.filter(created_at__gt=NOON).exists()
    assert not Session.objects.filter(signed_at__gt=NOON).exists()
    assert not Appointment.objects.filter(created_at__gt=NOON).exists()
    assert not Appointment.objects.filter(status="done", starts_at__gt=NOON).exists()


def test_no_record_is_older_than_the_rules_it_was_made_by(story: str) -> None:
    opened = NOON - timedelta(days=400)
    first = Plan.objects.filter(created_at__gt=opened).earliest("created_at").created_at
    for rules in (Contraindication, Substance):
        assert not rules.objects.filter(created_at__gt=first).exists()


def test_the_full_day_holds_sixty(story: str) -> None:
    day = bulk.full_day(DAY)
    place = told_at("Clinique Rive Gauche")
    assert Appointment.objects.filter(location=place, starts_at__date=day).count() == 60


def test_only_the_leave_leaves_visits_to_be_moved(story: str) -> None:
    left = {}
    for name in ("Clinique Rive Gauche", "Harbour House"):
        unfit = misfits(Concerned(location=told_at(name)), NOON)
        left[name] = {reason for why in unfit.values() for reason in why}
    assert left == {"Clinique Rive Gauche": {Reason.AWAY}, "Harbour House": set()}


def test_nothing_ahead_is_booked_on_a_closed_day(story: str) -> None:
    for place in Location.objects.filter(name__in=["Clinique Rive Gauche", "Harbour House"]):
        ahead = place.appointments.filter(starts_at__gt=NOON).values_list("starts_at", flat=True)
        days = {start.astimezone(place.zone).date() for start in ahead}
        assert days
        assert [day for day in days if usual_opening(place, day) is None] == []


def test_every_row_of_the_crowd_is_in_the_trail(story: str) -> None:
    newest = Appointment.objects.order_by("-pk")[:50]
    written = AuditEntry.objects.filter(
        what="treatments_appointment", action="create", object_id__in=[str(a.pk) for a in newest]
    )
    assert written.count() == 50
    assert set(written.values_list("who", flat=True)) == {"demo data"}


def test_copied_rows_obey_the_constraints(story: str) -> None:
    """The negative control: what a booking may not do, a copy may not do either."""
    known = Appointment.objects.filter(status="booked").first()
    twice = Appointment(
        location_id=known.location_id,
        patient_id=known.patient_id,
        practitioner_id=known.practitioner_id,
        room_id=known.room_id,
        service_id=known.service_id,
        starts_at=known.starts_at,
        ends_at=known.ends_at,
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.copy(Appointment, [twice])


def test_signed_sessions_of_the_crowd_are_closed(story: str) -> None:
    newest = Session.objects.order_by("-pk").first()
    with pytest.raises(DatabaseError, match="signed and closed"), transaction.atomic():
        Session.objects.filter(pk=newest.pk).update(observation="x")


@pytest.mark.parametrize("country", ["FR", "GB"])
def test_the_same_seed_gives_the_same_people(country: str) -> None:
    def some(seed: int) -> list[object]:
        return list(islice(people(seed=seed, country=country, today=DAY), 300))

    assert some(1) == some(1)
    assert some(1) != some(2)


@pytest.mark.parametrize("country", ["FR", "GB"])
def test_people_are_plausible(country: str) -> None:
    crowd = list(islice(people(seed=42, country=country, today=DAY), 300))
    assert all(
        phonenumbers.is_possible_number(phonenumbers.parse(p.phone)) for p in crowd if p.phone
    )
    assert all(p.email.rpartition("@")[2].startswith("example.") for p in crowd if p.email)
    assert len({p.email for p in crowd}) < len([p for p in crowd if p.email])
    assert any(len(p.name) > 80 for p in crowd)
    assert any("’" in p.name for p in crowd)
    assert sum(not p.name.isascii() for p in crowd) > 60
    assert all(18 < (DAY - p.birth_date).days / 365.25 < 100 for p in crowd)
    assert all(46 <= p.weight_kg <= 130 for p in crowd)


def test_a_history_has_changed_a_stop_was_decided_and_somebody_confirmed(story: str) -> None:
    unread = History.objects.to_review().filter(version=2)
    assert [h.medicines for h in unread if h.signature_svg] == [["anticoagulant"]]
    decided = Override.objects.get(rule__contains="breastfeeding")
    read = History.objects.get(patient=decided.patient, version=decided.history_version)
    assert read.review_changes
    assert decided.source
    confirmed = Confirmation.objects.get()
    assert confirmed.history.reviewed_at
