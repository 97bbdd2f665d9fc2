"""The sheet that is given: versions that stay, a line of one's own, its paper, its texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from aftercare.sheets import actions
from aftercare.sheets.actions import (
    give_sheet,
    give_version,
    keep_draft,
    mark_opened,
    mark_read,
    send_again,
)
from aftercare.sheets.blocks import (
    BlockText,
    approve_block,
    approve_words,
    block_faults,
    retire_block,
    text_of,
    write_block,
    write_words,
)
from aftercare.sheets.content import Wish, content_of
from aftercare.sheets.languages import language_for, offered
from aftercare.sheets.models import Sheet, SheetDraft, SheetWords
from aftercare.sheets.wording import claim_in
from aftercare.sheets.words import house_words
from aftercare.watch.actions import follow_up_signed_sessions
from clinic.access.models import Staff
from clinic.errors import ActionRefused
from patients.documents.actions import read_pdf, render_next
from patients.documents.checking import check_copy
from patients.documents.models import Document
from patients.messages.models import Message
from tests.access.world import World, make_world
from tests.aftercare.test_watch import patient_browser
from tests.at_once import Crowd
from tests.conftest import Cast
from treatments.catalogue.models import AdviceBlock, Area, Lot, Technique
from treatments.mixes.models import Syringe
from treatments.sessions.models import MixComponent, Session, TreatedArea

pytestmark = pytest.mark.django_db
ClientFor = Callable[[Staff], Client]
IN_ENGLISH = Wish("en")


@pytest.fixture
def world(cast: Cast) -> World:
    return make_world(cast.here, cast.practitioner, cast.treatment)


@pytest.fixture
def draft(world: World) -> Session:
    session: Session = world.patient.sessions.get(number=1)
    session.treated_areas.all().delete()
    treat(session, "cheek")
    return session


@pytest.fixture
def signed(world: World) -> Session:
    """A session that was signed an hour ago and has no sheet yet."""
    return signed_session(world, number=3)


def signed_session(world: World, number: int, areas: Sequence[str] = ("cheek",)) -> Session:
    plan, at = world.patient.plans.get(), timezone.now() - timedelta(hours=1)
    session = Session.objects.create(
        patient=world.patient,
        location=world.place,
        plan=plan,
        consent=plan.consents.get(),
        practitioner=world.practitioner,
        number=number,
        history_version=1,
        started_at=at,
        antiseptic="x",
        adverse_events="none",
    )
    for area in areas:
        treat(session, area)
    MixComponent.objects.create(session=session, lot=Lot.objects.first(), ml=1)
    session.signed_at, session.signed_by = at, world.practitioner
    session.save()
    return session


def treat(session: Session, area: str, technique: str = "nappage") -> None:
    TreatedArea.objects.create(
        session=session,
        area=Area.objects.current().get(code=area),
        chart="face-front",
        technique=Technique.objects.current().get(code=technique),
        depth_mm=2,
        ml_per_point=Decimal("0.02"),
    )


def block(code: str) -> AdviceBlock:
    found: AdviceBlock = AdviceBlock.objects.current().get(code=code)
    return found


def in_arabic(cast: Cast) -> None:
    """From now on sheets are given in Arabic; one piece of advice is written in it."""
    words = {**house_words("en"), "avoid": "يرجى الامتناع عن", "last_day": "نهاية {day}"}
    none = dict.fromkeys(SheetWords.objects.get(code="ar").phrases, "")
    row = write_words(by=cast.manager, language="ar", words=words, phrases=none)
    approve_words(by=cast.practitioner, row=row)
    said = text_of(block("base-heat"))
    arabic = replace(said, texts={**said.texts, "ar": "لا ساونا حتى {until}."})
    row = write_block(by=cast.manager, code="base-heat", said=arabic)
    approve_block(by=cast.practitioner, block=row)


# ---- what it says ------------------------------------------------------------------------------


def test_no_line_has_a_place_left_unfilled(draft: Session) -> None:
    treat(draft, "vertex")
    for language in ("en", "fr"):
        for line in content_of(draft, language=language, at=draft.started_at)["lines"]:
            assert "{" not in line["text"]


def test_a_hand_guided_by_a_mesogun_has_its_advice_too(draft: Session) -> None:
    draft.treated_areas.update(method="gun")
    lines = content_of(draft, language="en", at=draft.started_at)["lines"]
    assert "gun-clean" in {line["block"] for line in lines}


def test_a_lot_in_two_syringes_is_listed_once(draft: Session) -> None:
    lot = Lot.objects.first()
    assert lot
    for label in "BC":
        syringe = Syringe.objects.create(session=draft, label=label)
        MixComponent.objects.create(session=draft, syringe=syringe, lot=lot, ml=Decimal(1))
    products = content_of(draft, language="en", at=draft.started_at)["products"]
    assert [one["lot"] for one in products].count(lot.number) == 1


def test_what_is_not_written_in_a_language_is_said_in_english(cast: Cast, draft: Session) -> None:
    in_arabic(cast)
    lines = content_of(draft, language="ar", at=draft.started_at)["lines"]
    by_topic = {line["topic"]: line for line in lines}
    assert by_topic["heat"]["language"] == "ar"
    assert by_topic["heat"]["said"] in by_topic["heat"]["text"]
    assert by_topic["sun"]["language"] == "en"
    assert by_topic["sun"]["said"].startswith("the end of ")


# ---- giving ------------------------------------------------------------------------------------


def test_a_new_sheet_brings_its_document_and_its_message(cast: Cast, signed: Session) -> None:
    sheet = give_sheet(by=cast.practitioner, session=signed)
    assert give_sheet(by=None, session=signed) == sheet
    assert (sheet.version, sheet.document.state, sheet.given_by) == (1, "queued", cast.practitioner)
    message = Message.objects.get(key=f"sheet-{sheet.pk}")
    assert signed.patient.family_name not in message.subject + message.body


def test_an_unsigned_session_gets_no_sheet(cast: Cast, draft: Session) -> None:
    with pytest.raises(ActionRefused):
        give_sheet(by=cast.practitioner, session=draft)
    with pytest.raises(ActionRefused):
        give_version(by=cast.practitioner, session=draft, wish=IN_ENGLISH, known=0)


def test_a_line_written_beforehand_goes_with_the_sheet_the_worker_gives(
    cast: Cast, draft: Session
) -> None:
    keep_draft(by=cast.practitioner, session=draft, wish=Wish("fr", "  Crème le soir. "))
    keep_draft(by=cast.practitioner, session=draft, wish=Wish("fr", "Crème matin et soir."))
    draft.signed_at, draft.signed_by = draft.started_at, cast.practitioner
    draft.save()
    follow_up_signed_sessions()
    sheet = Sheet.objects.get(session=draft)
    assert (sheet.language, sheet.given_by) == ("fr", cast.practitioner)
    assert sheet.content["personal"] == "Crème matin et soir."
    assert "Crème matin et soir." in sheet.document.html
    assert not SheetDraft.objects.exists()
    with pytest.raises(ActionRefused, match="given already"):
        keep_draft(by=cast.practitioner, session=draft, wish=IN_ENGLISH)


def test_given_again_it_is_a_new_version_and_the_old_one_stays(cast: Cast, signed: Session) -> None:
    first = give_sheet(by=None, session=signed)
    wish = Wish("en", "Call me on Monday.")
    second = give_version(by=cast.practitioner, session=signed, wish=wish, known=1)
    assert (second.version, second.content["personal"]) == (2, "Call me on Monday.")
    first.refresh_from_db()
    assert first.content["personal"] == ""
    assert Message.objects.filter(key__in=[f"sheet-{first.pk}", f"sheet-{second.pk}"]).count() == 2
    pressed_twice = give_version(by=cast.practitioner, session=signed, wish=wish, known=1)
    assert pressed_twice == second
    with pytest.raises(ActionRefused, match="Send the link again"):
        give_version(by=cast.practitioner, session=signed, wish=wish, known=2)
    with pytest.raises(ActionRefused, match="colleague"):
        give_version(by=cast.colleague, session=signed, wish=Wish("en", "Other."), known=1)
    assert Sheet.objects.filter(session=signed).count() == 2


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        (Wish("en", "It will be painless."), "personal_line"),
        (Wish("en", "Résultat garanti."), "personal_line"),
        (Wish("en", "x" * 501), "personal_line"),
        (Wish("en", "see\u202etxt"), "personal_line"),
        (Wish("ar", ""), "language"),
        (Wish("xx", ""), "language"),
    ],
)
def test_what_cannot_stand_is_refused(cast: Cast, signed: Session, wish: Wish, field: str) -> None:
    with pytest.raises(ActionRefused) as refused:
        give_version(by=cast.practitioner, session=signed, wish=wish, known=0)
    assert refused.value.field == field
    assert not Sheet.objects.filter(session=signed).exists()


def test_only_a_practitioner_gives(cast: Cast, signed: Session) -> None:
    sheet = give_sheet(by=None, session=signed)
    for staff in (cast.front_desk, cast.manager):
        with pytest.raises(ActionRefused):
            give_version(by=staff, session=signed, wish=Wish("en", "x"), known=1)
        with pytest.raises(ActionRefused):
            keep_draft(by=staff, session=signed, wish=IN_ENGLISH)
        with pytest.raises(ActionRefused):
            send_again(by=staff, sheet=sheet)


def test_the_link_is_sent_again_once_a_minute(cast: Cast, signed: Session) -> None:
    sheet, at = give_sheet(by=None, session=signed), timezone.now().replace(second=1)
    for later in (0, 20, 61):
        send_again(by=cast.practitioner, sheet=sheet, at=at + timedelta(seconds=later))
    assert Message.objects.filter(key__startswith=f"sheet-{sheet.pk}-").count() == 2
    signed.patient.email = signed.patient.phone = ""
    signed.patient.save()
    sheet.refresh_from_db()
    with pytest.raises(ActionRefused, match="Print"):
        send_again(by=cast.practitioner, sheet=sheet, at=at + timedelta(hours=1))


def test_nothing_that_is_changed_later_changes_a_sheet(cast: Cast, signed: Session) -> None:
    sheet = give_sheet(by=None, session=signed)
    content, html = sheet.content, sheet.document.html
    said = text_of(block("base-sun"))
    other = replace(said, texts={**said.texts, "en": "Stay in until {until}."}, hours=24)
    row = write_block(by=cast.manager, code="base-sun", said=other)
    approve_block(by=cast.practitioner, block=row)
    signed.patient.given_name = "Another"
    signed.patient.save()
    signed.location.phone = "+33 9 99 99 99 99"
    signed.location.save()
    sheet = Sheet.objects.get(pk=sheet.pk)
    assert (sheet.content, sheet.document.html) == (content, html)
    for change in ({"content": {}}, {"language": "fr"}, {"version": 7}, {"given_by": cast.manager}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Sheet.objects.filter(pk=sheet.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        AdviceBlock.objects.filter(code="base-sun", version=1).update(text_en="Changed.")


def test_only_the_first_opening_and_reading_count(cast: Cast, signed: Session) -> None:
    sheet, at = give_sheet(by=None, session=signed), timezone.now()
    mark_opened(sheet=sheet, at=at)
    mark_read(sheet=sheet, at=at + timedelta(minutes=3))
    mark_opened(sheet=sheet, at=at + timedelta(days=1))
    mark_read(sheet=sheet, at=at + timedelta(days=1))
    sheet.refresh_from_db()
    assert (sheet.opened_at, sheet.first_read_at) == (at, at + timedelta(minutes=3))


def test_the_next_sheet_speaks_as_the_last_one_did_where_the_file_cannot_say(
    cast: Cast, signed: Session
) -> None:
    own = signed.patient.language
    give_version(by=cast.practitioner, session=signed, wish=Wish("fr"), known=0)
    assert language_for(signed.patient) == own == "en"
    in_arabic(cast)
    give_version(by=cast.practitioner, session=signed, wish=Wish("ar"), known=1)
    assert language_for(signed.patient) == "ar"


def press_twice(cast: Cast, signed: Session, crowd: Crowd) -> list[Exception]:
    """Two people's presses at the same moment: what went wrong in either."""

    def press() -> None:
        give_version(by=cast.practitioner, session=signed, wish=IN_ENGLISH, known=0)

    answers = crowd.run([press] * 2, refusals=(IntegrityError,))
    return [one for one in answers if one is not None]


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_once_are_one_version(cast: Cast, signed: Session) -> None:
    assert press_twice(cast, signed, Crowd()) == []
    assert Sheet.objects.filter(session=signed).count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_the_same_harness_sees_two(
    cast: Cast, signed: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the database alone says no, to one of the two."""
    newest, crowd = actions._newest, Crowd()

    def slowly(session: Session) -> Sheet | None:
        found = newest(session)
        crowd.stand()
        return found

    monkeypatch.setattr(actions, "_locked", lambda session: session)
    monkeypatch.setattr(actions, "_newest", slowly)
    assert len(press_twice(cast, signed, crowd)) == 1


# ---- the paper ---------------------------------------------------------------------------------


def test_the_paper_says_it_all_proves_itself_and_is_sealed(cast: Cast, signed: Session) -> None:
    give_sheet(by=None, session=signed)
    in_arabic(cast)
    wish = Wish("ar", "See you on Monday.")
    sheet = give_version(by=cast.practitioner, session=signed, wish=wish, known=1)
    for _ in range(Document.objects.filter(state="queued").count()):
        render_next()
    document = Document.objects.get(pk=sheet.document_id)
    assert document.state == Document.State.READY, document.error
    pdf = read_pdf(document)
    assert check_copy(pdf).is_genuine
    assert not check_copy(pdf[:-300] + bytes([pdf[-300] ^ 1]) + pdf[-299:]).is_genuine
    reader = PdfReader(BytesIO(pdf))
    said = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    for part in (
        "See you on Monday.",
        signed.location.phone,
        signed.patient.initials,
        "112",
        "Evidence",
        "version 2",
        "base-heat 2",
        sheet.content_sha256,
        "signed in with their own account",
        str(document.public_id),
    ):
        assert part in said, part
    assert 'dir="rtl"' in document.html
    assert 'lang="en" dir="ltr"' in document.html
    assert reader.trailer["/Root"]["/Lang"] == "ar"


# ---- the pages of the clinic -------------------------------------------------------------------


def test_looked_at_given_and_given_again_on_the_page(
    cast: Cast, signed: Session, client_for: ClientFor
) -> None:
    client, number = client_for(cast.practitioner), signed.patient.number
    page = reverse("sheets:prepare", args=[number, signed.pk])
    assert "No sport" in client.get(page).content.decode()
    typed = {"personal_line": "Ring me.\r\nAny time.", "language": "fr", "known": "0"}
    shown = client.post(page, {**typed, "what": "show"}, headers={"HX-Request": "true"})
    assert "Pas de sport" in shown.content.decode()
    assert "<form" not in shown.content.decode()
    assert not Sheet.objects.filter(session=signed).exists()
    given = client.post(page, {**typed, "what": "give"})
    sheet = Sheet.objects.get(session=signed)
    assert given["Location"] == reverse("sheets:detail", args=[number, sheet.pk])
    detail = client.get(given["Location"]).content.decode()
    assert "Ring me.<br>Any time." in detail
    assert "not opened yet" in detail
    again = client.post(page, {**typed, "personal_line": "Other.", "known": "1", "what": "give"})
    assert again.status_code == 302
    old = client.get(reverse("sheets:detail", args=[number, sheet.pk])).content.decode()
    assert "A newer version was given since" in old
    panel = client.get(reverse("sheets:panel", args=[number, signed.pk])).content.decode()
    assert "Version 2" in panel
    assert "Version 1" in panel
    bar = client.get(reverse("sheets:bar", args=[number])).content.decode()
    assert "not opened" in bar


def test_bad_input_is_told_beside_the_field_and_nothing_is_lost(
    cast: Cast, signed: Session, client_for: ClientFor
) -> None:
    client = client_for(cast.practitioner)
    page = reverse("sheets:prepare", args=[signed.patient.number, signed.pk])
    typed = {"personal_line": "Guaranteed to glow.", "language": "en", "known": "0"}
    answer = client.post(page, {**typed, "what": "give"})
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"personal_line"}
    assert "Guaranteed to glow." in answer.content.decode()
    assert client.post(page, {**typed, "language": "ar", "what": "give"}).status_code == 422
    assert client.post(page, {**typed, "known": "x", "what": "give"}).status_code == 422


def test_before_the_signature_the_line_is_kept(
    cast: Cast, draft: Session, client_for: ClientFor
) -> None:
    client, number = client_for(cast.practitioner), draft.patient.number
    page = reverse("sheets:prepare", args=[number, draft.pk])
    client.post(page, {"personal_line": "Mine.", "language": "en", "known": "0", "what": "give"})
    assert SheetDraft.objects.get(session=draft).personal_line == "Mine."
    assert "Mine." in client.get(page).content.decode()
    panel = client.get(reverse("sheets:panel", args=[number, draft.pk])).content.decode()
    assert "Change your line" in panel


def test_lists_ask_no_more_for_more_sheets(cast: Cast, world: World, client_for: ClientFor) -> None:
    client, number = client_for(cast.practitioner), world.patient.number
    pages = [reverse("sheets:panel-all", args=[number]), reverse("sheets:bar", args=[number])]
    counts = []
    for page in pages:
        client.get(page)
    for session_number in (3, 4, 5):
        session = signed_session(world, session_number)
        give_sheet(by=None, session=session)
        for known in (1, 2):
            wish = Wish("en", f"Line {known}.")
            give_version(by=cast.practitioner, session=session, wish=wish, known=known)
        panel = reverse("sheets:panel", args=[number, session.pk])
        with CaptureQueriesContext(connection) as queries:
            for page in [*pages, panel]:
                client.get(page)
        counts.append(len(queries))
    assert counts[0] == counts[2]


# ---- the patient -------------------------------------------------------------------------------


def test_the_patient_reads_the_newest_and_may_look_at_older_ones(
    cast: Cast, world: World, signed: Session
) -> None:
    browser, token = patient_browser(world), world.token
    first = give_sheet(by=None, session=signed)
    second = give_version(by=cast.practitioner, session=signed, wish=Wish("en", "Hello."), known=1)
    listed = browser.get(reverse("my-sheets:panel", args=[token])).content.decode()
    assert reverse("my-sheets:sheet", args=[token, second.pk]) in listed
    assert reverse("my-sheets:sheet", args=[token, first.pk]) not in listed
    page = browser.get(reverse("my-sheets:sheet", args=[token, second.pk])).content.decode()
    assert "Hello." in page
    assert 'href="tel:112"' in page
    assert reverse("my-sheets:sheet", args=[token, first.pk]) in page
    older = browser.get(reverse("my-sheets:sheet", args=[token, first.pk])).content.decode()
    assert "newer version" in older


def test_looking_writes_nothing_and_the_browser_says_it_was_opened(
    world: World, signed: Session
) -> None:
    browser, sheet = patient_browser(world), give_sheet(by=None, session=signed)
    address = reverse("my-sheets:sheet", args=[world.token, sheet.pk])
    opened = reverse("my-sheets:opened", args=[world.token, sheet.pk])
    assert opened in browser.get(address).content.decode()
    sheet.refresh_from_db()
    assert sheet.opened_at is None
    assert browser.post(opened).status_code == 204
    sheet.refresh_from_db()
    assert sheet.opened_at is not None
    assert opened not in browser.get(address).content.decode()


def test_what_is_over_is_said_to_be_over(
    cast: Cast, world: World, signed: Session, time_machine: Any
) -> None:
    sheet = give_sheet(by=None, session=signed)
    address = reverse("my-sheets:sheet", args=[world.token, sheet.pk])
    assert "is-over" not in patient_browser(world).get(address).content.decode()
    time_machine.move_to(timezone.now() + timedelta(hours=30))
    page = patient_browser(world).get(address).content.decode()
    assert page.count('class="is-over"') == len(
        [one for one in sheet.content["lines"] if one["until"] and _hours(one) <= 24]
    )


def _hours(line: dict[str, Any]) -> int:
    return block(line["block"]).hours or 0


def test_an_arabic_sheet_reads_from_right_to_left(
    cast: Cast, world: World, signed: Session
) -> None:
    in_arabic(cast)
    sheet = give_version(by=cast.practitioner, session=signed, wish=Wish("ar"), known=0)
    address = reverse("my-sheets:sheet", args=[world.token, sheet.pk])
    page = patient_browser(world).get(address).content.decode()
    assert '<article class="sheet" lang="ar" dir="rtl">' in page
    assert "لا ساونا حتى" in page
    assert '<li lang="en" dir="ltr">' in page


# ---- its texts ---------------------------------------------------------------------------------


def heat(**changed: Any) -> BlockText:
    return replace(text_of(block("base-heat")), **changed)


def test_a_text_is_used_once_it_is_approved_and_an_earlier_one_can_come_back(cast: Cast) -> None:
    first = block("base-heat")
    row = write_block(by=cast.manager, code="base-heat", said=heat(hours=168))
    assert (row.version, row.is_current, row.made_by) == (2, False, cast.manager)
    assert block("base-heat").hours == 72
    approve_block(by=cast.practitioner, block=row)
    assert (block("base-heat").hours, block("base-heat").approved_by) == (168, cast.practitioner)
    with pytest.raises(ActionRefused, match="already"):
        approve_block(by=cast.practitioner, block=block("base-heat"))
    approve_block(by=cast.manager, block=first)
    assert block("base-heat").version == 1
    with pytest.raises(ActionRefused, match="Nothing has changed"):
        write_block(by=cast.manager, code="base-heat", said=heat(hours=168))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"hours": None}, "text_en"),
        ({"hours": 2017}, "hours"),
        ({"hours": 0}, "hours"),
        ({"section": "maybe"}, "section"),
        ({"applies_to": "area:tail"}, "applies_to"),
        ({"source_refs": ()}, "source_refs"),
        ({"source_refs": ("S999a",)}, "source_refs"),
        ({"texts": {"en": "Not until {until}."}}, "text_fr"),
        ({"texts": {"en": "Painless until {until}.", "fr": "{until}"}}, "text_en"),
        ({"texts": {"en": "{until}", "fr": "{until}", "ar": "{{ until }}"}}, "text_ar"),
        ({"texts": {"en": "{until}", "fr": "{until} {secret}"}}, "text_fr"),
        ({"texts": {"en": "{until}" + "x" * 600, "fr": "{until}"}}, "text_en"),
    ],
)
def test_a_text_that_cannot_stand_is_refused(cast: Cast, changed: Any, field: str) -> None:
    assert field in block_faults(heat(**changed))
    with pytest.raises(ActionRefused):
        write_block(by=cast.manager, code="base-heat", said=heat(**changed))


def test_what_is_shipped_can_stand_in_the_clinics_own_editor() -> None:
    for row in AdviceBlock.objects.current():
        assert block_faults(text_of(row)) == {}, row.code


def test_the_founding_advice_can_be_reworded_and_nothing_else(cast: Cast) -> None:
    said = text_of(block("base-water"))
    for changed in ({"applies_to": "area:face"}, {"section": "normal"}, {"topic": "wine"}):
        with pytest.raises(ActionRefused, match="founding"):
            write_block(by=cast.manager, code="base-water", said=replace(said, **changed))
    with pytest.raises(ActionRefused, match="founding"):
        retire_block(by=cast.manager, block=block("base-water"))
    texts = {**said.texts, "en": "Drink."}
    row = write_block(by=cast.manager, code="base-water", said=replace(said, texts=texts))
    assert row.is_founding
    with pytest.raises(IntegrityError), transaction.atomic():
        AdviceBlock.objects.create(code="x", applies_to="area:face", is_founding=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        AdviceBlock.objects.create(code="x", applies_to="base", hours=2017)


def test_a_piece_taken_out_is_on_no_sheet_and_comes_back(cast: Cast, draft: Session) -> None:
    def topics() -> set[str]:
        lines = content_of(draft, language="en", at=draft.started_at)["lines"]
        return {line["topic"] for line in lines}

    alcohol = retire_block(by=cast.manager, block=block("base-alcohol"))
    assert "alcohol" not in topics()
    with pytest.raises(ActionRefused):
        retire_block(by=cast.manager, block=alcohol)
    approve_block(by=cast.practitioner, block=alcohol)
    assert "alcohol" in topics()


def test_who_may_write_and_who_may_approve(cast: Cast) -> None:
    for staff in (cast.practitioner, cast.front_desk):
        with pytest.raises(ActionRefused):
            write_block(by=staff, code="base-heat", said=heat(hours=168))
        with pytest.raises(ActionRefused):
            write_words(by=staff, language="ar", words=house_words("en"))
        with pytest.raises(ActionRefused):
            retire_block(by=staff, block=block("base-alcohol"))
    row = write_block(by=cast.manager, code="base-heat", said=heat(hours=168))
    with pytest.raises(ActionRefused):
        approve_block(by=cast.front_desk, block=row)


def test_a_language_is_offered_once_its_words_are_approved(cast: Cast) -> None:
    with pytest.raises(ActionRefused) as refused:
        write_words(by=cast.manager, language="ar", words={**house_words("en"), "last_day": "x"})
    assert refused.value.field == "last_day"
    row = write_words(by=cast.manager, language="he", words=house_words("en"))
    assert "he" not in dict(offered())
    approve_words(by=cast.practitioner, row=row)
    assert dict(offered())["he"] == "עברית"
    with pytest.raises(ActionRefused):
        write_words(by=cast.manager, language="fr", words=house_words("en"))


@pytest.mark.parametrize(
    "text",
    [
        "Painless.",
        "pain free",
        "sans douleur",
        "Indolore",
        "GUARANTEED",
        "a miracle",
        "ohne schmerzfrei",
    ],
)
def test_promises_are_found(text: str) -> None:
    assert claim_in(text)


@pytest.mark.parametrize("text", ["The pain grows.", "en cas de douleur", "garantie".upper()[:5]])
def test_plain_words_are_no_promises(text: str) -> None:
    assert not claim_in(text)


# ---- their pages in the settings ---------------------------------------------------------------


def sent(client: Client, url: str, **changed: str) -> dict[str, str]:
    """The form of a page as a browser sends it back, with changes."""
    form = client.get(url).context["form"]
    values = {bound.html_name: bound.value() for bound in form}
    return {name: str(value) for name, value in values.items() if value is not None} | changed


def test_written_looked_at_and_approved_on_the_pages(cast: Cast, client_for: ClientFor) -> None:
    client, doctor = client_for(cast.manager), client_for(cast.practitioner)
    url = reverse("sheet-texts:block", args=["base-heat"])
    changed = sent(client, url, hours="168", text_ar="لا ساونا حتى {until}.")
    shown = client.post(url, {**changed, "what": "show"}, headers={"HX-Request": "true"})
    assert "the end of" in shown.content.decode()
    assert "لا ساونا حتى" in shown.content.decode()
    assert AdviceBlock.objects.filter(code="base-heat").count() == 1
    saved = client.post(url, {**changed, "what": "save"})
    assert saved["Location"] == reverse("sheet-texts:version", args=["base-heat", 2])
    assert "Approve and use" in doctor.get(saved["Location"]).content.decode()
    assert "Version 2 waits" in client.get(reverse("sheet-texts:index")).content.decode()
    doctor.post(reverse("sheet-texts:approve", args=["base-heat", 2]))
    assert block("base-heat").approved_by == cast.practitioner
    assert doctor.get(url).status_code == 403
    assert client_for(cast.front_desk).get(reverse("sheet-texts:index")).status_code == 403


def test_refused_beside_each_field_and_nothing_lost(cast: Cast, client_for: ClientFor) -> None:
    client = client_for(cast.manager)
    url = reverse("sheet-texts:block", args=["base-heat"])
    changed = sent(client, url, text_en="Painless.", text_fr="{nothing}", source_refs="X1")
    answer = client.post(url, {**changed, "what": "save"})
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"text_en", "text_fr", "source_refs"}
    assert "{nothing}" in answer.content.decode()
    assert AdviceBlock.objects.filter(code="base-heat").count() == 1


def test_a_new_piece_of_advice_is_added(cast: Cast, client_for: ClientFor) -> None:
    client = client_for(cast.manager)
    url = reverse("sheet-texts:new")
    values = sent(
        client,
        url,
        code="cheek-pillow",
        name_en="Pillow",
        name_fr="Oreiller",
        applies_to="area:cheek",
        section="do",
        topic="pillow",
        text_en="Use a clean pillow case.",
        text_fr="Mettez une taie propre.",
    )
    assert client.post(url, {**values, "what": "save"}).status_code == 302
    row = AdviceBlock.objects.get(code="cheek-pillow")
    assert (row.version, row.is_current, row.is_founding) == (1, False, False)
    again = client.post(url, {**values, "what": "save"})
    assert set(again.context["form"].errors) == {"code"}
    assert client.get(reverse("sheet-texts:block", args=["no-such"])).status_code == 404


def test_the_list_asks_no_more_for_more_versions(cast: Cast, client_for: ClientFor) -> None:
    client, url, counts = client_for(cast.manager), reverse("sheet-texts:index"), []
    client.get(url)
    for hours in (24, 48, 96):
        write_block(by=cast.manager, code="base-heat", said=heat(hours=hours))
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        counts.append(len(queries))
    assert counts[0] == counts[2]


def test_the_words_of_a_language_on_their_page(cast: Cast, client_for: ClientFor) -> None:
    client, doctor = client_for(cast.manager), client_for(cast.practitioner)
    url = reverse("sheet-texts:words", args=["he"])
    bad = client.post(url, {**house_words("en"), "emergency": "Now", "note": ""})
    assert set(bad.context["form"].errors) == {"emergency"}
    assert client.post(url, {**house_words("en"), "note": ""}).status_code == 302
    assert doctor.post(url, {**house_words("en"), "title": "x", "note": ""}).status_code == 422
    doctor.post(reverse("sheet-texts:words-approve", args=["he", 2]))
    assert "he" in dict(offered())
    assert client.get(reverse("sheet-texts:words", args=["fr"])).status_code == 404


def test_a_sheet_is_tried_with_what_waits_and_says_what_it_leaves_unsaid(
    cast: Cast, client_for: ClientFor
) -> None:
    client, url = client_for(cast.practitioner), reverse("sheet-texts:try")
    write_block(by=cast.manager, code="base-heat", said=heat(hours=168))
    asked = {
        "areas": ["vertex"],
        "techniques": ["microneedle"],
        "substances": ["botulinum-toxin"],
        "treated_at": "2026-03-28T18:00",
        "language": "en",
    }
    page = client.get(url, asked).content.decode()
    assert "Tuesday 31 March, 19:00" in page
    assert "Left unsaid" in page
    waiting = client.get(url, {**asked, "waiting": "on"}).content.decode()
    assert "the end of Saturday 4 April" in waiting
    assert client.get(url, {**asked, "areas": "tail"}).status_code == 200
    assert client.get(url, {"treated_at": "never"}).status_code == 200
