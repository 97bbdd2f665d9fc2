"""The patient's own gate: a good link, and a birth date proved in this very browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode

from clinic.access.middleware import POLLING_HEADER
from clinic.access.permissions import patient_link
from clinic.audit.actions import record_read
from clinic.audit.context import Actor, become
from clinic.places.models import Location
from patients.portal.actions import token_hash
from patients.portal.models import Link
from patients.registry.models import Patient

PROOFS = "patient_links"
IDLE_SECONDS = 30 * 60
MOST_PROOFS = 10
MOST_CLINICS_NAMED = 5
DOOR, AT_THE_DOOR = "arrival:start", "my-arrival:"
"""Where a tablet at the door starts, as the name of its URL; and how its pages' names begin."""
STAFF_DOOR = "account_login"

Parameters = ParamSpec("Parameters")
PatientView = Callable[Concatenate[HttpRequest, str, Parameters], HttpResponseBase]


def by_link(view: PatientView[Parameters]) -> PatientView[Parameters]:
    """Open a view `(request, token, ...)` to the patient whose link and birth date are proved.

    Sets `request.patient`, `request.patient_token` and `request.patient_location`. A link that is
    of no use gets the page that says so; a browser without the proof is sent to give it.
    """

    @patient_link
    @wraps(view)
    def guarded(
        request: HttpRequest, token: str, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> HttpResponseBase:
        link = usable_link(token)
        if link is None:
            opened = _was_on_tablet(token)
            return private(_to_the_door(request, opened) if opened else gone(request))
        if not is_proved(request, link):
            asked = _to_the_door(request, link.opens) if link.is_for_tablet else None
            return private(asked or _ask_for_proof(request, token))
        if not _is_opened_by(link, request, kwargs):
            return private(redirect(_first_page(link, token)))
        _enter(request, token, link)
        return private(view(request, token, *args, **kwargs))

    return cast(PatientView[Parameters], guarded)


def _is_opened_by(link: Link, request: HttpRequest, kwargs: Mapping[str, Any]) -> bool:
    """Whether this page, and what it shows, is among what a limited link opens."""
    if not link.pages:
        return True
    asked = str(next(iter(kwargs.values()), ""))
    return _page(request) in link.pages and (not link.only or asked == link.only)


def _first_page(link: Link, token: str) -> str:
    """Where a limited link leads."""
    return reverse(link.pages[0], args=[token, link.only] if link.only else [token])


def _page(request: HttpRequest) -> str:
    match = request.resolver_match
    return match.view_name if match else "page"


def _was_on_tablet(token: str) -> str:
    """What a link that is of no use any more opened on a tablet; empty: it was none of a tablet."""
    known = Link.objects.filter(token_hash=token_hash(token), asks_birth_date=False)
    return known.values_list("opens", flat=True).first() or ""


def _to_the_door(request: HttpRequest, opened: str) -> HttpResponse:
    """A tablet goes back to its start: nobody is left on it to be asked for anything.

    One of the staff that was handed over goes to the sign-in page.
    """
    door = reverse(DOOR if opened.startswith(AT_THE_DOOR) else STAFF_DOOR)
    if getattr(request, "htmx", False):
        response = HttpResponse(status=401)
        response["HX-Redirect"] = door
        return response
    return HttpResponseRedirect(door)


def on_tablet(request: HttpRequest) -> bool:
    """Whether the patient stands at a tablet of the clinic, let in by `by_link`."""
    return bool(getattr(request, "tablet_home", ""))


def usable_link(token: str) -> Link | None:
    """The link of a token, with its patient, unless unknown, expired, closed or locked."""
    found = Link.objects.usable(timezone.now()).with_door().select_related("patient")
    return found.filter(token_hash=token_hash(token)).first()


def asks_for_passkey(link: Link) -> bool:
    """Whether the door of this link takes a passkey alone: the patient has said so.

    On a tablet of the clinic a person has seen who they are. `link`: from `usable_link`.
    """
    return bool(link.needs_passkey) and not link.is_for_tablet  # type: ignore[attr-defined]


def gone(request: HttpRequest) -> HttpResponse:
    """One page for every link that is of no use, whatever the reason."""
    clinics = list(Location.objects.all()[: MOST_CLINICS_NAMED + 1])
    shown = clinics if len(clinics) <= MOST_CLINICS_NAMED else []
    match = request.resolver_match
    token = match.kwargs.get("token", "") if match else ""
    return render(
        request, "patients/portal_gone.html", {"clinics": shown, "token": token}, status=404
    )


def private(response: HttpResponseBase) -> HttpResponseBase:
    """Kept by no cache and told to no other site."""
    add_never_cache_headers(response)
    response["Cache-Control"] = "no-store, private"
    response["Referrer-Policy"] = "same-origin"
    return response


def is_proved(request: HttpRequest, link: Link) -> bool:
    """Whether this browser has proved this link and has not been idle; a request keeps it awake."""
    wanted = [_proof_of(link, by_passkey=True)]
    if not asks_for_passkey(link):
        wanted.append(_proof_of(link))
    proof = next((one for one in wanted if _is_awake(request, one)), None)
    if proof is None:
        return False
    if POLLING_HEADER not in request.headers and _idle_seconds(request, proof) > 60:
        _remember(request, proof)
    return True


def _idle_seconds(request: HttpRequest, proof: str) -> float:
    """How long ago it was given or used; for ever, where it never was."""
    seen = request.session.get(PROOFS, {}).get(proof)
    return float("inf") if seen is None else int(time.time()) - int(seen)


def _is_awake(request: HttpRequest, proof: str) -> bool:
    return _idle_seconds(request, proof) <= IDLE_SECONDS


def opened_by_passkey(request: HttpRequest) -> bool:
    """Whether the patient whom `by_link` let in has used a passkey for it, in this browser."""
    link: Link = request.patient_link  # type: ignore[attr-defined]
    return _is_awake(request, _proof_of(link, by_passkey=True))


def remember_proof(request: HttpRequest, token: str, *, by_passkey: bool = False) -> None:
    """Note the proof in a session with a fresh key, so that one known before is worth nothing."""
    request.session.cycle_key()
    if link := usable_link(token):
        _remember(request, _proof_of(link, by_passkey=by_passkey))


def _proof_of(link: Link, *, by_passkey: bool = False) -> str:
    """What was proved, and how: this link to this patient. A merge gives a link another one."""
    return f"{link.token_hash}-{link.patient_id}{'-passkey' if by_passkey else ''}"


def _remember(request: HttpRequest, key: str) -> None:
    proofs: dict[str, int] = {**request.session.get(PROOFS, {}), key: int(time.time())}
    newest = sorted(proofs.items(), key=lambda proof: proof[1])[-MOST_PROOFS:]
    request.session[PROOFS] = dict(newest)


def _ask_for_proof(request: HttpRequest, token: str) -> HttpResponse:
    wanted = request.get_full_path() if request.method == "GET" else ""
    if getattr(request, "htmx", False):
        response = HttpResponse(status=401)
        response["HX-Redirect"] = reverse("portal:prove", args=[token])
        return response
    query = f"?{urlencode({'next': wanted})}" if wanted else ""
    return HttpResponseRedirect(reverse("portal:prove", args=[token]) + query)


def wanted_page(request: HttpRequest, token: str) -> str:
    """The page under this very link that was asked for, else its first page."""
    home = reverse("portal:home", args=[token])
    wanted = request.GET.get("next", "")
    plain = wanted.startswith(home) and "\\" not in wanted and ".." not in wanted
    return wanted if plain else home


def _enter(request: HttpRequest, token: str, link: Link) -> None:
    """From here on the patient acts, in their language unless they have chosen another."""
    patient = link.patient
    request.tablet_pages = link.pages if link.is_for_tablet else []  # type: ignore[attr-defined]
    request.tablet_home = _first_page(link, token) if link.is_for_tablet else ""  # type: ignore[attr-defined]
    request.opens_one_thing = bool(link.only)  # type: ignore[attr-defined]
    become(Actor(kind="patient", id=patient.pk, who="patient by link", role="patient"))
    request.patient = patient  # type: ignore[attr-defined]
    request.patient_link = link  # type: ignore[attr-defined]
    request.patient_token = token  # type: ignore[attr-defined]
    request.patient_location = SimpleLazyObject(  # type: ignore[attr-defined]
        lambda: location_of_patient(patient)
    )
    if place := request.patient_location:  # type: ignore[attr-defined]
        timezone.activate(place.zone)
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        speak(request, patient.house_language)
    record_read(what=_page(request), patients=[patient.pk], object_id="")


def speak(request: HttpRequest, language: str) -> None:
    """Show this page in a language, if we have it."""
    if language in dict(settings.LANGUAGES):
        translation.activate(language)
        request.LANGUAGE_CODE = language


def patient_of(request: HttpRequest) -> Patient:
    """The patient whom `by_link` let in."""
    patient: Patient = request.patient  # type: ignore[attr-defined]
    return patient


def location_of_patient(patient: Patient) -> Location | None:
    """The clinic a patient calls: the one where they were registered first."""
    return (
        Location.objects.filter(registrations__patient=patient)
        .select_related("country")
        .order_by("registrations__pk")
        .first()
    )


def portal_context(request: HttpRequest, **more: Any) -> dict[str, Any]:
    """What every page of `patient_shell.html` needs, and `more`."""
    return {
        "patient": patient_of(request),
        "token": request.patient_token,  # type: ignore[attr-defined]
        "location": request.patient_location,  # type: ignore[attr-defined]
        **more,
    }
