"""Writing the sections of a draft: called by the actions, on a locked draft, in a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from clinic.errors import ActionRefused
from patients.intake.facts import latest_history
from treatments.catalogue.models import Lot
from treatments.sessions.charts import charts
from treatments.sessions.entries import (
    AreaEntry,
    CreamEntry,
    MixEntry,
    Observation,
    Preparation,
)
from treatments.sessions.models import Anaesthesia, MixComponent, Session, TreatedArea
from treatments.sessions.points import clean_points

AHEAD = timedelta(minutes=5)
"""Two clocks in one clinic may differ by this much."""
MOST_ROWS = 30


def write_preparation(draft: Session, entry: Preparation, at: datetime) -> None:
    """Antiseptic, cleansing, weight; and that the newest history still holds."""
    _refuse_future(entry.cleansed_at, at)
    if entry.weight_kg is not None and not Decimal(2) <= entry.weight_kg <= Decimal(400):
        raise ActionRefused(_("A weight is between 2 and 400 kg."), field="weight_kg")
    draft.antiseptic = entry.antiseptic.strip()
    draft.cleansed_at = entry.cleansed_at
    draft.weight_kg = entry.weight_kg
    _confirm_history(draft, entry.unchanged, at)


def _confirm_history(draft: Session, unchanged: bool, at: datetime) -> None:
    newest = latest_history(draft.patient)
    if not unchanged or newest is None:
        draft.history_confirmed_at = None
    elif draft.history_confirmed_at is None or draft.history_version != newest.version:
        draft.history_version = newest.version
        draft.history_confirmed_at = at


def write_creams(draft: Session, entries: Sequence[CreamEntry], at: datetime) -> None:
    """Replace the numbing creams; rows keep their place, so that the trail shows what changed."""
    _refuse_too_many(entries)
    for entry in entries:
        _refuse_cream(entry, at)
    rows = list(draft.anaesthesia.order_by("pk"))
    for row in rows[len(entries) :]:
        row.delete()
    for number, entry in enumerate(entries):
        row = rows[number] if number < len(rows) else Anaesthesia(session=draft)
        _store(row, vars(entry))


def _refuse_cream(entry: CreamEntry, at: datetime) -> None:
    if not entry.anaesthetic.is_topical:
        raise ActionRefused(_("This is not a cream. Draw injected anaesthetic into the mix."))
    _refuse_volume(entry.grams, Decimal(500))
    _refuse_volume(entry.area_cm2, Decimal(20_000))
    _refuse_future(entry.on_at, at)
    _refuse_future(entry.off_at, at)
    if entry.off_at is not None and entry.off_at < entry.on_at:
        raise ActionRefused(_("The cream cannot come off before it went on."))


def write_mix(draft: Session, entries: Sequence[MixEntry], at: datetime) -> None:
    """Replace the mix. Only lots of this location's shelf, in date and released."""
    _refuse_too_many(entries)
    today = at.astimezone(draft.location.zone).date()
    for entry in entries:
        _refuse_volume(entry.ml, Decimal(100))
        refuse_lot(draft, entry.lot, today.isoformat())
    if len({entry.lot.pk for entry in entries}) < len(entries):
        raise ActionRefused(_("Each lot once: add the volumes of the same lot together."))
    kept = {entry.lot.pk: entry for entry in entries}
    for row in draft.mix.all():
        if row.lot_id not in kept:
            row.delete()
        else:
            _store(row, {"ml": kept.pop(row.lot_id).ml})
    for entry in kept.values():
        MixComponent.objects.create(session=draft, lot=entry.lot, ml=entry.ml)


def refuse_lot(draft: Session, lot: Lot, today: str) -> None:
    """Raise `ActionRefused` for a lot of another location, expired, or held back."""
    if lot.location_id != draft.location_id:
        raise ActionRefused(_("This lot is not on the shelf here."))
    said = {"lot": lot.number, "date": lot.expires_on, "state": lot.get_state_display()}
    if lot.expires_on.isoformat() < today:
        raise ActionRefused(_("Lot %(lot)s expired on %(date)s.") % said)
    if lot.state != Lot.State.AVAILABLE:
        raise ActionRefused(_("Lot %(lot)s is held back: %(state)s.") % said)


def write_areas(draft: Session, entries: Sequence[AreaEntry]) -> None:
    """Replace the map. Each area and side once; only what the consent names."""
    _refuse_too_many(entries)
    for entry in entries:
        _refuse_area(draft, entry)
    kept = {(entry.area.code, entry.side): entry for entry in entries}
    if len(kept) < len(entries):
        raise ActionRefused(_("This area is on the map twice."))
    for row in draft.treated_areas.select_related("area"):
        key = (row.area.code, row.side)
        if key in kept:
            _store(row, _area_values(kept.pop(key)))
        else:
            row.delete()
    for entry in kept.values():
        _store(TreatedArea(session=draft), _area_values(entry))


def _area_values(entry: AreaEntry) -> dict[str, object]:
    return {**vars(entry), "points": [list(point) for point in clean_points(entry.points)]}


def _refuse_area(draft: Session, entry: AreaEntry) -> None:
    said = {"area": entry.area.name, "technique": entry.technique.name}
    if entry.area.code not in draft.consent.areas:
        raise ActionRefused(_("The consent does not name this area: %(area)s.") % said)
    if entry.technique.code not in draft.consent.techniques:
        raise ActionRefused(_("The consent does not name this technique: %(technique)s.") % said)
    if entry.device is not None and entry.device.location_id != draft.location_id:
        raise ActionRefused(_("This device does not belong to this location."))
    _refuse_figures(entry)
    chart = charts().get(entry.chart)
    if chart is None or not chart.of(entry.area.code, entry.side):
        raise ActionRefused(_("%(area)s is not on this chart.") % said)
    outside = chart.outside(entry.area.code, entry.side, clean_points(entry.points))
    if outside:
        text = _("%(count)s points lie outside the area: %(area)s.")
        raise ActionRefused(text % {**said, "count": outside})


def _refuse_figures(entry: AreaEntry) -> None:
    said = {"area": entry.area.name}
    if not Decimal(0) < entry.depth_mm <= Decimal(40):
        raise ActionRefused(_("%(area)s: a depth is above 0 and at most 40 mm.") % said)
    if not Decimal(0) <= entry.ml_per_point <= Decimal(5):
        raise ActionRefused(_("%(area)s: a point takes from 0 to 5 mL.") % said)
    if not Decimal(0) <= entry.extra_ml <= Decimal(100):
        raise ActionRefused(_("%(area)s: a volume is from 0 to 100 mL.") % said)


def write_observation(draft: Session, entry: Observation) -> None:
    """What was seen, what was put on, what was thrown away."""
    if entry.discarded_ml is not None and not Decimal(0) <= entry.discarded_ml <= Decimal(1000):
        raise ActionRefused(_("A volume cannot be negative."), field="discarded_ml")
    draft.observation = entry.observation.strip()
    draft.adverse_events = entry.adverse_events.strip()
    draft.soothing = entry.soothing.strip()
    draft.discarded_ml = entry.discarded_ml


def _store(row: Anaesthesia | MixComponent | TreatedArea, values: dict[str, object]) -> None:
    """Save a row, unless it holds these values already: the trail shows changes, not clicks."""
    if row.pk is not None and all(getattr(row, name) == new for name, new in values.items()):
        return
    for name, new in values.items():
        setattr(row, name, new)
    row.save()


def _refuse_volume(value: Decimal, most: Decimal) -> None:
    if not value.is_finite() or value <= 0:
        raise ActionRefused(_("An amount must be above zero."))
    if value > most:
        raise ActionRefused(_("%(value)s is too much to be real.") % {"value": value})


def _refuse_future(moment: datetime | None, at: datetime) -> None:
    if moment is not None and moment > at + AHEAD:
        raise ActionRefused(_("This time is still to come."))


def _refuse_too_many(entries: Sequence[object]) -> None:
    if len(entries) > MOST_ROWS:
        raise ActionRefused(_("At most %(most)s rows.") % {"most": MOST_ROWS})
