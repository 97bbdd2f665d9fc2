"""What came of a course, and of a protocol; and that few patients are not shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from aftercare.outcomes.cases import EARLY, FINISHED, UNDER_WAY, Case, Group, Happened, gather
from aftercare.outcomes.figures import share_of, spread_of
from aftercare.outcomes.plots import MARGIN, WIDTH, strip_of
from aftercare.outcomes.results import result_of
from aftercare.safety.models import AdverseEvent
from aftercare.watch.models import CheckIn
from aftercare.watch.ruling import save_rules
from clinic.access.models import Staff
from patients.photos.models import Photo, PhotoPermission
from patients.registry.models import Patient
from tests.aftercare.safety_world import Clinic, make_clinic
from tests.conftest import Cast
from treatments.catalogue.models import AdverseEventType, Protocol, Scale
from treatments.diary.models import Appointment
from treatments.plans.models import Phase, Plan
from treatments.scales.models import Score
from treatments.sessions.models import Session

NOW = timezone.now()
FIRST = NOW - timedelta(days=200)
PROTOCOL = "melasma-txa-4"


# -- figures -------------------------------------------------------------------------------------


def test_the_median_and_its_interval_are_those_of_a_worked_example() -> None:
    """1 to 15: the exact 95 % interval of the median by order statistics is the 4th to the 12th
    (binomial table, n = 15, p = 0.5: 3 or fewer below happens in 1.8 %)."""
    found = spread_of([float(n) for n in range(1, 16)])
    assert (found.n, found.median, found.lowest, found.highest) == (15, 8, 1, 15)
    assert (found.lower_quartile, found.upper_quartile) == (4.5, 11.5)
    assert (found.surely_from, found.surely_to) == (4, 12)


def test_of_a_handful_there_is_no_interval() -> None:
    few = spread_of([1.0, 2.0, 3.0])
    assert few.surely_from is None
    assert few.surely_to is None
    with pytest.raises(ValueError):
        spread_of([1.0])


def test_a_share_has_wilsons_interval() -> None:
    """10 of 50: 11.2 to 33.0 % (Wilson without correction)."""
    found = share_of(10, 50)
    assert found.percent == 20
    assert round(found.low, 1) == 11.2
    assert round(found.high, 1) == 33.0
    for part, whole in ((1, 0), (3, 2), (-1, 2)):
        with pytest.raises(ValueError):
            share_of(part, whole)


@given(st.lists(st.floats(-80, 80), min_size=2, max_size=40), st.floats(0, 100))
def test_nothing_is_drawn_outside_the_plot(values: list[float], reach: float) -> None:
    strip = strip_of(spread_of(values), reach)
    left, width = strip.box
    for x in (strip.zero, *strip.line, left, strip.median):
        assert MARGIN <= x <= WIDTH - MARGIN
    assert left + width <= WIDTH
    assert strip.zero == WIDTH / 2


# -- groups --------------------------------------------------------------------------------------


def case(number: int, **values: Any) -> Case:
    return Case(number, values.pop("patient", number), 3, values.pop("ended", FINISHED), **values)


GROUP = Group("a", "A", "Melasma")


def masi() -> Scale:
    return Scale(
        code="masi", name_en="MASI", minimum=Decimal(0), maximum=Decimal(48), items=[], bands=[]
    )


def test_below_the_threshold_nothing_but_the_name_is_told() -> None:
    cases = [case(n, events=[Happened("abscess", "Abscess", 3)]) for n in range(9)]
    hidden = result_of(GROUP, cases, {}, least=10)
    assert not hidden.shown
    assert (hidden.patients, hidden.courses, hidden.sessions, hidden.kinds) == (0, 0, 0, ())
    shown = result_of(GROUP, [*cases, case(9)], {}, least=10)
    assert shown.shown
    assert shown.with_event is not None
    assert (shown.with_event.part, shown.with_event.whole) == (9, 10)
    assert round(shown.per_hundred) == 30


def test_the_threshold_counts_patients_and_not_courses() -> None:
    cases = [case(n, patient=n % 5) for n in range(30)]
    assert not result_of(GROUP, cases, {}, least=10).shown


def test_each_figure_has_the_threshold_for_itself() -> None:
    cases = [
        case(
            n,
            ended=FINISHED if n < 8 else UNDER_WAY,
            scores={"masi": (20.0, 10.0 + n)} if n < 9 else {},
            own={"masi": 2.0} if n < 3 else {},
        )
        for n in range(12)
    ]
    few = result_of(GROUP, cases, {"masi": masi()}, least=10)
    assert few.shown
    assert (few.early, few.over) == (None, 0)
    assert not few.changes[0].shown
    assert few.changes[0].change is None
    assert not few.own[0].shown
    enough = result_of(GROUP, cases, {"masi": masi()}, least=8)
    assert enough.early is not None
    assert enough.changes[0].change is not None
    assert enough.changes[0].change.median == -6
    assert not enough.own[0].shown


# -- from the rows -------------------------------------------------------------------------------


@pytest.fixture
def clinic(cast: Cast) -> Clinic:
    return make_clinic(cast)


pytestmark = pytest.mark.django_db


def begun(
    clinic: Clinic, *, sessions: int = 2, of: int = 2, gap: int = 30, state: str = "accepted"
) -> Plan:
    """A course of a new patient: so many sessions of so many, the first 200 days ago."""
    patient = clinic.patient()
    plan = clinic.plan_of(patient)
    Phase.objects.create(
        plan=plan, position=1, kind="induction", sessions=of, gap_min_days=7, gap_max_days=gap
    )
    for number in range(sessions):
        clinic.session(patient, at=FIRST + timedelta(days=30 * number))
    values: dict[str, Any] = {"protocol": Protocol.objects.current().get(code=PROTOCOL)}
    Plan.objects.filter(pk=plan.pk).update(
        **values, state=state, accepted_at=FIRST - timedelta(days=7)
    )
    plan.refresh_from_db()
    return plan


def score(plan: Plan, value: str, at: datetime, side: str = "", code: str = "masi") -> None:
    Score.objects.create(
        patient=plan.patient,
        scale=Scale.objects.current().get(code=code),
        side=side,
        value=Decimal(value),
        taken_at=at,
        taken_by=plan.made_by,
        closed_at=at,
    )


def cases_of(cast: Cast) -> dict[int, Case]:
    found = gather([cast.here.pk], None, NOW)
    return {one.plan_id: one for rows in found.cases.values() for one in rows}


def test_a_course_counts_from_before_its_first_session_to_its_last_score(
    cast: Cast, clinic: Clinic
) -> None:
    plan = begun(clinic)
    score(plan, "30", FIRST - timedelta(days=7))
    score(plan, "24", FIRST - timedelta(hours=1))
    score(plan, "12", FIRST + timedelta(days=30))
    score(plan, "6", FIRST + timedelta(days=60))
    score(plan, "40", FIRST - timedelta(days=300))  # of an earlier life
    assert cases_of(cast)[plan.pk].scores == {"masi": (24, 6)}


def test_left_and_right_are_averaged_and_half_a_pair_is_none(cast: Cast, clinic: Clinic) -> None:
    plan, alone = begun(clinic), begun(clinic)
    for side, first, last in (("left", "4", "2"), ("right", "3", "2")):
        score(plan, first, FIRST, side, "wsrs")
        score(plan, last, FIRST + timedelta(days=40), side, "wsrs")
    score(alone, "4", FIRST, "left", "wsrs")
    found = cases_of(cast)
    assert found[plan.pk].scores == {"wsrs": (3.5, 2)}
    assert found[alone.pk].scores == {}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"sessions": 2, "of": 2}, FINISHED),
        ({"sessions": 1, "of": 2, "state": "stopped"}, EARLY),
        ({"sessions": 1, "of": 2, "gap": 30}, EARLY),
        # Due after 150 days and a further 150 have not passed yet.
        ({"sessions": 1, "of": 2, "gap": 150}, UNDER_WAY),
    ],
)
def test_how_a_course_ended(
    cast: Cast, clinic: Clinic, given: dict[str, Any], expected: str
) -> None:
    plan = begun(clinic, **given)
    assert cases_of(cast)[plan.pk].ended == expected


def test_who_is_expected_has_not_dropped_out(cast: Cast, clinic: Clinic) -> None:
    plan = begun(clinic, sessions=1, of=2)
    Appointment.objects.create(
        location=cast.here,
        patient=plan.patient,
        practitioner=cast.practitioner,
        room=cast.room,
        service=cast.treatment,
        starts_at=NOW + timedelta(days=3),
        ends_at=NOW + timedelta(days=3, hours=1),
    )
    assert cases_of(cast)[plan.pk].ended == UNDER_WAY


def test_a_plan_that_was_never_begun_is_no_course(cast: Cast, clinic: Clinic) -> None:
    begun(clinic, sessions=0)
    assert cases_of(cast) == {}


def with_all(cast: Cast, clinic: Clinic) -> Plan:
    """A course with a scale, a score of the patient's own, an event and two photos."""
    plan = begun(clinic)
    session = plan.sessions.first()
    score(plan, "24", FIRST - timedelta(hours=1))
    score(plan, "12", FIRST + timedelta(days=50))
    CheckIn.objects.create(
        patient=plan.patient,
        session=session,
        step="6w",
        hours=1008,
        due_at=FIRST + timedelta(days=42),
        state="answered",
        colour="green",
        answered_at=FIRST + timedelta(days=43),
        own_scale=Scale.objects.current().get(code="gais"),
        own_value=Decimal(2),
    )
    event(cast, plan.patient, session)
    PhotoPermission.objects.create(
        patient=plan.patient,
        use="record",
        is_given=True,
        said_on=FIRST.date(),
        how="spoken",
        recorded_by=cast.practitioner,
    )
    for number, day in enumerate((-1, 60)):
        photo(cast, plan.patient, FIRST + timedelta(days=day), f"f{plan.pk}{number}")
    return plan


def event(cast: Cast, patient: Patient, session: Session | None) -> None:
    AdverseEvent.objects.create(
        patient=patient,
        location=cast.here,
        session=session,
        kind=AdverseEventType.objects.current().get(code="bruise"),
        onset_at=FIRST + timedelta(days=1),
        grade=1,
        relatedness="probable",
        description="Bruise",
        follow_up_on=FIRST.date(),
        opened_by=cast.practitioner,
    )


def photo(cast: Cast, patient: Patient, at: datetime, name: str) -> None:
    Photo.objects.create(
        patient=patient,
        location=cast.here,
        area="face",
        view="front",
        taken_at=at,
        dated_by="person",
        taken_by=cast.practitioner,
        width=4,
        height=4,
        size=4,
        file_name=name,
        sha256="0" * 64,
        stored_at=at,
    )


def test_one_page_holds_the_whole_course(
    cast: Cast, clinic: Clinic, client_for: Callable[[Staff], Client]
) -> None:
    plan = with_all(cast, clinic)
    client = client_for(cast.practitioner)
    page = client.get(reverse("outcomes:course", args=[plan.patient.number])).content.decode()
    before, after = Photo.objects.filter(patient=plan.patient).order_by("taken_at")
    for shown in (
        "50 % better than at first",
        "by the patient",
        "2 of 5",
        f"before={before.public_id}&amp;after={after.public_id}",
        "Bruise",
        "score-mark",
    ):
        assert shown in page
    Photo.objects.filter(pk=after.pk).update(
        removed_at=NOW, removal_reason="other", erase_at=NOW, removed_by=cast.practitioner
    )
    again = client.get(reverse("outcomes:course", args=[plan.patient.number])).content.decode()
    assert str(after.public_id) not in again


def test_a_patient_without_a_course_has_a_page_that_says_so(
    cast: Cast, client_for: Callable[[Staff], Client]
) -> None:
    page = client_for(cast.practitioner).get(
        reverse("outcomes:course", args=[cast.patient.number]), {"plan": "x"}
    )
    assert "No course yet" in page.content.decode()


def test_results_hide_the_few_and_show_the_many(
    cast: Cast, clinic: Clinic, client_for: Callable[[Staff], Client]
) -> None:
    save_rules(
        by=cast.manager, location=cast.here, red_minutes=30, silent_hours=48, least_patients=3
    )
    for _two in range(2):
        with_all(cast, clinic)
    client, address = client_for(cast.manager), reverse("outcomes:result", args=[PROTOCOL])
    for page in (client.get(address), client.get(reverse("outcomes:results"))):
        text = page.content.decode()
        assert "Too few patients to show" in text
        assert "100 sessions" not in text
        assert "<td" not in text
    plan = with_all(cast, clinic)
    text = client.get(address).content.decode()
    assert "3 patients" in text
    assert "50.0 per 100 sessions" in text
    assert "strip-plot" in text
    assert plan.patient.family_name not in text
    assert client.get(address, {"years": "1", "everywhere": ""}).status_code == 200
    assert client.get(reverse("outcomes:result", args=["no-such"])).status_code == 404


def test_another_location_counts_for_itself(
    cast: Cast, clinic: Clinic, client_for: Callable[[Staff], Client]
) -> None:
    begun(clinic)
    page = client_for(cast.practitioner2).get(reverse("outcomes:results"))
    assert "Nothing to show yet" in page.content.decode()
    assert client_for(cast.front_desk).get(reverse("outcomes:results")).status_code == 403


@pytest.mark.parametrize("rows", [1, 3])
def test_the_pages_cost_the_same_for_one_course_and_for_three(
    cast: Cast,
    clinic: Clinic,
    rows: int,
    client_for: Callable[[Staff], Client],
    django_assert_max_num_queries: Callable[[int], Any],
) -> None:
    for _row in range(rows):
        plan = with_all(cast, clinic)
    client = client_for(cast.practitioner)
    client.get(reverse("outcomes:results"))
    with django_assert_max_num_queries(16):
        client.get(reverse("outcomes:results"))
    with django_assert_max_num_queries(24):
        client.get(reverse("outcomes:course", args=[plan.patient.number]))
