"""A patient's rights over their data: a copy, a correction, a restriction, an erasure."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.audit.models import AuditEntry, Erasure
from clinic.audit.verify import verify_chain
from clinic.errors import ActionRefused
from patients.documents.actions import render_next
from patients.messages.models import Message, OptOut
from patients.messages.rules import wants
from patients.portal.models import Link
from patients.registry.merges import CannotMerge, merge_patients
from patients.registry.models import Patient, Restriction
from patients.registry.restricting import is_restricted, lift, restrict
from patients.rights import actions, exporting, gathering
from patients.rights.erasing import erase_next_file, forget_next_files
from patients.rights.install import care_function
from patients.rights.models import ANSWER_DAYS, Export, RightsRequest
from patients.rights.retention import retention_of
from tests.access.world import World, make_world
from tests.conftest import Cast, make_patient
from tests.patients.test_portal import RIGHT, question

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(cast: Cast) -> World:
    return make_world(cast.here, cast.practitioner, cast.treatment)


def inside(world: World) -> Client:
    client = Client()
    client.post(question(world.token), RIGHT)
    return client


def make_copy(patient: Patient, by=None) -> Export:
    export = exporting.ask_export(by=by, patient=patient, at=timezone.now())
    for step in range(4):
        exporting.work_next(at=timezone.now() + step * exporting.LEASE)
        while render_next():
            pass
    export.refresh_from_db()
    return export


def unpacked(response) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))


# --- a copy of everything -------------------------------------------------------------------


def reached_by_foreign_keys() -> set[str]:
    """Every table with a way to the patients by foreign keys, straight from the models."""
    reached, grew = {Patient._meta.db_table}, True
    while grew:
        grew = False
        for model in apps.get_models():
            targets = {
                field.related_model._meta.db_table
                for field in model._meta.concrete_fields
                if isinstance(field.related_model, type)
            }
            if model._meta.db_table not in reached and targets & reached:
                reached.add(model._meta.db_table)
                grew = True
    return reached


OF_NOBODY = {"treatments_freedtime"}
"""A time that came free: it belongs to the diary, and goes when its appointment does."""


def test_every_table_that_leads_to_a_patient_is_in_the_copy():
    given = {model._meta.db_table for model in gathering.patient_models()}
    assert reached_by_foreign_keys() - given == OF_NOBODY


def test_the_copy_holds_every_row_and_file_and_no_key(cast: Cast, world: World):
    export = make_copy(world.patient)
    assert (export.state, export.error) == (Export.State.READY, "")
    response = inside(world).get(reverse("my-data:zip", args=[world.token, export.public_id]))
    zipped = unpacked(response)
    assert zipped.testzip() is None
    names = zipped.namelist()
    assert {"data.json", "record.pdf", "README.txt"} <= set(names)
    assert zipped.read("record.pdf").startswith(b"%PDF-")
    assert sum(name.startswith("photos/") for name in names) == 1
    assert sum(name.startswith("papers/") for name in names) == 3
    told = json.loads(zipped.read("data.json"))
    for model in gathering.patient_models():
        stored = gathering.keys_of(model, [world.patient.pk, *earlier(world)])
        table = told["tables"].get(model._meta.db_table, {"rows": []})
        assert {row["id"] for row in table["rows"]} == set(stored), model
    text = json.dumps(told)
    assert world.canary in text
    assert world.secret in text
    link = Link.objects.filter(patient=world.patient).first()
    assert link.token_hash not in text
    assert told["opened"]


def earlier(world: World) -> list[int]:
    return list(world.patient.earlier_files.values_list("pk", flat=True))


def test_another_patients_words_are_in_nobodys_copy(cast: Cast, world: World):
    other = make_world(cast.here, cast.practitioner, cast.treatment)
    export = make_copy(world.patient)
    response = inside(world).get(reverse("my-data:zip", args=[world.token, export.public_id]))
    zipped = unpacked(response)
    assert not any(
        word.encode() in zipped.read(name)
        for name in zipped.namelist()
        for word in (other.canary, other.secret)
    )


def test_data_and_record_come_alone_too_and_to_nobody_else(cast: Cast, world: World):
    other = make_world(cast.here, cast.practitioner, cast.treatment)
    export = make_copy(world.patient)
    mine, theirs = inside(world), inside(other)
    for kind, start in (("json", b"{"), ("pdf", b"%PDF-")):
        url = reverse(f"my-data:{kind}", args=[world.token, export.public_id])
        given = mine.get(url)
        assert given.content.startswith(start)
        assert "no-store" in given["Cache-Control"]
        foreign = reverse(f"my-data:{kind}", args=[other.token, export.public_id])
        assert theirs.get(foreign).status_code == 404
        assert Client().get(url).status_code == 302
    export.refresh_from_db()
    assert export.fetched_at is not None


def test_only_who_may_read_notes_opens_a_copy_and_its_making_is_on_the_trail(
    cast: Cast, world: World, client_for
):
    export = make_copy(world.patient, by=cast.manager)
    url = reverse("rights:download", args=[world.patient.number, export.public_id])
    assert client_for(cast.manager).get(url).status_code == 403
    assert client_for(cast.front_desk).get(url).status_code == 403
    assert client_for(cast.practitioner2).get(url).status_code == 404
    assert unpacked(client_for(cast.practitioner).get(url)).read("data.json")
    read = AuditEntry.objects.filter(what="rights:download", action="read")
    assert [entry.actor_id for entry in read] == [cast.practitioner.pk]
    made = AuditEntry.objects.filter(what="patients_export", action="create").latest("pk")
    assert made.patients == [world.patient.pk]


def test_asking_twice_makes_one_copy(cast: Cast, world: World):
    first = exporting.ask_export(by=None, patient=world.patient, at=timezone.now())
    assert exporting.ask_export(by=None, patient=world.patient, at=timezone.now()) == first
    with pytest.raises(DatabaseError), transaction.atomic():
        Export.objects.create(patient=world.patient, language="en", file_name="x")


def test_a_copy_is_kept_in_encrypted_pieces_and_erased_after_a_week(
    cast: Cast, world: World, monkeypatch
):
    monkeypatch.setattr("patients.rights.zipped.PIECE_BYTES", 4096)
    monkeypatch.setattr("patients.rights.giving.PIECE_BYTES", 4096)
    export = make_copy(world.patient)
    assert export.pieces > 2
    names = [export.stored_name(number) for number in range(export.pieces)]
    for name in names:
        assert b"PK\x03\x04" not in Path(default_storage.path(name)).read_bytes()
    url = reverse("my-data:json", args=[world.token, export.public_id])
    assert json.loads(inside(world).get(url).content)["number"] == world.patient.number
    assert exporting.erase_next(at=timezone.now()) is None
    while exporting.erase_next(at=timezone.now() + timedelta(days=8)):
        pass
    assert not any(default_storage.exists(name) for name in names)
    export.refresh_from_db()
    assert export.state == Export.State.ERASED
    assert inside(world).get(url).status_code == 404


def test_a_damaged_photo_fails_the_copy_and_says_so(cast: Cast, world: World):
    photo = world.patient.photos.get()
    default_storage.delete(photo.stored_name("full"))
    export = make_copy(world.patient)
    assert export.state == Export.State.FAILED
    assert export.error
    page = inside(world).get(reverse("my-data:index", args=[world.token])).content.decode()
    assert "could not be made" in page


def test_a_lost_worker_is_followed_by_another_and_only_one_finishes(cast: Cast, world: World):
    export = exporting.ask_export(by=None, patient=world.patient, at=timezone.now())
    stale = exporting._claim(timezone.now())
    assert exporting._claim(timezone.now()) is None, "claimed"
    while render_next():
        pass
    later = timezone.now() + exporting.LEASE * 2
    assert exporting.work_next(at=later).state == Export.State.READY
    assert exporting._fail(stale, "late").state == Export.State.READY
    export.refresh_from_db()
    assert export.error == ""


def test_the_command_writes_what_only_its_user_may_read(cast: Cast, world: World, tmp_path):
    path = tmp_path / "copy.zip"
    call_command("export_patient", world.patient.number, to=path)
    assert path.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(path) as zipped:
        assert world.secret in zipped.read("data.json").decode()
    assert AuditEntry.objects.filter(what="export_patient").exists()
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_patient", world.patient.number, to=path)
    with pytest.raises(CommandError, match="no patient"):
        call_command("export_patient", "P999999")


# --- requests -------------------------------------------------------------------------------


def asked(world: World, kind: str = "correction", **more) -> RightsRequest:
    subject = {"subject": "name"} if kind == "correction" else {}
    return actions.ask(
        by=None,
        patient=world.patient,
        kind=kind,
        words="It is Elodie, without accent.",
        at=timezone.now(),
        **subject | more,
    )


def test_a_correction_is_asked_decided_told_and_kept(cast: Cast, world: World, client_for):
    client = inside(world)
    url = reverse("my-data:ask", args=[world.token])
    sent = {"kind": "correction", "subject": "name", "words": "It is Elodie."}
    assert client.post(url, sent).status_code == 302
    row = RightsRequest.objects.latest("pk")
    assert row.due_on == timezone.localdate() + timedelta(days=ANSWER_DAYS)
    manager = client_for(cast.manager)
    assert (
        "It is Elodie."
        in manager.get(
            reverse("rights:request", args=[world.patient.number, row.pk])
        ).content.decode()
    )
    answer = {"answer": "granted", "words": "The name is corrected."}
    manager.post(reverse("rights:request", args=[world.patient.number, row.pk]), answer)
    row.refresh_from_db()
    assert (row.answer, row.decided_by) == ("granted", cast.manager)
    page = client.get(reverse("my-data:index", args=[world.token])).content.decode()
    assert "The name is corrected." in page
    message = Message.objects.get(kind="rights")
    assert "correct" not in (message.subject + message.body).lower()
    with pytest.raises(DatabaseError), transaction.atomic():
        RightsRequest.objects.filter(pk=row.pk).update(words="Something else")


def test_bad_input_of_a_request_is_told_beside_its_field(world: World):
    client, url = inside(world), reverse("my-data:ask", args=[world.token])
    for sent, field in (
        ({}, "kind"),
        ({"kind": "correction", "words": "x"}, "subject"),
        ({"kind": "erasure", "words": " "}, "words"),
        ({"kind": "erasure", "words": "x" * 2001}, "words"),
        ({"kind": "nonsense", "words": "x"}, "kind"),
    ):
        response = client.post(url, sent)
        assert response.status_code == 422
        assert field in response.context["form"].errors
    assert RightsRequest.objects.count() == 1, "the one that was there"


def test_nobody_decides_twice_or_without_the_right(cast: Cast, world: World, client_for):
    row = asked(world)
    with pytest.raises(ActionRefused):
        actions.refuse_request(by=cast.front_desk, request=row, words="No", at=timezone.now())
    with pytest.raises(ActionRefused):
        actions.refuse_request(by=cast.manager, request=row, words=" ", at=timezone.now())
    actions.refuse_request(by=cast.manager, request=row, words="No", at=timezone.now())
    with pytest.raises(ActionRefused, match="decided this already"):
        actions.settle_correction(by=cast.manager, request=row, words="Yes", at=timezone.now())
    assert client_for(cast.front_desk).get(reverse("all-rights:index")).status_code == 403


def test_what_is_owed_shows_first_and_late_as_late(cast: Cast, world: World, client_for):
    row = asked(world, kind="erasure")
    RightsRequest.objects.filter(pk=row.pk).update(due_on=timezone.localdate() - timedelta(days=1))
    text = client_for(cast.manager).get(reverse("all-rights:waiting")).content.decode()
    assert "Late" in text
    assert world.patient.given_name in text
    elsewhere = client_for(cast.practitioner2).get(reverse("all-rights:index"))
    assert world.canary not in elsewhere.content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_for_one_and_three(
    cast: Cast, world: World, client_for, django_assert_max_num_queries, count
):
    for number in range(count):
        actions.ask(
            by=None,
            patient=make_patient(cast.here, f"P{number}"),
            kind="erasure",
            words="Please",
            at=timezone.now(),
        )
    manager = client_for(cast.manager)
    manager.get(reverse("all-rights:index"))
    with django_assert_max_num_queries(8):
        manager.get(reverse("all-rights:index"))


# --- restriction ----------------------------------------------------------------------------


def test_a_restriction_is_shown_and_refuses_what_is_neither_care_nor_safety(
    cast: Cast, world: World, client_for
):
    patient, photo = world.patient, world.patient.photos.get()
    practitioner = client_for(cast.practitioner)
    teaching = reverse("photos:teaching", args=[patient.number, photo.public_id])
    assert practitioner.get(teaching).status_code == 200, "the control"
    assert wants(patient, "recall")
    restrict(by=cast.manager, patient=patient, ground="disputed", words="", at=timezone.now())
    assert practitioner.get(teaching).status_code == 403
    assert not wants(patient, "recall")
    assert wants(patient, "reminder")
    assert wants(patient, "safety")
    other = make_patient(cast.here, "Twin")
    with pytest.raises(CannotMerge) as refused:
        merge_patients(by=cast.practitioner, merged=other, survivor=patient, reason="same")
    assert "restricted" in str(refused.value.__dict__)
    bar = practitioner.get(reverse("intake:bar", args=[patient.number])).content.decode()
    assert "use restricted since" in bar
    home = inside(world).get(reverse("portal:home", args=[world.token])).content.decode()
    assert "care and safety alone" in home
    lift(by=cast.manager, patient=patient, reason="It is settled.")
    assert practitioner.get(teaching).status_code == 200
    assert wants(patient, "recall")


def test_a_restriction_is_one_at_a_time_and_stays_as_it_was(cast: Cast, world: World):
    said = {"by": cast.manager, "patient": world.patient, "at": timezone.now(), "words": ""}
    restrict(**said, ground="claim")
    with pytest.raises(ActionRefused, match="already"):
        restrict(**said, ground="claim")
    with pytest.raises(ActionRefused):
        lift(by=cast.front_desk, patient=world.patient, reason="x")
    with pytest.raises(ActionRefused):
        lift(by=cast.manager, patient=world.patient, reason=" ")
    lift(by=cast.manager, patient=world.patient, reason="Over")
    with pytest.raises(DatabaseError), transaction.atomic():
        Restriction.objects.update(end_reason="Something else")


# --- keeping and erasing --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("born", "last", "until", "by_age"),
    [
        (date(1980, 1, 1), date(2026, 3, 1), date(2034, 3, 1), False),
        (date(2010, 6, 2), date(2026, 3, 1), date(2035, 6, 2), True),
        (date(2008, 3, 1), date(2026, 3, 1), date(2034, 3, 1), False),
        (date(2008, 3, 2), date(2026, 3, 1), date(2034, 3, 1), False),
        (date(2009, 3, 2), date(2026, 3, 1), date(2034, 3, 2), True),
        (date(1980, 1, 1), date(2024, 2, 29), date(2032, 2, 29), False),
        (date(2012, 2, 29), date(2024, 2, 29), date(2037, 3, 1), True),
    ],
)
def test_until_when_a_file_is_kept(born, last, until, by_age):
    assert kept_for(born, last) == until
    assert (until != kept_for(date(1950, 1, 1), last)) is by_age


def kept_for(born: date, last: date) -> date:
    """For 8 years, minors until 25, as the database computes it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clinic_kept_for(%s, %s, 8, 25)", [born, last])
        return cursor.fetchone()[0]


def test_the_strictest_place_counts_and_the_location_has_the_last_word(cast: Cast, world: World):
    today = timezone.localdate()
    assert retention_of(world.patient).until == today.replace(year=today.year + 8)
    cast.here.retention_years = 10
    cast.here.save()
    assert retention_of(world.patient).until == today.replace(year=today.year + 10)
    world.patient.registrations.create(location=cast.there)
    cast.there.retention_years = 20
    cast.there.save()
    assert retention_of(world.patient).until == today.replace(year=today.year + 20)


def test_no_care_means_no_obligation(cast: Cast):
    assert retention_of(cast.patient).until is None
    assert not retention_of(cast.patient).obliges(timezone.localdate())


def test_while_the_record_is_kept_what_is_no_part_of_it_goes_and_the_answer_says_what_and_why(
    cast: Cast, world: World, client_for
):
    patient = world.patient
    row = asked(world, kind="erasure")
    url = reverse("rights:request", args=[patient.number, row.pk])
    sent = {"answer": "partly", "words": "What may go is gone.", "contact": "on"}
    assert client_for(cast.manager).post(url, sent).status_code == 302
    row.refresh_from_db()
    patient.refresh_from_db()
    assert (patient.email, str(patient.phone or "")) == ("", "")
    assert not Link.objects.filter(patient=patient).exists()
    assert OptOut.objects.filter(patient=patient, kind="all").exists()
    assert is_restricted(patient)
    assert {line["what"] for line in row.gone} >= {"links to the own pages"}
    kept = {line["what"]: line for line in row.kept}
    assert "sessions" in kept
    assert kept["sessions"]["until"] == retention_of(patient).until.isoformat()
    assert "8 years" in kept["sessions"]["ground"]
    assert "chain" in kept["who opened or changed the record"]["ground"]
    assert patient.sessions.count() == 2, "the record is whole"


def test_the_whole_file_is_not_erased_while_it_must_be_kept(cast: Cast, world: World, client_for):
    patient = world.patient
    sent = {"number": patient.number, "reason": "They ask"}
    response = client_for(cast.manager).post(reverse("rights:erase", args=[patient.number]), sent)
    assert response.status_code == 422
    assert "must be kept until" in response.content.decode()
    assert not Erasure.objects.exists()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM treatments_session WHERE signed_at IS NOT NULL")


def as_application(*statements: str) -> None:
    """SQL by the role that the application has, which obeys every trigger."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE clinic_app")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("RESET ROLE")


def decided(patient: Patient, due: str = "current_date") -> str:
    """A decision to erase, written past the application."""
    return (
        "INSERT INTO clinic_erasure (file, due_on, ground, decided_by, kept, erased, files)"
        f" VALUES ({patient.pk}, {due}, 'x', 'x', '[]', '[]', '[]')"
    )


def without_guard(*statements: str) -> None:
    """As the owner, and past every trigger: how a decision stands that should not."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = origin")


def delete_signed(patient: Patient) -> str:
    return (
        f"DELETE FROM treatments_session WHERE signed_at IS NOT NULL AND patient_id = {patient.pk}"
    )


LET_GO = ["SET CONSTRAINTS ALL DEFERRED"]


def test_sql_of_the_application_writes_no_decision_while_a_file_must_be_kept(
    cast: Cast, world: World
):
    with pytest.raises(DatabaseError, match="must be kept until"):
        as_application(decided(world.patient))
    with pytest.raises(DatabaseError, match="must be kept until"):
        as_application(decided(world.patient, "current_date + 9 * 365"))
    as_application(decided(cast.patient))
    with pytest.raises(DatabaseError, match=r"closed|must be kept"):
        as_application(f"UPDATE clinic_erasure SET file = {world.patient.pk}")


def test_a_decision_that_stands_by_whatever_way_lets_nothing_go_too_early(cast: Cast, world: World):
    without_guard(*map(decided, files(world)))
    with pytest.raises(DatabaseError, match="signed and closed"):
        as_application(*LET_GO, delete_signed(world.patient))
    assert not is_erased(world.patient)


def files(world: World) -> list[Patient]:
    return [world.patient, *world.patient.earlier_files.all()]


def is_erased(patient: Patient) -> bool:
    """Whether the worker gets rid of a file whose erasure is decided."""
    with contextlib.suppress(DatabaseError), transaction.atomic():
        erase_next_file()
    return not Patient.objects.filter(pk=patient.pk).exists()


def test_the_control_without_the_check_of_the_record_a_decision_lets_a_kept_file_go(
    cast: Cast, world: World
):
    """What stood before: a decision and its day were enough."""
    without_guard(*map(decided, files(world)))
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION clinic_kept_until(file bigint) RETURNS date"
            " LANGUAGE sql AS 'SELECT NULL::date'"
        )
    assert is_erased(world.patient)


def test_what_sql_may_change_brings_no_file_out_of_its_years(cast: Cast, world: World):
    """Not known at its place any more, a photo dated back, a decision for the day after."""
    patient = world.patient
    with pytest.raises(DatabaseError, match="must be kept until"):
        as_application(
            f"DELETE FROM patients_registration WHERE patient_id = {patient.pk}",
            f"UPDATE patients_photo SET taken_at = '2001-01-01' WHERE patient_id = {patient.pk}",
            decided(patient),
        )


def test_a_photo_alone_keeps_a_file_from_the_day_it_came(cast: Cast, world: World):
    patient = make_patient(cast.here, "Only", "Photo")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE patients_photo SET patient_id = %s", [patient.pk])
        cursor.execute("SET LOCAL session_replication_role = origin")
    as_application("UPDATE patients_photo SET taken_at = '2001-01-01'")
    today = timezone.localdate()
    assert retention_of(patient).until == today.replace(year=today.year + 8)


def test_an_earlier_file_is_kept_as_long_as_the_one_that_counts(cast: Cast, world: World):
    earlier_file = make_patient(cast.here, "Earlier", "File")
    without_guard(
        f"UPDATE patients_patient SET merged_into_id = {world.patient.pk}"
        f" WHERE id = {earlier_file.pk}"
    )
    with pytest.raises(DatabaseError, match="must be kept until"):
        as_application(decided(earlier_file))


def test_every_record_of_care_says_when_it_was(cast: Cast):
    """A moment over rows that know their patient themselves; the function reads each table."""
    models = [m for m in gathering.patient_models() if getattr(m, "care_at", "")]
    assert {m._meta.db_table for m in models} >= {
        "treatments_session", "treatments_consultation", "treatments_consent",
        "treatments_appointment", "patients_history", "patients_photo",
        "aftercare_checkin", "aftercare_adverseevent",
    }  # fmt: skip
    assert {m.audit_patient for m in models} == {"patient_id"}
    source = care_function()
    assert all(f"public.{m._meta.db_table} " in source for m in models)


def ten_years_ago(patient: Patient) -> None:
    """Nothing of care is younger; as the owner, since a signed record does not change."""
    files = [patient.pk, *patient.earlier_files.values_list("pk", flat=True)]
    moves = {
        "treatments_session": ["started_at"],
        "treatments_consultation": ["created_at"],
        "patients_history": ["submitted_at"],
        "patients_photo": ["taken_at", "stored_at"],
        "aftercare_checkin": ["answered_at"],
        "treatments_consent": ["signed_at"],
        "treatments_appointment": ["starts_at", "ends_at"],
        "aftercare_adverseevent": ["created_at", "closed_at"],
    }
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table, columns in moves.items():
            moved = ", ".join(f"{column} = {column} - interval '10 years'" for column in columns)
            cursor.execute(f"UPDATE {table} SET {moved} WHERE patient_id = ANY(%s)", [files])
        cursor.execute("SET LOCAL session_replication_role = origin")


def tables_that_say(*words: str) -> dict[str, int]:
    """In which tables a word still stands, found in the stored rows themselves."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(
                f'SELECT count(*) FROM "{table}" t WHERE to_jsonb(t)::text LIKE ANY(%s)',
                [[f"%{word}%" for word in words]],
            )
            if count := cursor.fetchone()[0]:
                found[table] = count
    return found


@pytest.mark.django_db(transaction=True)
def test_when_nothing_obliges_any_more_everything_goes_and_the_trail_stays_whole(
    cast: Cast, client_for
):
    world = make_world(cast.here, cast.practitioner, cast.treatment)
    other = make_world(cast.here, cast.practitioner, cast.treatment)
    patient, who = world.patient, f"Family{world.canary}"
    make_copy(patient)
    with transaction.atomic():
        ten_years_ago(patient)
    others = {
        m._meta.db_table: gathering.keys_of(m, [other.patient.pk])
        for m in gathering.patient_models()
    }
    stored = [world.patient.photos.get().stored_name("full")]
    assert "treatments_session" in tables_that_say(world.secret), "the control"
    sent = {"number": patient.number, "reason": "The patient asks."}
    response = client_for(cast.manager).post(reverse("rights:erase", args=[patient.number]), sent)
    assert response.status_code == 302
    assert erase_next_file() is not None
    assert erase_next_file() is None, "both files of the person went together"
    while forget_next_files():
        pass
    assert not Patient.objects.filter(pk=patient.pk).exists()
    left = tables_that_say(world.secret, who, f"Given{world.canary}", world.canary.lower())
    assert set(left) <= {"clinic_auditentry"}, left
    assert not any(default_storage.exists(name) for name in stored)
    deletions = AuditEntry.objects.filter(action="delete", what="treatments_session")
    assert deletions.exists()
    assert all(entry.before is None for entry in deletions), "that it went, not what it said"
    for table, keys in others.items():
        model = next(m for m in gathering.patient_models() if m._meta.db_table == table)
        assert gathering.keys_of(model, [other.patient.pk]) == keys
    row = Erasure.objects.get(file=patient.pk)
    whole = json.dumps(list(Erasure.objects.values_list("erased", "kept", "ground")))
    assert "sessions" in whole
    assert "chain" in whole
    assert who not in whole
    assert row.done_at is not None
    assert verify_chain(grace="1 hour").faults == []
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM treatments_session WHERE signed_at IS NOT NULL")
    with pytest.raises(DatabaseError), transaction.atomic():
        Erasure.objects.filter(pk=row.pk).update(decided_by="somebody else")
    with pytest.raises(DatabaseError), transaction.atomic():
        row.delete()


def test_who_was_never_treated_can_be_erased_at_once_and_the_number_is_typed_again(
    cast: Cast, client_for
):
    manager, url = client_for(cast.manager), reverse("rights:erase", args=[cast.patient.number])
    wrong = manager.post(url, {"number": "P1", "reason": "x"})
    assert wrong.status_code == 422
    assert "number" in wrong.context["erase_form"].errors
    assert manager.post(url, {"number": cast.patient.number, "reason": ""}).status_code == 422
    ok = {"number": cast.patient.number.lower(), "reason": "They ask"}
    assert manager.post(url, ok).status_code == 302
    erase_next_file()
    assert not Patient.objects.filter(pk=cast.patient.pk).exists()
    page = manager.get(reverse("all-rights:index")).content.decode()
    assert cast.patient.number in page


def test_a_claim_keeps_a_file_that_nothing_else_obliges_to_keep(cast: Cast, client_for):
    restrict(by=cast.manager, patient=cast.patient, ground="claim", words="", at=timezone.now())
    sent = {"number": cast.patient.number, "reason": "x"}
    url = reverse("rights:erase", args=[cast.patient.number])
    assert client_for(cast.manager).post(url, sent).status_code == 422
