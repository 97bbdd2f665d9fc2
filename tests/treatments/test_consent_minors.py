"""A minor's consent: who signs beside them, and what the database itself refuses.

Next to each refusal stands the nearest case that is allowed.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from clinic.errors import ActionRefused
from clinic.places.models import CountryProfile
from patients.registry.models import Patient
from tests.conftest import make_patient
from tests.treatments.plan_parts import hand_in_history, opened_consent, signature, signed_consent
from tests.treatments.test_consent_proof import rendered
from tests.treatments.test_consent_signing import SVG, interpreter, serum_plan
from tests.treatments.test_consents import (
    address,
    confirm_password,
    drawing,
    on_the_phone,
    state,
    ticked,
)
from treatments.consents.actions import (
    countersign,
    prepare_consent,
    sign_as_attendant,
    sign_consent,
    waive_attendant,
    withdraw,
)
from treatments.consents.ages import is_minor
from treatments.consents.attending import Attendant
from treatments.consents.coverage import coverage
from treatments.consents.models import Consent, ConsentAttendant
from treatments.consents.text import compose
from treatments.consents.wording import Wording
from treatments.plans.models import Plan

pytestmark = pytest.mark.django_db


def mother(**changed: Any) -> Attendant:
    said = {"role": "guardian", "name": "Claire Young", "capacity": "mother"}
    drawn = {"identity": "document", "signature_svg": SVG, "strokes": []}
    return Attendant(**{**said, **drawn, **changed})


def years_ago(years: int, days: int = 0) -> date:
    today = timezone.localdate()
    return today.replace(year=today.year - years) + timedelta(days=days)


@pytest.fixture
def minor(cast: Any) -> Patient:
    patient = make_patient(cast.here, "Otto", "Young", birth_date=years_ago(15))
    hand_in_history(patient)
    return patient


@pytest.fixture
def plan(cast: Any, minor: Patient) -> Plan:
    return serum_plan(cast, patient=minor)


@pytest.fixture
def paper(cast: Any, plan: Plan) -> Consent:
    return opened_consent(cast, plan)


def given(consent: Consent, **changed: Any) -> dict[str, Any]:
    return signature(consent, **{"signed_name": "Otto Young", "attendants": [mother()], **changed})


def sent(consent: Consent, **changed: Any) -> dict[str, Any]:
    """What the page of a minor sends."""
    return ticked(
        consent,
        **{
            "signed_name": "Otto Young",
            "guardian_name": "Claire Young",
            "guardian_capacity": "mother",
            "guardian_identity": "document",
            "guardian_signature_strokes": drawing(),
            **changed,
        },
    )


def evidence(consent: Consent) -> str:
    """The words of the last two pages, where what proves a consent stands."""
    pages = PdfReader(BytesIO(rendered(consent.document))).pages[-2:]
    return " ".join(" ".join(page.extract_text() for page in pages).split())


class TestAge:
    @pytest.mark.parametrize(("days", "minor"), [(-1, False), (0, False), (1, True), (400, True)])
    def test_by_the_day_and_the_country(self, cast: Any, days: int, minor: bool) -> None:
        patient = make_patient(cast.here, birth_date=years_ago(18, days))
        now = timezone.now()
        assert is_minor(patient, cast.here, now) is minor
        cast.here.country.age_of_majority = 16
        assert is_minor(patient, cast.here, now) is False

    def test_by_the_clock_of_the_place(self, cast: Any) -> None:
        """23:30 in universal time is the birthday already in Paris."""
        patient = make_patient(cast.here, birth_date=date(2008, 7, 2))
        eve = datetime.fromisoformat("2026-07-01T23:30:00+00:00")
        assert not is_minor(patient, cast.here, eve)
        assert is_minor(patient, cast.here, eve - timedelta(hours=2))

    def test_an_impossible_age_is_refused(self) -> None:
        rows = CountryProfile.objects.filter(pk="FR")
        assert rows.update(age_of_majority=21) == 1
        with pytest.raises(IntegrityError, match="age_of_majority"), transaction.atomic():
            rows.update(age_of_majority=0)


class TestSigning:
    def test_with_a_holder_who_is_named_everywhere(self, cast: Any, paper: Consent) -> None:
        assert paper.is_of_minor
        assert paper.statements[-1]["code"] == "guardian"
        assert "A holder of parental authority signs beside the patient" in paper.html
        signed = sign_consent(**given(paper))
        one = signed.attendants.get()
        assert (one.role, one.identity, one.signed_on_device) == ("guardian", "document", "tablet")
        assert one.statement == paper.statements[-1]["text"]
        for words in ("Claire Young", "mother", "identity document seen at the clinic"):
            assert words in signed.document.html
        assert coverage(signed.patient, signed.plan, timezone.now()).is_covered

    def test_on_the_evidence_page_under_the_seal(self, paper: Consent) -> None:
        signed = sign_consent(**given(paper))
        plain = evidence(signed)
        binding = signed.attendants.get().binding
        for words in ("Otto Young", "Claire Young", "mother", "identity document", binding):
            assert words in plain, words

    @pytest.mark.parametrize("lacking", ["name", "capacity", "identity", "signature_svg"])
    def test_not_without(self, paper: Consent, lacking: str) -> None:
        with pytest.raises(ActionRefused, match="parental authority must sign"):
            sign_consent(**given(paper, attendants=[]))
        with pytest.raises(ActionRefused) as refused:
            sign_consent(**given(paper, attendants=[mother(**{lacking: ""})]))
        assert refused.value.field == f"guardian_{lacking.removesuffix('_svg')}"
        paper.refresh_from_db()
        assert (paper.signed_at, paper.attendants.count()) == (None, 0)

    def test_nobody_beside_who_is_of_age(self, cast: Any) -> None:
        consent = opened_consent(cast, serum_plan(cast))
        assert "guardian" not in [one["code"] for one in consent.statements]
        assert "parental" not in consent.html
        with pytest.raises(ActionRefused, match="signs alone"):
            sign_consent(**signature(consent, attendants=[mother()]))
        with pytest.raises(ActionRefused, match="Sign in the box"):
            sign_consent(**signature(consent, method="parent", unsigned_because="Shy"))
        sign_consent(**signature(consent))

    def test_a_minor_who_does_not_sign_has_a_reason(self, paper: Consent) -> None:
        for wrong in (
            {"method": "parent"},
            {"method": "drawn", "unsigned_because": "Too young"},
            {"method": "parent", "unsigned_because": "x" * 301},
        ):
            with pytest.raises(ActionRefused) as refused:
                sign_consent(**given(paper, **wrong))
            assert refused.value.field == "unsigned_because"
        signed = sign_consent(**given(paper, method="parent", unsigned_because="Broken arm"))
        assert (signed.signed_name, signed.signature_svg) == ("Claire Young", "")
        assert "Broken arm" in signed.document.html

    def test_a_text_for_another_age_is_prepared_again(
        self, cast: Any, minor: Patient, plan: Plan, paper: Consent
    ) -> None:
        Patient.objects.filter(pk=minor.pk).update(birth_date=years_ago(18))
        with pytest.raises(ActionRefused, match="another age"):
            sign_consent(**given(paper))
        plan.refresh_from_db()
        again = opened_consent(cast, Plan.objects.get(pk=plan.pk))
        assert (again.pk == paper.pk, again.is_of_minor) == (False, False)
        assert sign_consent(**signature(again)).signed_at

    def test_of_age_in_the_middle_of_a_course_asks_again(self, plan: Plan, paper: Consent) -> None:
        sign_consent(**given(paper))
        assert state(plan) == "covered"
        Patient.objects.filter(pk=plan.patient_id).update(birth_date=years_ago(18))
        assert state(Plan.objects.get(pk=plan.pk)) == "age"

    def test_a_corrected_birth_date_finds_the_missing_holder(self, cast: Any) -> None:
        consent = signed_consent(cast, serum_plan(cast))
        assert state(consent.plan) == "covered"
        Patient.objects.filter(pk=cast.patient.pk).update(birth_date=years_ago(15))
        assert state(Plan.objects.get(pk=consent.plan_id)) == "age"

    def test_a_text_of_the_clinics_own_says_the_sentence(self, cast: Any, plan: Plan) -> None:
        """Texts written before there was one have the usual sentence; a clinic's own goes first."""
        template = opened_consent(cast, plan).template
        assert template is not None
        assert "guardian" not in template.statements
        own = Wording(
            template.texts, {**template.statements, "guardian": "I am the parent."}, "Off label."
        )
        text = compose(plan, "en", own, minor=True)
        assert text.statements[-1] == {"code": "guardian", "text": "I am the parent."}


class TestTheDatabase:
    """What a hand on the tables would get past the action is refused there."""

    def by_hand(self, paper: Consent, **changed: Any) -> Any:
        paper.signed_name, paper.method, paper.signature_svg = "Otto", "drawn", SVG
        values = {
            "signed_at": timezone.now(),
            "signed_name": "Otto",
            "method": "drawn",
            "signature_svg": SVG,
            "binding": paper.own_binding,
        }
        return Consent.objects.filter(pk=paper.pk).update(**{**values, **changed})

    def beside(self, paper: Consent, **changed: Any) -> ConsentAttendant:
        said = {"role": "guardian", "name": "Claire", "capacity": "mother", "identity": "known"}
        drawn = {"signature_svg": SVG, "signature_strokes": []}
        row = ConsentAttendant(consent=paper, **{**said, **drawn, **changed})
        row.binding = row.own_binding
        row.save()
        return row

    def test_a_minors_signature_alone(self, paper: Consent) -> None:
        with pytest.raises(IntegrityError, match="parental authority"), transaction.atomic():
            self.by_hand(paper)
        with pytest.raises(IntegrityError, match="parental authority"), transaction.atomic():
            self.by_hand(paper, is_of_minor=False)
        self.beside(paper)
        assert self.by_hand(paper) == 1

    def test_an_adults_signature_needs_nobody(self, cast: Any) -> None:
        assert self.by_hand(opened_consent(cast, serum_plan(cast))) == 1

    def test_a_holder_nobody_identified(self, paper: Consent) -> None:
        with pytest.raises(IntegrityError, match="guardian_is_identified"), transaction.atomic():
            self.beside(paper, identity="")

    def test_a_minor_left_out_without_a_reason(self, paper: Consent) -> None:
        self.beside(paper)
        paper.signed_name, paper.signature_svg = "Otto", ""
        left_out = {"method": "parent", "signature_svg": ""}
        with pytest.raises(IntegrityError, match="minor_has_reason"), transaction.atomic():
            self.by_hand(paper, **left_out, binding=paper.own_binding)

    def test_one_who_signs_after_is_awaited(self, cast: Any) -> None:
        consent = opened_consent(cast, serum_plan(cast))
        sign_consent(**signature(consent), awaits=["witness"])
        interprets = {"role": "interpreter", "language": "Igbo", "identity": ""}
        with pytest.raises(IntegrityError, match="waits for no"), transaction.atomic():
            self.beside(consent, **interprets)
        self.beside(consent, role="witness", identity="")

    def test_a_countersignature_comes_last(self, cast: Any, paper: Consent) -> None:
        sign_consent(**given(paper, attendants=[mother(identity="link")]), awaits=["witness"])
        rows = Consent.objects.filter(pk=paper.pk)
        done = {"countersigned_at": timezone.now(), "countersigned_by": cast.practitioner}
        with pytest.raises(IntegrityError, match="still waits"), transaction.atomic():
            rows.update(**done, identity_seen="known")
        self.beside(paper, role="witness", identity="")
        with pytest.raises(IntegrityError, match="nobody has seen"), transaction.atomic():
            rows.update(**done)
        assert rows.update(**done, identity_seen="known") == 1


class TestPages:
    def test_on_the_clinics_tablet(self, cast: Any, client_for: Any, paper: Consent) -> None:
        client = client_for(cast.practitioner)
        url = address(paper, "sign")
        page = client.get(url).content.decode()
        assert "Holder of parental authority" in page
        assert 'name="guardian_identity"' in page
        for wrong in (
            {"guardian_signature_strokes": ""},
            {"guardian_identity": ""},
            {"signature_strokes": ""},
        ):
            assert client.post(url, sent(paper, **wrong)).status_code == 422
        assert client.post(url, sent(paper)).status_code == 302
        detail = client.get(address(paper)).content.decode()
        assert "Claire Young, mother" in detail

    def test_on_the_parents_own_phone_and_seen_at_the_clinic(
        self, cast: Any, client_for: Any, minor: Patient, paper: Consent
    ) -> None:
        phone, token = on_the_phone(minor)
        url = reverse("my-consents:read", args=[token, paper.pk])
        page = phone.get(url).content.decode()
        assert "bring an identity document" in page
        assert 'name="guardian_identity"' not in page
        # What a phone says of an identity document counts for nothing.
        assert phone.post(url, sent(paper, guardian_identity="document")).status_code == 302
        assert paper.attendants.get().identity == "link"
        with pytest.raises(ActionRefused) as refused:
            countersign(by=cast.practitioner, consent=paper, identity_seen="link")
        assert refused.value.field == "identity_seen"
        client = client_for(cast.practitioner)
        confirm_password(client)
        here = address(paper, "countersign")
        assert "Claire Young (mother)" in client.get(here).content.decode()
        drawn = {"signature_strokes": drawing(), "signature_typed": ""}
        assert client.post(here, drawn).status_code == 422
        assert client.post(here, {**drawn, "identity_seen": "document"}).status_code == 302
        paper.refresh_from_db()
        assert paper.identity_seen == "document"
        assert "identity document seen at the clinic" in paper.document.html

    def test_a_minor_who_does_not_sign_by_the_page(self, minor: Patient, paper: Consent) -> None:
        phone, token = on_the_phone(minor)
        url = reverse("my-consents:read", args=[token, paper.pk])
        left_out = sent(paper, signature_strokes="", unsigned_because="Cannot write yet")
        assert phone.post(url, left_out).status_code == 302
        paper.refresh_from_db()
        assert (paper.method, paper.signed_name) == ("parent", "Claire Young")


class TestWhoSignsAfter:
    def signed(self, cast: Any, *awaits: str) -> Consent:
        return sign_consent(**signature(opened_consent(cast, serum_plan(cast))), awaits=awaits)

    def test_on_the_same_phone(self, cast: Any) -> None:
        consent = opened_consent(cast, serum_plan(cast))
        phone, token = on_the_phone(cast.patient)
        url = reverse("my-consents:read", args=[token, consent.pk])
        assert "An interpreter is here" in phone.get(url).content.decode()
        assert phone.post(url, ticked(consent, interpreter_after="on")).status_code == 302
        beside = reverse("my-consents:attend", args=[token, consent.pk, "interpreter"])
        assert beside in phone.get(url).content.decode()
        page = phone.get(beside).content.decode()
        assert "I translated the text" in page
        said = {
            "interpreter_name": "Sam Okoye",
            "interpreter_capacity": "hospital service",
            "interpreter_language": "Igbo",
            "interpreter_signature_strokes": drawing(),
        }
        for name in said:
            assert phone.post(beside, {**said, name: ""}).status_code == 422
        assert phone.post(beside, said).status_code == 302
        one = consent.attendants.get()
        assert (one.language, one.signed_on_device) == ("Igbo", "own device")
        assert beside not in phone.get(url).content.decode()
        assert phone.post(beside, said).status_code == 422
        consent.refresh_from_db()
        assert "Sam Okoye" in consent.document.html
        guardian = reverse("my-consents:attend", args=[token, consent.pk, "guardian"])
        assert phone.get(guardian).status_code == 404

    def test_on_the_clinics_tablet(self, cast: Any, client_for: Any) -> None:
        consent = self.signed(cast, "witness")
        desk = client_for(cast.front_desk)
        url = reverse("consents:attend", args=[consent.patient.number, consent.pk, "witness"])
        asked = reverse("consents:to-sign", args=[consent.patient.number])
        assert url in desk.get(asked).content.decode()
        said = {"witness_name": "Lea Martin", "witness_capacity": "sister"}
        typed = {"witness_signature_strokes": "", "witness_signature_typed": "Lea Martin"}
        assert desk.post(url, {**said, **typed}).status_code == 302
        one = consent.attendants.get()
        assert (one.method, one.signed_on_device) == ("typed", "clinic device")
        assert url not in desk.get(asked).content.decode()

    def test_the_countersignature_waits(self, cast: Any, client_for: Any) -> None:
        consent = self.signed(cast, "interpreter", "witness", "guardian", "stranger")
        assert consent.missing_roles == ["interpreter", "witness"]
        client = client_for(cast.practitioner)
        page = client.get(address(consent)).content.decode()
        assert "The countersignature waits" in page
        assert address(consent, "countersign") not in page
        with pytest.raises(ActionRefused, match="has not signed yet"):
            countersign(by=cast.practitioner, consent=consent)
        sign_as_attendant(consent=consent, attendant=interpreter())
        with pytest.raises(ActionRefused, match="has not signed yet"):
            countersign(by=cast.practitioner, consent=consent)
        with pytest.raises(ActionRefused, match="Only a practitioner"):
            waive_attendant(by=cast.front_desk, consent=consent, role="witness", reason="Left")
        waive = reverse("consents:waive", args=[consent.patient.number, consent.pk, "witness"])
        assert client.post(waive, {"reason": ""}).status_code == 422
        assert client.post(waive, {"reason": "Had to catch a train"}).status_code == 302
        done = countersign(by=cast.practitioner, consent=consent)
        assert done.countersigned_at
        plain = evidence(done)
        for words in ("Sam Okoye", "Igbo", "catch a train"):
            assert words in plain, words

    def test_nobody_signs_once_it_is_over(self, cast: Any) -> None:
        consent = self.signed(cast, "witness")
        withdraw(consent=consent)
        witness = interpreter(role="witness", language="")
        with pytest.raises(ActionRefused, match="any more"):
            sign_as_attendant(consent=consent, attendant=witness)
        with pytest.raises(ActionRefused, match="Nobody waits"):
            waive_attendant(by=cast.practitioner, consent=consent, role="witness", reason="Left")


class TestWithdrawn:
    def test_the_visit_asks_to_call(self, cast: Any, client_for: Any) -> None:
        consent = signed_consent(cast, serum_plan(cast))
        url = reverse("consents:to-call", args=[consent.patient.number])
        desk = client_for(cast.front_desk)
        assert "call" not in desk.get(url).content.decode()
        withdraw(consent=consent, reason="SECRET")
        page = desk.get(url).content.decode()
        assert "Please call" in page
        assert "SECRET" not in page

    def test_the_open_session_is_told(self, cast: Any, client_for: Any) -> None:
        consent = signed_consent(cast, serum_plan(cast))
        url = address(consent, "standing")
        client = client_for(cast.practitioner)
        assert 'role="alert"' not in client.get(url).content.decode()
        withdraw(consent=consent, reason="It hurts")
        page = client.get(url).content.decode()
        assert "Stop here" in page
        assert "It hurts" in page
        assert "every 10s" not in page
        again = prepare_consent(by=cast.practitioner, plan=consent.plan, language="en")
        Consent.objects.filter(pk=again.pk).update(read_at=timezone.now())
        sign_consent(**signature(again))
        assert "Stop here" not in client.get(url).content.decode()
        assert client_for(cast.front_desk).get(url).status_code == 403
        assert Client().get(url).status_code == 302
