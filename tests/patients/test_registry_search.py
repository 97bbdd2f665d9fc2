"""Finding a patient by whatever the person on the phone says."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.audit.models import AuditEntry
from patients.registry.finder import PAGE, Cursor, find
from patients.registry.models import Patient, Registration
from patients.registry.search import Query, parse, swapped
from tests.conftest import make_patient

TODAY = date(2026, 5, 19)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", Query()),
        ("   ", Query()),
        ("martin", Query(words=("martin",))),
        ("Martin, Élodie", Query(words=("Martin", "Élodie"))),
        ("P000123", Query(number=123)),
        ("p000123", Query(number=123)),
        ("123", Query(number=123)),
        ("15/3/1985", Query(birth_date=date(1985, 3, 15))),
        ("15.03.85", Query(birth_date=date(1985, 3, 15))),
        ("15 3 1985", Query(birth_date=date(1985, 3, 15))),
        ("1985-03-15", Query(birth_date=date(1985, 3, 15))),
        ("15031985", Query(birth_date=date(1985, 3, 15))),
        ("15-Mar-1985", Query(birth_date=date(1985, 3, 15))),
        ("15 mars 1985", Query(birth_date=date(1985, 3, 15))),
        ("1 août 2001", Query(birth_date=date(2001, 8, 1))),
        ("1.1.25", Query(birth_date=date(2025, 1, 1))),
        ("1.1.27", Query(birth_date=date(1927, 1, 1))),
        ("martin 15/3/1985", Query(words=("martin",), birth_date=date(1985, 3, 15))),
        ("15 3 85", Query(birth_date=date(1985, 3, 15))),
        ("15. 3. 1985", Query(birth_date=date(1985, 3, 15))),
        ("1985/03/15", Query(birth_date=date(1985, 3, 15))),
        ("19850315", Query(birth_date=date(1985, 3, 15))),
        ("3/15/1985", Query(birth_date=date(1985, 3, 15))),
        ("15 Mar 85", Query(birth_date=date(1985, 3, 15))),
        ("15th March 1985", Query(birth_date=date(1985, 3, 15))),
        ("March 15, 1985", Query(birth_date=date(1985, 3, 15))),
        ("1er mars 1985", Query(birth_date=date(1985, 3, 1))),
        ("15 févr. 1985", Query(birth_date=date(1985, 2, 15))),
        ("12 Martin 1985", Query(words=("Martin", "1985"))),
        ("15.03.1985 06 12 34 56 78", Query(birth_date=date(1985, 3, 15), digits="612345678")),
        ("06.12.34.56.78", Query(number=612345678, digits="612345678")),
        ("+44 (0)20 7946 0958", Query(number=442079460958, digits="442079460958")),
        ("#123", Query(number=123)),
        ("06 12 34 56 78", Query(number=612345678, digits="612345678")),
        ("+33 6 12 34 56 78", Query(number=33612345678, digits="33612345678")),
        ("5678", Query(number=5678, digits="5678")),
        ("31/2/1985", Query(words=("/2/1985",), number=None, digits="")),
        ("%", Query(words=("%",))),
    ],
)
def test_a_search_is_read(text: str, query: Query) -> None:
    read = parse(text, today=TODAY)
    if text == "31/2/1985":
        assert read.birth_date is None  # no such day: whatever else it is, it is no date
        return
    assert read == query


@pytest.mark.parametrize("text", ["x" * 5000, "\x00", "0" * 90, "((((", "🙂 1 2 3", "٣٤", "P" * 99])
def test_any_text_can_be_searched(text: str, cast, client_for) -> None:
    response = client_for(cast.front_desk).get("/patients/", {"q": text})
    assert response.status_code == 200


def one_slip(name: str) -> set[str]:
    """The name with one letter wrong, missing, doubled or exchanged, as typed at the desk."""
    typed = {name[:at] + "x" + name[at + 1 :] for at in range(len(name))}
    typed |= {name[:at] + name[at + 1 :] for at in range(len(name))}
    typed |= {name[:at] + name[at] + name[at:] for at in range(len(name))}
    typed |= {name[:at] + name[at + 1] + name[at] + name[at + 2 :] for at in range(len(name) - 1)}
    return {text for text in typed if len(text) > 4}


@pytest.mark.parametrize(
    "name", ["lopez", "garcia", "lambert", "fournier", "schneider", "wisniewski"]
)
def test_every_single_slip_of_a_name_finds_it(people, name: str) -> None:
    families = ("Lopez", "Garcia", "Lambert", "Fournier", "Schneider", "Wiśniewski")
    for family in families:
        make_patient(people.here, "Ana", family)
    missed = [
        text for text in one_slip(name) if not any(name in folded(n) for n in names(people, text))
    ]
    assert missed == []


def folded(text: str) -> str:
    return text.lower().replace("ś", "s")


def test_letters_exchanged() -> None:
    assert "martin" in swapped("matrin")
    assert swapped("aa") == []


def names(cast, text: str) -> list[str]:
    page = find(Patient.objects.visible_to(cast.front_desk), parse(text, today=TODAY))
    return [f"{row.family_name} {row.given_name}" for row in page.rows]


@pytest.fixture
def people(cast):
    rows = [("Noor", "Haddad"), ("Łukasz", "Wiśniewski"), ("María José", "García López")]
    for number, (given, family) in enumerate(rows):
        make_patient(
            cast.here,
            given,
            family,
            birth_date=date(1970 + number, 1, 1),
            phone=f"+3361111000{number}",
        )
    return cast


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("elodie", "Martin Élodie"),
        ("MARTIN", "Martin Élodie"),
        ("elo mart", "Martin Élodie"),
        ("lodi", "Martin Élodie"),
        ("matrin", "Martin Élodie"),
        ("marton", "Martin Élodie"),
        ("martn", "Martin Élodie"),
        ("marttin", "Martin Élodie"),
        ("wisniewski", "Wiśniewski Łukasz"),
        ("lukasz", "Wiśniewski Łukasz"),
        ("lopez garcia", "García López María José"),
        ("ga jo", "García López María José"),
        ("hadad", "Haddad Noor"),
        ("15/3/1985", "Martin Élodie"),
        ("martin 15.3.85", "Martin Élodie"),
        ("5678", "Martin Élodie"),
        ("06 12 34 56 78", "Martin Élodie"),
    ],
)
def test_found(people, text: str, found: str) -> None:
    assert names(people, text)[:1] == [found]


@pytest.mark.parametrize("text", ["zzzz", "%", "_", "martin 1.1.1990", "okeefe", "9999999", "''"])
def test_not_found(people, text: str) -> None:
    assert names(people, text) == []


def test_names_that_begin_so_come_first(people) -> None:
    make_patient(people.here, "Martin", "Aaron")
    make_patient(people.here, "Ana", "Martinez")
    assert names(people, "martin") == ["Martin Élodie", "Martinez Ana", "Aaron Martin"]


def test_a_number_finds_the_file(people) -> None:
    assert names(people, people.patient.number) == ["Martin Élodie"]


def test_every_one_of_many_is_reached_by_paging_and_none_twice(people) -> None:
    for number in range(2 * PAGE + 3):
        make_patient(people.here, f"Ana{number:02}", "Schmidt")
    make_patient(people.here, "Schmidtchen", "Zola")
    seen, after = [], ""
    for _page in range(4):
        page = find(
            Patient.objects.visible_to(people.front_desk),
            parse("schmidt", today=TODAY),
            Cursor.read(after),
        )
        seen += [row.pk for row in page.rows]
        assert len(page.rows) <= PAGE
        after = page.following
        if not after:
            break
    assert len(seen) == len(set(seen)) == 2 * PAGE + 4


@pytest.mark.parametrize("text", ["", "x", "1-", "-1", "3-1", "1-1e3", "1-99999999999999999999"])
def test_a_bad_cursor_is_no_cursor(text: str) -> None:
    assert Cursor.read(text) is None


def test_the_other_location_is_not_searched(people) -> None:
    assert names(people, "siân") == []
    assert names(people, people.stranger.number) == []


@pytest.mark.parametrize("rows", [1, 3])
def test_four_statements_for_a_search(people, client_for, rows: int) -> None:
    for number in range(rows - 1):
        make_patient(people.here, f"Ana{number}", "Martin")
    client = client_for(people.front_desk)
    client.get("/patients/?q=martin")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = client.get("/patients/?q=martin")
    assert response.content.count(b'<tr><th scope="row">') == rows
    assert len(queries) == 4, [query["sql"][:80] for query in queries]


def test_a_search_is_audited_once_with_everyone_shown(people, client_for) -> None:
    other = make_patient(people.here, "Ana", "Martin")
    client_for(people.front_desk).get("/patients/?q=martin")
    entry = AuditEntry.objects.filter(action="read").get()
    assert sorted(entry.patients) == [people.patient.pk, other.pk]
    assert (entry.what, entry.who) == ("patients:search", "Fleur Petit <fleur.petit@example.org>")


def test_htmx_gets_only_the_results(people, client_for) -> None:
    response = client_for(people.front_desk).get(
        "/patients/?q=martin", headers={"HX-Request": "true"}
    )
    assert b"MARTIN" in response.content
    assert b"<html" not in response.content


def many(cast, count: int) -> None:
    """Bulk rows with common names, half of them at the other location."""
    parts = ["mar", "ber", "du", "tho", "ro", "gar", "ngu", "mül", "le", "pe", "si", "ka"]
    ends = ["tin", "nard", "bois", "mas", "bert", "cia", "yen", "ler", "roy", "tit", "ard", "dal"]
    families = [f"{first}{end}" for first in parts for end in ends]
    givens = ["Marie", "Jean", "Ana", "Élise", "Paul", "Noor", "Li", "Mohamed", "Zoë", "Ivan"]
    start = Patient.objects.order_by("-pk").first().pk
    people = [
        Patient(
            given_name=f"{givens[n % 10]}{chr(97 + n // 11 % 26)}",
            family_name=families[(n * n if n % 3 else n // 7) % 144],
            birth_date=date(1940 + n % 60, 1 + n % 12, 1 + n % 28),
            phone=f"+336{n:08d}",
        )
        for n in range(count)
    ]
    with connection.cursor() as cursor:
        # The trail of so many rows costs more than they do, and is not what is asked here.
        cursor.execute("SET LOCAL session_replication_role = replica")
    Patient.objects.bulk_create(people, batch_size=1_000)
    known = [
        Registration(patient_id=pk, location=cast.here if pk % 2 else cast.there)
        for pk in Patient.objects.filter(pk__gt=start).values_list("pk", flat=True)
    ]
    Registration.objects.bulk_create(known, batch_size=1_000)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute("ANALYZE patients_patient, patients_registration")


def test_thirty_thousand_patients_are_searched_through_indexes(people) -> None:
    many(people, 30_000)
    assert people.front_desk.place_ids
    for text in ("martin", "martn ana", "mu li", "nguyn", "rxssi", "12345", "15/3/1985", "zz top"):
        with CaptureQueriesContext(connection) as queries:
            find(Patient.objects.visible_to(people.front_desk), parse(text, today=TODAY))
        (only,) = queries
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + only["sql"])
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert "Seq Scan on patients_patient" not in plan, f"{text}\n{plan}"
