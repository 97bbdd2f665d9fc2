"""Forms of the catalogue: a row's texts and figures, and what it is made of."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.web.forms import ClinicModelForm
from treatments.catalogue.actions import COMMON
from treatments.catalogue.check_in_rows import choice_fields, faults_of
from treatments.catalogue.line_rows import (
    PLAIN_ROWS,
    as_stored,
    country_rows,
    flags_of_rows,
    ingredient_rows,
    ingredients_of,
    lines_of_rows,
    recipe_rows,
    rows_of_flags,
    rows_of_lines,
)
from treatments.catalogue.models import (
    CatalogueRow,
    Contraindication,
    Flag,
    Product,
    Recipe,
    Source,
)
from treatments.catalogue.presentation import LABELS, LIMIT_LABELS
from treatments.catalogue.sources import source_key

NEEDED: dict[str, Collection[str]] = {
    "items": ("code", "text_en", "text_fr", "options"),
    "bands": ("label_en", "label_fr"),
}
"""The keys that each entry of a structured field must have."""

SELECTORS = {"substances", "groups", "techniques", "areas", "area_groups", "skin_types"}
SWITCHES = {"current", "by_substance"}


class RuleLines(forms.CharField):
    """What a substance says of conditions, a line each: `thrombosis, stop, S86a, refuses`."""

    widget = forms.Textarea({"rows": 6, "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join(
            ", ".join(
                [rule["condition"], rule["level"], rule["source"]]
                + ([REFUSES] if rule.get("blocks") else [])
            )
            for rule in value
        )

    def clean(self, value: Any) -> list[dict[str, Any]]:
        """The rules; conditions, levels and sources must be known."""
        lines = [line for line in (super().clean(value) or "").splitlines() if line.strip()]
        rules = [_rule_of(line) for line in lines]
        codes = {rule["condition"] for rule in rules}
        known = Contraindication.objects.current().filter(code__in=codes)
        _refuse_unknown(codes - set(known.values_list("code", flat=True)))
        _refuse_unknown(_unknown_refs(rule["source"] for rule in rules))
        return rules

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


REFUSES = "refuses"


def _rule_of(line: str) -> dict[str, Any]:
    parts = [part.strip() for part in line.split(",")]
    if len(parts) not in (3, 4) or (len(parts) == 4 and parts[3] != REFUSES):
        raise ValidationError(
            _("Write “%(line)s” as: condition, level, source; a refusal adds “, refuses”.")
            % {"line": line.strip()}
        )
    if parts[1] not in Contraindication.Level.values:
        raise ValidationError(_("There is no level “%(level)s”.") % {"level": parts[1]})
    rule: dict[str, Any] = dict(zip(("condition", "level", "source"), parts, strict=False))
    return {**rule, "blocks": True} if len(parts) == 4 else rule


def _unknown_refs(refs: Iterable[str]) -> set[str]:
    keys = {source_key(ref) for ref in refs}
    return keys - set(Source.objects.filter(ref__in=keys).values_list("ref", flat=True))


def _refuse_unknown(codes: Collection[str]) -> None:
    if codes:
        raise ValidationError(
            _("Not in the catalogue: %(codes)s.") % {"codes": ", ".join(sorted(codes))}
        )


class RowForm(ClinicModelForm):
    """The texts and figures of one row; its fields are the model's own. A source is required."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "rules" in self.fields:
            self.fields["rules"] = RuleLines(
                required=False,
                help_text=gettext_lazy(
                    "A line each: condition, level, source. Levels: stop, physician, wait, caution."
                ),
            )
        for name, field in self.fields.items():
            _dress(name, field)
        self._lay_out_rows()
        self.fields["source_refs"].required = True
        self.fields["source_refs"].help_text = gettext_lazy(
            "References, separated by commas, with the letter of their tier: S59a, GK."
        )

    def _lay_out_rows(self) -> None:
        """What is a list of rows is edited as rows, and marks are ticked."""
        if "flags" in self.fields:
            self.fields["flags"] = forms.MultipleChoiceField(
                label=self.fields["flags"].label,
                choices=Flag.choices,
                required=False,
                widget=forms.CheckboxSelectMultiple,
            )
        model, instance = self._meta.model, self.instance
        for name in PLAIN_ROWS.keys() & self.fields.keys():
            self.fields[name] = PLAIN_ROWS[name]()
        self.fields.update(choice_fields(model, instance))
        if model is Recipe:
            self.fields["lines"] = recipe_rows()
            self.initial["lines"] = rows_of_lines(instance.lines)
        if model is Product:
            self.fields["ingredients"] = ingredient_rows()
            self.initial["ingredients"] = ingredients_of(instance)
            self.fields["country_flags"] = country_rows()
            self.initial["country_flags"] = rows_of_flags(instance.country_flags)

    def clean_source_refs(self) -> list[str]:
        """Each reference must be one of the sources."""
        refs = [str(ref).strip() for ref in self.cleaned_data["source_refs"] if str(ref).strip()]
        if missing := sorted(_unknown_refs(refs)):
            raise ValidationError(_("There is no source %(refs)s.") % {"refs": ", ".join(missing)})
        return refs

    def clean_flags(self) -> list[str]:
        """The marks; the same ones in another order are no change."""
        ticked: list[str] = self.cleaned_data["flags"]
        before: list[str] = self.instance.flags or []
        return before if set(ticked) == set(before) else ticked

    def clean(self) -> dict[str, Any]:
        """Structured fields must keep their shape: screening and dosing read them."""
        cleaned = super().clean() or self.cleaned_data
        for name in list(cleaned):
            try:
                cleaned[name] = _checked(name, cleaned[name])
            except ValidationError as error:
                self.add_error(name, error)
        for name in PLAIN_ROWS.keys() & cleaned.keys():
            before = getattr(self.instance, name) or []
            # What is not there may be stored as nothing; written the other way it is no change.
            if as_stored(before) == cleaned[name]:
                cleaned[name] = before
        for name, said in faults_of(self._meta.model, cleaned).items():
            self.add_error(name, said)
        return cleaned

    def _post_clean(self) -> None:
        """An edit makes a new row, so the old one is not filled in; the action checks the new."""


class NewRowForm(RowForm):
    """The same for a row that is new, with its code."""

    code = forms.SlugField(
        label=gettext_lazy("Code"),
        max_length=80,
        help_text=gettext_lazy("Small letters, digits and hyphens. It stays for good."),
    )
    field_order = ["code"]


def new_row_form(model: type[CatalogueRow]) -> type[RowForm]:
    """The form class of a new row of a kind."""
    return cast(type[RowForm], forms.modelform_factory(model, form=NewRowForm, exclude=COMMON))


def row_form(model: type[CatalogueRow]) -> type[RowForm]:
    """The form class of a kind of row."""
    return cast(type[RowForm], forms.modelform_factory(model, form=RowForm, exclude=COMMON))


def _dress(name: str, field: forms.Field) -> None:
    base = name.removesuffix("_en").removesuffix("_fr")
    label, unit = LABELS.get(base, ("", ""))
    if label:
        field.label = str(label)
    if unit:
        field.label = f"{field.label} ({unit})"
    if name.endswith("_en"):
        field.label = _("%(what)s, English") % {"what": field.label}
    if name.endswith("_fr"):
        field.label = _("%(what)s, French") % {"what": field.label}
    if isinstance(field, forms.DecimalField):
        field.min_value = 0
        field.validators.append(MinValueValidator(0))
    if isinstance(field, SimpleArrayField):
        field.help_text = gettext_lazy("Separated by commas.")
    if isinstance(field, forms.JSONField):
        field.help_text = gettext_lazy("Keep the form of what is there.")
        field.widget = forms.Textarea({"rows": 6, "spellcheck": "false"})
        field.encoder = _Indented
    elif isinstance(field.widget, forms.Textarea):
        field.widget.attrs["rows"] = 3


class _Indented(json.JSONEncoder):
    """Structures one key to a line, accents as they are."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "indent": 2, "ensure_ascii": False})


def _checked(name: str, value: Any) -> Any:
    if name == "lines":
        return lines_of_rows(value or [])
    if name == "country_flags":
        return flags_of_rows(value or [])
    if name == "ingredients":
        return _checked_ingredients(value or [])
    if name in PLAIN_ROWS:
        return as_stored(value or [])
    if name in NEEDED:
        return _checked_entries(name, value or [])
    if name == "limits":
        return _checked_limits(value or {})
    if name == "only_for":
        return _checked_selectors(value or {})
    return value


def _checked_entries(name: str, entries: Any) -> Any:
    if not isinstance(entries, list):
        raise ValidationError(_("This must stay a list."))
    for entry in entries:
        lacking = [] if isinstance(entry, dict) else list(NEEDED[name])
        lacking = lacking or [key for key in NEEDED[name] if key not in entry]
        if lacking:
            raise ValidationError(_("Each entry needs: %(keys)s.") % {"keys": ", ".join(lacking)})
    return entries


def _checked_ingredients(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    codes = [row["substance"] for row in rows]
    if len(set(codes)) < len(codes):
        raise ValidationError(_("Each substance once."))
    return rows


def _checked_limits(limits: Any) -> Any:
    if not isinstance(limits, dict) or set(limits) - set(LIMIT_LABELS) - {"never_mixed"}:
        raise ValidationError(
            _("Limits may be: %(keys)s.") % {"keys": ", ".join([*LIMIT_LABELS, "never_mixed"])}
        )
    for key, value in limits.items():
        if key != "never_mixed" and not _is_positive(value):
            raise ValidationError(_("%(key)s must be a positive number.") % {"key": key})
    return limits


def _is_positive(value: Any) -> bool:
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return False
    return number.is_finite() and number > 0


def _checked_selectors(only_for: Any) -> Any:
    known = isinstance(only_for, dict) and all(
        (key in SELECTORS and isinstance(value, list)) or key in SWITCHES or key == "computed"
        for key, value in only_for.items()
    )
    if not known:
        raise ValidationError(
            _("This may name lists of: %(keys)s; or be true for: %(switches)s.")
            % {"keys": ", ".join(sorted(SELECTORS)), "switches": ", ".join(sorted(SWITCHES))}
        )
    return only_for
