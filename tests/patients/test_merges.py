"""Two files of one person made one, and two again."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, connections, transaction
from django.test import Client
from django.utils import timezone

from clinic.access.actor import actor_of
from clinic.audit.context import acting
from clinic.audit.models import AuditEntry
from clinic.errors import ActionRefused
from clinic.records import Record
from patients.documents.actions import read_pdf, render_next, request_document
from patients.documents.models import Document
from patients.intake.actions import review_history, save_draft, submit_history
from patients.intake.facts import allergies, draft_of, latest_history
from patients.intake.models import History
from patients.messages.actions import send_link
from patients.messages.kinds import Refusal
from patients.messages.models import Message, OptOut
from patients.portal.actions import open_link, token_hash
from patients.portal.models import Link
from patients.registry.finder import find
from patients.registry.install import guards
from patients.registry.merge_parts import objections
from patients.registry.merges import (
    CannotMerge,
    added_since,
    holdings,
    merge_patients,
    models_of_patients,
    moving,
    unmerge_patients,
)
from patients.registry.models import Merge, Patient, Registration
from patients.registry.search import parse
from tests.conftest import Cast, make_patient
from treatments.consultations.models import Consultation, ConsultationAddendum
from treatments.diary.models import Appointment
from treatments.plans.models import Phase, Plan
from treatments.screening.actions import facts_of
from treatments.waiting.models import WaitingEntry

STAYS = {
    "Code",  # over within minutes
    "Confirmation",  # signed for a version of that file's history
    "Document",  # its words are fixed, and its file says whose it is
    "OptOut",  # held by the kept file too; see patients.messages.merging
    "History",  # handed in under its own file; see patients.intake.merging
    "LookBackCase",  # counted for the person, whichever file it names
    "Photo",  # its picture says whose file it was taken for; the kept file shows it too
    "PhotoPermission",  # held by the kept file too; see patients.photos.merging
    "Printing",  # made of that file's record
    "CourseSummary",  # made of that file's course
    "Override",  # bound to a version of that file's history
    "Session",  # begun ones are an objection
    "Sheet",  # given
    "VisitRequest",  # over within minutes
    "WaitingOffer",  # an open one is an objection
    "Export",  # of that file, as it was asked for; over within days
    "PhotoShare",  # follows its photo
    "Restriction",  # is an objection
}


@pytest.fixture
def twin(cast: Cast) -> Patient:
    """The same person, registered a second time with a slip of the pen."""
    return make_patient(
        cast.here, "Elodie", "Martine", email="other@example.org", birth_date=date(1985, 5, 13)
    )


def visit(cast: Cast, patient: Patient, hours: int, **fields: Any) -> Appointment:
    start = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours)
    given = {"practitioner": cast.practitioner, "room": cast.room, "location": cast.here} | fields
    return Appointment.objects.create(
        patient=patient,
        service=cast.consultation,
        starts_at=start,
        ends_at=start + timedelta(minutes=30),
        **given,
    )


def history(patient: Patient, version: int = 1, **said: Any) -> History:
    said = {"pregnant": False, "no_known_allergies": False} | said
    given = {"submitted_at": timezone.now(), "origin": "link", "signed_name": "x"} | said
    return History.objects.create(patient=patient, version=version, **given)


def merge(
    cast: Cast, survivor: Patient, merged: Patient, reason: str = "Registered twice"
) -> Merge:
    return merge_patients(by=cast.practitioner, survivor=survivor, merged=merged, reason=reason)


def undo(cast: Cast, row: Merge) -> dict[str, int]:
    return unmerge_patients(by=cast.practitioner, merge=row, reason="Two people after all")


def state() -> dict[str, list[dict[str, Any]]]:
    """Every row of every record, but for the merges themselves."""
    models = [m for m in apps.get_models() if issubclass(m, Record) and m is not Merge]
    return {m._meta.label: list(m._default_manager.order_by("pk").values()) for m in models}


def signed_document(patient: Patient) -> Document:
    html = f"<html><head><title>t</title></head><body><p>{patient.name}</p></body></html>"
    request_document(
        patient=patient, kind="consent", title="Consent", language="en", html=html, by="x"
    )
    done = render_next()
    assert done is not None
    assert done.state == Document.State.READY
    return done


def test_what_is_open_goes_over_and_comes_back_exactly(cast: Cast, twin: Patient) -> None:
    coming = visit(cast, twin, 48)
    done = visit(cast, twin, -48, status="done")
    note = Consultation.objects.create(
        patient=twin, location=cast.here, practitioner=cast.practitioner
    )
    message = send_link(by=cast.front_desk, patient=twin, at=timezone.now())
    open_link(twin)
    Registration.objects.create(patient=twin, location=cast.there)
    Patient.objects.filter(pk=cast.patient.pk).update(email="")
    before = state()

    row = merge(cast, cast.patient, twin)

    moved = (coming, note, message, Link.objects.get())
    for thing in moved:
        thing.refresh_from_db()
        assert thing.patient_id == cast.patient.pk
    done.refresh_from_db()
    assert done.patient_id == twin.pk
    cast.patient.refresh_from_db()
    assert cast.patient.email == "other@example.org"
    assert set(cast.patient.locations.all()) == {cast.here, cast.there}
    twin.refresh_from_db()
    assert twin.kept == cast.patient

    assert undo(cast, row) == {}
    assert state() == before


def test_a_signed_document_keeps_its_bytes_and_its_name(cast: Cast, twin: Patient) -> None:
    paper = signed_document(twin)
    pdf, words = read_pdf(paper), paper.html
    row = merge(cast, cast.patient, twin)
    for _ in range(2):
        found = Document.objects.get(pk=paper.pk)
        assert (found.patient_id, found.html, found.sha256) == (twin.pk, words, paper.sha256)
        assert read_pdf(found) == pdf
        assert hashlib.sha256(read_pdf(found)).hexdigest() == paper.sha256
        assert twin.name in found.html
        assert found.download_name == f"consent-{twin.number}.pdf"
        if not row.undone_at:
            undo(cast, row)
            row.refresh_from_db()


def test_a_document_under_way_is_finished_on_its_own_file(cast: Cast, twin: Patient) -> None:
    request_document(
        patient=twin, kind="consent", title="C", language="en", html="<p>a</p>", by="x"
    )
    merge(cast, cast.patient, twin)
    done = render_next()
    assert done is not None
    assert (done.patient_id, done.state) == (twin.pk, "ready")


def test_nothing_new_is_written_to_a_merged_file(cast: Cast, twin: Patient) -> None:
    signed = Consultation.objects.create(
        patient=twin,
        location=cast.here,
        practitioner=cast.practitioner,
        concern="a",
        decision="suitable",
        fitzpatrick=2,
        signed_at=timezone.now(),
        signed_by=cast.practitioner,
    )
    own = visit(cast, cast.patient, 72)
    row = merge(cast, cast.patient, twin)

    def rename() -> None:
        Patient.objects.filter(pk=twin.pk).update(given_name="Zoé")

    def addendum() -> None:
        ConsultationAddendum.objects.create(
            consultation=signed, text="a", reason="b", written_by=cast.practitioner
        )

    attempts: list[Callable[[], object]] = [
        lambda: visit(cast, twin, 24),
        lambda: history(twin, 9),
        lambda: Registration.objects.create(patient=twin, location=cast.there),
        lambda: Appointment.objects.filter(pk=own.pk).update(patient=twin),
        lambda: Patient.objects.filter(pk=twin.pk).delete(),
        rename,
        addendum,
    ]
    for attempt in attempts:
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()
    undo(cast, row)
    addendum()
    rename()  # the negative control: it was the merge that forbade it


def test_every_table_of_records_is_guarded(db: None) -> None:
    """By what the database says, not the code: a table without its trigger would take new rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger "
            "WHERE tgname = 'ac_not_into_merged_file'"
        )
        guarded = {name for (name,) in cursor.fetchall()}
    assert len(guards()) == len(guarded)
    wanted = {m._meta.db_table for m in apps.get_models() if issubclass(m, Record)}
    assert wanted - guarded == {"patients_patient"}


def test_every_kind_of_record_says_what_a_merge_does_with_it(db: None) -> None:
    silent = {m.__name__ for m in models_of_patients() if m.merge_moves is None}
    assert silent == STAYS, "say in merge_moves which rows go along, or add the model to STAYS"


def test_both_allergies_count(cast: Cast, twin: Patient) -> None:
    history(cast.patient, 3, no_known_allergies=True, weight_kg=Decimal(80))
    theirs = history(
        twin,
        allergies=["allergy-lidocaine"],
        other_allergies="latex",
        conditions=["keloid"],
        weight_kg=Decimal(52),
        pregnant=None,
        cold_sores=True,
    )
    row = merge(cast, cast.patient, twin)
    newest = latest_history(cast.patient)
    assert newest is not None
    assert "latex" in allergies(newest)
    facts = facts_of(cast.patient, newest)
    assert facts.allergens == {"lidocaine"}
    assert facts.conditions == {"keloid"}
    assert (facts.no_known_allergies, facts.pregnant, facts.cold_sores) == (False, None, True)
    assert newest.weight_kg == 52
    assert (newest.version, newest.reviewed_at, newest.submitted_at) == (
        4,
        None,
        theirs.submitted_at,
    )
    undo(cast, row)
    again = latest_history(cast.patient)
    assert again is not None
    assert (again.version, again.no_known_allergies) == (3, True)
    assert latest_history(twin) == theirs


def test_a_history_of_the_merged_file_alone_counts(cast: Cast, twin: Patient) -> None:
    history(twin, 2, allergies=["allergy-lidocaine"])
    row = merge(cast, cast.patient, twin)
    newest = latest_history(cast.patient)
    assert newest is not None
    assert newest.allergies == ["allergy-lidocaine"]
    undo(cast, row)
    assert latest_history(cast.patient) is None


def test_without_another_history_nothing_changes(cast: Cast, twin: Patient) -> None:
    own = history(cast.patient)
    merge(cast, cast.patient, twin)
    assert latest_history(cast.patient) == own


def test_nothing_is_cut_off_what_two_histories_say(cast: Cast, twin: Patient) -> None:
    history(cast.patient, other_allergies="a" * 400)
    history(twin, other_allergies="b" * 400)
    with pytest.raises(ActionRefused, match="too long"):
        merge(cast, cast.patient, twin)
    assert not Merge.objects.exists()


def test_a_draft_is_asked_anew_with_what_the_other_file_says(cast: Cast, twin: Patient) -> None:
    history(twin, 5, allergies=["allergy-lidocaine"], medicines_text="warfarin")
    answers = {"weight_kg": 60, "pregnant": False, "conditions": ["keloid"], "medicines": []}
    answers |= {"allergies": [], "no_known_allergies": True, "cold_sores": False}
    draft = save_draft(patient=cast.patient, origin="link", values=answers)
    row = merge(cast, cast.patient, twin)
    with pytest.raises(ActionRefused):
        submit_history(history=draft, signed_name="Élodie Martin")
    asked = draft_of(cast.patient)
    assert asked is not None
    assert (asked.allergies, asked.medicines_text) == (["allergy-lidocaine"], "warfarin")
    answers |= {"allergies": asked.allergies, "no_known_allergies": False}
    save_draft(patient=cast.patient, origin="link", values=answers)
    submit_history(history=asked, signed_name="Élodie Martin")
    newest = latest_history(cast.patient)
    assert newest is not None
    assert newest.pk == draft.pk
    assert newest.allergies == ["allergy-lidocaine"]
    assert "intake" in added_since(row) or newest.created_at < row.created_at
    undo(cast, row)
    assert latest_history(cast.patient) == newest  # what was handed in is not taken back


def test_an_untouched_draft_is_put_back(cast: Cast, twin: Patient) -> None:
    history(twin, allergies=["allergy-lidocaine"])
    save_draft(
        patient=cast.patient, origin="link", values={"conditions": ["keloid"], "pregnant": False}
    )
    row = merge(cast, cast.patient, twin)
    undo(cast, row)
    draft = draft_of(cast.patient)
    assert draft is not None
    assert (draft.allergies, draft.conditions) == ([], ["keloid"])


@pytest.mark.parametrize("text", ["martine", "13/5/1985", "number", "0677889900"])
def test_the_old_name_number_and_date_find_the_kept_file(
    cast: Cast, twin: Patient, text: str, client_for
) -> None:
    Patient.objects.filter(pk=twin.pk).update(phone="+33677889900")
    row = merge(cast, cast.patient, twin)
    query = parse(twin.number if text == "number" else text, today=date(2026, 5, 1))
    first = find(Patient.objects.visible_to(cast.front_desk), query).rows[0]
    assert (first.number, first.earlier_number) == (cast.patient.number, twin.number)
    assert first.family_name == "Martin"
    page = client_for(cast.front_desk).get("/patients/", {"q": text}).content.decode()
    if text != "number":
        assert f'href="/patients/{cast.patient.number}/"' in page
        assert twin.number in page
    undo(cast, row)
    first = find(Patient.objects.visible_to(cast.front_desk), query).rows[0]
    assert (first.number, first.earlier_number) == (twin.number, "")


def test_a_person_is_found_once(cast: Cast, twin: Patient) -> None:
    merge(cast, cast.patient, twin)
    found = find(
        Patient.objects.visible_to(cast.front_desk), parse("martin", today=date(2026, 5, 1))
    )
    assert [row.number for row in found.rows] == [cast.patient.number]


def test_visits_that_overlap_are_listed_and_nothing_is_done(cast: Cast, twin: Patient) -> None:
    other_room = cast.here.rooms.last()
    visit(cast, twin, 48)
    visit(cast, cast.patient, 48, room=other_room, practitioner=cast.colleague)
    before = state()
    with pytest.raises(CannotMerge) as refused:
        merge(cast, cast.patient, twin)
    [said] = refused.value.objections
    assert twin.number in said
    assert cast.patient.number in said
    assert state() == before
    Appointment.objects.filter(patient=twin).update(status="cancelled")
    merge(cast, cast.patient, twin)


def test_a_running_plan_keeps_its_file(cast: Cast, twin: Patient) -> None:
    plan = Plan.objects.create(
        patient=twin,
        location=cast.here,
        indication="face",
        title="Secret title",
        made_by=cast.practitioner,
    )
    Phase.objects.create(
        plan=plan, position=1, kind="induction", sessions=4, gap_min_days=14, gap_max_days=21
    )
    Plan.objects.filter(pk=plan.pk).update(state="accepted", accepted_at=timezone.now())
    with pytest.raises(CannotMerge, match=twin.number) as refused:
        merge(cast, cast.patient, twin)
    assert "Secret" not in refused.value.message
    row = merge(cast, twin, cast.patient)
    assert row.survivor == twin


def test_it_is_refused(cast: Cast, twin: Patient) -> None:
    with pytest.raises(ActionRefused, match="one file already"):
        merge(cast, twin, twin)
    with pytest.raises(ActionRefused, match="reason"):
        merge(cast, cast.patient, twin, reason="  ")
    with pytest.raises(ActionRefused, match="known at your location"):
        merge(cast, cast.patient, cast.stranger)
    with pytest.raises(ActionRefused, match="Only a practitioner or a manager"):
        merge_patients(by=cast.front_desk, survivor=cast.patient, merged=twin, reason="x")
    row = merge(cast, cast.patient, twin)
    for survivor, merged in ((cast.patient, twin), (twin, cast.patient)):
        with pytest.raises(ActionRefused, match="in the meantime"):
            merge(cast, survivor, merged)
    with pytest.raises(ActionRefused, match="Only a practitioner or a manager"):
        unmerge_patients(by=cast.front_desk, merge=row, reason="x")
    undo(cast, row)
    with pytest.raises(ActionRefused, match="already been undone"):
        undo(cast, row)
    merge_patients(by=cast.manager, survivor=twin, merged=cast.patient, reason="the other way")


def test_a_chain_leads_to_the_last_and_is_undone_from_its_end(cast: Cast, twin: Patient) -> None:
    third = make_patient(cast.here, "E.", "Martin", birth_date=date(1985, 3, 15))
    history(twin, allergies=["allergy-lidocaine"])
    history(cast.patient, conditions=["keloid"])
    coming = visit(cast, twin, 24)
    before = state()
    first = merge(cast, cast.patient, twin)
    between = state()
    second = merge(cast, third, cast.patient)
    twin.refresh_from_db()
    coming.refresh_from_db()
    assert (twin.kept, coming.patient) == (third, third)
    newest = latest_history(third)
    assert newest is not None
    assert (newest.allergies, newest.conditions) == (["allergy-lidocaine"], ["keloid"])
    assert list(Merge.objects.making_up(third)) == [second, first]
    with pytest.raises(ActionRefused, match=f"{cast.patient.number} first"):
        undo(cast, first)
    undo(cast, second)
    assert without_histories(state()) == without_histories(between)
    undo(cast, first)
    assert without_histories(state()) == without_histories(before)


def without_histories(rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Versions taken together remain, withdrawn: handed in is handed in."""
    counting = [row for row in rows["patients.History"] if not row["withdrawn_at"]]
    return rows | {"patients.History": counting}


def test_what_was_done_meanwhile_stays_and_is_listed(cast: Cast, twin: Patient) -> None:
    coming = visit(cast, twin, 24)
    row = merge(cast, cast.patient, twin)
    Appointment.objects.filter(pk=coming.pk).update(status="done")
    fresh = visit(cast, cast.patient, 96)
    assert added_since(row) == {"diary": 1}
    assert undo(cast, row) == {"diary": 1}
    for thing in (coming, fresh):
        thing.refresh_from_db()
        assert thing.patient_id == cast.patient.pk


def test_a_corrected_contact_and_a_location_in_use_stay(cast: Cast, twin: Patient) -> None:
    Registration.objects.create(patient=twin, location=cast.there)
    Patient.objects.filter(pk=cast.patient.pk).update(email="")
    row = merge(cast, cast.patient, twin)
    Patient.objects.filter(pk=cast.patient.pk).update(email="new@example.org")
    place = {"location": cast.there, "room": cast.there.rooms.first()}
    visit(cast, cast.patient, 24, practitioner=cast.practitioner2, **place)
    undo(cast, row)
    cast.patient.refresh_from_db()
    assert cast.patient.email == "new@example.org"
    assert cast.there in cast.patient.locations.all()


def test_a_link_on_its_way_opens_the_kept_file(cast: Cast, twin: Patient) -> None:
    stale = Patient.objects.get(pk=twin.pk)
    merge(cast, cast.patient, twin)
    token = open_link(stale).rstrip("/").rsplit("/", 1)[-1]
    assert Link.objects.get(token_hash=token_hash(token)).patient == cast.patient


def test_a_proof_given_before_a_merge_opens_nothing_of_the_kept_file(
    cast: Cast, twin: Patient
) -> None:
    """Were they two people after all, one would read the other's papers."""
    home = f"/my/{open_link(twin).rstrip('/').rsplit('/', 1)[-1]}/"
    browser = Client()

    def prove(born: date) -> int:
        sent = {"birth_date_0": born.day, "birth_date_1": born.month, "birth_date_2": born.year}
        return browser.post(f"{home}prove/", sent).status_code

    assert prove(twin.birth_date) == 302
    assert browser.get(home).status_code == 200
    row = merge(cast, cast.patient, twin)
    assert browser.get(home).status_code == 302
    assert prove(twin.birth_date) == 422
    assert prove(cast.patient.birth_date) == 302
    assert browser.get(home).status_code == 200
    undo(cast, row)
    twin.refresh_from_db()
    assert twin.kept == twin


def test_it_is_in_the_trail_of_both_files(cast: Cast, twin: Patient) -> None:
    with acting(actor_of(cast.practitioner)):
        row = merge(cast, cast.patient, twin)
        undo(cast, row)
    said = {(e.what, e.action) for e in AuditEntry.objects.about(cast.patient.pk)}
    assert {("patients_merge", "create"), ("patients_merge", "change")} <= said
    changes = [
        e.after["merged_into_id"]
        for e in AuditEntry.objects.about(twin.pk).filter(what="patients_patient", action="change")
    ]
    assert changes == [None, cast.patient.pk]
    assert {e.who for e in AuditEntry.objects.filter(what="patients_merge")} == {
        f"{cast.practitioner.name} <{cast.practitioner.email}>"
    }
    assert not AuditEntry.objects.filter(what="patients_merge", after__has_key="snapshot").exists()


def test_counts_for_the_page(cast: Cast, twin: Patient) -> None:
    visit(cast, twin, 24)
    visit(cast, twin, -24, status="done")
    history(twin)
    assert holdings(twin) == {"intake": 1, "diary": 2}
    assert moving(twin) == {"diary": 1}


# Together at once


def together(*jobs: Callable[[], object]) -> list[object]:
    """Run jobs at the same moment, each on its own connection: results, refusals as they came."""
    results: list[object] = []
    start = threading.Barrier(len(jobs))

    def run(job: Callable[[], object]) -> None:
        start.wait()
        try:
            results.append(job())
        except (ActionRefused, DatabaseError) as refused:
            results.append(refused)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture
def committed(transactional_db: None, cast: Cast) -> Cast:
    return cast


def test_of_two_merges_at_once_one_happens(committed: Cast) -> None:
    cast = committed
    twin = make_patient(cast.here, "Elodie", "Martine")
    results = together(
        lambda: merge(cast, cast.patient, twin), lambda: merge(cast, twin, cast.patient)
    )
    assert sorted(type(r).__name__ for r in results) == ["ActionRefused", "Merge"]
    assert Patient.objects.filter(merged_into__isnull=False).count() == 1


def test_a_booking_during_a_merge_is_moved_or_refused(committed: Cast) -> None:
    """Never left behind on the merged file, whichever comes first."""
    cast = committed
    for round_number in range(4):
        twin = make_patient(cast.here, "Elodie", f"Martine{round_number}")
        at = 24 * (round_number + 1)
        together(
            lambda twin=twin, at=at: visit(cast, twin, at),
            lambda twin=twin: merge(cast, cast.patient, twin),
        )
        assert not Appointment.objects.filter(patient=twin).exists()


def test_without_the_guard_a_booking_is_left_behind(committed: Cast) -> None:
    """The negative control: the trigger is what keeps a merged file closed."""
    cast = committed
    twin = make_patient(cast.here, "Elodie", "Martine")
    merge(cast, cast.patient, twin)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE treatments_appointment DISABLE TRIGGER ac_not_into_merged_file")
        try:
            visit(cast, twin, 24)
        finally:
            cursor.execute(
                "ALTER TABLE treatments_appointment ENABLE TRIGGER ac_not_into_merged_file"
            )
    assert Appointment.objects.filter(patient=twin).exists()


def test_a_reviewed_version_of_a_merge_can_be_reviewed(cast: Cast, twin: Patient) -> None:
    history(twin, allergies=["allergy-lidocaine"])
    merge(cast, cast.patient, twin)
    newest = latest_history(cast.patient)
    assert newest is not None
    review_history(by=cast.practitioner, history=newest)


def test_a_message_that_was_sent_meanwhile_goes_back(cast: Cast, twin: Patient) -> None:
    message = send_link(by=cast.front_desk, patient=twin, at=timezone.now())
    row = merge(cast, cast.patient, twin)
    Message.objects.filter(pk=message.pk).update(state="sent", sent_at=timezone.now())
    assert undo(cast, row) == {}
    message.refresh_from_db()
    assert message.patient_id == twin.pk


def test_who_waits_twice_or_holds_an_offer_is_not_merged(cast: Cast, twin: Patient) -> None:
    wish = {"location": cast.here, "service": cast.treatment, "from_date": date(2030, 1, 7)}
    theirs = WaitingEntry.objects.create(patient=twin, **wish)
    assert not objections(twin, cast.patient)
    mine = WaitingEntry.objects.create(patient=cast.patient, **wish)
    assert "Both files wait" in " ".join(objections(twin, cast.patient))
    mine.delete()
    merge(cast, cast.patient, twin)
    theirs.refresh_from_db()
    assert theirs.patient == cast.patient


def test_what_either_file_refuses_is_refused(cast: Cast, twin: Patient) -> None:
    OptOut.objects.create(patient=cast.patient, kind=Refusal.RECALL)
    OptOut.objects.create(patient=twin, kind=Refusal.RECALL)
    OptOut.objects.create(patient=twin, kind=Refusal.REMINDER)
    mine = OptOut.objects.filter(patient=cast.patient).order_by("kind")
    row = merge(cast, cast.patient, twin)
    assert list(mine.values_list("kind", flat=True)) == [Refusal.RECALL, Refusal.REMINDER]
    undo(cast, row)
    assert list(mine.values_list("kind", flat=True)) == [Refusal.RECALL]
