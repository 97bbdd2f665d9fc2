"""Tracing: who was exposed to one thing, as a list, as a file, and the lot held back."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from aftercare.safety.exposures import (
    Exposure,
    Kind,
    exposed,
    one_spelling,
    product_names,
    said,
)
from aftercare.safety.forms import RecallForm, TraceForm
from aftercare.safety.listing import lines
from aftercare.safety.models import Recall
from aftercare.safety.survey import files, survey
from clinic.access.gate import fetch, listed
from clinic.access.models import Staff
from clinic.access.permissions import Permission, requires
from clinic.access.request import staff_of, zone_of
from clinic.audit.actions import record_read
from clinic.web.notices import refused_notice
from clinic.web.templatetags.clinic_web import clinical_date
from treatments.catalogue.models import Lot
from treatments.sessions.models import Session
from treatments.stock.actions import set_lot_state
from treatments.stock.words import lot_look

PAGE = 50
SUGGESTED = 12


@requires(Permission.RUN_RECALLS)
@require_safe
def trace(request: HttpRequest) -> HttpResponse:
    """Everyone exposed, newest session first; `after` pages on."""
    staff, zone = staff_of(request), zone_of(request)
    form = TraceForm(request.GET, staff=staff)
    context: dict[str, Any] = {"tab": "trace", "form": form, "kinds": Kind, "zone": zone}
    exposure = asked_for(form, staff, context) if form.asks and form.is_valid() else None
    if exposure is not None:
        context |= _found(request, exposure, staff, zone)
    return render(request, "aftercare/trace.html", context)


def asked_for(form: TraceForm, staff: Staff, context: dict[str, Any]) -> Exposure | None:
    """What was asked for; of a lot number that is none, or stands for several, what it may be."""
    if form.kind != Kind.LOT:
        exposure = form.exposure()
        return exposure if exposure.key or form.kind == Kind.WINDOW else None
    number, code = form.cleaned_data["lot"], form.cleaned_data.get("product")
    here = Lot.objects.visible_to(staff)
    same = here.filter(number__iexact=number)
    if code:
        same = same.filter(product__code=code)
    pairs = one_spelling(same.values_list("product__code", "number"))
    if len(pairs) == 1:
        return form.exposure(pairs[0])
    if not pairs:
        near = here.filter(number__icontains=number).order_by("number")
        pairs = one_spelling(near.values_list("product__code", "number")[: 4 * SUGGESTED])
    names = product_names(code for code, _number in pairs)
    context["unclear"] = True
    context["suggested"] = [
        (f"?{address(form.exposure(pair))}", pair[1], names.get(pair[0], pair[0]))
        for pair in pairs[:SUGGESTED]
    ]
    return None


def address(exposure: Exposure, **more: str) -> str:
    """An exposure as the query of the trace page."""
    return urlencode(exposure.query | {key: value for key, value in more.items() if value}, True)


def _found(
    request: HttpRequest, exposure: Exposure, staff: Staff, zone: ZoneInfo
) -> dict[str, Any]:
    """The page of sessions, how many it is in all, and what may be done about it."""
    sessions = exposed(exposure, staff.place_ids, zone)
    key = request.GET.get("after", "")
    found = survey(sessions, _loaded(Session.objects.all()), PAGE, key)
    listed(request, [row.patient_id for row in found.rows])
    lots = list(_lots(exposure, staff))
    today = timezone.localdate(timezone=zone)
    open_recall = (
        Recall.objects.visible_to(staff)
        .open()
        .filter(
            kind=exposure.kind, key=list(exposure.key), since=exposure.since, until=exposure.until
        )
    )
    return {
        "exposure": exposure,
        "words": said(exposure),
        "extent": found,
        "rows": found.rows,
        "lots": [(lot, lot_look(lot, today)) for lot in lots],
        "may_hold": [lot for lot in lots if lot.state == Lot.State.AVAILABLE],
        "query": address(exposure),
        "first_url": f"?{address(exposure)}" if key else "",
        "next_url": f"?{address(exposure, after=found.following)}" if found.following else "",
        "recall": open_recall.first(),
        "recall_form": RecallForm(),
    }


def _loaded(sessions: Any) -> Any:
    return sessions.select_related(
        "patient", "location", "practitioner", "appointment__room"
    ).prefetch_related("treated_areas__area", "treated_areas__technique")


def _lots(exposure: Exposure, staff: Staff) -> Any:
    """The lot at each location where it is, or that a container is of; none for other kinds."""
    here = Lot.objects.visible_to(staff)
    if exposure.kind == Kind.LOT:
        code, number = exposure.key
        here = here.filter(product__code=code, number__iexact=number)
    elif exposure.kind == Kind.CONTAINER:
        here = here.filter(open_containers=int(exposure.key[0]))
    else:
        here = here.none()
    return here.select_related("product", "location").order_by("location__name")


@requires(Permission.RUN_RECALLS)
@require_safe
def trace_csv(request: HttpRequest) -> HttpResponseBase:
    """The whole list as a file. Before a line of it leaves, the reading is written down."""
    staff, zone = staff_of(request), zone_of(request)
    form = TraceForm(request.GET, staff=staff)
    exposure = asked_for(form, staff, {}) if form.asks and form.is_valid() else None
    if exposure is None:
        return redirect(f"{reverse('safety:trace')}?{request.GET.urlencode()}")
    sessions = exposed(exposure, staff.place_ids, zone)
    record_read(what="safety:trace-csv", patients=files(sessions), object_id=exposure.ident[:60])
    response = StreamingHttpResponse(lines(sessions), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="exposed.csv"'
    response["Cache-Control"] = "no-store"
    return response


@requires(Permission.RUN_RECALLS)
@require_POST
def quarantine(request: HttpRequest, pk: int) -> HttpResponse:
    """Hold a lot back, by the shelf's own action: at its location, or with `everywhere` at each of
    one's own where it still may be used.
    """
    mine: Any = Lot.objects.visible_to(staff_of(request)).select_related("product", "location")
    lot: Lot = fetch(request, mine, pk=pk)
    exposure = Exposure(Kind.LOT, (lot.product.code, lot.number))
    lots = _lots(exposure, staff_of(request)) if "everywhere" in request.POST else [lot]
    for one in lots:
        if one.state == Lot.State.AVAILABLE or one.pk == lot.pk:
            _hold(request, one)
    return redirect(f"{reverse('safety:trace')}?{address(exposure)}")


def _hold(request: HttpRequest, lot: Lot) -> None:
    today = clinical_date(timezone.localdate(timezone=lot.location.zone))
    with refused_notice(request):
        set_lot_state(
            by=staff_of(request),
            lot=lot,
            state=Lot.State.QUARANTINED,
            reason=_("Held back while it is traced, %(day)s.") % {"day": today},
        )
        said = {"lot": lot.number, "place": lot.location.name}
        messages.success(
            request, _("Lot %(lot)s is held back at %(place)s: no session can use it.") % said
        )
