"""Consent: what is read is what is signed, and it covers that and nothing else."""

from __future__ import annotations

import hashlib
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from clinic.errors import ActionRefused
from clinic.places.models import CountryProfile
from clinic.rendering.pdf import render_html
from patients.portal.actions import open_link
from tests.conftest import PASSWORD, make_patient
from tests.treatments.plan_parts import (
    D,
    accepted_plan,
    back,
    make_pain_plan,
    opened_consent,
    product,
    signature,
    signed_consent,
    substance,
)
from treatments.catalogue.actions import edit_row
from treatments.catalogue.models import Ingredient
from treatments.consents import in_force
from treatments.consents.actions import (
    countersign,
    open_text,
    prepare_consent,
    sign_consent,
    signable_from,
    withdraw,
)
from treatments.consents.coverage import coverage
from treatments.consents.models import Consent
from treatments.diary.models import Appointment
from treatments.plans.actions import stop_plan
from treatments.plans.specs import MixSpec

pytestmark = pytest.mark.django_db


def state(plan: Any) -> str:
    return coverage(plan.patient, plan, timezone.now()).state


class TestPreparing:
    def test_names_everything_the_plan_holds(self, cast: Any) -> None:
        plan = accepted_plan(cast)
        consent = prepare_consent(by=cast.practitioner, plan=plan, language="en")
        assert consent.substances == ["test-ketoprofen", "test-lidocaine", "test-steroid"]
        assert consent.techniques == ["sim-pain"]
        assert consent.areas == ["lower-back"]
        for words in ("test-ketoprofen", "Lower back", "5 sessions", "3 days apart", "112"):
            assert words in consent.html
        assert "not licensed for this use" in consent.html
        assert "painless" not in consent.html.lower()
        agreed = "\n".join([consent.html, *(one["text"] for one in consent.statements)])
        assert consent.text_sha256 == hashlib.sha256(agreed.encode()).hexdigest()

    def test_only_an_accepted_plan(self, cast: Any) -> None:
        with pytest.raises(ActionRefused, match="accepted plan"):
            prepare_consent(by=cast.practitioner, plan=make_pain_plan(cast), language="en")

    def test_same_text_twice_is_one_consent_and_the_clock_runs_on(self, cast: Any) -> None:
        plan = accepted_plan(cast)
        now = timezone.now()
        first = prepare_consent(by=cast.practitioner, plan=plan, language="en", at=now)
        again = prepare_consent(
            by=cast.colleague, plan=plan, language="en", at=now + timedelta(hours=1)
        )
        assert again == first
        assert again.ready_to_read_at == now

    def test_unknown_language_becomes_english(self, cast: Any) -> None:
        consent = prepare_consent(by=cast.practitioner, plan=accepted_plan(cast), language="tlh")
        assert consent.language == "en"

    def test_off_label_statement_only_where_it_applies(self, cast: Any) -> None:
        device = substance("test-plain-one", flags=["DEVICE_EU"])
        plain = product("test-plain", (device, "10"))
        plan = accepted_plan(cast, mix=[MixSpec(plain, D(3))])
        consent = prepare_consent(by=cast.practitioner, plan=plan, language="en")
        assert "off_label" not in {one["code"] for one in consent.statements}
        assert "not licensed" not in consent.html

    def test_an_area_beyond_the_label_is_off_label_too(self, cast: Any) -> None:
        labelled = substance("test-chin-only", flags=["RX"], areas_only=["submental"])
        mix = [MixSpec(product("test-chin", (labelled, "10")), D(3))]
        consent = prepare_consent(
            by=cast.practitioner, plan=accepted_plan(cast, mix=mix), language="en"
        )
        assert "off_label" in {one["code"] for one in consent.statements}

    def test_marks_are_those_in_force_when_it_is_prepared(self, cast: Any) -> None:
        once_plain = substance("test-later-warned", flags=["DEVICE_EU"])
        plan = accepted_plan(cast, mix=[MixSpec(product("test-later", (once_plain, "1")), D(3))])
        edit_row(
            by=cast.manager, row=once_plain, values={"flags": ["WARNED"], "source_refs": ["S64a"]}
        )
        consent = prepare_consent(by=cast.practitioner, plan=plan, language="en")
        assert "off_label" in {one["code"] for one in consent.statements}
        assert "A health authority has issued a warning" in consent.html

    @pytest.mark.parametrize(
        "words",
        ["{{ 7|add:7 }}{{7*7}}", "{% load i18n %}{% now 'Y' %}", "<script>alert(1)</script>"],
    )
    def test_typed_text_comes_out_literally(self, cast: Any, words: str) -> None:
        plan = accepted_plan(cast, title=words)
        consent = signed_consent(cast, plan)
        assert "<script>" not in consent.html
        assert "<script>" not in consent.document.html
        shown = words.replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#x27;")
        assert shown in consent.html
        assert shown in consent.document.html

    def test_and_literally_in_the_pdf(self, cast: Any) -> None:
        plan = accepted_plan(cast, title="Back {{7*7}} {% load i18n %} <script>x()</script>")
        pdf = render_html(signed_consent(cast, plan).document.html).pdf
        text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
        assert "Back {{7*7}} {% load i18n %} <script>x()</script>" in " ".join(text.split())


class TestSigning:
    def test_closes_the_row_and_asks_for_the_pdf(self, cast: Any) -> None:
        consent = signed_consent(cast, accepted_plan(cast))
        assert consent.document.kind == "consent"
        assert consent.text_sha256 in consent.document.html
        assert "Europe/Paris" in consent.document.html
        with pytest.raises(DatabaseError), transaction.atomic():
            Consent.objects.filter(pk=consent.pk).update(html="something else")

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"statements": []}, "statements"),
            ({"statements": ["read", "agree"]}, "statements"),
            ({"signed_name": "   "}, "signed_name"),
            ({"signed_name": "x" * 201}, "signed_name"),
            ({"signature_svg": ""}, "signature"),
            ({"method": "stamp"}, "signature"),
        ],
    )
    def test_refuses_what_is_not_complete(
        self, cast: Any, changed: dict[str, Any], field: str
    ) -> None:
        consent = opened_consent(cast, accepted_plan(cast))
        with pytest.raises(ActionRefused) as refused:
            sign_consent(**signature(consent, **changed))
        assert refused.value.field == field
        consent.refresh_from_db()
        assert consent.signed_at is None

    def test_a_typed_name_needs_no_drawing(self, cast: Any) -> None:
        consent = opened_consent(cast, accepted_plan(cast))
        signed = sign_consent(**signature(consent, method="typed", signature_svg=""))
        assert signed.method == "typed"
        # The one drawing is the code of the address where copies are checked.
        assert signed.document.html.count("<svg") == signed.document.html.count("segno") == 1

    def test_not_twice(self, cast: Any) -> None:
        consent = signed_consent(cast, accepted_plan(cast))
        with pytest.raises(ActionRefused, match="already been signed"):
            sign_consent(**signature(consent))

    def test_not_an_older_text(self, cast: Any) -> None:
        plan = accepted_plan(cast)
        older = opened_consent(cast, plan)
        prepare_consent(by=cast.practitioner, plan=plan, language="fr")
        with pytest.raises(ActionRefused, match="newer text"):
            sign_consent(**signature(older))

    def test_not_for_a_stopped_plan(self, cast: Any) -> None:
        plan = accepted_plan(cast)
        consent = opened_consent(cast, plan)
        stop_plan(by=cast.practitioner, plan=plan, reason="moved away")
        with pytest.raises(ActionRefused, match="no longer under way"):
            sign_consent(**signature(consent))

    def test_time_to_think_is_kept(self, cast: Any) -> None:
        CountryProfile.objects.filter(pk="FR").update(cooling_off_hours=48)
        now = timezone.now()
        consent = prepare_consent(
            by=cast.practitioner, plan=accepted_plan(cast), language="en", at=now
        )
        assert signable_from(consent) is None
        with pytest.raises(ActionRefused, match="open the text"):
            sign_consent(**signature(consent), at=now + timedelta(hours=100))
        opened = now + timedelta(hours=5)
        consent = open_text(consent=consent, device="own device", at=opened)
        end = opened + timedelta(hours=48)
        with pytest.raises(ActionRefused, match="time to think"):
            sign_consent(**signature(consent), at=end - timedelta(seconds=1))
        assert signable_from(consent) == end
        assert sign_consent(**signature(consent), at=end).signed_at

    def test_opening_it_again_does_not_restart_the_clock(self, cast: Any) -> None:
        consent = opened_consent(cast, accepted_plan(cast))
        again = open_text(consent=consent, device="own device")
        assert (again.read_at, again.read_on_device) == (consent.read_at, "tablet")
        with pytest.raises(DatabaseError), transaction.atomic():
            Consent.objects.filter(pk=consent.pk).update(read_at=timezone.now())

    def test_a_locations_own_hours_go_before_those_of_the_country(self, cast: Any) -> None:
        CountryProfile.objects.filter(pk="FR").update(cooling_off_hours=48)
        cast.here.cooling_off_hours = 0
        cast.here.save()
        consent = opened_consent(cast, accepted_plan(cast))
        assert consent.cooling_off_hours == 0
        assert sign_consent(**signature(consent)).signed_at


class TestCountersigning:
    def test_a_new_pdf_carries_both_names(self, cast: Any) -> None:
        consent = signed_consent(cast, accepted_plan(cast))
        first = consent.document
        both = countersign(by=cast.practitioner, consent=consent)
        assert both.document != first
        assert "Ada Rossi" in both.document.html

    def test_only_a_practitioner(self, cast: Any) -> None:
        consent = signed_consent(cast, accepted_plan(cast))
        with pytest.raises(ActionRefused, match="Only a practitioner"):
            countersign(by=cast.manager, consent=consent)

    def test_not_before_the_patient_nor_twice(self, cast: Any) -> None:
        consent = opened_consent(cast, accepted_plan(cast))
        with pytest.raises(ActionRefused, match="has not signed"):
            countersign(by=cast.practitioner, consent=consent)
        sign_consent(**signature(consent))
        countersign(by=cast.practitioner, consent=consent)
        with pytest.raises(ActionRefused, match="already been countersigned"):
            countersign(by=cast.practitioner, consent=consent)


class TestCoverage:
    def test_every_state_in_turn(self, cast: Any, monkeypatch: Any) -> None:
        plan = accepted_plan(cast)
        assert state(plan) == "missing"
        consent = prepare_consent(by=cast.practitioner, plan=plan, language="en")
        assert state(plan) == "unsigned"
        open_text(consent=consent, device="tablet")
        sign_consent(**signature(consent))
        assert state(plan) == "covered"
        monkeypatch.setattr(in_force, "TEMPLATE_VERSION", "9")
        assert state(plan) == "expired"
        monkeypatch.undo()
        withdraw(consent=consent, reason="")
        assert state(plan) == "withdrawn"
        prepare_consent(by=cast.practitioner, plan=plan, language="en")
        assert state(plan) == "unsigned"

    def test_a_substance_that_is_not_named_is_not_covered(self, cast: Any) -> None:
        serum = product("test-serum", (substance("test-one"), "10"))
        plan = accepted_plan(cast, mix=[MixSpec(serum, D(3))])
        signed_consent(cast, plan)
        Ingredient.objects.create(product=serum, substance=substance("test-two"), per_ml=D(1))
        found = coverage(plan.patient, plan, timezone.now())
        assert (found.state, found.missing) == ("partial", ["test-two"])

    def test_a_new_plan_asks_anew(self, cast: Any) -> None:
        mix = [MixSpec(product("test-serum", (substance("test-one"), "10")), D(3))]
        signed_consent(cast, accepted_plan(cast, mix=mix))
        assert state(accepted_plan(cast, mix=mix)) == "missing"

    def test_not_for_another_patient(self, cast: Any) -> None:
        plan = accepted_plan(cast)
        signed_consent(cast, plan)
        assert coverage(cast.stranger, plan, timezone.now()).state == "missing"

    def test_what_was_so_at_the_time(self, cast: Any) -> None:
        plan = accepted_plan(cast)
        before = timezone.now()
        consent = signed_consent(cast, plan)
        between = timezone.now()
        withdraw(consent=consent, reason="changed my mind")
        assert coverage(cast.patient, plan, before).state == "missing"
        assert coverage(cast.patient, plan, between).state == "covered"
        assert coverage(cast.patient, plan, timezone.now()).state == "withdrawn"

    def test_withdrawing_twice_or_unsigned_is_refused(self, cast: Any) -> None:
        plan = accepted_plan(cast)
        consent = prepare_consent(by=cast.practitioner, plan=plan, language="en")
        with pytest.raises(ActionRefused, match="never signed"):
            withdraw(consent=consent)
        open_text(consent=consent, device="tablet")
        sign_consent(**signature(consent))
        withdraw(consent=consent)
        with pytest.raises(ActionRefused, match="already been withdrawn"):
            withdraw(consent=consent)


def test_the_database_refuses_a_change_of_an_accepted_plan(cast: Any) -> None:
    plan = accepted_plan(cast)
    with pytest.raises(DatabaseError), transaction.atomic():
        plan.areas.update(points=99)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM treatments_mixline WHERE plan_id = %s", [plan.pk])


def test_areas_are_named_with_their_side(cast: Any) -> None:
    plan = accepted_plan(cast, areas=[back(code="thigh-lateral")])
    consent = prepare_consent(by=cast.practitioner, plan=plan, language="en")
    assert "thigh" in consent.html.lower()


def address(consent: Consent, name: str = "detail") -> str:
    return reverse(f"consents:{name}", args=[consent.patient.number, consent.pk])


def drawing() -> str:
    points = [{"x": 10 * step, "y": 20 + step, "time": step} for step in range(12)]
    return json.dumps({"width": 400, "height": 200, "strokes": [{"points": points}]})


def ticked(consent: Consent, **changed: Any) -> dict[str, Any]:
    return {
        "statements": [one["code"] for one in consent.statements],
        "signed_name": "Élodie Martin",
        "signature_strokes": drawing(),
        "signature_typed": "",
        "photo_record": "yes",
        "photo_teaching": "no",
        "photo_publicity": "no",
        **changed,
    }


def confirm_password(client: Client) -> None:
    """What the house asks for again before a signature."""
    url = reverse("account_reauthenticate")
    assert client.post(url, {"password": PASSWORD}).status_code == 302


def on_the_phone(patient: Any) -> tuple[Client, str]:
    """A browser whose link is proved, and the link's token."""
    token = open_link(patient).rstrip("/").rsplit("/", 1)[-1]
    client = Client()
    born = patient.birth_date
    sent = {"birth_date_0": born.day, "birth_date_1": born.month, "birth_date_2": born.year}
    assert client.post(reverse("portal:prove", args=[token]), sent).status_code == 302
    return client, token


class TestAtTheClinic:
    def prepared(self, cast: Any, language: str = "en") -> Consent:
        plan = accepted_plan(cast)
        return prepare_consent(by=cast.practitioner, plan=plan, language=language)

    def test_prepared_from_the_plans_page(self, cast: Any, client_for: Any) -> None:
        plan = accepted_plan(cast)
        client = client_for(cast.practitioner)
        slot = client.get(reverse("consents:plan", args=[plan.patient.number, plan.pk]))
        assert "Prepare the consent" in slot.content.decode()
        url = reverse("consents:prepare", args=[plan.patient.number, plan.pk])
        response = client.post(url, {"language": "fr"})
        consent = Consent.objects.get()
        assert response["Location"] == address(consent)
        assert consent.language == "fr"
        assert "Hand over" in client.get(address(consent)).content.decode()
        client.post(url, {"language": "klingon"})
        assert Consent.objects.latest("pk").language == plan.patient.language

    def test_the_patient_sees_this_consent_and_no_way_elsewhere(
        self, cast: Any, client_for: Any
    ) -> None:
        consent = self.prepared(cast)
        client = client_for(cast.practitioner)
        page = client.get(address(consent, "sign")).content.decode()
        assert "Open the text" in page
        assert "Lower back" not in page
        page = client.post(address(consent, "open"), follow=True).content.decode()
        assert "Lower back" in page
        assert 'class="rail"' not in page
        assert "/patients/?q" not in page
        assert page.count('name="statements"') == len(consent.statements)

    def test_signed_on_the_tablet_and_countersigned(self, cast: Any, client_for: Any) -> None:
        consent = opened_consent(cast, accepted_plan(cast))
        client = client_for(cast.practitioner)
        response = client.post(address(consent, "sign"), ticked(consent))
        assert response["Location"] == address(consent, "signed")
        consent.refresh_from_db()
        assert (consent.method, consent.signed_on_device) == ("drawn", "clinic device")
        assert consent.signature_svg.startswith("<svg")
        assert "polyline" in consent.document.html
        assert "give the tablet back" in client.get(response["Location"]).content.decode()
        asked = client.get(address(consent, "countersign"))
        assert asked["Location"].startswith(reverse("account_reauthenticate"))
        confirm_password(client)
        assert "Countersign" in client.get(address(consent, "countersign")).content.decode()
        client.post(address(consent, "countersign"), {"signature_strokes": drawing()})
        consent.refresh_from_db()
        assert consent.countersigned_by == cast.practitioner
        assert consent.countersignature_svg.startswith("<svg")
        assert consent.document.html.count("<polyline") == 2

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"statements": []}, "statements"),
            ({"statements": ["read"]}, "statements"),
            ({"statements": ["invented"]}, "statements"),
            ({"signed_name": ""}, "signed_name"),
            ({"signed_name": "x" * 201}, "signed_name"),
            ({"signature_strokes": ""}, "signature"),
            ({"signature_strokes": "<svg onload=alert(1)>"}, "signature"),
            ({"signature_strokes": '{"width": 1}'}, "signature"),
            ({"photo_teaching": ""}, "photo_teaching"),
            ({"photo_publicity": "perhaps"}, "photo_publicity"),
            ({"interpreter_name": "Sam Okoye"}, "interpreter_capacity"),
            ({"witness_name": "Sam Okoye", "witness_capacity": "son"}, "witness_signature"),
        ],
    )
    def test_refused_beside_the_field_and_nothing_lost(
        self, cast: Any, client_for: Any, changed: dict[str, Any], field: str
    ) -> None:
        consent = opened_consent(cast, accepted_plan(cast))
        sent = ticked(consent, **changed)
        response = client_for(cast.practitioner).post(address(consent, "sign"), sent)
        assert response.status_code == 422
        assert field in response.context["form"].errors
        page = response.content.decode()
        kept = [code for code in sent["statements"] if code != "invented"]
        chosen = [use for use in sent if use.startswith("photo_") and sent[use] in ("yes", "no")]
        assert page.count("checked") == len(kept) + len(chosen)
        if field == "statements":
            assert "Élodie Martin" in page
            assert "&quot;strokes&quot;" in page
        consent.refresh_from_db()
        assert consent.signed_at is None

    def test_a_typed_name_instead_of_a_drawing(self, cast: Any, client_for: Any) -> None:
        consent = opened_consent(cast, accepted_plan(cast))
        sent = ticked(consent, signature_strokes="", signature_typed="Élodie Martin")
        client_for(cast.practitioner).post(address(consent, "sign"), sent)
        consent.refresh_from_db()
        assert (consent.method, consent.signature_svg) == ("typed", "")

    def test_signing_again_is_told(self, cast: Any, client_for: Any) -> None:
        consent = opened_consent(cast, accepted_plan(cast))
        client = client_for(cast.practitioner)
        client.post(address(consent, "sign"), ticked(consent))
        response = client.post(address(consent, "sign"), ticked(consent))
        assert response.status_code == 422
        assert "already been signed" in response.content.decode()

    def test_time_to_think_is_said_with_its_end(self, cast: Any, client_for: Any) -> None:
        CountryProfile.objects.filter(pk="FR").update(cooling_off_hours=72)
        consent = opened_consent(cast, accepted_plan(cast))
        client = client_for(cast.practitioner)
        assert "you can sign from" in client.get(address(consent, "sign")).content.decode()
        response = client.post(address(consent, "sign"), ticked(consent))
        assert response.status_code == 422
        assert "time to think" in response.content.decode()

    def test_withdrawn_on_the_patients_word(self, cast: Any, client_for: Any) -> None:
        consent = signed_consent(cast, accepted_plan(cast))
        client = client_for(cast.practitioner)
        url = address(consent, "withdraw")
        assert client.post(url, {"reason": "x" * 501}).status_code == 422
        assert client.post(url, {"reason": "Changed her mind"}).status_code == 302
        assert state(consent.plan) == "withdrawn"
        assert client.post(url, {"reason": ""}).status_code == 422

    @pytest.mark.parametrize("name", ["detail", "sign", "signed", "countersign", "withdraw"])
    def test_roles_and_places(self, cast: Any, client_for: Any, name: str) -> None:
        consent = self.prepared(cast)
        method = "post" if name in ("countersign", "withdraw") else "get"
        for staff, expected in (
            (cast.front_desk, 403),
            (cast.manager, 403),
            (cast.practitioner2, 404),
        ):
            client = client_for(staff)
            if name == "countersign":
                confirm_password(client)
            response = getattr(client, method)(address(consent, name))
            assert response.status_code == expected

    def test_under_another_patients_number_it_is_not_there(
        self, cast: Any, client_for: Any
    ) -> None:
        consent = self.prepared(cast)
        other = make_patient(cast.here, "Otto", "Other")
        client = client_for(cast.practitioner)
        for name in ("detail", "sign"):
            url = reverse(f"consents:{name}", args=[other.number, consent.pk])
            assert client.get(url).status_code == 404
        url = reverse("consents:prepare", args=[other.number, consent.plan_id])
        assert client.post(url, {"language": "en"}).status_code == 404


class TestOnTheirPhone:
    def prepared(self, cast: Any) -> Consent:
        plan = accepted_plan(cast)
        return prepare_consent(by=cast.practitioner, plan=plan, language="en")

    def test_read_signed_and_withdrawn_by_link(self, cast: Any) -> None:
        consent = self.prepared(cast)
        phone, token = on_the_phone(cast.patient)
        panel = phone.get(reverse("my-consents:panel", args=[token])).content.decode()
        assert "Read and sign" in panel
        url = reverse("my-consents:read", args=[token, consent.pk])
        assert "Lower back" not in phone.get(url).content.decode()
        assert phone.post(url, ticked(consent)).status_code == 422
        phone.post(reverse("my-consents:open", args=[token, consent.pk]))
        assert "Lower back" in phone.get(url).content.decode()
        assert phone.post(url, ticked(consent)).status_code == 302
        consent.refresh_from_db()
        assert consent.signed_on_device == "own device"
        assert (
            "Read and sign"
            not in phone.get(reverse("my-consents:panel", args=[token])).content.decode()
        )
        away = reverse("my-consents:withdraw", args=[token, consent.pk])
        assert phone.post(away, {"reason": ""}).status_code == 302
        assert "no longer counts" in phone.get(url).content.decode()
        assert state(consent.plan) == "withdrawn"

    def test_partly_ticked_is_refused(self, cast: Any) -> None:
        consent = opened_consent(cast, accepted_plan(cast))
        phone, token = on_the_phone(cast.patient)
        url = reverse("my-consents:read", args=[token, consent.pk])
        response = phone.post(url, ticked(consent, statements=["read"]))
        assert response.status_code == 422
        assert "tick every statement" in response.content.decode()

    def test_another_patients_consent_is_not_there(self, cast: Any) -> None:
        consent = self.prepared(cast)
        phone, token = on_the_phone(cast.stranger)
        for name in ("open", "ask", "read", "withdraw"):
            url = reverse(f"my-consents:{name}", args=[token, consent.pk])
            assert phone.post(url, ticked(consent)).status_code == 404
        consent.refresh_from_db()
        assert consent.signed_at is None

    def test_without_the_birth_date_nothing_is_shown(self, cast: Any) -> None:
        consent = self.prepared(cast)
        token = open_link(cast.patient).rstrip("/").rsplit("/", 1)[-1]
        url = reverse("my-consents:read", args=[token, consent.pk])
        response = Client().get(url)
        assert response.status_code == 302
        assert "Lower back" not in response.content.decode()


class TestStates:
    def visit(self, cast: Any, patient: Any, hour: int) -> Appointment:
        start = timezone.now().astimezone(cast.here.zone).replace(hour=hour, minute=0)
        return Appointment.objects.create(
            location=cast.here,
            patient=patient,
            practitioner=cast.practitioner,
            room=cast.room,
            service=cast.treatment,
            starts_at=start,
            ends_at=start + timedelta(minutes=30),
        )

    def test_the_bar_says_the_state_to_everyone(self, cast: Any, client_for: Any) -> None:
        url = reverse("consents:bar", args=[cast.patient.number])
        client = client_for(cast.front_desk)
        assert "no plan under way" in client.get(url).content.decode()
        plan = accepted_plan(cast)
        page = client.get(url).content.decode()
        assert "Missing" in page
        assert plan.title not in page
        signed_consent(cast, plan)
        assert "Signed" in client.get(url).content.decode()
        assert client_for(cast.front_desk2).get(url).status_code == 404

    def test_today_names_who_lacks_one_in_constant_queries(
        self, cast: Any, client_for: Any
    ) -> None:
        serum = [MixSpec(product("test-serum", (substance("test-one"), "10")), D(3))]
        client, counts = client_for(cast.front_desk), []
        covered = accepted_plan(cast, mix=serum)
        self.visit(cast, cast.patient, 8)
        signed_consent(cast, covered)
        page = client.get(reverse("consents:today")).content.decode()
        assert "consents-today" not in page
        for number in range(3):
            patient = make_patient(cast.here, f"Given{number}", "Waiting")
            accepted_plan(cast, mix=serum, patient=patient)
            self.visit(cast, patient, 9 + number)
            with CaptureQueriesContext(connection) as queries:
                page = client.get(reverse("consents:today")).content.decode()
            counts.append(len(queries))
            assert page.count("WAITING") == number + 1
        assert counts[0] == counts[2]
        assert "Martin".upper() not in page
        assert (
            "WAITING"
            not in client_for(cast.front_desk2).get(reverse("consents:today")).content.decode()
        )

    def test_who_has_withdrawn_and_is_still_booked(self, cast: Any, client_for: Any) -> None:
        client, url = client_for(cast.front_desk), reverse("consents:today")
        consent = signed_consent(cast, accepted_plan(cast))
        visit = self.visit(cast, cast.patient, 9)
        later = {"starts_at": visit.starts_at + timedelta(days=6)}
        later["ends_at"] = later["starts_at"] + timedelta(minutes=30)
        Appointment.objects.filter(pk=visit.pk).update(**later)
        assert "still booked" not in client.get(url).content.decode()
        withdraw(consent=consent)
        page = client.get(url).content.decode()
        assert "still booked" in page
        assert "consents-today" not in page
        Appointment.objects.filter(pk=visit.pk).update(status=Appointment.Status.CANCELLED)
        assert "still booked" not in client.get(url).content.decode()

    def test_the_panel_is_for_practitioners(self, cast: Any, client_for: Any) -> None:
        signed_consent(cast, accepted_plan(cast))
        url = reverse("consents:panel", args=[cast.patient.number])
        assert "Signed by" in client_for(cast.practitioner).get(url).content.decode()
        assert client_for(cast.front_desk).get(url).status_code == 403
