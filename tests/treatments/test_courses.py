"""A course is booked whole, moved whole, counted right, and never longer than its plan."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from clinic.errors import ActionRefused
from clinic.places.models import Location
from patients.registry.models import Registration
from tests.conftest import Cast, make_patient
from tests.treatments.course_world import (
    MONDAY,
    booked,
    choices,
    course_plan,
    moment,
    on,
    treated,
)
from treatments.courses.actions import (
    Choice,
    OutsideGap,
    Shift,
    SomeTaken,
    book_course,
    cancel_booked,
    count_in,
    move_course,
)
from treatments.courses.marks import marks_of
from treatments.courses.models import PlannedVisit
from treatments.courses.standing import course_of
from treatments.diary.actions import book, cancel, move, set_status
from treatments.diary.hooks import ReasonWanted
from treatments.diary.models import Appointment
from treatments.plans.actions import stop_plan

pytestmark = pytest.mark.django_db
WEEKLY = (0, 7, 14, 21, 28, 35)


@pytest.fixture(autouse=True)
def monday():
    with on(0):
        yield


def numbers(plan) -> list[tuple[int, str]]:
    return [(step.number, step.state) for step in course_of(plan).steps]


def test_six_sessions_are_booked_at_once_and_numbered(cast: Cast) -> None:
    plan = course_plan(cast)
    rows = booked(cast, plan, *(day + 1 for day in WEEKLY))
    assert [row.number for row in PlannedVisit.objects.order_by("number")] == [1, 2, 3, 4, 5, 6]
    assert Appointment.objects.count() == 6
    course = course_of(plan)
    assert (course.left, len(course.booked)) == (0, 6)
    assert [step.gap for step in course.steps] == [None, 7, 7, 7, 7, 7]
    local = [row.appointment.starts_at.astimezone(cast.here.zone).hour for row in rows]
    assert local == [10] * 6  # across the change to summer time


def test_one_time_that_is_gone_and_nothing_is_booked(cast: Cast) -> None:
    plan, other = course_plan(cast), make_patient(cast.here, "Ana", "López")
    for day in (8, 22):
        book(
            by=cast.front_desk,
            location=cast.here,
            patient=other,
            service=cast.treatment,
            starts_at=moment(cast, day),
            practitioner=cast.practitioner,
        )
    with pytest.raises(SomeTaken) as refused:
        booked(cast, plan, *(day + 1 for day in WEEKLY))
    assert set(refused.value.problems) == {2, 4}
    assert "Ada Rossi" in refused.value.problems[2]
    assert Appointment.objects.filter(patient=plan.patient).count() == 0
    assert PlannedVisit.objects.count() == 0


def test_the_same_form_sent_twice_books_once(cast: Cast) -> None:
    plan, key = course_plan(cast), uuid.uuid4()
    first = booked(cast, plan, 1, 8, key=key)
    again = booked(cast, plan, 1, 8, key=key)
    assert [row.pk for row in again] == [row.pk for row in first]
    assert Appointment.objects.count() == 2
    with pytest.raises(ActionRefused, match="already used"):
        booked(cast, plan, 1, 9, key=key)


def test_nothing_is_booked_past_the_last(cast: Cast) -> None:
    plan = course_plan(cast, (2, 7, 10))
    booked(cast, plan, 1, 8)
    with pytest.raises(ActionRefused, match="2 sessions, of which 0"):
        booked(cast, plan, 15, first=3)
    assert Appointment.objects.count() == 2


def test_nor_does_the_database_let_it(cast: Cast) -> None:
    plan = course_plan(cast, (1, 7, 7))
    booked(cast, plan, 1)
    extra = by_itself(cast, 9)
    with pytest.raises(IntegrityError, match="holds fewer"), transaction.atomic():
        PlannedVisit.objects.create(plan=plan, appointment=extra)
    row = PlannedVisit.objects.get()
    with pytest.raises(IntegrityError, match="no session of this number"), transaction.atomic():
        PlannedVisit.objects.filter(pk=row.pk).update(number=2)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE treatments_plannedvisit DISABLE TRIGGER ab_visit_within_plan")
    PlannedVisit.objects.create(plan=plan, appointment=extra)  # so it was the trigger


def test_nor_another_patients_appointment(cast: Cast) -> None:
    plan, other = course_plan(cast), make_patient(cast.here, "Ana", "López")
    row = by_itself(cast, 2, patient=other)
    with pytest.raises(IntegrityError, match="another patient"), transaction.atomic():
        PlannedVisit.objects.create(plan=plan, appointment=row)
    with pytest.raises(ActionRefused, match="someone else"):
        count_in(by=cast.practitioner, plan=plan, appointment=row)


def by_itself(cast: Cast, day: int, hour: int = 10, **changed) -> Appointment:
    values = {
        "by": cast.front_desk,
        "location": cast.here,
        "patient": cast.patient,
        "service": cast.treatment,
        "starts_at": moment(cast, day, hour),
        "practitioner": cast.practitioner,
    }
    return book(**values | changed)


def test_outside_the_gap_the_desk_is_told_to_ask_and_a_practitioner_to_say_why(cast: Cast) -> None:
    plan = course_plan(cast)
    with pytest.raises(OutsideGap, match="ask the practitioner"):
        booked(cast, plan, 1, 15, by=cast.front_desk)
    with pytest.raises(OutsideGap, match="Say why"):
        booked(cast, plan, 1, 15)
    late = [*choices(cast, [1]), Choice(2, moment(cast, 15), cast.practitioner.pk, "On holiday")]
    with pytest.raises(OutsideGap):
        booked(cast, plan, choices=late, by=cast.manager)
    assert Appointment.objects.count() == 0
    rows = booked(cast, plan, choices=late)
    kept = PlannedVisit.objects.get(pk=rows[1].pk)
    assert (kept.gap_reason, kept.gap_allowed_by) == ("On holiday", cast.practitioner)
    assert PlannedVisit.objects.get(pk=rows[0].pk).gap_reason == ""


def test_a_plan_that_is_no_longer_or_not_yet_in_force_is_not_booked(cast: Cast) -> None:
    plan = course_plan(cast)
    stop_plan(by=cast.practitioner, plan=plan, reason="Better.")
    with pytest.raises(ActionRefused, match="ended"):
        booked(cast, plan, 1)


def test_a_session_moves_by_itself_within_its_gap(cast: Cast) -> None:
    plan = course_plan(cast)
    rows = booked(cast, plan, 1, 8, 15)
    desk = {"by": cast.front_desk, "practitioner": cast.practitioner}
    move(appointment=rows[1].appointment, starts_at=moment(cast, 10), **desk)
    course = course_of(plan)
    assert [step.gap for step in course.steps] == [None, 9, 5]
    assert [step.number for step in course.outside] == [3]  # shown, and mended by moving the rest


def test_and_not_outside_it_without_a_reason(cast: Cast) -> None:
    plan = course_plan(cast)
    rows = booked(cast, plan, 1, 8)
    values = {"appointment": rows[1].appointment, "practitioner": cast.practitioner}
    with pytest.raises(ReasonWanted) as told:
        move(by=cast.front_desk, starts_at=moment(cast, 16), **values)
    assert not told.value.may_give
    with pytest.raises(ReasonWanted):
        move(by=cast.front_desk, starts_at=moment(cast, 16), gap_reason="Because", **values)
    with pytest.raises(ReasonWanted) as asked:
        move(by=cast.practitioner, starts_at=moment(cast, 16), **values)
    assert asked.value.may_give
    with pytest.raises(ReasonWanted):
        move(by=None, starts_at=moment(cast, 16), **values)  # the patient, by link
    move(by=cast.practitioner, starts_at=moment(cast, 16), gap_reason="Fever", **values)
    kept = PlannedVisit.objects.get(pk=rows[1].pk)
    assert (kept.gap_reason, kept.gap_allowed_by) == ("Fever", cast.practitioner)
    move(by=cast.front_desk, starts_at=moment(cast, 16, 15), **values)  # another hour of that day
    move(by=cast.front_desk, starts_at=moment(cast, 9), **values)
    assert PlannedVisit.objects.get(pk=rows[1].pk).gap_reason == ""


def test_the_rest_moves_together_also_onto_each_others_times(cast: Cast) -> None:
    plan = course_plan(cast)
    rows = booked(cast, plan, 1, 8, 15, 22)
    shifts = [
        Shift(row.appointment_id, moment(cast, day), cast.practitioner.pk)
        for row, day in zip(rows[1:], (8 + 2, 15 + 2, 22 + 2), strict=True)
    ]
    steps = move_course(by=cast.front_desk, plan=plan, shifts=shifts)
    assert [step.number for step in steps] == [2, 3, 4]
    weekly = [
        Shift(row.appointment_id, moment(cast, day), cast.practitioner.pk)
        for row, day in zip(rows, (10, 17, 24, 31), strict=True)
    ]
    move_course(by=cast.front_desk, plan=plan, shifts=weekly)
    assert [step.gap for step in course_of(plan).steps] == [None, 7, 7, 7]
    back = [
        Shift(row.appointment_id, moment(cast, day), cast.practitioner.pk)
        for row, day in zip(rows, (3, 10, 17, 24), strict=True)
    ]
    move_course(by=cast.front_desk, plan=plan, shifts=back)
    assert course_of(plan).steps[0].on == MONDAY + timedelta(days=3)


def test_or_none_of_it_moves(cast: Cast) -> None:
    plan, other = course_plan(cast), make_patient(cast.here, "Ana", "López")
    rows = booked(cast, plan, 1, 8, 15)
    by_itself(cast, 16, patient=other)
    shifts = [
        Shift(row.appointment_id, moment(cast, day), cast.practitioner.pk)
        for row, day in zip(rows[1:], (9, 16), strict=True)
    ]
    with pytest.raises(SomeTaken) as refused:
        move_course(by=cast.front_desk, plan=plan, shifts=shifts)
    assert set(refused.value.problems) == {rows[2].appointment_id}
    with pytest.raises(OutsideGap):
        move_course(by=cast.front_desk, plan=plan, shifts=[shift_of(cast, rows[2], 30)])
    assert [step.gap for step in course_of(plan).steps] == [None, 7, 7]


def shift_of(cast: Cast, row: PlannedVisit, day: int) -> Shift:
    return Shift(row.appointment_id, moment(cast, day), cast.practitioner.pk)


def test_a_cancelled_or_missed_session_can_be_booked_again_and_a_done_one_stays(cast: Cast) -> None:
    plan = course_plan(cast, (3, 7, 10))
    rows = booked(cast, plan, 1, 8, 15)
    treated(cast, plan, 1, 1, rows[0].appointment)
    set_status(by=cast.front_desk, appointment=rows[0].appointment, status="arrived")
    set_status(by=cast.front_desk, appointment=rows[0].appointment, status="done")
    cancel(by=cast.front_desk, appointment=rows[1].appointment, reason="Cold")
    assert numbers(plan) == [(1, "done"), (2, "booked")]
    assert course_of(plan).left == 1
    booked(cast, plan, 9, first=2)
    stored = {row.appointment_id: row.number for row in PlannedVisit.objects.all()}
    assert stored[rows[1].appointment_id] is None
    assert sorted(number for number in stored.values() if number) == [1, 2, 3]
    with pytest.raises(ActionRefused, match="no session left"):
        set_status(by=cast.front_desk, appointment=rows[1].appointment, status="booked")
    with pytest.raises(ActionRefused):
        booked(cast, plan, 25, first=4)


def test_a_cancelled_one_comes_back_while_its_place_is_free(cast: Cast) -> None:
    plan = course_plan(cast, (2, 7, 10))
    rows = booked(cast, plan, 1, 8)
    cancel(by=cast.front_desk, appointment=rows[0].appointment, reason="Slip")
    set_status(by=cast.front_desk, appointment=rows[0].appointment, status="booked")
    assert numbers(plan) == [(1, "booked"), (2, "booked")]


def test_a_session_given_without_its_appointment_pushes_the_others_on(cast: Cast) -> None:
    plan = course_plan(cast, (3, 7, 10))
    booked(cast, plan, 8, 15)
    treated(cast, plan, 1, 1)
    assert numbers(plan) == [(1, "done"), (2, "booked"), (3, "booked")]
    treated(cast, plan, 2, 2)
    course = course_of(plan)
    assert [step.number for step in course.steps] == [1, 2, 3, 4]
    assert course.left == 0
    assert "more than the plan holds" in course.title(course.steps[3])


def test_an_appointment_booked_by_itself_can_be_counted_in(cast: Cast) -> None:
    plan = course_plan(cast)
    booked(cast, plan, 1, 15 + 2, choices=choices(cast, [1]))
    row = by_itself(cast, 9)
    visit = count_in(by=cast.front_desk, plan=plan, appointment=row)
    assert visit.number == 2
    assert count_in(by=cast.front_desk, plan=plan, appointment=row) == visit
    with pytest.raises(OutsideGap):
        count_in(by=cast.front_desk, plan=plan, appointment=by_itself(cast, 30))


def test_what_is_still_booked_of_a_stopped_plan_is_cancelled_together(cast: Cast) -> None:
    plan = course_plan(cast)
    rows = booked(cast, plan, 1, 8, 15)
    stop_plan(by=cast.practitioner, plan=plan, reason="Better.")
    ids = [row.appointment_id for row in rows[1:]]
    other = by_itself(cast, 3)
    with pytest.raises(ActionRefused):
        cancel_booked(by=cast.front_desk, plan=plan, appointment_ids=[other.pk], reason="x")
    with pytest.raises(ActionRefused, match="Say why"):
        cancel_booked(by=cast.front_desk, plan=plan, appointment_ids=ids, reason=" ")
    cancel_booked(by=cast.front_desk, plan=plan, appointment_ids=ids, reason="Plan stopped")
    assert [step.appointment_id for step in course_of(plan).booked] == [rows[0].appointment_id]


def test_marks_are_said_to_whoever_may_see_the_patient(cast: Cast) -> None:
    plan = course_plan(cast)
    rows = booked(cast, plan, 1, 8)
    ids = [row.appointment_id for row in rows]
    assert [mark["word"] for mark in marks_of(cast.front_desk, ids).values()] == [
        "1 of 6",
        "2 of 6",
    ]
    assert (
        marks_of(cast.front_desk, ids)[str(ids[1])]["title"] == "Session 2 of 6, due 10 to 13 March"
    )
    assert marks_of(cast.front_desk2, ids) == {}
    cancel(by=cast.front_desk, appointment=rows[0].appointment, reason="Cold")
    assert [mark["word"] for mark in marks_of(cast.front_desk, ids).values()] == ["1 of 6"]


def test_marks_cost_the_same_for_one_and_for_many(cast: Cast) -> None:
    plan = course_plan(cast)
    ids = [row.appointment_id for row in booked(cast, plan, *(day + 1 for day in WEEKLY))]
    other = make_patient(cast.here, "Ana", "López")
    second = course_plan(cast, patient=other)
    more = booked(cast, second, 2, 9, 16)
    ids += [row.appointment_id for row in more]
    assert cast.front_desk.place_ids  # read once for each request
    with CaptureQueriesContext(connection) as one:
        assert len(marks_of(cast.front_desk, ids[:1])) == 1
    with CaptureQueriesContext(connection) as many:
        assert len(marks_of(cast.front_desk, ids)) == 9
    assert len(one) == len(many) == 5


def test_a_patient_who_moves_takes_the_course_along(cast: Cast) -> None:
    """Known at both locations, the course goes on at the other one, on its clock."""
    plan = course_plan(cast)
    booked(cast, plan, 1, 8)
    assert not PlannedVisit.objects.visible_to(cast.front_desk2).exists()
    Registration.objects.create(patient=cast.patient, location=cast.there)
    assert PlannedVisit.objects.visible_to(cast.front_desk2).count() == 2
    there: Location = cast.there
    book_course(
        by=cast.front_desk2,
        plan=plan,
        location=there,
        service=cast.treatment,
        choices=[Choice(3, moment(cast, 15), cast.practitioner2.pk)],
        key=uuid.uuid4(),
    )
    third = course_of(plan).steps[2]
    assert third.on == date(2026, 3, 17)
    assert third.clock == "09:00"  # ten in Paris
