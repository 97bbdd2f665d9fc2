"""Every component on one page, for those who build and those who judge. Demo and DEBUG only."""

from __future__ import annotations

import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from crispy_forms.layout import Div, Layout
from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.access.permissions import Permission, requires
from clinic.errors import ActionRefused
from clinic.web.fields import DateOfBirthField, SignatureField, UnitField
from clinic.web.forms import ClinicForm, refuse
from clinic.web.looks import STATUS_LOOKS, VERDICT_LOOKS

PAGES = {
    "": "design/gallery.html",
    "patient": "design/patient_page.html",
    "phone": "design/patient_shell.html",
}

LONG_NAME = "KOWALSKA-BRZĘCZYSZCZYKIEWICZ, Łucja Aleksandra"
TONES = ("calm", "info", "wait", "care", "good", "missed", "stop", "accent")


class SampleForm(ClinicForm):
    """One of each field."""

    family_name = forms.CharField(label=_("Family name"), max_length=80)
    birth_date = DateOfBirthField()
    email = forms.EmailField(
        label=_("E-mail"), required=False, help_text=_("For the link to the questionnaire.")
    )
    volume = UnitField(
        label=_("Volume per point"), unit="mL", min_value=0, max_value=1, decimal_places=2
    )
    weight = UnitField(label=_("Weight"), unit="kg", min_value=20, max_value=350, decimal_places=1)
    technique = forms.ChoiceField(
        label=_("Technique"),
        choices=[("", "—"), ("papule", _("Papule")), ("nappage", _("Nappage"))],
    )
    phototype = forms.ChoiceField(
        label=_("Fitzpatrick type"),
        choices=[(number, number) for number in ("I", "II", "III")],
        widget=forms.RadioSelect,
    )
    areas = forms.MultipleChoiceField(
        label=_("Areas"),
        choices=[("cheek", _("Cheek")), ("neck", _("Neck"))],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    notes = forms.CharField(label=_("Notes"), widget=forms.Textarea({"rows": 3}), required=False)
    agrees = forms.BooleanField(label=_("The patient has had time to ask questions"))
    signature = SignatureField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper.layout = Layout(
            "family_name",
            "birth_date",
            "email",
            Div("volume", "weight", css_class="form-row"),
            "technique",
            "phototype",
            "areas",
            "notes",
            "agrees",
            "signature",
        )


@requires(Permission.USE_CLINIC)
def gallery(request: HttpRequest) -> HttpResponse:
    """`?page=patient` and `?page=phone` show the other shells; `?errors` the form refused."""
    if not (settings.DEMO or settings.DEBUG):
        raise Http404
    template = PAGES.get(request.GET.get("page", ""), PAGES[""])
    return render(request, template, specimens(refused="errors" in request.GET))


def specimens(*, refused: bool) -> dict[str, Any]:
    """Invented values for every component."""
    now = timezone.now()
    return {
        "form": _refused_form() if refused else SampleForm(),
        "tones": TONES,
        "statuses": list(STATUS_LOOKS),
        "verdicts": list(VERDICT_LOOKS),
        "columns": [_("Patient"), _("Number"), _("Next session")],
        "rows": [
            {"url": "/design/", "cells": [LONG_NAME, "P000214", "12-May-2026"]},
            {"url": "/design/", "cells": ["NG, Li", "P000007", _("none")]},
        ],
        "events": _events(now),
        "pairs": [(_("Phototype"), "III"), (_("Weight"), "62 kg"), (_("Last period"), "")],
        "today": now.date(),
        "now": now,
        "dose": Decimal("180"),
        "dose_high": Decimal("262.5"),
        "dose_over": Decimal("301"),
        "limit": Decimal("279"),
        "warn": Decimal("223.2"),
        "patient": _patient(),
        "bar": {
            "allergies": _("Lidocaine (urticaria 2019), latex"),
            "alerts": "",
            "consent": _("Signed, covers the plan"),
            "plan": _("3 of 6, next due 12 to 19 May"),
            "check_ins": _("1 open"),
        },
        "location": _location(),
    }


def _events(now: datetime.datetime) -> list[dict[str, Any]]:
    signed = {"title": _("Session 3 of 6 signed"), "text": _("Neck, papule, 2.4 mL")}
    consent = {"title": _("Consent signed"), "icon": "file-earmark-check", "tone": "info"}
    return [
        signed | {"at": now, "by": "Dr Amélie Fournier", "icon": "pen", "tone": "good"},
        consent | {"at": now - datetime.timedelta(days=14)},
    ]


def _refused_form() -> SampleForm:
    form = SampleForm(
        {
            "family_name": "",
            "birth_date_0": "31",
            "birth_date_1": "2",
            "birth_date_2": "1984",
            "volume": "-1",
        }
    )
    refuse(form, ActionRefused(str(_("This practitioner is already booked at that time."))))
    return form


def _patient() -> SimpleNamespace:
    return SimpleNamespace(
        number="P000214",
        family_name="Kowalska-Brzęczyszczykiewicz",
        given_name="Łucja Aleksandra",
        birth_date=datetime.date(1961, 7, 14),
    )


def _location() -> SimpleNamespace:
    return SimpleNamespace(
        name="Clinique du Parc",
        phone="+33 1 99 00 12 34",
        phone_out_of_hours="+33 6 39 98 12 34",
        country=SimpleNamespace(emergency_number="112"),
    )
