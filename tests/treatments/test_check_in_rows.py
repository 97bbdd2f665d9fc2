"""When patients are asked, and what, as a manager fills it in; each fault beside its field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinic.access.models import Staff
from tests.conftest import Cast
from treatments.catalogue.models import CheckInSign, CheckInTime

pytestmark = pytest.mark.django_db

TIME: dict[str, Any] = {
    "code": "jet-4h",
    "name_en": "6 hours after a jet",
    "name_fr": "6 heures après un jet",
    "source_refs": "GK",
    "general_knowledge": "on",
    "applies_to": "technique:jet",
    "step": "4h",
    "hours": "6",
}
SIGN: dict[str, Any] = {
    "code": "own-sign",
    "name_en": "Own",
    "name_fr": "Propre",
    "source_refs": "GK",
    "general_knowledge": "on",
    "applies_to": "substance:tranexamic-acid",
    "event": "abscess",
    "from_hours": "0",
    "until_hours": "72",
    "text_en": "It hurts",
    "text_fr": "J’ai mal",
    "position": "5",
}


def add(client: Client, kind: str, values: dict[str, Any]) -> Any:
    return client.post(reverse("catalogue:add", args=[kind]), values)


def test_a_time_of_a_technique_is_added_approved_and_seen_with_the_technique(
    cast: Cast, client_for: Callable[[Staff], Client]
) -> None:
    manager = client_for(cast.manager)
    assert add(manager, "check-in-times", TIME).status_code == 302
    row = CheckInTime.objects.current().get(code="jet-4h")
    assert (row.applies_to, row.hours, row.own_scale, row.is_approved) == (
        "technique:jet",
        6,
        "",
        False,
    )
    approve = reverse("catalogue:approve", args=["check-in-times", row.code, row.version])
    client_for(cast.practitioner).post(approve)
    row.refresh_from_db()
    assert row.approved_by == cast.practitioner
    page = manager.get(reverse("catalogue:row", args=["techniques", "jet"])).content.decode()
    assert "6 hours after a jet" in page
    assert "6 hours after a jet" in manager.get(reverse("watch-settings:index")).content.decode()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"applies_to": "technique:no-such"}, "applies_to"),
        ({"applies_to": "base", "is_skipped": "on"}, "is_skipped"),
        ({"own_scale": "masi"}, "own_scale"),  # many items: nobody answers it in a check-in
        ({"hours": "0"}, "hours"),
        ({"hours": "soon"}, "hours"),
        ({"source_refs": "S999"}, "source_refs"),
    ],
)
def test_a_time_that_cannot_be_is_refused_beside_its_field(
    cast: Cast, client_for: Callable[[Staff], Client], wrong: dict[str, str], field: str
) -> None:
    answer = add(client_for(cast.manager), "check-in-times", TIME | wrong)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not CheckInTime.objects.filter(code="jet-4h").exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"until_hours": "10", "from_hours": "20"}, "until_hours"),
        ({"event": "no-such"}, "event"),
        ({"applies_to": "planet:mars"}, "applies_to"),
        ({"text_fr": ""}, "text_fr"),
    ],
)
def test_a_question_that_cannot_be_is_refused_beside_its_field(
    cast: Cast, client_for: Callable[[Staff], Client], wrong: dict[str, str], field: str
) -> None:
    client = client_for(cast.manager)
    answer = add(client, "check-in-signs", SIGN | wrong)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert add(client, "check-in-signs", SIGN).status_code == 302
    assert CheckInSign.objects.current().get(code="own-sign").event == "abscess"
