"""One screen books a course; what goes wrong is said there, and nothing typed is lost."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from patients.registry.models import Registration
from tests.conftest import Cast, make_patient
from tests.treatments.course_world import MONDAY, booked, course_plan, moment, on, treated
from treatments.courses.models import PlannedVisit
from treatments.courses.standing import course_of
from treatments.diary.actions import book, move
from treatments.diary.models import Appointment
from treatments.plans.actions import stop_plan

pytestmark = pytest.mark.django_db
FIELD = re.compile(r"<(?:input|option)[^>]*>")
WORD = re.compile(r'(name|value|type)="([^"]*)"')


@pytest.fixture(autouse=True)
def monday():
    with on(0):
        yield


@pytest.fixture
def desk(cast, client_for):
    return client_for(cast.front_desk)


@pytest.fixture
def doctor(cast, client_for):
    return client_for(cast.practitioner)


def address(plan, name: str = "course") -> str:
    return reverse(f"courses:{name}", args=[plan.patient.number, plan.pk])


def form_of(response) -> dict[str, list[str]]:
    """What a browser would send back: every field as the page has it."""
    sent: dict[str, list[str]] = {}
    html = response.content.decode().partition('id="course-form"')[2].partition("</form>")[0]
    for tag in FIELD.findall(html):
        words = dict(WORD.findall(tag))
        if words.get("type") == "checkbox" and " checked" not in tag:
            continue
        if tag.startswith("<input") and words.get("name") not in (None, "csrfmiddlewaretoken"):
            sent.setdefault(words["name"], []).append(words.get("value", ""))
    for select in re.findall(r'<select[^>]*name="(\w+)".*?</select>', html, re.S):
        chosen = re.search(rf'name="{select}".*?<option value="([^"]*)" selected', html, re.S)
        sent[select] = [chosen.group(1)] if chosen else ["any"]
    return sent


def slots(response) -> dict[str, str]:
    return {
        name.removeprefix("slot-"): values[0]
        for name, values in form_of(response).items()
        if name.startswith("slot-")
    }


def test_a_course_of_six_takes_one_page_and_one_press(cast: Cast, desk) -> None:
    plan = course_plan(cast)
    page = desk.get(address(plan))
    assert page.status_code == 200
    assert list(slots(page)) == ["1", "2", "3", "4", "5", "6"]
    answer = desk.post(address(plan), form_of(page) | {"do": "take"})
    assert answer.status_code == 302
    course = course_of(plan)
    assert [step.gap for step in course.steps] == [None, 7, 7, 7, 7, 7]
    again = desk.post(address(plan), form_of(page) | {"do": "take"})
    assert again.status_code == 302
    assert Appointment.objects.count() == 6
    done = desk.get(answer["Location"]).content.decode()
    assert "Book all" not in done
    assert "6 booked" in done


def test_the_desk_reads_no_content_of_the_plan(cast: Cast, desk, doctor) -> None:
    plan = course_plan(cast, title="Very private matter")
    visits = booked(cast, plan, 1, 8)
    PlannedVisit.objects.filter(pk=visits[1].pk).update(
        gap_reason="Very private fever", gap_allowed_by=cast.practitioner
    )
    move_url = reverse("courses:move", args=[visits[0].appointment_id])
    pages = [address(plan), address(plan, "plan-panel"), move_url]
    pages += [reverse("courses:panel", args=[plan.patient.number])]
    pages += [reverse("courses:appointment", args=[v.appointment_id]) for v in visits]
    for page in pages:
        assert "Very private" not in desk.get(page).content.decode(), page
        assert doctor.get(page).status_code == 200


def test_other_wishes_bring_other_times(cast: Cast, desk) -> None:
    plan = course_plan(cast)
    sent = form_of(desk.get(address(plan)))
    sent |= {"do": "propose", "weekdays": ["3"], "parts": ["evening"], "count": "3"}
    answer = desk.post(address(plan), sent, headers={"HX-Request": "true"})
    html = answer.content.decode()
    assert "<html" not in html
    found = re.findall(r'name="slot-\d" value="([^|]+)\|', html)
    assert found == ["2026-03-05T17:00", "2026-03-12T17:00", "2026-03-19T17:00"]
    assert Appointment.objects.count() == 0


def test_a_time_picked_by_hand_stays_and_the_others_follow(cast: Cast, desk) -> None:
    plan = course_plan(cast)
    page = desk.get(address(plan))
    opened = desk.post(address(plan), form_of(page) | {"do": "others:2"})
    wanted = f"2026-03-11T15:00|{cast.practitioner.pk}"
    assert f'value="pick:2:{wanted}"' in opened.content.decode()
    picked = desk.post(address(plan), form_of(opened) | {"do": f"pick:2:{wanted}"})
    assert slots(picked)["2"] == wanted
    assert slots(picked)["1"] == slots(page)["1"]
    assert slots(picked)["3"].startswith("2026-03-18")
    assert form_of(picked)["chosen"] == ["2"]
    desk.post(address(plan), form_of(picked) | {"do": "take"})
    assert course_of(plan).steps[1].on == MONDAY + timedelta(days=9)


def test_a_time_that_is_gone_is_named_and_replaced_and_the_rest_stays(cast: Cast, doctor) -> None:
    plan, other = course_plan(cast), make_patient(cast.here, "Ana", "López")
    page = doctor.get(address(plan))
    third = slots(page)["3"]
    day, hour = int(third[8:10]), int(third[11:13])
    book(
        by=cast.front_desk,
        location=cast.here,
        patient=other,
        service=cast.treatment,
        starts_at=moment(cast, day - 2, hour),
        practitioner=cast.practitioner,
    )
    sent = form_of(page) | {"do": "take", "weekdays": ["1"]}
    answer = doctor.post(address(plan), sent)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "Nothing was booked" in html
    assert "Session 3: Ada Rossi is already booked" in html
    assert form_of(answer)["weekdays"] == ["1"]
    proposed = slots(answer)
    assert proposed["3"] != third
    assert {k: v for k, v in proposed.items() if k != "3"} == {
        k: v for k, v in slots(page).items() if k != "3"
    }
    assert Appointment.objects.filter(patient=plan.patient).count() == 0
    assert doctor.post(address(plan), form_of(answer) | {"do": "take"}).status_code == 302
    assert course_of(plan).left == 0


def test_outside_the_gap_the_desk_asks_and_the_practitioner_says_why(
    cast: Cast, desk, doctor
) -> None:
    plan = course_plan(cast, (2, 7, 10))
    late = f"2026-03-20T10:00|{cast.practitioner.pk}"
    sent = form_of(desk.get(address(plan)))
    asked = desk.post(address(plan), sent | {"do": f"pick:2:{late}"})
    assert "Only a practitioner can let it lie there" in asked.content.decode()
    refused = desk.post(address(plan), form_of(asked) | {"do": "take", "reason-2": "Because"})
    assert refused.status_code == 422
    assert "ask the practitioner" in refused.content.decode()
    assert slots(refused)["2"] == late
    shown = doctor.post(address(plan), form_of(asked) | {"do": ""})
    assert 'name="reason-2"' in shown.content.decode()
    unsaid = doctor.post(address(plan), form_of(shown) | {"do": "take"})
    assert "Say why" in unsaid.content.decode()
    said = form_of(unsaid) | {"do": "take", "reason-2": "Travels"}
    assert doctor.post(address(plan), said).status_code == 302
    assert PlannedVisit.objects.get(number=2).gap_reason == "Travels"


def test_without_any_free_time_the_page_says_so(cast: Cast, desk) -> None:
    cast.here.rooms.update(is_active=False)
    html = desk.get(address(course_plan(cast))).content.decode()
    assert html.count("No time found") == 6
    assert "No time is free within four weeks." in html


def test_moving_one_session_offers_to_move_the_rest(cast: Cast, desk) -> None:
    plan = course_plan(cast)
    rows = booked(cast, plan, 1, 8, 15, 22)
    move(
        by=cast.front_desk,
        appointment=rows[1].appointment,
        starts_at=moment(cast, 11),
        practitioner=cast.practitioner,
    )
    visit = desk.get(reverse("courses:appointment", args=[rows[1].appointment_id]))
    url = reverse("courses:move", args=[rows[1].appointment_id])
    assert f'href="{url}"' in visit.content.decode()
    page = desk.get(url)
    assert "was Tue 17 Mar" in page.content.decode()
    assert desk.post(url, form_of(page) | {"do": "take"}).status_code == 302
    assert [step.gap for step in course_of(plan).steps] == [None, 10, 7, 7]
    assert course_of(plan).steps[0].on == MONDAY + timedelta(days=1)
    assert "nothing has to move" in desk.get(url).content.decode()


def test_a_move_out_of_the_gap_can_take_the_course_along(cast: Cast, desk) -> None:
    plan = course_plan(cast)
    rows = booked(cast, plan, 2, 9, 16)
    pk = rows[1].appointment_id
    wanted = {"date": "2026-03-16", "time": "10:00", "practitioner": "any", "room": "any"}
    refused = desk.post(reverse("diary:move", args=[pk]), wanted)
    assert refused.status_code == 422
    html = refused.content.decode()
    url = re.search(rf'href="({reverse("courses:move", args=[pk])}\?to=[^"]+)"', html).group(1)
    page = desk.get(url)
    assert slots(page)[f"a{pk}"].startswith("2026-03-16T10:00")
    assert desk.post(url, form_of(page) | {"do": "take"}).status_code == 302
    course = course_of(plan)
    assert all(step.is_lawful for step in course.steps)
    assert course.steps[1].on.isoformat() == "2026-03-16"


def test_the_course_moves_with_its_preparation_and_its_cleaning(cast: Cast, desk) -> None:
    cast.treatment.before_minutes, cast.treatment.after_minutes = 20, 10
    cast.treatment.save()
    plan = course_plan(cast)
    rows = booked(cast, plan, 2, 9)
    pk = rows[0].appointment_id
    url = reverse("courses:move", args=[pk]) + f"?to=2026-03-06T11:00|{cast.practitioner.pk}"
    page = desk.get(url)
    assert desk.post(url, form_of(page) | {"do": "take"}).status_code == 302
    moved = [(row.starts_at, row.hands_on_at, row.clean_at) for row in _by_time(plan)]
    assert moved[0][0] == moment(cast, 4, 11)
    for starts, hands_on, clean in moved:
        assert (hands_on - starts, clean - starts) == (timedelta(minutes=20), timedelta(minutes=55))
    assert all(step.is_lawful for step in course_of(plan).steps)


def _by_time(plan) -> list[Appointment]:
    return list(Appointment.objects.filter(planned_visit__plan=plan).order_by("starts_at"))


def test_the_practitioner_moves_out_of_the_gap_with_a_reason(cast: Cast, doctor) -> None:
    rows = booked(cast, course_plan(cast), 2, 9)
    url = reverse("diary:move", args=[rows[1].appointment_id])
    wanted = {"date": "2026-03-20", "time": "10:00", "practitioner": "any", "room": "any"}
    asked = doctor.post(url, wanted).content.decode()
    assert re.search(r'<input type="text" name="gap_reason"', asked)
    assert doctor.post(url, wanted | {"gap_reason": "Fever"}).status_code == 302
    assert PlannedVisit.objects.get(pk=rows[1].pk).gap_reason == "Fever"


def test_a_stopped_plan_lists_what_is_still_booked(cast: Cast, desk) -> None:
    plan = course_plan(cast)
    rows = booked(cast, plan, 1, 8)
    stop_plan(by=cast.practitioner, plan=plan, reason="Better.")
    for page in (address(plan), address(plan, "plan-panel")):
        assert "2 appointments of it still stand" in desk.get(page).content.decode()
    ids = [str(row.appointment_id) for row in rows]
    sent = {"appointment": ids, "reason": "The plan has ended"}
    desk.post(address(plan, "cancel"), sent)
    assert set(Appointment.objects.values_list("status", flat=True)) == {"cancelled"}


def test_a_session_booked_by_itself_is_counted_in(cast: Cast, desk) -> None:
    plan = course_plan(cast)
    row = book(
        by=cast.front_desk,
        location=cast.here,
        patient=plan.patient,
        service=cast.treatment,
        starts_at=moment(cast, 3),
        practitioner=cast.practitioner,
    )
    assert "Booked by themselves" in desk.get(address(plan)).content.decode()
    desk.post(address(plan, "count"), {"appointment": row.pk})
    assert course_of(plan).step_of(row.pk).number == 1


def test_another_locations_course_is_not_there(cast: Cast, client_for) -> None:
    plan = course_plan(cast)
    (row,) = booked(cast, plan, 1)
    stranger = client_for(cast.front_desk2)
    for name in ("course", "plan-panel"):
        assert stranger.get(address(plan, name)).status_code == 404
    for name in ("cancel", "count"):
        assert stranger.post(address(plan, name), {}).status_code == 404
    for name in ("appointment", "move"):
        url = reverse(f"courses:{name}", args=[row.appointment_id])
        assert stranger.get(url).status_code == 404
    assert stranger.get(reverse("courses:marks"), {"appointments": row.appointment_id}).json() == {}
    Registration.objects.create(patient=cast.patient, location=cast.there)
    url = reverse("courses:move", args=[row.appointment_id])
    assert stranger.get(url).status_code == 403  # seen, but it takes place elsewhere
    sent = {"appointment": row.appointment_id, "reason": "x"}
    assert stranger.post(address(plan, "cancel"), sent).status_code == 403


@pytest.mark.parametrize(
    "sent",
    [
        {"do": "take", "slot-1": "nonsense", "key": "x"},
        {"do": "others:1", "look-1": "9999-12-31"},
        {"do": "pick:7:2026-13-40T99:00|1"},
        {"do": "others:"},
        {"do": "take", "slot-99": "2026-03-03T10:00|1"},
        {"first": "2100-12-31", "do": "propose"},
        {"count": "99999", "do": "propose"},
        {"service": "x", "do": "take"},
    ],
)
def test_nonsense_is_answered_kindly(cast: Cast, desk, sent) -> None:
    plan = course_plan(cast)
    page = form_of(desk.get(address(plan)))
    for base in ({}, page):
        assert desk.post(address(plan), base | sent).status_code in (200, 422)
    assert Appointment.objects.count() == 0


def test_marks_and_pages_know_how_far_it_is(cast: Cast, desk) -> None:
    plan = course_plan(cast)
    first, second = booked(cast, plan, 1, 8)
    treated(cast, plan, 1, 1, first.appointment)
    marks = desk.get(
        reverse("courses:marks"),
        {"appointments": f"{first.appointment_id},{second.appointment_id},x,"},
    ).json()
    assert [mark["word"] for mark in marks.values()] == ["1 of 6", "2 of 6"]
    panel = desk.get(reverse("courses:panel", args=[plan.patient.number])).content.decode()
    assert "1 of 6 done, 1 booked, 4 to book, next due 10 to 13 March" in panel
    bar = desk.get(reverse("plans:bar", args=[plan.patient.number])).content.decode()
    assert address(plan) in bar


def test_the_screen_costs_the_same_however_many_are_booked(
    cast: Cast, desk, django_assert_max_num_queries
) -> None:
    """Each session looked for may read a week or two; nothing grows with what is there."""
    plan = course_plan(cast)
    with django_assert_max_num_queries(100):
        desk.get(address(plan))
    booked(cast, plan, 1, 8, 15, 22, 29, 36)
    with django_assert_max_num_queries(25):
        desk.get(address(plan))


def test_today_says_which_courses_to_book_and_which_to_cancel(cast: Cast, desk, client_for) -> None:
    late, ended = (
        course_plan(cast),
        course_plan(cast, patient=make_patient(cast.here, "Ana", "Lovelace")),
    )
    treated(cast, late, 1, -8)
    booked(cast, ended, 1, 8)
    stop_plan(by=cast.practitioner, plan=ended, reason="Better.")
    html = desk.get(reverse("courses:today")).content.decode()
    assert "MARTIN" in html
    assert "1 of 6 done, 5 to book, next due 1 to 4 March" in html
    assert "Plan ended, 2 appointments still stand" in html
    booked(cast, late, 2, first=2)
    assert "MARTIN" not in desk.get(reverse("courses:today")).content.decode()
    stranger = client_for(cast.front_desk2).get(reverse("courses:today")).content.decode()
    assert "MARTIN" not in stranger
    assert "LOVELACE" not in stranger
