"""The forms of the session page. They check shape; what may be done is decided by the actions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from decimal import Decimal
from functools import cached_property
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from clinic.errors import ActionRefused
from clinic.places.models import Device
from clinic.web.fields import UnitField, UnitInput
from clinic.web.forms import ClinicForm
from treatments.catalogue.models import Anaesthetic, Area, Lot, Modality, Technique
from treatments.mixes.contents import FIRST
from treatments.mixes.models import LABELS, Syringe
from treatments.plans.models import Side
from treatments.sessions.entries import (
    NONE_SEEN,
    AreaEntry,
    CreamEntry,
    MixEntry,
    Observation,
    Preparation,
    SyringeEntry,
)
from treatments.sessions.grid import MOST_POINTS, Point
from treatments.sessions.models import SETTINGS, Session, TreatedArea
from treatments.sessions.parts import Parts
from treatments.sessions.points import read_points
from treatments.sessions.saving import MOST_ROWS

SEEN, NOTHING = "seen", NONE_SEEN
SEEN_FIGURES = ("pulse_bpm", "systolic_mmhg", "diastolic_mmhg", "needles_changed", "next_due_on")


@dataclass(frozen=True)
class Shelf:
    """Everything a session's form may choose from, read once for all its rows."""

    parts: Parts
    lots: Sequence[Lot] = ()
    creams: Sequence[Anaesthetic] = ()
    techniques: Sequence[Technique] = ()
    areas: Sequence[Area] = ()
    devices: Sequence[Device] = ()
    tubes: Sequence[Lot] = ()
    modalities: Sequence[Modality] = ()

    @property
    def session(self) -> Session:
        return self.parts.session

    @property
    def syringes(self) -> Sequence[Syringe]:
        return self.parts.syringes

    @cached_property
    def zone(self) -> Any:
        return self.session.location.zone

    def moment(self, clock: time | None) -> datetime | None:
        """A time of the session's own day, on the location's clock."""
        if clock is None:
            return None
        day = self.session.started_at.astimezone(self.zone).date()
        return datetime.combine(day, clock, tzinfo=self.zone)

    def clock(self, moment: datetime | None) -> str:
        """The other way round, for an input of type time."""
        return moment.astimezone(self.zone).strftime("%H:%M") if moment else ""


class PickField(forms.TypedChoiceField):
    """One of a list of rows, by its id; anything else is said to be unknown."""

    def __init__(self, rows: Iterable[Any], label_of: Any = str, **kwargs: Any) -> None:
        known = {str(row.pk): row for row in rows}
        choices = [("", "—"), *((pk, label_of(row)) for pk, row in known.items())]
        kwargs.setdefault("empty_value", None)

        def pick(pk: object) -> Any:
            if str(pk) not in known:
                raise ValueError(pk)
            return known[str(pk)]

        super().__init__(choices=choices, coerce=pick, **kwargs)
        self.error_messages["invalid_choice"] = kwargs.get("error_messages", {}).get(
            "invalid_choice", _("This is not one of the choices.")
        )


def clock_field(**kwargs: Any) -> forms.TimeField:
    """A time as HH:MM."""
    widget = forms.TimeInput({"type": "time", "autocomplete": "off"}, format="%H:%M")
    return forms.TimeField(widget=widget, input_formats=["%H:%M", "%H:%M:%S"], **kwargs)


def amount(unit: str, label: Any, **kwargs: Any) -> UnitField:
    """An optional decimal in a unit."""
    kwargs.setdefault("required", False)
    return UnitField(unit=unit, label=label, **kwargs)


def whole(label: Any, unit: str, most: int) -> forms.IntegerField:
    """An optional count in a unit."""
    plain = forms.TextInput({"inputmode": "numeric", "autocomplete": "off"})
    widget = UnitInput(unit, {"inputmode": "numeric"}) if unit else plain
    return forms.IntegerField(
        label=label, required=False, min_value=0, max_value=most, widget=widget
    )


class SectionForm(ClinicForm):
    """A form of the session page: knows the shelf."""

    use_required_attribute = False

    def __init__(self, *args: Any, shelf: Shelf, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.shelf = shelf

    @property
    def is_blank(self) -> bool:
        """Nothing was entered: the row does not count."""
        return not any(self.cleaned_data.get(name) for name in self.asked)

    asked: tuple[str, ...] = ()

    def ask(self, *names: str) -> None:
        """Say which of these are missing from a row that was begun."""
        for name in names:
            if self.cleaned_data.get(name) is None and name not in self.errors:
                self.add_error(name, _("This is needed."))


class PreparationForm(SectionForm):
    identity = forms.BooleanField(
        label=_("Asked: name and birth date, the same as above"), required=False
    )
    unchanged = forms.BooleanField(
        label=_("Asked: nothing has changed since this history"), required=False
    )
    weight_kg = amount(
        "kg", _("Weight"), max_digits=4, decimal_places=1, min_value=2, max_value=400
    )
    antiseptic = forms.CharField(label=_("Skin antiseptic"), max_length=120, required=False)
    cleansed_at = clock_field(label=_("Cleansed at"), required=False)
    photos = forms.ChoiceField(
        label=_("Photos"), choices=Session.Photos, widget=forms.RadioSelect, required=False
    )

    def entry(self) -> Preparation:
        data = self.cleaned_data
        return Preparation(
            antiseptic=data["antiseptic"],
            cleansed_at=self.shelf.moment(data["cleansed_at"]),
            weight_kg=data["weight_kg"],
            unchanged=data["unchanged"],
            identity=data["identity"],
            photos=data["photos"],
        )


class CreamForm(SectionForm):
    grams = amount("g", _("Amount"), max_digits=5, decimal_places=2, min_value=Decimal("0.01"))
    area_cm2 = amount("cm²", _("Area"), max_digits=6, decimal_places=1, min_value=Decimal("0.1"))
    on_at = clock_field(label=_("On at"), required=False)
    off_at = clock_field(label=_("Off at"), required=False)
    asked = ("anaesthetic", "grams", "area_cm2")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["anaesthetic"] = PickField(self.shelf.creams, label=_("Cream"), required=False)
        self.fields["lot"] = PickField(
            self.shelf.tubes,
            tube_label,
            label=_("Lot"),
            required=False,
            error_messages={"invalid_choice": _("This lot is not on the shelf here.")},
        )
        self.order_fields(["anaesthetic", "lot"])

    def clean(self) -> dict[str, Any]:
        if not self.is_blank:
            self.ask("anaesthetic", "grams", "area_cm2", "on_at")
        return self.cleaned_data

    def entry(self) -> CreamEntry:
        data = self.cleaned_data
        on_at = self.shelf.moment(data["on_at"])
        assert on_at is not None
        return CreamEntry(
            anaesthetic=data["anaesthetic"],
            grams=data["grams"],
            area_cm2=data["area_cm2"],
            on_at=on_at,
            off_at=self.shelf.moment(data["off_at"]),
            lot=data["lot"],
        )


def tube_label(lot: Lot) -> str:
    """`EMLA cream 5 g · lot A12 · expires 2027-05-12`."""
    words = _("%(product)s · lot %(lot)s · expires %(date)s")
    said = {
        "product": lot.product.name,
        "lot": lot.number,
        "date": lot.expires_on.isoformat(),
    }
    return str(words) % said


class SyringeForm(SectionForm):
    """One syringe on the tray. What became of it is asked at the end, in `discarded_ml`."""

    label = forms.ChoiceField(
        choices=[(label, label) for label in LABELS], widget=forms.HiddenInput
    )
    prepared_at = clock_field(label=_("Prepared at"), required=False)
    appearance = forms.ChoiceField(
        label=_("It looks"),
        choices=[("", "—"), *Syringe.Appearance.choices],
        required=False,
    )
    pharmacy = forms.CharField(
        label=_("Made up by a pharmacy: name and number"), max_length=160, required=False
    )
    discarded_ml = amount(
        "mL", _("Discarded"), max_digits=6, decimal_places=2, min_value=0, max_value=1000
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(self.shelf.syringes) > 1:
            self.fields["discarded_ml"].label = _("Discarded from syringe %(label)s") % {
                "label": self["label"].value()
            }

    def entry(self) -> SyringeEntry:
        data = self.cleaned_data
        return SyringeEntry(
            label=data["label"],
            prepared_at=self.shelf.moment(data["prepared_at"]),
            appearance=data["appearance"],
            pharmacy=data["pharmacy"],
            discarded_ml=data["discarded_ml"],
        )


class MixForm(SectionForm):
    syringe = forms.ChoiceField(
        choices=[(label, label) for label in LABELS], widget=forms.HiddenInput
    )
    ml = amount("mL", _("Volume"), max_digits=5, decimal_places=2, min_value=Decimal("0.01"))
    asked = ("lot", "ml")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lot"] = PickField(
            self.shelf.lots,
            lot_label,
            label=_("Product and lot"),
            required=False,
            error_messages={"invalid_choice": _("This lot is not on the shelf here.")},
        )
        self.order_fields(["lot"])

    def clean(self) -> dict[str, Any]:
        if not self.is_blank:
            self.ask("lot", "ml")
        return self.cleaned_data

    def entry(self) -> MixEntry:
        data = self.cleaned_data
        return MixEntry(lot=data["lot"], ml=data["ml"], syringe=data["syringe"])


def lot_label(lot: Lot) -> str:
    """`Lidocaine 2 % · lot A12 · expires 2027-05-12 · 18 mL`."""
    words = _("%(product)s · lot %(lot)s · expires %(date)s · %(ml)s mL")
    said = {
        "product": lot.product.name,
        "lot": lot.number,
        "date": lot.expires_on.isoformat(),
        "ml": f"{getattr(lot, 'free_ml', lot.quantity_ml).normalize():f}",
    }
    held = "" if lot.state == Lot.State.AVAILABLE else f" · {lot.get_state_display()}"
    return str(words) % said + held


class AreaForm(SectionForm):
    """One treated area. `points` is JSON; `count` is only for spreading so many."""

    side = forms.ChoiceField(choices=Side, widget=forms.HiddenInput)
    chart = forms.SlugField(max_length=40, widget=forms.HiddenInput)
    method = forms.ChoiceField(label=_("Given"), choices=TreatedArea.Method)
    depth_mm = UnitField(
        unit="mm", label=_("Depth"), max_digits=4, decimal_places=2,
        min_value=Decimal("0.01"), max_value=40,
    )  # fmt: skip
    ml_per_point = UnitField(
        unit="mL", label=_("Per point"), max_digits=5, decimal_places=3, min_value=0, max_value=5
    )
    extra_ml = amount(
        "mL", _("Without points"), max_digits=5, decimal_places=2, min_value=0, max_value=100,
    )  # fmt: skip
    spacing_mm = amount(
        "mm", _("Spacing"), max_digits=4, decimal_places=1, min_value=Decimal("0.5"), max_value=100
    )
    margin_mm = amount("mm", _("Margin"), max_digits=4, decimal_places=1, min_value=0, max_value=50)
    is_staggered = forms.BooleanField(label=_("Staggered rows"), required=False)
    needle_gauge = forms.IntegerField(
        label=_("Needle gauge (G)"), min_value=10, max_value=40, required=False
    )
    needle_mm = amount(
        "mm",
        _("Needle length"),
        max_digits=4,
        decimal_places=1,
        min_value=Decimal("0.1"),
        max_value=80,
    )
    count = forms.IntegerField(
        label=_("Number of points"), min_value=1, max_value=MOST_POINTS, required=False
    )
    points = forms.CharField(
        widget=forms.Textarea({"hidden": True, "data-points": True}),
        required=False,
        max_length=100_000,
    )
    intended = forms.CharField(
        widget=forms.Textarea({"hidden": True, "data-intended": True}),
        required=False,
        max_length=100_000,
    )
    syringe = forms.ChoiceField(
        label=_("Syringe"),
        choices=[("", "—"), *((label, label) for label in LABELS)],
        required=False,
    )
    programme = forms.CharField(label=_("Programme"), max_length=80, required=False)
    minutes = amount(
        "min", _("Time"), max_digits=4, decimal_places=1, min_value=Decimal("0.1"), max_value=180
    )
    voltage_v = amount("V", _("Voltage"), max_digits=6, decimal_places=2, max_value=1000)
    current_ma = amount("mA", _("Current"), max_digits=6, decimal_places=3, max_value=1000)
    carrier_khz = amount("kHz", _("Carrier"), max_digits=8, decimal_places=3, max_value=100_000)
    envelope_hz = amount("Hz", _("Envelope"), max_digits=8, decimal_places=3, max_value=100_000)
    polarity = forms.ChoiceField(
        label=_("Polarity"), choices=[("", "—"), ("+", "+"), ("-", "−")], required=False
    )
    electrode_cm2 = amount("cm²", _("Electrode"), max_digits=6, decimal_places=1, max_value=1000)
    gel = forms.CharField(label=_("Gel"), max_length=80, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["area"] = PickField(
            self.shelf.areas,
            error_messages={"invalid_choice": _("The consent does not name this area.")},
            widget=forms.HiddenInput,
        )
        self.fields["technique"] = PickField(
            self.shelf.techniques,
            label=_("Technique"),
            error_messages={"invalid_choice": _("The consent does not name this technique.")},
        )
        self.fields["device"] = PickField(self.shelf.devices, label=_("Device"), required=False)
        self.fields["modality"] = PickField(
            self.shelf.modalities, label=_("Kind of current or wave"), required=False
        )
        if len(self.shelf.syringes) < 2:
            self.fields["syringe"].widget = forms.HiddenInput()
        for name in ("needle_gauge", "count"):
            self.fields[name].widget = forms.TextInput(
                {"inputmode": "numeric", "autocomplete": "off"}
            )

    def clean_points(self) -> list[Point]:
        return self._read("points")

    def clean_intended(self) -> list[Point]:
        return self._read("intended")

    def _read(self, name: str) -> list[Point]:
        try:
            return read_points(self.cleaned_data[name])
        except ActionRefused as refused:
            raise ValidationError(refused.message) from None

    def entry(self) -> AreaEntry:
        said = {name: value for name, value in self.cleaned_data.items() if name != "count"}
        settings = {name: said.pop(name) for name in SETTINGS}
        said["extra_ml"] = said["extra_ml"] or Decimal(0)
        kept = {name: str(value) for name, value in settings.items() if value not in (None, "")}
        return AreaEntry(**said, settings=kept)


class ObservationForm(SectionForm):
    events = forms.ChoiceField(
        label=_("Adverse events"),
        choices=[(NOTHING, _("None")), (SEEN, _("Yes, described below"))],
        widget=forms.RadioSelect,
        required=False,
    )
    adverse_events = forms.CharField(
        label=_("What happened"),
        max_length=500,
        required=False,
        widget=forms.Textarea({"rows": 2}),
    )
    observation = forms.CharField(
        label=_("Observation"), max_length=4000, required=False, widget=forms.Textarea({"rows": 3})
    )
    soothing = forms.CharField(label=_("Soothing"), max_length=200, required=False)
    pulse_bpm = whole(_("Pulse"), "/min", 250)
    systolic_mmhg = whole(_("Upper pressure"), "mmHg", 300)
    diastolic_mmhg = whole(_("Lower pressure"), "mmHg", 200)
    needles_changed = whole(_("Needles used"), "", 200)
    released_at = clock_field(label=_("Could leave at"), required=False)
    next_due_on = forms.DateField(
        label=_("Next session due"),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("events") == SEEN and not data.get("adverse_events", "").strip():
            self.add_error("adverse_events", _("Say what happened."))
        return data

    def entry(self) -> Observation:
        data = self.cleaned_data
        events = {NOTHING: NONE_SEEN, SEEN: data["adverse_events"]}.get(data["events"], "")
        return Observation(
            observation=data["observation"],
            adverse_events=events,
            soothing=data["soothing"],
            released_at=self.shelf.moment(data["released_at"]),
            **{name: data[name] for name in SEEN_FIGURES},
        )


class RowFormSet(forms.BaseFormSet):  # type: ignore[type-arg]
    """Rows of one section; blank ones do not count."""

    def entries(self) -> list[Any]:
        """What was entered, in order. Only of a valid formset."""
        return [form.entry() for form in self.forms if not form.is_blank]


def _rows(form: type[SectionForm], extra: int) -> type[RowFormSet]:
    return forms.formset_factory(  # type: ignore[return-value]
        form, formset=RowFormSet, extra=extra, max_num=MOST_ROWS, absolute_max=MOST_ROWS + 5
    )


CreamRows = _rows(CreamForm, extra=1)
MixRows = _rows(MixForm, extra=0)


class WholeFormSet(RowFormSet):
    """Rows that are never blank: each is there because it was chosen."""

    def entries(self) -> list[Any]:
        return [form.entry() for form in self.forms]

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return {**super().get_form_kwargs(index), "empty_permitted": False}


def _whole_rows(form: type[SectionForm], most: int) -> type[WholeFormSet]:
    return forms.formset_factory(  # type: ignore[return-value]
        form, formset=WholeFormSet, extra=0, max_num=most, absolute_max=most + 5
    )


AreaRows = _whole_rows(AreaForm, MOST_ROWS)
SyringeRows = _whole_rows(SyringeForm, len(LABELS))


class AddendumForm(ClinicForm):
    text = forms.CharField(label=_("Addendum"), max_length=4000, widget=forms.Textarea({"rows": 3}))
    reason = forms.CharField(label=_("Reason"), max_length=300)


@dataclass
class SessionForms:
    """All sections of the page, bound or not."""

    preparation: PreparationForm
    creams: RowFormSet
    syringes: WholeFormSet
    mix: RowFormSet
    areas: WholeFormSet
    observation: ObservationForm
    shelf: Shelf = field(repr=False, kw_only=True)

    @classmethod
    def of(cls, shelf: Shelf, data: Any = None) -> SessionForms:
        """The forms of a stored session, or of what was posted."""
        known: dict[str, Any] = {"shelf": shelf}
        rows: dict[str, Any] = {"form_kwargs": known}
        return cls(
            PreparationForm(data, prefix="prep", initial=_preparation(shelf), **known),
            CreamRows(data, prefix="cream", initial=None if data else _creams(shelf), **rows),
            SyringeRows(data, prefix="syr", initial=None if data else _syringes(shelf), **rows),
            MixRows(data, prefix="mix", initial=None if data else _mix(shelf), **rows),
            AreaRows(data, prefix="area", initial=None if data else _areas(shelf), **rows),
            ObservationForm(data, prefix="obs", initial=_observation(shelf), **known),
            shelf=shelf,
        )


def _preparation(shelf: Shelf) -> dict[str, Any]:
    session = shelf.session
    return {
        "identity": session.identity_checked_at is not None,
        "unchanged": session.history_confirmed_at is not None,
        "photos": session.photos,
        "weight_kg": session.weight_kg,
        "antiseptic": session.antiseptic,
        "cleansed_at": shelf.clock(session.cleansed_at),
    }


def _creams(shelf: Shelf) -> list[dict[str, Any]]:
    return [
        {
            "anaesthetic": row.anaesthetic_id,
            "lot": row.lot_id,
            "grams": row.grams,
            "area_cm2": row.area_cm2,
            "on_at": shelf.clock(row.on_at),
            "off_at": shelf.clock(row.off_at),
        }
        for row in shelf.parts.creams
    ]


def _syringes(shelf: Shelf) -> list[dict[str, Any]]:
    """The syringes on the tray; an empty one to begin with."""
    return [
        {
            "label": row.label,
            "prepared_at": shelf.clock(row.prepared_at),
            "appearance": row.appearance,
            "pharmacy": row.pharmacy,
            "discarded_ml": row.discarded_ml,
        }
        for row in shelf.syringes
    ] or [{"label": FIRST, "discarded_ml": shelf.session.discarded_ml}]


def _mix(shelf: Shelf) -> list[dict[str, Any]]:
    """What was drawn, and an empty line for each syringe."""
    labels = {row.pk: row.label for row in shelf.syringes}
    drawn = [
        {"lot": row.lot_id, "ml": row.ml, "syringe": labels.get(row.syringe_id or 0, FIRST)}
        for row in shelf.parts.mix
    ]
    blank = [{"syringe": label} for label in labels.values()] or [{"syringe": FIRST}]
    return drawn + blank


def _areas(shelf: Shelf) -> list[dict[str, Any]]:
    labels = {row.pk: row.label for row in shelf.syringes}
    return [
        {**area_initial(row), "syringe": labels.get(row.syringe_id or 0, "")}
        for row in shelf.parts.areas
    ]


def area_initial(row: TreatedArea) -> dict[str, Any]:
    """A stored area as a form shows it."""
    return {
        "area": row.area_id,
        "side": row.side,
        "chart": row.chart,
        "technique": row.technique_id,
        "method": row.method,
        "device": row.device_id,
        "depth_mm": row.depth_mm,
        "spacing_mm": row.spacing_mm,
        "margin_mm": row.margin_mm,
        "is_staggered": row.is_staggered,
        "needle_gauge": row.needle_gauge,
        "needle_mm": row.needle_mm,
        "ml_per_point": row.ml_per_point,
        "extra_ml": row.extra_ml or None,
        "points": points_text(row.points),
        "intended": points_text(row.intended),
        "modality": row.modality_id,
        "programme": row.programme,
        "minutes": row.minutes,
        **row.settings,
    }


def points_text(points: Iterable[Sequence[float]]) -> str:
    """Points as compact JSON."""
    return "[" + ",".join(f"[{x:g},{y:g}]" for x, y in points) + "]"


def _observation(shelf: Shelf) -> dict[str, Any]:
    session = shelf.session
    none = session.adverse_events == NONE_SEEN
    return {
        "events": NOTHING if none else SEEN if session.adverse_events else "",
        "adverse_events": "" if none else session.adverse_events,
        "observation": session.observation,
        "soothing": session.soothing,
        "released_at": shelf.clock(session.released_at),
        **{name: getattr(session, name) for name in SEEN_FIGURES},
    }
