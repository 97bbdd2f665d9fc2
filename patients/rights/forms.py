"""What patients ask about their data, and what staff decide about it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.web.forms import ClinicForm
from patients.registry.models import Restriction
from patients.rights.models import RightsRequest

Kind = RightsRequest.Kind


def _words(label: Any, **more: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=2000, widget=forms.Textarea({"rows": 4}), **more)


class AskForm(ClinicForm):
    """What the patient asks, in their own words; of a correction, what it is about."""

    kind = forms.ChoiceField(
        label=_("What do you ask for?"),
        choices=Kind.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what you ask for.")},
    )
    subject = forms.ChoiceField(
        label=_("If something is wrong: what is it about?"),
        choices=[("", _("Please choose")), *RightsRequest.Subject.choices],
        required=False,
    )
    words = _words(
        _("In your own words"),
        help_text=_("For a correction: what is written, and what should be written instead."),
        error_messages={"required": _("Say what you ask for.")},
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("kind") == Kind.CORRECTION and not values.get("subject"):
            self.add_error("subject", _("Choose what it is about."))
        return values


class AnswerForm(ClinicForm):
    """The decision about one request. Which answers there are depends on what is asked."""

    answer = forms.ChoiceField(
        label=_("Decision"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what you decide.")},
    )
    ground = forms.ChoiceField(
        label=_("Ground of the restriction"), choices=Restriction.Ground.choices, required=False
    )
    contact = forms.BooleanField(
        label=_("Also erase the e-mail address and the phone number"),
        required=False,
        help_text=_("After that no recall and no safety notice reaches this patient by message."),
    )
    words = _words(
        _("Words to the patient"),
        help_text=_("What was done, or why not. The patient reads it."),
        error_messages={"required": _("Say what was done, or why not.")},
    )

    def __init__(self, *args: Any, request: RightsRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["answer"].choices = ANSWERS[request.kind]  # type: ignore[attr-defined]
        if request.kind != Kind.RESTRICTION:
            del self.fields["ground"]
        if request.kind != Kind.ERASURE:
            del self.fields["contact"]


ANSWERS: dict[str, list[tuple[str, Any]]] = {
    Kind.CORRECTION: [
        ("granted", _("It is corrected")),
        ("partly", _("It is corrected in part")),
        ("refused", _("It stays as it is")),
    ],
    Kind.RESTRICTION: [
        ("granted", _("The data are restricted from now on")),
        ("refused", _("They are used as before")),
    ],
    Kind.ERASURE: [
        ("partly", _("Erase what may go now; the record is kept and restricted")),
        ("refused", _("Nothing is erased")),
    ],
}


class RestrictForm(ClinicForm):
    """A restriction without a request: on the phone, or of the clinic's own accord."""

    ground = forms.ChoiceField(label=_("Ground"), choices=Restriction.Ground.choices)
    words = forms.CharField(label=_("What it is about"), max_length=500, required=False)


class LiftForm(ClinicForm):
    """Lifting says why."""

    reason = forms.CharField(
        label=_("Why it is lifted"),
        max_length=500,
        error_messages={"required": _("Say why it is lifted.")},
    )


class EraseForm(ClinicForm):
    """The number is typed again, since nothing brings the file back."""

    reason = forms.CharField(
        label=_("Why it is erased"),
        max_length=200,
        help_text=_("Kept with the record of the erasure. Name no person in it."),
        error_messages={"required": _("Say why it is erased.")},
    )
    number = forms.CharField(
        label=_("Number of the file, typed again"),
        max_length=12,
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": _("Type the number of the file.")},
    )
