"""A patient's passkeys: made and taken away on their own page; used at a page that asks nothing."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic.access.limits import address_of, tried_too_often
from clinic.access.permissions import patient_link, public
from clinic.errors import ActionRefused
from clinic.web.notices import refused_notice
from patients.portal import passkeys as keys
from patients.portal.access import (
    by_link,
    opened_by_passkey,
    patient_of,
    portal_context,
    private,
    remember_proof,
    wanted_page,
)
from patients.portal.actions import open_by_passkey, prove_by_passkey
from patients.portal.models import Passkey

MAKING, USING = "passkey_making", "passkey_using"
LONGEST_ANSWER = 20_000
MOST_PER_ADDRESS = 60


def _host(request: HttpRequest) -> str:
    return keys.host_of(f"//{request.get_host()}")


def _answer(request: HttpRequest) -> dict[str, Any]:
    """The JSON that the script sent. Raises `ActionRefused` for anything else."""
    try:
        sent = json.loads(request.body[:LONGEST_ANSWER])
    except ValueError:
        sent = None
    if not isinstance(sent, dict) or not isinstance(sent.get("answer"), dict):
        raise ActionRefused(_("The passkey could not be checked. Please try again."))
    return sent


def _refused(refused: ActionRefused, status: int = 422) -> JsonResponse:
    return JsonResponse({"refused": refused.message, "field": refused.field}, status=status)


@by_link
@require_http_methods(["GET", "HEAD", "POST"])
def passkeys(request: HttpRequest, token: str) -> HttpResponse:
    """Those there are, and making another; what the device made comes back as JSON."""
    me, host = patient_of(request), _host(request)
    if request.method == "POST":
        state = request.session.pop(MAKING, None)
        try:
            sent = _answer(request)
            name, answer = str(sent.get("name", "")), sent["answer"]
            keys.finish_making(patient=me, host=host, state=state, answer=answer, name=name)
        except ActionRefused as refused:
            return _refused(refused)
        messages.success(request, _("From now on you can open your pages with this device."))
        return JsonResponse({"to": reverse("portal:passkeys", args=[token])})
    context = portal_context(
        request,
        passkeys=Passkey.objects.filter(patient=me).in_use().order_by("pk"),
        can_make=keys.can_be_used_at(host),
        is_only_way=keys.is_only_way(me),
        by_passkey=opened_by_passkey(request),
    )
    return render(request, "patients/portal_passkeys.html", context)


@by_link
@require_POST
def begin(request: HttpRequest, token: str) -> HttpResponse:
    """What the device needs to make one."""
    try:
        options, state = keys.begin_making(patient=patient_of(request), host=_host(request))
    except ActionRefused as refused:
        return _refused(refused)
    request.session[MAKING] = state
    return JsonResponse(options)


@by_link
@require_POST
def remove(request: HttpRequest, token: str, pk: int) -> HttpResponse:
    """It opens nothing any more."""
    with refused_notice(request):
        if keys.remove_passkey(patient=patient_of(request), pk=pk, at=timezone.now()):
            messages.success(request, _("The passkey opens nothing any more."))
    return redirect("portal:passkeys", token)


def _too_often(request: HttpRequest) -> JsonResponse | None:
    """Count this question or answer; what to say where an address has asked or answered too often.

    Each question keeps a session, so that these are bounded too.
    """
    if not tried_too_often("passkey", (address_of(request), MOST_PER_ADDRESS)):
        return None
    return _refused(ActionRefused(_("Too many tries. Please wait a quarter of an hour.")), 429)


@public
@require_http_methods(["GET", "HEAD", "POST"])
def use(request: HttpRequest) -> HttpResponseBase:
    """A page with one button; what the device answers opens the pages of whose passkey it is."""
    host = _host(request)
    if request.method != "POST":
        context = {"can_use": keys.can_be_used_at(host)}
        return private(render(request, "patients/passkey_use.html", context))
    if refused := _too_often(request):
        return private(refused)
    state, now = request.session.pop(USING, None), timezone.now()
    try:
        answer = _answer(request)["answer"]
        patient = keys.finish_using(host=host, state=state, answer=answer, at=now)
    except ActionRefused as said_no:
        return private(_refused(said_no))
    token = open_by_passkey(patient=patient, at=now)
    remember_proof(request, token, by_passkey=True)
    return private(JsonResponse({"to": reverse("portal:home", args=[token])}))


@patient_link
@require_POST
def prove_at_door(request: HttpRequest, token: str) -> HttpResponseBase:
    """What the device answers at the door of a link opens the page that was asked for."""
    if refused := _too_often(request):
        return private(refused)
    state, now = request.session.pop(USING, None), timezone.now()
    try:
        answer = _answer(request)["answer"]
        patient = keys.finish_using(host=_host(request), state=state, answer=answer, at=now)
        if not prove_by_passkey(token=token, patient=patient, at=now):
            raise ActionRefused(_("This passkey does not open this link."))
    except ActionRefused as said_no:
        return private(_refused(said_no))
    remember_proof(request, token, by_passkey=True)
    return private(JsonResponse({"to": wanted_page(request, token)}))


@public
@require_POST
def begin_use(request: HttpRequest) -> HttpResponseBase:
    """What the device needs to use one."""
    if refused := _too_often(request):
        return private(refused)
    options, state = keys.begin_using(host=_host(request))
    request.session[USING] = state
    return private(JsonResponse(options))
