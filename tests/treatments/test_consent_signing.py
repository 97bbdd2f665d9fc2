"""Around a signature: who may give it, what was asked before, who was there, and where it stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import segno
from django.db import connection, transaction
from django.db.utils import DatabaseError, IntegrityError
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic.errors import ActionRefused
from patients.messages.models import Message
from patients.photos.allowing import is_allowed, standing
from patients.portal.models import Link
from tests.conftest import make_patient
from tests.treatments.plan_parts import (
    D,
    accepted_plan,
    opened_consent,
    product,
    signature,
    signed_consent,
    substance,
)
from tests.treatments.test_consents import address, confirm_password, drawing, ticked
from treatments.consents.actions import (
    answer_question,
    ask_question,
    countersign,
    prepare_consent,
    send_consent,
    sign_consent,
    withdraw,
)
from treatments.consents.attending import Attendant
from treatments.consents.models import Consent, ConsentAttendant, ConsentQuestion
from treatments.plans.models import Plan
from treatments.plans.specs import MixSpec

pytestmark = pytest.mark.django_db
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><polyline points="1,1 2,2"/></svg>'


def interpreter(**changed: Any) -> Attendant:
    said = {"role": "interpreter", "name": "Sam Okoye", "capacity": "hospital service"}
    return Attendant(**{**said, "language": "Igbo", "signature_svg": SVG, "strokes": [], **changed})


def serum_plan(cast: Any, **changed: Any) -> Plan:
    """Light: one product, so that a test of a signature is not about a mix."""
    serum = product("test-serum", (substance("test-one"), "10"))
    return accepted_plan(cast, mix=[MixSpec(serum, D(3))], **changed)


class TestQuestions:
    def test_asked_answered_and_only_then_signed(self, cast: Any) -> None:
        consent = opened_consent(cast, serum_plan(cast))
        asked = ask_question(consent=consent, text=" Does it hurt? ", device="own device")
        with pytest.raises(ActionRefused, match="not answered"):
            sign_consent(**signature(consent))
        answer_question(by=cast.practitioner, question=asked, answer="A little.")
        signed = sign_consent(**signature(consent))
        for words in ("Does it hurt?", "A little.", "Ada Rossi"):
            assert words in signed.document.html

    def test_a_new_text_does_not_shake_a_question_off(self, cast: Any) -> None:
        plan = serum_plan(cast)
        asked = ask_question(consent=opened_consent(cast, plan), text="Why?", device="")
        french = opened_consent(cast, plan, "fr")
        with pytest.raises(ActionRefused, match="not answered"):
            sign_consent(**signature(french))
        answer_question(by=cast.practitioner, question=asked, answer="Because.")
        assert "Because." in sign_consent(**signature(french)).document.html

    def test_who_answers_and_what_is_refused(self, cast: Any) -> None:
        consent = opened_consent(cast, serum_plan(cast))
        for text in ("", "x" * 1001):
            with pytest.raises(ActionRefused):
                ask_question(consent=consent, text=text, device="")
        asked = ask_question(consent=consent, text="Why?", device="")
        for staff in (cast.front_desk, cast.manager):
            with pytest.raises(ActionRefused, match="Only a practitioner"):
                answer_question(by=staff, question=asked, answer="So.")
        with pytest.raises(ActionRefused):
            answer_question(by=cast.practitioner, question=asked, answer=" ")
        answer_question(by=cast.practitioner, question=asked, answer="So.")
        with pytest.raises(ActionRefused, match="already been answered"):
            answer_question(by=cast.practitioner, question=asked, answer="Otherwise.")
        sign_consent(**signature(consent))
        with pytest.raises(ActionRefused, match="already been signed"):
            ask_question(consent=consent, text="And now?", device="")

    def test_neither_question_nor_answer_changes_afterwards(self, cast: Any) -> None:
        consent = opened_consent(cast, serum_plan(cast))
        asked = ask_question(consent=consent, text="Why?", device="")
        row = ConsentQuestion.objects.filter(pk=asked.pk)
        assert row.update(text="Why not?") == 1  # the negative control: it is still open
        answer_question(by=cast.practitioner, question=asked, answer="So.")
        for change in ({"text": "What?"}, {"answer": "Never."}):
            with pytest.raises(DatabaseError), transaction.atomic():
                row.update(**change)
        sign_consent(**signature(consent))
        with pytest.raises(DatabaseError), transaction.atomic():
            ConsentQuestion.objects.create(consent=consent, text="x", asked_at=timezone.now())

    def test_on_both_sides_of_the_counter(self, cast: Any, client_for: Any) -> None:
        consent = opened_consent(cast, serum_plan(cast))
        client = client_for(cast.practitioner)
        noted = client.post(address(consent, "note-question"), {"asked-text": "Will it bruise?"})
        assert noted.status_code == 302
        page = client.get(address(consent)).content.decode()
        assert "Will it bruise?" in page
        asked = ConsentQuestion.objects.get()
        url = reverse("consents:answer", args=[consent.patient.number, consent.pk, asked.pk])
        assert client_for(cast.front_desk).post(url, {"answer": "No"}).status_code == 403
        empty = client.post(url, {"answer": ""})
        assert empty.status_code == 422
        assert f"answer-{asked.pk}-error" in empty.content.decode()
        assert client.post(url, {"answer": "For some days."}).status_code == 302
        assert "For some days." in client.get(address(consent, "sign")).content.decode()


class TestPhotos:
    def test_each_use_is_chosen_and_counts_at_once(self, cast: Any) -> None:
        consent = opened_consent(cast, serum_plan(cast))
        with pytest.raises(ActionRefused) as refused:
            sign_consent(**signature(consent, photos={"record": True, "teaching": True}))
        assert refused.value.field == "photo_publicity"
        assert standing(cast.patient)["record"] is None
        chosen = {"record": True, "teaching": True, "publicity": False}
        signed = sign_consent(**signature(consent, photos=chosen))
        assert signed.photo_choices == chosen
        assert is_allowed(cast.patient, "teaching")
        assert not is_allowed(cast.patient, "publicity")
        last = standing(cast.patient)["teaching"]
        assert last is not None
        assert (last.how, last.recorded_by) == ("consent", None)
        assert "For publicity" in signed.document.html

    def test_withdrawing_the_consent_leaves_them_as_they_are(self, cast: Any) -> None:
        consent = signed_consent(cast, serum_plan(cast))
        withdraw(consent=consent)
        assert is_allowed(cast.patient, "record")


class TestWhoWasThere:
    def test_an_interpreter_and_a_witness_sign_for_themselves(self, cast: Any) -> None:
        consent = opened_consent(cast, serum_plan(cast))
        witness = interpreter(role="witness", name="Lea Martin", capacity="sister", language="")
        signed = sign_consent(**signature(consent), attendants=[interpreter(), witness])
        assert [one.role for one in signed.attendants.all()] == ["interpreter", "witness"]
        for words in ("Sam Okoye", "Igbo", "hospital service", "Lea Martin", "sister"):
            assert words in signed.document.html
        assert signed.document.html.count("<polyline") == 2

    @pytest.mark.parametrize("lacking", ["name", "capacity", "language", "signature_svg"])
    def test_half_an_interpreter_is_refused_and_nothing_is_kept(
        self, cast: Any, lacking: str
    ) -> None:
        consent = opened_consent(cast, serum_plan(cast))
        with pytest.raises(ActionRefused) as refused:
            sign_consent(**signature(consent), attendants=[interpreter(**{lacking: ""})])
        assert refused.value.field == f"interpreter_{lacking.removesuffix('_svg')}"
        consent.refresh_from_db()
        assert consent.signed_at is None
        assert not consent.attendants.exists()

    def test_on_the_clinics_tablet(self, cast: Any, client_for: Any) -> None:
        consent = opened_consent(cast, serum_plan(cast))
        client = client_for(cast.practitioner)
        sent = ticked(
            consent,
            interpreter_name="Sam Okoye",
            interpreter_capacity="hospital service",
            interpreter_language="Igbo",
            interpreter_signature_strokes=drawing(),
        )
        assert client.post(address(consent, "sign"), sent).status_code == 302
        assert consent.attendants.get().language == "Igbo"


class TestTheSignatureStays:
    """A signature or a row moved to another consent or patient is refused by the database."""

    def refused(self, rows: Any, **change: Any) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**change)

    def test_signed_rows_do_not_move(self, cast: Any) -> None:
        other = make_patient(cast.here, "Otto", "Other")
        theirs = opened_consent(cast, serum_plan(cast, patient=other))
        mine = sign_consent(
            **signature(opened_consent(cast, serum_plan(cast))), attendants=[interpreter()]
        )
        rows = Consent.objects.filter(pk=mine.pk)
        for change in (
            {"patient_id": other.pk},
            {"plan_id": theirs.plan_id},
            {"signature_svg": ""},
            {"signed_name": "Otto Other"},
            {"binding": "0" * 64},
            {"html": "<p>other</p>"},
        ):
            self.refused(rows, **change)
        attendants = ConsentAttendant.objects.filter(consent=mine)
        self.refused(attendants, consent_id=theirs.pk)
        self.refused(attendants, name="Somebody Else")
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.delete()

    def test_a_copied_signature_does_not_fit_elsewhere(self, cast: Any) -> None:
        mine = signed_consent(cast, serum_plan(cast))
        other = make_patient(cast.here, "Otto", "Other")
        theirs = opened_consent(cast, serum_plan(cast, patient=other))
        copied = {
            name: getattr(mine, name)
            for name in ("signed_at", "signed_name", "method", "signature_svg", "binding")
        }
        copied["signed_at"] = timezone.now()
        row = Consent.objects.filter(pk=theirs.pk)
        with pytest.raises(IntegrityError, match="signature_is_its_own"), transaction.atomic():
            row.update(**copied)
        # The negative control: the same write with what ties it to this row is taken.
        theirs.signed_name, theirs.signature_svg = mine.signed_name, mine.signature_svg
        assert row.update(**{**copied, "binding": theirs.own_binding}) == 1

    def test_nor_does_an_attendants(self, cast: Any) -> None:
        consent = opened_consent(cast, serum_plan(cast))
        row = ConsentAttendant(
            consent=consent,
            role="witness",
            name="Lea Martin",
            capacity="sister",
            signature_svg=SVG,
            signature_strokes=[],
        )
        row.binding = "0" * 64
        with pytest.raises(IntegrityError, match="attendant_is_its_own"), transaction.atomic():
            row.save()
        row.binding = row.own_binding
        row.save()

    def test_a_consent_is_of_its_plans_patient(self, cast: Any) -> None:
        other = make_patient(cast.here, "Otto", "Other")
        consent = opened_consent(cast, serum_plan(cast))
        Consent.objects.filter(pk=consent.pk).update(patient=other)
        consent.refresh_from_db()
        with pytest.raises(DatabaseError, match="another patient"), transaction.atomic():
            sign_consent(**signature(consent))

    def test_unread_cannot_be_signed_even_by_hand(self, cast: Any) -> None:
        consent = prepare_consent(by=cast.practitioner, plan=serum_plan(cast), language="en")
        consent.signed_name = "Élodie Martin"
        with pytest.raises(IntegrityError, match="read_before_signed"), transaction.atomic():
            Consent.objects.filter(pk=consent.pk).update(
                signed_at=timezone.now(),
                signed_name=consent.signed_name,
                method="typed",
                binding=consent.own_binding,
            )

    def test_a_withdrawal_is_not_taken_back(self, cast: Any) -> None:
        consent = withdraw(consent=signed_consent(cast, serum_plan(cast)), reason="No more")
        rows = Consent.objects.filter(pk=consent.pk)
        self.refused(rows, withdrawn_at=None)
        self.refused(rows, withdrawal_reason="")


class TestCountersigning:
    def test_nobody_but_who_treats(self, cast: Any) -> None:
        consent = signed_consent(cast, serum_plan(cast))
        with pytest.raises(ActionRefused, match="Only Ada Rossi"):
            countersign(by=cast.colleague, consent=consent)
        with pytest.raises(IntegrityError, match="by_who_treats"), transaction.atomic():
            Consent.objects.filter(pk=consent.pk).update(
                countersigned_at=timezone.now(), countersigned_by=cast.colleague
            )
        countersign(by=cast.practitioner, consent=consent)
        for change in ({"countersigned_by": cast.colleague}, {"countersignature_svg": SVG}):
            with pytest.raises(DatabaseError), transaction.atomic():
                Consent.objects.filter(pk=consent.pk).update(**change)

    def test_a_colleague_who_takes_over_is_named_in_a_text_of_their_own(self, cast: Any) -> None:
        plan = serum_plan(cast)
        first = prepare_consent(by=cast.practitioner, plan=plan, language="en")
        second = prepare_consent(
            by=cast.practitioner, plan=plan, language="en", practitioner=cast.colleague
        )
        assert first != second
        assert cast.colleague.name in second.html
        with pytest.raises(ActionRefused, match="Only a practitioner treats"):
            prepare_consent(
                by=cast.practitioner, plan=plan, language="en", practitioner=cast.manager
            )

    def test_the_password_is_asked_for_and_the_drawing_waits(
        self, cast: Any, client_for: Any
    ) -> None:
        consent = signed_consent(cast, serum_plan(cast))
        client = client_for(cast.practitioner)
        url = address(consent, "countersign")
        away = client.post(url, {"signature_strokes": drawing()})
        assert away["Location"].startswith(reverse("account_reauthenticate"))
        consent.refresh_from_db()
        assert consent.countersigned_at is None
        wrong = client.post(away["Location"], {"password": "not it"})
        assert wrong.status_code == 200
        consent.refresh_from_db()
        assert consent.countersigned_at is None
        confirm_password(client)
        assert client.post(url, {"signature_strokes": ""}).status_code == 422
        assert client.post(url, {"signature_strokes": drawing()}).status_code == 302
        consent.refresh_from_db()
        assert consent.countersigned_by == cast.practitioner

    def test_a_colleague_is_told_who_can(self, cast: Any, client_for: Any) -> None:
        consent = signed_consent(cast, serum_plan(cast))
        client = client_for(cast.colleague)
        confirm_password(client)
        assert "Only Ada Rossi" in client.get(address(consent, "countersign")).content.decode()
        sent = client.post(address(consent, "countersign"), {"signature_strokes": drawing()})
        assert sent.status_code == 422


class TestTheDesk:
    def test_sees_what_waits_without_a_clinical_word(self, cast: Any, client_for: Any) -> None:
        plan = serum_plan(cast, title="Secret matter")
        client = client_for(cast.front_desk)
        url = reverse("consents:to-sign", args=[cast.patient.number])
        assert "Consent to be signed" not in client.get(url).content.decode()
        prepare_consent(by=cast.practitioner, plan=plan, language="en")
        page = client.get(url).content.decode()
        assert "Consent to be signed" in page
        assert "Secret" not in page
        assert "test-one" not in page
        assert "Consent to be signed" not in (
            client_for(cast.practitioner).get(url).content.decode()
        )
        assert client_for(cast.manager).get(url).status_code == 403
        assert client_for(cast.front_desk2).get(url).status_code == 404

    def test_the_cost_does_not_grow(self, cast: Any, client_for: Any) -> None:
        client, counts = client_for(cast.front_desk), []
        url = reverse("consents:to-sign", args=[cast.patient.number])
        client.get(url)  # the session is written once
        for _number in range(3):
            prepare_consent(by=cast.practitioner, plan=serum_plan(cast), language="en")
            with CaptureQueriesContext(connection) as queries:
                client.get(url)
            counts.append(len(queries))
        assert counts[0] == counts[2]

    def test_sends_it(self, cast: Any, client_for: Any) -> None:
        consent = prepare_consent(by=cast.practitioner, plan=serum_plan(cast), language="en")
        response = client_for(cast.front_desk).post(address(consent, "send"))
        assert response["Location"] == reverse("patients:detail", args=[cast.patient.number])
        first = Consent.objects.get(pk=consent.pk).sent_at
        assert first is not None
        assert Message.objects.filter(patient=cast.patient, kind="link").count() == 1
        later = send_consent(by=cast.front_desk, consent=consent, at=first + timedelta(hours=2))
        assert later.sent_at == first

    def test_hands_the_device_over_and_is_signed_out(self, cast: Any, client_for: Any) -> None:
        consent = prepare_consent(by=cast.practitioner, plan=serum_plan(cast), language="en")
        other = prepare_consent(by=cast.practitioner, plan=serum_plan(cast), language="en")
        client = client_for(cast.front_desk)
        page = client.post(address(consent, "hand-over"), follow=True)
        assert "Open the text" in page.content.decode()
        here = page.redirect_chain[-1][0]
        token = here.split("/")[2]
        assert client.get(reverse("diary:today")).status_code == 302
        opened = client.post(reverse("my-consents:open", args=[token, consent.pk]), follow=True)
        assert "An interpreter was here" in opened.content.decode()
        assert 'data-idle="300"' in opened.content.decode()
        away = client.get(reverse("my-consents:read", args=[token, other.pk]))
        assert away["Location"] == reverse("my-consents:handed", args=[token, consent.pk])
        assert client.get(reverse("portal:home", args=[token])).status_code == 302
        done = client.post(here, ticked(consent), follow=True).content.decode()
        assert "Thank you" in done
        consent.refresh_from_db()
        assert consent.signed_on_device == "clinic device"
        back = client.post(reverse("my-consents:handed", args=[token, consent.pk]))
        assert back["Location"] == reverse("account_login")
        assert client.get(here)["Location"] == reverse("account_login")


class TestAPractitionersDay:
    def test_questions_and_signatures_wait_there(self, cast: Any, client_for: Any) -> None:
        client, url = client_for(cast.practitioner), reverse("consents:mine")
        assert "panel" not in client.get(url).content.decode()
        counts = []
        for number in range(3):
            patient = make_patient(cast.here, f"Given{number}", "Asking")
            consent = opened_consent(cast, serum_plan(cast, patient=patient))
            ask_question(consent=consent, text="Does it hurt?", device="")
            other = make_patient(cast.here, f"Given{number}", "Signed")
            signed_consent(cast, serum_plan(cast, patient=other))
            with CaptureQueriesContext(connection) as queries:
                page = client.get(url).content.decode()
            counts.append(len(queries))
            assert page.count("ASKING") == number + 1
            assert page.count("SIGNED") == number + 1
        assert counts[0] == counts[2]
        assert "SIGNED" not in client_for(cast.colleague).get(url).content.decode()
        there = client_for(cast.practitioner2).get(url).content.decode()
        assert "ASKING" not in there
        assert client_for(cast.front_desk).get(url).status_code == 403


class TestOnTheirPhoneByCode:
    def opened(self, cast: Any, client: Client, consent: Consent, monkeypatch: Any) -> str:
        """The address in the code, which stands in the drawing alone."""
        shown: list[str] = []
        make = segno.make
        monkeypatch.setattr(
            segno, "make", lambda text, **how: (shown.append(text), make(text, **how))[1]
        )
        page = client.post(address(consent, "code"))
        assert shown[0] not in page.content.decode()
        return shown[0].removeprefix("http://testserver").split("/my/")[1]

    def test_signed_there_and_seen_at_the_desk(
        self, cast: Any, client_for: Any, monkeypatch: Any
    ) -> None:
        consent = prepare_consent(by=cast.practitioner, plan=serum_plan(cast), language="en")
        other = prepare_consent(by=cast.practitioner, plan=serum_plan(cast), language="en")
        desk, phone = client_for(cast.front_desk), Client()
        url = "/my/" + self.opened(cast, desk, consent, monkeypatch)
        token = url.split("/")[2]
        asked = phone.get(url)
        assert asked["Location"].startswith(reverse("portal:prove", args=[token]))
        born = cast.patient.birth_date
        sent = {"birth_date_0": born.day, "birth_date_1": born.month, "birth_date_2": born.year}
        page = phone.post(asked["Location"], sent, follow=True).content.decode()
        assert "Open the text" in page
        phone.post(reverse("my-consents:open", args=[token, consent.pk]))
        state = address(consent, "state")
        assert "Opened by the patient" in desk.get(state).content.decode()
        for name, of in (("read", other), ("withdraw", consent), ("handed", consent)):
            method = phone.post if name == "withdraw" else phone.get
            assert method(reverse(f"my-consents:{name}", args=[token, of.pk])).status_code == 302
        assert phone.get(reverse("portal:home", args=[token]))["Location"] == url
        assert phone.post(url, ticked(consent)).status_code == 302
        assert "Signed at" in desk.get(state).content.decode()
        consent.refresh_from_db()
        other.refresh_from_db()
        assert (consent.signed_on_device, other.signed_at) == ("own device", None)

    def test_a_new_code_closes_the_old_one_and_it_ends_soon(
        self, cast: Any, client_for: Any, monkeypatch: Any
    ) -> None:
        consent = prepare_consent(by=cast.practitioner, plan=serum_plan(cast), language="en")
        desk = client_for(cast.front_desk)
        old = "/my/" + self.opened(cast, desk, consent, monkeypatch)
        desk.post(address(consent, "code"))
        assert Client().get(old).status_code == 404
        link = Link.objects.latest("pk")
        assert link.expires_at - link.created_at <= timedelta(minutes=16)
        assert link.only == str(consent.pk)

    def test_wrong_birth_dates_close_it(self, cast: Any, client_for: Any, monkeypatch: Any) -> None:
        consent = prepare_consent(by=cast.practitioner, plan=serum_plan(cast), language="en")
        desk, phone = client_for(cast.front_desk), Client()
        url = "/my/" + self.opened(cast, desk, consent, monkeypatch)
        prove = reverse("portal:prove", args=[url.split("/")[2]])
        for _number in range(5):
            wrong = {"birth_date_0": 1, "birth_date_1": 1, "birth_date_2": 1931}
            assert phone.post(prove, wrong).status_code == 422
        assert phone.get(url).status_code == 404
