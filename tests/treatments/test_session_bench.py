"""The bench and the new sections on the page: syringes, copies, lines, devices, what is closed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.access.models import Staff
from clinic.audit.context import SYSTEM, acting
from clinic.audit.models import AuditEntry, AuditEntryQuerySet
from clinic.errors import ActionRefused
from clinic.places.models import Device
from tests.treatments.session_world import (
    NOON,
    READY,
    D,
    World,
    current,
    make_lot,
    make_world,
    ready_made,
)
from tests.treatments.test_sessions import address, posted, press
from treatments.catalogue.models import Anaesthetic, Area, Modality, Technique
from treatments.mixes.models import LABELS, Syringe
from treatments.sessions import actions
from treatments.sessions.actions import NotSignable, StaleSession
from treatments.sessions.entries import (
    Attempt,
    CreamEntry,
    MixEntry,
    Observation,
    Preparation,
    Sections,
    SyringeEntry,
)
from treatments.sessions.models import Session

PAGE_QUERIES = 36


@pytest.fixture
def world(cast: Any) -> Iterator[World]:
    with acting(SYSTEM):
        yield make_world(cast)


@pytest.fixture
def session(world: World) -> Session:
    return world.start()


@pytest.fixture
def signed(world: World, session: Session) -> Session:
    return world.sign(world.fill(session))


@pytest.fixture
def client(client_for: Callable[[Staff], Client], cast: Any) -> Client:
    return client_for(cast.practitioner)


def problems(world: World, session: Session) -> str:
    with pytest.raises(NotSignable) as caught:
        world.sign(session)
    return " ".join(caught.value.problems)


# --- syringes -------------------------------------------------------------------------------


def two(world: World) -> dict[str, Any]:
    """Lidocaine in A for the forehead, hyaluronic acid in B: no mixture, no pharmacy."""
    return {
        "mix": [MixEntry(world.lidocaine, D(1), "A"), MixEntry(world.hyaluronic, D(2), "B")],
        "syringes": [SyringeEntry("A", NOON), SyringeEntry("B", NOON, discarded_ml=D(2))],
        "areas": [replace(world.areas(20)[0], syringe="A")],
        "observation": Observation("", "none"),
    }


def test_two_syringes_from_plan_to_record(world: World, session: Session) -> None:
    world.fill(session, **two(world))
    signed = world.sign(session)
    a, b = signed.totals["syringes"]
    assert (a["drawn_ml"], a["injected_ml"], a["discarded_ml"]) == ("1", "1", "0")
    assert (b["drawn_ml"], b["injected_ml"], b["discarded_ml"]) == ("2", "0", "2")
    assert [(one["code"], one["mass"], one["per_ml"]) for one in a["held"]] == [
        ("lidocaine", "20", "20")
    ]
    assert signed.totals["lidocaine_mg"] == "20"
    assert signed.discarded_ml == 2
    row = signed.syringes.get(label="A")
    assert (row.prepared_by, row.prepared_at) == (world.practitioner, NOON)
    assert row.discard_by == NOON.replace(hour=22, minute=59)


def test_what_is_left_in_one_syringe_is_not_made_up_for_by_the_other(
    world: World, session: Session
) -> None:
    given = two(world)
    given["syringes"] = [SyringeEntry("A", NOON, discarded_ml=D(2)), SyringeEntry("B", NOON)]
    world.fill(session, **given)
    said = problems(world, session)
    assert "Syringe A" in said
    assert "Syringe B" in said


def test_a_mixture_without_a_pharmacy_is_refused_in_france_and_only_warned_elsewhere(
    world: World, session: Session
) -> None:
    world.fill(session, syringes=[ready_made(pharmacy="")])
    assert "only in a pharmacy" in problems(world, session)
    session.location.country.mixing_in_pharmacy_only = False
    session.location.country.save()
    signed = world.sign(session)
    assert "one active per syringe" in " ".join(signed.totals["warnings"])


def test_a_syringe_must_have_been_prepared(world: World, session: Session) -> None:
    world.fill(session, syringes=[ready_made(prepared_at=None)])
    assert "when the syringe was prepared" in problems(world, session)


BAD_TRAYS: list[tuple[list[SyringeEntry], str]] = [
    ([SyringeEntry("A"), SyringeEntry("A")], "label of its own"),
    ([SyringeEntry("Z")], "labelled from"),
    ([SyringeEntry("A", NOON + timedelta(hours=1))], "still to come"),
    ([SyringeEntry("A", appearance="odd")], "one of the choices"),
    ([SyringeEntry("A", discarded_ml=D(-1))], "negative"),
]


def test_trays_that_cannot_be(world: World, session: Session) -> None:
    for tray, words in BAD_TRAYS:
        with pytest.raises(ActionRefused, match=words):
            actions.save_mix(
                by=world.practitioner, session=session, entries=[], syringes=tray, at=NOON
            )
    assert session.syringes.count() == 1


def test_an_area_cannot_name_a_syringe_that_is_not_there(world: World, session: Session) -> None:
    entry = replace(world.areas()[0], syringe="C")
    with pytest.raises(ActionRefused, match="no syringe C"):
        actions.save_areas(by=world.practitioner, session=session, entries=[entry], at=NOON)


def test_a_syringe_taken_away_leaves_its_area_without(world: World, session: Session) -> None:
    world.fill(session, **two(world))
    only_b = [MixEntry(world.hyaluronic, D(2), "B")]
    actions.save_mix(by=world.practitioner, session=session, entries=only_b, at=NOON)
    assert session.treated_areas.get().syringe is None
    assert [row.label for row in session.syringes.all()] == ["B"]


def test_an_in_use_life_shortens_how_long_it_keeps(world: World, session: Session) -> None:
    prp = make_lot(session.location, "prp-own-blood")
    entries = [MixEntry(prp, D(3))]
    actions.save_mix(by=world.practitioner, session=session, entries=entries, at=NOON)
    assert session.syringes.get().discard_by == NOON + timedelta(hours=4)


def test_another_syringe_by_its_button(client: Client, session: Session) -> None:
    reply = press(client, session, "syringe")
    assert reply.status_code == 200, reply.content
    assert [row.label for row in session.syringes.all()] == ["A", "B"]
    assert {row.syringe.label for row in session.treated_areas.all()} == {"A"}
    assert 'data-tray="B"' in reply.json()["parts"]["mix"]
    press(client, session, "syringe-away:A")
    assert [row.label for row in session.syringes.all()] == ["B"]
    assert session.mix.count() == 0
    full = [SyringeEntry(label) for label in LABELS]
    actions.save_mix(by=session.practitioner, session=session, entries=[], syringes=full, at=NOON)
    reply = press(client, session, "syringe")
    assert reply.status_code == 422
    assert reply.json()["refused"]["mix"] == "The tray is full."


def test_the_label_says_whose_what_and_until_when(
    world: World, client: Client, session: Session, cast: Any
) -> None:
    world.fill(session)
    row = session.syringes.get()
    page = client.get(reverse("mixes:label", args=[cast.patient.number, row.pk]))
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))
    assert "MÉ · P" in text or "ÉM · P" in text, text
    assert "Martin" not in text
    for words in ("Lidocaine 20 mg", "6.667 mg/mL", "3 mL", "Ada Rossi", "Discard by", "L1"):
        assert words in text, words


def test_a_label_is_not_for_everybody(
    client_for: Callable[[Staff], Client], session: Session, cast: Any
) -> None:
    row = session.syringes.get()
    path = reverse("mixes:label", args=[cast.patient.number, row.pk])
    assert client_for(cast.front_desk).get(path).status_code == 403
    assert client_for(cast.practitioner2).get(path).status_code == 404
    other = reverse("mixes:label", args=[cast.stranger.number, row.pk])
    assert client_for(cast.practitioner).get(other).status_code == 404


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_s_queries_do_not_grow_with_syringes_and_areas(
    world: World, client: Client, session: Session, rows: int, django_assert_num_queries: Any
) -> None:
    lots = [make_lot(session.location, "ha-1", f"H{n}") for n in range(rows)]
    mix = [MixEntry(lot, D(1), label) for lot, label in zip(lots, "ABC", strict=False)]
    actions.save_mix(by=world.practitioner, session=session, entries=mix, at=NOON)
    places = [("forehead", "none"), ("cheek", "left"), ("cheek", "right")][:rows]
    areas = [
        replace(world.areas()[0], area=current(Area, code), side=side, points=[], syringe=label)
        for (code, side), label in zip(places, "ABC", strict=False)
    ]
    actions.save_areas(by=world.practitioner, session=session, entries=areas, at=NOON)
    client.get(address("edit", session))
    with django_assert_num_queries(PAGE_QUERIES):
        client.get(address("edit", session))


# --- creams ---------------------------------------------------------------------------------


def test_a_cream_comes_from_a_tube_of_its_own(world: World, session: Session) -> None:
    emla = current(Anaesthetic, "emla")
    ago = NOON - timedelta(hours=1)
    bad = [
        (make_lot(session.location, "lmx4-30", "LMX"), "not of this cream"),
        (make_lot(session.location, "emla-5", "OLD", expires_on=date(2026, 3, 9)), "expired"),
        (make_lot(session.location, "emla-5", "HELD", state="recalled"), "held back"),
    ]
    for lot, words in bad:
        with pytest.raises(ActionRefused, match=words):
            actions.add_anaesthesia(
                by=world.practitioner,
                session=session,
                entries=[CreamEntry(emla, D(2), D(20), ago, NOON, lot=lot)],
                at=NOON,
            )
    world.fill(session, creams=[CreamEntry(emla, D(2), D(20), ago, NOON)])
    assert "lot number is missing" in problems(world, session)
    good = make_lot(session.location, "emla-5", "GOOD")
    world.fill(session, creams=[CreamEntry(emla, D(2), D(20), ago, NOON, lot=good)])
    assert world.sign(session).anaesthesia.get().lot == good


# --- the checklist --------------------------------------------------------------------------


CHECKLIST: list[tuple[Preparation, str]] = [
    (replace(READY, identity=False), "name and birth date"),
    (replace(READY, unchanged=False), "anything has changed"),
    (replace(READY, photos=""), "photos"),
    (replace(READY, antiseptic=""), "antiseptic"),
    (replace(READY, cleansed_at=None), "cleansed"),
]


def test_each_line_of_the_checklist_is_needed(world: World, session: Session) -> None:
    world.fill(session)
    for entry, words in CHECKLIST:
        actions.save_preparation(by=world.practitioner, session=session, entry=entry, at=NOON)
        assert words in problems(world, session)
    actions.save_preparation(by=world.practitioner, session=session, entry=READY, at=NOON)
    assert world.sign(session).is_signed


BAD_ENDS: list[tuple[dict[str, Any], str]] = [
    ({"pulse_bpm": 300}, "From 20 to 250"),
    ({"systolic_mmhg": 80, "diastolic_mmhg": 120}, "upper pressure"),
    ({"released_at": NOON - timedelta(hours=1)}, "before the session"),
    ({"released_at": NOON + timedelta(hours=1)}, "still to come"),
    ({"next_due_on": NOON.date()}, "after today"),
]


def test_observations_that_cannot_be(world: World, session: Session) -> None:
    for fields, words in BAD_ENDS:
        with pytest.raises(ActionRefused, match=words):
            actions.save_observation(
                by=world.practitioner, session=session, entry=Observation(**fields), at=NOON
            )


def test_the_record_keeps_vitals_release_and_the_next_date(world: World, session: Session) -> None:
    world.fill(
        session,
        observation=Observation(
            "", "none", "", D(0), 72, 120, 80, needles_changed=3, released_at=NOON
        ),
    )
    signed = world.sign(session)
    assert (signed.pulse_bpm, signed.systolic_mmhg, signed.needles_changed) == (72, 120, 3)
    assert signed.released_at == NOON
    assert signed.next_due_on == NOON.date() + timedelta(days=14)


# --- devices --------------------------------------------------------------------------------


def test_a_gun_and_a_needle_free_device(world: World, session: Session, cast: Any) -> None:
    gun = Device.objects.create(
        location=cast.here, kind="mesogun", make="A", model="B", serial_number="S1"
    )
    shot = replace(world.areas()[0], method="gun", programme="Nappage")
    world.fill(session, areas=[shot])
    assert "which device" in problems(world, session)
    world.fill(session, areas=[replace(shot, device=gun)])
    free = replace(
        shot,
        method="device",
        device=gun,
        points=[],
        extra_ml=D(3),
        modality=current(Modality, "electroporation"),
        settings={"voltage_v": "12", "polarity": "+"},
    )
    world.fill(session, areas=[free])
    assert "how many minutes" in problems(world, session)
    world.fill(session, areas=[replace(free, minutes=D(20))])
    signed = world.sign(session)
    area = signed.treated_areas.get()
    assert (area.minutes, area.settings) == (20, {"voltage_v": "12", "polarity": "+"})


def test_settings_of_a_device_have_known_names(world: World, session: Session) -> None:
    for settings, words in (({"bogus": "1"}, "choices"), ({"gel": "x" * 81}, "too long")):
        entry = replace(world.areas()[0], settings=settings)
        with pytest.raises(ActionRefused, match=words):
            actions.save_areas(by=world.practitioner, session=session, entries=[entry], at=NOON)


# --- intended and done, lines, copies ---------------------------------------------------------


def test_what_was_meant_is_kept_beside_what_was_done(client: Client, session: Session) -> None:
    press(client, session, "spread:0", area__0__count="40")
    press(client, session, "less:0")
    area = session.treated_areas.get(area__code="forehead")
    assert (len(area.points), len(area.intended)) == (39, 40)
    press(client, session, "intend:0")
    area.refresh_from_db()
    assert area.points == area.intended


def test_an_area_on_both_sides_is_evened_out(client: Client, session: Session) -> None:
    press(client, session, "spread:1", area__1__count="11")
    press(client, session, "mirror:1")
    points = session.treated_areas.get(area__code="cheek").points
    assert len(points) == 12
    assert sum(x < 0.5 for x, _y in points) == 6


def test_an_area_written_as_a_line(world: World, client: Client, session: Session) -> None:
    press(client, session, "remove:1")
    line = "left cheek, papule, 1 mm, 24 points, 0.02 mL"
    reply = press(client, session, "line", new_line=line)
    assert reply.status_code == 200, reply.content
    area = session.treated_areas.get(side="left")
    assert (len(area.points), area.depth_mm, area.ml_per_point) == (24, 1, D("0.02"))
    refused = press(client, session, "line", new_line="left nose, 3 points")
    assert refused.status_code == 422
    assert "left nose" in refused.json()["parts"]["rows"]


def test_the_next_session_starts_as_the_last_one_was(
    world: World, client: Client, signed: Session, cast: Any
) -> None:
    later = NOON + timedelta(days=15)
    newer = make_lot(cast.here, "lidocaine-2", "SOON", expires_on=date(2026, 5, 1))
    second = world.start(at=later, as_last=True)
    first, again = signed.treated_areas.get(), second.treated_areas.get()
    assert again.points == again.intended == first.points
    assert [(p.lot, p.ml) for p in second.mix.all()] == [(newer, 1), (world.hyaluronic, 2)]
    assert second.antiseptic == "Chlorhexidine 2 %"
    assert second.syringes.get().prepared_at is None
    unsaid = (second.identity_checked_at, second.history_confirmed_at, second.cleansed_at)
    assert unsaid == (None, None, None)
    assert (second.adverse_events, second.photos, second.discarded_ml) == ("", "", None)


def test_a_copy_takes_only_what_the_consent_names(world: World, signed: Session) -> None:
    type(world.consent).objects.filter(pk=world.consent.pk).update(areas=["cheek", "forehead"])
    nappage = current(Technique, "nappage")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE treatments_treatedarea SET technique_id = %s WHERE session_id = %s",
            [nappage.pk, signed.pk],
        )
    second = world.start(at=NOON + timedelta(days=15), as_last=True)
    assert second.treated_areas.count() == 0


def test_the_start_page_offers_both_ways(
    world: World, client: Client, signed: Session, cast: Any
) -> None:
    start = reverse("sessions:start", args=[cast.patient.number, world.plan.pk])
    assert "Start as session 1 was" in client.get(start).content.decode()
    reply = client.post(start, {"as_last": "yes"})
    assert reply.status_code == 302
    assert Session.objects.get(number=2).treated_areas.get().points


# --- lost answers, unfinished records ---------------------------------------------------------


def test_a_save_whose_answer_was_lost_is_not_someone_else_s(world: World, session: Session) -> None:
    def save(name: str, *lost: str, text: str) -> Session:
        return actions.save_sections(
            by=world.practitioner,
            session=session,
            revision=0,
            sections=Sections(observation=Observation(observation=text)),
            attempt=Attempt(name, lost),
            at=NOON,
        )[0]

    assert save("one", text="first").revision == 1
    assert save("two", "zero", "one", text="second").revision == 2
    with pytest.raises(StaleSession):
        save("three", "one", text="third")
    with pytest.raises(StaleSession):
        save("four", "two", text="two revisions behind")
    session.refresh_from_db()
    assert session.observation == "second"


def test_open_sessions_stand_on_today_until_they_are_signed(
    world: World, client: Client, session: Session, client_for: Any, cast: Any
) -> None:
    path = reverse("sessions:unfinished")
    assert "Sessions not signed yet" in client.get(path).content.decode()
    assert client_for(cast.front_desk).get(path).status_code == 403
    assert session.plan.title not in client_for(cast.practitioner2).get(path).content.decode()
    world.sign(world.fill(session))
    assert client.get(path).content.decode().strip() == ""


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_s_queries_do_not_grow(
    world: World, client: Client, cast: Any, rows: int, django_assert_max_num_queries: Any
) -> None:
    for number in range(rows):
        Session.objects.create(
            patient=cast.patient,
            location=cast.here,
            plan=world.plan,
            consent=world.consent,
            practitioner=cast.practitioner,
            number=number + 1,
            history_version=1,
            started_at=timezone.now(),
        )
    with django_assert_max_num_queries(8):
        client.get(reverse("sessions:unfinished"))


# --- closed ---------------------------------------------------------------------------------


REWRITES = [
    "UPDATE treatments_session SET adverse_events = 'none at all' WHERE id = %s",
    "UPDATE treatments_session SET signed_at = NULL WHERE id = %s",
    "UPDATE treatments_session SET totals = '{}' WHERE id = %s",
    "DELETE FROM treatments_session WHERE id = %s",
    "UPDATE treatments_syringe SET discarded_ml = 9 WHERE session_id = %s",
    "UPDATE treatments_syringe SET pharmacy = 'other' WHERE session_id = %s",
    "DELETE FROM treatments_syringe WHERE session_id = %s",
    "INSERT INTO treatments_syringe (created_at, session_id, label, pharmacy, appearance)"
    " VALUES (now(), %s, 'H', '', '')",
    "UPDATE treatments_mixcomponent SET ml = 9 WHERE session_id = %s",
    "DELETE FROM treatments_mixcomponent WHERE session_id = %s",
    "UPDATE treatments_treatedarea SET points = '[]' WHERE session_id = %s",
    "UPDATE treatments_treatedarea SET intended = '[[0.1, 0.1]]' WHERE session_id = %s",
    "DELETE FROM treatments_treatedarea WHERE session_id = %s",
]


def test_sql_cannot_rewrite_a_signed_session(signed: Session) -> None:
    for sql in REWRITES:
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, [signed.pk])


def test_the_same_sql_changes_an_open_one(world: World, session: Session) -> None:
    world.fill(session)
    for sql in (*REWRITES[4:6], REWRITES[8], *REWRITES[10:12]):
        with connection.cursor() as cursor:
            cursor.execute(sql, [session.pk])
            assert cursor.rowcount > 0, sql


def test_pages_and_form_bodies_cannot_either_and_each_attempt_is_written_down(
    world: World, client: Client, session: Session
) -> None:
    world.fill(session)
    body = posted(client, session)
    signed = world.sign(session)
    before = frozen(signed)
    tries = [
        ("save", {"prep-antiseptic": "Other"}),
        ("save", {"do": "clear:0"}),
        ("save", {"do": "syringe"}),
        ("save", {"mix-0-ml": "9"}),
        ("save", {"area-0-points": json.dumps([[0.5, 0.2]])}),
        ("sign", {"obs-adverse_events": "x", "obs-events": "seen"}),
    ]
    for revision in (str(session.revision), "99"):
        for name, change in tries:
            reply = client.post(address(name, signed), {**body, **change, "revision": revision})
            assert reply.status_code == 409, (name, change)
    signed.refresh_from_db()
    assert frozen(signed) == before
    left = refused_saves().filter(object_id=str(signed.pk))
    assert left.count() == 2 * len(tries)
    assert {entry.what for entry in left} == {"sessions:save", "sessions:sign"}
    assert all(entry.patients == [signed.patient_id] and entry.actor_id for entry in left)


def test_a_stale_page_of_an_open_session_is_no_such_attempt(
    client: Client, session: Session
) -> None:
    body = posted(client, session) | {"revision": "99"}
    before = refused_saves().count()
    assert client.post(address("save", session), body).status_code == 409
    assert refused_saves().count() == before


def refused_saves() -> AuditEntryQuerySet:
    """Without what the database refused elsewhere: another table may have the same numbers."""
    return AuditEntry.objects.filter(action="refuse", what__startswith="sessions:")


def frozen(session: Session) -> list[Any]:
    """Everything of a session as it is stored."""
    return [
        list(rows.order_by("pk").values())
        for rows in (
            Session.objects.filter(pk=session.pk),
            session.mix.all(),
            session.treated_areas.all(),
            session.syringes.all(),
            session.anaesthesia.all(),
        )
    ]


def test_a_syringe_cannot_be_moved_into_a_signed_session(world: World, signed: Session) -> None:
    other = world.start(at=NOON + timedelta(days=20))
    row = other.syringes.first()
    with pytest.raises(DatabaseError, match="signed record"), transaction.atomic():
        Syringe.objects.filter(pk=row.pk).update(session=signed, label="H")
