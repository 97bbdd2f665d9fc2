"""What the story is narrowed to: kinds, an area and dates, nothing about a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from aftercare.story.kinds import Kind
from clinic.web.forms import ClinicForm

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)
"""Beyond these there is nothing, and soon no calendar either."""


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)],
    )


class StoryForm(ClinicForm):
    """All optional: nothing chosen shows everything that the person may see."""

    kind = forms.MultipleChoiceField(
        label=_("Kinds"), required=False, widget=forms.CheckboxSelectMultiple
    )
    area = forms.ChoiceField(label=_("Area"), required=False)
    since = _day(_("From"))
    until = _day(_("To"))

    def __init__(
        self, data: Any, *, kinds: Iterable[Kind], areas: Sequence[tuple[str, str]]
    ) -> None:
        super().__init__(data)
        self.fields["kind"].choices = [(kind.value, kind.label) for kind in kinds]  # type: ignore[attr-defined]
        self.fields["area"].choices = [("", _("All areas")), *areas]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The first day is not after the last."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", _("This date is before the first one."))
        return cleaned

    @property
    def is_narrowed(self) -> bool:
        """Whether anything was chosen."""
        return any(self.cleaned_data.get(name) for name in self.fields)


def read_day(text: str) -> date | None:
    """A date out of an address; None for what is none that can be."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None
