"""The tablet at the door, and the desk's list of tablets."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.gate import fetch
from clinic.access.permissions import Permission, public, requires
from clinic.access.request import location_of, staff_of
from patients.portal.access import private, remember_proof, speak
from treatments.arrival.actions import arrive, set_up, take_back
from treatments.arrival.door import give_cookie, tablet_of, take_cookie, too_many_tries
from treatments.arrival.forms import ArriveForm, TabletForm
from treatments.arrival.models import Tablet


@public
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponseBase:
    """Name and birth date; then the patient's own page, or one sentence for everyone else."""
    tablet = tablet_of(request)
    if tablet is None:
        return private(render(request, "treatments/arrival_none.html", status=404))
    if "again" in request.GET:
        return private(_afresh())
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        speak(request, tablet.location.language)
    form = ArriveForm(request.POST if request.method == "POST" else None)
    if request.user.is_authenticated or not form.is_valid():
        status = 422 if form.is_bound else 200
        return private(_door(request, tablet, form, status))
    given = form.cleaned_data
    refused = too_many_tries(tablet)
    token = None if refused else arrive(tablet=tablet, at=timezone.now(), **given)
    request.session.flush()
    if token is None:
        return private(redirect("arrival:desk"))
    remember_proof(request, token)
    return private(redirect("my-arrival:home", token))


def _afresh() -> HttpResponse:
    """Nobody is there any more: the next one finds the language of the place."""
    response = redirect("arrival:start")
    response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    return response


def _door(
    request: HttpRequest, tablet: Tablet, form: ArriveForm, status: int = 200
) -> HttpResponse:
    context = {"form": form, "location": tablet.location}
    return render(request, "treatments/arrival_start.html", context, status=status)


@public
@require_safe
def desk(request: HttpRequest) -> HttpResponseBase:
    """The same words for whoever could not be let in, whatever the reason."""
    tablet = tablet_of(request)
    if tablet is None:
        return private(render(request, "treatments/arrival_none.html", status=404))
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        speak(request, tablet.location.language)
    context = {"location": tablet.location}
    return private(render(request, "treatments/arrival_desk.html", context))


@requires(Permission.RUN_ARRIVAL)
@require_http_methods(["GET", "HEAD", "POST"])
def tablets(request: HttpRequest) -> HttpResponse:
    """The tablets of the location; posting makes this very browser one and signs it out."""
    here = location_of(request)
    form = TabletForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        _tablet, token = set_up(
            by=staff_of(request), location=here, name=form.cleaned_data["name"], at=timezone.now()
        )
        logout(request)
        response = redirect("arrival:start")
        give_cookie(response, token)
        return response
    rows = Tablet.objects.filter(location=here).in_use().select_related("made_by")
    context = {"form": form, "location": here, "tablets": rows}
    status = 422 if form.is_bound else 200
    return render(request, "treatments/arrival_tablets.html", context, status=status)


@requires(Permission.RUN_ARRIVAL)
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a tablet back, wherever it is."""
    tablet = fetch(request, Tablet.objects.visible_to(staff_of(request)), pk=pk)
    take_back(by=staff_of(request), tablet=tablet, at=timezone.now())
    messages.success(request, _("The tablet can no longer be used."))
    return redirect("arrival:tablets")


@requires(Permission.RUN_ARRIVAL)
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest) -> HttpResponse:
    """This browser is to be an ordinary one again; only staff can say so."""
    tablet = tablet_of(request)
    if request.method != "POST":
        return render(request, "treatments/arrival_leave.html", {"tablet": tablet})
    if tablet is not None:
        take_back(by=staff_of(request), tablet=tablet, at=timezone.now())
    response = redirect("arrival:tablets")
    take_cookie(response)
    return response
