"""Every address, for every kind of person, by every method, against a committed table.

An address or an argument that the table does not know fails. Whatever the answer, it must not
carry words of a patient that the person may not see. To write the table anew after a deliberate
change: WRITE_ACCESS_TABLE=1 pytest tests/access, then read the difference.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from clinic.access import permissions
from clinic.access.middleware import AccessMiddleware
from clinic.access.models import Staff
from patients.registry.models import OfPatientQuerySet, PatientQuerySet
from tests.access.world import World, make_world
from tests.conftest import Cast, make_patient

TABLE = Path(__file__).with_name("table.csv")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
SELDOM = ("HEAD", "PUT", "PATCH", "DELETE")
"""Of these everyday runs ask one for each address; `tests/soak/test_access_in_full.py` asks all."""
IDENTITIES = (
    "anonymous",
    "front_desk",
    "practitioner",
    "manager",
    "other_location",
    "patient_by_link",
)
RECORDS = {
    "pk",
    "public_id",
    "plan_id",
    "session_id",
    "consent_id",
    "consultation_id",
    "question_id",
}
SEES_NOBODY = {"anonymous", "other_location"}
SEES_NO_NOTES = {"front_desk", "manager"}

pytestmark = pytest.mark.django_db


def addresses() -> Iterator[tuple[str, URLPattern, tuple[str, ...]]]:
    """Every named pattern of the URLconf with the names of its arguments."""

    def walk(resolver: Any, namespace: str, arguments: tuple[str, ...]) -> Iterator[Any]:
        for pattern in resolver.url_patterns:
            found = (*arguments, *pattern.pattern.converters)
            found += tuple(name for name in pattern.pattern.regex.groupindex if name not in found)
            if isinstance(pattern, URLPattern):
                yield f"{namespace}{pattern.name}", pattern, tuple(dict.fromkeys(found))
            else:
                inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
                yield from walk(pattern, inner, found)

    yield from walk(get_resolver(), "", ())


def read_table() -> dict[str, dict[str, str]]:
    with TABLE.open() as file:
        return {row["url"]: row for row in csv.DictReader(file)}


def write_table(rows: dict[str, dict[str, str]]) -> None:
    with TABLE.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["url", "arguments", *IDENTITIES], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[name] for name in sorted(rows))


@pytest.fixture
def world(cast: Cast) -> World:
    return make_world(cast.here, cast.practitioner, cast.treatment)


@pytest.fixture
def browsers(cast: Cast, world: World, client_for: Callable[[Staff], Client]) -> dict[str, Client]:
    """One browser for each kind of person."""
    patient = Client(raise_request_exception=False)
    born = world.patient.birth_date
    patient.post(
        reverse("portal:prove", args=[world.token]),
        {"birth_date_0": born.day, "birth_date_1": born.month, "birth_date_2": born.year},
    )
    staff = {
        "front_desk": cast.front_desk,
        "practitioner": cast.practitioner,
        "manager": cast.manager,
        "other_location": cast.practitioner2,
    }
    browsers = {"anonymous": Client(), "patient_by_link": patient}
    browsers |= {name: client_for(person) for name, person in staff.items()}
    for browser in browsers.values():
        browser.raise_request_exception = False
    return browsers


def knock(browser: Client, method: str, address: str) -> tuple[str, bytes]:
    """One request, undone afterwards: the answer, and every byte that came back.

    The answer is the status, or `sign-in` and `prove` for a redirect to those pages.
    """
    cookies = browser.cookies.copy()
    with transaction.atomic():
        response = browser.generic(method, address)
        body = b"".join(response.streaming_content) if response.streaming else response.content
        transaction.set_rollback(True)
    browser.cookies = cookies
    return answer_of(response), body + repr(dict(response.headers)).encode()


def answer_of(response: Any) -> str:
    target = response.headers.get("Location", "").partition("?")[0]
    if target.endswith("/sign-in/"):
        return "sign-in"
    return "prove" if target.endswith("/prove/") else str(response.status_code)


def every_method() -> bool:
    return bool(os.environ.get("EVERY_METHOD") or os.environ.get("WRITE_ACCESS_TABLE"))


def asked_of(name: str) -> tuple[str, ...]:
    """The methods by which an address is asked: the same in every run and for everyone."""
    if every_method():
        return METHODS
    seldom = SELDOM[crc32(name.encode()) % len(SELDOM)]
    return tuple(method for method in METHODS if method in ("GET", "POST", seldom))


def codes(browser: Client, name: str, address: str) -> tuple[str, bytes]:
    """The statuses of the methods asked in the order of `METHODS`, and all bytes together."""
    answers = [knock(browser, method, address) for method in asked_of(name)]
    return " ".join(answer for answer, _ in answers), b"".join(body for _, body in answers)


def said_of(row: dict[str, str], identity: str) -> str:
    """What the table says to the methods asked."""
    statuses = dict(zip(METHODS, row[identity].split(" "), strict=False))
    return " ".join(statuses.get(method, "") for method in asked_of(row["url"]))


def arguments_of(row: dict[str, str], names: tuple[str, ...], world: World) -> dict[str, Any]:
    """Values for a pattern's arguments; an argument without a known value fails the test."""
    known = world.arguments.get(row["arguments"], {}) | FIXED.get(row["url"], {})
    missing = [name for name in names if name not in known]
    assert not missing, f"{row['url']}: no value for {missing} under {row['arguments']!r}"
    return {name: known[name] for name in names}


SUBJECTS = {
    "patients:unmerge": "merge",
    "feeds:change": "feed_change",
    "feeds:": "feed",
    "intake:": "history",
    "diary:unblock": "block",
    "diary:": "appointment",
    "waiting:answer": "waiting_offer",
    "waiting:freed": "freed",
    "waiting:leave-free": "freed",
    "waiting:": "waiting",
    "consultations:": "consultation",
    "plans:": "plan",
    "courses:": "course",
    "consents:": "consent",
    "sessions:start": "plan",
    "sessions:detail": "signed",
    "sessions:addendum": "signed",
    "sessions:": "session",
    "mixes:": "syringe",
    "sheets:": "sheet",
    "story:": "sheet",
    "documents:": "document",
    "photos:gallery": "patient",
    "photos:panel": "patient",
    "photos:avatar": "patient",
    "photos:": "photo",
    "messages:": "message",
    "watch:call-silent": "check_in",
    "watch:": "call",
    "events:": "event",
    "safety:recalls": "patient",
    "safety:recall-start": "patient",
    "safety:recall": "recall",
    "safety:contact": "contact",
    "safety:letter": "contact",
    "safety:look-backs": "patient",
    "safety:look-back": "look_back",
    "safety:case": "look_back",
    "safety:quarantine": "lot",
    "safety:": "patient",
    "stock:discard": "container",
    "stock:level": "product",
    "stock:of-product": "product",
    "stock:": "lot",
    "catalogue:": "row",
    "places:room": "room",
    "places:device": "device",
    "places:staff": "staff",
    "places:week": "staff",
    "places:person-days": "staff",
    "places:person-day": "own_day",
    "places:location-days": "place",
    "places:location-day": "location_day",
    "planning:service": "service",
    "planning:leave": "staff",
    "planning:room": "room",
    "planning:device": "device",
    "planning:absence-end": "leave",
    "planning:": "place",
    "places:": "place",
    "my-sheets:": "my_sheet",
    "my-consents:": "my_consent",
    "my-check-ins:": "my_check_in",
    "my-visits:": "my_visit",
    "my-offers:": "my_offer",
    "my-messages:": "my",
    "my-photos:": "my_photo",
    "my-data:": "my_export",
    "my-link:": "my",
    "my-passkey:": "my",
    "my-recovery:": "my",
    "portal:passkey": "my_passkey",
    "rights:request": "rights",
    "rights:download": "export",
    "rights:": "patient",
    "gateway:": "gateway",
    "message-settings:": "words",
    "consent-texts:": "consent_text",
    "sheet-texts:": "advice",
    "portal:document": "my_document",
    "my-history:": "my",
    "my-arrival:": "my",
    "arrival:": "tablet",
    "portal:": "my",
    "": "patient",
}
"""Which record a new address is about, by the start of its name; the table has the last word."""


def subject_of(name: str) -> str:
    return next(subject for start, subject in SUBJECTS.items() if name.startswith(start))


FIXED: dict[str, dict[str, Any]] = {
    "account_reset_password_from_key": {"uidb36": "1", "key": "set-password"},
    "mfa_remove_webauthn": {"pk": 1},
    "mfa_edit_webauthn": {"pk": 1},
    "mailbox-message": {"name": "unknown"},
    "mailbox-attachment": {"name": "unknown", "number": 1},
    "my-history:step": {"step": "conditions"},
    "intake:step": {"step": "conditions"},
    "outcomes:result": {"key": "no-such"},
}


def test_every_address_is_in_the_table() -> None:
    names = [name for name, _, _ in addresses()]
    assert None not in [pattern.name for _, pattern, _ in addresses()], "an address has no name"
    assert sorted(set(names)) == sorted(read_table())


@pytest.mark.parametrize("identity", IDENTITIES)
def test_everyone_gets_exactly_what_the_table_says(
    identity: str, world: World, browsers: dict[str, Client]
) -> None:
    table, wrong, leaks = read_table(), [], []
    if os.environ.get("WRITE_ACCESS_TABLE"):
        known = {name for name, _, _ in addresses()}
        blank = dict.fromkeys(IDENTITIES, "")
        table = {
            name: table.get(name) or {"url": name, "arguments": subject_of(name)} | blank
            for name in known
        }
    for name, _pattern, names in addresses():
        row = table[name]
        address = reverse(name, kwargs=arguments_of(row, names, world))
        got, body = codes(browsers[identity], name, address)
        if os.environ.get("WRITE_ACCESS_TABLE"):
            row[identity] = got
        elif got != said_of(row, identity):
            wrong.append(f"{name}: {got}, not {said_of(row, identity)}")
        words = (world.canary.encode(), world.secret.encode())
        if identity in SEES_NOBODY and any(word in body for word in words):
            leaks.append(name)
        if identity in SEES_NO_NOTES and world.secret.encode() in body:
            leaks.append(name)
        if identity == "patient_by_link" and "token" not in names and world.secret.encode() in body:
            leaks.append(name)
        if " 500" in f" {got}":
            wrong.append(f"{name} broke: {got}")
    if os.environ.get("WRITE_ACCESS_TABLE"):
        write_table(table)
    assert leaks == []
    assert wrong == []


def test_a_part_of_another_patient_is_not_there(
    cast: Cast, world: World, browsers: dict[str, Client]
) -> None:
    """One's own patient's number with a second patient's record: 404, though both are visible."""
    other = make_patient(cast.here, "Other", "Person")
    table = read_table()
    tried = 0
    for name, _pattern, names in addresses():
        if "number" not in names or not RECORDS & set(names) or name.startswith("mailbox"):
            continue
        values = arguments_of(table[name], names, world) | {"number": other.number}
        for method in ("GET", "POST"):
            status, body = knock(browsers["practitioner"], method, reverse(name, kwargs=values))
            assert status in ("404", "405"), f"{method} {name} answered {status}"
            assert world.secret.encode() not in body
            tried += 1
    assert tried > 20


def test_a_patient_reaches_nothing_of_another_patient(
    cast: Cast, world: World, browsers: dict[str, Client]
) -> None:
    second = make_world(cast.here, cast.practitioner, cast.treatment)
    table = read_table()
    for name, _pattern, names in addresses():
        if "token" not in names or not RECORDS & set(names):
            continue
        values = arguments_of(table[name], names, second) | {"token": world.token}
        status, body = knock(browsers["patient_by_link"], "GET", reverse(name, kwargs=values))
        assert status in ("404", "405"), f"{name} answered {status}"
        assert second.secret.encode() not in body


def staff_views() -> list[str]:
    return [
        name
        for name, pattern, _ in addresses()
        if getattr(getattr(pattern.callback, "access", None), "kind", "") == "staff"
    ]


def test_removing_any_one_check_makes_the_table_fail(
    world: World, browsers: dict[str, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control, view by view: opened to all, its row for anonymous no longer holds."""
    table, unnoticed = read_table(), []
    for name, pattern, names in addresses():
        if name not in staff_views():
            continue
        address = reverse(name, kwargs=arguments_of(table[name], names, world))
        with monkeypatch.context() as patch:
            patch.setattr(pattern.callback, "access", permissions.PUBLIC)
            got, _ = codes(browsers["anonymous"], name, address)
        if got == said_of(table[name], "anonymous"):
            unnoticed.append(name)
    assert unnoticed == []


def test_removing_the_gate_makes_the_table_fail(
    world: World, browsers: dict[str, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every record visible to everyone, the other location sees this patient's words."""
    monkeypatch.setattr(OfPatientQuerySet, "visible_to", lambda self, user: self)
    monkeypatch.setattr(PatientQuerySet, "visible_to", lambda self, user: self)
    table, seen = read_table(), set()
    for name, _pattern, names in addresses():
        if "number" not in names:
            continue
        address = reverse(name, kwargs=arguments_of(table[name], names, world))
        got, body = codes(browsers["other_location"], name, address)
        if got != said_of(table[name], "other_location") or world.canary.encode() in body:
            seen.add(name)
    assert "patients:detail" in seen
    assert len(seen) > 20


def test_removing_the_middleware_makes_the_table_fail(
    world: World, browsers: dict[str, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AccessMiddleware, "process_view", lambda *args: None)
    address = reverse("catalogue:index")
    got, _ = codes(browsers["anonymous"], "catalogue:index", address)
    assert got != said_of(read_table()["catalogue:index"], "anonymous")
