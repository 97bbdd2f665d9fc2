"""The mix bench of the story: syringes as each country has them, and a session left open."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from aftercare.demo.clock import then
from aftercare.demo.courses import FACE, Course, map_of
from aftercare.demo.ground import Ground, Place
from clinic.errors import ActionRefused
from treatments.catalogue.models import Lot
from treatments.plans.models import Plan
from treatments.sessions.actions import save_sections, start_session
from treatments.sessions.editing import repeated
from treatments.sessions.entries import (
    AreaEntry,
    MixEntry,
    Preparation,
    Sections,
    SyringeEntry,
)
from treatments.sessions.models import Session, TreatedArea

OWN_SYRINGE = {"ha-1": "A", "polyvitamin-5": "B"}
"""The two products of the face course, each in a syringe of its own: one active per syringe."""
FROM_SYRINGE = {"cheek": "A", "forehead": "B"}
PHARMACY = "Pharmacie de l’Exemple, ordonnancier {number}"


def tube(place: Place, at: datetime) -> Lot:
    """The EMLA that is used first."""
    shelf = Lot.objects.filter(location=place.location, product__code="emla-5")
    found: Lot = shelf.usable(at.astimezone(place.location.zone).date())[0]
    return found


def mix_of(course: Course, session: Session) -> list[MixEntry]:
    """What was drawn as planned; the face course into two syringes."""
    return [
        MixEntry(part.lot, part.ml, _label(course, part.lot.product.code))
        for part in session.mix.select_related("lot__product")
    ]


def _label(course: Course, product: str) -> str:
    return OWN_SYRINGE.get(product, "A") if course is FACE else "A"


def tray_of(
    mix: list[MixEntry], place: Place, session: Session, at: datetime
) -> list[SyringeEntry]:
    """The syringes, prepared a little before; in France a mixture comes from a pharmacy."""
    labels = sorted({entry.syringe for entry in mix})
    return [
        SyringeEntry(
            label=label,
            prepared_at=at - timedelta(minutes=20),
            appearance="limpid",
            pharmacy=_pharmacy([e for e in mix if e.syringe == label], place, session),
            discarded_ml=Decimal(0),
        )
        for label in labels
    ]


def _pharmacy(mix: list[MixEntry], place: Place, session: Session) -> str:
    acting = {e.lot.product_id for e in mix if not e.lot.product.is_diluent}
    if len(acting) < 2 or not place.location.country.mixing_in_pharmacy_only:
        return ""
    return PHARMACY.format(number=f"{session.patient_id}-{session.number}")


def areas_of(course: Course, ground: Ground, place: Place) -> list[AreaEntry]:
    """The map as planned, done where it was meant; each area from its own syringe."""
    return [_given(course, entry) for entry in map_of(course, ground, place)]


def _given(course: Course, entry: AreaEntry) -> AreaEntry:
    by_gun = entry.method == TreatedArea.Method.GUN
    return AreaEntry(
        **{
            **vars(entry),
            "intended": entry.points,
            "syringe": FROM_SYRINGE[entry.area.code] if course is FACE else "",
            "programme": "Nappage, 4 mm" if by_gun else "",
        }
    )


def leave_open(ground: Ground, now: datetime) -> int:
    """One session at each location begun as the last one was, and not finished yet."""
    return sum(_begin(place, now - timedelta(minutes=25)) for place in ground.places)


def _begin(place: Place, at: datetime) -> bool:
    plans = Plan.objects.filter(
        location=place.location, state=Plan.State.ACCEPTED, sessions__signed_at__isnull=False
    )
    for plan in plans.distinct().order_by("-pk"):
        doctor = plan.made_by
        with then(at, doctor):
            try:
                session = start_session(by=doctor, plan=plan, as_last=True, at=at)
            except ActionRefused:
                continue
            _half_done(session, at)
            return True
    return False


def _half_done(session: Session, at: datetime) -> None:
    """Asked and cleansed, the first half of the map done."""
    entries = repeated(session, [row.label for row in session.syringes.all()])
    entries[0] = replace(entries[0], points=entries[0].points[: len(entries[0].points) // 2])
    save_sections(
        by=session.practitioner,
        session=session,
        revision=session.revision,
        sections=Sections(
            preparation=Preparation(
                antiseptic=session.antiseptic,
                cleansed_at=at + timedelta(minutes=4),
                weight_kg=session.weight_kg,
                unchanged=True,
                identity=True,
                photos="not-needed",
            ),
            areas=entries,
        ),
        at=at + timedelta(minutes=6),
    )
