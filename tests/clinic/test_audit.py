"""The trail: one row for each reading and change, refused to be rewritten, found out if it is."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import ProgrammingError, connection, transaction

from clinic.access.actor import actor_of
from clinic.audit.actions import seal_entries
from clinic.audit.context import NOBODY, acting
from clinic.audit.install import audited_models
from clinic.audit.models import AuditEntry, AuditSeal
from clinic.audit.verify import verify_chain
from clinic.records import Record
from patients.registry.models import Patient, Registration
from tests.conftest import Cast, make_patient

pytestmark = pytest.mark.django_db


def newest() -> AuditEntry:
    return AuditEntry.objects.order_by("-pk")[0]


def as_superuser(sql: str, *params: Any) -> None:
    """What someone with full power over the server could do: triggers off, then rewrite."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(sql, params)
        cursor.execute("SET session_replication_role = origin")


def test_every_model_of_patient_care_is_audited() -> None:
    unaudited = [
        model.__name__
        for model in apps.get_models()
        if issubclass(model, Record) and not model.audit_patient
    ]
    assert unaudited == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'zz_audit'")
        installed = {row[0] for row in cursor.fetchall()}
    assert {model._meta.db_table for model in audited_models()} == installed


def test_a_created_row_leaves_one_entry_that_names_everything(cast: Cast) -> None:
    before = AuditEntry.objects.count()
    with acting(actor_of(cast.front_desk)):
        patient = Patient.objects.create(
            given_name="Zoë", family_name="100 % 'Test'", birth_date=date(1990, 1, 2)
        )
    assert AuditEntry.objects.count() == before + 1
    entry = newest()
    assert (entry.action, entry.what, entry.patients) == (
        "create",
        "patients_patient",
        [patient.pk],
    )
    assert (entry.actor_kind, entry.actor_id, entry.role) == (
        "staff",
        cast.front_desk.pk,
        "front_desk",
    )
    assert entry.before is None
    assert entry.after is not None
    assert entry.after["family_name"] == "100 % 'Test'"


def test_a_change_keeps_only_what_changed(cast: Cast) -> None:
    with acting(actor_of(cast.manager)):
        Patient.objects.filter(pk=cast.patient.pk).update(language="fr")
    assert newest().before == {"language": "en"}
    assert newest().after == {"language": "fr"}


def test_an_update_that_changes_nothing_leaves_no_entry(cast: Cast) -> None:
    before = AuditEntry.objects.count()
    Patient.objects.filter(pk=cast.patient.pk).update(language=cast.patient.language)
    assert AuditEntry.objects.count() == before


def test_bulk_updates_and_raw_sql_are_caught(cast: Cast) -> None:
    make_patient(cast.here, "Ines")
    before = AuditEntry.objects.count()
    with acting(actor_of(cast.manager)):
        changed = Patient.objects.update(sex="other")
    assert AuditEntry.objects.count() == before + changed
    with connection.cursor() as cursor:
        # A transaction of its own would begin without an actor; the test's has had one.
        cursor.execute("SELECT set_config('clinic.actor', '', true)")
        cursor.execute(
            "UPDATE patients_patient SET sex = 'female' WHERE id = %s", [cast.patient.pk]
        )
    assert newest().actor_kind == "database"
    assert newest().patients == [cast.patient.pk]


def test_the_actor_survives_a_rolled_back_savepoint(cast: Cast) -> None:
    with acting(actor_of(cast.manager)), transaction.atomic():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            Patient.objects.filter(pk=cast.patient.pk).update(language="fr")
            raise ZeroDivisionError
        Patient.objects.filter(pk=cast.patient.pk).update(sex="other")
    assert newest().actor_id == cast.manager.pk


def test_the_actor_does_not_leak_to_the_next_write(cast: Cast) -> None:
    with acting(actor_of(cast.manager)):
        Patient.objects.filter(pk=cast.patient.pk).update(language="fr")
    with acting(NOBODY):
        Patient.objects.filter(pk=cast.patient.pk).update(language="en")
    assert newest().actor_kind == "nobody"


def test_a_row_is_traced_to_its_patient_through_its_parent(cast: Cast) -> None:
    Registration.objects.create(patient=cast.patient, location=cast.there)
    assert newest().patients == [cast.patient.pk]


def test_secrets_are_never_copied(cast: Cast) -> None:
    cast.manager.set_password("another correct horse")
    cast.manager.save()
    entry = AuditEntry.objects.filter(what="clinic_staff").order_by("-pk").first()
    assert "password" not in ((entry and entry.after) or {})
    assert not AuditEntry.objects.filter(after__has_key="password").exists()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE clinic_auditentry SET who = 'x'",
        "DELETE FROM clinic_auditentry",
        "TRUNCATE clinic_auditentry",
        "UPDATE clinic_auditseal SET hash = 'x'",
        "DELETE FROM clinic_auditseal",
        "TRUNCATE clinic_auditseal",
    ],
)
@pytest.mark.parametrize("role", ["owner", "clinic_app"])
def test_rewriting_the_trail_is_refused(cast: Cast, sql: str, role: str) -> None:
    seal_entries()
    with (
        pytest.raises(ProgrammingError, match=r"append-only|permission denied|must be owner"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        if role != "owner":
            cursor.execute(f"SET LOCAL ROLE {role}")
        cursor.execute(sql)


def test_the_application_role_can_work_and_cannot_drop(cast: Cast) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE clinic_app")
        Patient.objects.filter(pk=cast.patient.pk).update(language="fr")
        assert seal_entries() > 0
        with pytest.raises(ProgrammingError), transaction.atomic():
            cursor.execute("DROP TRIGGER zz_audit ON patients_patient")
        with pytest.raises(ProgrammingError), transaction.atomic():
            cursor.execute("ALTER TABLE patients_patient DISABLE TRIGGER ALL")
        with pytest.raises(ProgrammingError), transaction.atomic():
            cursor.execute("SET session_replication_role = replica")
        cursor.execute("RESET ROLE")


@pytest.mark.parametrize(("column", "value"), [("id", "1"), ("at", "now()")])
def test_the_application_role_does_not_say_when_an_entry_was_written(
    cast: Cast, column: str, value: str
) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SET LOCAL ROLE clinic_app")
        cursor.execute(
            f"INSERT INTO clinic_auditentry ({column}, action, what) VALUES ({value}, 'read', 'x')"
        )


def test_an_untouched_chain_verifies(cast: Cast) -> None:
    seal_entries()
    Patient.objects.update(sex="other")
    seal_entries()
    assert seal_entries() == 0
    verdict = verify_chain(grace="0 seconds")
    assert verdict.faults == []
    assert verdict.seals == 2
    assert verdict.entries == AuditEntry.objects.count()


TAMPERINGS = {
    "an edited entry": "UPDATE clinic_auditentry SET who = 'someone else' WHERE id = %(middle)s",
    "an edited time": "UPDATE clinic_auditentry SET at = at - interval '1 s' WHERE id = %(middle)s",
    "a deleted entry": "DELETE FROM clinic_auditentry WHERE id = %(middle)s",
    "a deleted first entry": "DELETE FROM clinic_auditentry WHERE id = %(first)s",
    "swapped entries": (
        "UPDATE clinic_auditentry SET id = -1 WHERE id = %(first)s; "
        "UPDATE clinic_auditentry SET id = %(first)s WHERE id = %(middle)s"
    ),
    "a deleted seal": (
        "DELETE FROM clinic_auditseal WHERE id = (SELECT min(id) FROM clinic_auditseal)"
    ),
    "a seal dated back": (
        "UPDATE clinic_auditseal SET sealed_at = sealed_at - interval '3 minutes'"
    ),
    "an entry slipped in and dated ahead": (
        "INSERT INTO clinic_auditentry (id, at, action, what) "
        "VALUES (-1, now() + interval '1 year', 'read', 'x')"
    ),
    "an edited seal": "UPDATE clinic_auditseal SET count = count + 1",
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_tampering_is_found(cast: Cast, tampering: str) -> None:
    seal_entries()
    Patient.objects.update(sex="other")
    seal_entries()
    ids = list(AuditEntry.objects.order_by("pk").values_list("pk", flat=True))
    sql = TAMPERINGS[tampering]
    for name, value in {"first": ids[0], "middle": ids[len(ids) // 2]}.items():
        sql = sql.replace(f"%({name})s", str(value))
    as_superuser(sql)
    assert verify_chain().faults != []
    with pytest.raises(CommandError):
        call_command("verify_audit")


def test_a_chain_made_anew_lacks_the_head_noted_before(cast: Cast) -> None:
    seal_entries()
    head = verify_chain().head
    as_superuser("DELETE FROM clinic_auditseal")
    as_superuser("UPDATE clinic_auditentry SET who = 'someone else'")
    seal_entries()
    assert verify_chain().faults == []
    assert verify_chain(known_head=head).faults == ["the known head is not in the chain"]


def test_an_entry_that_was_never_sealed_is_found(cast: Cast) -> None:
    seal_entries()
    as_superuser(
        "INSERT INTO clinic_auditentry (at, action, what) "
        "VALUES (now() - interval '1 day', 'read', 'x')"
    )
    assert any("never sealed" in fault for fault in verify_chain().faults)


def test_a_late_commit_joins_a_later_seal(cast: Cast) -> None:
    """An id lower than one already sealed (its transaction was slow) is sealed next time."""
    entry = newest()
    as_superuser("UPDATE clinic_auditentry SET id = id + 100 WHERE id = %s", entry.pk)
    seal_entries()
    as_superuser(
        "INSERT INTO clinic_auditentry (id, action, what) VALUES (%s, 'read', 'late')", entry.pk
    )
    assert seal_entries() == 1
    assert AuditSeal.objects.count() == 2
    assert verify_chain(grace="0 seconds").faults == []


def test_a_temporary_table_of_the_same_name_takes_no_entries(cast: Cast) -> None:
    """Any role may make one, and it stands in front of the real table."""
    before = AuditEntry.objects.count()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE clinic_app")
        cursor.execute("CREATE TEMP TABLE clinic_auditentry (LIKE public.clinic_auditentry)")
        Patient.objects.filter(pk=cast.patient.pk).update(language="fr")
        cursor.execute("DROP TABLE pg_temp.clinic_auditentry; RESET ROLE")
    assert AuditEntry.objects.count() == before + 1
