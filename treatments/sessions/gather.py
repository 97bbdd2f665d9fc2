"""From a stored session to the plain facts its doses are computed from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max

from patients.registry.models import Patient
from treatments.catalogue.lidocaine import limits_in_force
from treatments.catalogue.limits import LIDOCAINE
from treatments.catalogue.models import (
    Anaesthetic,
    Flag,
    Incompatibility,
    Lot,
    Product,
    Substance,
)
from treatments.mixes.contents import FIRST, Component, Pair, Strength
from treatments.mixes.models import Syringe
from treatments.plans.course import gap_before, total, window
from treatments.plans.gather import is_face
from treatments.screening.engine import Verdict
from treatments.sessions import doses
from treatments.sessions.models import LONGEST, Anaesthesia, MixComponent, Session, TreatedArea
from treatments.sessions.parts import Parts
from treatments.stock.shelf import free_of


def given(parts: Parts, at: datetime, verdicts: Iterable[Verdict] = ()) -> doses.Given:
    """The facts of a session as they stand `at`.

    `verdicts`: screening's; an off-label area that a physician has decided for is let through.
    """
    session, mix = parts.session, parts.mix
    day = at.astimezone(session.location.zone).date()
    country = session.location.country
    substances = _in_force(mix)
    free = free_of([part.lot_id for part in mix], session.started_at)
    return doses.Given(
        on=day,
        components=tuple(
            _component(part, substances, free[part.lot_id], country.code) for part in mix
        ),
        injections=tuple(map(_injection, parts.areas)),
        creams=tuple(_cream(row, at) for row in parts.creams),
        discarded_ml=session.discarded_ml,
        weight_kg=session.weight_kg,
        age_months=_months(session.patient, day),
        limits=limits_in_force(),
        rules=tuple(_rules(session, substances, day, _off_label(verdicts))),
        pairs=_pairs(),
        course=_course(parts, day),
        last_toxin=_last_toxin(session, substances),
        syringes=tuple(_syringe(row, session) for row in parts.syringes),
        given_until=min(at, session.started_at + LONGEST),
        pharmacy_only=country.mixing_in_pharmacy_only,
        country=country.name,
    )


def _syringe(row: Syringe, session: Session) -> doses.Syringe:
    zone = session.location.zone
    return doses.Syringe(
        label=row.label,
        prepared_at=row.prepared_at,
        discard_by=row.discard_by,
        pharmacy=row.pharmacy,
        appearance=row.appearance,
        discarded_ml=row.discarded_ml,
        looks=str(row.get_appearance_display()) if row.appearance else "",
        until=row.discard_by.astimezone(zone).strftime("%H:%M") if row.discard_by else "",
    )


def _in_force(mix: Iterable[MixComponent]) -> dict[str, Substance]:
    """Every substance of the mix as the catalogue has it now, whatever its product was made of."""
    made_of = {i.substance.code: i.substance for p in mix for i in p.lot.product.ingredients.all()}
    return made_of | Substance.objects.in_force(made_of)


def _component(
    part: MixComponent, substances: dict[str, Substance], free: Decimal, country: str
) -> Component:
    lot: Lot = part.lot
    product: Product = lot.product
    return Component(
        name=product.name,
        ml=part.ml,
        strengths=tuple(
            Strength(
                i.substance.code,
                i.substance.name,
                i.per_ml,
                i.unit,
                substances[i.substance.code].group,
            )
            for i in product.ingredients.all()
        ),
        has_epinephrine=product.has_epinephrine,
        is_injectable=Flag.NOT_INJECTABLE not in product.flags_in(country),
        lot=lot.number,
        expires_on=lot.expires_on,
        held_back=_held_back(lot),
        on_shelf_ml=free,
        code=product.code,
        syringe=part.syringe.label if part.syringe else FIRST,
        is_diluent=product.is_diluent,
        in_use_hours=product.in_use_hours,
    )


def _held_back(lot: Lot) -> str:
    return "" if lot.state == Lot.State.AVAILABLE else str(lot.get_state_display())


def _injection(row: TreatedArea) -> doses.Injection:
    return doses.Injection(
        area=row.area.code,
        name=row.area.name,
        points=len(row.points),
        ml_per_point=row.ml_per_point,
        extra_ml=row.extra_ml,
        depth_mm=row.depth_mm,
        is_dermal=row.technique.is_dermal,
        is_face=is_face(row.area),
        syringe=row.syringe.label if row.syringe else "",
        method=row.method,
        device=row.device.serial_number if row.device else "",
        minutes=row.minutes,
    )


def _cream(row: Anaesthesia, at: datetime) -> doses.Cream:
    kind: Anaesthetic = row.anaesthetic
    has_lidocaine = LIDOCAINE in kind.substance_codes
    return doses.Cream(
        name=kind.name,
        grams=row.grams,
        area_cm2=row.area_cm2,
        minutes=max(0, int(((row.off_at or at) - row.on_at).total_seconds() // 60)),
        is_off=row.off_at is not None,
        lidocaine_mg_per_g=(kind.mg_per_g or Decimal(0)) if has_lidocaine else Decimal(0),
        max_g=kind.max_g,
        max_cm2=kind.max_cm2,
        wait_minutes=kind.wait_min_minutes,
        longest_minutes=kind.wait_max_minutes,
        longest_is_limit=kind.max_g is not None,
        child_limits=tuple(_child_limit(limit) for limit in kind.child_limits),
        lot=row.lot.number if row.lot else "",
        expires_on=row.lot.expires_on if row.lot else None,
        held_back=_held_back(row.lot) if row.lot else "",
    )


def _child_limit(limit: dict[str, Any]) -> doses.ChildLimit:
    return doses.ChildLimit(
        from_months=int(limit["from_months"]),
        to_months=int(limit["to_months"]),
        max_g=_decimal(limit.get("max_g")),
        max_cm2=_decimal(limit.get("max_cm2")),
        max_minutes=limit.get("max_minutes"),
    )


def _decimal(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _whole(value: object) -> int | None:
    """A count, also where a clinic has written it as text."""
    return None if value is None else int(Decimal(str(value)))


def _months(patient: Patient, day: date) -> int:
    born = patient.birth_date
    return (day.year - born.year) * 12 + day.month - born.month - (day.day < born.day)


def _pairs() -> tuple[Pair, ...]:
    rows = Incompatibility.objects.current().exclude(level=Incompatibility.Level.ALLOWED)
    return tuple(
        Pair(
            first=row.first,
            second=row.second,
            refuses=row.level == Incompatibility.Level.REFUSE,
            effect=row.said("effect"),
            only_with=tuple(row.only_with),
            unless=tuple(row.unless),
        )
        for row in rows
    )


def _off_label(verdicts: Iterable[Verdict]) -> dict[str, list[str]]:
    """Areas beyond the label, by substance, that a physician has decided for (section 14)."""
    found: dict[str, list[str]] = {}
    for verdict in verdicts:
        kind, _colon, code = verdict.rule.partition(":")
        _rest, _dash, area = verdict.key.partition(":area-")
        if kind == "substance" and area and verdict.overridden:
            found.setdefault(code, []).append(area)
    return found


def _rules(
    session: Session,
    substances: dict[str, Substance],
    day: date,
    off_label: dict[str, list[str]],
) -> list[doses.SubstanceRule]:
    limited = {code: s for code, s in substances.items() if s.limits or s.areas_only}
    before = _earlier(session, list(limited), day)
    return [
        _rule(s, off_label.get(code, []), *before.get(code, (0, None)))
        for code, s in limited.items()
    ]


def _rule(
    substance: Substance, off_label: list[str], earlier: int, days: int | None
) -> doses.SubstanceRule:
    limits = substance.limits
    return doses.SubstanceRule(
        substance=substance.code,
        name=substance.name,
        max_ml=_decimal(limits.get("max_ml")),
        max_points=_whole(limits.get("max_points")),
        areas_only=(*substance.areas_only, *off_label) if substance.areas_only else (),
        alone=bool(limits.get("never_mixed")),
        max_sessions=_whole(limits.get("max_sessions")),
        min_days=_whole(limits.get("min_gap_days")),
        earlier_sessions=earlier,
        days_since_last=days,
    )


def _earlier(session: Session, codes: list[str], day: date) -> dict[str, tuple[int, int | None]]:
    """How often, and how many days ago, this patient was given each substance."""
    if not codes:
        return {}
    rows = (
        MixComponent.objects.filter(
            session__patient_id=session.patient_id,
            session__signed_at__isnull=False,
            lot__product__ingredients__substance__code__in=codes,
        )
        .exclude(session=session)
        .values_list("lot__product__ingredients__substance__code")
        .annotate(times=Count("session", distinct=True), last=Max("session__started_at"))
    )
    zone = session.location.zone
    return {code: (times, (day - last.astimezone(zone).date()).days) for code, times, last in rows}


def _last_toxin(session: Session, substances: dict[str, Substance]) -> doses.Brand | None:
    """The toxin product this patient was given last, where one is in the syringe now."""
    toxins = [code for code, one in substances.items() if one.group == doses.TOXIN_GROUP]
    if not toxins:
        return None
    before = MixComponent.objects.filter(
        session__patient_id=session.patient_id,
        session__signed_at__isnull=False,
        lot__product__ingredients__substance__code__in=toxins,
    ).exclude(session=session)
    last = before.select_related("lot__product").order_by("-session__started_at", "-pk").first()
    return doses.Brand(last.lot.product.code, last.lot.product.name) if last else None


def _course(parts: Parts, day: date) -> doses.Course:
    session, last = parts.session, parts.last
    phases = list(session.plan.phases.all())
    gap = gap_before(phases, session.number)
    return doses.Course(
        number=session.number,
        planned=total(phases),
        gap_min_days=gap[0] if gap else None,
        days_since_last=None
        if last is None
        else (day - last.started_at.astimezone(last.location.zone).date()).days,
    )


def due_after(session: Session) -> tuple[date, date] | None:
    """First and last date of the session after this one, by the plan; None after the last."""
    day = session.started_at.astimezone(session.location.zone).date()
    return window(list(session.plan.phases.all()), session.number, day)
