"""After arriving: what is still to fill in, and the end that leaves nothing on the tablet."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from patients.portal.access import by_link, on_tablet, patient_of, portal_context
from patients.portal.actions import close_link
from treatments.arrival.missing import consents_to_sign, history_is_open


@by_link
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest, token: str) -> HttpResponseBase:
    """That they have arrived, and the next form; posting ends it all."""
    if not on_tablet(request):
        return redirect("portal:home", token)
    if request.method == "POST":
        return _finished(request, token)
    patient = patient_of(request)
    opened = request.tablet_pages  # type: ignore[attr-defined]
    consents = consents_to_sign(patient, timezone.now())
    context = portal_context(
        request,
        history="my-history:start" in opened and history_is_open(patient),
        consent=consents[0] if consents and "my-consents:read" in opened else None,
    )
    return render(request, "treatments/arrival_arrived.html", context)


def _finished(request: HttpRequest, token: str) -> HttpResponse:
    close_link(token=token, at=timezone.now())
    request.session.flush()
    response = redirect("arrival:start")
    response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    return response
