"""Reading and signing: every statement ticked by itself, photos by use, a name, signatures."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.access.permissions import Role
from clinic.places.models import Location
from clinic.web.fields import Signature, SignatureField
from clinic.web.forms import ClinicForm
from patients.photos.models import Use
from treatments.consents.accepting import Asking
from treatments.consents.actions import Attendant
from treatments.consents.in_force import supported
from treatments.consents.models import Consent, ConsentAttendant
from treatments.plans.models import Plan

LANGUAGE_NAMES = {"en": "English", "fr": "Français"}


class AcceptForm(ClinicForm):
    """What accepting a plan does besides."""

    revision = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    asking = forms.ChoiceField(
        label=_("How it is asked for"), choices=Asking.choices, widget=forms.RadioSelect
    )
    language = forms.ChoiceField(
        label=_("Language of the consent"), choices=list(LANGUAGE_NAMES.items())
    )
    book = forms.BooleanField(label=_("Go on to book the dates"), required=False, initial=True)

    def __init__(self, *args: Any, plan: Plan, **kwargs: Any) -> None:
        patient = plan.patient
        can_link = bool(patient.email or patient.phone)
        first = Asking.LINK if can_link else Asking.TABLET
        initial = {
            "revision": plan.revision,
            "asking": first,
            "language": supported(patient.language),
        }
        super().__init__(*args, initial=initial, **kwargs)
        if not can_link:
            offered = [one for one in Asking.choices if one[0] != Asking.LINK]
            self.fields["asking"].choices = offered  # type: ignore[attr-defined]
            self.fields["asking"].help_text = _(
                "There is neither an e-mail address nor a phone number to send a link to."
            )


class SignForm(ClinicForm):
    """What the patient gives. The action decides whether it is enough.

    With `attended`, for a device of the clinic, an interpreter and a witness can sign too.
    """

    statements = forms.MultipleChoiceField(
        label=_("What you confirm"),
        help_text=_("Please tick each sentence."),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Please tick every statement.")},
    )
    signed_name = forms.CharField(
        label=_("Full name of the person who signs"),
        max_length=200,
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    signature = SignatureField()

    def __init__(self, *args: Any, consent: Consent, attended: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(one["code"], one["text"]) for one in consent.statements]
        self.fields["statements"].choices = offered  # type: ignore[attr-defined]
        for use in Use:
            self.fields[f"photo_{use.value}"] = _yes_or_no(str(use.label))
        if attended:
            for role in ConsentAttendant.Role.values:
                self._add_attendant(role)

    def _add_attendant(self, role: str) -> None:
        """All empty unless somebody was there; the action asks for the rest then."""
        self.fields[f"{role}_name"] = forms.CharField(
            label=_("Full name"), max_length=200, required=False
        )
        self.fields[f"{role}_capacity"] = forms.CharField(
            label=_("Who they are"),
            help_text=_("For example sister, or interpreter of the hospital service."),
            max_length=120,
            required=False,
        )
        if role == ConsentAttendant.Role.INTERPRETER:
            self.fields[f"{role}_language"] = forms.CharField(
                label=_("Language"), max_length=60, required=False
            )
        self.fields[f"{role}_signature"] = SignatureField(required=False)

    @property
    def photos(self) -> list[forms.BoundField]:
        """The choices about photos, use by use."""
        return [self[f"photo_{use}"] for use in Use.values]

    @property
    def attendants(self) -> list[dict[str, Any]]:
        """The fields of each who may have been there, for the page; open where one is filled in."""
        found = []
        for role in ConsentAttendant.Role:
            names = [name for name in self.fields if name.startswith(f"{role.value}_")]
            if names:
                fields = [self[name] for name in names]
                is_open = any(bool(_typed(field)) or field.errors for field in fields)
                found.append({"role": role, "fields": fields, "is_open": is_open})
        return found

    @property
    def values(self) -> dict[str, Any]:
        """What `sign_consent` takes, besides the consent and the device."""
        data = self.cleaned_data
        signature = data["signature"]
        drawn = signature.is_drawn
        return {
            "statements": data["statements"],
            "signed_name": data["signed_name"],
            "method": Consent.Method.DRAWN if drawn else Consent.Method.TYPED,
            "signature_svg": signature.svg if drawn else "",
            "strokes": signature.strokes if drawn else None,
            "photos": {use: data[f"photo_{use}"] == "yes" for use in Use.values},
            "attendants": list(filter(None, map(self._attendant, ConsentAttendant.Role.values))),
        }

    def _attendant(self, role: str) -> Attendant | None:
        data = self.cleaned_data
        signature: Signature | None = data.get(f"{role}_signature")
        said = {
            name: data.get(f"{role}_{name}", "").strip()
            for name in ("name", "capacity", "language")
        }
        if signature is None and not any(said.values()):
            return None
        drawn = signature is not None and signature.is_drawn
        return Attendant(
            role=role,
            signature_svg=signature.svg if signature and drawn else "",
            strokes=signature.strokes if signature and drawn else [],
            **said,
        )


def _yes_or_no(label: str) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        choices=[("yes", _("Yes, I allow it")), ("no", _("No"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Please choose yes or no.")},
    )


def _typed(field: forms.BoundField) -> bool:
    value = field.value()
    return any(value) if isinstance(value, list) else bool(value)


class CountersignForm(ClinicForm):
    """The practitioner's own signature."""

    signature = SignatureField(label=_("Your signature"))


class PrepareForm(forms.Form):
    """The language the patient reads best, and who treats."""

    language = forms.ChoiceField(choices=list(LANGUAGE_NAMES.items()))
    practitioner = forms.ModelChoiceField(Staff.objects.none(), required=False)

    def __init__(self, *args: Any, location: Location, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["practitioner"].queryset = practitioners_at(location)  # type: ignore[attr-defined]


def practitioners_at(location: Location) -> QuerySet[Staff]:
    """Who may treat at a location."""
    found: QuerySet[Staff] = Staff.objects.filter(
        memberships__location=location, role=Role.PRACTITIONER, is_active=True
    )
    return found.order_by("name")


class QuestionForm(ClinicForm):
    """What the patient would like to know before signing."""

    text = forms.CharField(
        label=_("Your question"), max_length=1000, widget=forms.Textarea({"rows": 3})
    )


class AnswerForm(ClinicForm):
    """The practitioner's answer; the patient reads it, and it stays with the consent."""

    answer = forms.CharField(
        label=_("Your answer"), max_length=2000, widget=forms.Textarea({"rows": 3})
    )


class WithdrawForm(ClinicForm):
    """The patient need not say why."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        required=False,
        help_text=_("You need not give one."),
        widget=forms.Textarea({"rows": 2}),
    )
