"""Consents in Arabic and Hebrew: whole, said to nobody before they are approved, nothing lost."""

from __future__ import annotations

import json
import re
import unicodedata
from io import BytesIO
from typing import Any

import pytest
from django.urls import reverse
from django.utils import translation
from django.utils.dates import MONTHS
from pypdf import PdfReader

from clinic import tongues
from clinic.errors import ActionRefused
from clinic.tongues import speaking
from patients.documents.checking import Verdict, check_copy
from patients.registry.models import Patient
from tests.conftest import make_patient
from tests.treatments.plan_parts import accepted_plan, hand_in_history, opened_consent, signature
from tests.treatments.test_consent_minors import mother, years_ago
from tests.treatments.test_consent_proof import rendered
from tests.treatments.test_consent_signing import SVG, serum_plan
from tests.treatments.test_consents import on_the_phone
from treatments.consents.actions import (
    approve_text,
    countersign,
    prepare_consent,
    sign_as_attendant,
    sign_consent,
)
from treatments.consents.attending import Attendant
from treatments.consents.in_force import choice_for, offered
from treatments.consents.loading import DATA
from treatments.consents.models import Consent, ConsentTemplate, ConsentWords
from treatments.consents.phrasebook import phrasebook
from treatments.consents.phrases import phrase_faults
from treatments.consents.wording import BLOCKS, SECTIONS, STATEMENTS, WORDS, Wording, faults
from treatments.consents.words import approve_words, write_words

LETTERS = {"ar": ("\u0600", "\u06ff"), "he": ("\u0590", "\u05ff")}
COUNTRIES = ("int", "fr", "us")
MARK = re.compile(r"\{[a-z_]+\}")
ENGLISH = {row["code"]: row for row in json.loads((DATA / "consent-texts.json").read_text("utf-8"))}
SHIPPED = {
    row["code"]: row
    for language in LETTERS
    for row in json.loads((DATA / f"consent-texts-{language}.json").read_text("utf-8"))
}
PHRASES: dict[str, dict[str, str]] = {
    language: json.loads((DATA / f"consent-words-{language}.json").read_text("utf-8"))[0]["phrases"]
    for language in LETTERS
}
NUMBER = re.compile(r"\d+(?:\.\d+)?")
with translation.override("en"):
    MONTH_NAMES = [str(name) for name in MONTHS.values()]
OF_DJANGO = {"English", "French", "This field is required.", *MONTH_NAMES}
NO_WORDS = {"%(label)s: %(message)s"}
OF_THE_SAMPLE = {"Dr Example", "Sample plan"}
OF_THE_DEMO = {
    "About this demonstration",
    "Demonstration with invented people. Do not enter anyone's real data.",
    "What was sent",
}


class TestShipped:
    @pytest.mark.parametrize("language", LETTERS)
    @pytest.mark.parametrize("country", COUNTRIES)
    def test_each_text_is_whole(self, country: str, language: str) -> None:
        row, english = SHIPPED[f"{country}-{language}"], ENGLISH[f"{country}-en"]
        assert faults(Wording(row["texts"], row["statements"], row["off_label"])) == {}
        assert list(row["texts"]) == list(SECTIONS)
        assert list(row["statements"]) == list(STATEMENTS)
        for code in SECTIONS:
            marks = [sorted(MARK.findall(one["texts"][code]["text"])) for one in (row, english)]
            assert marks[0] == marks[1], code
            parts = [one["texts"][code]["text"].count("\n\n") for one in (row, english)]
            assert parts[0] == parts[1], code

    @pytest.mark.parametrize("language", LETTERS)
    def test_each_country_says_what_its_law_wants(self, language: str) -> None:
        said = {code: SHIPPED[f"{code}-{language}"] for code in COUNTRIES}
        assert said["fr"]["off_label"] != said["int"]["off_label"]
        assert said["fr"]["texts"]["given"] != said["int"]["texts"]["given"]
        assert said["us"]["texts"]["what"] != said["int"]["texts"]["what"]

    @pytest.mark.parametrize("language", LETTERS)
    def test_each_phrase_keeps_its_numbers_and_has_letters(self, language: str) -> None:
        first, last = LETTERS[language]
        assert phrase_faults(PHRASES[language]) == {}
        for english, text in PHRASES[language].items():
            assert sorted(NUMBER.findall(english)) == sorted(NUMBER.findall(text)), english
            if english not in ("DMAE",):
                assert any(first <= letter <= last for letter in text), english

    @pytest.mark.django_db
    @pytest.mark.parametrize("language", LETTERS)
    def test_every_text_of_the_phrasebook_is_written(self, language: str) -> None:
        wanted = {text for group in phrasebook() for text in group.texts}
        assert wanted - PHRASES[language].keys() == set()


def approve(cast: Any, language: str = "ar", country: str = "fr") -> None:
    """The words of a language and its text for a country, put in force by a manager."""
    row = ConsentWords.objects.get(code=language)
    approve_words(by=cast.manager, row=row)
    approve_text(
        by=cast.manager, template=ConsentTemplate.objects.get(code=f"{country}-{language}")
    )


@pytest.mark.django_db
class TestInForce:
    def test_nobody_is_told_a_word_before_it_is_approved(self, cast: Any) -> None:
        plan = accepted_plan(cast)
        assert [code for code, _name in offered("FR")] == ["en", "fr"]
        with pytest.raises(ActionRefused, match=r"العربيّة.*English, Français"):
            prepare_consent(by=cast.practitioner, plan=plan, language="ar")
        assert not Consent.objects.exists()
        approve_text(by=cast.manager, template=ConsentTemplate.objects.get(code="fr-ar"))
        with pytest.raises(ActionRefused, match="العربيّة"):
            prepare_consent(by=cast.practitioner, plan=plan, language="ar")
        approve_words(by=cast.manager, row=ConsentWords.objects.get(code="ar"))
        assert [code for code, _name in offered("FR")] == ["en", "fr", "ar"]
        assert prepare_consent(by=cast.practitioner, plan=plan, language="ar").language == "ar"

    def test_a_country_with_texts_of_its_own_needs_its_own(self, cast: Any) -> None:
        approve(cast, country="int")
        assert [code for code, _name in offered("FR")] == ["en", "fr"]
        assert [code for code, _name in offered("GB")] == ["en", "fr", "ar"]

    def test_the_staff_see_what_is_lacking(self, cast: Any, client_for: Any) -> None:
        plan = accepted_plan(cast)
        Patient.objects.filter(pk=plan.patient_id).update(language="ar")
        page = reverse("consents:plan", args=[plan.patient.number, plan.pk])
        client = client_for(cast.practitioner)
        assert "language is Arabic" in client.get(page).content.decode()
        approve(cast)
        said = client.get(page).content.decode()
        assert "language is Arabic" not in said
        assert '<option value="ar" selected lang="ar">العربيّة' in said

    def test_asked_for_by_hand_it_is_refused_and_nothing_is_lost(
        self, cast: Any, client_for: Any
    ) -> None:
        plan = accepted_plan(cast)
        url = reverse("consents:prepare", args=[plan.patient.number, plan.pk])
        response = client_for(cast.practitioner).post(url, {"language": "he"}, follow=True)
        assert "No consent text in this language is in force here" in response.content.decode()
        assert not Consent.objects.exists()

    def test_begins_with_the_language_of_the_clinic(self, cast: Any) -> None:
        patient = make_patient(cast.here, language="he")
        cast.here.language = "fr"
        cast.here.save()
        assert patient.house_language == "fr"
        assert choice_for(patient, cast.here).language == "fr"
        patient.language = "en"
        assert patient.house_language == "en"


@pytest.mark.django_db
class TestWords:
    def test_written_by_the_manager_alone_and_used_once_approved(self, cast: Any) -> None:
        with pytest.raises(ActionRefused):
            write_words(by=cast.practitioner, language="ar", phrases={"Patient": "x"})
        with pytest.raises(ActionRefused, match="placeholders"):
            write_words(by=cast.manager, language="ar", phrases={"Device: %(names)s.": "الجهاز"})
        with pytest.raises(ActionRefused, match="Nothing has changed"):
            write_words(by=cast.manager, language="ar", phrases={})
        approve(cast)
        row = write_words(by=cast.manager, language="ar", phrases={"Patient": "المريضة"})
        text = opened_consent(cast, accepted_plan(cast), "ar").html
        assert "المريضة" not in text
        approve_words(by=cast.practitioner, row=row)
        assert [one.is_current for one in ConsentWords.objects.filter(code="ar")] == [False, True]

    def test_the_pages_of_the_settings(self, cast: Any, client_for: Any) -> None:
        manager, page = client_for(cast.manager), reverse("consent-texts:words", args=["ar"])
        said = manager.get(page).content.decode()
        assert "has not been approved by the clinic yet" in said
        assert manager.get(reverse("consent-texts:words", args=["de"])).status_code == 404
        assert client_for(cast.practitioner).post(page, {"note": "x"}).status_code == 403
        approving = reverse("consent-texts:words-approve", args=["ar", 1])
        assert manager.post(approving, follow=True).status_code == 200
        assert ConsentWords.objects.get(code="ar").approved_by == cast.manager
        text = manager.get(reverse("consent-texts:version", args=["fr-ar", 1])).content.decode()
        assert 'lang="ar" dir="rtl"' in text
        assert manager.post(page, {"note": "x"}).status_code == 422


@pytest.mark.django_db
class TestSpoken:
    @pytest.fixture
    def heard(self, monkeypatch: pytest.MonkeyPatch) -> set[str]:
        """Every English text that was looked up among the phrases and is none of them."""
        found: set[str] = set()
        ask = tongues._Tongue._phrase

        def hear(self: Any, english: str) -> str:
            said = ask(self, english)
            if not said:
                found.add(english)
            return said

        monkeypatch.setattr(tongues._Tongue, "_phrase", hear)
        return found

    @pytest.mark.parametrize("language", LETTERS)
    def test_from_the_phone_to_the_paper_in_their_own_words(
        self, cast: Any, language: str, heard: set[str]
    ) -> None:
        """A minor with a guardian, an interpreter and a witness: no text is forgotten."""
        approve(cast, language)
        patient = make_patient(cast.here, "نور الهدى", "Ben-Ami", birth_date=years_ago(15))
        hand_in_history(patient)
        consent = prepare_consent(
            by=cast.practitioner, plan=serum_plan(cast, patient=patient), language=language
        )
        browser, token = on_the_phone(patient)
        page = reverse("my-consents:read", args=[token, consent.pk])
        shown = browser.get(page).content.decode()
        assert f'<html lang="{language}" dir="rtl">' in shown
        browser.post(reverse("my-consents:open", args=[token, consent.pk]))
        browser.post(page, {})
        browser.post(reverse("my-consents:ask", args=[token, consent.pk]), {"asked-text": ""})
        consent.refresh_from_db()
        sign_consent(**signature(consent, attendants=[mother()], awaits=["interpreter", "witness"]))
        for role, spoken in (("interpreter", "Arabic"), ("witness", "")):
            attending = reverse("my-consents:attend", args=[token, consent.pk, role])
            browser.get(attending)
            browser.post(attending, {})
            one = Attendant(role, "Ada Smith", "sister", SVG, [], language=spoken)
            sign_as_attendant(consent=consent, attendant=one, device="own device")
        browser.get(page)
        consent.refresh_from_db()
        countersign(
            by=cast.practitioner, consent=consent, identity_seen="", signature_svg=SVG, strokes=[]
        )
        consent.refresh_from_db()
        forgotten = heard - OF_DJANGO - NO_WORDS - OF_THE_DEMO - OF_THE_SAMPLE
        assert {one for one in forgotten if one.isascii() and any(map(str.isalpha, one))} == set()
        assert consent.document is not None
        assert consent.document.language == language
        assert consent.document.title.startswith("Consent")
        pdf = rendered(consent.document)
        assert check_copy(pdf).verdict == Verdict.UNCHANGED
        copied = words_of(pdf)
        for english in (
            "Who signed",
            "Interpreter",
            "Witness",
            "Translation",
            "Is a copy genuine?",
        ):
            assert [one for one in words_in(PHRASES[language][english]) if one not in copied] == []
        for line in re.findall(r"<li>([^<]+)</li>", consent.html):
            assert [one for one in words_in(line) if one not in copied] == [], line

    def test_a_consent_of_the_house_is_as_it_was(self, cast: Any) -> None:
        """No isolate and no phrase reaches a text whose hash was signed before."""
        approve(cast)
        plan = accepted_plan(cast)
        arabic = opened_consent(cast, plan, "ar").html
        english = opened_consent(cast, plan, "en").html
        assert tongues.ISOLATE in arabic
        assert tongues.ISOLATE not in english
        assert not any("\u0590" <= letter <= "\u06ff" for letter in english)

    def test_what_is_said_within_ends_with_it(self) -> None:
        with speaking("ar", {"Patient": "المريض"}):
            assert translation.gettext("Patient") == "المريض"
            with translation.override("fr"):
                assert translation.gettext("Patient") == "Patient"
            assert translation.gettext("Patient") == "المريض"
            with speaking("he", {}):
                assert translation.gettext("Patient") == "Patient"
            assert translation.gettext("Patient") == "المريض"
        with translation.override("ar"):
            assert translation.gettext("Patient") == "Patient"


def words_of(pdf: bytes) -> str:
    """What a reader copies out of a file, in the order in which it is read."""
    return plain(" ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages))


def words_in(text: str) -> list[str]:
    """Its words in letters from right to left: a reader puts what stands between them elsewhere."""
    return re.findall(r"[\u05d0-\u05ea\u0620-\u064a]+", unicodedata.normalize("NFKC", text))


def plain(text: str) -> str:
    """Letters and digits alone: blanks and marks of direction are the reader's to place."""
    whole = unicodedata.normalize("NFKC", text.replace("&#x27;", "'").replace("&quot;", '"'))
    return "".join(letter for letter in whole if letter.isalnum())


def test_placeholders_are_known() -> None:
    """The sections above were compared by the marks that stand for something."""
    marks = {
        mark
        for row in SHIPPED.values()
        for part in row["texts"].values()
        for mark in MARK.findall(part["text"])
    }
    assert marks <= {f"{{{name}}}" for name in WORDS.keys() | BLOCKS.keys()}


@pytest.mark.parametrize("text", ['a" hx-get="/x', "<b>a</b>", "a>b"])
def test_a_phrase_can_leave_no_attribute_and_open_no_element(text: str) -> None:
    assert phrase_faults({"The drawn signature": text})
    assert not phrase_faults({"The drawn signature": "מ״מ “א” ש'"})
