"""The words around a consent in a further language, as a manager types them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crispy_forms.layout import Fieldset, Layout
from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.tongues import direction_of
from clinic.web.forms import ClinicForm
from treatments.consents.phrasebook import Group
from treatments.consents.phrases import LONGEST_PHRASE, phrase_name
from treatments.consents.words import LONGEST_NOTE

SHORT = 60
"""Up to so many characters one line is enough to write in."""


class WordsForm(ClinicForm):
    """Each text under its English. What may stand in one is for the action to say."""

    def __init__(self, *args: Any, language: str, groups: Iterable[Group], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        direction = direction_of(language)
        self.english: dict[str, str] = {}
        parts = []
        for group in groups:
            names = [self._add(text, language, direction) for text in group.texts]
            parts.append(Fieldset(group.label, *names))
        self.fields["note"] = forms.CharField(
            label=_("Why it was changed, or where the words are from"),
            max_length=LONGEST_NOTE,
            required=False,
        )
        self.helper.layout = Layout(*parts, "note")

    def _add(self, text: str, language: str, direction: str) -> str:
        name, rows = phrase_name(text), 3 if len(text) > SHORT else 1
        self.english[name] = text
        self.fields[name] = forms.CharField(
            label=text,
            max_length=LONGEST_PHRASE,
            required=False,
            widget=forms.Textarea({"rows": rows, "lang": language, "dir": direction}),
        )
        return name

    @property
    def phrases(self) -> dict[str, str]:
        """What was typed, by its English; one that was not sent stays as it was."""
        return {
            english: self.cleaned_data[name].replace("\r\n", "\n").strip()
            for name, english in self.english.items()
            if self.add_prefix(name) in self.data
        }
