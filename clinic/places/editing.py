"""The one shape of every settings form: asked first where appointments would be left behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from clinic.access import gate
from clinic.access.request import staff_of
from clinic.errors import ActionRefused
from clinic.places.stranding import Stranding
from clinic.web.forms import refuse

MOST_SHOWN = 100


def found(rows: QuerySet[Any], pk: int | None) -> Any:
    """The row to change, None when a new one is made; 404 for one out of reach."""
    if pk is None:
        return None
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def sent(request: HttpRequest) -> Any:
    """What a form is bound to."""
    return request.POST if request.method == "POST" else None


def known_ids(request: HttpRequest) -> set[int]:
    """The appointments that the person has been shown already: `12,15`, however many."""
    given = request.POST.get("known", "").split(",")
    return {int(pk) for pk in given if pk.isascii() and pk.isdigit() and len(pk) < 19}


def edit(
    request: HttpRequest,
    form: BaseForm,
    save: Callable[..., object],
    title: str | Promise,
    *,
    back: str,
    template: str = "clinic/settings_edit.html",
    **context: Any,
) -> HttpResponse:
    """Show the form, or save what was sent; the values of a form go to `save` by their names."""
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                save(known=known_ids(request), **form.cleaned_data)
            except Stranding as stranding:
                context |= stranded(request, stranding)
            except ActionRefused as refused:
                refuse(form, refused)
            else:
                messages.success(request, _("Saved."))
                return redirect(back)
    context |= {"form": form, "title": title, "back": back}
    return render(request, template, context, status=status)


def ask_or_do(
    request: HttpRequest, do: Callable[..., object], title: str | Promise, *, back: str
) -> HttpResponse:
    """A change without a form, asked about on a page of its own where it strands anything."""
    try:
        do(known=known_ids(request))
    except Stranding as stranding:
        context = stranded(request, stranding) | {"title": title, "back": back}
        return render(request, "clinic/settings_confirm.html", context, status=422)
    messages.success(request, _("Saved."))
    return redirect(back)


def stranded(request: HttpRequest, stranding: Stranding) -> dict[str, Any]:
    """What a page needs to list the appointments; the patients of other locations stay unnamed."""
    mine = set(staff_of(request).place_ids)
    here: Sequence[Any] = [row for row in stranding.appointments if row.location_id in mine]
    gate.listed(request, [row.patient_id for row in here[:MOST_SHOWN]])
    return {
        "stranded": here[:MOST_SHOWN],
        "stranded_all": len(stranding.appointments),
        "stranded_more": max(0, len(here) - MOST_SHOWN),
        "stranded_elsewhere": len(stranding.appointments) - len(here),
        "stranded_words": stranding.message,
        "known": ",".join(str(row.pk) for row in stranding.appointments),
    }
