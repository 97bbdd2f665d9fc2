"""Merging as the desk, the practitioner and the manager see it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from patients.intake.models import History
from patients.registry.merges import merge_patients
from patients.registry.models import Merge, Patient
from tests.conftest import Cast, make_patient
from treatments.diary.models import Appointment


@pytest.fixture
def twin(cast: Cast) -> Patient:
    return make_patient(cast.here, "Elodie", "Martin-Durand", birth_date=date(1985, 3, 16))


def merged(cast: Cast, twin: Patient) -> Merge:
    return merge_patients(
        by=cast.practitioner, survivor=cast.patient, merged=twin, reason="Registered twice"
    )


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


def test_likely_files_are_offered_and_others_are_found(cast: Cast, twin, client_for) -> None:
    client = client_for(cast.manager)
    offered = page(client, f"/patients/{cast.patient.number}/merge/")
    assert f'href="?with={twin.number}"' in offered
    assert "No patient found" in page(client, f"/patients/{cast.patient.number}/merge/?q=zzzz")
    found = page(client, f"/patients/{cast.patient.number}/merge/?q=durand")
    assert f'href="?with={twin.number}"' in found
    assert f'href="?with={cast.patient.number}"' not in found


def test_two_files_side_by_side_are_merged_and_undone(cast: Cast, twin, client_for) -> None:
    client = client_for(cast.practitioner)
    address = f"/patients/{twin.number}/merge/"
    shown = page(client, f"{address}?with={cast.patient.number}")
    assert shown.count('class="differs"') >= 3
    refused = client.post(f"{address}now/", {"other": cast.patient.pk, "keep": cast.patient.number})
    assert refused.status_code == 422
    sent = {"other": cast.patient.pk, "keep": cast.patient.number, "reason": "Same phone"}
    response = client.post(f"{address}now/", sent)
    assert response.headers["Location"] == f"/patients/{cast.patient.number}/"
    again = client.post(f"{address}now/", sent)
    assert again.status_code == 422
    assert "in the meantime" in again.content.decode()

    old = client.get(f"/patients/{twin.number}/")
    assert old.headers["Location"] == f"/patients/{cast.patient.number}/?was={twin.number}"
    shown = page(client, old.headers["Location"])
    assert f"Also on file as {twin.number}" in shown
    assert "the number you asked for" in shown
    assert "Same phone" in shown

    row = Merge.objects.get()
    undo = f"/patients/{cast.patient.number}/merge/{row.pk}/undo/"
    assert undo in shown
    page(client, undo)
    assert client.post(undo, {"reason": ""}).status_code == 422
    response = client.post(undo, {"reason": "Sisters"})
    assert response.headers["Location"] == f"/patients/{twin.number}/"
    assert "two files again" in page(client, f"/patients/{twin.number}/")


def test_the_desk_sees_and_does_not_merge(cast: Cast, twin, client_for) -> None:
    client = client_for(cast.front_desk)
    shown = page(client, f"/patients/{cast.patient.number}/merge/?with={twin.number}")
    assert "can merge these files" in shown
    assert '<form method="post" action="/patients/' not in shown
    address = f"/patients/{cast.patient.number}/merge/now/"
    sent = {"other": twin.pk, "keep": cast.patient.number, "reason": "x"}
    assert client.post(address, sent).status_code == 403
    row = merged(cast, twin)
    undo = f"/patients/{cast.patient.number}/merge/{row.pk}/undo/"
    assert client.post(undo, {"reason": "x"}).status_code == 403
    assert undo not in page(client, f"/patients/{cast.patient.number}/")


def test_another_locations_file_is_not_there(cast: Cast, twin, client_for) -> None:
    client = client_for(cast.practitioner)
    address = f"/patients/{cast.patient.number}/merge/"
    assert client.get(f"{address}?with={cast.stranger.number}").status_code == 404
    sent = {"other": cast.stranger.pk, "keep": cast.patient.number, "reason": "x"}
    assert client.post(f"{address}now/", sent).status_code == 404
    row = merged(cast, twin)
    stranger = client_for(cast.practitioner2)
    undo = f"/patients/{cast.patient.number}/merge/{row.pk}/undo/"
    assert stranger.post(undo, {"reason": "x"}).status_code == 404
    assert stranger.get(f"/patients/{twin.number}/earlier/").status_code == 404


def test_what_stands_in_the_way_is_listed(cast: Cast, twin, client_for) -> None:
    start = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
    people = ((twin, cast.practitioner), (cast.patient, cast.colleague))
    for room, (who, practitioner) in zip(cast.here.rooms.all(), people, strict=True):
        Appointment.objects.create(
            patient=who,
            practitioner=practitioner,
            room=room,
            location=cast.here,
            service=cast.consultation,
            starts_at=start,
            ends_at=start + timedelta(minutes=30),
        )
    client = client_for(cast.manager)
    address = f"/patients/{cast.patient.number}/merge/"
    assert "Two visits overlap" in page(client, f"{address}?with={twin.number}")
    sent = {"other": twin.pk, "keep": cast.patient.number, "reason": "x"}
    assert client.post(f"{address}now/", sent).status_code == 422
    assert not Merge.objects.exists()


def test_an_earlier_file_is_read_and_not_written(cast: Cast, twin, client_for) -> None:
    client = client_for(cast.practitioner)
    assert client.get(f"/patients/{twin.number}/earlier/").status_code == 302
    merged(cast, twin)
    shown = page(client, f"/patients/{twin.number}/earlier/")
    assert "to read only" in shown
    assert "earlier-file" in shown
    writes = ["edit/", "links/", "consultations/start/"]
    writes += [reverse("intake:step", args=[twin.number, "about"]).split("/", 3)[3]]
    for end in writes:
        assert client.post(f"/patients/{twin.number}/{end}", {}).status_code == 403, end
    assert cast.patient.number in page(client, f"/diary/book/?patient={twin.number}")


def test_the_bar_of_an_earlier_file_warns_as_the_kept_one_does(
    cast: Cast, twin, client_for
) -> None:
    client = client_for(cast.front_desk)
    said = {"origin": "link", "submitted_at": timezone.now(), "signed_name": "x"}
    History.objects.create(patient=cast.patient, version=1, other_allergies="latex", **said)
    History.objects.create(patient=twin, version=1, other_allergies="iodine", **said)
    merged(cast, twin)
    for number in (cast.patient.number, twin.number):
        bar = page(client, f"/patients/{number}/history/bar/")
        assert "latex" in bar
        assert "iodine" in bar


def test_a_registration_is_warned_of_the_kept_file(cast: Cast, twin, client_for) -> None:
    merged(cast, twin)
    typed = {"family_name": "Martin-Durand", "given_name": "Elodie"}
    born = {"birth_date_0": 16, "birth_date_1": 3, "birth_date_2": 1985}
    client = client_for(cast.front_desk)
    shown = client.post("/patients/register/similar/", typed | born).content.decode()
    assert cast.patient.number in shown
    assert twin.number not in shown
    by_name = client.post("/patients/register/similar/", typed).content.decode()
    assert cast.patient.number in by_name
    assert "with a name like this" in by_name
    assert (
        "rows"
        not in client.post("/patients/register/similar/", {"family_name": "M"}).content.decode()
    )


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_of_a_merged_patient_costs_the_same(
    cast: Cast, client_for, django_assert_num_queries, count: int
) -> None:
    for number in range(count):
        merged(cast, make_patient(cast.here, "E", f"Martin{number}"))
    client = client_for(cast.practitioner)
    client.get("/patients/")
    with django_assert_num_queries(6):
        page(client, f"/patients/{cast.patient.number}/")
