"""The words of a consent as a manager types them, part by part."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.web.forms import ClinicForm
from treatments.consents.models import ConsentTemplate
from treatments.consents.wording import (
    LONGEST_LINE,
    LONGEST_TEXT,
    NEEDED,
    SECTIONS,
    STATEMENTS,
    Wording,
    completed,
    field_of,
)


class WordingForm(ClinicForm):
    """A heading and a text for each section, a sentence for each statement.

    What may stand in them is for the action to say, so nothing is required here.
    """

    def __init__(self, *args: Any, template: ConsentTemplate, **kwargs: Any) -> None:
        super().__init__(*args, initial=_values(template), **kwargs)
        for code, label in SECTIONS.items():
            self.fields[field_of("heading", code)] = _line(_("Heading"))
            self.fields[field_of("text", code)] = _words(label, rows=6, most=LONGEST_TEXT)
        self.fields["off_label"] = _words(_("Sentence"), rows=3, most=LONGEST_LINE)
        for code, label in STATEMENTS.items():
            self.fields[field_of("statement", code)] = _words(label, rows=2, most=LONGEST_LINE)
        self.fields["note"] = forms.CharField(
            label=_("Why it was changed, or where the words are from"),
            max_length=300,
            required=False,
        )

    @property
    def sections(self) -> list[dict[str, Any]]:
        """Each section with its fields and the placeholders it cannot do without."""
        return [
            {
                "code": code,
                "label": label,
                "heading": self[field_of("heading", code)],
                "text": self[field_of("text", code)],
                "needed": NEEDED.get(code, ()),
            }
            for code, label in SECTIONS.items()
        ]

    @property
    def sentences(self) -> list[forms.BoundField]:
        """What is ticked one by one."""
        return [self[field_of("statement", code)] for code in STATEMENTS]

    @property
    def wording(self) -> Wording:
        """What was typed; before anything was, what the text says now."""
        said = self.cleaned_data if self.is_bound and self.is_valid() else self.data or self.initial
        return Wording(
            {
                code: {
                    "heading": _tidy(said, field_of("heading", code)),
                    "text": _tidy(said, field_of("text", code)),
                }
                for code in SECTIONS
            },
            {code: _tidy(said, field_of("statement", code)) for code in STATEMENTS},
            _tidy(said, "off_label"),
        )


def _tidy(said: Any, name: str) -> str:
    """As it is kept: lines end in one way, and nothing stands around it."""
    return str(said.get(name) or "").replace("\r\n", "\n").strip()


def _values(template: ConsentTemplate) -> dict[str, str]:
    said = Wording(template.texts, template.statements, template.off_label)
    texts, statements = template.texts, completed(said, template.language).statements
    return {
        **{field_of("heading", code): texts[code]["heading"] for code in SECTIONS},
        **{field_of("text", code): texts[code]["text"] for code in SECTIONS},
        **{field_of("statement", code): statements[code] for code in STATEMENTS},
        "off_label": template.off_label,
    }


def _line(label: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=LONGEST_LINE, required=False)


def _words(label: Any, *, rows: int, most: int) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=most, required=False, widget=forms.Textarea({"rows": rows})
    )
