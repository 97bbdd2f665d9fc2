"""The story page: every room's entries by day, for whom they are, in few queries."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from aftercare.story.kinds import NEEDED, Kind, kinds_for
from aftercare.story.timeline import DAYS, Wish, story
from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.audit.models import AuditEntry
from patients.photos.models import PhotoPermission, Use
from patients.photos.naming import Names
from patients.registry.models import Patient, files_of
from tests.bench.long_record import LongRecord
from tests.conftest import Cast, make_patient
from treatments.consultations.models import Consultation, ConsultationAddendum
from treatments.sessions.actions import add_addendum

pytestmark = pytest.mark.django_db
ClientFor = Callable[[Staff], Client]
EVERYTHING = frozenset(Kind) - {Kind.REACTION}


def record(cast: Cast, plans: int = 1, sessions: int = 1, photos: int = 1) -> Patient:
    return LongRecord(
        cast.here, cast.practitioner, plans=plans, sessions_each=sessions, photos_each=photos
    ).write()


def address(patient: Patient, query: str = "") -> str:
    return reverse("story:page", args=[patient.number]) + query


def sources(patient: Patient, **wish: object) -> set[str]:
    """The names of the sources that the story has entries of, over all its pages."""
    asked = Wish(**({"kinds": EVERYTHING} | wish))  # type: ignore[arg-type]
    found: set[str] = set()
    while True:
        told = story(patient, files_of(patient), asked, ZoneInfo("Europe/Paris"), Names())
        found |= {entry.source for day in told.days for entry in day.entries}
        if told.older is None:
            return found
        asked = replace(asked, before=told.older)


PAGES: dict[str, Callable[[Patient], str]] = {
    "patient": lambda p: reverse("patients:detail", args=[p.number]),
    "story": address,
    "session": lambda p: reverse("sessions:detail", args=[p.number, p.sessions.latest("pk").pk]),
    "session printed": lambda p: reverse(
        "story:printed", args=[p.number, p.sessions.latest("pk").pk]
    ),
    "session start": lambda p: reverse("sessions:start", args=[p.number, p.plans.latest("pk").pk]),
    "photos": lambda p: reverse("photos:gallery", args=[p.number]),
    "photos by view": lambda p: reverse("photos:gallery", args=[p.number]) + "?by=view",
    "plan": lambda p: reverse("plans:detail", args=[p.number, p.plans.latest("pk").pk]),
    "sessions panel": lambda p: reverse("sessions:panel", args=[p.number]),
    "plans panel": lambda p: reverse("plans:panel", args=[p.number]),
    "notes panel": lambda p: reverse("consultations:panel", args=[p.number]),
    "consents panel": lambda p: reverse("consents:panel", args=[p.number]),
    "scales panel": lambda p: reverse("scales:panel", args=[p.number]),
    "check-ins panel": lambda p: reverse("watch:panel", args=[p.number]),
    "sheets panel": lambda p: reverse("sheets:panel-all", args=[p.number]),
    "documents panel": lambda p: reverse("documents:panel", args=[p.number]),
}


def test_a_long_record_takes_no_more_queries_than_a_short_one(
    cast: Cast, client_for: ClientFor
) -> None:
    one, three = record(cast), record(cast, plans=3, sessions=3, photos=3)
    many = record(cast, plans=10, sessions=8, photos=30)
    client = client_for(cast.practitioner)
    found: dict[str, list[int]] = {}
    for name, path in PAGES.items():
        for patient in (one, three, many):
            client.get(path(patient))
            with CaptureQueriesContext(connection) as captured:
                assert client.get(path(patient)).status_code == 200
            found.setdefault(name, []).append(len(captured))
    # A page of the story reads a source only where it has rows in these days.
    told = found.pop("story")
    assert max(told) <= 36
    assert told[2] <= told[0]
    assert {name: counts for name, counts in found.items() if len(set(counts)) > 1} == {}


def test_every_room_tells_its_part(cast: Cast, client_for: ClientFor) -> None:
    patient = record(cast, sessions=2)
    page = client_for(cast.practitioner).get(address(patient)).content.decode()
    for words in (
        "Session 1",
        "Skin quality, course 1",
        "Consultation",
        "My skin has become dull.",
        "Consent signed",
        "Medical history, version 1",
        "History reviewed, version 1",
        "1 photo",
        "Aftercare sheet given",
        "the swelling is going down",
        "To be called",
    ):
        assert words in page, words
    assert reverse("photos:thumb", args=[patient.number, patient.photos.get().public_id]) in page
    assert reverse("scales:panel", args=[patient.number]) in page
    assert '<svg class="story-map"' in page
    assert page.count('<symbol id="chart-face-front"') == 1
    assert page.index("Session 2") < page.index("Session 1") < page.index("Medical history, v")


def test_addenda_stand_with_what_they_are_added_to(cast: Cast, client_for: ClientFor) -> None:
    patient = record(cast)
    add_addendum(
        by=cast.practitioner, session=patient.sessions.get(), text="Bruise gone.", reason="Call"
    )
    note = Consultation.objects.get(patient=patient)
    ConsultationAddendum.objects.create(
        consultation=note, text="She smokes.", reason="Forgotten", written_by=cast.practitioner
    )
    page = client_for(cast.practitioner).get(address(patient)).content.decode()
    assert "Bruise gone." in page
    assert "She smokes." in page


@pytest.mark.parametrize("who", ["front_desk", "manager"])
def test_the_story_is_not_for_whoever_may_not_read_notes(
    cast: Cast, client_for: ClientFor, who: str
) -> None:
    patient = record(cast)
    client = client_for(getattr(cast, who))
    assert client.get(address(patient)).status_code == 403
    assert client.post(reverse("story:print", args=[patient.number])).status_code == 403
    home = client.get(reverse("patients:detail", args=[patient.number])).content.decode()
    assert address(patient) not in home
    practitioner = client_for(cast.practitioner)
    home = practitioner.get(reverse("patients:detail", args=[patient.number])).content.decode()
    assert address(patient) in home


def test_the_story_of_another_location_is_not_there(cast: Cast, client_for: ClientFor) -> None:
    patient = record(cast)
    assert client_for(cast.practitioner2).get(address(patient)).status_code == 404


def test_each_kind_asks_for_the_permission_of_its_room(cast: Cast) -> None:
    assert kinds_for(cast.practitioner) == list(Kind)
    assert kinds_for(cast.front_desk) == []
    assert kinds_for(cast.manager) == [Kind.EVENT, Kind.PHOTO]
    assert NEEDED[Kind.HISTORY] is Permission.SEE_HISTORY


def test_reading_it_is_audited(cast: Cast, client_for: ClientFor) -> None:
    patient = record(cast)
    client_for(cast.practitioner).get(address(patient))
    read = AuditEntry.objects.about(patient.pk).filter(what="story:page", action="read")
    assert read.get().who.startswith("Ada Rossi")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.SESSION, {"session"}),
        (Kind.NOTE, {"note"}),
        (Kind.PLAN, {"plan"}),
        (Kind.PHOTO, {"photo"}),
        (Kind.SCALE, {"score"}),
        (Kind.CONSENT, {"consent"}),
        (Kind.HISTORY, {"history", "review"}),
        (Kind.AFTERCARE, {"sheet", "answer", "silence", "call"}),
        (Kind.REACTION, {"session", "answer", "call"}),
    ],
)
def test_a_kind_shows_itself_alone(cast: Cast, kind: Kind, expected: set[str]) -> None:
    assert sources(record(cast, sessions=4), kinds=frozenset({kind})) == expected


def test_reactions_leave_out_what_went_well(cast: Cast, client_for: ClientFor) -> None:
    patient = record(cast, sessions=4)
    page = client_for(cast.practitioner).get(address(patient, "?kind=reaction")).content.decode()
    assert "Bruise of 1 cm" in page
    assert "To be called" in page
    assert "Session 4" in page
    assert "Session 3" not in page


def test_an_area_shows_what_names_it_and_what_lies_in_it(cast: Cast, client_for: ClientFor) -> None:
    patient = record(cast)
    client = client_for(cast.practitioner)
    cheek = client.get(address(patient, "?area=cheek")).content.decode()
    assert "Session 1" in cheek
    assert "Medical history, version" not in cheek
    assert "1 photo" not in cheek
    face = client.get(address(patient, "?area=face")).content.decode()
    assert "Session 1" in face
    assert "1 photo" in face
    assert sources(patient, areas=["abdomen"]) == set()
    unknown = client.get(address(patient, "?area=nowhere"))
    assert unknown.status_code == 200
    assert "is not one of the available choices" in (unknown.content.decode())


def test_dates_bound_the_story_on_the_clock_of_the_location(cast: Cast) -> None:
    """The night in which summer time began in Paris, 29 March 2026, has 23 hours."""
    patient = make_patient(cast.here, "Night", "Owl")
    for text, at in (
        ("before", datetime(2026, 3, 28, 22, 59, 59, tzinfo=UTC)),
        ("first", datetime(2026, 3, 28, 23, 0, tzinfo=UTC)),
        ("last", datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC)),
        ("after", datetime(2026, 3, 29, 22, 0, tzinfo=UTC)),
    ):
        Consultation.objects.create(
            patient=patient,
            location=cast.here,
            practitioner=cast.practitioner,
            concern=text,
            created_at=at,
        )
    day = date(2026, 3, 29)
    told = story(
        patient,
        files_of(patient),
        Wish(EVERYTHING, since=day, until=day),
        cast.here.zone,
        Names(),
    )
    assert [(one.day, [e.row.concern for e in one.entries]) for one in told.days] == [
        (day, ["last", "first"])
    ]
    all_days = story(patient, files_of(patient), Wish(EVERYTHING), cast.here.zone, Names()).days
    assert [one.day.day for one in all_days] == [30, 29, 28]


def test_dates_in_the_wrong_order_are_told(cast: Cast, client_for: ClientFor) -> None:
    query = "?since=2026-03-02&until=2026-03-01"
    page = client_for(cast.practitioner).get(address(record(cast), query)).content.decode()
    assert "This date is before the first one." in page


@pytest.mark.parametrize(
    "query",
    [
        "?before=x",
        "?kind=x",
        "?since=2026-13-40",
        "?before=0001-01-01",
        "?since=0001-01-01",
        "?until=9999-12-31",
    ],
)
def test_an_address_that_means_nothing_is_no_error(
    cast: Cast, client_for: ClientFor, query: str
) -> None:
    assert client_for(cast.practitioner).get(address(record(cast), query)).status_code == 200


def test_pages_follow_each_other_without_a_gap_or_a_repeat(
    cast: Cast, client_for: ClientFor
) -> None:
    patient = record(cast, plans=5, sessions=6, photos=2)
    client, path, seen, pages = client_for(cast.practitioner), address(patient), [], 0
    while path:
        page = client.get(path).content.decode()
        assert len(re.findall(r"story-day", page)) <= DAYS + 1
        seen += re.findall(r"/sessions/(\d+)/\">Session", page)
        found = re.search(r'rel="next" href="([^"]+)"', page)
        path = address(patient, found[1].replace("&amp;", "&")) if found else ""
        pages += 1
    assert pages > 2
    newest_first = patient.sessions.order_by("-started_at").values_list("pk", flat=True)
    assert [int(pk) for pk in seen] == list(newest_first)


def test_filters_go_along_from_page_to_page(cast: Cast, client_for: ClientFor) -> None:
    patient = record(cast, plans=3, sessions=6)
    page = client_for(cast.practitioner).get(address(patient, "?kind=session")).content.decode()
    found = re.search(r'rel="next" href="([^"]+)"', page)
    assert found
    assert "kind=session" in found[1]
    assert "before=" in found[1]


def test_photos_are_gone_when_the_patient_takes_the_permission_back(
    cast: Cast, client_for: ClientFor
) -> None:
    patient = record(cast)
    client = client_for(cast.practitioner)
    assert "photo-tile" in client.get(address(patient)).content.decode()
    PhotoPermission.objects.create(
        patient=patient,
        use=Use.RECORD,
        is_given=False,
        said_on=timezone.localdate(),
        how="spoken",
        recorded_by=cast.practitioner,
    )
    assert "photo-tile" not in client.get(address(patient)).content.decode()


def test_what_was_written_in_a_merged_file_is_told_with_its_number(
    cast: Cast, client_for: ClientFor
) -> None:
    earlier, kept = record(cast), record(cast)
    client = client_for(cast.practitioner)
    assert f"From the earlier file {earlier.number}" not in (
        client.get(address(kept)).content.decode()
    )
    Patient.objects.filter(pk=earlier.pk).update(merged_into=kept)
    page = client.get(address(kept)).content.decode()
    assert f"From the earlier file {earlier.number}" in page
    assert len(re.findall(r">Session 1</a>", page)) == 2


def test_an_empty_record_says_so(cast: Cast, client_for: ClientFor) -> None:
    client = client_for(cast.practitioner)
    assert "Nothing has happened yet" in client.get(address(cast.patient)).content.decode()
    narrowed = client.get(address(cast.patient, "?kind=session")).content.decode()
    assert "Nothing of this kind" in narrowed
    early = client.get(address(record(cast), "?before=1990-01-01")).content.decode()
    assert "There is nothing earlier." in early


def test_very_long_names_and_markup_are_shown_as_they_are(
    cast: Cast, client_for: ClientFor
) -> None:
    patient = make_patient(cast.here, "A" * 100, "<b>" + "B" * 97)
    Consultation.objects.create(
        patient=patient,
        location=cast.here,
        practitioner=cast.practitioner,
        concern="<script>alert(1)</script>",
    )
    page = client_for(cast.practitioner).get(address(patient)).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "<b>B" not in page
