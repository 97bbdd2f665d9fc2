"""The texts of sheets as a manager types them, and a treatment to try them on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crispy_forms.layout import Fieldset, Layout
from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from aftercare.sheets import selectors
from aftercare.sheets.blocks import LONGEST_NOTE, BlockText
from aftercare.sheets.languages import offered
from aftercare.sheets.phrasebook import Group
from aftercare.sheets.wording import LONGEST_TEXT, MOST_HOURS, phrase_name
from aftercare.sheets.words import (
    FURTHER,
    LONGEST,
    WORDS,
    house_words,
)
from clinic.tongues import direction_of, own_name
from clinic.web.forms import ClinicForm
from treatments.catalogue.models import AdviceBlock, Area, Substance, Technique

OF_THE_HOUSE = tuple(code for code, _name in settings.LANGUAGES)
LANGUAGES = (*OF_THE_HOUSE, *FURTHER)
"""Every language a text can be written in; those of the house first."""
SHORT = 60
"""Up to so many characters one line is enough to write in."""


def tidy(text: object) -> str:
    """As it is kept: lines end in one way, and nothing stands around it."""
    return str(text or "").replace("\r\n", "\n").strip()


class BlockForm(ClinicForm):
    """A block: where it is said, for how long, and its text in each language.

    What may stand in a text is for the action to say.
    """

    code = forms.SlugField(
        label=_("Code"),
        max_length=80,
        help_text=_("A short name in Latin letters. It stays."),
    )
    name_en = forms.CharField(label=_("Name in English"), max_length=200)
    name_fr = forms.CharField(label=_("Name in French"), max_length=200)
    applies_to = forms.ChoiceField(label=_("Said after"))
    section = forms.ChoiceField(label=_("Section"), choices=AdviceBlock.Section)
    topic = forms.SlugField(
        label=_("Topic"),
        max_length=40,
        help_text=_("Of one topic the strictest is said, once: it merges what has the same name."),
        widget=forms.TextInput({"list": "topics", "autocomplete": "off"}),
    )
    hours = forms.IntegerField(
        label=_("Hours from the end of the treatment"),
        required=False,
        min_value=1,
        max_value=MOST_HOURS,
        help_text=_("Empty: no end is named. From 168 hours on the sheet names the day alone."),
    )
    position = forms.IntegerField(label=_("Position"), min_value=0, max_value=9999, initial=600)
    source_refs = forms.CharField(
        label=_("Sources"),
        max_length=300,
        initial="GK",
        help_text=_("Separated by commas. GK: general knowledge, unverified."),
    )
    source_note = forms.CharField(
        label=_("Why it was changed, or where the words are from"),
        max_length=LONGEST_NOTE,
        required=False,
    )

    def __init__(self, *args: Any, is_new: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_new:
            del self.fields["code"]
        self.fields["applies_to"].choices = selectors.choices()  # type: ignore[attr-defined]
        for code in LANGUAGES:
            direction = direction_of(code)
            self.fields[f"text_{code}"] = forms.CharField(
                label=own_name(code),
                max_length=LONGEST_TEXT,
                required=code in OF_THE_HOUSE,
                widget=forms.Textarea({"rows": 3, "lang": code, "dir": direction}),
            )

    @property
    def texts(self) -> list[forms.BoundField]:
        """The texts of the house, then those in further languages."""
        return [self[f"text_{code}"] for code in LANGUAGES]

    @property
    def said(self) -> BlockText:
        """What was typed. Needs a valid form."""
        data = self.cleaned_data
        refs = [ref.strip() for ref in data["source_refs"].split(",")]
        texts = {code: tidy(data[f"text_{code}"]) for code in LANGUAGES}
        return BlockText(
            name_en=data["name_en"],
            name_fr=data["name_fr"],
            applies_to=data["applies_to"],
            section=data["section"],
            topic=data["topic"],
            hours=data["hours"],
            position=data["position"],
            source_refs=tuple(ref for ref in refs if ref),
            source_note=data["source_note"],
            texts={code: text for code, text in texts.items() if text},
        )


def begun(said: BlockText) -> dict[str, Any]:
    """What the form begins with."""
    return {
        **said.columns,
        "source_refs": ", ".join(said.source_refs),
        **{f"text_{code}": text for code, text in said.texts.items()},
    }


class WordsForm(ClinicForm):
    """All that a sheet says in a language: its headings and labels beside what they say in the
    person's own, and each text of the catalogue under its English.
    """

    def __init__(self, *args: Any, language: str, groups: Iterable[Group], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        direction = direction_of(language)
        english = house_words("en")
        self.english: dict[str, str] = {}
        for code, label in WORDS.items():
            self.fields[code] = forms.CharField(
                label=str(label),
                max_length=LONGEST,
                help_text=english[code],
                widget=forms.TextInput({"lang": language, "dir": direction}),
            )
        parts = [Fieldset(_("Headings and labels"), *WORDS)]
        for group in groups:
            names = [self._add_phrase(text, language, direction) for text in group.texts]
            parts.append(Fieldset(group.label, *names))
        self.fields["note"] = forms.CharField(
            label=_("Why it was changed, or where the words are from"),
            max_length=LONGEST_NOTE,
            required=False,
        )
        self.helper.layout = Layout(*parts, "note")

    def _add_phrase(self, text: str, language: str, direction: str) -> str:
        name, rows = phrase_name(text), 3 if len(text) > SHORT else 1
        self.english[name] = text
        self.fields[name] = forms.CharField(
            label=text,
            max_length=LONGEST_TEXT,
            required=False,
            widget=forms.Textarea({"rows": rows, "lang": language, "dir": direction}),
        )
        return name

    @property
    def phrases(self) -> dict[str, str]:
        """What was typed of the texts, by their English; one that was not sent stays as it was."""
        return {
            english: tidy(self.cleaned_data[name])
            for name, english in self.english.items()
            if self.add_prefix(name) in self.data
        }

    @property
    def words(self) -> dict[str, str]:
        """What was typed. Needs a valid form."""
        return {code: tidy(self.cleaned_data[code]) for code in WORDS}


class TryForm(forms.Form):
    """A treatment that nobody had, to see its sheet."""

    areas = forms.MultipleChoiceField(label=_("Areas"), required=False)
    techniques = forms.MultipleChoiceField(label=_("Techniques"), required=False)
    substances = forms.MultipleChoiceField(label=_("Substances"), required=False)
    numbed = forms.BooleanField(label=_("Numbing cream was used"), required=False)
    language = forms.ChoiceField(label=_("Language"), required=False)
    treated_at = forms.DateTimeField(
        label=_("End of the treatment"),
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    waiting = forms.BooleanField(
        label=_("With the versions that wait for approval"), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, model in (("areas", Area), ("techniques", Technique), ("substances", Substance)):
            rows = model.objects.current()
            named = sorted(((row.code, row.name) for row in rows), key=lambda pair: pair[1])
            self.fields[name].choices = named  # type: ignore[attr-defined]
            self.fields[name].widget.attrs["size"] = 8
        self.fields["language"].choices = offered()  # type: ignore[attr-defined]
