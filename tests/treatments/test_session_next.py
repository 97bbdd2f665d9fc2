"""From Today to the session: the one course under way, or a choice, or what is missing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from clinic.access.models import Staff
from tests.conftest import Cast
from tests.treatments.session_world import make_world
from treatments.plans.actions import stop_plan

pytestmark = pytest.mark.django_db


def test_today_leads_to_the_course_under_way(
    cast: Cast, client_for: Callable[[Staff], Client]
) -> None:
    plan = make_world(cast).plan
    client = client_for(cast.practitioner)
    address = reverse("sessions:next", args=[cast.patient.number])
    response = client.get(address)
    assert response["Location"] == reverse("sessions:start", args=[cast.patient.number, plan.pk])
    stop_plan(by=cast.practitioner, plan=plan, reason="moved away")
    assert "No course is under way" in client.get(address).content.decode()
