"""Forms of the shelf: a delivery with its code, a count, what is thrown away, a low-stock level."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.web.fields import UnitField
from clinic.web.forms import ClinicForm
from treatments.catalogue.models import Lot, Product
from treatments.stock.gs1 import LONGEST, Package, UnreadableCode, read_package, readable
from treatments.stock.models import PackageCode

CODE = "code"


def amount_field(unit: str, **kwargs: Any) -> UnitField:
    """An amount on the shelf, in a unit, to two decimals."""
    kwargs.setdefault("min_value", Decimal("0.01"))
    return UnitField(
        unit=unit, max_value=Decimal(100_000), max_digits=8, decimal_places=2, **kwargs
    )


class ProductField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A product of the catalogue, with its maker and the size of one container."""

    def label_from_instance(self, obj: Any) -> str:
        size = f"{obj.container_ml.normalize():f} {obj.measured_in}"
        return " · ".join(part for part in (obj.name, obj.maker, size) if part)


class OnceForm(ClinicForm):
    """A form that books something once, however often it is sent."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        key = forms.UUIDField(widget=forms.HiddenInput, required=False, initial=uuid.uuid4)
        self.fields["key"] = key


class ReceiveForm(OnceForm):
    """A delivery. The code fills the rest; what it says must agree with what is typed."""

    code = forms.CharField(
        label=gettext_lazy("Code on the package"),
        required=False,
        max_length=LONGEST,
        strip=False,
        help_text=gettext_lazy(
            "Scan the square code with a scanner or the camera, or type the text below it: "
            "(01)…(17)…(10)…"
        ),
        widget=forms.TextInput(
            {
                "autocomplete": "off",
                "autocapitalize": "off",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
    )
    product = ProductField(
        label=gettext_lazy("Product"),
        queryset=Product.objects.none(),
        empty_label=gettext_lazy("Choose a product"),
    )
    number = forms.CharField(
        label=gettext_lazy("Lot number"),
        max_length=60,
        help_text=gettext_lazy("As printed on the package."),
    )
    expires_on = forms.DateField(
        label=gettext_lazy("Expires on"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("Where only a month is printed, its last day."),
    )
    quantity_ml = amount_field(
        "mL",
        label=gettext_lazy("Quantity"),
        help_text=gettext_lazy("All of the delivery together; of a cream in g."),
    )
    received_from = forms.CharField(
        label=gettext_lazy("Received from"), max_length=120, required=False
    )

    def __init__(self, *args: Any, reading: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reading = reading
        products = Product.objects.filter(is_current=True).order_by("name_en")
        self.fields["product"].queryset = products  # type: ignore[attr-defined]
        self.package: Package | None = None

    def clean_code(self) -> str:
        """Keeps what the code says in `package`."""
        code: str = self.cleaned_data[CODE]
        if code.strip() or self.reading:
            try:
                self.package = read_package(code)
            except UnreadableCode as why:
                raise ValidationError(str(why)) from None
        return code

    def clean(self) -> dict[str, Any]:
        """What was typed must not be something else than what was scanned."""
        if self.package is not None:
            self._refuse_other("number", self.package.lot)
            self._refuse_other("expires_on", self.package.expires_on)
        return self.cleaned_data

    def _refuse_other(self, name: str, scanned: str | date | None) -> None:
        typed = self.cleaned_data.get(name)
        if scanned and typed and typed != scanned:
            self.add_error(name, _("The code on the package says %(what)s.") % {"what": scanned})

    def full_clean(self) -> None:
        """While the code is being read, the rest may still be empty."""
        super().full_clean()
        if self.reading:
            for name in [name for name in self.errors if name != CODE]:
                del self.errors[name]


def filled_in(data: QueryDict) -> tuple[QueryDict, str]:
    """What was posted, with what its code says filled in; and what is to be said about it.

    A code that cannot be read changes nothing: the form says what is wrong with it.
    """
    filled = data.copy()
    code = data.get(CODE, "")
    filled[CODE] = readable(code)
    try:
        package = read_package(code)
    except UnreadableCode:
        return filled, ""
    if package.lot:
        filled["number"] = package.lot
    if package.expires_on:
        filled["expires_on"] = package.expires_on.isoformat()
    note = _fill_product(filled, package.gtin) if package.gtin else ""
    return filled, " ".join(part for part in (note, package.doubt) if part)


def _fill_product(filled: QueryDict, gtin: str) -> str:
    known = PackageCode.objects.filter(gtin=gtin).first()
    product = known and Product.objects.current().filter(code=known.product_code).first()
    if known is None or product is None:
        return _("This product number is new here. Choose its product once; it is remembered.")
    filled["product"] = str(product.pk)
    if not filled.get("quantity_ml", "").strip():
        filled["quantity_ml"] = f"{known.content_ml.normalize():f}"
    return ""


class ReasonForm(ClinicForm):
    """Why."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300)


class LotStateForm(ReasonForm):
    """Holding a lot back, or releasing it."""

    state = forms.ChoiceField(
        label=gettext_lazy("State"), choices=Lot.State.choices, widget=forms.RadioSelect
    )
    field_order = ["state", "reason"]


class AmountForm(OnceForm, ReasonForm):
    """An amount of a lot, in its product's unit, with the reason."""

    label = gettext_lazy("Amount")
    least: Decimal | None = Decimal("0.01")
    field_order = ["amount", "reason"]

    def __init__(self, *args: Any, unit: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"] = amount_field(unit, label=self.label, min_value=self.least)
        self.order_fields(self.field_order)


class CountForm(AmountForm):
    """What is really there."""

    label = gettext_lazy("Counted, opened containers included")
    least = Decimal(0)


class CorrectForm(AmountForm):
    """More or less than was booked."""

    label = gettext_lazy("Correction, with a minus where there is less")
    least = Decimal(-100_000)


class LevelForm(ClinicForm):
    """Below which amount a product is low."""

    def __init__(self, *args: Any, unit: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["least_ml"] = amount_field(
            unit,
            label=gettext_lazy("Low below"),
            required=False,
            help_text=gettext_lazy("Empty: no level is watched."),
        )
