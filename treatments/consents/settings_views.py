"""Settings: the texts of consents, by country and language; written, looked at, approved."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.places.models import CountryProfile, Location
from clinic.tongues import direction_of
from clinic.web.forms import refuse
from treatments.consents.actions import approve_text, text_code, wording_of, write_text
from treatments.consents.in_force import FURTHER
from treatments.consents.models import Consent, ConsentTemplate
from treatments.consents.sample import sample_page
from treatments.consents.settings_forms import WordingForm
from treatments.consents.wording import BLOCKS, WORDS, Wording, faults
from treatments.consents.words import spoken_words
from treatments.plans.models import Plan

EVERYWHERE = "int"


@requires(Permission.APPROVE_CATALOGUE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every text with its version in force, and what waits for somebody's approval."""
    rows = ConsentTemplate.objects.select_related("approved_by").order_by("code", "version")
    versions: dict[str, list[ConsentTemplate]] = {}
    for row in rows:
        versions.setdefault(row.code, []).append(row)
    context = {
        "places": [_place(*one, versions) for one in _countries()],
        "words": spoken_words(),
        "place": location_of(request),
    }
    return render(request, "treatments/consent_texts.html", context)


def _countries() -> list[tuple[str, str]]:
    """Everywhere, then each country where there is a location or a text."""
    used = {*Location.objects.values_list("country_id", flat=True)}
    used |= {*ConsentTemplate.objects.values_list("country", flat=True)}
    named = CountryProfile.objects.filter(pk__in=used).order_by("name")
    return [("", _("Everywhere else")), *named.values_list("pk", "name")]


def _place(country: str, name: str, versions: dict[str, list[ConsentTemplate]]) -> dict[str, Any]:
    cells = []
    for language, language_name in settings.PATIENT_LANGUAGES:
        code = text_code(country, language)
        own = versions.get(code, [])
        current = next((one for one in own if one.is_current), None)
        newest = own[-1] if own else None
        waits = newest if newest and not newest.is_current and not newest.is_approved else None
        cells.append(
            {
                "code": code,
                "language": language_name,
                "current": current,
                "waiting": waits,
                "is_further": language in FURTHER,
            }
        )
    return {"name": name, "cells": cells}


@requires(Permission.MANAGE_CLINIC)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, code: str) -> HttpResponse:
    """Write the next version of a text. `what` is save, or show: the preview, nothing kept."""
    country, language = _known(code)
    pattern = _pattern(country, language)
    form = WordingForm(request.POST if request.method == "POST" else None, template=pattern)
    status = 200
    if request.method == "POST" and request.POST.get("what") != "show":
        status = 422
        if form.is_valid():
            try:
                row = write_text(
                    by=staff_of(request),
                    country=country,
                    language=language,
                    wording=form.wording,
                    note=form.cleaned_data["note"],
                )
            except ActionRefused as refused:
                _refuse_everywhere(form, refused)
            else:
                messages.success(request, _("Saved. It is used once somebody has approved it."))
                return redirect("consent-texts:version", row.code, row.version)
    return _edit_page(request, code, pattern, form, status)


def _refuse_everywhere(form: WordingForm, refused: ActionRefused) -> None:
    """All that is wrong at once, each beside its field."""
    wrong = faults(form.wording)
    for name, said in wrong.items():
        form.add_error(name, said)
    if not wrong:
        refuse(form, refused)


def _edit_page(
    request: HttpRequest, code: str, pattern: ConsentTemplate, form: WordingForm, status: int
) -> HttpResponse:
    wrong = faults(form.wording)
    context = {
        "code": code,
        "pattern": pattern,
        "is_own": pattern.code == code,
        "form": form,
        "words": WORDS.items(),
        "blocks": BLOCKS.items(),
        "faults": list(dict.fromkeys(wrong.values())),
        **_shown(form.wording, location_of(request), pattern.language, is_sound=not wrong),
    }
    is_part = request.POST.get("what") == "show" and getattr(request, "htmx", False)
    template = "treatments/consent_text_edit.html" + ("#preview" if is_part else "")
    return render(request, template, context, status=status)


def _shown(
    wording: Wording, location: Location, language: str, *, is_sound: bool
) -> dict[str, Any]:
    """The text as a patient reads it; none while something in it cannot stand."""
    sample = sample_page(wording, location, language) if is_sound else None
    direction = direction_of(language)
    return {"sample": sample, "language": language, "direction": direction}


@requires(Permission.APPROVE_CATALOGUE)
@require_safe
def version(request: HttpRequest, code: str, version: int) -> HttpResponse:
    """One version to read, old ones too, and how many consents were made from it."""
    _known(code)
    shown = _version(code, version)
    others = ConsentTemplate.objects.filter(code=code).order_by("-version")
    made = Consent.objects.filter(template=shown, signed_at__isnull=False)
    asked = Consent.objects.filter(
        template__code=code, signed_at__isnull=False, plan__state=Plan.State.ACCEPTED
    ).exclude(template=shown)
    context = {
        "code": code,
        "row": shown,
        "versions": others.select_related("approved_by", "made_by"),
        "made": made.count(),
        "asked_anew": asked.values("plan").distinct().count(),
        **_shown(wording_of(shown), location_of(request), shown.language, is_sound=True),
    }
    return render(request, "treatments/consent_text_version.html", context)


@requires(Permission.APPROVE_CATALOGUE)
@require_POST
def approve(request: HttpRequest, code: str, version: int) -> HttpResponse:
    """Take responsibility for the version that was shown, and use it from now on."""
    _known(code)
    try:
        approve_text(by=staff_of(request), template=_version(code, version))
    except ActionRefused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("Approved with your name. It is used from now on."))
    return redirect("consent-texts:version", code, version)


def _known(code: str) -> tuple[str, str]:
    """The country and language of a code. Raises `Http404` for others."""
    country, _dash, language = code.partition("-")
    country = "" if country == EVERYWHERE else country.upper()
    if language not in dict(settings.PATIENT_LANGUAGES) or text_code(country, language) != code:
        raise Http404
    if country and not CountryProfile.objects.filter(pk=country).exists():
        raise Http404
    return country, language


def _version(code: str, number: int) -> ConsentTemplate:
    rows = ConsentTemplate.objects.select_related("approved_by", "made_by")
    found: ConsentTemplate = get_object_or_404(rows, code=code, version=number)
    return found


def _pattern(country: str, language: str) -> ConsentTemplate:
    """The newest version of a text; of a country without one, the text for everywhere."""
    for code in (text_code(country, language), text_code("", language)):
        found = ConsentTemplate.objects.filter(code=code).order_by("-version").first()
        if found is not None:
            pattern: ConsentTemplate = found
            return pattern
    raise Http404
