"""A patient with history, plan and signed consent, and a shelf with lots: what a session needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from clinic.access.models import Staff
from clinic.audit.context import SYSTEM, acting
from clinic.places.models import Location
from patients.intake.models import History
from patients.registry.models import Patient
from treatments.catalogue.models import Area, Lot, Product, Technique
from treatments.consents.in_force import TEMPLATE_VERSION
from treatments.consents.models import Consent
from treatments.plans.actions import accept_plan, make_plan
from treatments.plans.models import Plan
from treatments.plans.specs import AreaSpec, MixSpec, PhaseSpec
from treatments.sessions import actions, charts, grid
from treatments.sessions.entries import (
    AreaEntry,
    CreamEntry,
    MixEntry,
    Observation,
    Preparation,
    SyringeEntry,
)
from treatments.sessions.models import Session

D = Decimal
NOON = datetime(2026, 3, 10, 11, tzinfo=UTC)


READY = Preparation(
    "Chlorhexidine 2 %", NOON, D(60), unchanged=True, identity=True, photos="not-needed"
)
"""Everything that is asked and done before the needle."""


def ready_made(label: str = "A", **fields: Any) -> SyringeEntry:
    """A syringe as a French clinic gives a mixture: made up by a pharmacy."""
    fields.setdefault("prepared_at", NOON)
    fields.setdefault("pharmacy", "Pharmacie des Halles, 2026-0417")
    return SyringeEntry(label, **fields)


def current(model: type[Any], code: str) -> Any:
    return model.objects.current().get(code=code)


def make_lot(place: Location, code: str, number: str = "L1", **fields: Any) -> Lot:
    fields.setdefault("expires_on", date(2027, 6, 30))
    fields.setdefault("quantity_ml", D(100))
    lot: Lot = Lot.objects.create(
        location=place, product=current(Product, code), number=number, **fields
    )
    return lot


def make_history(patient: Patient, version: int = 1, **fields: Any) -> History:
    fields.setdefault("weight_kg", D(60))
    fields.setdefault("pregnant", False)
    fields.setdefault("no_known_allergies", True)
    history: History = History.objects.create(
        patient=patient, version=version, origin="link", submitted_at=NOON, **fields
    )
    return history


def sign_consent(plan: Plan, by: Staff, **fields: Any) -> Consent:
    values: dict[str, Any] = {
        "substances": sorted(
            {i.substance.code for m in plan.mix.all() for i in m.product.ingredients.all()}
        ),
        "techniques": sorted({a.technique.code for a in plan.areas.all()}),
        "areas": sorted({a.area.code for a in plan.areas.all()}),
        **fields,
    }
    consent: Consent = Consent.objects.create(
        patient=plan.patient,
        plan=plan,
        language="en",
        template_version=TEMPLATE_VERSION,
        html="<p>read</p>",
        text_sha256="0" * 64,
        ready_to_read_at=NOON.replace(hour=8),
        prepared_by=by,
        signed_at=NOON.replace(hour=9),
        signed_name="Élodie Martin",
        method="typed",
        **values,
    )
    return consent


@dataclass
class World:
    """One plan for the forehead and both cheeks: 1 mL lidocaine 2 % and 2 mL hyaluronic acid."""

    plan: Plan
    consent: Consent
    practitioner: Staff
    lidocaine: Lot
    hyaluronic: Lot

    def start(self, **fields: Any) -> Session:
        fields.setdefault("at", NOON)
        return actions.start_session(by=self.practitioner, plan=self.plan, **fields)

    def areas(self, points: int = 60, ml: str = "0.05") -> list[AreaEntry]:
        return [
            AreaEntry(
                area=current(Area, "forehead"),
                technique=current(Technique, "papule"),
                depth_mm=D("1.5"),
                ml_per_point=D(ml),
                chart="face-front",
                points=forehead(points),
            )
        ]

    def fill(self, session: Session, **changed: Any) -> Session:
        """Everything a signature needs: 60 points of 0.05 mL from 3 mL drawn."""
        by = self.practitioner
        entry = READY
        actions.save_preparation(by=by, session=session, entry=entry, at=NOON)
        mix = changed.get("mix", [MixEntry(self.lidocaine, D(1)), MixEntry(self.hyaluronic, D(2))])
        then = session.started_at
        filled = [ready_made(label, prepared_at=then) for label in {m.syringe for m in mix}]
        tray = changed.get("syringes", filled)
        actions.save_mix(by=by, session=session, entries=mix, syringes=tray, at=max(then, NOON))
        creams: list[CreamEntry] = changed.get("creams", [])
        actions.add_anaesthesia(by=by, session=session, entries=creams, at=NOON)
        areas = changed.get("areas", self.areas())
        actions.save_areas(by=by, session=session, entries=areas, at=NOON)
        seen = changed.get(
            "observation", Observation("Fine papules.", "none", "Thermal water", D(0))
        )
        return actions.save_observation(by=by, session=session, entry=seen, at=NOON)

    def sign(self, session: Session, **fields: Any) -> Session:
        fields.setdefault("at", NOON)
        return actions.sign_session(by=self.practitioner, session=session, **fields)


@cache
def forehead(count: int) -> Sequence[tuple[float, float]]:
    """That many points spread over the forehead."""
    chart = charts.charts()["face-front"]
    outline = chart.outlines_mm("forehead", "none")[0]
    return [chart.scale.to_fraction(p) for p in grid.spread(outline, count, margin=2)]


def make_world(cast: Any, **consented: Any) -> World:
    with acting(SYSTEM):
        make_history(cast.patient)
        plan = make_plan(
            by=cast.practitioner,
            patient=cast.patient,
            location=cast.here,
            indication="skin-ageing",
            title="Face course",
            areas=[
                AreaSpec(
                    area=current(Area, code),
                    technique=current(Technique, "papule"),
                    depth_mm=D("1.5"),
                    ml_per_point=D("0.05"),
                    points=points,
                    side=side,
                    spacing_mm=D(10),
                )
                for code, side, points in (("forehead", "none", 30), ("cheek", "both", 30))
            ],
            mix=[
                MixSpec(current(Product, "lidocaine-2"), D(1)),
                MixSpec(current(Product, "ha-1"), D(2)),
            ],
            phases=[PhaseSpec(2, 14, 21)],
        )
        accept_plan(by=cast.practitioner, plan=plan, at=NOON.replace(hour=8))
        return World(
            plan=plan,
            consent=sign_consent(plan, cast.practitioner, **consented),
            practitioner=cast.practitioner,
            lidocaine=make_lot(cast.here, "lidocaine-2"),
            hyaluronic=make_lot(cast.here, "ha-1"),
        )
