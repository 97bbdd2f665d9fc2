"""The tablet at the door: who is let in, what it says to all others, and that it keeps nothing."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic.audit.models import AuditEntry
from patients.intake.actions import save_draft
from patients.intake.models import History
from patients.portal.actions import open_link, token_hash
from patients.portal.models import Link
from patients.registry.models import Patient
from tests.conftest import Cast, make_patient
from treatments.arrival.actions import EARLY, LATE, set_up, take_back
from treatments.arrival.door import MOST_TRIES, PATH
from treatments.arrival.models import Tablet
from treatments.consents.in_force import TEMPLATE_VERSION
from treatments.consents.models import Consent
from treatments.diary.models import Appointment
from treatments.plans.models import Plan

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 19, 8, 0, tzinfo=UTC)  # 10:00 in Paris
SIGNED = {"signed_at": NOW, "signed_name": "Élodie", "method": "typed"}
RIGHT = {
    "name": "Élodie Martin",
    "birth_date_0": "15",
    "birth_date_1": "3",
    "birth_date_2": "1985",
}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def visit(cast: Cast, minutes: int = 15, **wish) -> Appointment:
    """One that begins in so many minutes."""
    starts_at = NOW + timedelta(minutes=minutes)
    values = {
        "location": cast.here,
        "patient": cast.patient,
        "practitioner": cast.practitioner,
        "room": cast.room,
        "service": cast.consultation,
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(minutes=30),
    } | wish
    return Appointment.objects.create(**values)


@pytest.fixture
def tablet(cast: Cast, client_for) -> Client:
    """A browser that the desk has put at the door."""
    browser = client_for(cast.front_desk)
    made = browser.post("/arrival/tablets/", {"name": "Entrance"})
    assert made["Location"] == "/arrival/"
    return browser


def arrived_at(browser: Client, **given: str) -> str:
    """Where the tablet goes."""
    answer = browser.post("/arrival/", RIGHT | given)
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"]


def with_history(patient: Patient) -> History:
    return History.objects.create(patient=patient, version=1, origin="link", submitted_at=NOW)


# ---- putting it up, taking it down -----------------------------------------------------------


def test_a_tablet_is_no_sign_in(cast, tablet) -> None:
    assert "/sign-in/" in tablet.get("/today/")["Location"]
    assert tablet.get("/arrival/").status_code == 200
    row = Tablet.objects.get()
    assert (row.location, row.made_by, row.name) == (cast.here, cast.front_desk, "Entrance")
    cookie = next(c for name, c in tablet.cookies.items() if name.endswith("_arrival"))
    secret = cookie.value.split(":")[0]
    assert row.token_hash == token_hash(secret)
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (PATH, True, "Strict")
    assert not any(secret in str(e.__dict__) for e in AuditEntry.objects.all())


@pytest.mark.parametrize("cookie", [None, "", "made-up", "made:up:cookie"])
def test_any_other_browser_is_none(cast, tablet, cookie: str | None) -> None:
    visit(cast)
    name = next(name for name in tablet.cookies if name.endswith("_arrival"))
    other = Client()
    if cookie is not None:
        other.cookies[name] = cookie
    for answer in (other.get("/arrival/"), other.post("/arrival/", RIGHT)):
        assert answer.status_code == 404
        assert "no arrival tablet" in answer.content.decode()
    assert Appointment.objects.get().status == "booked"


def test_a_tablet_that_was_taken_back_is_none_at_once(cast, tablet, client_for) -> None:
    row = Tablet.objects.get()
    desk = client_for(cast.front_desk)
    assert "Entrance" in desk.get("/arrival/tablets/").content.decode()
    assert (
        client_for(cast.front_desk2).post(f"/arrival/tablets/{row.pk}/revoke/").status_code == 404
    )
    assert desk.post(f"/arrival/tablets/{row.pk}/revoke/").status_code == 302
    assert tablet.get("/arrival/").status_code == 404
    assert "Entrance" not in desk.get("/arrival/tablets/").content.decode()


def test_several_tablets_each_by_itself(cast, tablet) -> None:
    second, secret = set_up(by=cast.manager, location=cast.here, name="Stairs", at=NOW)
    assert secret
    take_back(by=cast.manager, tablet=second, at=NOW)
    assert tablet.get("/arrival/").status_code == 200


def test_only_desk_and_manager_may(cast, client_for) -> None:
    for staff, status in (
        (cast.front_desk, 200),
        (cast.manager, 200),
        (cast.practitioner, 403),
    ):
        browser = client_for(staff)
        assert browser.get("/arrival/tablets/").status_code == status
        assert ("Arrival tablets" in browser.get("/today/").content.decode()) is (status == 200)


def test_leaving_needs_the_staff(cast, tablet) -> None:
    assert "/sign-in/" in tablet.get("/arrival/leave/")["Location"]
    assert "/sign-in/" in tablet.post("/arrival/leave/")["Location"]
    tablet.force_login(cast.front_desk, backend="clinic.access.backend.StaffBackend")
    assert "Entrance" in tablet.get("/arrival/leave/").content.decode()
    tablet.post("/arrival/leave/")
    assert tablet.get("/arrival/").status_code == 404


def test_while_the_staff_is_signed_in_nobody_arrives(cast, tablet) -> None:
    visit(cast)
    tablet.force_login(cast.front_desk, backend="clinic.access.backend.StaffBackend")
    page = tablet.get("/arrival/").content.decode()
    assert "still signed in" in page
    assert 'name="birth_date_0"' not in page
    assert tablet.post("/arrival/", RIGHT).status_code == 422
    assert Appointment.objects.get().status == "booked"


def test_one_and_three_tablets_take_the_same_statements(cast, client_for) -> None:
    desk, counts = client_for(cast.front_desk), []
    desk.get("/arrival/tablets/")
    for number in range(3):
        set_up(by=cast.manager, location=cast.here, name=f"T{number}", at=NOW)
        with CaptureQueriesContext(connection) as queries:
            desk.get("/arrival/tablets/")
        counts.append(len(queries))
    assert counts[0] == counts[2]


# ---- arriving ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["Élodie Martin", "martin elodie", "  MARTIN,  Élodie ", "Elodie  MARTIN"]
)
def test_name_and_birth_date_are_enough(cast, tablet, name: str) -> None:
    row = visit(cast)
    page = tablet.get(arrived_at(tablet, name=name))
    assert page.status_code == 200
    assert "You are checked in" in page.content.decode()
    row.refresh_from_db()
    assert row.status == "arrived"
    entry = AuditEntry.objects.filter(what="treatments_appointment", action="change").last()
    assert (entry.actor_kind, entry.actor_id, entry.who) == (
        "patient",
        cast.patient.pk,
        "patient at Entrance",
    )


@pytest.mark.parametrize("status", ["booked", "confirmed"])
@pytest.mark.parametrize(
    ("minutes", "lets_in"),
    [
        (EARLY.seconds // 60, True),
        (EARLY.seconds // 60 + 1, False),
        (-LATE.seconds // 60, True),
        (-LATE.seconds // 60 - 1, False),
    ],
)
def test_neither_too_early_nor_too_late(cast, tablet, status, minutes: int, lets_in: bool) -> None:
    visit(cast, minutes, status=status)
    assert ("/arrived/" in arrived_at(tablet)) is lets_in


def strangers(cast: Cast) -> dict[str, dict[str, str]]:
    """Everyone who must be told the same, by why."""
    known = make_patient(cast.here, "Ana", "López", birth_date=date(1990, 1, 2))
    done = make_patient(cast.here, "Bo", "Chen", birth_date=date(1990, 1, 3))
    away = make_patient(cast.here, "Cy", "Dale", birth_date=date(1990, 1, 4))
    early = make_patient(cast.here, "Di", "Egan", birth_date=date(1990, 1, 5))
    gone = make_patient(cast.here, "Ed", "Fox", birth_date=date(1990, 1, 6))
    visit(cast)
    visit(
        cast,
        patient=done,
        practitioner=cast.colleague,
        room=cast.here.rooms.last(),
        status="arrived",
    )
    visit(
        cast,
        60,
        patient=away,
        location=cast.there,
        room=cast.there.rooms.first(),
        practitioner=cast.practitioner2,
    )
    visit(cast, 300, patient=early)
    visit(cast, patient=gone, status="cancelled")
    twins = [make_patient(cast.here, "Flo", "Gray", birth_date=date(1990, 1, 7)) for _n in "ab"]
    visit(cast, 60, patient=twins[0])
    visit(cast, 90, patient=twins[1])

    def born(who: Patient) -> dict[str, str]:
        day = who.birth_date
        return {
            "birth_date_0": str(day.day),
            "birth_date_1": str(day.month),
            "birth_date_2": str(day.year),
        }

    return {
        "nobody of this name": {"name": "Nobody Atall"},
        "the wrong birth date": {"birth_date_0": "16"},
        "half a name": {"name": "Martin"},
        "a word too many": {"name": "Élodie Martin Durand"},
        "no visit today": {"name": "Ana López"} | born(known),
        "arrived already": {"name": "Bo Chen"} | born(done),
        "at another location": {"name": "Cy Dale"} | born(away),
        "too early": {"name": "Di Egan"} | born(early),
        "cancelled": {"name": "Ed Fox"} | born(gone),
        "two of the same": {"name": "Flo Gray"} | born(twins[0]),
    }


def without_tokens(text: str) -> str:
    """Without what is random in every answer: form tokens, nonces, request numbers."""
    return re.sub(r"[A-Za-z0-9_+/=-]{20,}", "", text)


def test_all_others_get_the_same_answer_by_the_same_statements(cast, tablet) -> None:
    answers, statements = {}, {}
    tablet.post("/arrival/", RIGHT | {"name": "Warm Up"})
    for why, given in strangers(cast).items():
        with CaptureQueriesContext(connection) as queries:
            answer = tablet.post("/arrival/", RIGHT | given)
        page = tablet.get(answer["Location"]).content.decode()
        kept = {name: said for name, said in answer.headers.items() if name != "Set-Cookie"}
        answers[why] = (answer.status_code, without_tokens(repr(kept)), without_tokens(page))
        # What differs in the text is what was typed.
        statements[why] = [re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in queries]
    assert len(set(answers.values())) == 1, answers
    assert len({tuple(said) for said in statements.values()}) == 1, statements
    assert "Please go to the desk" in next(iter(answers.values()))[2]
    assert Link.objects.count() == 0


def test_the_test_above_can_tell(cast, tablet) -> None:
    visit(cast)
    assert arrived_at(tablet) != arrived_at(tablet, name="Nobody Atall")


def test_after_many_tries_even_the_right_one_goes_to_the_desk(cast, tablet) -> None:
    visit(cast)
    for _n in range(MOST_TRIES):
        assert arrived_at(tablet, name="Nobody Atall") == "/arrival/desk/"
    assert arrived_at(tablet) == "/arrival/desk/"
    cache.clear()
    assert "/arrived/" in arrived_at(tablet)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("name", "a\x00b"),
        ("birth_date_1", "13"),
        ("birth_date_2", ""),
    ],
)
def test_what_is_no_name_or_date_is_said_at_once(cast, tablet, field: str, value: str) -> None:
    answer = tablet.post("/arrival/", RIGHT | {field: value})
    assert answer.status_code == 422
    assert "error-summary" in answer.content.decode()


def test_sent_by_two_tablets_at_once_it_is_one_arrival(cast, tablet) -> None:
    visit(cast)
    first = arrived_at(tablet)
    assert "/arrived/" in first
    assert arrived_at(tablet) == "/arrival/desk/"
    assert Link.objects.count() == 1


# ---- the forms ---------------------------------------------------------------------------------


def consent_for(cast: Cast) -> Consent:
    plan = Plan.objects.create(
        patient=cast.patient,
        location=cast.here,
        indication="face",
        title="Glow",
        made_by=cast.practitioner,
        state="accepted",
        accepted_at=NOW,
    )
    return Consent.objects.create(
        patient=cast.patient,
        plan=plan,
        language="en",
        template_version=TEMPLATE_VERSION,
        html="<p>What may happen</p>",
        text_sha256="0" * 64,
        statements=[],
        ready_to_read_at=NOW - timedelta(days=30),
        prepared_by=cast.practitioner,
    )


def test_the_missing_questionnaire_is_handed_over(cast, tablet) -> None:
    visit(cast)
    home = arrived_at(tablet)
    page = tablet.get(home).content.decode()
    start = home.replace("arrived/", "history/")
    assert f'href="{start}"' in page
    step = tablet.get(start, follow=True)
    assert step.status_code == 200
    assert "data-idle" in step.content.decode()
    assert step.headers["Cache-Control"] == "no-store, private"


def test_the_waiting_consent_is_handed_over_when_the_history_is_there(cast, tablet) -> None:
    visit(cast)
    with_history(cast.patient)
    consent = consent_for(cast)
    home = arrived_at(tablet)
    read = home.replace("arrived/", f"consents/{consent.pk}/")
    assert f'href="{read}"' in tablet.get(home).content.decode()
    assert "What may happen" not in tablet.get(read).content.decode()
    assert "What may happen" in tablet.post(f"{read}open/", follow=True).content.decode()
    Consent.objects.filter(pk=consent.pk).update(**SIGNED)
    assert tablet.get(read, follow=True).redirect_chain[-1][0] == home


def test_with_nothing_missing_one_takes_a_seat(cast, tablet) -> None:
    visit(cast)
    with_history(cast.patient)
    page = tablet.get(arrived_at(tablet)).content.decode()
    assert "Please take a seat" in page
    assert "history/" not in page


def test_nothing_else_of_the_patient_opens(cast, tablet) -> None:
    visit(cast)
    with_history(cast.patient)
    consent = consent_for(cast)
    Consent.objects.filter(pk=consent.pk).update(**SIGNED)
    home = arrived_at(tablet)
    token = home.split("/")[2]
    for name in (
        "portal:home",
        "my-history:start",
        "my-history:check",
        "my-consents:panel",
        "my-sheets:panel",
        "my-check-ins:panel",
        "my-history:panel",
    ):
        answer = tablet.get(reverse(name, args=[token]))
        assert (answer.status_code, answer["Location"]) == (302, home), name
    read = reverse("my-consents:read", args=[token, consent.pk])
    assert tablet.get(read)["Location"] == home
    assert tablet.get(reverse("portal:prove", args=[token])).status_code == 404


def test_a_questionnaire_begun_elsewhere_is_not_shown_at_the_door(cast, tablet) -> None:
    visit(cast)
    save_draft(
        patient=cast.patient,
        origin="link",
        values={"weight_kg": None, "pregnant": True, "answers": {"done": ["about"]}},
    )
    home = arrived_at(tablet)
    assert "history/" not in tablet.get(home).content.decode()
    assert tablet.get(home.replace("arrived/", "history/"))["Location"] == home


def test_an_ordinary_link_has_no_page_of_arrival(cast) -> None:
    token = re.search(r"/my/([^/]+)/", open_link(cast.patient))[1]
    browser = Client()
    browser.post(reverse("portal:prove", args=[token]), RIGHT)
    answer = browser.get(reverse("my-arrival:home", args=[token]))
    assert answer["Location"] == reverse("portal:home", args=[token])
    assert "data-idle" not in browser.get(answer["Location"]).content.decode()


# ---- leaving nothing ---------------------------------------------------------------------------


def test_done_means_gone(cast, tablet) -> None:
    visit(cast)
    home = arrived_at(tablet)
    tablet.cookies["language"] = "fr"
    assert "Élodie" in tablet.get(home).content.decode()
    answer = tablet.post(home)
    assert answer["Location"] == "/arrival/"
    assert tablet.cookies["language"].value == ""
    for url in (home, home.replace("arrived/", "history/"), home.replace("arrived/", "")):
        back = tablet.get(url)
        assert (back.status_code, back["Location"]) == (302, "/arrival/")
        assert back.headers["Cache-Control"] == "no-store, private"
    assert "lodie" not in tablet.get("/arrival/").content.decode()
    assert tablet.get("/arrival/").headers["Cache-Control"] == "no-store, private"


def test_the_address_alone_opens_nothing_elsewhere(cast, tablet) -> None:
    visit(cast)
    home = arrived_at(tablet)
    answer = Client().get(home)
    assert (answer.status_code, answer["Location"]) == (302, "/arrival/")
    fragment = Client().get(home, headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment["HX-Redirect"]) == (401, "/arrival/")


def test_it_ends_by_itself(cast, tablet, clock) -> None:
    visit(cast)
    home = arrived_at(tablet)
    clock.shift(timedelta(minutes=31))
    assert tablet.get(home)["Location"] == "/arrival/"


def test_the_next_arrival_ends_the_one_before(cast, tablet) -> None:
    visit(cast)
    first = arrived_at(tablet)
    assert arrived_at(tablet, name="Nobody Atall") == "/arrival/desk/"
    assert tablet.get(first)["Location"] == "/arrival/"


def test_it_speaks_the_language_of_the_place(cast, tablet) -> None:
    cast.here.language = "fr"
    cast.here.save()
    assert '<html lang="fr"' in tablet.get("/arrival/").content.decode()
    assert '<html lang="fr"' in tablet.get("/arrival/desk/").content.decode()
    tablet.cookies["language"] = "en"
    assert '<html lang="en"' in tablet.get("/arrival/").content.decode()
    assert tablet.get("/arrival/?again")["Location"] == "/arrival/"
    assert tablet.cookies.pop("language").value == ""  # the test client sends it all the same
    assert '<html lang="fr"' in tablet.get("/arrival/").content.decode()
