"""A field of several rows, such as what a product holds or what goes into a mix.

Each row has the same columns; blank rows do not count. Some blank ones stand below what is there,
so that rows are added without scripts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

MOST = 30
BLANK = 3
Row = dict[str, Any]


class RowsInput(forms.Widget):
    """The rows as boxes in a grid; every box says its row and column to a screen reader."""

    use_fieldset = True
    is_block = True

    def __init__(self, columns: Mapping[str, forms.Field], always: Collection[str]) -> None:
        super().__init__()
        self.columns, self.always = columns, always

    def is_blank(self, row: Row) -> bool:
        """Nothing was entered but what always has a value."""
        return not any(
            str(value).strip() for name, value in row.items() if value and name not in self.always
        )

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Row]:
        """What was sent, blank rows included, as text."""
        return [
            {
                column: field.widget.value_from_datadict(data, files, f"{name}-{number}-{column}")
                for column, field in self.columns.items()
            }
            for number in range(MOST)
            if any(f"{name}-{number}-{column}" in data for column in self.columns)
        ]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return not self.value_from_datadict(data, files, name)

    def boxes(self, name: str, rows: Sequence[Row]) -> dict[str, Any]:
        """Every box by its name in the form, with what stands in it."""
        return {
            f"{name}-{number}-{column}": row.get(column)
            for number, row in enumerate(rows)
            for column in self.columns
        }

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        rows = [row for row in (value or []) if not self.is_blank(row)]
        rows += [{}] * min(BLANK, MOST - len(rows))
        shown = [
            [self._box(name, number, column, row) for column in self.columns]
            for number, row in enumerate(rows)
        ]
        return render_to_string("components/widgets/rows.html", {"rows": shown})

    def _box(self, name: str, number: int, column: str, row: Row) -> dict[str, Any]:
        field, box = self.columns[column], f"{name}-{number}-{column}"
        is_check = isinstance(field.widget, forms.CheckboxInput)
        classes = "form-check-input" if is_check else "form-control"
        if isinstance(field.widget, forms.Select):
            classes = "form-select"
        said = f"{field.label}, {number + 1}"
        attrs = {"id": f"id_{box}", "class": classes, "aria-label": said}
        html = field.widget.render(box, field.prepare_value(row.get(column)), attrs)
        return {"html": html, "label": field.label, "is_check": is_check}

    def id_for_label(self, id_: str) -> str:
        """The first box, where an error leads to."""
        first = next(iter(self.columns))
        return f"{id_}-0-{first}" if id_ else id_


class RowsField(forms.Field):
    """A list of rows; each cleaned by the fields of its columns, a mistake names its row.

    `always`: the columns that have a value even in a blank row, such as a unit or a tick.
    """

    widget: RowsInput

    def __init__(
        self, columns: Mapping[str, forms.Field], always: Collection[str] = (), **kwargs: Any
    ) -> None:
        self.columns = columns
        super().__init__(widget=RowsInput(columns, always), **kwargs)

    def clean(self, value: Any) -> list[Row]:
        """The rows that are not blank, cleaned. Raises `ValidationError`."""
        rows = [row for row in value or [] if not self.widget.is_blank(row)]
        if self.required and not rows:
            raise ValidationError(_("At least one row is needed."))
        return [self._cleaned(number, row) for number, row in enumerate(rows, start=1)]

    def _cleaned(self, number: int, row: Row) -> Row:
        found: Row = {}
        for column, field in self.columns.items():
            try:
                found[column] = field.clean(row.get(column))
            except ValidationError as error:
                raise ValidationError(
                    _("Row %(number)s, %(column)s: %(problem)s")
                    % {"number": number, "column": field.label, "problem": error.messages[0]}
                ) from error
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or []) != [row for row in data or [] if not self.widget.is_blank(row)]
