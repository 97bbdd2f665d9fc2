"""The note: begun for a visit, kept while it is written, signed and closed, added to later."""

from __future__ import annotations

from base64 import b64decode
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from json import dumps
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic.errors import ActionRefused
from clinic.web.local_copy import copy_key
from patients.intake.models import History
from tests.at_once import Crowd
from tests.conftest import make_patient
from tests.treatments.plan_parts import COMPLETE_NOTE, hand_in_history, signed_note
from treatments.catalogue.actions import edit_row
from treatments.catalogue.models import NoteTemplate, RiskLine, Scale
from treatments.consultations import actions, filling
from treatments.consultations.actions import (
    HeldElsewhere,
    StaleDraft,
    add_addendum,
    save_consultation,
    sign_consultation,
    start_consultation,
    take_over,
)
from treatments.consultations.alternatives import ALTERNATIVES
from treatments.consultations.fitzpatrick import computed_type, skin_type
from treatments.consultations.indications import indication_choices
from treatments.consultations.missing import missing_parts
from treatments.consultations.models import ChartMark, Consultation
from treatments.consultations.skin import SCALE, current_scales, kept_answers
from treatments.diary.models import Appointment
from treatments.scales.reading import current_scales as scales_in_force

db = pytest.mark.django_db
ROW = {"area": "lower-back", "side": "none", "signs": [], "words": ""}


def begin(cast: Any) -> Consultation:
    return start_consultation(by=cast.practitioner, patient=cast.patient, location=cast.here)


def save(cast: Any, note: Consultation, **values: Any) -> Consultation:
    return save_consultation(
        by=cast.practitioner, consultation=note, revision=note.revision, values=values
    )


def address(note: Consultation, name: str = "edit") -> str:
    return reverse(f"consultations:{name}", args=[note.patient.number, note.pk])


def typed(note: Consultation, **changed: Any) -> dict[str, Any]:
    """A complete note as a page without scripts sends it."""
    data = {**COMPLETE_NOTE, "revision": note.revision, **changed}
    for number, code in enumerate(data.pop("areas")):
        data |= {f"f-{number}-area": code, f"f-{number}-side": "none"}
    return data


def bands() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Scale.objects.current().get(code="fitzpatrick").bands
    return found


def autosave(client: Any, note: Consultation, **sent: Any) -> Any:
    """What the page's script sends: everything, with the names of the sections written in."""
    return client.post(address(note), sent, headers={"X-Autosave": "yes"})


def visit(cast: Any, patient: Any) -> Appointment:
    start = timezone.now().replace(microsecond=0)
    return Appointment.objects.create(
        location=cast.here,
        patient=patient,
        practitioner=cast.practitioner,
        room=cast.room,
        service=cast.consultation,
        starts_at=start,
        ends_at=start + timedelta(minutes=30),
    )


@db
class TestSkinType:
    @pytest.mark.parametrize(
        ("total", "expected"),
        [
            (0, 1), (6, 1), (7, 2), (13, 2), (14, 3), (20, 3),
            (21, 4), (27, 4), (28, 5), (34, 5), (35, 6), (40, 6),
        ],
    )  # fmt: skip
    def test_bands(self, total: int, expected: int) -> None:
        assert skin_type(bands(), total) == expected

    @pytest.mark.parametrize("total", [-1, 41])
    def test_no_such_total(self, total: int) -> None:
        with pytest.raises(ValueError):
            skin_type(bands(), total)

    def test_never_falls_as_the_total_rises(self) -> None:
        types = [skin_type(bands(), total) for total in range(41)]
        assert types == sorted(types)
        assert set(types) == {1, 2, 3, 4, 5, 6}

    def test_incomplete_answers_give_none(self) -> None:
        assert computed_type(bands(), {"eye": 2}) is None
        assert kept_answers(current_scales(), {"eye": 2})["other"] is None

    def test_both_versions_are_kept(self) -> None:
        """25 points: type IV by version B, III or IV by version A (DOMAIN.md section 7)."""
        answers = {item["code"]: 2 for item in Scale.objects.current().get(code=SCALE).items}
        kept = kept_answers(current_scales(), answers | dict.fromkeys(list(answers)[:5], 3))
        assert (kept["total"], kept["computed"], kept["version"]) == (25, 4, 1)
        assert kept["other"] == {"scale": "fitzpatrick-a", "version": 1, "types": ["III", "IV"]}


@db
class TestActions:
    def test_starting_twice_is_one_draft(self, cast: Any) -> None:
        assert begin(cast) == begin(cast)

    def test_an_appointment_of_someone_else_is_refused(self, cast: Any) -> None:
        other = visit(cast, make_patient(cast.here, "Otto", "Other"))
        with pytest.raises(ActionRefused, match="someone else"):
            start_consultation(
                by=cast.practitioner, patient=cast.patient, location=cast.here, appointment=other
            )

    def test_an_older_revision_overwrites_nothing(self, cast: Any) -> None:
        note = begin(cast)
        save(cast, note, concern="first tab")
        with pytest.raises(StaleDraft):
            save(cast, note, concern="second tab")
        note.refresh_from_db()
        assert note.concern == "first tab"

    def test_signing_freezes_the_verdicts_and_closes(self, cast: Any) -> None:
        note = signed_note(cast)
        assert note.is_signed
        assert note.history_version == 1
        with pytest.raises(ActionRefused, match="closed"):
            save(cast, note, concern="later")
        with pytest.raises(ActionRefused, match="closed"):
            sign_consultation(by=cast.practitioner, consultation=note)
        with pytest.raises(DatabaseError), transaction.atomic():
            Consultation.objects.filter(pk=note.pk).update(concern="rewritten")

    @pytest.mark.parametrize("field", ["concern", "examination", "fitzpatrick", "decision"])
    def test_each_missing_part_is_named(self, cast: Any, field: str) -> None:
        hand_in_history(cast.patient)
        empty = None if field == "fitzpatrick" else ""
        note = save(cast, begin(cast), **{**COMPLETE_NOTE, field: empty})
        with pytest.raises(ActionRefused) as refused:
            sign_consultation(by=cast.practitioner, consultation=note)
        assert refused.value.field == field

    def test_suitable_is_refused_while_screening_stops(self, cast: Any) -> None:
        note = save(cast, begin(cast), **COMPLETE_NOTE)
        assert not History.objects.filter(patient=cast.patient).exists()
        with pytest.raises(ActionRefused) as refused:
            sign_consultation(by=cast.practitioner, consultation=note)
        assert refused.value.field == "decision"
        tomorrow = timezone.localdate(timezone=cast.here.zone) + timedelta(days=1)
        note = save(cast, note, decision="think", think_until=tomorrow)
        signed = sign_consultation(by=cast.practitioner, consultation=note)
        assert [verdict["level"] for verdict in signed.screening] == ["stop"]

    def test_an_addendum_needs_a_signed_note_words_and_a_reason(self, cast: Any) -> None:
        note = begin(cast)
        with pytest.raises(ActionRefused, match="still a draft"):
            add_addendum(by=cast.practitioner, consultation=note, text="x", reason="y")
        note = signed_note(cast)
        with pytest.raises(ActionRefused) as refused:
            add_addendum(by=cast.practitioner, consultation=note, text="x", reason=" ")
        assert refused.value.field == "reason"
        add_addendum(by=cast.practitioner, consultation=note, text="Called back.", reason="Forgot")
        assert note.addenda.count() == 1
        with pytest.raises(DatabaseError), transaction.atomic():
            note.addenda.update(text="rewritten")


@db
class TestStarting:
    def test_for_an_appointment_of_this_patient(self, cast: Any, client_for: Any) -> None:
        appointment = visit(cast, cast.patient)
        response = client_for(cast.practitioner).post(
            reverse("consultations:start", args=[cast.patient.number]),
            {"appointment": appointment.pk},
        )
        note = Consultation.objects.get()
        assert response["Location"] == address(note)
        assert note.appointment == appointment

    @pytest.mark.parametrize("wanted", ["theirs", "abc", "-1", str(2**70)])
    def test_any_other_appointment_is_not_there(
        self, cast: Any, client_for: Any, wanted: str
    ) -> None:
        theirs = visit(cast, make_patient(cast.here, "Otto", "Other"))
        response = client_for(cast.practitioner).post(
            reverse("consultations:start", args=[cast.patient.number]),
            {"appointment": theirs.pk if wanted == "theirs" else wanted},
        )
        assert response.status_code == 404
        assert not Consultation.objects.exists()

    def test_looking_writes_nothing(self, cast: Any, client_for: Any) -> None:
        url = reverse("consultations:start", args=[cast.patient.number])
        assert client_for(cast.practitioner).get(url).status_code == 405


@db
class TestAccess:
    @pytest.mark.parametrize("name", ["edit", "detail", "addendum", "state", "take-over"])
    def test_roles_and_places(self, cast: Any, client_for: Any, name: str) -> None:
        url = address(begin(cast), name)
        method = "post" if name in ("addendum", "take-over") else "get"
        for staff, expected in (
            (cast.front_desk, 403),
            (cast.manager, 403),
            (cast.practitioner2, 404),
        ):
            assert getattr(client_for(staff), method)(url).status_code == expected

    def test_a_note_under_another_patients_number_is_not_there(
        self, cast: Any, client_for: Any
    ) -> None:
        note = begin(cast)
        other = make_patient(cast.here, "Otto", "Other")
        url = reverse("consultations:edit", args=[other.number, note.pk])
        assert client_for(cast.practitioner).get(url).status_code == 404

    def test_the_panel(self, cast: Any, client_for: Any) -> None:
        signed_note(cast)
        url = reverse("consultations:panel", args=[cast.patient.number])
        assert "Suitable" in client_for(cast.practitioner).get(url).content.decode()
        assert client_for(cast.front_desk).get(url).status_code == 403
        assert client_for(cast.practitioner2).get(url).status_code == 404


@db
class TestDraftPage:
    def test_offers_indications_areas_and_the_ten_questions(
        self, cast: Any, client_for: Any
    ) -> None:
        page = client_for(cast.practitioner).get(address(begin(cast))).content.decode()
        for words in ("Low back pain", "Lower back", "Eye colour", "No medical history"):
            assert words in page
        assert page.count('name="skin_') == 50

    def test_every_indication_has_a_name(self, cast: Any) -> None:
        assert all("-" not in name for _code, name in indication_choices())

    def test_autosave_keeps_and_says_when(self, cast: Any, client_for: Any) -> None:
        note = begin(cast)
        client = client_for(cast.practitioner)
        names = {
            name.removeprefix("skin_")
            for name in client.get(address(note)).context["form"].fields
            if name.startswith("skin_")
        }
        answers = {f"skin_{name}": 2 for name in names}
        response = client.post(
            address(note),
            typed(note, concern="Half a sent", **answers),
            headers={"X-Autosave": "yes"},
        )
        assert response.status_code == 200
        told = response.json()
        assert (told["revision"], told["computed"]) == (1, 3)
        assert told["words"].startswith("Saved ")
        note.refresh_from_db()
        assert note.concern == "Half a sent"
        assert note.fitzpatrick_answers["total"] == 20
        assert note.fitzpatrick == 3

    def test_autosave_of_an_older_page_is_told(self, cast: Any, client_for: Any) -> None:
        note = begin(cast)
        save(cast, note, concern="elsewhere")
        response = client_for(cast.practitioner).post(
            address(note), typed(note, revision=0), headers={"X-Autosave": "yes"}
        )
        assert response.status_code == 409
        told = response.json()
        assert "Nothing was overwritten" in told["message"]
        (one,) = told["clashes"]
        assert (one["mine"], one["theirs"]) == (COMPLETE_NOTE["concern"], "elsewhere")
        assert (one["by"], one["label"]) == ("Ada Rossi", "Concern, in the patient's words")

    def test_autosave_after_signing_is_told(self, cast: Any, client_for: Any) -> None:
        note = signed_note(cast)
        response = client_for(cast.practitioner).post(
            address(note), typed(note), headers={"X-Autosave": "yes"}
        )
        assert response.status_code == 422
        assert "signed and closed" in response.json()["message"]

    def test_autosave_signed_out_is_sent_to_sign_in(self, cast: Any, client: Any) -> None:
        note = begin(cast)
        response = client.post(address(note), typed(note), headers={"X-Autosave": "yes"})
        assert response.status_code == 302
        assert "/sign-in/" in response["Location"]

    def test_two_tabs_without_scripts(self, cast: Any, client_for: Any) -> None:
        note = begin(cast)
        save(cast, note, concern="elsewhere")
        response = client_for(cast.practitioner).post(
            address(note), typed(note, revision=0, concern="What I typed here")
        )
        assert response.status_code == 409
        page = response.content.decode()
        assert "What I typed here" in page
        assert "Nothing was overwritten" in page
        note.refresh_from_db()
        assert note.concern == "elsewhere"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("concern", "x" * 4001),
            ("examination", "x" * 8001),
            ("fitzpatrick", "9"),
            ("fitzpatrick", "dark"),
            ("decision", "maybe"),
            ("explained", "nothing-known"),
            ("alternatives_named", "prayer"),
            ("think_until", "soon"),
            ("indications", "immortality"),
            ("skin_eye", "7"),
        ],
    )
    def test_bad_input_is_said_beside_its_field(
        self, cast: Any, client_for: Any, field: str, value: str
    ) -> None:
        note = begin(cast)
        response = client_for(cast.practitioner).post(
            address(note), typed(note, discussion="Keep these words", **{field: value})
        )
        assert response.status_code == 422
        assert field in response.context["form"].errors
        assert "Keep these words" in response.content.decode()

    @pytest.mark.parametrize("revision", ["", "abc", "-1"])
    def test_a_broken_revision_is_no_crash(self, cast: Any, client_for: Any, revision: str) -> None:
        note = begin(cast)
        response = client_for(cast.practitioner).post(address(note), typed(note, revision=revision))
        assert response.status_code == 422

    def test_null_bytes_are_refused(self, cast: Any, client_for: Any) -> None:
        note = begin(cast)
        response = client_for(cast.practitioner).post(address(note), typed(note, concern="a\x00b"))
        assert response.status_code == 422

    def test_signing_names_all_that_is_missing_and_keeps_the_rest(
        self, cast: Any, client_for: Any
    ) -> None:
        note = begin(cast)
        response = client_for(cast.practitioner).post(
            address(note), {"revision": 0, "concern": "Back pain", "do": "sign"}
        )
        assert response.status_code == 422
        errors = response.context["form"].errors
        assert set(errors) == {"examination", "fitzpatrick", "discussion", "decision"}
        note.refresh_from_db()
        assert note.concern == "Back pain"
        assert f'value="{note.revision}"' in response.content.decode()

    def test_signing(self, cast: Any, client_for: Any) -> None:
        hand_in_history(cast.patient)
        note = begin(cast)
        client = client_for(cast.practitioner)
        response = client.post(address(note), typed(note, do="sign"))
        assert response["Location"] == address(note, "detail")
        assert client.get(address(note))["Location"] == address(note, "detail")
        page = client.get(address(note, "detail")).content.decode()
        assert "Signed by Ada Rossi" in page
        assert "Tender points" in page

    def test_typed_markup_is_shown_as_typed(self, cast: Any, client_for: Any) -> None:
        note = signed_note(cast, concern="<script>alert(1)</script> {{ 7|add:7 }}")
        page = client_for(cast.practitioner).get(address(note, "detail")).content.decode()
        assert "<script>alert" not in page
        assert "{{ 7|add:7 }}" in page

    def test_the_verdicts_follow_by_htmx(self, cast: Any, client_for: Any) -> None:
        response = client_for(cast.practitioner).get(
            address(begin(cast)), headers={"HX-Request": "true"}
        )
        page = response.content.decode()
        assert page.strip().startswith('<div id="verdicts"')
        assert "<html" not in page


@db
class TestAddenda:
    def test_kept_beside_the_note(self, cast: Any, client_for: Any) -> None:
        note = signed_note(cast)
        client = client_for(cast.practitioner)
        sent = {"text": "She called: no fever.", "reason": "Phone call"}
        assert client.post(address(note, "addendum"), sent).status_code == 302
        assert "no fever" in client.get(address(note, "detail")).content.decode()

    @pytest.mark.parametrize(
        ("sent", "field"),
        [
            ({"text": "", "reason": "x"}, "text"),
            ({"text": "Words", "reason": ""}, "reason"),
            ({"text": "Words", "reason": "x" * 301}, "reason"),
            ({"text": "x" * 4001, "reason": "x"}, "text"),
        ],
    )
    def test_refused_without_losing_words(
        self, cast: Any, client_for: Any, sent: dict[str, str], field: str
    ) -> None:
        note = signed_note(cast)
        response = client_for(cast.practitioner).post(address(note, "addendum"), sent)
        assert response.status_code == 422
        assert field in response.context["form"].errors
        assert sent["text"][:20] in response.content.decode()


@db
class TestFindings:
    def test_by_area_and_side_with_signs_and_words(self, cast: Any, client_for: Any) -> None:
        note = begin(cast)
        rows = {
            "f-0-area": "cheek", "f-0-side": "left",
            "f-0-signs": ["pigment", "redness"], "f-0-words": "sharp border",
            "f-2-area": "cheek", "f-2-side": "right", "f-2-signs": ["nothing"],
            "f-7-area": "forehead", "f-7-side": "left",
            "f-9-area": "", "f-9-side": "both",
        }  # fmt: skip
        client = client_for(cast.practitioner)
        assert autosave(client, note, revision=0, **rows).status_code == 200
        note.refresh_from_db()
        assert note.areas == ["cheek", "forehead"]
        assert [(row["area"], row["side"]) for row in note.findings] == [
            ("cheek", "left"),
            ("cheek", "right"),
            ("forehead", "none"),
        ]
        page = client.get(address(note, "detail")).content.decode()
        assert "Cheek, left" in page
        assert "Pigment, Redness, vessels: sharp border" in page

    @pytest.mark.parametrize(
        "rows",
        [
            {"f-0-area": "atlantis"},
            {"f-0-area": "cheek", "f-0-side": "up"},
            {"f-0-area": "cheek", "f-0-signs": "magic"},
            {"f-0-area": "", "f-0-words": "where is this?"},
            {"f-0-area": "cheek", "f-0-words": "x" * 501},
        ],
    )
    def test_what_cannot_be_is_said_beside_its_field(
        self, cast: Any, client_for: Any, rows: dict[str, str]
    ) -> None:
        note = begin(cast)
        response = autosave(client_for(cast.practitioner), note, revision=0, concern="x", **rows)
        assert response.status_code == 422
        assert next(iter(response.json()["errors"])).startswith("id_f-0-")
        note.refresh_from_db()
        # Everything else is kept.
        assert (note.concern, note.findings) == ("x", [])

    def test_twice_the_same_place_is_refused(self, cast: Any, client_for: Any) -> None:
        rows = {f"f-{n}-area": "forehead" for n in range(2)}
        response = autosave(client_for(cast.practitioner), begin(cast), revision=0, **rows)
        assert response.status_code == 422
        assert "once" in response.json()["message"]


@db
class TestScalesInTheNote:
    def test_those_that_suit_are_offered_after_the_next_save(
        self, cast: Any, client_for: Any
    ) -> None:
        note, client = begin(cast), client_for(cast.practitioner)
        assert "score-" not in client.get(address(note)).content.decode()
        told = autosave(client, note, revision=0, indications="melasma", shape="").json()
        assert "masi" in told["shape"].split(",")
        assert 'name="score-masi--f-a"' in told["parts"]["scales"]
        # What the template leaves out can be added.
        assert "mmasi" not in told["shape"].split(",")
        told = autosave(client, note, revision=1, indications="melasma", add_scale="mmasi").json()
        page = client.get(address(note)).content.decode()
        assert 'name="score-mmasi--c-d"' in page

    def test_the_score_is_computed_and_closed_with_the_note(
        self, cast: Any, client_for: Any
    ) -> None:
        hand_in_history(cast.patient)
        note, client = begin(cast), client_for(cast.practitioner)
        answers = {f"score-masi--{code}": value for code, value in WORKED.items()}
        sent = typed(note, indications=["melasma", "low-back-pain"], **answers)
        told = autosave(client, note, **sent).json()
        assert told["scores"]["masi-"] == "17.2 of 48"
        note.refresh_from_db()
        assert client.post(address(note), sent | {"revision": 1, "do": "sign"}).status_code == 302
        (score,) = note.scores.all()
        assert (score.value, score.closed_at is not None) == (Decimal("17.20"), True)
        assert "17.2 of 48" in client.get(address(note, "detail")).content.decode()
        with pytest.raises(DatabaseError), transaction.atomic():
            note.scores.update(value=1)

    def test_an_unfinished_scale_is_kept_and_named_at_signing(
        self, cast: Any, client_for: Any
    ) -> None:
        hand_in_history(cast.patient)
        note, client = begin(cast), client_for(cast.practitioner)
        sent = typed(note, indications=["melasma"], **{"score-masi--f-a": 3})
        assert autosave(client, note, **sent).status_code == 200
        assert note.scores.get().value is None
        response = client.post(address(note), sent | {"revision": 1, "do": "sign"})
        assert response.status_code == 422
        errors = response.context["form"].errors
        assert "score-masi--f-d" in errors
        assert "score-masi--f-a" not in errors
        assert len([name for name in errors if name.startswith("score-masi")]) == 11

    @pytest.mark.parametrize("value", ["11", "-1", "3.5", "NaN", "1e5", "much"])
    def test_out_of_bounds_is_said_beside_the_field_and_the_rest_is_kept(
        self, cast: Any, client_for: Any, value: str
    ) -> None:
        note = begin(cast)
        sent = {"concern": "Back", "indications": "low-back-pain", "score-nrs-pain--value": value}
        response = autosave(client_for(cast.practitioner), note, revision=0, **sent)
        assert response.status_code == 422
        told = response.json()
        assert told["errors"] == {"id_score-nrs-pain--value": "A number from 0 to 10."}
        assert "scales" not in told["saved"]
        note.refresh_from_db()
        assert note.concern == "Back"
        assert not note.scores.exists()

    def test_a_scale_can_be_added_without_scripts(self, cast: Any, client_for: Any) -> None:
        note, client = begin(cast), client_for(cast.practitioner)
        client.post(address(note), {"revision": 0, "add_scale": "gais", "do": "save"})
        note.refresh_from_db()
        assert note.scales == ["gais"]
        assert 'name="score-gais--grade"' in client.get(address(note)).content.decode()

    def test_an_answered_scale_keeps_its_version(self, cast: Any, client_for: Any) -> None:
        note, client = begin(cast), client_for(cast.practitioner)
        sent = {"indications": "low-back-pain", "score-nrs-pain--value": "4"}
        autosave(client, note, revision=0, **sent)
        old = Scale.objects.current().get(code="nrs-pain")
        edit_row(by=cast.manager, row=old, values={"maximum": Decimal(5)})
        autosave(client, note, revision=1, **sent | {"score-nrs-pain--value": "5"})
        assert note.scores.get().scale == old


WORKED = {
    "f-a": 3, "f-d": 2, "f-h": 2, "lm-a": 4, "lm-d": 3, "lm-h": 2,
    "rm-a": 4, "rm-d": 3, "rm-h": 3, "c-a": 2, "c-d": 1, "c-h": 1,
}  # fmt: skip


def drawn(**changed: Any) -> dict[str, Any]:
    mark = {
        "key": str(uuid4()),
        "chart": "face-front",
        "kind": "line",
        "sign": "pigment",
        "words": "left",
        "points": [[0.1, 0.2], [0.2, 0.3]],
    }
    return mark | changed


@db
class TestDrawing:
    def test_kept_once_however_often_it_is_sent(self, cast: Any, client_for: Any) -> None:
        note, client, mark = begin(cast), client_for(cast.practitioner), drawn()
        for revision in (0, 0, 1):
            response = autosave(client, note, revision=revision, changed="", marks=dumps([mark]))
            assert response.status_code == 200
        (kept,) = note.marks.all()
        assert (kept.points, kept.sign, kept.words) == ([[0.1, 0.2], [0.2, 0.3]], "pigment", "left")
        assert response.json()["revision"] == 1

    def test_two_pages_draw_beside_each_other(self, cast: Any, client_for: Any) -> None:
        note, client = begin(cast), client_for(cast.practitioner)
        one, two = drawn(), drawn(kind="pin", points=[[0.5, 0.5]])
        autosave(client, note, revision=0, changed="", marks=dumps([one]))
        autosave(client, note, revision=0, changed="", marks=dumps([two]))
        assert note.marks.count() == 2
        autosave(client, note, revision=2, changed="", marks=dumps([]), marks_known=one["key"])
        assert [str(mark.key) for mark in note.marks.all()] == [two["key"]]

    @pytest.mark.parametrize(
        "marks",
        [
            "no json",
            "{}",
            "[1]",
            dumps([drawn(chart="atlantis")]),
            dumps([drawn(kind="blob")]),
            dumps([drawn(sign="magic")]),
            dumps([drawn(points=[])]),
            dumps([drawn(points=[[0.1]])]),
            dumps([drawn(points=[[0.1, 2]] * 3)]),
            dumps([drawn(points=[[0.1, "x"]] * 3)]),
            dumps([drawn(points=[[0.5, 0.5]] * 601)]),
            dumps([drawn(kind="outline")]),
            dumps([drawn(key="1")]),
            dumps([drawn(kind="pin", points=[[float("nan"), 0]])]),
            dumps([drawn() for _n in range(201)]),
        ],
    )
    def test_what_is_no_drawing_is_refused(self, cast: Any, client_for: Any, marks: str) -> None:
        note = begin(cast)
        response = autosave(client_for(cast.practitioner), note, revision=0, marks=marks)
        assert response.status_code == 422
        assert not ChartMark.objects.exists()

    def test_shown_with_the_note_and_closed_with_it(self, cast: Any, client_for: Any) -> None:
        hand_in_history(cast.patient)
        note, client = begin(cast), client_for(cast.practitioner)
        sent = typed(note, marks=dumps([drawn(words="<b>here</b>")]), do="sign")
        assert client.post(address(note), sent).status_code == 302
        page = client.get(address(note, "detail")).content.decode()
        assert '<polyline points="21,60.8 42,91.2">' in page
        assert "&lt;b&gt;here" in page
        mark = note.marks.get()
        with pytest.raises(DatabaseError, match="signed record"), transaction.atomic():
            note.marks.update(words="elsewhere")
        with pytest.raises(DatabaseError, match="signed record"), transaction.atomic():
            mark.delete()
        with pytest.raises(DatabaseError, match="signed record"), transaction.atomic():
            ChartMark.objects.create(
                consultation=note, key=uuid4(), chart="scalp", kind="pin", points=[[0, 0]]
            )


@db
class TestSections:
    """Two writers disturb each other only where they wrote the same."""

    def test_an_old_page_goes_in_beside_a_new_one(self, cast: Any, client_for: Any) -> None:
        note, client = begin(cast), client_for(cast.practitioner)
        autosave(client, note, revision=0, changed="concern", concern="first")
        response = autosave(client, note, revision=0, changed="advice", concern="", advice="second")
        assert response.status_code == 200
        note.refresh_from_db()
        assert (note.concern, note.advice, note.revision) == ("first", "second", 2)

    def test_the_same_words_are_no_clash(self, cast: Any) -> None:
        note = begin(cast)
        save(cast, note, concern="same")
        saved = save(cast, note, concern="same", advice="more")
        assert (saved.concern, saved.advice) == ("same", "more")

    def test_a_revision_from_the_future_is_refused(self, cast: Any) -> None:
        note = begin(cast)
        note.revision = 7
        with pytest.raises(StaleDraft):
            save(cast, note, concern="x")

    def test_nothing_of_a_refused_save_is_kept(self, cast: Any) -> None:
        note = begin(cast)
        save(cast, note, concern="first")
        with pytest.raises(StaleDraft) as stale:
            save(cast, note, concern="second", advice="also")
        assert stale.value.sections == ["concern"]
        note.refresh_from_db()
        assert note.advice == ""

    def test_both_texts_are_shown_without_scripts(self, cast: Any, client_for: Any) -> None:
        note, client = begin(cast), client_for(cast.practitioner)
        save(cast, note, concern="The saved words")
        response = client.post(address(note), typed(note, revision=0, concern="My words"))
        page = response.content.decode()
        assert response.status_code == 409
        assert "<pre>My words</pre>" in page
        assert "<pre>The saved words</pre>" in page
        # Saving again, with both in sight, keeps what stands in the form.
        assert (
            client.post(address(note), typed(note, revision=1, concern="Both")).status_code == 302
        )
        note.refresh_from_db()
        assert note.concern == "Both"

    def test_a_page_of_someone_else_saves_nothing_under_another_name(
        self, cast: Any, client_for: Any
    ) -> None:
        note = begin(cast)
        sent = {"revision": 0, "writer": cast.practitioner.pk, "concern": "hers"}
        response = autosave(client_for(cast.colleague), note, **sent)
        assert response.status_code == 409
        assert "Someone else has signed in" in response.json()["message"]
        response = client_for(cast.colleague).post(address(note), sent)
        assert response.status_code == 422
        note.refresh_from_db()
        assert note.concern == ""


@db
class TestTwoPeople:
    def test_the_later_is_told_who_and_since_when(self, cast: Any, client_for: Any) -> None:
        note = begin(cast)
        save(cast, note, concern="hers")
        client = client_for(cast.colleague)
        page = client.get(address(note)).content.decode()
        assert "Ada Rossi is writing here since" in page
        assert "Take over" in page
        assert "hers" in page
        assert 'id="note"' not in page
        response = autosave(client, note, revision=1, concern="his")
        assert response.status_code == 423
        assert response.json()["held"].startswith("Ada Rossi is writing here since")
        note.refresh_from_db()
        assert note.concern == "hers"
        assert client.get(address(note, "state")).json()["held"]

    def test_taking_over_and_the_first_is_told(self, cast: Any, client_for: Any) -> None:
        note = begin(cast)
        save(cast, note, concern="hers")
        client = client_for(cast.colleague)
        assert client.post(address(note, "take-over"))["Location"] == address(note)
        assert 'id="note"' in client.get(address(note)).content.decode()
        note.refresh_from_db()
        with pytest.raises(HeldElsewhere, match="Noor Haddad"):
            save(cast, note, concern="more")
        with pytest.raises(HeldElsewhere):
            sign_consultation(by=cast.practitioner, consultation=note)
        with pytest.raises(HeldElsewhere):
            filling.confirm_section(by=cast.practitioner, consultation=note, section="advice")

    def test_a_hold_ends_by_itself(self, cast: Any) -> None:
        note = begin(cast)
        save(cast, note, concern="hers")
        note.refresh_from_db()
        begun = note.edited_at
        assert note.is_held_from(cast.colleague, begun + timedelta(minutes=10))
        assert not note.is_held_from(cast.colleague, begun + timedelta(minutes=10, seconds=1))
        assert not note.is_held_from(cast.practitioner, begun)

    def test_a_signed_note_is_not_taken_over(self, cast: Any) -> None:
        with pytest.raises(ActionRefused, match="closed"):
            take_over(by=cast.colleague, consultation=signed_note(cast))

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("locked", [True, False])
    def test_two_saves_at_once_lose_nothing(
        self, cast: Any, monkeypatch: pytest.MonkeyPatch, locked: bool
    ) -> None:
        """Each of two pages writes its own section twenty times; all of it is there.

        The negative control reads the draft without its lock: then saves are lost.
        """
        note, crowd = begin(cast), Crowd()

        def read_together(consultation: Consultation) -> Consultation:
            found = Consultation.objects.select_related("editor").get(pk=consultation.pk)
            crowd.stand()
            return found

        if not locked:
            monkeypatch.setattr(actions, "locked_draft", read_together)

        def write(field: str) -> None:
            for turn in range(20):
                found = Consultation.objects.get(pk=note.pk)
                save(cast, found, **{field: f"{field} {turn}"})

        answers = crowd.run([partial(write, "concern"), partial(write, "advice")])
        refused = [one for one in answers if one is not None]
        note.refresh_from_db()
        if not locked:
            assert refused or note.revision < 40
            return
        assert not refused
        assert (note.concern, note.advice, note.revision) == ("concern 19", "advice 19", 40)


@db
class TestDecision:
    @pytest.mark.parametrize(
        ("values", "fields"),
        [
            ({"decision": "refer"}, {"decision_reason", "refer_to"}),
            ({"decision": "refer", "refer_to": "Dr Lemoine"}, {"decision_reason"}),
            ({"decision": "not_suitable"}, {"decision_reason"}),
            ({"decision": "think"}, {"think_until"}),
            ({"decision": "think", "think_until": date(2020, 1, 1)}, {"think_until"}),
            ({"decision": "suitable", "alternatives": ""}, {"alternatives"}),
            (
                {"decision": "suitable", "alternatives": "", "alternatives_named": ["nothing"]},
                set(),
            ),
            ({"examination": "", "findings": [{**ROW, "signs": ["tender"]}]}, set()),
            ({"examination": "", "findings": [ROW]}, {"examination"}),
            ({"discussion": "", "explained": [{"code": "common", "version": 1}]}, set()),
        ],
    )
    def test_what_each_decision_needs(
        self, cast: Any, values: dict[str, Any], fields: set[str]
    ) -> None:
        note = save(cast, begin(cast), **COMPLETE_NOTE | values)
        assert set(missing_parts(note, date(2026, 1, 1))) == fields

    def test_all_of_it_can_be_read(self, cast: Any, client_for: Any) -> None:
        note = signed_note(
            cast,
            decision="refer",
            decision_reason="Irregular border",
            refer_to="Dr Lemoine",
            alternatives_named=["nothing"],
            advice="Sunscreen.",
            explained=[{"code": "infection", "version": 1}],
        )
        page = client_for(cast.practitioner).get(address(note, "detail")).content.decode()
        for words in (
            "To: Dr Lemoine",
            "Irregular border",
            "Doing nothing",
            "Sunscreen.",
            "atypical",
        ):
            assert words in page


def template(code: str = "melasma") -> NoteTemplate:
    found: NoteTemplate = NoteTemplate.objects.current().get(code=code)
    return found


@db
class TestTemplates:
    def test_fills_only_what_is_empty_and_brings_its_scales(self, cast: Any) -> None:
        note = save(cast, begin(cast), examination="My own words", indications=["hydration"])
        note = filling.use_template(by=cast.practitioner, consultation=note, template=template())
        assert note.examination == "My own words"
        assert "No result can be promised" in note.discussion
        assert note.indications == ["hydration", "melasma"]
        assert note.scales == ["masi"]
        assert note.alternatives_named == ["nothing", "skin-care", "other-procedure"]
        assert set(note.origins) == {"explained", "discussion", "alternatives", "advice"}
        assert note.origins["advice"] == {"kind": "template", "code": "melasma", "version": 1}

    def test_cannot_be_signed_until_it_was_looked_at(self, cast: Any) -> None:
        hand_in_history(cast.patient)
        note = save(cast, begin(cast), **COMPLETE_NOTE)
        note = filling.use_template(by=cast.practitioner, consultation=note, template=template())
        assert set(note.origins) == {"explained", "advice"}
        with pytest.raises(ActionRefused, match="filled from elsewhere"):
            sign_consultation(by=cast.practitioner, consultation=note)
        note = filling.confirm_section(by=cast.practitioner, consultation=note, section="explained")
        note = save(cast, note, advice="Changed by hand")
        assert note.origins == {}
        assert sign_consultation(by=cast.practitioner, consultation=note).is_signed

    def test_an_edited_template_is_a_new_version(self, cast: Any) -> None:
        edit_row(by=cast.manager, row=template(), values={"advice_en": "Our own advice"})
        note = filling.use_template(
            by=cast.practitioner, consultation=begin(cast), template=template()
        )
        assert note.advice == "Our own advice"
        assert note.origins["advice"]["version"] == 2

    def test_lines_of_a_template_sent_back_unchanged_are_not_touched(
        self, cast: Any, client_for: Any
    ) -> None:
        """A browser ends lines with two signs."""
        note, client = begin(cast), client_for(cast.practitioner)
        client.post(address(note), {"revision": 0, "do": "template:melasma"})
        sent = as_sent(client, note)
        sent["examination"] = sent["examination"].replace("\n", "\r\n")
        client.post(address(note), {**sent, "do": "save"})
        note.refresh_from_db()
        assert "examination" in note.origins

    def test_on_the_page(self, cast: Any, client_for: Any) -> None:
        note, client = begin(cast), client_for(cast.practitioner)
        assert "not approved" in client.get(address(note)).content.decode()
        sent = {"revision": 0, "concern": "Typed before", "do": "template:melasma"}
        assert client.post(address(note), sent).status_code == 302
        page = client.get(address(note)).content.decode()
        assert "Typed before" in page
        assert page.count("From the template Melasma") == 5
        client.post(address(note), {**as_sent(client, note), "do": "holds:advice"})
        note.refresh_from_db()
        assert "advice" not in note.origins
        assert "discussion" in note.origins

    def test_every_shipped_template_names_what_there_is(self) -> None:
        for row in NoteTemplate.objects.current():
            codes = {view.code for view in scales_in_force()}
            assert set(row.scales) <= codes, row.code
            assert RiskLine.objects.current().filter(code__in=row.risks).count() == len(row.risks)
            assert set(row.alternatives) <= set(dict(ALTERNATIVES))
            assert row.general_knowledge


def as_sent(client: Any, note: Consultation) -> dict[str, Any]:
    """What a page without scripts would send back as it stands."""
    form = client.get(address(note)).context["form"]
    data = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in data.items() if value not in (None, "", [])}


@db
class TestCopyForward:
    def test_one_section_at_a_time_marked_until_touched(self, cast: Any) -> None:
        old = signed_note(cast)
        note = begin(cast)
        assert filling.last_signed(note) == old
        copied = filling.copy_section(
            by=cast.practitioner, consultation=note, source=old, section="examination"
        )
        assert copied.examination == old.examination
        assert copied.concern == ""
        assert copied.origins["examination"]["note"] == old.pk
        assert "examination" in missing_parts(copied, date(2026, 1, 1))
        assert save(cast, copied, examination="Seen again").origins == {}

    def test_never_over_what_is_written(self, cast: Any) -> None:
        old, note = signed_note(cast), save(cast, begin(cast), examination="New")
        with pytest.raises(ActionRefused, match="Nothing was overwritten") as refused:
            filling.copy_section(
                by=cast.practitioner, consultation=note, source=old, section="examination"
            )
        assert refused.value.field == "examination"

    @pytest.mark.parametrize("section", ["decision", "scales", "id"])
    def test_decision_and_scores_are_taken_anew(self, cast: Any, section: str) -> None:
        old = signed_note(cast)
        with pytest.raises(ActionRefused, match="anew"):
            filling.copy_section(
                by=cast.practitioner, consultation=begin(cast), source=old, section=section
            )

    def test_only_from_a_signed_note_of_the_same_person(self, cast: Any) -> None:
        other = make_patient(cast.here, "Otto", "Other")
        draft = start_consultation(by=cast.practitioner, patient=other, location=cast.here)
        stranger = start_consultation(by=cast.colleague, patient=other, location=cast.here)
        Consultation.objects.filter(pk=stranger.pk).update(
            concern="x", fitzpatrick=1, decision="think", signed_by=cast.colleague,
            signed_at=timezone.now(),
        )  # fmt: skip
        stranger.refresh_from_db()
        for source in (draft, stranger):
            with pytest.raises(ActionRefused, match="same patient"):
                filling.copy_section(
                    by=cast.practitioner, consultation=begin(cast), source=source, section="concern"
                )
        assert filling.last_signed(begin(cast)) is None

    def test_on_the_page(self, cast: Any, client_for: Any) -> None:
        signed_note(cast)
        note, client = begin(cast), client_for(cast.practitioner)
        page = client.get(address(note)).content.decode()
        assert 'value="copy:examination"' in page
        assert 'value="copy:decision"' not in page
        response = client.post(address(note), {"revision": 0, "do": "copy:concern"})
        assert response["Location"] == address(note) + "#section-concern"
        assert "Copied from the note of" in client.get(address(note)).content.decode()


@db
class TestUnsigned:
    def test_mine_until_they_are_signed(self, cast: Any, client_for: Any) -> None:
        url, client = reverse("consultations:unsigned"), client_for(cast.practitioner)
        assert client.get(url).content.decode().strip() == ""
        note = begin(cast)
        assert "MARTIN, Élodie" in client.get(url).content.decode()
        assert client_for(cast.colleague).get(url).content.decode().strip() == ""
        take = save_consultation(
            by=cast.colleague, consultation=note, revision=0, values={"concern": "x"}
        )
        assert take.editor == cast.colleague
        assert "MARTIN" in client_for(cast.colleague).get(url).content.decode()
        assert client_for(cast.front_desk).get(url).status_code == 403
        assert client_for(cast.practitioner2).get(url).content.decode().strip() == ""

    def test_signed_ones_are_gone(self, cast: Any, client_for: Any) -> None:
        signed_note(cast)
        url = reverse("consultations:unsigned")
        assert client_for(cast.practitioner).get(url).content.decode().strip() == ""

    def test_the_same_number_of_queries_for_one_and_three(self, cast: Any, client_for: Any) -> None:
        client, counts = client_for(cast.practitioner), []
        begin(cast)
        client.get(reverse("consultations:unsigned"))
        for more in ([], ["Anna", "Berta"]):
            for name in more:
                other = make_patient(cast.here, name, "Other")
                start_consultation(by=cast.practitioner, patient=other, location=cast.here)
            with CaptureQueriesContext(connection) as asked:
                client.get(reverse("consultations:unsigned"))
            counts.append(len(asked))
        assert counts[0] == counts[1]


@db
def test_the_edit_page_asks_the_same_for_a_long_note_as_for_a_short_one(
    cast: Any, client_for: Any
) -> None:
    """One and three findings, scores and marks: as many queries."""
    hand_in_history(cast.patient)
    note, client, counts = begin(cast), client_for(cast.practitioner), []
    for rows in (["forehead"], ["forehead", "chin", "nose"]):
        note.refresh_from_db()
        sent = {f"f-{n}-area": code for n, code in enumerate(rows)}
        sent |= {"indications": ["alopecia"], "score-ludwig--grade": "2", "add_scale": "gais"}
        if len(rows) > 1:
            sent |= {"score-norwood--grade": "3", "score-gais--grade": "2"}
        marks = dumps([drawn() for _row in rows])
        assert (
            autosave(client, note, revision=note.revision, marks=marks, **sent).status_code == 200
        )
        with CaptureQueriesContext(connection) as asked:
            client.get(address(note))
        counts.append(len(asked))
    assert counts[0] == counts[1]


@db
def test_the_key_of_the_local_copy_is_each_persons_own(cast: Any, client_for: Any) -> None:
    note, other = (
        begin(cast),
        start_consultation(
            by=cast.practitioner,
            patient=make_patient(cast.here, "Otto", "Other"),
            location=cast.here,
        ),
    )
    keys = {
        copy_key(cast.practitioner, note),
        copy_key(cast.colleague, note),
        copy_key(cast.practitioner, other),
    }
    assert len(keys) == 3
    assert all(len(b64decode(key)) == 32 for key in keys)
    page = client_for(cast.practitioner).get(address(note))
    assert copy_key(cast.practitioner, note) in page.content.decode()
    assert page["Cache-Control"] == "no-store"


@db
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE treatments_consultation SET concern = 'x' WHERE id = %(note)s",
        "UPDATE treatments_consultation SET findings = '[]', advice = 'x' WHERE id = %(note)s",
        "UPDATE treatments_consultation SET signed_at = NULL WHERE id = %(note)s",
        "UPDATE treatments_consultation SET sections = '{}' WHERE id = %(note)s",
        "DELETE FROM treatments_consultation WHERE id = %(note)s",
        "UPDATE treatments_chartmark SET points = '[]' WHERE consultation_id = %(note)s",
        "DELETE FROM treatments_chartmark WHERE consultation_id = %(note)s",
        "INSERT INTO treatments_chartmark (consultation_id, key, chart, kind, sign, words, points)"
        " VALUES (%(note)s, gen_random_uuid(), 'scalp', 'pin', '', '', '[]')",
        "UPDATE treatments_score SET value = 1 WHERE consultation_id = %(note)s",
        "UPDATE treatments_score SET consultation_id = NULL WHERE consultation_id = %(note)s",
        "DELETE FROM treatments_score WHERE consultation_id = %(note)s",
        "INSERT INTO treatments_score (patient_id, scale_id, side, answers, taken_at, taken_by_id,"
        " consultation_id) SELECT patient_id, scale_id, 'left', '{}', now(), taken_by_id,"
        " consultation_id FROM treatments_score WHERE consultation_id = %(note)s",
        "UPDATE treatments_consultationaddendum SET text = 'x' WHERE consultation_id = %(note)s",
    ],
)
def test_a_signed_note_is_closed_to_the_applications_role(
    cast: Any, client_for: Any, sql: str
) -> None:
    hand_in_history(cast.patient)
    note, client = begin(cast), client_for(cast.practitioner)
    sent = typed(note, marks=dumps([drawn()]), **{"score-nrs-pain--value": "4"})
    assert autosave(client, note, **sent).status_code == 200
    # The negative control: while it is a draft, the same statements go through.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE clinic_app")
        for change in ("treatments_score SET value = 5", "treatments_chartmark SET words = ''"):
            cursor.execute(f"UPDATE {change} WHERE consultation_id = %s", [note.pk])
        cursor.execute("RESET ROLE")
    note.refresh_from_db()
    note = sign_consultation(by=cast.practitioner, consultation=note)
    add_addendum(by=cast.practitioner, consultation=note, text="later", reason="call")
    with (
        pytest.raises(DatabaseError, match="signed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SET LOCAL ROLE clinic_app")
        cursor.execute(sql, {"note": note.pk})
