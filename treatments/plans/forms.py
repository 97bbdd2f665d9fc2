"""A plan as forms: the head, and three lists of rows that can grow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.formsets import DELETION_FIELD_NAME
from django.forms.utils import ErrorDict
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.web.fields import UnitField
from clinic.web.forms import ClinicForm
from treatments.catalogue.models import Area, CatalogueRow, Product, Recipe, Scale, Technique
from treatments.consultations.forms import GROUPS
from treatments.consultations.indications import indication_choices, indication_name
from treatments.plans.course import total
from treatments.plans.models import FIRST_SYRINGE, SYRINGES, Phase, Side, StopRule
from treatments.plans.specs import AreaSpec, MixSpec, PhaseSpec, StopSpec

MOST_ROWS = 40
CHOOSE = [("", _("Choose"))]
BY_JUDGEMENT = [("", _("the practitioner’s judgement"))]
LETTERS = [(label, label) for label in SYRINGES]


@dataclass
class Shelf:
    """The current catalogue rows that a plan's rows choose from, by code; read once per page."""

    areas: dict[str, Area]
    techniques: dict[str, Technique]
    products: dict[str, Product]
    scales: dict[str, Scale]

    @classmethod
    def current(cls) -> Shelf:
        """What is in force today, with what each product holds."""
        products = Product.objects.current().order_by("name_en")
        return cls(
            areas=_by_code(Area.objects.current().order_by("group", "pk")),
            techniques=_by_code(Technique.objects.current().order_by("pk")),
            products=_by_code(products.prefetch_related("ingredients__substance")),
            scales=_by_code(Scale.objects.current().order_by("name_en")),
        )

    @cached_property
    def area_choices(self) -> list[Any]:
        """Areas under the part of the body they belong to."""
        grouped = groupby(self.areas.values(), key=lambda area: area.group)
        return CHOOSE + [
            (GROUPS.get(group, group), [(area.code, area.name) for area in members])
            for group, members in grouped
        ]


def _by_code(rows: Iterable[Any]) -> dict[str, Any]:
    return {row.code: row for row in rows}


def _named(rows: Mapping[str, CatalogueRow]) -> list[Any]:
    return CHOOSE + [(code, row.name) for code, row in rows.items()]


class RowForm(ClinicForm):
    """A row of a list; an untouched one is ignored."""

    def __init__(self, *args: Any, shelf: Shelf, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.shelf = shelf

    def choose(self, field: str, choices: list[Any]) -> None:
        """Fill a field's choices."""
        self.fields[field].choices = choices  # type: ignore[attr-defined]

    @property
    def is_wanted(self) -> bool:
        """Filled in, and not marked for removal."""
        data = getattr(self, "cleaned_data", {})
        return self.is_valid() and self.has_changed() and not data.get(DELETION_FIELD_NAME)


class SyringeField(forms.ChoiceField):
    """Which syringe, by its letter; left out, the first."""

    def __init__(self) -> None:
        super().__init__(label=_("Syringe"), choices=LETTERS, initial=FIRST_SYRINGE)

    def clean(self, value: Any) -> Any:
        """The letter."""
        return super().clean(value or FIRST_SYRINGE)


class AreaForm(RowForm):
    """One area: depth and spacing in mm, mL per point, points in all."""

    area = forms.ChoiceField(label=_("Area"))
    side = forms.ChoiceField(label=_("Side"), choices=Side.choices, initial=Side.NONE)
    technique = forms.ChoiceField(label=_("Technique"))
    depth_mm = UnitField(
        label=_("Depth"), unit="mm", min_value=0.01, max_value=40, max_digits=4, decimal_places=2
    )
    spacing_mm = UnitField(
        label=_("Spacing"),
        unit="mm",
        min_value=0.1,
        max_value=100,
        max_digits=4,
        decimal_places=1,
        required=False,
    )
    ml_per_point = UnitField(
        label=_("Volume per point"),
        unit="mL",
        min_value=0,
        max_value=5,
        max_digits=5,
        decimal_places=3,
    )
    points = forms.IntegerField(label=_("Points in all"), min_value=1, max_value=5000)
    needle_gauge = forms.IntegerField(
        label=_("Needle gauge"), min_value=14, max_value=36, required=False
    )
    needle_mm = UnitField(
        label=_("Needle length"),
        unit="mm",
        min_value=0.5,
        max_value=60,
        max_digits=4,
        decimal_places=1,
        required=False,
    )
    syringe = SyringeField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("area", self.shelf.area_choices)
        self.choose("technique", _named(self.shelf.techniques))

    def clean(self) -> dict[str, Any]:
        """A sided area needs its side; one in the midline has none."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        area = self.shelf.areas.get(data.get("area", ""))
        if area and area.is_sided and data.get("side") == Side.NONE:
            self.add_error("side", _("Choose left, right or both sides."))
        if area and not area.is_sided and data.get("side") != Side.NONE:
            self.add_error("side", _("This area has no sides: choose midline."))
        return data

    @property
    def spec(self) -> AreaSpec:
        """What the action takes."""
        data = self.cleaned_data
        same = (
            "side",
            "depth_mm",
            "spacing_mm",
            "ml_per_point",
            "points",
            "needle_gauge",
            "syringe",
        )
        return AreaSpec(
            area=self.shelf.areas[data["area"]],
            technique=self.shelf.techniques[data["technique"]],
            needle_mm=data["needle_mm"],
            **{name: data[name] for name in same},
        )


class MixForm(RowForm):
    """A product in mL per session, for all sessions or some."""

    product = forms.ChoiceField(label=_("Product"))
    ml = UnitField(
        label=_("Volume"),
        unit="mL",
        min_value=0.01,
        max_value=100,
        max_digits=6,
        decimal_places=2,
    )
    from_session = forms.IntegerField(
        label=_("From session"), min_value=1, max_value=600, initial=1
    )
    to_session = forms.IntegerField(
        label=_("To session"),
        min_value=1,
        max_value=600,
        required=False,
        widget=forms.NumberInput({"placeholder": _("last")}),
    )
    syringe = SyringeField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("product", _named(self.shelf.products))

    def clean(self) -> dict[str, Any]:
        """The end is not before the start."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        first, last = data.get("from_session"), data.get("to_session")
        if first and last and last < first:
            self.add_error("to_session", _("The last session cannot come before the first."))
        return data

    @property
    def spec(self) -> MixSpec:
        """What the action takes."""
        data = self.cleaned_data
        return MixSpec(
            product=self.shelf.products[data["product"]],
            ml=data["ml"],
            from_session=data["from_session"],
            to_session=data["to_session"],
            syringe=data["syringe"],
        )


class PhaseForm(RowForm):
    """So many sessions, so many days apart."""

    kind = forms.ChoiceField(
        label=_("Phase"), choices=Phase.Kind.choices, initial=Phase.Kind.INDUCTION
    )
    sessions = forms.IntegerField(label=_("Sessions"), min_value=1, max_value=60)
    gap_min_days = forms.IntegerField(label=_("Days apart, least"), min_value=1, max_value=730)
    gap_max_days = forms.IntegerField(label=_("Days apart, most"), min_value=1, max_value=730)

    def clean(self) -> dict[str, Any]:
        """The longest gap is not shorter than the shortest."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        least, most = data.get("gap_min_days"), data.get("gap_max_days")
        if least and most and most < least:
            self.add_error(
                "gap_max_days", _("The longest gap cannot be shorter than the shortest.")
            )
        return data

    @property
    def spec(self) -> PhaseSpec:
        """What the action takes."""
        data = self.cleaned_data
        return PhaseSpec(**{name: data[name] for name in self.fields if name in _PHASE})


_PHASE = ("kind", "sessions", "gap_min_days", "gap_max_days")


class StopRuleForm(RowForm):
    """When the course ends early."""

    kind = forms.ChoiceField(label=_("Stop for"), choices=[*CHOOSE, *StopRule.Kind.choices])
    after_sessions = forms.IntegerField(
        label=_("After sessions"), min_value=1, max_value=60, required=False
    )
    scale = forms.ChoiceField(label=_("Judged by"), required=False)
    least_percent = UnitField(
        label=_("Better by at least"),
        unit="%",
        min_value=1,
        max_value=100,
        max_digits=3,
        decimal_places=0,
        required=False,
    )
    words = forms.CharField(label=_("In words"), max_length=300, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [(code, row.name) for code, row in self.shelf.scales.items()]
        self.choose("scale", [*BY_JUDGEMENT, *named])

    def clean(self) -> dict[str, Any]:
        """A count belongs to "no effect", a percent to a scale, other reasons to words."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        kind = data.get("kind")
        if kind == StopRule.Kind.OTHER and not data.get("words"):
            self.add_error("words", _("Say when to stop."))
        if kind != StopRule.Kind.NO_EFFECT:
            return data | {"after_sessions": None, "scale": "", "least_percent": None}
        if not data.get("after_sessions") and "after_sessions" not in self.errors:
            self.add_error("after_sessions", _("Say after how many sessions."))
        if data.get("least_percent") and not data.get("scale"):
            self.add_error("scale", _("A percentage needs a scale to read it from."))
        return data

    @property
    def spec(self) -> StopSpec:
        """What the action takes."""
        data = self.cleaned_data
        percent = data["least_percent"]
        return StopSpec(
            kind=data["kind"],
            after_sessions=data["after_sessions"],
            scale=data["scale"],
            least_percent=int(percent) if percent else None,
            words=data["words"],
        )


class Rows(forms.BaseFormSet):  # type: ignore[type-arg]
    """A list of rows. `specs`: those filled in and kept."""

    deletion_widget = forms.CheckboxInput

    @property
    def specs(self) -> list[Any]:
        """What the action takes, in order."""
        return [form.spec for form in self.forms if form.is_wanted]

    def add_fields(self, form: Any, index: int | None) -> None:
        """Name the box that removes a row."""
        super().add_fields(form, index)
        form.fields[DELETION_FIELD_NAME].label = _("Remove this row")

    def hush(self) -> None:
        """Show what was typed without judging it yet: a row was added, nothing was sent."""
        for form in self.forms:
            form._errors = ErrorDict()
        self._errors = [form._errors for form in self.forms]
        self._non_form_errors = self.error_class()


class AreaRows(Rows):
    """Areas; the same area and side only once."""

    def clean(self) -> None:
        """Refuse an area that is planned twice, also as "both" and one side."""
        seen: dict[str, set[str]] = {}
        for form in self.forms:
            if not form.is_wanted:
                continue
            code, side = form.cleaned_data["area"], form.cleaned_data["side"]
            before = seen.setdefault(code, set())
            if side in before or (before and Side.BOTH in {side, *before}):
                form.add_error("area", _("This area is already in the plan."))
                raise ValidationError(_("An area is in the plan twice."))
            before.add(side)


def _rows(form: type[RowForm], base: type[Rows] = Rows) -> type[Rows]:
    return forms.formset_factory(  # type: ignore[return-value]
        form,
        formset=base,
        extra=1,
        can_delete=True,
        max_num=MOST_ROWS,
        absolute_max=MOST_ROWS + 1,
        validate_max=True,
    )


AREAS, MIX, PHASES = _rows(AreaForm, AreaRows), _rows(MixForm), _rows(PhaseForm)
STOPS = _rows(StopRuleForm)


class PlanForm(ClinicForm):
    """The head of a plan."""

    revision = forms.IntegerField(min_value=0, initial=0, widget=forms.HiddenInput)
    indication = forms.ChoiceField(label=_("Indication"))
    also_for = forms.MultipleChoiceField(
        label=_("Also for"), required=False, widget=forms.CheckboxSelectMultiple
    )
    title = forms.CharField(
        label=_("Title"), max_length=200, help_text=_("The patient reads it in the consent.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = indication_choices()
        known = kwargs.get("initial") or {}
        for kept in (known.get("indication"), *(known.get("also_for") or ())):
            if kept and kept not in {code for code, _name in choices}:
                choices.append((kept, indication_name(kept)))
        self.fields["indication"].choices = CHOOSE + choices  # type: ignore[attr-defined]
        self.fields["also_for"].choices = choices  # type: ignore[attr-defined]


class PlanPage:
    """All forms of one plan page, bound to what was sent or showing what is known."""

    def __init__(self, data: QueryDict | None = None, initial: Mapping[str, Any] | None = None):
        known = initial or {}
        shelf: dict[str, Any] = {"form_kwargs": {"shelf": Shelf.current()}}
        self.head = PlanForm(data, initial=known.get("head"))
        self.areas = AREAS(data, initial=known.get("areas"), prefix="areas", **shelf)
        self.mix = MIX(data, initial=known.get("mix"), prefix="mix", **shelf)
        self.phases = PHASES(data, initial=known.get("phases"), prefix="phases", **shelf)
        self.stops = STOPS(data, initial=known.get("stops"), prefix="stops", **shelf)
        for rows in self.lists:
            rows.extra = 0 if rows.initial else 1

    @property
    def lists(self) -> tuple[Rows, Rows, Rows, Rows]:
        """The four lists."""
        return self.areas, self.mix, self.phases, self.stops

    @property
    def indications(self) -> list[str]:
        """What is chosen so far, the main one first; for what is read beside the form."""
        head = self.head
        return [
            code for code in (head["indication"].value(), *(head["also_for"].value() or ())) if code
        ]

    def is_valid(self) -> bool:
        """Whether everything typed has the right shape; each form is asked, so all errors show."""
        valid = [part.is_valid() for part in (self.head, *self.lists)]
        if all(valid):
            self._check_sessions()
        checked = (*self.mix.forms, *self.stops.forms)
        return all(valid) and not any(form.errors for form in checked)

    def _check_sessions(self) -> None:
        """A share of the mix for sessions that the course does not have helps nobody; nor does a
        rule that asks after its end."""
        count = total(self.phases.specs)
        words = _("The course has only %(count)s sessions.") % {"count": count}
        for form in self.stops.forms:
            after = form.is_wanted and form.cleaned_data["after_sessions"]
            if count and after and after > count:
                form.add_error("after_sessions", words)
        for form in self.mix.forms:
            last = form.is_wanted and max(
                form.cleaned_data["from_session"], form.cleaned_data["to_session"] or 0
            )
            if count and last and last > count:
                field = "to_session" if form.cleaned_data["to_session"] else "from_session"
                form.add_error(field, words)

    @property
    def values(self) -> dict[str, Any]:
        """What `make_plan` and `change_plan` take."""
        head = self.head.cleaned_data
        return {
            "indication": head["indication"],
            "also_for": head["also_for"],
            "title": head["title"],
            "areas": self.areas.specs,
            "mix": self.mix.specs,
            "phases": self.phases.specs,
            "stop_rules": self.stops.specs,
        }

    @property
    def all_errors(self) -> list[dict[str, str]]:
        """Every error with the id of its control, for the summary."""
        found = []
        for form in (self.head, *(form for rows in self.lists for form in rows.forms)):
            for name, errors in form.errors.items():
                control = form[name].id_for_label if name in form.fields else ""
                label = str(form.fields[name].label) if name in form.fields else ""
                found += [
                    {"id": control, "message": _labelled(label, str(error))} for error in errors
                ]
        for rows in self.lists:
            found += [{"id": "", "message": str(error)} for error in rows.non_form_errors()]
        return found

    def hush(self) -> None:
        """Show what was typed without judging it."""
        self.head._errors = ErrorDict()  # type: ignore[attr-defined]
        for rows in self.lists:
            rows.hush()


def _labelled(label: str, message: str) -> str:
    if not label:
        return message
    return gettext("%(label)s: %(message)s") % {"label": label, "message": message}


def with_another_row(data: QueryDict, prefix: str) -> QueryDict:
    """What was sent, with one more row in the list of that name; it begins as a first row does."""
    more = data.copy()
    name = f"{prefix}-TOTAL_FORMS"
    sent = more.get(name, "")
    count = int(sent) if sent.isdigit() and len(sent) < 4 else 0
    if count < MOST_ROWS:
        more[name] = str(count + 1)
        fields = ROW_FORMS[prefix].base_fields
        for field in (name for name, one in fields.items() if one.initial is not None):
            more[f"{prefix}-{count}-{field}"] = str(fields[field].initial)
    return more


def with_recipe(data: QueryDict, recipe: Recipe | None) -> QueryDict:
    """What was sent, with a row for each line of a catalogue mix.

    A line that leaves its product open is filled where one product alone holds that substance.
    """
    more = data.copy()
    for line in recipe.lines if recipe else ():
        number = _blank_row(more)
        if number is None:
            more = with_another_row(more, "mix")
            number = int(more.get("mix-TOTAL_FORMS") or 1) - 1
        more[f"mix-{number}-product"] = _product_of(line)
        more[f"mix-{number}-ml"] = str(line["ml"])
    return more


def _blank_row(data: QueryDict) -> int | None:
    """The first row of the mix in which nothing is chosen yet."""
    sent = data.get("mix-TOTAL_FORMS", "")
    count = int(sent) if sent.isdigit() and len(sent) < 4 else 0
    for number in range(min(count, MOST_ROWS)):
        if not data.get(f"mix-{number}-product") and not data.get(f"mix-{number}-ml"):
            return number
    return None


def _product_of(line: Mapping[str, Any]) -> str:
    if line["kind"] == "product":
        return str(line["code"])
    holding = Product.objects.current().filter(ingredients__substance__code=line["code"])
    codes = list(holding.values_list("code", flat=True).distinct()[:2])
    return codes[0] if len(codes) == 1 else ""


ROW_FORMS: dict[str, type[RowForm]] = {
    "areas": AreaForm,
    "mix": MixForm,
    "phases": PhaseForm,
    "stops": StopRuleForm,
}


class GoOnForm(ClinicForm):
    """Why a course goes on although a stop rule is met."""

    reason = forms.CharField(label=_("Reason for going on"), max_length=300)


class StopForm(ClinicForm):
    """Why a course ends before its time, or is not begun."""

    reason = forms.CharField(label=_("Reason"), max_length=300)
