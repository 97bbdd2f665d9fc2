"""A look-back on made data with a known answer gives it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from aftercare.safety import lookback
from aftercare.safety.actions import open_event
from aftercare.safety.lookback import Answer, Finding, look_back
from aftercare.safety.models import LookBack, LookBackQuerySet
from aftercare.safety.questions import add_case, ask_look_back
from clinic.access.models import Membership, Staff
from clinic.errors import ActionRefused
from clinic.places.models import Device, Location
from patients.registry.models import Patient
from tests.aftercare.safety_world import AT, Clinic, make_clinic, make_lot
from tests.conftest import Cast
from treatments.catalogue.models import AdverseEventType
from treatments.sessions.models import Session

pytestmark = pytest.mark.django_db
DAY = AT.date()


@pytest.fixture
def clinic(cast: Cast) -> Clinic:
    return make_clinic(cast)


def ask(cast: Cast, **fields: Any) -> LookBack:
    return ask_look_back(
        by=cast.practitioner,
        location=cast.here,
        title="Abscesses",
        since=DAY,
        until=DAY + timedelta(days=60),
        **fields,
    )


def case(cast: Cast, question: LookBack, patient: Patient, onset: date) -> None:
    add_case(by=cast.practitioner, question=question, patient=patient, onset_on=onset)


def found(answer: Answer, ident: str) -> Finding:
    return next(one for one in answer.findings if one.exposure.ident == ident)


@pytest.fixture
def outbreak(cast: Cast, clinic: Clinic) -> LookBack:
    """Lot BAD: 6 of 8 fell ill; of the 12 others 1. Both lots in both rooms, one mesogun."""
    bad, good = make_lot(cast.here, "BAD"), make_lot(cast.here, "GOOD")
    rooms = list(cast.here.rooms.all())
    gun = Device.objects.create(
        location=cast.here, kind="mesogun", make="Gun", model="1", serial_number="G1"
    )
    people = []
    for number in range(20):
        patient = clinic.patient()
        people.append(patient)
        clinic.session(
            patient,
            [bad if number < 8 else good],
            at=AT + timedelta(hours=number),
            room=rooms[number % 2],
            device=gun if number % 4 == 0 else None,
        )
    question = ask(cast)
    for number in (0, 1, 2, 3, 4, 5, 8):
        case(cast, question, people[number], DAY + timedelta(days=20 + number))
    return question


def test_the_lot_that_was_the_source_comes_first_with_its_figures(outbreak: LookBack) -> None:
    """Known answer: 6/8 against 1/12 is 9.0, 95 % from 1.32 to 61.3 (Katz)."""
    answer = look_back(outbreak)
    first = answer.findings[0]
    assert first.exposure.ident == "lot:ha-1:BAD"
    risk = first.risk
    assert (risk.exposed_cases, risk.exposed) == (6, 8)
    assert (risk.unexposed_cases, risk.unexposed) == (1, 12)
    assert risk.ratio == pytest.approx(9.0)
    assert risk.low == pytest.approx(1.3212, abs=0.0001)
    assert risk.high == pytest.approx(61.31, abs=0.01)
    assert risk.p == pytest.approx(0.0044, abs=0.0001)
    assert (answer.cases, answer.people, answer.sessions) == (7, 20, 20)


def test_what_had_nothing_to_do_with_it_stays_near_one(cast: Cast, outbreak: LookBack) -> None:
    answer = look_back(outbreak)
    room = cast.here.rooms.first()
    assert found(answer, f"room:{room.pk}").risk.ratio == pytest.approx(4 / 3)
    assert found(answer, "product:ha-1").risk.ratio is None
    assert found(answer, f"practitioner:{cast.practitioner.pk}").risk.unexposed == 0
    good = found(answer, "lot:ha-1:GOOD").risk
    assert good.ratio == pytest.approx(1 / 9)


def test_the_wait_from_session_to_onset(outbreak: LookBack) -> None:
    answer = look_back(outbreak)
    wait = answer.findings[0].wait
    assert wait is not None
    assert (wait.middle, wait.least, wait.most) == (22.5, 20, 25)


def test_more_sessions_more_cases(cast: Cast, clinic: Clinic) -> None:
    """One session: 1 of 4 ill; two: 3 of 4."""
    lot, question = make_lot(cast.here, "L1"), ask(cast)
    for number in range(8):
        patient = clinic.patient()
        for turn in range(1 if number < 4 else 2):
            clinic.session(patient, [lot], at=AT + timedelta(days=7 * turn, hours=number))
        if number in (0, 4, 5, 6):
            case(cast, question, patient, DAY + timedelta(days=30))
    answer = look_back(question)
    assert [(s.sessions, s.people, s.cases) for s in answer.steps] == [(1, 4, 1), (2, 4, 3)]
    assert answer.steps[0].risk is None
    assert answer.steps[1].risk is not None
    assert answer.steps[1].risk.ratio == pytest.approx(3.0)
    times = found(answer, "lot:ha-1:L1").steps
    assert [(s.sessions, s.people, s.cases) for s in times] == [(1, 4, 1), (2, 4, 3)]


def test_what_came_after_the_onset_caused_nothing(cast: Cast, clinic: Clinic) -> None:
    early, late, question = make_lot(cast.here, "EARLY"), make_lot(cast.here, "LATE"), ask(cast)
    ill, well = clinic.patient(), clinic.patient()
    clinic.session(ill, [early])
    clinic.session(ill, [late], at=AT + timedelta(days=20))
    clinic.session(well, [late], at=AT + timedelta(days=20, hours=1))
    case(cast, question, ill, DAY + timedelta(days=10))
    answer = look_back(question)
    assert {one.exposure.ident for one in answer.findings if one.exposure.kind == "lot"} == {
        "lot:ha-1:EARLY"
    }
    assert answer.others == 1


def test_a_case_who_was_not_treated_here_is_named_and_not_counted(
    cast: Cast, clinic: Clinic
) -> None:
    question = ask(cast)
    lot, treated, stranger = make_lot(cast.here, "L"), clinic.patient(), clinic.patient()
    clinic.session(treated, [lot])
    case(cast, question, treated, DAY + timedelta(days=9))
    case(cast, question, stranger, DAY + timedelta(days=9))
    answer = look_back(question)
    assert answer.cases == 1
    assert list(answer.outside) == [stranger.pk]


def test_mixtures_are_told_apart_from_their_parts(cast: Cast, clinic: Clinic) -> None:
    ha, lido = make_lot(cast.here, "H"), make_lot(cast.here, "X", "lidocaine-2")
    question = ask(cast)
    mixed, plain = clinic.patient(), clinic.patient()
    clinic.session(mixed, [ha, lido])
    clinic.session(plain, [ha], at=AT + timedelta(hours=1))
    case(cast, question, mixed, DAY + timedelta(days=9))
    answer = look_back(question)
    assert found(answer, "mix:ha-1:lidocaine-2").risk.exposed == 1
    assert found(answer, "product:ha-1").risk.exposed == 2


def test_another_location_is_not_compared(cast: Cast, clinic: Clinic) -> None:
    elsewhere = Clinic(cast.there, cast.practitioner2, cast.treatment)
    elsewhere.session(elsewhere.patient(), [make_lot(cast.there, "L")])
    clinic.session(clinic.patient(), [make_lot(cast.here, "L")])
    assert look_back(ask(cast)).people == 1


def test_two_files_of_one_person_are_one_person(cast: Cast, clinic: Clinic) -> None:
    lot, kept, other, question = (
        make_lot(cast.here, "L"),
        clinic.patient(),
        clinic.patient(),
        ask(cast),
    )
    clinic.session(kept, [lot])
    clinic.session(other, [lot], at=AT + timedelta(hours=1))
    case(cast, question, kept, DAY + timedelta(days=9))
    Patient.objects.filter(pk=other.pk).update(merged_into=kept)
    answer = look_back(question)
    assert (answer.people, answer.sessions) == (1, 2)


def test_infections_on_record_are_its_first_cases(cast: Cast, clinic: Clinic) -> None:
    ill = clinic.patient()
    session = clinic.session(ill, [make_lot(cast.here, "L")])
    for code, days in (("mycobacteria", 21), ("abscess", 25), ("bruise", 1)):
        _event(cast, session, code, days)
    question = ask(cast)
    assert [(row.patient_id, row.onset_on) for row in question.cases.all()] == [
        (ill.pk, DAY + timedelta(days=21))
    ]


def _event(cast: Cast, session: Session, code: str, days: int) -> None:
    open_event(
        by=cast.practitioner,
        patient=session.patient,
        location=cast.here,
        session=session,
        said={
            "kind": AdverseEventType.objects.current().get(code=code),
            "onset_at": AT + timedelta(days=days),
            "grade": 2,
            "relatedness": "possible",
            "description": "Nodule.",
            "follow_up_on": DAY + timedelta(days=days + 7),
        },
    )


def test_too_many_sessions_are_refused(
    cast: Cast, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        clinic.session(clinic.patient(), at=AT + timedelta(hours=number))
    monkeypatch.setattr(lookback, "MOST_SESSIONS", 2)
    with pytest.raises(ActionRefused, match="too many"):
        look_back(ask(cast))


def test_the_questions_to_the_database_do_not_grow(
    cast: Cast, clinic: Clinic, django_assert_num_queries: Any
) -> None:
    question, lot = ask(cast), make_lot(cast.here, "L")
    counts = []
    for rounds in (1, 3):
        for number in range(rounds):
            patient = clinic.patient()
            at = AT + timedelta(days=rounds, hours=number)
            clinic.session(patient, [lot], at=at, room=cast.room)
            case(cast, question, patient, DAY + timedelta(days=30))
        with django_assert_num_queries(15) as captured:
            look_back(LookBack.objects.select_related("location").get(pk=question.pk))
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_a_case_is_one_once_and_never_in_the_future(cast: Cast, clinic: Clinic) -> None:
    question, patient = ask(cast), clinic.patient()
    case(cast, question, patient, DAY)
    with pytest.raises(ActionRefused, match="already"):
        case(cast, question, patient, DAY)
    with pytest.raises(ActionRefused, match="ahead"):
        case(cast, question, clinic.patient(), timezone.localdate() + timedelta(days=2))


def test_the_desk_and_another_location_may_not_ask(cast: Cast) -> None:
    for person in (cast.front_desk, cast.practitioner2):
        with pytest.raises(ActionRefused):
            ask_look_back(by=person, location=cast.here, title="x", since=DAY, until=DAY, at=AT)


# -- over several locations ------------------------------------------------------------------


@pytest.fixture
def both(cast: Cast) -> list[Location]:
    """A manager of two locations, whose clocks are ten hours apart."""
    Membership.objects.get_or_create(staff=cast.manager, location=cast.there)
    Location.objects.filter(pk=cast.there.pk).update(timezone="Australia/Brisbane")
    return [cast.here, Location.objects.get(pk=cast.there.pk)]


def over(cast: Cast, places: list[Location], **fields: Any) -> LookBack:
    asked = {
        "title": "Both", "since": DAY, "until": DAY + timedelta(days=60), "with_infections": False,
    }  # fmt: skip
    return ask_look_back(by=cast.manager, location=cast.here, places=places, **asked | fields)


@pytest.fixture
def spread(cast: Cast, clinic: Clinic, both: list[Location]) -> LookBack:
    """Lot BAD lay on both shelves. Here 3 of the 4 who had it fell ill and 1 of 6 others; there 4
    of 6, and none of 8. Together 7 of 10 against 1 of 14.
    """
    there = Clinic(both[1], cast.practitioner2, cast.treatment)
    question = over(cast, both)
    for place, sizes in ((clinic, (4, 3, 6, 1)), (there, (6, 4, 8, 0))):
        exposed, ill, others, other_ill = sizes
        bad, good = (make_lot(place.place, number) for number in ("BAD", "GOOD"))
        for number in range(exposed + others):
            patient, is_exposed = place.patient(), number < exposed
            place.session(patient, [bad if is_exposed else good], at=AT + timedelta(hours=number))
            if number < ill or 0 <= number - exposed < other_ill:
                add_case(
                    by=cast.manager, question=question, patient=patient,
                    onset_on=DAY + timedelta(days=30),
                )  # fmt: skip
    return question


def test_two_locations_together_give_the_known_answer(spread: LookBack) -> None:
    """7/10 against 1/14 is 9.8, 95 % from 1.42 to 67.6 (Katz); p: 1725 of the
    735471 ways in which 8 cases fall on 24 people (Fisher)."""
    answer = look_back(spread)
    first = answer.findings[0]
    assert first.exposure.ident == "lot:ha-1:BAD"
    risk = first.risk
    assert (risk.exposed_cases, risk.exposed) == (7, 10)
    assert (risk.unexposed_cases, risk.unexposed) == (1, 14)
    assert risk.ratio == pytest.approx(9.8)
    assert (risk.low, risk.high) == (
        pytest.approx(1.4199, abs=0.0001), pytest.approx(67.636, abs=0.001),
    )  # fmt: skip
    assert risk.p == pytest.approx(1725 / 735471)
    assert (answer.cases, answer.people, answer.sessions) == (8, 24, 24)
    assert first.wait is not None
    assert (first.wait.least, first.wait.most) == (30, 30)


def test_a_chosen_location_alone_gives_its_own_answer(
    cast: Cast, both: list[Location], spread: LookBack
) -> None:
    alone = over(cast, both[1:], title="There")
    for case_row in spread.cases.filter(patient__registrations__location=both[1]):
        add_case(
            by=cast.manager, question=alone, patient=case_row.patient, onset_on=case_row.onset_on
        )
    answer = look_back(alone)
    risk = found(answer, "lot:ha-1:BAD").risk
    assert (risk.exposed_cases, risk.exposed, risk.unexposed) == (4, 6, 8)
    assert answer.people == 14


def test_each_location_counts_days_on_its_own_calendar(
    cast: Cast, clinic: Clinic, both: list[Location]
) -> None:
    """22:30 in Paris is the same day there, and the next in Brisbane."""
    late = AT.replace(hour=20, minute=30)
    there = Clinic(both[1], cast.practitioner2, cast.treatment)
    clinic.session(clinic.patient(), at=late)
    there.session(there.patient(), at=late)
    assert look_back(over(cast, both, until=DAY)).people == 1
    assert look_back(over(cast, both, since=DAY + timedelta(days=1))).people == 1


def test_a_person_treated_at_both_is_one(cast: Cast, clinic: Clinic, both: list[Location]) -> None:
    there = Clinic(both[1], cast.practitioner2, cast.treatment)
    patient = clinic.patient()
    patient.registrations.create(location=both[1])
    clinic.session(patient, [make_lot(both[0], "L")])
    there.plans.clear()
    there.session(patient, [make_lot(both[1], "l")], at=AT + timedelta(days=7))
    question = over(cast, both)
    add_case(by=cast.manager, question=question, patient=patient, onset_on=DAY + timedelta(days=20))
    answer = look_back(question)
    assert (answer.people, answer.sessions) == (1, 2)
    assert [(step.sessions, step.people) for step in found(answer, "lot:ha-1:L").steps] == [(2, 1)]


def seen_by(client: Client, question: LookBack) -> list[int]:
    """How each page of a look-back answers."""
    pages = [
        client.get(reverse("safety:look-back", args=[question.pk])),
        client.post(
            reverse("safety:case-add", args=[question.pk]), {"number": "P1", "onset_on": DAY}
        ),
        client.post(
            reverse("safety:case-drop", args=[question.pk, question.cases.first().pk])  # type: ignore[union-attr]
        ),
    ]
    return [page.status_code for page in pages]


def test_who_knows_one_location_alone_learns_nothing_of_both(
    cast: Cast, spread: LookBack, client_for: Callable[[Staff], Client]
) -> None:
    for person in (cast.practitioner, cast.practitioner2):
        client = client_for(person)
        assert seen_by(client, spread) == [404, 404, 404], person
        for page in ("safety:look-backs", "safety:index"):
            assert spread.title not in client.get(reverse(page)).content.decode()
    assert spread.cases.count() == 8
    client = client_for(cast.manager)
    page = client.get(reverse("safety:look-back", args=[spread.pk])).content.decode()
    assert all(row.patient.number in page for row in spread.cases.all())
    Membership.objects.filter(staff=cast.manager, location=cast.there).delete()
    assert client_for(cast.manager).get(
        reverse("safety:look-back", args=[spread.pk])
    ).status_code == 404  # fmt: skip


def test_the_control_asked_by_the_location_alone_it_would_show_the_others_patients(
    cast: Cast,
    spread: LookBack,
    client_for: Callable[[Staff], Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What stood before: whoever belongs to the place where it was asked."""

    def by_place(rows: Any, user: Staff) -> Any:
        return rows.filter(location__in=user.place_ids)

    monkeypatch.setattr(LookBackQuerySet, "visible_to", by_place)
    address = reverse("safety:look-back", args=[spread.pk])
    assert client_for(cast.practitioner).get(address).context["answer"].people == 24


def test_nobody_asks_about_a_location_that_is_not_theirs(
    cast: Cast, client_for: Callable[[Staff], Client]
) -> None:
    with pytest.raises(ActionRefused):
        ask_look_back(
            by=cast.practitioner, location=cast.here, title="x", since=DAY, until=DAY,
            places=[cast.here, cast.there],
        )  # fmt: skip
    Membership.objects.get_or_create(staff=cast.manager, location=cast.there)
    sent = {"title": "x", "since": DAY, "until": DAY}
    url = reverse("safety:look-backs")
    client_for(cast.practitioner).post(url, sent | {"places": [cast.here.pk, cast.there.pk]})
    assert {place.pk for place in LookBack.objects.get().places.all()} == {cast.here.pk}
    manager = client_for(cast.manager)
    assert manager.post(url, sent | {"places": [999_999]}).status_code == 422
    assert manager.post(url, sent).status_code == 422
    assert manager.post(url, sent | {"places": [cast.there.pk]}).status_code == 302
    assert {place.pk for place in LookBack.objects.first().places.all()} == {cast.there.pk}  # type: ignore[union-attr]


def test_a_patient_of_another_location_is_no_case_of_this_one(
    cast: Cast, both: list[Location]
) -> None:
    stranger = Clinic(both[1], cast.practitioner2, cast.treatment).patient()
    with pytest.raises(ActionRefused, match="no such patient"):
        add_case(by=cast.manager, question=over(cast, both[:1]), patient=stranger, onset_on=DAY)
