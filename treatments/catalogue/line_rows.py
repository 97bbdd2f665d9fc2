"""The rows of the catalogue's forms: a product's ingredients and marks, what goes into a mix."""

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


def _decimal(label: str | Promise, digits: int, places: int, least: str) -> forms.DecimalField:
    field = UnitField(
        unit="", label=label, max_digits=digits, decimal_places=places, min_value=Decimal(least)
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
