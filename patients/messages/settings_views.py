"""Settings: when a location writes to its patients, and in which words."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.places.models import Location
from clinic.web.forms import refuse
from patients.messages.forms import RulesForm, WordsForm
from patients.messages.kinds import Kind
from patients.messages.models import MessageText
from patients.messages.rules import (
    RULE_FIELDS,
    rules_of,
    save_rules,
    save_words,
    take_shipped_words,
    words_of,
)
from patients.messages.saying import known_values, moment_words, times
from patients.messages.texts import ALLOWED, PLACEHOLDERS, Words, faults, fill, sms_parts


@requires(Permission.MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """Quiet hours, reminders and invitations, and every text with the way to it."""
    place, status = location_of(request), 200
    form = RulesForm(request.POST if request.method == "POST" else None, instance=rules_of(place))
    if request.method == "POST":
        status = 422
        if form.is_valid():
            values = {name: form.cleaned_data[name] for name in RULE_FIELDS}
            save_rules(by=staff_of(request), location=place, **values)
            messages.success(request, _("Saved."))
            return redirect("message-settings:index")
    context = {"form": form, "place": place, "texts": _texts(place), "languages": _languages()}
    return render(request, "patients/message_settings.html", context, status=status)


def _languages() -> list[tuple[str, Any]]:
    return list(settings.LANGUAGES)


def _texts(place: Location) -> list[dict[str, Any]]:
    """Each kind with its languages, and whether the location has its own words."""
    newest = MessageText.objects.filter(location=place).newest()
    own = {(row.kind, row.language) for row in newest if not row.is_shipped}
    return [
        {
            "kind": kind,
            "languages": [
                {"code": code, "name": name, "is_own": (kind.value, code) in own}
                for code, name in _languages()
            ],
        }
        for kind in Kind
    ]


@requires(Permission.MANAGE_CLINIC)
@require_http_methods(["GET", "POST"])
def words(request: HttpRequest, kind: str, language: str) -> HttpResponse:
    """One text: change it, see it as a patient would, or go back to the shipped one.

    `what` is save, show (the preview alone, nothing kept) or shipped.
    """
    if kind not in Kind.values or language not in dict(_languages()):
        raise Http404
    place, what, status = location_of(request), request.POST.get("what", ""), 200
    if request.method != "POST":
        form = WordsForm(initial=asdict(words_of(place, kind, language)))
        return _page(request, place, kind, language, form, words_of(place, kind, language))
    if what == "shipped":
        take_shipped_words(by=staff_of(request), location=place, kind=kind, language=language)
        messages.success(request, _("Saved."))
        return redirect("message-settings:words", kind, language)
    form = WordsForm(request.POST)
    if what != "show":
        status = 422
        if form.is_valid() and _is_kept(request, place, kind, language, form):
            messages.success(request, _("Saved."))
            return redirect("message-settings:words", kind, language)
    return _page(request, place, kind, language, form, form.words, status)


def _is_kept(
    request: HttpRequest, place: Location, kind: str, language: str, form: WordsForm
) -> bool:
    """Put the text in force; what it may not hold is said in the form."""
    try:
        save_words(
            by=staff_of(request), location=place, kind=kind, language=language, words=form.words
        )
    except ActionRefused as refused:
        refuse(form, refused)
        return False
    return True


def _page(
    request: HttpRequest,
    place: Location,
    kind: str,
    language: str,
    form: WordsForm,
    said: Words,
    status: int = 200,
) -> HttpResponse:
    own = MessageText.objects.filter(location=place, kind=kind, language=language)
    newest = own.select_related("made_by").order_by("-version").first()
    context = {
        "form": form,
        "kind": Kind(kind),
        "language": language,
        "place": place,
        "language_name": dict(_languages())[language],
        "newest": newest,
        "is_own": newest is not None and not newest.is_shipped,
        "placeholders": [
            (name, PLACEHOLDERS[name]) for name in PLACEHOLDERS if name in ALLOWED[kind]
        ],
        "faults": list(faults(said, kind).values()),
        "shown": preview(said, place, language),
        "parts": sms_parts(preview(said, place, language).sms),
    }
    is_part = request.POST.get("what") == "show" and getattr(request, "htmx", False)
    template = "patients/message_words.html" + ("#preview" if is_part else "")
    return render(request, template, context, status=status)


def preview(said: Words, place: Location, language: str) -> Words:
    """The text as a patient with an appointment in a week would read it."""
    soon = (timezone.localtime(timezone.now(), place.zone) + timedelta(days=7)).replace(
        hour=10, minute=30, second=0, microsecond=0
    )
    values = known_values(place) | times(
        [soon], location=place, language=language, practitioners=[_("Dr Example")]
    )
    values |= {
        "link": f"{settings.BASE_URL}/my/…/",
        "until": moment_words(soon - timedelta(days=6), location=place, language=language),
    }
    return Words(said.subject, fill(said.body, values), fill(said.sms, values))
