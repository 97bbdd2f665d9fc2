"""The summary of a course as a document: what it says, once asked for, and for whom."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from aftercare.outcomes.actions import summarise_course
from aftercare.outcomes.models import CourseSummary
from clinic.access.models import Staff
from clinic.errors import ActionRefused
from patients.documents.actions import read_pdf, render_next
from patients.registry.models import Patient
from tests.bench.long_record import LongRecord
from tests.conftest import Cast
from tests.treatments.plan_parts import accepted_plan
from treatments.plans.models import Plan

pytestmark = pytest.mark.django_db
ClientFor = Callable[[Staff], Client]


@pytest.fixture
def patient(cast: Cast) -> Patient:
    found = LongRecord(
        cast.here, cast.practitioner, plans=1, sessions_each=2, photos_each=1
    ).write()
    found.refresh_from_db()
    return found


@pytest.fixture
def plan(patient: Patient) -> Plan:
    found: Plan = patient.plans.get()
    return found


def test_it_says_what_came_of_the_course_and_who_signed_each_session(
    cast: Cast, patient: Patient, plan: Plan
) -> None:
    row = summarise_course(by=cast.practitioner, patient=patient, plan=plan)
    made = render_next()
    assert made == row.document
    said = " ".join(
        " ".join(one.extract_text() for one in PdfReader(BytesIO(read_pdf(made))).pages).split()
    )
    for part in (
        *("Course summary", plan.title, patient.number, "Cheek", "without an answer"),
        *("None recorded", "session 1", "session 2", "signed in with their own account"),
        *(cast.practitioner.name, str(made.public_id)),
    ):
        assert part in said, part


def test_it_is_one_document_while_it_is_on_its_way(
    cast: Cast, patient: Patient, plan: Plan
) -> None:
    first = summarise_course(by=cast.practitioner, patient=patient, plan=plan)
    assert summarise_course(by=cast.practitioner, patient=patient, plan=plan) == first
    render_next()
    assert summarise_course(by=cast.practitioner, patient=patient, plan=plan) != first


def test_a_course_without_a_signed_session_has_none(cast: Cast) -> None:
    plan = accepted_plan(cast)
    with pytest.raises(ActionRefused, match="signed"):
        summarise_course(by=cast.practitioner, patient=cast.patient, plan=plan)


def test_it_is_asked_for_on_the_page_of_the_course(
    cast: Cast, patient: Patient, plan: Plan, client_for: ClientFor
) -> None:
    client, page = client_for(cast.practitioner), reverse("outcomes:course", args=[patient.number])
    asked = reverse("outcomes:summarise", args=[patient.number, plan.pk])
    assert asked in client.get(page).content.decode()
    assert client.post(asked).status_code == 302
    row = CourseSummary.objects.get()
    assert (row.plan, row.made_by) == (plan, cast.practitioner)
    assert "Course summary: Skin quality" in client.get(page).content.decode()
    foreign = reverse("outcomes:summarise", args=[cast.patient.number, plan.pk])
    assert client.post(foreign).status_code == 404
    assert client_for(cast.front_desk).post(asked).status_code == 403
    assert CourseSummary.objects.count() == 1


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_asks_as_often_for_one_as_for_three(
    cast: Cast,
    patient: Patient,
    plan: Plan,
    client_for: ClientFor,
    rows: int,
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    for _row in range(rows):
        summarise_course(by=cast.practitioner, patient=patient, plan=plan)
        render_next()
    client, page = client_for(cast.practitioner), reverse("outcomes:course", args=[patient.number])
    client.get(page)
    with django_assert_max_num_queries(24):  # type: ignore[operator]
        client.get(page)
