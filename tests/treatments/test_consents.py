"""Consent: what is read is what is signed, and it covers that and nothing else."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.utils import timezone

from clinic.errors import ActionRefused
from clinic.places.models import CountryProfile
from tests.treatments.plan_parts import (
    D,
    accepted_plan,
    back,
    make_pain_plan,
    product,
    signature,
    signed_consent,
    substance,
)
from treatments.catalogue.models import Ingredient
from treatments.consents import coverage as coverage_module
from treatments.consents.actions import (
    countersign,
    prepare_consent,
    sign_consent,
    signable_from,
    withdraw,
)
from treatments.consents.coverage import coverage
from treatments.consents.models import Consent
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
        assert consent.text_sha256 == hashlib.sha256(consent.html.encode()).hexdigest()

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
        plain = product("test-plain", (substance("test-plain-one"), "10"))
        plan = accepted_plan(cast, mix=[MixSpec(plain, D(3))])
        consent = prepare_consent(by=cast.practitioner, plan=plan, language="en")
        assert "off_label" not in {one["code"] for one in consent.statements}
        assert "not licensed" not in consent.html

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
        consent = prepare_consent(by=cast.practitioner, plan=accepted_plan(cast), language="en")
        with pytest.raises(ActionRefused) as refused:
            sign_consent(**signature(consent, **changed))
        assert refused.value.field == field
        consent.refresh_from_db()
        assert consent.signed_at is None

    def test_a_typed_name_needs_no_drawing(self, cast: Any) -> None:
        consent = prepare_consent(by=cast.practitioner, plan=accepted_plan(cast), language="en")
        signed = sign_consent(**signature(consent, method="typed", signature_svg=""))
        assert signed.method == "typed"
        assert "<svg" not in signed.document.html

    def test_not_twice(self, cast: Any) -> None:
        consent = signed_consent(cast, accepted_plan(cast))
        with pytest.raises(ActionRefused, match="already been signed"):
            sign_consent(**signature(consent))

    def test_not_an_older_text(self, cast: Any) -> None:
        plan = accepted_plan(cast)
        older = prepare_consent(by=cast.practitioner, plan=plan, language="en")
        prepare_consent(by=cast.practitioner, plan=plan, language="fr")
        with pytest.raises(ActionRefused, match="newer text"):
            sign_consent(**signature(older))

    def test_not_for_a_stopped_plan(self, cast: Any) -> None:
        plan = accepted_plan(cast)
        consent = prepare_consent(by=cast.practitioner, plan=plan, language="en")
        stop_plan(by=cast.practitioner, plan=plan, reason="moved away")
        with pytest.raises(ActionRefused, match="no longer under way"):
            sign_consent(**signature(consent))

    def test_time_to_think_is_kept(self, cast: Any) -> None:
        CountryProfile.objects.filter(pk="FR").update(cooling_off_hours=48)
        now = timezone.now()
        consent = prepare_consent(
            by=cast.practitioner, plan=accepted_plan(cast), language="en", at=now
        )
        early = now + timedelta(hours=48) - timedelta(seconds=1)
        with pytest.raises(ActionRefused, match="time to think"):
            sign_consent(**signature(consent), at=early)
        assert signable_from(consent) == now + timedelta(hours=48)
        assert sign_consent(**signature(consent), at=now + timedelta(hours=48)).signed_at


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
        consent = prepare_consent(by=cast.practitioner, plan=accepted_plan(cast), language="en")
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
        sign_consent(**signature(consent))
        assert state(plan) == "covered"
        monkeypatch.setattr(coverage_module, "TEMPLATE_VERSION", "2")
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
