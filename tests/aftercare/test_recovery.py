"""Is this normal today? What is usual, what is over, what to mind, by the catalogue's figures."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from aftercare.recovery.days import expected, today_of
from aftercare.recovery.views import recovery_of
from patients.portal.models import Link
from tests.access.world import World, make_world
from tests.conftest import Cast
from tests.patients.test_portal import RIGHT, question
from treatments.catalogue.models import AdverseEventType

PARIS = ZoneInfo("Europe/Paris")
TREATED = datetime(2026, 10, 24, 14, 0, tzinfo=UTC)
LINES = [
    {"section": "avoid", "text": "No sauna", "until": (TREATED + timedelta(hours=72)).isoformat()},
    {"section": "avoid", "text": "No sport", "until": (TREATED + timedelta(hours=48)).isoformat()},
    {"section": "normal", "text": "Marks", "until": (TREATED + timedelta(hours=48)).isoformat()},
    {"section": "normal", "text": "Bruises", "until": ""},
    {"section": "call", "text": "A lump", "until": ""},
    {"section": "emergency", "text": "Breathing", "until": ""},
]


class Reaction:
    language = ""

    def __init__(self, code: str, days: int | None) -> None:
        self.code, self.expected_days = code, days

    def said(self, field: str, language: str | None = None) -> str:
        return f"{self.code} {field}"


BRUISE, REDNESS, LATE = Reaction("bruise", 14), Reaction("redness", 2), Reaction("late", None)


def on(at: datetime):
    return today_of(LINES, [BRUISE, LATE, REDNESS], treated_at=TREATED, at=at, zone=PARIS)


def test_on_the_day_itself_everything_is_usual_and_to_be_minded():
    today = on(TREATED + timedelta(hours=1))
    assert today.day == 0
    assert [one.name for one in today.usual] == ["redness name", "bruise name"]
    assert today.over == []
    assert today.also_usual == ["Marks", "Bruises"]
    assert [mark.words for mark in today.to_mind] == ["No sport", "No sauna"]
    assert (today.call, today.emergency) == (["A lump"], ["Breathing"])


def test_what_is_past_its_day_is_no_longer_told_as_usual():
    today = on(TREATED + timedelta(days=3, hours=1))
    assert [one.name for one in today.over] == ["redness name"]
    assert [one.name for one in today.usual] == ["bruise name"]
    assert today.also_usual == ["Bruises"]
    assert today.to_mind == []
    assert [mark.words for mark in today.freed] == ["No sport", "No sauna"]


def test_the_last_usual_day_counts_whole_on_the_clinics_clock():
    last = datetime(2026, 10, 26, 23, 59, tzinfo=PARIS)
    assert "redness name" in [one.name for one in on(last).usual]
    first = datetime(2026, 10, 27, 0, 0, tzinfo=PARIS)
    assert "redness name" in [one.name for one in on(first).over]


def test_hours_are_real_ones_over_the_night_in_which_the_clocks_change():
    """48 h from 16:00 on the eve of the change end at 15:00 by the clock, and not an hour later."""
    before = on(datetime(2026, 10, 26, 14, 59, tzinfo=PARIS))
    after = on(datetime(2026, 10, 26, 15, 0, tzinfo=PARIS))
    assert "No sport" in [mark.words for mark in before.to_mind]
    assert "No sport" in [mark.words for mark in after.freed]


@given(st.integers(0, 200 * 24 * 60))
def test_nothing_is_both_usual_and_over_and_nothing_is_lost(minutes: int) -> None:
    at = TREATED + timedelta(minutes=minutes)
    today = on(at)
    assert len(today.usual) + len(today.over) == 2
    assert len(today.to_mind) + len(today.freed) == 2
    assert today.day == (at.astimezone(PARIS).date() - TREATED.astimezone(PARIS).date()).days
    assert all(one.until >= at.astimezone(PARIS).date() for one in today.usual)


def test_what_has_no_published_end_is_never_called_usual():
    assert [one.name for one in expected([LATE, BRUISE], date(2026, 1, 1))] == ["bruise name"]


@pytest.fixture
def world(cast: Cast) -> World:
    return make_world(cast.here, cast.practitioner, cast.treatment)


def inside(world: World) -> Client:
    client = Client()
    client.post(question(world.token), RIGHT)
    return client


@pytest.mark.django_db
def test_the_page_tells_the_catalogues_figures_and_the_sheets_words(world: World) -> None:
    client = inside(world)
    url = reverse("my-recovery:page", args=[world.token])
    page = client.get(url).content.decode()
    bruise = AdverseEventType.objects.current().get(code="bruise")
    assert bruise.name in page
    assert AdverseEventType.objects.current().get(code="mycobacteria").name in page
    assert AdverseEventType.objects.current().get(code="granuloma").name not in page
    assert "112" in page
    assert world.place.phone in page
    assert "today" in client.get(reverse("my-recovery:panel", args=[world.token])).content.decode()


@pytest.mark.django_db
def test_a_row_that_the_clinic_changed_moves_the_day(world: World) -> None:
    AdverseEventType.objects.current().filter(code="bruise").update(expected_days=20)
    found = recovery_of(world.patient, timezone.now())
    assert found is not None
    [bruise] = [one for one in found.today.usual if one.name == "Bruise"]
    treated = found.treated_at.astimezone(found.session.location.zone).date()
    assert bruise.until == treated + timedelta(days=20)


@pytest.mark.django_db
def test_before_the_sheet_is_given_it_is_composed_as_it_would_be(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM aftercare_sheet")
    found = recovery_of(world.patient, timezone.now())
    assert found is not None
    assert found.sheet is None
    assert found.today.call


@pytest.mark.django_db
def test_without_a_session_and_after_twelve_weeks_there_is_no_day_to_speak_of(
    cast: Cast, world: World
) -> None:
    assert recovery_of(cast.patient, timezone.now()) is None
    with time_machine.travel(timezone.now() + timedelta(days=85), tick=False):
        Link.objects.update(expires_at=timezone.now() + timedelta(days=1))
        client = inside(world)
        panel = client.get(reverse("my-recovery:panel", args=[world.token])).content.decode()
        assert "session" not in panel
        page = client.get(reverse("my-recovery:page", args=[world.token]))
        assert page.status_code == 200


@pytest.mark.django_db
def test_the_page_costs_a_fixed_number_of_queries(world: World, django_assert_max_num_queries):
    client = inside(world)
    url = reverse("my-recovery:page", args=[world.token])
    client.get(url)
    with django_assert_max_num_queries(16):
        client.get(url)
