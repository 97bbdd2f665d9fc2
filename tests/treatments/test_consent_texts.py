"""The texts of consents: what may stand in them, how they come in force, and what they ask anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clinic.errors import ActionRefused
from tests.treatments.plan_parts import accepted_plan, opened_consent, signature, signed_consent
from tests.treatments.test_consent_signing import serum_plan
from treatments.catalogue.loading import CatalogueError, Report
from treatments.consents.actions import (
    approve_text,
    prepare_consent,
    sign_consent,
    wording_of,
    write_text,
)
from treatments.consents.coverage import coverage
from treatments.consents.in_force import text_for
from treatments.consents.loading import DATA, load_texts
from treatments.consents.models import ConsentTemplate
from treatments.consents.wording import (
    BLOCKS,
    NEEDED,
    SECTIONS,
    STATEMENTS,
    USUAL,
    WORDS,
    Wording,
    faults,
    section_html,
)

NOTHING: dict[str, str] = dict.fromkeys(BLOCKS, "")
NAMES = dict.fromkeys(WORDS, "x")


def shipped(code: str) -> dict[str, Any]:
    rows = json.loads((DATA / "consent-texts.json").read_text("utf-8"))
    found: dict[str, Any] = next(row for row in rows if row["code"] == code)
    return found


def wording(code: str = "fr-fr", **texts: str) -> Wording:
    """A shipped text with some sections said otherwise."""
    row = shipped(code)
    changed = {name: {**row["texts"][name], "text": text} for name, text in texts.items()}
    return Wording({**row["texts"], **changed}, row["statements"], row["off_label"])


class TestWhatMayStand:
    @pytest.mark.parametrize("code", ["int-en", "int-fr", "fr-en", "fr-fr", "us-en"])
    def test_every_shipped_text_is_whole(self, code: str) -> None:
        row = shipped(code)
        assert faults(wording(code)) == {}
        assert list(row["texts"]) == list(SECTIONS)
        assert list(row["statements"]) == [code for code in STATEMENTS if code not in USUAL]

    @pytest.mark.parametrize(
        "extra",
        [
            "{% load i18n %}",
            "{{ patient }}",
            "{patient.pk}",
            "{unknown}",
            "{",
            "}",
            "{patient",
            "{PATIENT}",
            "{patient!r}",
            "{0}",
        ],
    )
    def test_braces_that_are_no_placeholder_are_refused(self, extra: str) -> None:
        found = faults(wording(withdraw=f"You can always stop. {extra}"))
        assert list(found) == ["text_withdraw"]
        assert "cannot stand here" in found["text_withdraw"]

    @pytest.mark.parametrize("section", list(NEEDED))
    def test_no_section_forgets_what_it_is_for(self, section: str) -> None:
        found = faults(wording(**{section: "Only words."}))
        assert list(found) == [f"text_{section}"]
        for name in NEEDED[section]:
            assert f"{{{name}}}" in found[f"text_{section}"]

    def test_a_list_stands_alone_and_a_heading_is_plain(self) -> None:
        assert "alone on a line" in faults(wording(risks="These: {risks}"))["text_risks"]
        row = shipped("fr-fr")
        texts = {**row["texts"], "risks": {"heading": "Risks {risks}", "text": "{risks}"}}
        said = {**row["statements"], "agree": ""}
        found = faults(Wording(texts, said, "x" * 501))
        assert set(found) == {"heading_risks", "statement_agree", "off_label"}

    @given(st.text(max_size=200))
    def test_typed_text_never_becomes_markup(self, text: str) -> None:
        html = section_html(text, NAMES, NOTHING)
        left = html
        for tag in ("<p>", "</p>", "<ul>", "</ul>", "<li>", "</li>", "<br>"):
            left = left.replace(tag, "")
        assert "<" not in left
        assert ">" not in left

    def test_a_value_that_looks_like_a_placeholder_is_not_one(self) -> None:
        words = {**NAMES, "patient": "{phone} <b>", "phone": "112"}
        assert section_html("{patient}", words, NOTHING) == "<p>{phone} &lt;b&gt;</p>"

    def test_paragraphs_lists_and_blocks(self) -> None:
        html = section_html("One\ntwo\n- a\n- b\n{risks}\n\nend", NAMES, {**NOTHING, "risks": "R"})
        assert html == "<p>One<br>two</p><ul><li>a</li><li>b</li></ul>R<p>end</p>"


@pytest.mark.django_db
class TestLoading:
    def test_again_changes_nothing(self) -> None:
        report = load_texts(Report())
        assert (report.changes, report.unchanged) == (0, 13)

    def test_a_new_shipped_text_waits_behind_the_clinics_own(
        self, cast: Any, tmp_path: Path
    ) -> None:
        own = write_text(
            by=cast.manager, country="FR", language="fr", wording=wording(withdraw="Toujours.")
        )
        approve_text(by=cast.manager, template=own)
        rows = json.loads((DATA / "consent-texts.json").read_text("utf-8"))
        for row in rows:
            row["off_label"] = f"{row['off_label']} New."
        (tmp_path / "consent-texts.json").write_text(json.dumps(rows), "utf-8")
        report = load_texts(Report(), tmp_path)
        assert report.held_back == ["consent-texts/fr-fr"]
        assert len(report.updated) == 4
        assert text_for("FR", "fr") == own

    def test_a_shipped_text_that_cannot_stand_is_not_loaded(self, tmp_path: Path) -> None:
        row = shipped("fr-fr")
        row["texts"]["risks"]["text"] = "None."
        (tmp_path / "consent-texts.json").write_text(json.dumps([row]), "utf-8")
        with pytest.raises(CatalogueError, match="fr-fr"):
            load_texts(Report(), tmp_path)

    def test_the_command_brings_them(self, capsys: Any) -> None:
        call_command("load_catalogue")
        assert "0 new, 0 updated" in capsys.readouterr().out


@pytest.mark.django_db
class TestVersions:
    def test_written_approved_and_asked_anew(self, cast: Any) -> None:
        plan = serum_plan(cast)
        signed = signed_consent(cast, plan, "fr")
        assert signed.template is not None
        assert signed.template.label == "FR-fr 1"
        own = write_text(
            by=cast.manager, country="FR", language="fr", wording=wording(withdraw="Toujours.")
        )
        assert (own.version, own.is_current, own.is_approved) == (2, False, False)
        assert coverage(plan.patient, plan, timezone.now()).state == "covered"
        approve_text(by=cast.practitioner, template=own)
        assert coverage(plan.patient, plan, timezone.now()).state == "expired"
        assert "Toujours." not in signed.html
        again = opened_consent(cast, plan, "fr")
        assert again != signed
        assert "Toujours." in again.html
        assert coverage(plan.patient, plan, timezone.now()).state == "unsigned"
        sign_consent(**signature(again))
        assert coverage(plan.patient, plan, timezone.now()).state == "covered"

    def test_only_its_language_and_country_are_asked_anew(self, cast: Any) -> None:
        plan = serum_plan(cast)
        signed_consent(cast, plan, "en")
        for country, language in (("FR", "fr"), ("", "en")):
            own = write_text(
                by=cast.manager,
                country=country,
                language=language,
                wording=wording(f"{country or 'int'}-{language}".lower(), withdraw="Stop."),
            )
            approve_text(by=cast.manager, template=own)
        assert coverage(plan.patient, plan, timezone.now()).state == "covered"

    def test_a_first_text_of_its_own_is_a_newer_one(self, cast: Any) -> None:
        cast.here.country_id = "GB"
        cast.here.save()
        plan = serum_plan(cast)
        signed = signed_consent(cast, plan, "en")
        assert signed.version_label == "INT-en 1"
        own = write_text(
            by=cast.manager,
            country="GB",
            language="en",
            wording=wording("int-en", withdraw="Stop."),
        )
        approve_text(by=cast.manager, template=own)
        assert coverage(plan.patient, plan, timezone.now()).state == "expired"

    def test_an_older_unsigned_text_cannot_be_signed(self, cast: Any) -> None:
        consent = opened_consent(cast, serum_plan(cast), "fr")
        own = write_text(
            by=cast.manager, country="FR", language="fr", wording=wording(withdraw="Toujours.")
        )
        approve_text(by=cast.manager, template=own)
        with pytest.raises(ActionRefused, match="newer text"):
            sign_consent(**signature(consent))

    def test_who_may_and_what_is_refused(self, cast: Any) -> None:
        for staff in (cast.practitioner, cast.front_desk):
            with pytest.raises(ActionRefused, match="Only a manager"):
                write_text(by=staff, country="FR", language="fr", wording=wording(withdraw="X."))
        with pytest.raises(ActionRefused, match="Nothing has changed"):
            write_text(by=cast.manager, country="FR", language="fr", wording=wording())
        with pytest.raises(ActionRefused) as refused:
            write_text(by=cast.manager, country="FR", language="fr", wording=wording(risks="No."))
        assert refused.value.field == "text_risks"
        shipped_one = text_for("FR", "fr")
        with pytest.raises(ActionRefused, match="Only a practitioner or a manager"):
            approve_text(by=cast.front_desk, template=shipped_one)
        approve_text(by=cast.practitioner, template=shipped_one)
        with pytest.raises(ActionRefused, match="already been approved"):
            approve_text(by=cast.practitioner, template=shipped_one)

    def test_a_version_never_changes_and_an_earlier_one_comes_back(self, cast: Any) -> None:
        first = text_for("FR", "fr")
        own = write_text(
            by=cast.manager, country="FR", language="fr", wording=wording(withdraw="Toujours.")
        )
        with pytest.raises(DatabaseError), transaction.atomic():
            ConsentTemplate.objects.filter(pk=own.pk).update(off_label="x")
        approve_text(by=cast.manager, template=own)
        approve_text(by=cast.manager, template=first)
        assert text_for("FR", "fr") == first
        assert wording_of(own).texts["withdraw"]["text"] == "Toujours."


@pytest.mark.django_db
class TestSettings:
    def sent(self, said: Wording, **changed: str) -> dict[str, str]:
        return {
            **{f"heading_{code}": part["heading"] for code, part in said.texts.items()},
            **{f"text_{code}": part["text"] for code, part in said.texts.items()},
            **{f"statement_{code}": text for code, text in said.statements.items()},
            "off_label": said.off_label,
            "note": "As our lawyer asks",
            **changed,
        }

    def test_the_list_says_what_is_not_approved(self, cast: Any, client_for: Any) -> None:
        client, counts = client_for(cast.manager), []
        url = reverse("consent-texts:index")
        page = client.get(url).content.decode()
        assert page.count("Not verified by a clinician") == 5
        for number in range(3):
            write_text(
                by=cast.manager, country="FR", language="fr", wording=wording(withdraw=f"{number}.")
            )
            with CaptureQueriesContext(connection) as queries:
                page = client.get(url).content.decode()
            counts.append(len(queries))
        assert "Version 4 waits for approval" in page
        assert counts[0] == counts[2]
        assert client_for(cast.front_desk).get(url).status_code == 403
        assert client_for(cast.practitioner).get(url).status_code == 200

    def test_written_looked_at_and_approved(self, cast: Any, client_for: Any) -> None:
        client = client_for(cast.manager)
        url = reverse("consent-texts:edit", args=["fr-fr"])
        assert "risques" in client.get(url).content.decode()
        changed = self.sent(wording(), text_withdraw="Toujours et partout.")
        shown = client.post(url, {**changed, "what": "show"})
        assert shown.status_code == 200
        assert "<p>Toujours et partout.</p>" in shown.content.decode()
        assert ConsentTemplate.objects.filter(code="fr-fr").count() == 1
        saved = client.post(url, {**changed, "what": "save"})
        assert saved["Location"] == reverse("consent-texts:version", args=["fr-fr", 2])
        page = client.get(saved["Location"]).content.decode()
        assert "Approve and use" in page
        signed_consent(cast, serum_plan(cast), "fr")
        doctor = client_for(cast.practitioner)
        assert "1 course under way" in doctor.get(saved["Location"]).content.decode()
        doctor.post(reverse("consent-texts:approve", args=["fr-fr", 2]))
        assert text_for("FR", "fr").approved_by == cast.practitioner
        old = client.get(reverse("consent-texts:version", args=["fr-fr", 1])).content.decode()
        assert "Toujours et partout" not in old

    def test_refused_beside_the_field_and_nothing_lost(self, cast: Any, client_for: Any) -> None:
        client = client_for(cast.manager)
        url = reverse("consent-texts:edit", args=["fr-fr"])
        changed = self.sent(
            wording(), text_risks="{{ risks }}", statement_agree="", text_withdraw="Mine."
        )
        response = client.post(url, {**changed, "what": "save"})
        assert response.status_code == 422
        assert set(response.context["form"].errors) == {"text_risks", "statement_agree"}
        page = response.content.decode()
        assert "{{ risks }}" in page
        assert "Mine." in page
        assert ConsentTemplate.objects.filter(code="fr-fr").count() == 1

    @pytest.mark.parametrize("code", ["fr-de", "xx-en", "FR-fr", "int", "fr"])
    def test_a_text_that_cannot_be_is_not_there(
        self, cast: Any, client_for: Any, code: str
    ) -> None:
        client = client_for(cast.manager)
        assert client.get(reverse("consent-texts:edit", args=[code])).status_code == 404

    def test_who_may(self, cast: Any, client_for: Any) -> None:
        edit = reverse("consent-texts:edit", args=["fr-fr"])
        for staff in (cast.practitioner, cast.front_desk):
            assert client_for(staff).get(edit).status_code == 403
        approve = reverse("consent-texts:approve", args=["fr-fr", 1])
        assert client_for(cast.front_desk).post(approve).status_code == 403

    def test_an_unapproved_text_says_so_where_it_is_used(self, cast: Any, client_for: Any) -> None:
        consent = prepare_consent(by=cast.practitioner, plan=accepted_plan(cast), language="fr")
        url = reverse("consents:detail", args=[consent.patient.number, consent.pk])
        client = client_for(cast.practitioner)
        assert "Nobody at this clinic has approved" in client.get(url).content.decode()
        approve_text(by=cast.practitioner, template=text_for("FR", "fr"))
        assert "Nobody at this clinic has approved" not in client.get(url).content.decode()
        assert "pas autorisé pour cette utilisation" in consent.html
        assert "séances" in consent.html
