"""The note: begun for a visit, kept while it is written, signed and closed, added to later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.utils import DatabaseError
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clinic.errors import ActionRefused
from patients.intake.models import History
from tests.conftest import make_patient
from tests.treatments.plan_parts import COMPLETE_NOTE, hand_in_history, signed_note
from treatments.consultations.actions import (
    StaleDraft,
    add_addendum,
    save_consultation,
    sign_consultation,
    start_consultation,
)
from treatments.consultations.fitzpatrick import computed_type, skin_type
from treatments.consultations.indications import indication_choices
from treatments.consultations.models import Consultation
from treatments.diary.models import Appointment

db = pytest.mark.django_db


def begin(cast: Any) -> Consultation:
    return start_consultation(by=cast.practitioner, patient=cast.patient, location=cast.here)


def save(cast: Any, note: Consultation, **values: Any) -> Consultation:
    return save_consultation(
        by=cast.practitioner, consultation=note, revision=note.revision, values=values
    )


def address(note: Consultation, name: str = "edit") -> str:
    return reverse(f"consultations:{name}", args=[note.patient.number, note.pk])


def typed(note: Consultation, **changed: Any) -> dict[str, Any]:
    return {**COMPLETE_NOTE, "revision": note.revision, **changed}


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


class TestSkinType:
    @pytest.mark.parametrize(
        ("total", "expected"),
        [
            (0, 1), (6, 1), (7, 2), (13, 2), (14, 3), (20, 3),
            (21, 4), (27, 4), (28, 5), (34, 5), (35, 6), (40, 6),
        ],
    )  # fmt: skip
    def test_bands(self, total: int, expected: int) -> None:
        assert skin_type(total) == expected

    @pytest.mark.parametrize("total", [-1, 41])
    def test_no_such_total(self, total: int) -> None:
        with pytest.raises(ValueError):
            skin_type(total)

    @given(st.lists(st.integers(0, 4), min_size=10, max_size=10))
    def test_never_falls_as_answers_rise(self, points: list[int]) -> None:
        answers = {str(number): value for number, value in enumerate(points)}
        before = computed_type(answers)
        assert before is not None
        for key, value in answers.items():
            more = computed_type({**answers, key: min(value + 1, 4)})
            assert more is not None
            assert before <= more <= 6

    def test_incomplete_answers_give_none(self) -> None:
        assert computed_type({"eye": 2}) is None


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
        note = save(cast, note, decision="think")
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
    @pytest.mark.parametrize("name", ["edit", "detail", "addendum"])
    def test_roles_and_places(self, cast: Any, client_for: Any, name: str) -> None:
        url = address(begin(cast), name)
        method = "post" if name == "addendum" else "get"
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
        assert "Nothing was overwritten" in response.json()["message"]

    def test_autosave_after_signing_is_told(self, cast: Any, client_for: Any) -> None:
        note = signed_note(cast)
        response = client_for(cast.practitioner).post(
            address(note), typed(note), headers={"X-Autosave": "yes"}
        )
        assert response.status_code == 409

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
            ("areas", "atlantis"),
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
