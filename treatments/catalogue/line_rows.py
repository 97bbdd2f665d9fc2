"""The rows of the catalogue's forms: a product's ingredients, what goes into a mix, the phases of a
course, limits for children."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clinic.places.models import CountryProfile
from clinic.web.fields import UnitField
from clinic.web.rows import Row, RowsField
from treatments.catalogue.models import Flag, Ingredient, Product, Substance

Choices = list[tuple[str, Any]]
EMPTY: tuple[str, str] = ("", "—")


def ingredient_rows() -> RowsField:
    """Which substances a product holds, each at a strength per mL, of a cream per g."""
    return RowsField(
        {
            "substance": forms.ChoiceField(label=_("Substance"), choices=_substances),
            "per_ml": _decimal(_("Strength per mL or g"), 9, 3, "0.001"),
            "unit": forms.ChoiceField(label=_("Unit"), choices=Ingredient.Unit.choices),
        },
        always=("unit",),
        label=_("Holds"),
        required=False,
        help_text=_("One substance to a row."),
    )


def recipe_rows() -> RowsField:
    """What goes into a mix, in the order in which it is drawn."""
    return RowsField(
        {
            "what": forms.ChoiceField(label=_("Product or substance"), choices=_drawable),
            "ml": _decimal(_("mL"), 6, 2, "0.01"),
            "is_diluent": forms.BooleanField(label=_("Diluent"), required=False),
        },
        always=("is_diluent",),
        label=_("What goes in"),
        help_text=_("In the order of drawing. A substance leaves the product open."),
    )


def country_rows() -> RowsField:
    """Marks that hold in one country only."""
    return RowsField(
        {
            "country": forms.ChoiceField(label=_("Country"), choices=_countries),
            "flag": forms.ChoiceField(label=_("Mark"), choices=[EMPTY, *Flag.choices]),
        },
        label=_("Regulatory marks in one country"),
        required=False,
        help_text=_("Beside those above, which hold everywhere."),
    )


def _decimal(
    label: str | Promise, digits: int, places: int, least: str, *, required: bool = True
) -> forms.DecimalField:
    field = UnitField(
        unit="",
        label=label,
        max_digits=digits,
        decimal_places=places,
        min_value=Decimal(least),
        required=required,
    )
    field.widget = forms.TextInput({"inputmode": "decimal", "autocomplete": "off"})
    return field


def _substances() -> Choices:
    rows = Substance.objects.current().order_by("name_en")
    return [EMPTY, *((row.code, row.name) for row in rows)]


def _drawable() -> Choices:
    products = [(f"product:{row.code}", row.name) for row in _by_name(Product)]
    substances = [(f"substance:{row.code}", row.name) for row in _by_name(Substance)]
    return [EMPTY, (str(_("Products")), products), (str(_("Substances")), substances)]


def _by_name(model: Any) -> Iterable[Any]:
    rows: Iterable[Any] = model.objects.current().order_by("name_en")
    return rows


def _countries() -> Choices:
    rows = CountryProfile.objects.order_by("name")
    return [EMPTY, *((row.code, row.name) for row in rows)]


def ingredients_of(product: Product | None) -> list[Row]:
    """What a stored product holds, as rows."""
    if product is None or product.pk is None:
        return []
    return [
        {
            "substance": one.substance.code,
            "per_ml": f"{one.per_ml.normalize():f}",
            "unit": one.unit,
        }
        for one in product.ingredients.select_related("substance").order_by("pk")
    ]


def rows_of_lines(lines: Iterable[Mapping[str, Any]]) -> list[Row]:
    """A recipe's lines as rows."""
    return [
        {
            "what": f"{line['kind']}:{line['code']}",
            "ml": line["ml"],
            "is_diluent": bool(line.get("is_diluent")),
        }
        for line in lines
    ]


def lines_of_rows(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The other way round, as it is stored."""
    found = []
    for row in rows:
        kind, _colon, code = row["what"].partition(":")
        ml = f"{row['ml'].normalize():f}"
        found.append({"kind": kind, "code": code, "ml": ml, "is_diluent": row["is_diluent"]})
    return found


def rows_of_flags(marks: Mapping[str, Iterable[str]]) -> list[Row]:
    """A product's marks by country, a row each."""
    return [
        {"country": country, "flag": flag} for country, flags in marks.items() for flag in flags
    ]


def flags_of_rows(rows: Iterable[Row]) -> dict[str, list[str]]:
    """The other way round, as it is stored."""
    found: dict[str, list[str]] = {}
    for row in rows:
        flags = found.setdefault(row["country"], [])
        if row["flag"] not in flags:
            flags.append(row["flag"])
    return found


def phase_rows() -> RowsField:
    """The phases of a published course."""
    return RowsField(
        {
            "kind": forms.ChoiceField(label=_("Phase"), choices=PHASES),
            "sessions": _count(_("Sessions"), 1),
            "gap_min_days": _count(_("Days between, from"), 0),
            "gap_max_days": _count(_("Days between, to"), 0),
        },
        always=("kind",),
        label=_("Sessions"),
        required=False,
    )


PHASES = [
    ("induction", _("Induction")),
    ("consolidation", _("Consolidation")),
    ("maintenance", _("Maintenance")),
]


def parameter_rows() -> RowsField:
    """What a needle-free method was set to where it was published."""
    return RowsField(
        {
            "name_en": forms.CharField(label=_("Parameter, English"), max_length=120),
            "name_fr": forms.CharField(label=_("Parameter, French"), max_length=120),
            "value": forms.CharField(label=_("Value"), max_length=120),
            "source": forms.CharField(label=_("Source"), max_length=20),
        },
        label=_("Parameters found"),
        required=False,
    )


def child_limit_rows() -> RowsField:
    """A numbing preparation's ceilings by age; an empty one is no ceiling."""
    return RowsField(
        {
            "from_months": _count(_("From month"), 0),
            "to_months": _count(_("To under month"), 1),
            "max_g": _decimal(_("g"), 6, 2, "0.01", required=False),
            "max_cm2": _decimal(_("cm²"), 6, 1, "0.1", required=False),
            "max_minutes": _count(_("min"), 1, required=False),
            "source": forms.CharField(label=_("Source"), max_length=20),
        },
        label=_("Limits for children"),
        required=False,
    )


def _count(label: Any, least: int, *, required: bool = True) -> forms.IntegerField:
    field = forms.IntegerField(label=label, min_value=least, max_value=32_767, required=required)
    field.widget = forms.TextInput({"inputmode": "numeric", "autocomplete": "off"})
    return field


def as_stored(rows: Iterable[Row]) -> list[Row]:
    """Cleaned rows as they are kept: decimals as text, and nothing for what was left empty."""
    return [
        {
            name: f"{value.normalize():f}" if isinstance(value, Decimal) else value
            for name, value in row.items()
            if value not in (None, "")
        }
        for row in rows
    ]


PLAIN_ROWS = {
    "phases": phase_rows,
    "parameters": parameter_rows,
    "child_limits": child_limit_rows,
}
"""The structures of a row that are stored as they are edited, by the name of the field."""
