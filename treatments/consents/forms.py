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
from treatments.consents.attending import LATER_ROLES, Attendant, Beside, said_by
from treatments.consents.in_force import LANGUAGES, Choice
from treatments.consents.models import Consent, Identity
from treatments.plans.models import Plan

AT_THE_CLINIC = (Identity.DOCUMENT, Identity.KNOWN)
"""How the clinic itself knows a holder of parental authority."""
SIGNATURES = {
    Beside.GUARDIAN: _("Signature of the holder of parental authority"),
    Beside.INTERPRETER: _("Signature of the interpreter"),
    Beside.WITNESS: _("Signature of the witness"),
}


class AcceptForm(ClinicForm):
    """What accepting a plan does besides."""

    revision = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    asking = forms.ChoiceField(
        label=_("How it is asked for"), choices=Asking.choices, widget=forms.RadioSelect
    )
    language = forms.ChoiceField(label=_("Language of the consent"))
    book = forms.BooleanField(label=_("Go on to book the dates"), required=False, initial=True)

    def __init__(self, *args: Any, plan: Plan, choice: Choice, **kwargs: Any) -> None:
        patient = plan.patient
        can_link = bool(patient.email or patient.phone)
        first = Asking.LINK if can_link else Asking.TABLET
        initial = {
            "revision": plan.revision,
            "asking": first,
            "language": choice.language,
        }
        super().__init__(*args, initial=initial, **kwargs)
        self.fields["language"].choices = choice.languages  # type: ignore[attr-defined]
        if not can_link:
            offered = [one for one in Asking.choices if one[0] != Asking.LINK]
            self.fields["asking"].choices = offered  # type: ignore[attr-defined]
            self.fields["asking"].help_text = _(
                "There is neither an e-mail address nor a phone number to send a link to."
            )


class SignForm(ClinicForm):
    """What the patient gives. The action decides whether it is enough.

    For a minor the holder of parental authority signs in it too. With `attended`, for a device of
    the clinic, so do an interpreter and a witness; on a phone they sign on the page after it.
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
        self.consent, self.attended = consent, attended
        if consent.is_of_minor:
            self._ask_a_minor()
        if attended:
            for role in LATER_ROLES:
                self.fields.update(attendant_fields(role, required=False))
        else:
            self.fields.update({f"{role}_after": _here(role) for role in LATER_ROLES})

    def _ask_a_minor(self) -> None:
        """The minor's own signature or a reason, and who signs beside them."""
        self.fields["signed_name"].label = _("Full name of the patient")
        signature = self.fields["signature"]
        signature.label, signature.required = _("Signature of the patient"), False
        self.fields["unsigned_because"] = forms.CharField(
            label=_("If the patient does not sign, why not"),
            help_text=_("For example too young to write. Leave it empty if they sign."),
            max_length=300,
            required=False,
        )
        self.fields.update(attendant_fields(Beside.GUARDIAN, attended=self.attended))

    @property
    def photos(self) -> list[forms.BoundField]:
        """The choices about photos, use by use."""
        return [self[f"photo_{use}"] for use in Use.values]

    @property
    def attendants(self) -> list[dict[str, Any]]:
        """The fields of each who may have been there, for the page; open where one is filled in."""
        if not self.attended:
            return []
        found = []
        for role in LATER_ROLES:
            fields = self._of(role)
            is_open = any(bool(_typed(field)) or field.errors for field in fields)
            found.append({"role": role, "fields": fields, "is_open": is_open, **self._says(role)})
        return found

    @property
    def guardian(self) -> dict[str, Any] | None:
        """The fields of the holder of parental authority, for a minor; else None."""
        if not self.consent.is_of_minor:
            return None
        return {"fields": self._of(Beside.GUARDIAN), **self._says(Beside.GUARDIAN)}

    @property
    def afterwards(self) -> list[forms.BoundField]:
        """Who signs after the patient, on a phone."""
        return [] if self.attended else [self[f"{role}_after"] for role in LATER_ROLES]

    def _of(self, role: str) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith(f"{role}_")]

    def _says(self, role: str) -> dict[str, str]:
        return {"says": said_by(self.consent, role)}

    @property
    def values(self) -> dict[str, Any]:
        """What `sign_consent` takes, besides the consent and the device."""
        data = self.cleaned_data
        signature: Signature | None = data["signature"]
        drawn = signature is not None and signature.is_drawn
        beside = (attendant_of(data, role) for role in Beside.values)
        return {
            "statements": data["statements"],
            "signed_name": data["signed_name"],
            "method": self._method(signature),
            "signature_svg": signature.svg if signature and drawn else "",
            "strokes": signature.strokes if signature and drawn else None,
            "photos": {use: data[f"photo_{use}"] == "yes" for use in Use.values},
            "attendants": [one for one in beside if one is not None],
            "awaits": [role for role in LATER_ROLES if data.get(f"{role}_after")],
            "unsigned_because": data.get("unsigned_because", ""),
        }

    @staticmethod
    def _method(signature: Signature | None) -> str:
        """How it is signed; without a signature, as only a minor may leave it, by the holder."""
        if signature is None:
            return Consent.Method.PARENT
        return Consent.Method.DRAWN if signature.is_drawn else Consent.Method.TYPED


class AttendantForm(ClinicForm):
    """One who was there signs after the patient."""

    def __init__(self, *args: Any, role: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.role = role
        self.fields.update(attendant_fields(role))

    @property
    def attendant(self) -> Attendant:
        """Who signs; the action says what lacks."""
        found = attendant_of(self.cleaned_data, self.role)
        return found or Attendant(self.role, "", "", "", [])


def attendant_fields(
    role: str, *, required: bool = True, attended: bool = True
) -> dict[str, forms.Field]:
    """The fields of one who signs beside the patient, each named `<role>_<what>`.

    Not `required`: all are empty unless somebody was there, and the action asks for the rest then.
    On a phone (not `attended`) nobody of the clinic sees who holds parental authority.
    """
    found: dict[str, forms.Field] = {
        "name": forms.CharField(label=_("Full name"), max_length=200, required=required),
        "capacity": forms.CharField(
            label=_("Who they are"),
            help_text=_("For example sister, or interpreter of the hospital service."),
            max_length=120,
            required=required,
        ),
    }
    if role == Beside.GUARDIAN:
        found["name"].error_messages["required"] = _(
            "The patient is under age: a holder of parental authority must sign too."
        )
        found["capacity"].label = _("Relation to the patient")
        found["capacity"].help_text = _("For example mother, father or legal guardian.")
    if role == Beside.GUARDIAN and attended:
        found["identity"] = forms.ChoiceField(
            label=_("How the clinic knows who they are"),
            choices=[(one.value, one.label) for one in AT_THE_CLINIC],
            widget=forms.RadioSelect,
            required=required,
        )
    if role == Beside.INTERPRETER:
        found["language"] = forms.CharField(
            label=_("Language interpreted"), max_length=60, required=required
        )
    found["signature"] = SignatureField(label=SIGNATURES[Beside(role)], required=required)
    return {f"{role}_{name}": field for name, field in found.items()}


def attendant_of(data: dict[str, Any], role: str) -> Attendant | None:
    """Who signs in a role, by what was filled in; None where nothing was."""
    signature: Signature | None = data.get(f"{role}_signature")
    said = {
        name: (data.get(f"{role}_{name}") or "").strip()
        for name in ("name", "capacity", "language")
    }
    if signature is None and not any(said.values()):
        return None
    drawn = signature is not None and signature.is_drawn
    typed = signature is not None and not drawn
    known = data.get(f"{role}_identity", Identity.LINK) if role == Beside.GUARDIAN else ""
    return Attendant(
        role=role,
        signature_svg=signature.svg if signature and drawn else "",
        strokes=signature.strokes if signature and drawn else [],
        identity=known,
        method=Consent.Method.TYPED if typed else Consent.Method.DRAWN,
        **said,
    )


def _here(role: str) -> forms.BooleanField:
    interprets = role == Beside.INTERPRETER
    return forms.BooleanField(
        label=_("An interpreter is here and signs after me")
        if interprets
        else _("A witness is here and signs after me"),
        required=False,
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
    """The practitioner's own signature, and whom they saw where a parent signed on a phone."""

    signature = SignatureField(label=_("Your signature"))

    def __init__(self, *args: Any, asks_identity: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if asks_identity:
            self.fields["identity_seen"] = forms.ChoiceField(
                label=_("How you checked who holds parental authority"),
                choices=[(one.value, one.label) for one in AT_THE_CLINIC],
                widget=forms.RadioSelect,
            )
            self.order_fields(["identity_seen", "signature"])


class WaiveForm(ClinicForm):
    """Why nobody waits any more. There may be one for each role on a page."""

    reason = forms.CharField(label=_("Reason"), max_length=500)

    def __init__(self, *args: Any, role: str, **kwargs: Any) -> None:
        super().__init__(*args, auto_id=f"{role}_%s", **kwargs)
        self.role = role


class PrepareForm(forms.Form):
    """The language the patient reads best, and who treats."""

    language = forms.ChoiceField(choices=[(code, code) for code in LANGUAGES])
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
