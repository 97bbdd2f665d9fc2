"""Signing in, idle logout, the second factor, and refusal at once for who is no longer staff."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from clinic.access.middleware import AccessMiddleware
from clinic.access.models import Staff
from clinic.access.permissions import GRANTS, Permission, Role
from tests.conftest import PASSWORD, Cast

pytestmark = pytest.mark.django_db

ClientFor = Callable[[Staff], Client]


def sign_in(client: Client, email: str, password: str = PASSWORD) -> Any:
    return client.post("/sign-in/", {"login": email, "password": password})


def test_staff_sign_in_with_e_mail_and_password(cast: Cast) -> None:
    client = Client()
    response = sign_in(client, cast.practitioner.email)
    assert response.status_code == 302
    assert client.get("/today/").status_code == 200


@pytest.mark.parametrize(("email", "password"), [("", ""), ("x", "y"), ("a@b.c", "z" * 5000)])
def test_a_wrong_sign_in_is_told_and_reveals_nothing(cast: Cast, email: str, password: str) -> None:
    known = sign_in(Client(), cast.practitioner.email, "wrong password here")
    other = sign_in(Client(), email or "nobody@example.org", password or "wrong password here")
    assert known.status_code == other.status_code == 200
    assert "/today/" not in other.headers.get("Location", "")


def test_guessing_is_slowed_down_even_for_the_right_password(cast: Cast) -> None:
    client = Client()
    for _attempt in range(5):
        sign_in(client, cast.practitioner.email, "wrong password here")
    sign_in(client, cast.practitioner.email)
    assert client.get("/today/").status_code == 302
    cache.clear()
    sign_in(client, cast.practitioner.email)
    assert client.get("/today/").status_code == 200


def test_nobody_signs_up(db: None) -> None:
    Client().post("/account/sign-up/", {"email": "new@example.org", "password1": PASSWORD})
    assert not Staff.objects.filter(email="new@example.org").exists()


def test_anonymous_is_sent_to_sign_in_and_back(cast: Cast) -> None:
    response = Client().get("/patients/?q=x")
    assert response.status_code == 302
    assert response["Location"] == "/sign-in/?next=/patients/%3Fq%3Dx"


def test_a_fragment_sends_the_whole_page_to_sign_in(cast: Cast) -> None:
    response = Client().get("/today/", headers={"HX-Request": "true"})
    assert response.status_code == 401
    assert response["HX-Redirect"].startswith("/sign-in/")


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": Role.FRONT_DESK}])
def test_access_ends_with_the_next_request(
    cast: Cast, client_for: ClientFor, change: dict[str, Any]
) -> None:
    client = client_for(cast.manager)
    assert client.get("/settings/").status_code == 200
    Staff.objects.filter(pk=cast.manager.pk).update(**change)
    assert client.get("/settings/").status_code in (302, 403)


def test_an_idle_workstation_is_signed_out_in_spite_of_polling(
    cast: Cast, client_for: ClientFor, settings: Any
) -> None:
    client = client_for(cast.practitioner)
    start = datetime(2026, 11, 23, 9, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        assert client.get("/today/").status_code == 200
        for _minute in range(settings.IDLE_MINUTES + 1):
            clock.shift(timedelta(minutes=1))
            client.get("/today/", headers={"X-Polling": "true"})
        assert client.get("/today/").status_code == 302


def test_a_person_at_work_stays_signed_in(cast: Cast, client_for: ClientFor, settings: Any) -> None:
    client = client_for(cast.practitioner)
    with time_machine.travel(datetime(2026, 11, 23, 9, tzinfo=UTC), tick=False) as clock:
        assert client.get("/today/").status_code == 200
        for _visit in range(4):
            clock.shift(timedelta(minutes=settings.IDLE_MINUTES - 1))
            assert client.get("/today/").status_code == 200


def test_without_a_second_factor_only_its_set_up_can_be_reached(
    cast: Cast, client_for: ClientFor, settings: Any
) -> None:
    settings.MFA_REQUIRED = True
    client = client_for(cast.manager)
    for address in ("/today/", "/patients/", "/settings/", f"/patients/{cast.patient.number}/"):
        response = client.get(address)
        assert (response.status_code, response["Location"]) == (302, "/account/second-factor/")
    assert client.get("/account/second-factor/").status_code == 200


def test_a_session_from_before_the_second_factor_must_give_it(
    cast: Cast, client_for: ClientFor, settings: Any
) -> None:
    settings.MFA_REQUIRED = True
    client = client_for(cast.manager)
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(cast.manager, secret)
    page = "/account/second-factor/reauthenticate/"
    assert client.get("/today/")["Location"] == page
    counter = next(totp.yield_hotp_counters_from_time())
    code = totp.format_hotp_value(totp.hotp_value(secret, counter))
    assert client.post(page, {"code": "000000"}).status_code == 200
    assert client.get("/today/")["Location"] == page
    assert client.post(page, {"code": code}).status_code == 302
    assert client.get("/today/").status_code == 200


def test_the_old_cookie_is_refused_after_signing_out(cast: Cast, client_for: ClientFor) -> None:
    client = client_for(cast.practitioner)
    client.get("/today/")
    stolen = Client()
    stolen.cookies = client.cookies.copy()
    client.post("/sign-out/")
    assert stolen.get("/today/").status_code == 302


def test_a_view_without_a_mark_is_refused() -> None:
    def unmarked(request: HttpRequest) -> HttpResponse:
        return HttpResponse("secret")

    request = RequestFactory().get("/unmarked/")
    middleware = AccessMiddleware(unmarked)
    with pytest.raises(PermissionDenied):
        middleware.process_view(request, unmarked, (), {})


def test_the_desk_cannot_read_clinical_words() -> None:
    clinical = {Permission.SEE_NOTES, Permission.SEE_HISTORY, Permission.SEE_DOCUMENTS}
    assert not clinical & GRANTS[Role.FRONT_DESK]
    assert not clinical & GRANTS[Role.MANAGER]


def test_location_is_switched_only_to_ones_own(cast: Cast, client_for: ClientFor) -> None:
    client = client_for(cast.practitioner)
    client.post("/location/", {"location": str(cast.there.pk), "next": "https://evil.example/"})
    assert client.session.get("location") is None
    response = client.post("/location/", {"location": str(cast.here.pk), "next": "/diary/"})
    assert client.session["location"] == cast.here.pk
    assert response["Location"] == "/diary/"


def test_the_security_headers_are_there(cast: Cast, client_for: ClientFor) -> None:
    response = client_for(cast.practitioner).get("/today/")
    policy = response["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "no-store"
    assert response["Referrer-Policy"] == "same-origin"


def test_times_are_those_of_the_chosen_location(cast: Cast, client_for: ClientFor) -> None:
    """The same moment, read at two locations with clocks an hour apart."""
    seen = {}
    for staff, place in ((cast.practitioner, cast.here), (cast.practitioner2, cast.there)):
        client = client_for(staff)
        client.get("/today/")
        seen[place.timezone] = timezone.get_current_timezone_name()
    assert seen == {"Europe/Paris": "Europe/Paris", "Europe/London": "Europe/London"}
