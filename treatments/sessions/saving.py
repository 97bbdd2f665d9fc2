"""Writing the sections of a draft: called by the actions, on a locked draft, in a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from patients.intake.facts import latest_history
from treatments.catalogue.models import Anaesthetic, Lot
from treatments.mixes.contents import Component, discard_by
from treatments.mixes.models import LABELS, Syringe
from treatments.sessions.charts import charts
from treatments.sessions.entries import (
    AreaEntry,
    CreamEntry,
    MixEntry,
    Observation,
    Preparation,
    SyringeEntry,
)
from treatments.sessions.models import (
    SETTINGS,
    Anaesthesia,
    MixComponent,
    Session,
    TreatedArea,
)
from treatments.sessions.points import clean_points

AHEAD = timedelta(minutes=5)
"""Two clocks in one clinic may differ by this much."""
MOST_ROWS = 30
LONGEST_MINUTES = Decimal(180)


def write_preparation(draft: Session, entry: Preparation, at: datetime) -> None:
    """Antiseptic, cleansing, weight; and that the newest history still holds."""
    _refuse_future(entry.cleansed_at, at)
    if entry.weight_kg is not None and not Decimal(2) <= entry.weight_kg <= Decimal(400):
        raise ActionRefused(_("A weight is between 2 and 400 kg."), field="weight_kg")
    if entry.photos not in ("", *Session.Photos.values):
        raise ActionRefused(_("This is not one of the choices."), field="photos")
    draft.antiseptic = entry.antiseptic.strip()
    draft.cleansed_at = entry.cleansed_at
    draft.weight_kg = entry.weight_kg
    draft.photos = entry.photos
    if not entry.identity:
        draft.identity_checked_at = None
    elif draft.identity_checked_at is None:
        draft.identity_checked_at = at
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
    today = at.astimezone(draft.location.zone).date().isoformat()
    for entry in entries:
        _refuse_cream(entry, at)
        if entry.lot is not None:
            _refuse_tube(draft, entry.anaesthetic, entry.lot, today)
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


def _refuse_tube(draft: Session, cream: Anaesthetic, lot: Lot, today: str) -> None:
    refuse_lot(draft, lot, today)
    held = {i.substance.code for i in lot.product.ingredients.select_related("substance")}
    if held != set(cream.substance_codes):
        said = {"lot": lot.number, "cream": cream.name}
        raise ActionRefused(_("Lot %(lot)s is not of this cream: %(cream)s.") % said)


def write_mix(
    draft: Session,
    entries: Sequence[MixEntry],
    at: datetime,
    *,
    by: Staff,
    syringes: Sequence[SyringeEntry] | None = None,
) -> None:
    """Replace the syringes and what is in them. Only lots of this location's shelf.

    Without `syringes` each that is filled counts as prepared `at`.
    """
    _refuse_too_many(entries)
    today = at.astimezone(draft.location.zone).date()
    for entry in entries:
        _refuse_volume(entry.ml, Decimal(100))
        refuse_lot(draft, entry.lot, today.isoformat())
    if len({(entry.syringe, entry.lot.pk) for entry in entries}) < len(entries):
        raise ActionRefused(_("Each lot once: add the volumes of the same lot together."))
    tray = _write_syringes(draft, _tray(entries, syringes, at), at, by)
    kept = {(tray[entry.syringe].pk, entry.lot.pk): entry for entry in entries}
    for row in draft.mix.all():
        key = (row.syringe_id, row.lot_id)
        if key not in kept:
            row.delete()
        else:
            _store(row, {"ml": kept.pop(key).ml})
    for entry in kept.values():
        MixComponent.objects.create(
            session=draft, syringe=tray[entry.syringe], lot=entry.lot, ml=entry.ml
        )
    _keep_times(draft)


def _tray(
    entries: Sequence[MixEntry], said: Sequence[SyringeEntry] | None, at: datetime
) -> dict[str, SyringeEntry]:
    """Every syringe that is meant, by its label."""
    if said is not None and len({entry.label for entry in said}) < len(said):
        raise ActionRefused(_("Each syringe needs a label of its own."))
    found = {entry.label: entry for entry in said or ()}
    for entry in entries:
        found.setdefault(entry.syringe, SyringeEntry(entry.syringe, at if said is None else None))
    strange = [label for label in found if label not in LABELS]
    if strange:
        text = _("A syringe is labelled from %(first)s to %(last)s.")
        raise ActionRefused(text % {"first": LABELS[0], "last": LABELS[-1]})
    return found


def _write_syringes(
    draft: Session, wanted: dict[str, SyringeEntry], at: datetime, by: Staff
) -> dict[str, Syringe]:
    rows = {row.label: row for row in draft.syringes.all()}
    for label in rows.keys() - wanted.keys():
        rows.pop(label).delete()
    for label, entry in wanted.items():
        _refuse_syringe(entry, at)
        row = rows.setdefault(label, Syringe(session=draft, label=label))
        values: dict[str, object] = {
            "appearance": entry.appearance,
            "pharmacy": entry.pharmacy.strip(),
            "discarded_ml": entry.discarded_ml,
        }
        if _minute(entry.prepared_at) != _minute(row.prepared_at):
            values |= {
                "prepared_at": entry.prepared_at,
                "prepared_by": by if entry.prepared_at else None,
                "discard_by": None,
            }
        _store(row, values)
    return rows


def _minute(moment: datetime | None) -> datetime | None:
    """A page says times to the minute: the same one is not a change."""
    return moment and moment.replace(second=0, microsecond=0)


def _refuse_syringe(entry: SyringeEntry, at: datetime) -> None:
    _refuse_future(entry.prepared_at, at)
    if entry.appearance not in ("", *Syringe.Appearance.values):
        raise ActionRefused(_("This is not one of the choices."))
    if entry.discarded_ml is not None and not Decimal(0) <= entry.discarded_ml <= Decimal(1000):
        raise ActionRefused(_("A volume cannot be negative."))


def _keep_times(draft: Session) -> None:
    """Until when each syringe keeps, from what is in it now; and what is discarded in all."""
    filled: dict[int, list[Component]] = {}
    for part in draft.mix.select_related("lot__product"):
        product = part.lot.product
        one = Component(product.name, part.ml, in_use_hours=product.in_use_hours)
        filled.setdefault(part.syringe_id or 0, []).append(one)
    rows = list(draft.syringes.all())
    for row in rows:
        until = row.prepared_at and discard_by(
            row.prepared_at, filled.get(row.pk, []), draft.location.zone
        )
        _store(row, {"discard_by": until})
    _sum_discarded(draft, rows)


def _sum_discarded(draft: Session, rows: Sequence[Syringe]) -> None:
    said = [row.discarded_ml for row in rows if row.discarded_ml is not None]
    draft.discarded_ml = sum(said, Decimal(0)) if said else None


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
    tray = {row.label: row.pk for row in draft.syringes.all()}
    for row in draft.treated_areas.select_related("area", "technique", "device", "modality"):
        key = (row.area.code, row.side)
        if key in kept:
            _store(row, _area_values(kept.pop(key), tray))
        else:
            row.delete()
    for entry in kept.values():
        _store(TreatedArea(session=draft), _area_values(entry, tray))


def _area_values(entry: AreaEntry, tray: dict[str, int]) -> dict[str, object]:
    if entry.syringe and entry.syringe not in tray:
        text = _("%(area)s: there is no syringe %(syringe)s.")
        raise ActionRefused(text % {"area": entry.area.name, "syringe": entry.syringe})
    values = {name: value for name, value in vars(entry).items() if name != "syringe"}
    return {
        **values,
        "syringe_id": tray.get(entry.syringe),
        "points": [list(point) for point in clean_points(entry.points)],
        "intended": [list(point) for point in clean_points(entry.intended)],
        "settings": _clean_settings(entry),
        "programme": entry.programme.strip(),
    }


def _clean_settings(entry: AreaEntry) -> dict[str, str]:
    """What a device was set to, by known names only; empty ones left out."""
    if set(entry.settings) - set(SETTINGS):
        raise ActionRefused(_("This is not one of the choices."))
    said = {name: str(value).strip() for name, value in entry.settings.items()}
    if any(len(value) > 80 for value in said.values()):
        raise ActionRefused(_("%(area)s: a setting is too long.") % {"area": entry.area.name})
    return {name: value for name, value in said.items() if value}


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
    if entry.minutes is not None and not Decimal(0) < entry.minutes <= LONGEST_MINUTES:
        raise ActionRefused(_("%(area)s: a device works for up to 180 minutes.") % said)


VITALS = {"pulse_bpm": (20, 250), "systolic_mmhg": (40, 300), "diastolic_mmhg": (20, 200)}
"""What a pulse (per minute) and a pressure (mmHg) can be; beyond it is a slip of the key."""


def write_observation(draft: Session, entry: Observation, at: datetime) -> None:
    """What was seen, what was put on, what was thrown away, and when the patient could leave."""
    if entry.discarded_ml is not None and not Decimal(0) <= entry.discarded_ml <= Decimal(1000):
        raise ActionRefused(_("A volume cannot be negative."), field="discarded_ml")
    _refuse_vitals(entry)
    _refuse_future(entry.released_at, at)
    if entry.released_at is not None and _minute(entry.released_at) < _minute(draft.started_at):  # type: ignore[operator]
        text = _("The patient cannot leave before the session began.")
        raise ActionRefused(text, field="released_at")
    day = draft.started_at.astimezone(draft.location.zone).date()
    if entry.next_due_on is not None and entry.next_due_on <= day:
        raise ActionRefused(_("The next session is after today."), field="next_due_on")
    for name in ("observation", "adverse_events", "soothing"):
        setattr(draft, name, getattr(entry, name).strip())
    for name in (*VITALS, "needles_changed", "next_due_on"):
        setattr(draft, name, getattr(entry, name))
    draft.released_at = entry.released_at and max(entry.released_at, draft.started_at)
    if entry.discarded_ml is not None:
        _discard(draft, entry.discarded_ml)


def _refuse_vitals(entry: Observation) -> None:
    for name, (least, most) in VITALS.items():
        value = getattr(entry, name)
        if value is not None and not least <= value <= most:
            text = _("From %(least)s to %(most)s.") % {"least": least, "most": most}
            raise ActionRefused(text, field=name)
    upper, lower = entry.systolic_mmhg, entry.diastolic_mmhg
    if upper is not None and lower is not None and upper <= lower:
        raise ActionRefused(_("The upper pressure is above the lower one."), field="systolic_mmhg")


def _discard(draft: Session, ml: Decimal) -> None:
    """What was left in the only syringe."""
    rows = list(draft.syringes.all())
    if len(rows) > 1:
        text = _("Say for each syringe what was discarded.")
        raise ActionRefused(text, field="discarded_ml")
    draft.discarded_ml = ml
    for row in rows:
        _store(row, {"discarded_ml": ml})


def _store(
    row: Anaesthesia | MixComponent | Syringe | TreatedArea, values: dict[str, object]
) -> None:
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
