"""The words of messages: fixed placeholders, put in literally; rules, refusals, quiet hours."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clinic.errors import ActionRefused
from patients.messages.kinds import Kind
from patients.messages.models import Message, MessageText
from patients.messages.quiet import Quiet, is_quiet, outside_quiet_hours
from patients.messages.rules import (
    refused_by,
    save_refusals,
    save_words,
    shipped_words,
    take_shipped_words,
    words_of,
)
from patients.messages.saying import say, times
from patients.messages.shipped import SHIPPED
from patients.messages.texts import PLACEHOLDERS, Words, faults, fill, sms_parts, unknown_in

NOON = datetime(2026, 5, 11, 10, 0, tzinfo=UTC)
LANGUAGES = [code for code, _name in django_settings.LANGUAGES]


# ---- placeholders ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", Kind.values)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_shipped_text_can_be_used(kind, language) -> None:
    words = SHIPPED[kind, language]
    assert faults(words, kind) == {}
    assert len(words.sms) < 130, "with its values it should be two short messages at most"


@pytest.mark.parametrize(
    "attack",
    [
        "{{7*7}}",
        "{0.__class__}",
        "{clinic.__class__}",
        "{% load x %}",
        "{name}",
        "{",
        "}",
        "{CLINIC}",
    ],
)
def test_what_is_no_placeholder_is_refused_and_named(attack) -> None:
    text = f"{{when}} {attack} x"
    said = faults(Words("Hello", text, "{when}"), Kind.REMINDER)
    assert set(said) == {"body"}
    assert unknown_in(text, Kind.REMINDER)[0] in said["body"]
    assert fill(text, {"when": "now"}) == f"now {attack} x"  # and would come out as it is


def test_a_value_that_looks_like_a_placeholder_stays_as_it_is() -> None:
    assert fill("{clinic} {when}", {"clinic": "{when}", "when": "now"}) == "{when} now"


@given(st.text(alphabet="{}abclinkwhe.%_7* \n", max_size=40))
def test_a_text_without_faults_leaves_no_brace_behind(text) -> None:
    filled = fill(text, dict.fromkeys(PLACEHOLDERS, "x"))
    if not unknown_in(text, Kind.OFFER):
        assert "{" not in filled
        assert "}" not in filled


@pytest.mark.parametrize(
    ("words", "kind", "field"),
    [
        (Words("", "{when}", "{when}"), "reminder", "subject"),
        (Words("At {clinic}", "{when}", "{when}"), "reminder", "subject"),
        (Words("Hello", "Come!", "{when}"), "reminder", "body"),
        (Words("Hello", "{when}", "{day}"), "reminder", "sms"),
        (Words("Hello", "{when}", "{when} {until}"), "reminder", "sms"),
        (Words("Hello", "{when} {link}", "{when}"), "offer", "sms"),
        (Words("Hello", "{when}", "{phone}"), "recall", "body"),
        (Words("Hello", "  ", "{phone}"), "recall", "body"),
    ],
)
def test_a_text_that_would_mislead_is_refused(words, kind, field) -> None:
    assert list(faults(words, kind)) == [field]


@pytest.mark.parametrize(
    ("text", "parts"),
    [("a" * 160, 1), ("a" * 161, 2), ("ê" * 70, 1), ("ê" * 71, 2), ("€" * 80, 1), ("€" * 81, 2)],
)
def test_the_parts_of_an_sms(text, parts) -> None:
    assert sms_parts(text) == parts


# ---- a location's own words --------------------------------------------------------------------


@pytest.mark.django_db
def test_own_words_hold_at_their_location_until_the_shipped_ones_come_back(cast) -> None:
    own = Words("Mine", "{when} mine", "{when}")
    who = {"by": cast.manager, "location": cast.here, "kind": "reminder", "language": "en"}
    save_words(**who, words=own)
    assert words_of(cast.here, "reminder", "en") == own
    assert words_of(cast.here, "reminder", "fr") == shipped_words("reminder", "fr")
    assert words_of(cast.there, "reminder", "en") == shipped_words("reminder", "en")
    take_shipped_words(**who)
    assert words_of(cast.here, "reminder", "en") == shipped_words("reminder", "en")
    rows = MessageText.objects.order_by("version").values_list("version", "subject", "is_shipped")
    assert list(rows) == [(1, "Mine", False), (2, "", True)]
    with pytest.raises(ActionRefused, match="7"):
        save_words(**who, words=Words("Mine", "{when} {{7*7}}", "{when}"))


@pytest.mark.django_db
def test_a_language_without_texts_is_answered_in_the_first_one(cast) -> None:
    assert words_of(cast.here, "reminder", "xx") == SHIPPED["reminder", LANGUAGES[0]]


def said(cast, **more) -> Message | None:
    values = {
        "kind": "offer",
        "patient": cast.patient,
        "location": cast.here,
        "key": "offer-1",
        "due_at": NOON,
        "until": "noon",
        **times([NOON], location=cast.here, language="en", practitioners=["Ada Rossi"]),
    }
    return say(**values | more)


@pytest.mark.django_db
def test_saying_twice_is_one_message_in_the_locations_words(cast) -> None:
    message = said(cast)
    assert said(cast) == message
    assert "Monday 11 May 2026, 12:00" in message.body  # on the clock of Paris
    assert "until noon" in message.body
    assert "{link}" in message.body  # becomes a link when it is sent
    assert (message.location, message.subject) == (cast.here, "A time has become free")


@pytest.mark.django_db
def test_what_is_said_at_night_is_due_in_the_morning(cast) -> None:
    night = datetime(2026, 5, 11, 20, 0, tzinfo=UTC)
    assert said(cast, due_at=night).due_at == datetime(2026, 5, 12, 6, 0, tzinfo=UTC)
    assert said(cast, key="2", due_at=night, even_at_night=True).due_at == night


@pytest.mark.django_db
def test_what_a_patient_does_not_want_is_not_said(cast) -> None:
    save_refusals(by=cast.patient, patient=cast.patient, kinds=["offer"])
    assert said(cast) is None
    assert said(cast, kind="confirmation", key="2") is not None
    save_refusals(by=cast.front_desk, patient=cast.patient, kinds=["all"])
    assert refused_by(cast.patient) == {"all"}
    assert said(cast, kind="confirmation", key="3") is None
    with pytest.raises(ActionRefused):
        save_refusals(by=cast.patient, patient=cast.patient, kinds=["confirmation"])


@pytest.mark.django_db
def test_without_an_address_nothing_is_said(cast) -> None:
    cast.patient.email = cast.patient.phone = ""
    assert said(cast) is None


# ---- quiet hours -------------------------------------------------------------------------------

ZONES = ("Europe/Paris", "Europe/London", "Asia/Beirut", "America/Sao_Paulo", "Pacific/Auckland")


@pytest.mark.parametrize(
    ("zone", "asked", "given"),
    [
        # The night in which Paris goes to summer time is an hour short, in autumn an hour long.
        ("Europe/Paris", "2026-03-28T21:30+00:00", "2026-03-29T06:00+00:00"),
        ("Europe/Paris", "2026-10-24T21:30+00:00", "2026-10-25T07:00+00:00"),
        ("Europe/London", "2026-03-28T22:30+00:00", "2026-03-29T07:00+00:00"),
        ("Asia/Beirut", "2026-03-28T21:30+00:00", "2026-03-29T05:00+00:00"),
        ("America/Sao_Paulo", "2026-03-29T03:00+00:00", "2026-03-29T11:00+00:00"),
        ("Europe/Paris", "2026-05-11T19:00+00:00", "2026-05-12T06:00+00:00"),
        ("Europe/Paris", "2026-05-11T18:59+00:00", "2026-05-11T18:59+00:00"),
        ("Europe/Paris", "2026-05-11T06:00+00:00", "2026-05-11T06:00+00:00"),
    ],
)
def test_quiet_hours_end_at_eight_on_the_clock(zone, asked, given) -> None:
    moved = outside_quiet_hours(datetime.fromisoformat(asked), ZoneInfo(zone))
    assert moved == datetime.fromisoformat(given)


@given(
    st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes)),
    st.sampled_from(ZONES),
    st.times(),
    st.times(),
)
def test_never_earlier_never_quiet_and_within_a_day(moment, zone, start, end) -> None:
    place, quiet = ZoneInfo(zone), Quiet(start, end)
    moved = outside_quiet_hours(moment, place, quiet)
    assert moment <= moved <= moment + timedelta(hours=25)
    if not is_quiet(moment, place, quiet):
        assert moved == moment
    else:
        assert moved.astimezone(place).time() >= end or moved > moment


def test_an_end_that_comes_twice_is_never_in_the_past() -> None:
    second = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10 in Paris, the second time
    moved = outside_quiet_hours(second, ZoneInfo("Europe/Paris"), Quiet(time(21), time(2, 30)))
    assert moved == second + timedelta(minutes=20)


def test_the_same_time_twice_is_never_quiet() -> None:
    always = Quiet(time(8), time(8))
    assert not is_quiet(timezone.now(), ZoneInfo("Europe/Paris"), always)
