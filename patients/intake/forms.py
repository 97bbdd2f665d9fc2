"""One form for each step of the questionnaire. 'None of these' is an answer of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.web.fields import UnitField
from clinic.web.forms import ClinicForm
from patients.intake.facts import steps_done
from patients.intake.models import History
from patients.intake.questions import ALLERGY, CONDITION, EVENT, MEDICINE, questions

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

YES_NO = [("yes", _("Yes")), ("no", _("No"))]


def yes_no(label: str | _StrPromise, **options: Any) -> forms.ChoiceField:
    """A question that must be answered; nothing is ticked beforehand."""
    options.setdefault("choices", YES_NO)
    return forms.ChoiceField(
        label=label,
        widget=forms.RadioSelect,
        error_messages={"required": _("Answer yes or no.")},
        **options,
    )


def said(answer: bool | None) -> str:
    """How a stored answer is ticked; an unanswered one is not."""
    return "" if answer is None else "yes" if answer else "no"


class StepForm(ClinicForm):
    """A step: filled from a history, and giving back the values to keep."""

    step = ""
    title: str | _StrPromise = ""
    lead: str | _StrPromise = ""

    @classmethod
    def initial_of(cls, history: History) -> dict[str, Any]:
        """What to show ticked: the answers so far, or those of last time."""
        raise NotImplementedError

    def values(self) -> dict[str, Any]:
        """What `save_draft` is to keep."""
        raise NotImplementedError


class AboutForm(StepForm):
    step = "about"
    title = _("About you")
    lead = _("Your weight helps us to work out a safe amount of anaesthetic.")

    weight_kg = UnitField(
        unit="kg",
        label=_("Your weight"),
        required=False,
        min_value=2,
        max_value=400,
        max_digits=4,
        decimal_places=1,
    )
    pregnant = yes_no(
        _("Are you pregnant or breastfeeding, or could you be pregnant?"),
        choices=[("yes", _("Yes")), ("no", _("No, or this does not apply to me"))],
    )

    @classmethod
    def initial_of(cls, history: History) -> dict[str, Any]:
        return {"weight_kg": history.weight_kg, "pregnant": said(history.pregnant)}

    def values(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {"weight_kg": given["weight_kg"], "pregnant": given["pregnant"] == "yes"}


class TickField(forms.MultipleChoiceField):
    """Must be answered, but 'none of these' beside it is an answer too: the form sees to that."""

    def validate(self, value: Any) -> None:
        """Refuse only what is not on the list."""
        for code in value:
            if not self.valid_value(code):
                raise forms.ValidationError(
                    self.error_messages["invalid_choice"], code="invalid_choice"
                )


class TickForm(StepForm):
    """A list to tick, and the explicit 'none of these'."""

    kinds: tuple[str, ...] = ()
    field = ""
    text_field = ""
    legend: str | _StrPromise = ""
    none_label: str | _StrPromise = _("None of these applies to me")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = questions(*self.kinds)
        own = {
            "chosen": TickField(
                label=self.legend,
                choices=[(question.code, question.text) for question in self.asked],
                widget=forms.CheckboxSelectMultiple,
                error_messages={"invalid_choice": _("Tick only what is on the list.")},
            ),
            "none": forms.BooleanField(label=self.none_label, required=False),
        }
        self.fields = {**own, **self.fields}

    def clean(self) -> dict[str, Any]:
        """Something is ticked or written, or 'none' is; never both, never neither."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        some = bool(given.get("chosen") or (self.text_field and given.get(self.text_field)))
        if "chosen" in self.errors or self.text_field in self.errors:
            return given
        if some and given.get("none"):
            self.add_error(
                "none",
                gettext("You named something and also ticked this. Please keep one of them."),
            )
        elif not some and not given.get("none"):
            label = str(self.none_label)
            self.add_error(
                "chosen", gettext("Tick what applies to you, or “%(none)s”.") % {"none": label}
            )
        return given

    @classmethod
    def initial_of(cls, history: History) -> dict[str, Any]:
        chosen: list[str] = getattr(history, cls.field)
        text: str = getattr(history, cls.text_field) if cls.text_field else ""
        answered = cls.step in steps_done(history)
        initial: dict[str, Any] = {"chosen": chosen, "none": answered and not (chosen or text)}
        return {**initial, cls.text_field: text} if cls.text_field else initial

    def values(self) -> dict[str, Any]:
        chosen = self.cleaned_data["chosen"]
        asked = [[q.code, q.text, "yes" if q.code in chosen else "no"] for q in self.asked]
        values: dict[str, Any] = {self.field: chosen, "asked": {self.step: asked}}
        if self.text_field:
            values[self.text_field] = self.cleaned_data[self.text_field]
        return values


class ConditionsForm(TickForm):
    step, field, kinds = "conditions", "conditions", (CONDITION, EVENT)
    title = _("Your health")
    lead = _("Tick everything that applies to you now, or that has happened.")
    legend = _("Tick each question that you would answer with yes")


class MedicinesForm(TickForm):
    step, field, kinds, text_field = "medicines", "medicines", (MEDICINE,), "medicines_text"
    title = _("Your medicines")
    lead = _("Some medicines make bruises or reactions more likely. Do not stop any of them now.")
    legend = _("Tick each question that you would answer with yes")
    none_label = _("I take no medicines")

    medicines_text = forms.CharField(
        label=_("Which others do you take?"),
        help_text=_("Also vitamins, herbs, and anything without a prescription."),
        widget=forms.Textarea({"rows": 3}),
        max_length=2000,
        required=False,
    )


class AllergiesForm(TickForm):
    step, field, kinds, text_field = "allergies", "allergies", (ALLERGY,), "other_allergies"
    title = _("Your allergies")
    lead = _("Tick anything you have ever reacted to.")
    legend = _("Are you allergic to any of these?")
    none_label = _("I have no known allergy")

    other_allergies = forms.CharField(label=_("Which others?"), max_length=500, required=False)

    def values(self) -> dict[str, Any]:
        return {**super().values(), "no_known_allergies": self.cleaned_data["none"]}


class SkinForm(StepForm):
    step = "skin"
    title = _("Your skin, and what you hope for")

    cold_sores = yes_no(
        _("Do you get cold sores?"),
        help_text=_("Needles near the lips can bring them back; there is a medicine against it."),
    )
    fear_of_needles = yes_no(
        _("Are you afraid of needles, or have you fainted from one?"),
        help_text=_("Many people are. We can plan for it."),
    )
    expectations = forms.CharField(
        label=_("What do you hope for?"),
        widget=forms.Textarea({"rows": 4}),
        max_length=2000,
        required=False,
    )

    @classmethod
    def initial_of(cls, history: History) -> dict[str, Any]:
        known = cls.step in steps_done(history)
        return {
            "cold_sores": said(history.cold_sores) if known or history.cold_sores else "",
            "fear_of_needles": said(history.fear_of_needles)
            if known or history.fear_of_needles
            else "",
            "expectations": history.expectations,
        }

    def values(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {
            "cold_sores": given["cold_sores"] == "yes",
            "fear_of_needles": given["fear_of_needles"] == "yes",
            "expectations": given["expectations"],
        }


class SignForm(ClinicForm):
    """The last step: sign what was checked."""

    signed_name = forms.CharField(
        label=_("Your full name"),
        help_text=_("By typing your name you confirm that your answers are true and complete."),
        max_length=200,
        widget=forms.TextInput({"autocomplete": "name"}),
        error_messages={"required": _("Type your full name to sign.")},
    )


STEP_FORMS: dict[str, type[StepForm]] = {
    form.step: form for form in (AboutForm, ConditionsForm, MedicinesForm, AllergiesForm, SkinForm)
}
