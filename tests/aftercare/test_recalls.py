"""Tracing and recalls: everyone exposed and nobody else, told once, and who heard of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, InternalError, OperationalError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from aftercare.safety import forms, recalling
from aftercare.safety.exposures import Exposure, Kind, exposed, said
from aftercare.safety.listing import lines
from aftercare.safety.models import Attempt, Recall, RecallContact
from aftercare.safety.recalling import (
    ask_to_tell,
    close_recall,
    open_recall,
    record_attempt,
    tell_exposed,
)
from aftercare.safety.survey import Survey, survey
from aftercare.safety.tasks import tell_exposed as tick
from clinic.access.models import Membership, Staff
from clinic.audit.models import AuditEntry
from clinic.errors import ActionRefused
from clinic.places.models import Device, Location
from patients.documents.actions import render_next
from patients.documents.models import Document
from patients.messages.models import Message
from patients.messages.rules import save_refusals
from patients.registry.models import Patient
from tests.aftercare.safety_world import AT, Clinic, make_clinic, make_lot
from tests.conftest import Cast, make_location
from treatments.catalogue.models import Anaesthetic, Lot
from treatments.mixes.models import Syringe
from treatments.sessions.models import Anaesthesia, MixComponent, Session
from treatments.stock.models import Movement, OpenContainer

pytestmark = pytest.mark.django_db
PARIS = ZoneInfo("Europe/Paris")
LOT = Exposure(Kind.LOT, ("ha-1", "LOT-71"))


@pytest.fixture
def clinic(cast: Cast) -> Clinic:
    return make_clinic(cast)


@pytest.fixture
def lot(cast: Cast) -> Lot:
    return make_lot(cast.here, "LOT-71")


def hits(exposure: Exposure, cast: Cast) -> list[int]:
    return list(exposed(exposure, [cast.here.pk], PARIS).values_list("pk", flat=True))


def surveyed(places: list[int] | None, size: int = 50, after: str = "") -> Survey:
    return survey(exposed(LOT, places, PARIS), Session.objects.all(), size, after)


# -- who was exposed -------------------------------------------------------------------------


def test_a_lot_finds_those_it_was_drawn_for_and_those_it_was_put_on(
    cast: Cast, clinic: Clinic, lot: Lot
) -> None:
    drawn = clinic.session(clinic.patient(), [lot])
    clinic.session(clinic.patient(), [make_lot(cast.here, "L2")], at=AT + timedelta(hours=1))
    rubbed = clinic.session(clinic.patient(), at=AT + timedelta(hours=2), signed=False)
    Anaesthesia.objects.create(
        session=rubbed,
        anaesthetic=Anaesthetic.objects.current().get(code="emla"),
        lot=lot,
        grams=5,
        area_cm2=40,
        on_at=AT,
    )
    assert hits(LOT, cast) == [rubbed.pk, drawn.pk]


def test_the_same_number_of_another_product_or_place_is_another_lot(
    cast: Cast, clinic: Clinic, lot: Lot
) -> None:
    clinic.session(clinic.patient(), [make_lot(cast.here, "LOT-71", "lidocaine-2")])
    there = Clinic(cast.there, cast.practitioner2, cast.treatment)
    there.session(there.patient(), [make_lot(cast.there, "LOT-71")])
    assert hits(LOT, cast) == []
    assert surveyed(None).sessions == 1


def test_device_room_practitioner_technique_and_product(
    cast: Cast, clinic: Clinic, lot: Lot
) -> None:
    gun = Device.objects.create(
        location=cast.here, kind="mesogun", make="Gun", model="1", serial_number="G1"
    )
    one = clinic.session(clinic.patient(), [lot], device=gun, room=cast.room, technique="nappage")
    clinic.session(clinic.patient(), at=AT + timedelta(hours=1), by=cast.colleague)
    for kind, key in (
        (Kind.DEVICE, gun.pk),
        (Kind.ROOM, cast.room.pk),
        (Kind.PRACTITIONER, cast.practitioner.pk),
        (Kind.TECHNIQUE, "nappage"),
        (Kind.PRODUCT, "ha-1"),
    ):
        assert hits(Exposure(kind, (str(key),)), cast) == [one.pk], kind


def test_a_container_finds_those_who_were_given_from_it(
    cast: Cast, clinic: Clinic, lot: Lot
) -> None:
    first, second = (
        clinic.session(clinic.patient(), [lot], at=AT + timedelta(hours=n)) for n in (0, 1)
    )
    container = OpenContainer.objects.create(
        lot=lot, opened_at=AT, discard_by=AT + timedelta(days=1), held_ml=5, left_ml=4
    )
    Movement.objects.create(
        lot=lot, number=1, kind="used", change_ml=-1, before_ml=100, after_ml=99,
        container=container, session_id=first.pk, at=AT,
    )  # fmt: skip
    assert hits(Exposure(Kind.CONTAINER, (str(container.pk),)), cast) == [first.pk]
    assert second.pk in hits(LOT, cast)


def test_a_mixture_is_exactly_these_products(cast: Cast, clinic: Clinic, lot: Lot) -> None:
    lido, vitamins = (
        make_lot(cast.here, "X", "lidocaine-2"),
        make_lot(cast.here, "V", "polyvitamin-5"),
    )
    both = clinic.session(clinic.patient(), [lot, lido])
    clinic.session(clinic.patient(), [lot], at=AT + timedelta(hours=1))
    clinic.session(clinic.patient(), [lot, lido, vitamins], at=AT + timedelta(hours=2))
    assert hits(Exposure(Kind.MIX, ("ha-1", "lidocaine-2")), cast) == [both.pk]


def test_days_are_the_clinic_s_own_across_the_change_of_clocks(cast: Cast, clinic: Clinic) -> None:
    """On 25 October 2026 Paris leaves summer time: the day has 25 hours."""
    late = AT.replace(month=10, day=25, hour=22, minute=30)
    session = clinic.session(clinic.patient(), at=late)
    day = late.date()
    assert hits(Exposure(Kind.WINDOW, (), day, day), cast) == [session.pk]
    after = day + timedelta(days=1)
    assert hits(Exposure(Kind.WINDOW, (), after, after), cast) == []


def test_pages_follow_each_other_without_gap_or_repeat(
    cast: Cast, clinic: Clinic, lot: Lot
) -> None:
    for number in range(7):
        clinic.session(clinic.patient(), [lot], at=AT + timedelta(hours=number // 3))
    seen, key = [], ""
    for _round in range(3):
        found = surveyed([cast.here.pk], 3, key)
        key = found.following
        seen += [row.pk for row in found.rows]
    assert key == ""
    assert seen == hits(LOT, cast)
    for strange in ("nonsense_x", "2026-09-07T10:00:00_1", "2026-09-07T10:00:00+00:00_-1"):
        assert surveyed([cast.here.pk], 3, strange).rows[0].pk == seen[0]


def test_two_files_of_one_person_are_counted_and_told_once(
    cast: Cast, clinic: Clinic, lot: Lot
) -> None:
    kept, other = clinic.patient(email="one@example.org"), clinic.patient()
    clinic.session(kept, [lot])
    clinic.session(other, [lot], at=AT + timedelta(hours=1))
    Patient.objects.filter(pk=other.pk).update(merged_into=kept)
    assert surveyed([cast.here.pk]).patients == 1
    recall = begin(cast)
    contact = recall.contacts.get()
    assert (contact.patient_id, contact.exposed_file) == (kept.pk, kept.pk)
    assert (contact.sessions, contact.location) == (2, cast.here)
    assert (contact.first_at, contact.last_at) == (AT, AT + timedelta(hours=1))


# -- a recall --------------------------------------------------------------------------------


def begin(cast: Cast, by: Staff | None = None, **fields: Any) -> Recall:
    fields.setdefault("reason", "The maker warns of contamination.")
    return open_recall(
        by=by or cast.manager, location=cast.here, exposure=LOT, zone=PARIS, **fields
    )


def told(cast: Cast, recall: Recall) -> None:
    ask_to_tell(by=cast.manager, recall=recall)
    tell_exposed(at=timezone.now())


def standing(contact: RecallContact) -> str:
    row: Any = RecallContact.objects.with_standing().get(pk=contact.pk)
    return str(row.standing)


@pytest.fixture
def recall(cast: Cast, clinic: Clinic, lot: Lot) -> Recall:
    """Three people: by e-mail in French, by SMS in English, and one who cannot be written to."""
    for number, fields in enumerate(
        (
            {"email": "a@example.org", "language": "fr"},
            {"phone": "+33612345678", "language": "en"},
            {"language": "en"},
        )
    ):
        clinic.session(clinic.patient(**fields), [lot], at=AT + timedelta(hours=number))
    return begin(cast)


def test_nobody_is_told_before_it_is_asked_for(recall: Recall) -> None:
    assert tell_exposed(at=timezone.now()) == 0
    assert Message.objects.count() == 0


def test_each_is_told_once_in_their_own_language(cast: Cast, recall: Recall) -> None:
    told(cast, recall)
    tick()
    by_mail, by_sms, neither = recall.contacts.order_by("pk")
    assert Message.objects.count() == 2
    assert by_mail.message.subject == "Merci de contacter votre clinique"
    assert "{link}" in by_mail.message.body
    assert by_sms.message.channel == "sms"
    assert cast.here.phone in by_sms.message.body
    assert neither.message is None
    assert [standing(one) for one in (by_mail, by_sms, neither)] == ["waiting", "waiting", "no-way"]
    assert Document.objects.filter(kind="letter").count() == 3
    assert Document.objects.get(pk=by_mail.letter_id).language == "fr"


def test_a_message_says_nothing_of_whom_or_what(cast: Cast, recall: Recall) -> None:
    told(cast, recall)
    for message in Message.objects.select_related("patient"):
        words = f"{message.subject} {message.body}"
        for secret in (message.patient.family_name, message.patient.given_name, "LOT-71", "yaluron",
                       recall.reason):  # fmt: skip
            assert secret not in words


def test_the_letter_names_the_lot_and_neither_people_nor_rooms(cast: Cast, recall: Recall) -> None:
    told(cast, recall)
    contact = recall.contacts.order_by("pk")[1]
    html = contact.letter.html
    assert "LOT-71" in html
    assert cast.practitioner.name not in html
    assert contact.patient.family_name in html
    assert recall.reason not in html


def test_the_letter_becomes_a_pdf_on_the_patient_s_own_page(cast: Cast, recall: Recall) -> None:
    told(cast, recall)
    letter = render_next()
    assert letter is not None
    assert (letter.state, letter.pages) == ("ready", 2)  # the second proves the first
    assert letter in Document.objects.for_patient()


def test_who_refuses_every_message_is_left_for_a_call(cast: Cast, recall: Recall) -> None:
    contact = recall.contacts.order_by("pk")[0]
    save_refusals(by=contact.patient, patient=contact.patient, kinds=["all"])
    told(cast, recall)
    assert standing(contact) == "no-way"


def test_standing_follows_the_message_and_the_call(cast: Cast, recall: Recall) -> None:
    told(cast, recall)
    contact = recall.contacts.order_by("pk")[0]
    message = Message.objects.filter(pk=contact.message.pk)
    for values, word in (
        ({"state": "sent", "sent_at": AT}, "sent"),
        ({"delivered_at": AT}, "delivered"),
        ({"delivered_at": None, "state": "uncertain"}, "failed"),
    ):
        message.update(**values)
        assert standing(contact) == word
    assert contact in RecallContact.objects.not_in_touch()
    call(cast, contact, "no-answer")
    assert standing(contact) == "failed"
    call(cast, contact, "reached")
    assert standing(contact) == "reached"
    assert contact not in RecallContact.objects.not_in_touch()


def call(cast: Cast, contact: RecallContact, outcome: str, by: Staff | None = None) -> Attempt:
    return record_attempt(by=by or cast.front_desk, contact=contact, outcome=outcome)


def test_a_second_click_writes_no_second_call(cast: Cast, recall: Recall) -> None:
    contact = recall.contacts.first()
    assert contact is not None
    assert call(cast, contact, "no-answer") == call(cast, contact, "no-answer")
    later = timezone.now() + timedelta(minutes=5)
    record_attempt(by=cast.front_desk, contact=contact, outcome="no-answer", at=later)
    assert contact.attempts.count() == 2


def test_who_was_spoken_with_gets_no_message(cast: Cast, recall: Recall) -> None:
    first = recall.contacts.order_by("pk")[0]
    call(cast, first, "reached")
    assert ask_to_tell(by=cast.manager, recall=recall) == 2
    with pytest.raises(ActionRefused, match="Everyone"):
        ask_to_tell(by=cast.manager, recall=recall)


def test_a_second_recall_of_the_same_is_refused_while_one_is_open(
    cast: Cast, recall: Recall
) -> None:
    with pytest.raises(ActionRefused, match="open already"):
        begin(cast)
    close_recall(by=cast.manager, recall=recall, words="All heard.")
    assert begin(cast).pk != recall.pk


def test_the_database_refuses_a_second_one_too(recall: Recall) -> None:
    copy = Recall.objects.get(pk=recall.pk)
    copy.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save(force_insert=True)


def test_a_recall_of_nobody_or_of_too_many_is_refused(
    cast: Cast, clinic: Clinic, lot: Lot, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ActionRefused, match="Nobody"):
        begin(cast)
    for number in range(3):
        clinic.session(clinic.patient(), [lot], at=AT + timedelta(hours=number))
    monkeypatch.setattr(recalling, "MOST_PEOPLE", 2)
    with pytest.raises(ActionRefused, match="more than 2"):
        begin(cast)
    assert not Recall.objects.exists()
    monkeypatch.setattr(recalling, "MOST_PEOPLE", 3)
    contacts = begin(cast).contacts.order_by("pk")
    assert [one.patient_id for one in contacts] == sorted(one.patient_id for one in contacts)
    entries = AuditEntry.objects.filter(what="aftercare_recallcontact", action="create")
    assert {pk for entry in entries for pk in entry.patients} == {c.patient_id for c in contacts}


def test_a_closed_recall_is_closed(cast: Cast, recall: Recall) -> None:
    with pytest.raises(ActionRefused, match="how it was closed"):
        close_recall(by=cast.manager, recall=recall, words=" ")
    close_recall(by=cast.manager, recall=recall, words="Done.")
    for verb in (
        lambda: ask_to_tell(by=cast.manager, recall=recall),
        lambda: call(cast, recall.contacts.first(), "reached"),
        lambda: close_recall(by=cast.manager, recall=recall, words="Again."),
    ):
        with pytest.raises(ActionRefused, match="closed"):
            verb()
    with pytest.raises((InternalError, OperationalError)), transaction.atomic():
        Recall.objects.filter(pk=recall.pk).update(reason="Other.")


def test_desk_and_strangers_may_not_begin_one(cast: Cast, clinic: Clinic, lot: Lot) -> None:
    clinic.session(clinic.patient(), [lot])
    for person in (cast.front_desk, cast.practitioner2):
        with pytest.raises(ActionRefused):
            begin(cast, by=person)


def test_of_another_location_only_those_people_are_told_that_one_may_see(
    cast: Cast, clinic: Clinic, lot: Lot
) -> None:
    there = Clinic(cast.there, cast.practitioner2, cast.treatment)
    there.session(there.patient(), [make_lot(cast.there, "LOT-71")])
    clinic.session(clinic.patient(), [lot], at=AT + timedelta(hours=1))
    assert begin(cast).contacts.count() == 1
    Membership.objects.create(staff=cast.colleague, location=cast.there)
    both = Staff.objects.get(pk=cast.colleague.pk)
    wider = open_recall(by=both, location=cast.there, exposure=LOT, reason="Both.", zone=PARIS)
    assert {row.location_id for row in wider.contacts.all()} == {cast.here.pk, cast.there.pk}
    seen = RecallContact.objects.at_places_of(cast.practitioner2).filter(recall=wider)
    assert [row.location_id for row in seen] == [cast.there.pk]


# -- pages -----------------------------------------------------------------------------------


def trace_url(**asked: Any) -> str:
    return reverse("safety:trace") + "?" + "&".join(f"{k}={v}" for k, v in asked.items())


def test_from_a_number_to_the_list_to_quarantine(
    cast: Cast, clinic: Clinic, lot: Lot, client_for: Callable[[Staff], Client]
) -> None:
    patient = clinic.patient()
    clinic.session(patient, [lot])
    client = client_for(cast.manager)
    page = client.get(trace_url(by="lot", lot="lot-71"))
    assert patient.number in page.content.decode()
    assert page.context["extent"].patients == 1
    client.post(reverse("safety:quarantine", args=[lot.pk]))
    lot.refresh_from_db()
    assert lot.state == Lot.State.QUARANTINED
    read = AuditEntry.objects.filter(action="read", what="safety:trace").latest("pk")
    assert read.patients == [patient.pk]


def test_one_click_holds_a_lot_back_wherever_it_is(
    cast: Cast, lot: Lot, client_for: Callable[[Staff], Client]
) -> None:
    """At both of the manager's locations, and not at one that is not theirs."""
    third = make_location("Third")
    Membership.objects.get_or_create(staff=cast.manager, location=cast.there)
    there, elsewhere = make_lot(cast.there, "lot-71"), make_lot(third, "LOT-71")
    client = client_for(cast.manager)
    page = client.get(reverse("safety:trace") + "?by=lot&lot=LOT-71").content.decode()
    assert "Hold it back at all 2 locations" in page
    client.post(reverse("safety:quarantine", args=[lot.pk]), {"everywhere": "1"})
    states = {one.pk: one.state for one in Lot.objects.filter(number__iexact="lot-71")}
    assert states == {lot.pk: "quarantined", there.pk: "quarantined", elsewhere.pk: "available"}


def test_the_lot_of_a_container_can_be_held_back_from_its_trace(
    cast: Cast, lot: Lot, client_for: Callable[[Staff], Client]
) -> None:
    container = OpenContainer.objects.create(
        lot=lot, opened_at=AT, discard_by=AT + timedelta(days=1), held_ml=5, left_ml=4
    )
    query = f"?by=container&container={container.pk}"
    page = client_for(cast.manager).get(reverse("safety:trace") + query)
    assert page.context["may_hold"] == [lot]


def test_a_part_of_a_number_offers_the_lots_it_may_be(
    cast: Cast, lot: Lot, client_for: Callable[[Staff], Client]
) -> None:
    make_lot(cast.here, "LOT-71", "lidocaine-2")
    client = client_for(cast.manager)
    assert len(client.get(trace_url(by="lot", lot="LOT-71")).context["suggested"]) == 2
    assert len(client.get(trace_url(by="lot", lot="1")).context["suggested"]) == 2
    assert client.get(trace_url(by="lot", lot="NONE")).context["suggested"] == []


def test_a_container_that_is_no_longer_offered_can_still_be_traced(
    cast: Cast,
    clinic: Clinic,
    lot: Lot,
    client_for: Callable[[Staff], Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forms, "CONTAINERS_OFFERED", 1)
    old, new = (
        OpenContainer.objects.create(
            lot=lot,
            opened_at=AT + timedelta(days=day),
            discard_by=AT + timedelta(days=day + 1),
            held_ml=5,
            left_ml=4,
        )
        for day in (0, 9)
    )
    page = client_for(cast.manager).get(trace_url(by="container", container=old.pk))
    assert page.context["exposure"].key == (str(old.pk),)
    offered = [value for value, _label in page.context["form"].fields["container"].choices]
    assert offered == ["", new.pk]


def test_the_whole_list_as_csv_is_audited_before_it_leaves(
    cast: Cast, clinic: Clinic, lot: Lot, client_for: Callable[[Staff], Client]
) -> None:
    patient = clinic.patient(name="=cmd()", phone="+33612345678")
    clinic.session(patient, [lot])
    url = reverse("safety:trace-csv") + "?by=lot&lot=LOT-71"
    response: Any = client_for(cast.manager).get(url)
    assert AuditEntry.objects.filter(what="safety:trace-csv", patients=[patient.pk]).exists()
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    [head, row] = list(csv.reader(io.StringIO(text)))
    assert len(head) == len(row)
    assert row[:3] == [patient.number, patient.family_name, "'=cmd()"]
    assert "'+33612345678" in row


def test_strange_addresses_ask_for_nothing(
    cast: Cast, lot: Lot, client_for: Callable[[Staff], Client]
) -> None:
    there = cast.there.rooms.first()
    client = client_for(cast.manager)
    for query in (
        f"by=room&room={there.pk}",
        "by=nonsense&lot=%00",
        "by=device&device=999999",
        "by=window&since=2026-13-40",
        "by=lot&lot=LOT-71&since=2026-05-02&until=2026-05-01",
        "by=mix&mix=none-such",
    ):
        page = client.get(reverse("safety:trace") + "?" + query)
        assert page.status_code == 200
        assert "extent" not in page.context, query


def test_a_recall_worked_off_by_the_desk_without_a_clinical_word(
    cast: Cast, recall: Recall, client_for: Callable[[Staff], Client]
) -> None:
    desk, contact = client_for(cast.front_desk), recall.contacts.order_by("pk")[1]
    pages = [
        reverse("safety:index"),
        reverse("safety:recalls"),
        reverse("safety:recall", args=[recall.pk]),
        reverse("safety:contact", args=[contact.pk]),
    ]
    for url in pages:
        text = desk.get(url).content.decode()
        for word in ("LOT-71", recall.reason, "yaluron"):
            assert word not in text, (url, word)
    assert "+33 6 12 34 56 78" in desk.get(pages[2]).content.decode()
    answer = desk.post(pages[3], {"outcome": "reached", "note": "Comes on Monday."})
    assert answer.status_code == 302
    assert standing(contact) == "reached"
    assert contact.attempts.get().by == cast.front_desk
    for name, args in (
        ("safety:trace", []), ("safety:look-backs", []), ("safety:events", []),
        ("safety:letter", [contact.pk]),
    ):  # fmt: skip
        assert desk.get(reverse(name, args=args)).status_code == 403
    # The control: who may see it, does.
    assert "LOT-71" in client_for(cast.manager).get(pages[2]).content.decode()


def test_the_recall_page_from_trace_to_told(
    cast: Cast, clinic: Clinic, lot: Lot, client_for: Callable[[Staff], Client]
) -> None:
    clinic.session(clinic.patient(email="a@example.org"), [lot])
    client = client_for(cast.practitioner)
    start = reverse("safety:recall-start") + "?by=lot&lot=LOT-71&product=ha-1"
    assert client.post(start, {"reason": ""}).status_code == 302
    assert Recall.objects.count() == 0
    first = client.post(start, {"reason": "Turbid."})
    again = client.post(start, {"reason": "Turbid."})
    recall = Recall.objects.get()
    assert first["Location"] == reverse("safety:recall", args=[recall.pk])
    assert again["Location"].startswith(reverse("safety:trace"))
    client.post(reverse("safety:recall-tell", args=[recall.pk]))
    tick()
    page = client.get(reverse("safety:recall", args=[recall.pk]) + "?show=missing")
    assert page.context["total"] == 1
    assert page.context["in_touch"] == 0
    assert len(page.context["rows"]) == 1
    assert (
        client.get(reverse("safety:recall", args=[recall.pk]) + "?show=reached").context["rows"]
        == []
    )


@pytest.mark.parametrize("name", ["trace", "recall"])
def test_lists_ask_the_database_the_same_for_one_and_three(
    name: str,
    cast: Cast,
    clinic: Clinic,
    lot: Lot,
    client_for: Callable[[Staff], Client],
    django_assert_max_num_queries: Any,
) -> None:
    client, counts = client_for(cast.manager), []
    for number in range(3):
        clinic.session(clinic.patient(), [lot], at=AT + timedelta(hours=number), room=cast.room)
        if number == 1:
            continue
        if name == "recall":
            Recall.objects.open().update(
                closed_at=AT, closer=cast.manager, closing_words="For the next."
            )
            row = begin(cast)
            for contact in row.contacts.all():
                call(cast, contact, "no-answer")
            url = reverse("safety:recall", args=[row.pk])
        else:
            url = trace_url(by="lot", lot="LOT-71", product="ha-1")
        client.get(url)
        with django_assert_max_num_queries(30) as captured:
            client.get(url)
        counts.append(len(captured))
    assert counts[0] == counts[1], counts


def test_another_location_s_recall_and_lot_are_not_there(
    cast: Cast, recall: Recall, lot: Lot, client_for: Callable[[Staff], Client]
) -> None:
    client = client_for(cast.practitioner2)
    contact = recall.contacts.first()
    for name, pk in (("recall", recall.pk), ("contact", contact.pk), ("letter", contact.pk)):
        assert client.get(reverse(f"safety:{name}", args=[pk])).status_code == 404
    assert client.post(reverse("safety:quarantine", args=[lot.pk])).status_code == 404


def test_trace_lot_prints_the_same(
    cast: Cast, clinic: Clinic, lot: Lot, capsys: pytest.CaptureFixture[str]
) -> None:
    patient = clinic.patient()
    clinic.session(patient, [lot])
    call_command("trace_lot", "lot-71")
    printed = capsys.readouterr().out
    assert "1 sessions, 1 patients" in printed
    assert patient.number in printed
    assert AuditEntry.objects.filter(what="trace_lot", patients=[patient.pk]).exists()
    with pytest.raises(CommandError, match="No lot"):
        call_command("trace_lot", "NONE")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\tx", "Martin"])
def test_what_a_spreadsheet_would_run_is_text(
    cast: Cast, clinic: Clinic, lot: Lot, name: str
) -> None:
    clinic.session(clinic.patient(name=name), [lot])
    [row] = listed_lines([cast.here.pk])
    assert row["given_name"] == (name if name == "Martin" else f"'{name}")


def listed_lines(places: list[int]) -> list[dict[str, str]]:
    text = b"".join(lines(exposed(LOT, places, PARIS))).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_the_list_says_when_on_the_location_s_clock_and_the_number_that_counts(
    cast: Cast, clinic: Clinic, lot: Lot
) -> None:
    kept, earlier = clinic.patient(), clinic.patient()
    summer = clinic.session(earlier, [lot])
    clinic.session(kept, [lot], at=AT.replace(month=12), signed=False)
    Patient.objects.filter(pk=earlier.pk).update(merged_into=kept)
    Location.objects.filter(pk=cast.here.pk).update(timezone="America/St_Johns")
    rows = listed_lines([cast.here.pk])
    assert [row["session_at"] for row in rows] == [
        "2026-12-07T04:30-03:30", "2026-09-07T05:30-02:30",
    ]  # fmt: skip
    assert [row["signed"] for row in rows] == ["no", "yes"]
    assert {row["patient_number"] for row in rows} == {kept.number}
    assert rows[1]["practitioner"] == summer.practitioner.name


def test_a_number_in_capitals_or_not_is_one_lot(
    cast: Cast, clinic: Clinic, lot: Lot, client_for: Callable[[Staff], Client]
) -> None:
    """The same delivery, typed at one shelf as on the box and at the other in small letters."""
    there = Clinic(cast.there, cast.practitioner2, cast.treatment)
    one = clinic.session(clinic.patient(), [lot])
    other = there.session(
        there.patient(), [make_lot(cast.there, "lot-71")], at=AT + timedelta(hours=1)
    )
    both = [cast.here.pk, cast.there.pk]
    for number in ("LOT-71", "lot-71"):
        found = exposed(Exposure(Kind.LOT, ("ha-1", number)), both, PARIS)
        assert list(found.values_list("pk", flat=True)) == [other.pk, one.pk]
    cast.manager.memberships.get_or_create(location=cast.there)
    page = client_for(cast.manager).get(reverse("safety:trace") + "?by=lot&lot=lOT-71")
    assert page.context["extent"].sessions == 2
    assert len(page.context["lots"]) == 2


def test_a_person_is_found_where_they_treated_signed_or_prepared(
    cast: Cast, clinic: Clinic
) -> None:
    hours = [AT + timedelta(hours=n) for n in range(4)]
    treated = clinic.session(clinic.patient(), at=hours[0], by=cast.colleague, signed=False)
    signed = clinic.session(clinic.patient(), at=hours[1], signed=False)
    Session.objects.filter(pk=signed.pk).update(signed_at=AT, signed_by=cast.colleague)
    prepared = clinic.session(clinic.patient(), at=hours[2], signed=False)
    Syringe.objects.create(session=prepared, label="A", prepared_at=AT, prepared_by=cast.colleague)
    clinic.session(clinic.patient(), at=hours[3])
    who = Exposure(Kind.PRACTITIONER, (str(cast.colleague.pk),))
    assert hits(who, cast) == [prepared.pk, signed.pk, treated.pk]


def test_syringes_without_a_row_of_their_own_are_one(cast: Cast, clinic: Clinic, lot: Lot) -> None:
    """Two syringes with a product each are no mixture; without syringes all went into one."""
    lido = make_lot(cast.here, "X", "lidocaine-2")
    apart = clinic.session(clinic.patient(), signed=False)
    for label, one in (("A", lot), ("B", lido)):
        tube = Syringe.objects.create(session=apart, label=label)
        MixComponent.objects.create(session=apart, syringe=tube, lot=one, ml=1)
    old = clinic.session(clinic.patient(), [lot, lido], at=AT + timedelta(hours=1))
    assert hits(Exposure(Kind.MIX, ("ha-1", "lidocaine-2")), cast) == [old.pk]
    assert hits(Exposure(Kind.MIX, ("ha-1",)), cast) == [apart.pk]


def test_a_thing_in_words(cast: Cast, lot: Lot, clinic: Clinic) -> None:
    day = AT.date()
    assert said(Exposure(Kind.LOT, ("ha-1", "LOT-71"), day, day)).endswith(
        ", from 07-Sep-2026 to 07-Sep-2026"
    )
    assert "LOT-71" in said(LOT)
    assert said(Exposure(Kind.WINDOW)) == "Everyone treated"
    assert Session.objects.count() == 0
