"""Registering, correcting, linking; the patient page and its access log."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.errors import ActionRefused
from patients.registry.actions import edit_patient, link_patient, register_patient, similar_patients
from patients.registry.models import Patient, Registration
from tests.conftest import make_patient

GOOD = {
    "family_name": "Nguyễn",
    "given_name": "Thị Hoa",
    "birth_date_0": "7",
    "birth_date_1": "8",
    "birth_date_2": "1991",
    "sex": "female",
    "phone": "06 12 34 56 78",
    "email": "hoa@example.org",
    "language": "fr",
}


def test_the_desk_registers_a_patient(cast, client_for) -> None:
    response = client_for(cast.front_desk).post("/patients/register/", GOOD)
    patient = Patient.objects.get(family_name="Nguyễn")
    assert response["Location"] == f"/patients/{patient.number}/"
    assert patient.phone == "+33612345678"
    assert patient.birth_date == date(1991, 8, 7)
    assert list(patient.locations.all()) == [cast.here]


def test_what_was_searched_for_is_not_typed_again_and_leads_to_the_booking(
    cast, client_for
) -> None:
    client = client_for(cast.front_desk)
    found = client.get("/patients/?for=book&date=2026-05-19&q=nguyen+hoa").content.decode()
    assert 'formaction="/patients/register/"' in found
    page = client.get("/patients/register/?for=book&date=2026-05-19&q=nguyen+hoa").content.decode()
    assert 'name="family_name" value="Nguyen"' in page
    assert 'name="given_name" value="Hoa"' in page
    day = re.search(r'<input[^>]*name="birth_date_0"[^>]*>', page)
    assert day
    assert "autofocus" in day[0]
    response = client.post("/patients/register/?for=book&date=2026-05-19", GOOD)
    patient = Patient.objects.get(family_name="Nguyễn")
    assert response["Location"] == f"/diary/book/?patient={patient.number}&date=2026-05-19"


def test_a_phone_is_read_as_one_of_the_location(cast, client_for) -> None:
    client_for(cast.front_desk2).post("/patients/register/", GOOD | {"phone": "07400 123456"})
    assert Patient.objects.get(family_name="Nguyễn").phone == "+447400123456"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("family_name", "", "required"),
        ("family_name", "   ", "required"),
        ("family_name", "123", "A name has letters"),
        ("given_name", "x" * 101, "at most 100"),
        ("given_name", "a\x00b", "Null characters"),
        ("birth_date_0", "", "must have a day"),
        ("birth_date_0", "32", "real date"),
        ("birth_date_0", "x", "real date"),
        ("birth_date_2", "2999", "must be in the past"),
        ("birth_date_2", "1850", "120 years"),
        ("birth_date_2", "99999999999999999999", "real date"),
        ("sex", "robot", "not one of the available"),
        ("phone", "12", "phone number that can be called"),
        ("phone", "not a number", "phone number that can be called"),
        ("email", "not-an-address", "valid email"),
        ("language", "tlh", "not one of the available"),
    ],
)
def test_bad_input_is_explained_and_nothing_typed_is_lost(
    cast, client_for, field: str, value: str, said: str
) -> None:
    sent = GOOD | {field: value}
    response = client_for(cast.front_desk).post("/patients/register/", sent)
    page = response.content.decode()
    assert response.status_code == 422
    assert said in page
    assert "Thị Hoa" in page or field == "given_name"
    assert not Patient.objects.filter(email="hoa@example.org").exists()


def test_an_empty_form_names_every_field_it_needs(cast, client_for) -> None:
    page = client_for(cast.front_desk).post("/patients/register/", {}).content.decode()
    assert page.count("data-error-summary") == 1
    for words in ("Family name", "Given name", "Enter the date of birth"):
        assert words in page


@pytest.mark.parametrize(
    ("given", "family", "birth", "is_similar"),
    [
        ("Élodie", "Martin", date(1985, 3, 15), True),
        ("elodie", "MARTIN", date(1985, 3, 15), True),
        ("Martin", "Elodie", date(1985, 3, 15), True),
        ("Élodie", "Martinn", date(1985, 3, 14), True),
        ("Elodie", "Martin", date(1986, 3, 15), True),
        ("Elodie", "Martin", date(1985, 3, 1), True),
        ("Elodie", "Martin", date(1990, 6, 15), False),
        ("Bertrand", "Leroy", date(1985, 3, 15), False),
    ],
)
def test_similar(cast, given: str, family: str, birth: date, is_similar: bool) -> None:
    found = similar_patients(given_name=given, family_name=family, birth_date=birth)
    assert (cast.patient in found) is is_similar


def test_day_and_month_exchanged_are_similar(cast) -> None:
    person = make_patient(cast.here, "Ana", "López", birth_date=date(1990, 4, 7))
    assert person in similar_patients(
        given_name="Ana", family_name="Lopez", birth_date=date(1990, 7, 4)
    )


SAME = GOOD | {
    "family_name": "Martin",
    "given_name": "Elodie",
    "birth_date_0": "15",
    "birth_date_1": "3",
    "birth_date_2": "1985",
}


def test_a_similar_file_is_shown_and_wants_an_explicit_tick(cast, client_for) -> None:
    client = client_for(cast.front_desk)
    refused = client.post("/patients/register/", SAME)
    assert refused.status_code == 422
    assert cast.patient.number in refused.content.decode()
    assert Patient.objects.filter(family_name="Martin").count() == 1
    assert client.post("/patients/register/", SAME | {"anyway": "on"}).status_code == 302
    assert Patient.objects.filter(family_name="Martin").count() == 2


def test_similar_files_are_shown_while_typing(cast, client_for) -> None:
    client = client_for(cast.front_desk)
    page = client.post("/patients/register/similar/", SAME).content.decode()
    assert cast.patient.number in page
    assert "<html" not in page
    half = client.post("/patients/register/similar/", {"family_name": "Martin"}).content.decode()
    assert cast.patient.number not in half


def test_of_a_file_elsewhere_only_its_being_is_told(cast, client_for) -> None:
    away = make_patient(cast.there, "Elodie", "Nowhere", phone="+447400123456")
    sent = SAME | {"family_name": "Nowhere"}
    page = client_for(cast.front_desk).post("/patients/register/", sent).content.decode()
    assert "exists at another location" in page
    assert away.number not in page
    assert "7400 123456" not in page
    assert "7400123456" not in page
    assert "Use that file here too" not in page


def test_a_manager_links_the_file_of_another_location(cast, client_for) -> None:
    away = make_patient(cast.there, "Elodie", "Nowhere")
    sent = SAME | {"family_name": "Nowhere"}
    client = client_for(cast.manager)
    assert "Use that file here too" in client.post("/patients/register/", sent).content.decode()
    assert client.post("/patients/register/link/", sent)["Location"].endswith(f"{away.number}/")
    assert set(away.locations.all()) == {cast.here, cast.there}
    assert client.post("/patients/register/link/", sent).status_code == 302
    assert Registration.objects.filter(patient=away).count() == 2


def test_nobody_but_a_manager_links_and_only_a_single_exact_file(cast, client_for) -> None:
    identity = {"given_name": "Siân", "family_name": "O’Keefe", "birth_date": date(1985, 3, 15)}
    with pytest.raises(ActionRefused):
        link_patient(by=cast.front_desk, location=cast.here, **identity)
    with pytest.raises(ActionRefused):
        link_patient(
            by=cast.manager, location=cast.here, **identity | {"birth_date": date(1985, 3, 16)}
        )
    client = client_for(cast.front_desk)
    assert client.post("/patients/register/link/", SAME).status_code == 403
    refused = client_for(cast.manager).post("/patients/register/link/", {"family_name": "x"})
    assert refused.status_code == 422


def test_details_are_corrected(cast, client_for) -> None:
    client = client_for(cast.front_desk)
    page = client.get(f"/patients/{cast.patient.number}/edit/").content.decode()
    assert 'value="Martin"' in page
    assert 'value="1985"' in page
    sent = SAME | {"family_name": "Durand", "phone": ""}
    assert client.post(f"/patients/{cast.patient.number}/edit/", sent).status_code == 302
    cast.patient.refresh_from_db()
    assert (cast.patient.family_name, cast.patient.phone) == ("Durand", "")
    bad = client.post(f"/patients/{cast.patient.number}/edit/", sent | {"birth_date_2": "2999"})
    assert bad.status_code == 422
    assert "Durand" in bad.content.decode()


def test_only_known_columns_are_edited(cast) -> None:
    with pytest.raises(TypeError):
        edit_patient(by=cast.front_desk, patient=cast.patient, pk=9)


def test_a_future_birth_date_does_not_get_past_the_form(cast, client_for) -> None:
    tomorrow = timezone.localdate() + timedelta(days=1)
    sent = GOOD | {
        "birth_date_0": str(tomorrow.day),
        "birth_date_1": str(tomorrow.month),
        "birth_date_2": str(tomorrow.year),
    }
    assert client_for(cast.front_desk).post("/patients/register/", sent).status_code == 422


@pytest.mark.parametrize("page", ["", "edit/", "access-log/", "appointments/"])
def test_another_locations_patient_is_not_there(cast, client_for, page: str) -> None:
    url = f"/patients/{cast.stranger.number}/{page}"
    assert client_for(cast.manager).get(url).status_code == 404
    assert client_for(cast.manager).get(f"/patients/P999999/{page}").status_code == 404


def test_the_patient_page(cast, client_for) -> None:
    client = client_for(cast.front_desk)
    client.get(f"/patients/{cast.patient.number}/")
    with CaptureQueriesContext(connection) as queries:
        page = client.get(f"/patients/{cast.patient.number}/").content.decode()
    assert "MARTIN, Élodie" in page
    assert "15-Mar-1985" in page
    assert len(queries) <= 10, [query["sql"][:80] for query in queries]
    assert f"/patients/{cast.patient.number}/appointments/" in page
    assert "access-log" not in page  # a slot that the desk may not open


def test_the_access_log_is_the_managers(cast, client_for) -> None:
    url = f"/patients/{cast.patient.number}/access-log/"
    assert client_for(cast.front_desk).get(url).status_code == 403
    assert client_for(cast.practitioner).get(url).status_code == 403
    client_for(cast.front_desk).post(
        f"/patients/{cast.patient.number}/edit/", SAME | {"family_name": "Durand"}
    )
    page = client_for(cast.manager).get(url).content.decode()
    assert "Fleur Petit" in page
    assert "Front desk" in page
    assert "<del>Martin</del>" in page
    assert "<ins>Durand</ins>" in page
    assert "Patient details" in page
    assert (
        "access-log"
        in client_for(cast.manager).get(f"/patients/{cast.patient.number}/").content.decode()
    )


def test_the_access_log_is_paged_by_key(cast, client_for) -> None:
    desk, manager = client_for(cast.front_desk), client_for(cast.manager)
    for _time in range(60):
        desk.get(f"/patients/{cast.patient.number}/")
    url = f"/patients/{cast.patient.number}/access-log/"
    first = manager.get(url)
    following = first.context["next_url"]
    assert following.startswith("?before=")
    second = manager.get(url + following)
    assert 0 < len(second.context["lines"]) <= 50
    assert second.context["next_url"] == ""
    assert manager.get(url + "?before=x").status_code == 200
    panel = manager.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in panel
    assert panel.count("<li>") == 8


def test_registering_leaves_its_audit_rows(cast, client_for) -> None:
    patient = register_patient(
        by=cast.front_desk,
        location=cast.here,
        given_name=" Ana ",
        family_name="López",
        birth_date=date(1990, 1, 1),
    )
    assert patient.given_name == "Ana"
    assert patient.number == f"P{patient.pk:06d}"
