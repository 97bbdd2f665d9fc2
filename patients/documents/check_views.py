"""The page where anyone checks a copy of a document, without seeing anything of it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic.access.limits import address_of, tried_too_often
from clinic.access.permissions import public
from clinic.rendering.checking import CheckingFailed
from patients.documents.checking import check_copy
from patients.documents.forms import CopyForm

MOST_PER_ADDRESS = 30
"""Files in a quarter of an hour."""


@public
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """Ask for a file; say whether it is unchanged and ours. Nothing of it is kept or shown."""
    if request.method != "POST":
        return _page(request, CopyForm())
    form = CopyForm(request.POST, request.FILES)
    if tried_too_often("document-check", (address_of(request), MOST_PER_ADDRESS)):
        form.add_error(None, _("Too many tries. Please wait a quarter of an hour."))
        return _page(request, form, status=429)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        checked = check_copy(form.cleaned_data["copy"])
    except CheckingFailed as failed:
        form.add_error("copy", str(failed))
        return _page(request, form, status=422)
    return render(request, "patients/document_check.html", {"form": CopyForm(), "checked": checked})


def _page(request: HttpRequest, form: CopyForm, status: int = 200) -> HttpResponse:
    return render(request, "patients/document_check.html", {"form": form}, status=status)
