"""Sessions: when one may start, what is kept, what may be signed, and that signed is closed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from clinic.access.actor import actor_of
from clinic.access.models import Staff
from clinic.audit.context import SYSTEM, acting
from clinic.audit.models import AuditEntry, AuditEntryQuerySet
from clinic.errors import ActionRefused
from clinic.places.models import Device
from tests.at_once import Crowd
from tests.treatments.plan_parts import product
from tests.treatments.session_world import (
    NOON,
    READY,
    D,
    World,
    current,
    forehead,
    make_history,
    make_lot,
    make_world,
    sign_consent,
)
from treatments.catalogue.actions import edit_row
from treatments.catalogue.models import Anaesthetic, Area, Lot, Product, Substance, Technique
from treatments.consents.models import Consent
from treatments.diary.models import Appointment
from treatments.plans.actions import accept_plan, make_plan
from treatments.plans.models import Plan
from treatments.plans.specs import AreaSpec, MixSpec, PhaseSpec
from treatments.sessions import actions, charts, grid
from treatments.sessions.actions import NotSignable, StaleSession
from treatments.sessions.entries import (
    AreaEntry,
    CreamEntry,
    MixEntry,
    Observation,
    Preparation,
    Sections,
    SyringeEntry,
)
from treatments.sessions.gather import given
from treatments.sessions.models import Session
from treatments.sessions.parts import Parts
from treatments.sessions.readiness import NotReady
from treatments.sessions.totals import totals_of

MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(cast: Any) -> Iterator[World]:
    with acting(SYSTEM):
        yield make_world(cast)


@pytest.fixture
def session(world: World) -> Session:
    return world.start()


def stock(lot: Lot) -> Any:
    lot.refresh_from_db()
    return lot.quantity_ml


def visit(cast: Any, **fields: Any) -> Appointment:
    fields.setdefault("patient", cast.patient)
    appointment: Appointment = Appointment.objects.create(
        location=cast.here,
        practitioner=cast.practitioner,
        room=cast.room,
        service=cast.treatment,
        starts_at=NOON,
        ends_at=NOON + timedelta(minutes=45),
        **fields,
    )
    return appointment


# --- starting -------------------------------------------------------------------------------


def test_a_session_from_start_to_signature(world: World, cast: Any) -> None:
    appointment = visit(cast)
    session = world.start(appointment=appointment)
    assert session.number == 1
    assert [(m.lot_id, m.ml) for m in session.mix.all()] == [
        (world.lidocaine.pk, 1),
        (world.hyaluronic.pk, 2),
    ]
    assert [(a.area.code, a.side, a.chart) for a in session.treated_areas.all()] == [
        ("forehead", "none", "face-front"),
        ("cheek", "both", "face-front"),
    ]
    signed = world.sign(world.fill(session))
    assert signed.signed_by == world.practitioner
    assert signed.totals["lidocaine_mg"] == "20"
    assert signed.totals["lidocaine_limit_mg"] == "270"
    assert signed.totals["injected_ml"] == "3"
    # Single-dose containers of 5 mL: the rest of each is thrown away.
    assert (stock(world.lidocaine), stock(world.hyaluronic)) == (95, 95)
    appointment.refresh_from_db()
    assert appointment.status == "done"


def test_the_last_session_finishes_the_plan_and_no_more_can_start(world: World) -> None:
    for day in (0, 15):
        at = NOON + timedelta(days=day)
        session = world.fill(world.start(at=at))
        world.sign(session, at=at)
    world.plan.refresh_from_db()
    assert world.plan.state == Plan.State.FINISHED
    with pytest.raises(NotReady, match="ended"):
        world.start()


def test_the_lot_that_expires_first_is_drawn_first(world: World, cast: Any) -> None:
    sooner = make_lot(cast.here, "lidocaine-2", "SOON", expires_on=date(2026, 4, 1))
    make_lot(cast.here, "lidocaine-2", "GONE", expires_on=date(2026, 3, 9))
    make_lot(cast.here, "lidocaine-2", "HELD", expires_on=date(2026, 3, 20), state="recalled")
    make_lot(cast.there, "lidocaine-2", "THERE", expires_on=date(2026, 3, 20))
    assert world.start().mix.first().lot == sooner


def test_two_planned_lines_of_one_product_are_drawn_together(cast: Any) -> None:
    with acting(SYSTEM):
        world = make_world(cast)
        plan = make_plan(
            by=cast.practitioner,
            patient=cast.patient,
            location=cast.here,
            indication="skin-ageing",
            title="Two lines",
            areas=[
                AreaSpec(p.area, p.technique, p.depth_mm, p.ml_per_point, p.points, p.side)
                for p in world.plan.areas.all()
            ],
            mix=[
                MixSpec(current(Product, "ha-1"), D(2)),
                MixSpec(current(Product, "ha-1"), D(1), 1, 1),
            ],
            phases=[PhaseSpec(2, 14, 21)],
        )
        accept_plan(by=cast.practitioner, plan=plan, at=NOON.replace(hour=8))
        sign_consent(plan, cast.practitioner)
        begun = actions.start_session(by=cast.practitioner, plan=plan, at=NOON)
    assert [part.ml for part in begun.mix.all()] == [D(3)]


def test_starting_twice_opens_the_one_that_was_begun(world: World, session: Session) -> None:
    assert world.start() == session


def refusal(world: World) -> dict[str, str]:
    with pytest.raises(NotReady) as caught:
        world.start()
    return {obstacle.cure: obstacle.message for obstacle in caught.value.obstacles}


def test_no_consent_no_session(world: World) -> None:
    Consent.objects.filter(pk=world.consent.pk).update(withdrawn_at=NOON - timedelta(minutes=1))
    assert "withdrawn" in refusal(world)["consent"]


@pytest.mark.parametrize("part", ["substances", "techniques", "areas"])
def test_a_consent_that_leaves_something_out_is_no_consent(cast: Any, part: str) -> None:
    with acting(SYSTEM):
        assert "does not cover" in refusal(make_world(cast, **{part: []}))["consent"]


def test_no_history_no_session(world: World) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM patients_history")
    assert "history" in refusal(world)


def test_a_blocking_verdict_stops_the_needle(world: World) -> None:
    make_history(world.plan.patient, 2, pregnant=True)
    assert "screening" in refusal(world)


def test_a_plan_that_is_not_accepted(world: World) -> None:
    Plan.objects.filter(pk=world.plan.pk).update(state="stopped", stop_reason="moved away")
    assert "ended" in refusal(world)["plan"]


def test_someone_else_s_appointment(world: World, cast: Any) -> None:
    with pytest.raises(ActionRefused, match="someone else"):
        world.start(appointment=visit(cast, patient=cast.stranger))
    with pytest.raises(ActionRefused, match="cancelled"):
        world.start(appointment=visit(cast, status="cancelled"))


def test_staff_of_another_location_cannot_start(world: World, cast: Any) -> None:
    with pytest.raises(ActionRefused, match="do not work"):
        actions.start_session(by=cast.practitioner2, plan=world.plan, at=NOON)


# --- saving ---------------------------------------------------------------------------------


def test_lots_that_cannot_be_drawn(world: World, session: Session, cast: Any) -> None:
    bad = [
        make_lot(cast.there, "lidocaine-2", "A"),
        make_lot(cast.here, "lidocaine-2", "B", expires_on=date(2026, 3, 9)),
        make_lot(cast.here, "lidocaine-2", "C", state="quarantined"),
        make_lot(cast.here, "lidocaine-2", "D", state="recalled"),
    ]
    for lot in bad:
        with pytest.raises(ActionRefused):
            actions.save_mix(
                by=world.practitioner, session=session, entries=[MixEntry(lot, D(1))], at=NOON
            )
    assert session.mix.count() == 2


def test_volumes_that_cannot_be(world: World, session: Session) -> None:
    for ml in ("0", "-1", "NaN", "Infinity", "101"):
        entries = [MixEntry(world.lidocaine, D(ml))]
        with pytest.raises(ActionRefused):
            actions.save_mix(by=world.practitioner, session=session, entries=entries, at=NOON)


BAD_MAPS: list[tuple[dict[str, Any], str]] = [
    ({"points": [[0.01, 0.01]]}, "outside"),
    ({"points": [["a", 0.2]]}, "could not be read"),
    ({"points": [[0.2]]}, "could not be read"),
    ({"points": [[0.2, 1.2]]}, "could not be read"),
    ({"points": [[0.2, float("nan")]]}, "could not be read"),
    ({"points": [[[0.1], 0.2]]}, "could not be read"),
    ({"points": [[True, 0.2]]}, "could not be read"),
    ({"points": "gotcha"}, "could not be read"),
    ({"points": [[0.5, 0.25]] * 10_000}, "At most"),
    ({"chart": "hands"}, "not on this chart"),
    ({"chart": "nowhere"}, "not on this chart"),
    ({"depth_mm": D(0)}, "depth"),
    ({"depth_mm": D(41)}, "depth"),
    ({"ml_per_point": D(-1)}, "5 mL"),
    ({"extra_ml": D(-1)}, "100 mL"),
]


def test_maps_that_cannot_be(world: World, session: Session) -> None:
    for change, words in BAD_MAPS:
        entry = replace(world.areas()[0], **change)
        with pytest.raises(ActionRefused, match=words):
            actions.save_areas(by=world.practitioner, session=session, entries=[entry], at=NOON)
    assert counts(session) == {"forehead none": 0, "cheek both": 0}


def test_only_what_the_consent_names_can_be_on_the_map(world: World, session: Session) -> None:
    chin = replace(world.areas()[0], area=current(Area, "chin"), points=[])
    deep = replace(world.areas()[0], technique=current(Technique, "deep"))
    for entry in (chin, deep):
        with pytest.raises(ActionRefused, match="consent does not name"):
            actions.save_areas(by=world.practitioner, session=session, entries=[entry], at=NOON)
    twice = world.areas() * 2
    with pytest.raises(ActionRefused, match="twice"):
        actions.save_areas(by=world.practitioner, session=session, entries=twice, at=NOON)


def test_another_location_s_device(world: World, session: Session, cast: Any) -> None:
    gun = Device.objects.create(
        location=cast.there, kind="mesogun", make="A", model="B", serial_number="S"
    )
    entry = replace(world.areas()[0], device=gun, method="gun")
    with pytest.raises(ActionRefused, match="device"):
        actions.save_areas(by=world.practitioner, session=session, entries=[entry], at=NOON)


def test_times_to_come_and_creams_that_cannot_be(world: World, session: Session) -> None:
    emla, plain = current(Anaesthetic, "emla"), current(Anaesthetic, "lidocaine-plain")
    later = NOON + timedelta(hours=1)
    bad = [
        CreamEntry(emla, D(2), D(20), later),
        CreamEntry(emla, D(2), D(20), NOON, NOON - timedelta(minutes=1)),
        CreamEntry(plain, D(2), D(20), NOON),
        CreamEntry(emla, D("NaN"), D(20), NOON),
        CreamEntry(emla, D(2), D(0), NOON),
    ]
    for entry in bad:
        with pytest.raises(ActionRefused):
            actions.add_anaesthesia(
                by=world.practitioner, session=session, entries=[entry], at=NOON
            )
    with pytest.raises(ActionRefused, match="to come"):
        actions.save_preparation(
            by=world.practitioner, session=session, entry=Preparation("x", later), at=NOON
        )


def test_an_older_revision_overwrites_nothing(world: World, session: Session) -> None:
    actions.save_preparation(
        by=world.practitioner, session=session, entry=Preparation("first"), at=NOON
    )
    sections = Sections(preparation=Preparation("second"))
    with pytest.raises(StaleSession):
        actions.save_sections(
            by=world.practitioner, session=session, revision=0, sections=sections, at=NOON
        )
    session.refresh_from_db()
    assert session.antiseptic == "first"


def test_one_bad_section_does_not_lose_the_others(world: World, session: Session) -> None:
    sections = Sections(
        preparation=Preparation("Chlorhexidine"),
        mix=[MixEntry(world.lidocaine, D(-1))],
        observation=Observation(observation="Calm."),
    )
    saved, refused = actions.save_sections(
        by=world.practitioner, session=session, revision=0, sections=sections, at=NOON
    )
    assert set(refused) == {"mix"}
    assert (saved.antiseptic, saved.observation, saved.revision) == ("Chlorhexidine", "Calm.", 1)
    assert saved.mix.count() == 2


# --- signing --------------------------------------------------------------------------------


def problems(world: World, session: Session, **fields: Any) -> str:
    with pytest.raises(NotSignable) as caught:
        world.sign(session, **fields)
    session.refresh_from_db()
    assert not session.is_signed
    return " ".join(caught.value.problems)


def test_everything_must_be_said(world: World, session: Session) -> None:
    said = problems(world, session)
    for word in ("changed", "antiseptic", "cleansed", "adverse"):
        assert word in said


def test_only_a_registered_practitioner_signs(world: World, session: Session, cast: Any) -> None:
    world.fill(session)
    cast.colleague.registration_number = ""
    cast.colleague.save()
    with pytest.raises(NotSignable, match="registration number"):
        actions.sign_session(by=cast.colleague, session=session, at=NOON)


def cream_of(world: World, grams: D, cm2: D) -> CreamEntry:
    """EMLA, an hour on the skin, from a tube of this shelf."""
    emla = current(Anaesthetic, "emla")
    tube = make_lot(world.plan.location, "emla-5", "TUBE")
    return CreamEntry(emla, grams, cm2, NOON - timedelta(hours=1), NOON, lot=tube)


def test_lidocaine_beyond_the_limit_is_refused_with_the_figures(
    world: World, session: Session
) -> None:
    cream = cream_of(world, D("10.01"), D(100))
    world.fill(session, creams=[cream])
    said = problems(world, session)
    assert "270.25 mg" in said
    assert "limit at 60 kg is 270 mg" in said
    world.fill(session, creams=[replace(cream, grams=D(10))])
    assert world.sign(session).totals["lidocaine_mg"] == "270"


def test_emla_on_two_places_is_one_dose(world: World, session: Session) -> None:
    cream = cream_of(world, D(3), D(301))
    world.fill(session, creams=[cream, cream])
    assert "602 cm² is above the limit of 600 cm²" in problems(world, session)


def test_the_label_in_force_limits_and_not_the_one_the_product_was_entered_with(
    world: World, session: Session, cast: Any
) -> None:
    world.fill(session)
    row = current(Substance, "hyaluronic-acid")
    edit_row(by=cast.manager, row=row, values={"limits": {"max_ml": "2", "max_points": "50"}})
    said = problems(world, session)
    assert "above the label’s 2 mL" in said
    assert "60 points are above the label’s 50" in said


def test_small_amounts_are_frozen_to_their_digit(world: World, session: Session, cast: Any) -> None:
    with_epinephrine = make_lot(cast.here, "lidocaine-2-epinephrine")
    epinephrine = [*world.consent.substances, "epinephrine"]
    sign_consent(world.plan, cast.practitioner, substances=epinephrine)
    world.fill(session, mix=[MixEntry(with_epinephrine, D(1)), MixEntry(world.hyaluronic, D(2))])
    amounts = {a["code"]: a for a in world.sign(session).totals["amounts"]}
    assert amounts["epinephrine"]["injected"] == "0.005"


def test_another_brand_of_toxin_is_told(world: World, session: Session, cast: Any) -> None:
    toxin = current(Product, "botulinum-100")
    other = product("other-toxin", (current(Substance, "botulinum-toxin"), "20"), name="Other")
    named = [*world.consent.substances, "botulinum-toxin"]
    sign_consent(world.plan, cast.practitioner, substances=named)
    world.fill(session, mix=[MixEntry(make_lot(cast.here, toxin.code), D(3))])
    world.sign(session)
    later = NOON + timedelta(days=20)
    after = world.start(at=later)
    world.fill(after, mix=[MixEntry(make_lot(cast.here, other.code), D(3))])
    said = totals_of(given(Parts.of(after), later)).warnings
    assert [words for words in said if "not interchangeable" in words and "Other" in words]


def test_no_weight_no_lidocaine(world: World, session: Session) -> None:
    world.fill(session)
    entry = replace(READY, weight_kg=None)
    actions.save_preparation(by=world.practitioner, session=session, entry=entry, at=NOON)
    assert "weight" in problems(world, session)


def test_a_lot_that_expired_or_was_recalled_since(world: World, session: Session) -> None:
    world.fill(session)
    Lot.objects.filter(pk=world.lidocaine.pk).update(expires_on=date(2026, 3, 9))
    Lot.objects.filter(pk=world.hyaluronic.pk).update(state="recalled")
    said = problems(world, session)
    assert "expired on 09-Mar-2026" in said
    assert "held back" in said


def test_the_shelf_cannot_fall_below_zero(world: World, session: Session) -> None:
    world.fill(session)
    Lot.objects.filter(pk=world.lidocaine.pk).update(quantity_ml=D("0.5"))
    assert "only 0.5 mL is on the shelf" in problems(world, session)
    assert stock(world.lidocaine) == D("0.5")


def test_a_consent_withdrawn_in_the_middle(world: World, session: Session) -> None:
    """What was given before is signed with the time of the withdrawal; the next cannot begin."""
    world.fill(session)
    Consent.objects.filter(pk=world.consent.pk).update(withdrawn_at=NOON)
    signed = world.sign(session)
    assert (signed.is_signed, signed.withdrawn_at) == (True, NOON)
    assert "withdrawn" in refusal(world)["consent"]


def test_withdrawn_after_the_signature_is_not_during_the_session(
    world: World, session: Session
) -> None:
    signed = world.sign(world.fill(session))
    assert signed.signed_at is not None
    later = signed.signed_at + MINUTE
    Consent.objects.filter(pk=world.consent.pk).update(withdrawn_at=later)
    assert Session.objects.get(pk=signed.pk).withdrawn_at is None


def test_nothing_more_is_given_after_a_withdrawal(world: World, session: Session) -> None:
    world.fill(session)
    by, entries = world.practitioner, world.areas(points=40)
    chin = replace(entries[0], area=current(Area, "cheek"), side="left", points=[])
    more = replace(entries[0], intended=forehead(3))
    new = [chin, more]
    for one in new:  # the negative control: still allowed
        actions.save_areas(by=by, session=session, entries=[one], at=NOON)
    actions.save_areas(by=by, session=session, entries=entries, at=NOON)
    Consent.objects.filter(pk=world.consent.pk).update(withdrawn_at=NOON)
    for one in new:
        with pytest.raises(ActionRefused, match="Nothing more is planned"):
            actions.save_areas(by=by, session=session, entries=[one], at=NOON)
    with pytest.raises(ActionRefused, match="Nothing is drawn"):
        actions.save_mix(
            by=by,
            session=session,
            entries=[MixEntry(world.lidocaine, D(1), "B")],
            syringes=[SyringeEntry("B")],
            at=NOON,
        )
    later = NOON + MINUTE
    emla = CreamEntry(current(Anaesthetic, "emla"), D(1), D(10), later)
    with pytest.raises(ActionRefused, match="No cream"):
        actions.add_anaesthesia(by=by, session=session, entries=[emla], at=later)
    actions.add_anaesthesia(by=by, session=session, entries=[replace(emla, on_at=NOON)], at=later)
    actions.add_anaesthesia(by=by, session=session, entries=[], at=later)
    # What was given before is put right and recorded.
    actions.save_areas(by=by, session=session, entries=world.areas(points=60), at=NOON)
    entries = [chin]
    session.refresh_from_db()
    seen = Observation("Stopped at once, no redness.", "none", "Thermal water", D(0))
    saved, refused = actions.save_sections(
        by=by,
        session=session,
        revision=session.revision,
        sections=Sections(areas=entries, observation=seen),
        at=NOON,
    )
    assert list(refused) == ["areas"]
    assert saved.observation == "Stopped at once, no redness."
    sign_consent(world.plan, by)
    actions.save_areas(by=by, session=saved, entries=entries, at=NOON)  # signed anew


def test_a_substance_the_consent_does_not_name(world: World, session: Session, cast: Any) -> None:
    caffeine = make_lot(cast.here, "caffeine-25")
    mix = [MixEntry(caffeine, D(1)), MixEntry(world.hyaluronic, D(2))]
    world.fill(session, mix=mix)
    assert "caffeine" in problems(world, session)


def test_a_newer_history_asks_again(world: World, session: Session) -> None:
    world.fill(session)
    make_history(world.plan.patient, 2, weight_kg=D(60))
    assert "newer history" in problems(world, session)
    world.fill(session)
    assert world.sign(session).history_version == 2


def test_the_syringe_must_balance(world: World, session: Session) -> None:
    world.fill(session, areas=world.areas(50))
    assert "0.5 mL is left to discard" in problems(world, session)
    seen = Observation("", "none", "", D("0.5"))
    world.fill(session, areas=world.areas(50), observation=seen)
    signed = world.sign(session)
    assert signed.totals["amounts"][0]["injected"] == "16.667"
    assert stock(world.lidocaine) == 95


def test_what_only_warns_does_not_stop(world: World) -> None:
    first = world.fill(world.start())
    world.sign(first)
    sooner = NOON + timedelta(days=3)
    second = world.fill(world.start(at=sooner))
    signed = world.sign(second, at=sooner)
    assert "3 days since the last session" in " ".join(signed.totals["warnings"])


def test_epidermal_film_without_points(world: World, session: Session) -> None:
    film = replace(world.areas()[0], points=[], ml_per_point=D(0), extra_ml=D(3))
    world.fill(session, areas=[film])
    assert world.sign(session).totals["injected_ml"] == "3"


# --- closed ---------------------------------------------------------------------------------


@pytest.fixture
def signed(world: World, session: Session) -> Session:
    return world.sign(world.fill(session))


REWRITES = [
    "UPDATE treatments_session SET observation = 'other' WHERE id = %s",
    "DELETE FROM treatments_session WHERE id = %s",
    "UPDATE treatments_mixcomponent SET ml = 9 WHERE session_id = %s",
    "DELETE FROM treatments_treatedarea WHERE session_id = %s",
    "UPDATE treatments_session SET signed_at = NULL WHERE id = %s",
]


def refusals(session: Session) -> AuditEntryQuerySet:
    return AuditEntry.objects.about(session.patient_id).filter(action="refuse")


@pytest.mark.parametrize("sql", REWRITES)
def test_raw_sql_on_a_signed_session_is_refused_and_written_down(
    signed: Session, cast: Any, sql: str
) -> None:
    known = list(refusals(signed).values_list("pk", flat=True))
    with (
        acting(actor_of(cast.practitioner)),
        pytest.raises(DatabaseError, match="signed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SET LOCAL ROLE clinic_app")
        cursor.execute(sql, [signed.pk])
    entry = refusals(signed).exclude(pk__in=known).get()
    assert entry.what == sql.replace("DELETE FROM", "UPDATE").split()[1]
    assert entry.actor_id == cast.practitioner.pk
    assert entry.object_id.isdigit()


def test_an_open_session_is_not(session: Session) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE treatments_session SET observation = 'x' WHERE id = %s", [session.pk]
        )
        assert cursor.rowcount == 1


def test_parts_cannot_be_moved_out_of_a_signed_session(world: World, signed: Session) -> None:
    other = world.start(at=NOON + timedelta(days=30))
    with (
        pytest.raises(DatabaseError, match="signed record"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE treatments_mixcomponent SET session_id = %s WHERE session_id = %s",
            [other.pk, signed.pk],
        )


def test_a_signed_session_takes_only_addenda(world: World, signed: Session) -> None:
    with pytest.raises(StaleSession, match="signed"):
        world.sign(signed)
    with pytest.raises(ActionRefused):
        actions.add_addendum(by=world.practitioner, session=signed, text="Later.", reason=" ")
    note = actions.add_addendum(by=world.practitioner, session=signed, text="Later.", reason="Call")
    assert list(signed.addenda.all()) == [note]


def test_an_open_session_takes_none(world: World, session: Session) -> None:
    with pytest.raises(ActionRefused, match="still open"):
        actions.add_addendum(by=world.practitioner, session=session, text="Later.", reason="Call")


@pytest.mark.django_db(transaction=True)
def test_eight_signatures_on_one_lot_at_once_never_take_it_below_zero(cast: Any) -> None:
    """Five of eight find enough on the shelf; the others are told, and nothing is lost."""
    worlds = []
    with acting(SYSTEM):
        first = make_world(cast)
        worlds.append(first)
        for _number in range(7):
            plan = Plan.objects.create(
                patient=cast.patient,
                location=cast.here,
                indication="skin-ageing",
                title="Again",
                made_by=cast.practitioner,
            )
            for model in ("areas", "mix", "phases"):
                for row in getattr(first.plan, model).all():
                    row.pk, row.plan = None, plan
                    row._state.adding = True
                    row.save()
            plan.state, plan.accepted_at = "accepted", NOON
            plan.save()
            worlds.append(replace(first, plan=plan, consent=sign_consent(plan, cast.practitioner)))
        sessions = [world.fill(world.start()) for world in worlds]
        Lot.objects.filter(pk=first.lidocaine.pk).update(quantity_ml=D("25.5"))
    outcomes = Crowd().run([lambda s=s: sign_alone(first, s) for s in sessions])
    assert outcomes.count("signed") == 5
    assert sum(isinstance(one, ActionRefused) for one in outcomes) == 3
    assert stock(first.lidocaine) == D("0.5")
    assert Session.objects.filter(signed_at__isnull=False).count() == 5


def sign_alone(world: World, session: Session) -> str:
    with acting(SYSTEM):
        world.sign(session)
    return "signed"


# --- pages ----------------------------------------------------------------------------------


@pytest.fixture
def client(client_for: Callable[[Staff], Client], cast: Any) -> Client:
    return client_for(cast.practitioner)


def address(name: str, session: Session) -> str:
    return reverse(f"sessions:{name}", args=[session.patient.number, session.pk])


def posted(client: Client, session: Session, **changed: Any) -> dict[str, Any]:
    """What the browser would send: every field as the page shows it."""
    forms = client.get(address("edit", session)).context["forms"]
    data: dict[str, Any] = {"revision": session.revision}
    groups = [forms.preparation, forms.observation]
    for formset in (forms.creams, forms.syringes, forms.mix, forms.areas):
        groups += [formset.management_form, *formset.forms]
    for form in groups:
        for field in form:
            value = field.value()
            if value is not None and value is not False:
                data[field.html_name] = "on" if value is True else str(value)
    return {**data, **{key.replace("__", "-"): value for key, value in changed.items()}}


def test_the_page_shows_the_planned_session(client: Client, session: Session) -> None:
    page = client.get(address("edit", session))
    text = page.content.decode()
    assert page.status_code == 200
    assert "Session 1 of 2" in text
    assert "Lidocaine 2 %" in text
    assert 'data-area="forehead"' in text
    assert 'imap-region" data-area="chin"' not in text


def test_a_grid_is_laid_without_scripts(client: Client, session: Session) -> None:
    reply = client.post(address("save", session), posted(client, session, do="lay:0"))
    assert reply.status_code == 302
    area = session.treated_areas.get(area__code="forehead")
    assert len(area.points) > 20
    session.refresh_from_db()
    client.post(address("save", session), posted(client, session, do="clear:0"))
    area.refresh_from_db()
    assert area.points == []


def press(client: Client, session: Session, do: str, **changed: Any) -> Any:
    session.refresh_from_db()
    data = posted(client, session, do=do, **changed)
    return client.post(address("save", session), data, headers={"X-Autosave": "1"})


def counts(session: Session) -> dict[str, int]:
    rows = session.treated_areas.select_related("area")
    return {f"{row.area.code} {row.side}": len(row.points) for row in rows}


def test_every_button_of_the_map(client: Client, session: Session) -> None:
    press(client, session, "spread:1", area__1__count="31")
    assert counts(session) == {"forehead none": 0, "cheek both": 31}
    press(client, session, "more:0")
    press(client, session, "more:0")
    press(client, session, "less:1")
    assert counts(session) == {"forehead none": 2, "cheek both": 30}
    press(client, session, "remove:1")
    reply = press(client, session, "add", new_area="cheek:left", new_at="face-front:[[0.67,0.52]]")
    assert reply.status_code == 200, reply.content
    press(client, session, "mirror:1")
    assert counts(session) == {"forehead none": 2, "cheek left": 1, "cheek right": 1}
    mirrored = session.treated_areas.get(side="right").points
    assert mirrored == [[0.33, 0.52]]


BAD_BUTTONS: list[tuple[str, dict[str, Any], str]] = [
    ("lay:9", {}, "no longer on the map"),
    ("lay:x", {}, "no longer on the map"),
    ("mirror:0", {}, "left or right"),
    ("spread:0", {}, "how many"),
    ("spread:0", {"area__0__count": "2001"}, "less than or equal"),
    ("lay:0", {"area__0__spacing_mm": "0.5"}, "does not fit"),
    ("add", {"new_area": "chin:none"}, "consent names"),
    ("add", {"new_area": "forehead:none"}, "already"),
    ("add", {"new_area": "cheek:left", "new_at": "face-front:[[2,2]]"}, "could not be read"),
    ("repeat", {}, "no earlier session"),
]


def test_buttons_that_cannot_do_it_say_so(client: Client, session: Session) -> None:
    for do, more, words in BAD_BUTTONS:
        reply = press(client, session, do, **more)
        assert reply.status_code == 422, do
        assert words in json.dumps(reply.json(), ensure_ascii=False)
        assert counts(session) == {"forehead none": 0, "cheek both": 0}


def test_the_map_of_the_last_session_is_repeated(
    world: World, client: Client, signed: Session
) -> None:
    later = NOON + timedelta(days=15)
    second = world.start(at=later)
    press(client, second, "repeat")
    assert counts(second) == {"forehead none": 60}


BAD = [
    ("mix-0-ml", "-1"),
    ("mix-0-ml", "NaN"),
    ("mix-0-ml", "1e999"),
    ("mix-0-ml", "9" * 400),
    ("mix-0-ml", "\x00"),
    ("mix-0-lot", "999999"),
    ("mix-0-lot", "' OR 1=1"),
    ("mix-TOTAL_FORMS", "100000"),
    ("mix-TOTAL_FORMS", "x"),
    ("area-0-points", "gotcha"),
    ("area-0-points", '[["a","b"]]'),
    ("area-0-points", "[[0.5,1.5]]"),
    ("area-0-points", "[[NaN,0.2]]"),
    ("area-0-points", "[" * 50_000),
    ("area-0-points", json.dumps([[0.5, 0.25]] * 10_000)),
    ("area-0-points", '{"a":1}'),
    ("area-0-points", "[[0.01,0.01]]"),
    ("area-0-chart", "nowhere"),
    ("area-0-side", "up"),
    ("area-0-area", "999999"),
    ("area-0-technique", "x"),
    ("area-0-device", "1"),
    ("area-0-depth_mm", "Infinity"),
    ("area-0-depth_mm", ""),
    ("area-0-needle_gauge", "99999999999"),
    ("prep-weight_kg", "1"),
    ("prep-cleansed_at", "25:99"),
    ("prep-antiseptic", "x" * 121),
    ("cream-0-grams", "2"),
    ("obs-events", "maybe"),
    ("syr-0-discarded_ml", "-3"),
    ("obs-observation", "x" * 4001),
]


def test_bad_input_is_told_and_nothing_else_is_lost(client: Client, session: Session) -> None:
    data = posted(client, session)
    for number, (field, value) in enumerate(BAD):
        data["revision"] = session.revision
        data |= {"prep-antiseptic": f"Antiseptic {number}", "obs-soothing": f"Water {number}"}
        reply = client.post(address("save", session), data | {field: value})
        assert reply.status_code == 422, field
        assert "There is a problem" in reply.content.decode()
        session.refresh_from_db()
        kept = session.soothing if field.startswith("prep") else session.antiseptic
        assert kept.endswith(f" {number}"), field


def test_a_page_that_saves_itself_is_told_where(client: Client, session: Session) -> None:
    data = posted(client, session) | {"mix-0-ml": "-1", "area-0-points": "[[0.01,0.01]]"}
    reply = client.post(address("save", session), data, headers={"X-Autosave": "1"})
    assert reply.status_code == 422
    assert set(reply.json()["errors"]) == {"id_mix-0-ml"}
    assert "outside" in reply.json()["refused"]["areas"]
    assert reply.json()["revision"] == session.revision + 1


def test_a_stale_page_is_told_and_overwrites_nothing(client: Client, session: Session) -> None:
    data = posted(client, session) | {"prep-antiseptic": "other"}
    for revision in ("", "x", "99", "-1", "9" * 50):
        data["revision"] = revision
        page = client.post(address("save", session), data)
        assert page.status_code == 409
        assert "Nothing was overwritten" in page.content.decode()
        assert 'value="other"' in page.content.decode()
    reply = client.post(address("sign", session), data, headers={"X-Autosave": "1"})
    assert reply.status_code == 409
    assert reply.json()["stale"]
    session.refresh_from_db()
    assert session.antiseptic == ""


def test_signing_by_the_page(world: World, client: Client, session: Session) -> None:
    refused = client.post(address("sign", session), posted(client, session))
    assert refused.status_code == 422
    assert "Say which antiseptic was used." in refused.content.decode()
    session.refresh_from_db()
    world.fill(session)
    session.refresh_from_db()
    done = client.post(address("sign", session), posted(client, session))
    assert done.status_code == 302, done.content.decode()[:500]
    record = client.get(done["Location"])
    assert "Signed by Ada Rossi" in record.content.decode()
    assert client.get(address("edit", session)).status_code == 302
    late = client.post(address("save", session), {"revision": 99})
    assert late.status_code == 409
    note = {"text": "Call next day: well.", "reason": "Follow-up"}
    assert client.post(address("addendum", session), {}).status_code == 422
    assert client.post(address("addendum", session), note).status_code == 302
    assert "Call next day" in client.get(address("detail", session)).content.decode()


def test_starting_by_the_page(world: World, client: Client, cast: Any) -> None:
    start = reverse("sessions:start", args=[cast.patient.number, world.plan.pk])
    assert "in order" in client.get(start).content.decode()
    assert Session.objects.count() == 0
    strange = visit(cast, patient=cast.stranger)
    for bad in (strange.pk, "x", 10**30):
        assert client.post(start, {"appointment": bad}).status_code == 404
    assert client.post(start).status_code == 302
    assert "is open" in client.get(start).content.decode()


def test_what_stands_in_the_way_is_listed(world: World, client: Client, cast: Any) -> None:
    Consent.objects.filter(pk=world.consent.pk).update(withdrawn_at=NOON)
    start = reverse("sessions:start", args=[cast.patient.number, world.plan.pk])
    for reply in (client.get(start), client.post(start)):
        assert "withdrawn" in reply.content.decode()
    assert Session.objects.count() == 0


def test_a_verdict_is_decided_where_it_stops_the_start(
    world: World, client: Client, cast: Any
) -> None:
    make_history(cast.patient, 2, pregnant=True)
    start = reverse("sessions:start", args=[cast.patient.number, world.plan.pk])
    text = client.get(start).content.decode()
    assert "cannot start yet" in text
    assert "Record the decision" in text


def test_who_may_see_a_session(
    client_for: Callable[[Staff], Client], session: Session, cast: Any
) -> None:
    names = ("edit", "detail", "save", "sign")
    for staff, status in ((cast.front_desk, 403), (cast.manager, 403), (cast.practitioner2, 404)):
        browser = client_for(staff)
        assert {browser.get(address(name, session)).status_code for name in names} == {status}
        panel = reverse("sessions:panel", args=[cast.patient.number])
        assert browser.get(panel).status_code == status
    mine = client_for(cast.practitioner)
    other = reverse("sessions:edit", args=[cast.stranger.number, session.pk])
    assert mine.get(other).status_code == 404
    assert mine.get(reverse("sessions:panel", args=[cast.patient.number])).status_code == 200
    assert mine.get(address("save", session)).status_code == 302


@pytest.mark.parametrize("rows", [1, 3])
def test_the_panel_s_queries_do_not_grow(
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
            started_at=NOON,
        )
    with django_assert_max_num_queries(8):
        client.get(reverse("sessions:panel", args=[cast.patient.number]))


def test_points_outside_by_less_than_a_line_are_inside(world: World, session: Session) -> None:
    entry: AreaEntry = replace(world.areas()[0], points=forehead(3))
    actions.save_areas(by=world.practitioner, session=session, entries=[entry], at=NOON)
    assert counts(session) == {"forehead none": 3}


# --- the published course (S60a) ------------------------------------------------------------


def test_the_published_back_course(cast: Any) -> None:
    """Five sessions on days 1, 4, 7, 10 and 13, 20 mg lidocaine each; steroid halved from day 7."""
    with acting(SYSTEM):
        make_history(cast.patient)
        back = AreaSpec(
            area=current(Area, "lower-back"),
            technique=current(Technique, "papule"),
            depth_mm=D(2),
            ml_per_point=D("0.1"),
            points=30,
        )
        mix = [
            MixSpec(current(Product, "lidocaine-2"), D(1)),
            MixSpec(current(Product, "ketoprofen-160"), D(1)),
            MixSpec(current(Product, "methylprednisolone-40"), D(1), 1, 2),
            MixSpec(current(Product, "methylprednisolone-40"), D("0.5"), 3),
            MixSpec(current(Product, "sodium-chloride-09"), D("0.5"), 3),
        ]
        plan = make_plan(
            by=cast.practitioner,
            patient=cast.patient,
            location=cast.here,
            indication="low-back-pain",
            title="Low back pain",
            areas=[back],
            mix=mix,
            phases=[PhaseSpec(5, 3, 3)],
        )
        accept_plan(by=cast.practitioner, plan=plan, at=NOON)
        for line in mix:
            if not Lot.objects.filter(product=line.product).exists():
                make_lot(cast.here, line.product.code)
        sign_consent(plan, cast.practitioner)
        world = World(plan, plan.consents.get(), cast.practitioner, *[Lot.objects.first()] * 2)
        for number in range(5):
            at = NOON + timedelta(days=3 * number)
            opened = world.start(at=at)
            drawn = [MixEntry(part.lot, part.ml) for part in opened.mix.all()]
            outline = charts.charts()["body-back"].outlines_mm("lower-back", "none")[0]
            scale = charts.charts()["body-back"].scale
            points = [scale.to_fraction(p) for p in grid.spread(outline, 30, margin=5)]
            entry = AreaEntry(
                area=back.area,
                technique=back.technique,
                depth_mm=D(2),
                ml_per_point=D("0.1"),
                chart="body-back",
                points=points,
            )
            signed = world.sign(world.fill(opened, mix=drawn, areas=[entry]), at=at)
            assert signed.totals["injected_ml"] == "3"
            assert signed.totals["lidocaine_mg"] == "20"
            assert [words for words in signed.totals["warnings"] if "one active" not in words] == []
            given = {a["code"]: a["injected"] for a in signed.totals["amounts"]}
            assert given["ketoprofen"] == "160"
            assert given["methylprednisolone"] == ("40" if number < 2 else "20")
        plan.refresh_from_db()
        assert plan.state == Plan.State.FINISHED
