"""Adverse events: opened from the record, changed while open, closed in words, reported."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, OperationalError, transaction
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from aftercare.safety.actions import add_to_event, change_event, close_event, open_event
from aftercare.safety.fhir import adverse_event
from aftercare.safety.models import AdverseEvent
from aftercare.safety.reports import make_report
from aftercare.safety.shown import event_shown
from aftercare.watch.models import Call, CheckIn
from clinic.access.models import Staff
from clinic.audit.models import AuditEntry
from clinic.errors import ActionRefused
from clinic.places.models import Device
from patients.documents.actions import render_next
from patients.documents.models import Document
from tests.aftercare.safety_world import AT, Clinic, make_clinic, make_lot
from tests.conftest import Cast
from treatments.catalogue.models import AdverseEventType, Area
from treatments.sessions.models import Session

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic(cast: Cast) -> Clinic:
    return make_clinic(cast)


@pytest.fixture
def session(cast: Cast, clinic: Clinic) -> Session:
    gun = Device.objects.create(
        location=cast.here, kind="mesogun", make="Gun", model="1", serial_number="G1"
    )
    lots = [make_lot(cast.here, "L1"), make_lot(cast.here, "X9", "lidocaine-2")]
    return clinic.session(clinic.patient(), lots, room=cast.room, device=gun)


def kind(code: str) -> AdverseEventType:
    found: AdverseEventType = AdverseEventType.objects.current().get(code=code)
    return found


def said(code: str = "mycobacteria", **fields: Any) -> dict[str, Any]:
    return {
        "kind": kind(code),
        "onset_at": AT + timedelta(days=21),
        "grade": 2,
        "relatedness": "probable",
        "area": Area.objects.current().get(code="forehead"),
        "side": "none",
        "description": "Red nodule, 8 mm, not tender.",
        "outcome": "ongoing",
        "follow_up_on": AT.date() + timedelta(days=28),
        **fields,
    }


def begin(cast: Cast, session: Session, **fields: Any) -> AdverseEvent:
    words = fields.pop("said", None) or said()
    return open_event(
        by=fields.pop("by", cast.practitioner),
        patient=session.patient,
        location=cast.here,
        session=session,
        said=words,
        **fields,
    )


@pytest.fixture
def event(cast: Cast, session: Session) -> AdverseEvent:
    return begin(cast, session)


def test_the_record_fills_in_lots_mixture_device_room_and_people(
    cast: Cast, event: AdverseEvent, session: Session
) -> None:
    facts = event.facts
    assert [lot["number"] for lot in facts["lots"]] == ["L1", "X9"]
    assert facts["devices"][0]["serial_number"] == "G1"
    assert facts["room"] == {"id": cast.room.pk, "name": cast.room.name}
    assert facts["people"] == [{"id": cast.practitioner.pk, "name": "Ada Rossi"}]
    assert facts["areas"][0]["technique_code"] == "papule"
    assert facts["session"]["id"] == session.pk


def test_what_is_renamed_later_changes_no_word_of_it(cast: Cast, event: AdverseEvent) -> None:
    Staff.objects.filter(pk=cast.practitioner.pk).update(name="Ada Bianchi")
    cast.room.name = "Other"
    cast.room.save()
    event.refresh_from_db()
    assert event.facts["people"][0]["name"] == "Ada Rossi"
    assert event.facts["room"]["name"] == "Rive Gauche 1"


def test_a_call_brings_its_check_in_and_its_session(cast: Cast, session: Session) -> None:
    call = a_call(cast, session)
    event = open_event(
        by=cast.practitioner, patient=session.patient, location=cast.here, call=call, said=said()
    )
    assert (event.call, event.check_in, event.session) == (call, call.check_in, session)
    assert event.facts["lots"]


def a_call(cast: Cast, session: Session) -> Call:
    check_in = CheckIn.objects.create(
        patient=session.patient,
        session=session,
        step="6w",
        due_at=AT,
        state="answered",
        answered_at=AT + timedelta(days=42),
        colour="red",
        signs=["lump"],
        note="A hard knot.",
    )
    return Call.objects.create(
        patient=session.patient, location=cast.here, check_in=check_in, is_red=True, due_at=AT
    )


def test_the_catalogue_says_when_it_should_be_over(cast: Cast, session: Session) -> None:
    event = begin(cast, session, said=said("bruise", onset_at=AT, follow_up_on=None))
    assert event.expected_until == AT.date() + timedelta(days=14)
    assert event.follow_up_on == event.expected_until


def test_without_a_length_in_the_catalogue_the_day_must_be_said(
    cast: Cast, session: Session
) -> None:
    with pytest.raises(ActionRefused, match="looked at again") as refused:
        begin(cast, session, said=said("mycobacteria", follow_up_on=None))
    assert refused.value.field == "follow_up_on"


def test_overdue_and_too_long_are_told_apart(cast: Cast, session: Session) -> None:
    late = begin(cast, session)
    long = begin(cast, session, said=said("bruise", onset_at=AT))
    fine = begin(
        cast, session, said=said(description="Other.", follow_up_on=AT.date() + timedelta(days=90))
    )
    day = AT.date() + timedelta(days=29)
    assert set(AdverseEvent.objects.overdue(day)) == {late, long}
    assert late.is_overdue(day)
    assert not late.lasts_too_long(day)
    assert long.lasts_too_long(day)
    assert fine not in AdverseEvent.objects.overdue(day)
    close_event(by=cast.practitioner, event=late, outcome="resolved", words="Healed.")
    assert set(AdverseEvent.objects.overdue(day)) == {long}


def test_an_onset_ahead_and_a_death_that_is_none_are_refused(cast: Cast, session: Session) -> None:
    with pytest.raises(ActionRefused, match="ahead"):
        begin(cast, session, said=said(onset_at=timezone.now() + timedelta(hours=2)))
    with pytest.raises(ActionRefused, match="Grade 5"):
        begin(cast, session, said=said(grade=5))
    with pytest.raises(ActionRefused, match="Grade 5"):
        begin(cast, session, said=said(outcome="fatal"))


def test_another_patient_s_session_is_refused(cast: Cast, clinic: Clinic, session: Session) -> None:
    with pytest.raises(ActionRefused, match="another patient"):
        open_event(
            by=cast.practitioner,
            patient=clinic.patient(),
            location=cast.here,
            session=session,
            said=said(),
        )


def test_a_second_click_opens_no_second_event(cast: Cast, session: Session) -> None:
    assert begin(cast, session) == begin(cast, session)
    assert begin(cast, session, said=said(description="Another one.")).pk
    assert AdverseEvent.objects.count() == 2


def test_only_a_practitioner_of_the_place_records(cast: Cast, session: Session) -> None:
    for person in (cast.front_desk, cast.manager, cast.practitioner2):
        with pytest.raises(ActionRefused, match="Only a practitioner"):
            begin(cast, session, by=person)


def test_closed_in_words_and_closed_for_good(cast: Cast, event: AdverseEvent) -> None:
    for outcome, words in (("ongoing", "x"), ("resolved", "  ")):
        with pytest.raises(ActionRefused):
            close_event(by=cast.practitioner, event=event, outcome=outcome, words=words)
    closed = close_event(by=cast.practitioner, event=event, outcome="resolved", words="Healed.")
    with pytest.raises(ActionRefused, match="closed"):
        change_event(by=cast.practitioner, event=closed, said=said())
    with pytest.raises(ActionRefused, match="closed"):
        close_event(by=cast.practitioner, event=closed, outcome="resolved", words="Again.")
    with pytest.raises((InternalError, OperationalError)), transaction.atomic():
        AdverseEvent.objects.filter(pk=event.pk).update(grade=1)
    note = add_to_event(by=cast.colleague, event=closed, text="Culture negative.", reason="Result")
    with pytest.raises((InternalError, OperationalError)), transaction.atomic():
        type(note).objects.filter(pk=note.pk).update(text="Other.")


def test_an_open_event_takes_no_addendum(cast: Cast, event: AdverseEvent) -> None:
    with pytest.raises(ActionRefused, match="open"):
        add_to_event(by=cast.practitioner, event=event, text="x", reason="y")


@pytest.mark.parametrize(
    "fields",
    [
        {"grade": 0},
        {"grade": 6},
        {"point_x": 0.5},
        {"chart": "face-front", "point_x": 1.5, "point_y": 0.5},
        {"description": ""},
        {"closed_at": AT},
        {"grade": 5, "outcome": "ongoing"},
    ],
)
def test_the_database_refuses_what_cannot_be(event: AdverseEvent, fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        AdverseEvent.objects.filter(pk=event.pk).update(**fields)
    whole = {"chart": "face-front", "point_x": 0.5, "point_y": 0.5}
    assert AdverseEvent.objects.filter(pk=event.pk).update(**whole) == 1


# -- what goes out ---------------------------------------------------------------------------


OUTCOMES = {"resolved", "recovering", "ongoing", "resolvedWithSequelae", "fatal", "unknown"}
ELEMENTS = {
    "resourceType", "id", "contained", "identifier", "actuality", "event", "subject", "date",
    "recordedDate", "location", "seriousness", "severity", "outcome", "recorder", "suspectEntity",
}  # fmt: skip
"""Those of AdverseEvent in R4 that are used; its schema knows no other but optional ones."""


def coded(concept: dict[str, Any]) -> tuple[str, str]:
    [coding] = concept["coding"]
    return coding["system"].rpartition("/")[2], coding["code"]


def test_fhir_r4_has_its_required_elements_and_codes(cast: Cast, event: AdverseEvent) -> None:
    found = adverse_event(event)
    assert json.loads(json.dumps(found)) == found
    assert set(found) <= ELEMENTS
    assert found["resourceType"] == "AdverseEvent"
    assert found["actuality"] in {"actual", "potential"}
    assert found["subject"] == {"reference": "#patient"}
    assert coded(found["severity"]) == ("adverse-event-severity", "moderate")
    assert coded(found["seriousness"]) == ("adverse-event-seriousness", "Non-serious")
    assert coded(found["outcome"]) == ("adverse-event-outcome", "ongoing")
    assert {one for one, _name in AdverseEvent.Outcome.choices} == OUTCOMES
    assert found["date"] == "2026-09-28"
    assert found["recordedDate"][19] in "+-Z"


def test_fhir_names_every_lot_and_device_as_suspect(cast: Cast, event: AdverseEvent) -> None:
    found = adverse_event(event)
    inside = {one["id"]: one for one in found["contained"]}
    suspects = [one["instance"]["reference"] for one in found["suspectEntity"]]
    assert suspects == ["#session", "#lot-1", "#lot-2", "#device-1"]
    assert all(reference[1:] in inside for reference in suspects)
    assert inside["lot-1"]["batch"] == {"lotNumber": "L1", "expirationDate": "2028-01-01"}
    assert inside["device-1"]["serialNumber"] == "G1"
    assert inside["session"]["status"] == "completed"
    assert inside["session"]["bodySite"][0]["coding"][0]["code"] == "68698007"
    cause = found["suspectEntity"][0]["causality"][0]
    assert coded(cause["assessment"]) == ("adverse-event-causality-assess", "Probably-Likely")


@pytest.mark.parametrize(
    ("side", "code", "words"),
    [
        ("left", "7771000", "Cheek, left"),
        ("right", "24028007", "Cheek, right"),
        ("both", "51440002", "Cheek, both sides"),
    ],
)
def test_fhir_tells_left_from_right(
    cast: Cast, session: Session, side: str, code: str, words: str
) -> None:
    cheek = Area.objects.current().get(code="cheek")
    found = adverse_event(begin(cast, session, said=said(area=cheek, side=side)))
    [site] = next(one for one in found["contained"] if one["id"] == "session")["bodySite"]
    assert site["coding"][-1] == {"system": "http://snomed.info/sct", "code": code}
    assert site["text"] == words


def test_fhir_tells_no_name(cast: Cast, event: AdverseEvent) -> None:
    text = json.dumps(adverse_event(event), ensure_ascii=False)
    assert event.patient.family_name not in text
    assert event.patient.birth_date.isoformat() not in text


@pytest.mark.parametrize(
    ("grade", "outcome", "severity", "seriousness"),
    [
        (1, "ongoing", "mild", "Non-serious"),
        (3, "ongoing", "severe", "Serious"),
        (4, "recovering", "severe", "SeriousIsLifeThreatening"),
        (5, "fatal", "severe", "SeriousResultsInDeath"),
    ],
)
def test_grades_in_fhir(
    cast: Cast, session: Session, grade: int, outcome: str, severity: str, seriousness: str
) -> None:
    found = adverse_event(begin(cast, session, said=said(grade=grade, outcome=outcome)))
    assert coded(found["severity"])[1] == severity
    assert coded(found["seriousness"])[1] == seriousness


def test_an_event_without_a_session_is_fhir_too(cast: Cast, clinic: Clinic) -> None:
    event = open_event(
        by=cast.practitioner, patient=clinic.patient(), location=cast.here, said=said(area=None)
    )
    found = adverse_event(event)
    assert "suspectEntity" not in found
    assert [one["resourceType"] for one in found["contained"]] == ["Patient", "Practitioner"]


def test_the_report_is_prefilled_and_nameless(cast: Cast, event: AdverseEvent) -> None:
    report = make_report(by=cast.manager, event=event, to="authority")
    html = report.document.html
    for word in ("L1", "X9", "G1", cast.room.name, "Ada Rossi", "Red nodule"):
        assert word in html
    assert event.patient.family_name not in html
    assert make_report(by=cast.manager, event=event, to="authority") == report
    assert make_report(by=cast.manager, event=event, to="maker") != report
    assert Document.objects.filter(kind="event").count() == 2


def test_the_report_speaks_the_language_in_which_it_is_made(cast: Cast, session: Session) -> None:
    """The event was opened in English; names, sides and figures of its record turn French."""
    event = begin(cast, session)
    with override("fr"):
        html = make_report(by=cast.practitioner, event=event, to="authority").document.html
    assert "Front" in html
    assert "Forehead" not in html
    product = session.mix.first().lot.product
    assert product.said("name", "fr") in html


def test_figures_of_the_record_have_the_sign_of_the_language(event: AdverseEvent) -> None:
    event.facts["areas"][0]["depth_mm"] = "1.50"
    with override("fr"):
        html = render_to_string("aftercare/event_facts.html", {"shown": event_shown(event)})
    assert "1,5 mm" in html


def test_an_event_of_an_earlier_version_keeps_its_names(cast: Cast, event: AdverseEvent) -> None:
    for one in event.facts["areas"]:
        del one["name_in"], one["technique_in"]
    with override("fr"):
        assert event_shown(event).areas[0]["where"] == "Forehead"


def test_the_report_says_what_was_added_after_the_event_was_closed(
    cast: Cast, event: AdverseEvent
) -> None:
    closed = close_event(by=cast.practitioner, event=event, outcome="resolved", words="Healed.")
    add_to_event(by=cast.colleague, event=closed, text="Culture: M. abscessus.", reason="Result")
    html = make_report(by=cast.practitioner, event=closed, to="authority").document.html
    assert "M. abscessus" in html
    assert cast.colleague.name in html


def test_the_report_becomes_a_pdf_for_whoever_sees_the_event(
    cast: Cast, event: AdverseEvent, client_for: Callable[[Staff], Client]
) -> None:
    report = make_report(by=cast.practitioner, event=event, to="maker")
    url = reverse("events:report-pdf", args=[event.patient.number, event.pk, report.pk])
    manager = client_for(cast.manager)
    assert manager.get(url).status_code == 404
    document = render_next()
    assert document is not None
    assert document.state == "ready"
    assert manager.get(url).content.startswith(b"%PDF")
    assert client_for(cast.front_desk).get(url).status_code == 403
    assert document not in Document.objects.for_patient()


# -- pages -----------------------------------------------------------------------------------


def form(**fields: Any) -> dict[str, Any]:
    return {
        "kind": kind("abscess").pk,
        "onset_on": "2026-09-12",
        "grade": "2",
        "relatedness": "possible",
        "side": "none",
        "description": "Abscess, drained.",
        "outcome": "ongoing",
        "follow_up_on": "2026-09-20",
        **fields,
    }


def test_from_a_call_to_a_closed_event(
    cast: Cast, session: Session, client_for: Callable[[Staff], Client]
) -> None:
    call, client = a_call(cast, session), client_for(cast.practitioner)
    start = reverse("events:start", args=[session.patient.number]) + f"?call={call.pk}"
    first = client.get(start)
    initial = first.context["form"].initial
    assert initial["kind"] == kind("mycobacteria").pk
    assert "A hard knot." in initial["description"]
    assert initial["session"] == session.pk
    answer = client.post(
        start, form(session=session.pk, chart="face-front", point_x="0.4", point_y="0.3")
    )
    event = AdverseEvent.objects.get()
    assert answer["Location"] == reverse("events:detail", args=[session.patient.number, event.pk])
    assert (event.call, event.session, event.point_x) == (call, session, 0.4)
    assert not event.is_timed
    page = client.get(answer["Location"]).content.decode()
    assert "L1" in page
    assert "site-point" in page
    args = [session.patient.number, event.pk]
    assert (
        client.post(reverse("events:close", args=args), {"outcome": "resolved"}).status_code == 422
    )
    client.post(reverse("events:close", args=args), {"outcome": "resolved", "words": "Healed."})
    client.post(reverse("events:addendum", args=args), {"text": "MRSA.", "reason": "Result"})
    text = client.get(answer["Location"]).content.decode()
    assert "Healed." in text
    assert "MRSA." in text
    assert client.get(reverse("events:edit", args=args)).status_code == 302


def test_a_form_that_says_too_little_comes_back(
    cast: Cast, session: Session, client_for: Callable[[Staff], Client]
) -> None:
    client = client_for(cast.practitioner)
    start = reverse("events:start", args=[session.patient.number])
    for wrong in (
        {"description": ""},
        {"onset_on": "2999-01-01"},
        {"follow_up_on": ""},
        {"grade": "9"},
    ):
        assert client.post(start, form(**wrong)).status_code == 422, wrong
    assert AdverseEvent.objects.count() == 0


def test_manager_reads_desk_does_not_and_neither_writes(
    cast: Cast, event: AdverseEvent, client_for: Callable[[Staff], Client]
) -> None:
    number, args = event.patient.number, [event.patient.number, event.pk]
    manager, desk = client_for(cast.manager), client_for(cast.front_desk)
    assert "Red nodule" in manager.get(reverse("events:detail", args=args)).content.decode()
    assert manager.get(reverse("events:fhir", args=args)).status_code == 200
    for name in ("events:detail", "events:fhir"):
        assert desk.get(reverse(name, args=args)).status_code == 403
    for client in (manager, desk):
        assert client.get(reverse("events:start", args=[number])).status_code == 403
        assert client.post(reverse("events:close", args=args)).status_code == 403
    assert (
        client_for(cast.practitioner2).get(reverse("events:detail", args=args)).status_code == 404
    )
    assert "Red nodule" not in desk.get(reverse("safety:index")).content.decode()


def test_the_reading_is_audited(
    cast: Cast, event: AdverseEvent, client_for: Callable[[Staff], Client]
) -> None:
    client_for(cast.manager).get(reverse("events:fhir", args=[event.patient.number, event.pk]))
    entry = AuditEntry.objects.filter(action="read", what="events:fhir").get()
    assert entry.patients == [event.patient_id]


def test_late_events_are_on_today_and_the_story_tells_them(
    cast: Cast, event: AdverseEvent, client_for: Callable[[Staff], Client]
) -> None:
    client = client_for(cast.practitioner)
    AdverseEvent.objects.filter(pk=event.pk).update(follow_up_on=AT.date())
    for name in ("safety:today", "safety:index", "safety:events"):
        assert "Follow-up overdue" in client.get(reverse(name)).content.decode(), name
    story = reverse("story:page", args=[event.patient.number])
    for query in ("", "?kind=event", "?kind=reaction"):
        text = client.get(story + query).content.decode()
        assert "Red nodule" in text, query
    assert "Red nodule" not in client.get(story + "?kind=photo").content.decode()
    close_event(by=cast.practitioner, event=event, outcome="resolved", words="Healed.")
    assert "overdue" not in client.get(reverse("safety:today")).content.decode()


@pytest.mark.parametrize("name", ["safety:index", "safety:events"])
def test_lists_ask_the_database_the_same_for_one_and_three(
    name: str,
    cast: Cast,
    session: Session,
    client_for: Callable[[Staff], Client],
    django_assert_max_num_queries: Any,
) -> None:
    client, counts = client_for(cast.manager), []
    for wanted in (1, 3):
        while (count := AdverseEvent.objects.count()) < wanted:
            begin(cast, session, said=said(description=f"Nodule {count}."))
        client.get(reverse(name))
        with django_assert_max_num_queries(25) as captured:
            client.get(reverse(name))
        counts.append(len(captured))
    assert counts[0] == counts[1], counts
