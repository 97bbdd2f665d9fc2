"""Asking for one's link anew: open to anyone, and telling nobody anything."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access.limits import address_of, tried_too_often
from clinic.access.permissions import patient_link, public
from patients.messages.asking import ask_by_contact, ask_by_token
from patients.messages.forms import ContactForm
from patients.portal.access import private

MOST_PER_ADDRESS = 12


def _too_often(request: HttpRequest) -> bool:
    return tried_too_often("link-request", (address_of(request), MOST_PER_ADDRESS))


@public
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponseBase:
    """By e-mail address or mobile number; the answer is the same for every one of them."""
    form = ContactForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        status = 422 if request.method == "POST" else 200
        return private(_form(request, form, status))
    if _too_often(request):
        form.add_error(None, _("Too many tries. Please wait a quarter of an hour."))
        return private(_form(request, form, 429))
    ask_by_contact(contact=form.cleaned_data["contact"], at=timezone.now())
    return private(redirect("my-link:sent"))


def _form(request: HttpRequest, form: ContactForm, status: int) -> HttpResponse:
    return render(request, "patients/link_ask.html", {"form": form}, status=status)


@patient_link
@require_POST
def again(request: HttpRequest, token: str) -> HttpResponseBase:
    """With a link that no longer works: a new one goes to the address on file, if there is any."""
    if _too_often(request):
        form = ContactForm()
        form.cleaned_data = {}
        form.add_error(None, _("Too many tries. Please wait a quarter of an hour."))
        return private(_form(request, form, 429))
    ask_by_token(token=token, at=timezone.now())
    return private(redirect("my-link:sent"))


@public
@require_safe
def sent(request: HttpRequest) -> HttpResponseBase:
    """The one answer to all who asked."""
    return private(render(request, "patients/link_sent.html"))
