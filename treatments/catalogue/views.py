"""Browsing, editing and approving the catalogue."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import (
    Case,
    Count,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.access.permissions import Permission, requires
from clinic.access.request import staff_of
from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from treatments.catalogue.actions import (
    add_row,
    approve_row,
    edit_row,
    take_out_of_use,
    use_version,
)
from treatments.catalogue.forms import new_row_form, row_form
from treatments.catalogue.kinds import KIND_BY_SLUG, KINDS, Kind
from treatments.catalogue.models import CatalogueRow, Product, Recipe
from treatments.catalogue.presentation import figures, listings
from treatments.catalogue.recipes import contents_of
from treatments.catalogue.related import related_to
from treatments.catalogue.sources import Citations

PAGE = 100
FILTERS = {
    "": Q(),
    "unverified": Q(approved_at__isnull=True),
    "general-knowledge": Q(general_knowledge=True),
    "clinic": Q(origin=CatalogueRow.Origin.CLINIC),
}
OUT_OF_USE = "out-of-use"


@requires(Permission.SEE_CATALOGUE)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Every kind with how many rows it has and how many nobody has verified."""
    counts = {row["of_kind"]: row for row in _counts()}
    kinds = [{"kind": kind, **counts.get(kind.slug, _NONE)} for kind in KINDS]
    unverified = sum(row["unverified"] for row in kinds)
    return render(
        request, "treatments/catalogue_index.html", {"kinds": kinds, "unverified": unverified}
    )


_NONE: dict[str, Any] = {"total": 0, "unverified": 0}


def _counts() -> QuerySet[Any, dict[str, Any]]:
    """Per kind, in one statement."""
    each = [
        kind.model._default_manager.filter(is_current=True)
        .order_by()
        .annotate(of_kind=Value(kind.slug))
        .values("of_kind")
        .annotate(total=Count("pk"), unverified=Count("pk", filter=Q(approved_at__isnull=True)))
        for kind in KINDS
    ]
    counts: QuerySet[Any, dict[str, Any]] = each[0].union(*each[1:], all=True)
    return counts


@requires(Permission.SEE_CATALOGUE)
@require_GET
def rows(request: HttpRequest, kind: str) -> HttpResponse:
    """The rows of one kind; `q` searches names and codes, `show` narrows, `after` pages on."""
    found = _kind(kind)
    asked, show = request.GET.get("q", "").strip()[:100], request.GET.get("show", "")
    matching = _matching(found, asked, show)
    after = request.GET.get("after", "")
    page = list(matching.filter(code__gt=after)[: PAGE + 1] if after else matching[: PAGE + 1])
    more = len(page) > PAGE
    asking = {"q": asked, "show": show}
    values = {
        "kind": found,
        "rows": page[:PAGE],
        "q": asked,
        "show": show,
        "may_edit": not found.written_at and staff_of(request).may(Permission.EDIT_CATALOGUE),
        "first_url": "?" + urlencode(asking) if after else "",
        "next_url": "?" + urlencode({**asking, "after": page[PAGE - 1].code}) if more else "",
    }
    return render(request, "treatments/catalogue_rows.html", values)


def _matching(kind: Kind, asked: str, show: str) -> QuerySet[Any]:
    every = kind.model._default_manager
    rows = (
        _out_of_use(every)
        if show == OUT_OF_USE
        else every.filter(FILTERS.get(show, Q()), is_current=True)
    )
    for word in asked.replace("\0", "").split():
        rows = rows.filter(
            Q(name_en__unaccent__icontains=word)
            | Q(name_fr__unaccent__icontains=word)
            | Q(code__icontains=word)
        )
    return rows.order_by("code")


def _out_of_use(every: Any) -> QuerySet[Any]:
    """The newest version of each code of which none is in force."""
    same = every.filter(code=OuterRef("code"))
    newest: QuerySet[Any] = every.filter(
        ~Exists(same.filter(is_current=True)),
        version=Subquery(same.order_by("-version").values("version")[:1]),
    )
    return newest


@requires(Permission.SEE_CATALOGUE)
@require_GET
def row(request: HttpRequest, kind: str, code: str) -> HttpResponse:
    """One row with its source, its versions, and what it brings along."""
    found = _kind(kind)
    shown, versions = _version(found, code, request.GET.get("version", ""))
    related = related_to(shown) if shown.is_current else []
    cite = Citations.of([shown])
    user = staff_of(request)
    values = {
        "kind": found,
        "row": shown,
        "versions": versions,
        "figures": figures(shown),
        "listings": listings(shown),
        "references": cite.resolve(shown.source_refs),
        "related": related,
        "contents": contents_of(shown) if isinstance(shown, Recipe) else None,
        "may_edit": not found.written_at and user.may(Permission.EDIT_CATALOGUE),
        "may_approve": not shown.is_approved
        and shown.is_current
        and user.may(Permission.APPROVE_CATALOGUE),
    }
    return render(request, "treatments/catalogue_row.html", values)


@requires(Permission.EDIT_CATALOGUE)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, kind: str, code: str) -> HttpResponse:
    """Texts and figures of the version in force; saving makes the next version."""
    found = _kind_written_here(kind)
    old, _versions = _version(found, code)
    form = row_form(found.model)(request.POST or None, instance=old)
    if request.method == "POST" and form.is_valid():
        try:
            new = edit_row(by=staff_of(request), row=old, values=form.cleaned_data)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("Version %(n)s is in force.") % {"n": new.version})
            return redirect("catalogue:row", kind, code)
    status = 422 if form.is_bound else 200
    values = {"kind": found, "row": old, "form": form}
    return render(request, "treatments/catalogue_edit.html", values, status=status)


@requires(Permission.EDIT_CATALOGUE)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, kind: str) -> HttpResponse:
    """A row of the clinic's own."""
    found = _kind_written_here(kind)
    form = new_row_form(found.model)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            new = add_row(by=staff_of(request), model=found.model, values=form.cleaned_data)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("Added. It waits for approval."))
            return redirect("catalogue:row", kind, new.code)
    status = 422 if form.is_bound else 200
    values = {"kind": found, "form": form}
    return render(request, "treatments/catalogue_edit.html", values, status=status)


@requires(Permission.EDIT_CATALOGUE)
@require_POST
def out_of_use(request: HttpRequest, kind: str, code: str, version: int) -> HttpResponse:
    """Offer a row no longer."""
    shown, _versions = _version(_kind_written_here(kind), code, str(version))
    try:
        take_out_of_use(by=staff_of(request), row=shown)
    except ActionRefused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("It is no longer offered."))
    return redirect("catalogue:row", kind, code)


@requires(Permission.APPROVE_CATALOGUE)
@require_POST
def approve(request: HttpRequest, kind: str, code: str, version: int) -> HttpResponse:
    """Take responsibility for the version that was shown."""
    shown, _versions = _version(_kind(kind), code, str(version))
    try:
        approve_row(by=staff_of(request), row=shown)
    except ActionRefused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("Approved with your name and today's date."))
    return redirect("catalogue:row", kind, code)


@requires(Permission.EDIT_CATALOGUE)
@require_POST
def use(request: HttpRequest, kind: str, code: str, version: int) -> HttpResponse:
    """Put another version in force."""
    shown, _versions = _version(_kind_written_here(kind), code, str(version))
    try:
        use_version(by=staff_of(request), row=shown)
    except ActionRefused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("Version %(n)s is in force.") % {"n": version})
    return redirect(reverse("catalogue:row", args=[kind, code]))


def _kind(slug: str) -> Kind:
    if slug not in KIND_BY_SLUG:
        raise Http404
    return KIND_BY_SLUG[slug]


def _kind_written_here(slug: str) -> Kind:
    """A kind whose rows the catalogue itself changes. Raises `Http404` for others."""
    found = _kind(slug)
    if found.written_at:
        raise Http404
    return found


def _version(kind: Kind, code: str, version: str = "") -> tuple[CatalogueRow, list[CatalogueRow]]:
    """The version asked for, else the one in force; with all versions, newest first."""
    query = kind.model._default_manager.filter(code=code).select_related("approved_by")
    if kind.model is Product:
        query = query.prefetch_related("ingredients__substance")
    in_force_first = Case(When(is_current=True, then=0), default=1)
    versions = list(query.order_by(in_force_first, "-version"))
    chosen = [v for v in versions if version in ("", str(v.version))]
    if not chosen:
        raise Http404
    return chosen[0], sorted(versions, key=lambda v: -v.version)
