"""On the patient's own pages: what they do not want to be sent."""

from __future__ import annotations

import re

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from patients.messages.forms import RefusalsForm
from patients.messages.kinds import Refusal
from patients.messages.models import Message
from patients.messages.rules import refused_by, save_refusals
from patients.portal.access import by_link, patient_of, portal_context

SHOWN = 60
LINK_WORDS = re.compile(r"\{(link|code)\}")


@by_link
@require_GET
def panel(request: HttpRequest, token: str) -> HttpResponse:
    """What the patient has refused, and the way to change it."""
    refused = refused_by(patient_of(request))
    named = [Refusal(kind).label for kind in Refusal.values if kind in refused]
    context = {"refused": named, "token": token}
    return render(request, "patients/my_message_panel.html", context)


@by_link
@require_safe
def sent(request: HttpRequest, token: str) -> HttpResponse:
    """What the clinic wrote to the patient, newest first, as it went out; links are left out."""
    own = Message.objects.of_person(patient_of(request)).to_patients()
    rows = (
        own.filter(state=Message.State.SENT).order_by("-sent_at", "-pk").defer("calendar")[:SHOWN]
    )
    shown = [(row, LINK_WORDS.sub("", row.body).strip()) for row in rows]
    context = portal_context(request, shown=shown)
    return render(request, "patients/my_message_sent.html", context)


@by_link
@require_http_methods(["GET", "POST"])
def choices(request: HttpRequest, token: str) -> HttpResponse:
    """Choose what not to be sent."""
    me = patient_of(request)
    form = RefusalsForm(request.POST or None, initial={"kinds": sorted(refused_by(me))})
    if request.method == "POST":
        form = RefusalsForm(request.POST)
        if form.is_valid():
            save_refusals(by=me, patient=me, kinds=form.cleaned_data["kinds"])
            messages.success(request, _("Saved."))
            return redirect("portal:home", token)
    context = portal_context(request, form=form)
    status = 422 if form.errors else 200
    return render(request, "patients/my_message_choices.html", context, status=status)
