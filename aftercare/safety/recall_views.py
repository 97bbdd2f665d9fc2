"""Recalls: begin one, see who was reached and who not, have people told, record calls, close."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from aftercare.safety.forms import AttemptForm, CloseRecallForm, RecallForm, TraceForm
from aftercare.safety.models import IN_TOUCH, Recall, RecallContact, Standing
from aftercare.safety.recalling import (
    ask_to_tell,
    close_recall,
    exposure_of,
    open_recall,
    record_attempt,
)
from aftercare.safety.trace_views import address, asked_for
from clinic.access.gate import fetch, listed
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of, zone_of
from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from clinic.web.notices import refused_notice
from patients.documents.models import Document
from patients.documents.views import pdf_response

PAGE = 50
LOOKS = {
    Standing.REACHED: ("good", "telephone"),
    Standing.DELIVERED: ("good", "envelope-check"),
    Standing.SENT: ("info", "send-check"),
    Standing.WAITING: ("wait", "hourglass-split"),
    Standing.FAILED: ("stop", "envelope-exclamation"),
    Standing.NO_WAY: ("stop", "telephone-outbound"),
    Standing.UNTOLD: ("calm", "circle"),
}
"""Tone and icon of each standing."""


def _recall(request: HttpRequest, pk: int) -> Recall:
    mine: Any = Recall.objects.visible_to(staff_of(request)).select_related(
        "location", "opened_by", "closer"
    )
    found: Recall = fetch(request, mine, pk=pk)
    return found


@requires(Permission.CALL_EXPOSED)
@require_safe
def recalls(request: HttpRequest) -> HttpResponse:
    """The recalls of the location, newest first."""
    here = Recall.objects.visible_to(staff_of(request)).filter(location=location_of(request))
    rows = here.select_related("opened_by").annotate(people=Count("contacts")).order_by("-pk")
    context = {
        "tab": "recalls",
        "rows": rows[:PAGE],
        "may_see": staff_of(request).may(Permission.SEE_SAFETY),
        "zone": zone_of(request),
    }
    return render(request, "aftercare/recalls.html", context)


@requires(Permission.RUN_RECALLS)
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Begin a recall of what the trace page showed; its address says of what."""
    staff, form = staff_of(request), RecallForm(request.POST)
    asked = TraceForm(request.GET, staff=staff)
    exposure = asked_for(asked, staff, {}) if asked.asks and asked.is_valid() else None
    if exposure is None:
        return redirect("safety:trace")
    try:
        if not form.is_valid():
            raise ActionRefused(_("Write the reason."))
        recall = open_recall(
            by=staff,
            location=location_of(request),
            exposure=exposure,
            zone=zone_of(request),
            **form.cleaned_data,
        )
    except ActionRefused as refused:
        messages.error(request, refused.message)
        return redirect(f"{reverse('safety:trace')}?{address(exposure)}")
    return redirect("safety:recall", recall.pk)


@requires(Permission.CALL_EXPOSED)
@require_safe
def recall(request: HttpRequest, pk: int) -> HttpResponse:
    """Everyone it concerns, and who was reached; `show` narrows, `after` pages on."""
    return _recall_page(request, _recall(request, pk))


def _recall_page(
    request: HttpRequest, row: Recall, closing: CloseRecallForm | None = None
) -> HttpResponse:
    staff = staff_of(request)
    everyone = RecallContact.objects.at_places_of(staff).filter(recall=row).with_standing()
    counts = dict(everyone.order_by().values_list("standing").annotate(Count("pk")))
    show = request.GET.get("show", "")
    chosen = _narrowed(everyone, show)
    after = request.GET.get("after", "")
    rows = list(_behind(chosen, after)[: PAGE + 1])
    listed(request, [one.patient_id for one in rows[:PAGE]])
    may_see = staff.may(Permission.SEE_SAFETY)
    context = {
        "tab": "recalls",
        "recall": row,
        "may_see": may_see,
        "may_run": staff.may(Permission.RUN_RECALLS) and row.is_open,
        "zone": row.location.zone,
        "total": sum(counts.values()),
        "in_touch": sum(counts.get(one.value, 0) for one in IN_TOUCH),
        "untold": counts.get(Standing.UNTOLD.value, 0),
        "counts": [
            (one, counts[one.value], *LOOKS[one]) for one in Standing if one.value in counts
        ],
        "show": show,
        "rows": [_line(one) for one in rows[:PAGE]],
        "first_url": f"?{urlencode({'show': show})}" if after else "",
        "next_url": _next(show, rows),
        "trace_url": f"{reverse('safety:trace')}?{address(exposure_of(row))}" if may_see else "",
        "closing": closing or CloseRecallForm(),
    }
    status = 422 if closing is not None and closing.errors else 200
    return render(request, "aftercare/recall.html", context, status=status)


def _narrowed(contacts: Any, show: str) -> Any:
    """`missing`: of whom it is not known that the news arrived; else one standing, or all."""
    if show == "missing":
        return contacts.exclude(standing__in=[one.value for one in IN_TOUCH])
    return contacts.filter(standing=show) if show in Standing.values else contacts


def _behind(contacts: Any, after: str) -> Any:
    rows = contacts.select_related("patient", "location", "letter", "message").defer(
        "letter__html", "message__body"
    )
    rows = rows.prefetch_related("attempts__by").order_by("pk")
    is_key = after.isascii() and after.isdigit() and len(after) < 12
    return rows.filter(pk__gt=int(after)) if is_key else rows


def _next(show: str, rows: list[Any]) -> str:
    if len(rows) <= PAGE:
        return ""
    return f"?{urlencode({'show': show, 'after': rows[PAGE - 1].pk})}"


def _line(contact: Any) -> dict[str, Any]:
    standing = Standing(contact.standing)
    letter = contact.letter
    return {
        "contact": contact,
        "patient": contact.patient,
        "word": standing.label,
        "tone": LOOKS[standing][0],
        "icon": LOOKS[standing][1],
        "attempts": list(contact.attempts.all()),
        "has_letter": letter is not None and letter.state == Document.State.READY,
    }


@requires(Permission.RUN_RECALLS)
@require_POST
def tell(request: HttpRequest, pk: int) -> HttpResponse:
    """Have everyone told who was not yet."""
    row = _recall(request, pk)
    with refused_notice(request):
        count = ask_to_tell(by=staff_of(request), recall=row)
        messages.success(
            request,
            _("%(count)d messages and letters are being written. You can leave this page.")
            % {"count": count},
        )
    return redirect("safety:recall", row.pk)


@requires(Permission.RUN_RECALLS)
@require_POST
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close it in words."""
    row, form = _recall(request, pk), CloseRecallForm(request.POST)
    if form.is_valid():
        try:
            close_recall(by=staff_of(request), recall=row, **form.cleaned_data)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            return redirect("safety:recall", row.pk)
    return _recall_page(request, row, closing=form)


def _contact(request: HttpRequest, pk: int) -> RecallContact:
    mine: Any = RecallContact.objects.at_places_of(staff_of(request)).select_related(
        "recall__location", "patient", "location", "letter"
    )
    found: RecallContact = fetch(request, mine, pk=pk)
    return found


@requires(Permission.CALL_EXPOSED)
@require_http_methods(["GET", "POST"])
def contact(request: HttpRequest, pk: int) -> HttpResponse:
    """One person: the number to call, what was tried, and what came of the call."""
    row = _contact(request, pk)
    form = AttemptForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            record_attempt(by=staff_of(request), contact=row, **form.cleaned_data)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            return redirect("safety:recall", row.recall_id)
    standing = RecallContact.objects.with_standing().get(pk=row.pk)
    context = {
        "tab": "recalls",
        "recall": row.recall,
        "line": _line(standing),
        "contact": row,
        "patient": row.patient,
        "attempts": row.attempts.select_related("by"),
        "may_see": staff_of(request).may(Permission.SEE_SAFETY),
        "form": form,
        "zone": row.location.zone,
    }
    return render(
        request, "aftercare/recall_contact.html", context, status=422 if form.errors else 200
    )


@requires(Permission.SEE_SAFETY)
@require_safe
def letter(request: HttpRequest, pk: int) -> HttpResponse:
    """A patient's letter as PDF, to be printed and posted."""
    row = _contact(request, pk)
    if row.letter is None or row.letter.state != Document.State.READY:
        messages.warning(request, _("This document is not ready yet."))
        return redirect("safety:contact", row.pk)
    try:
        return pdf_response(row.letter)
    except ActionRefused as refused:
        messages.error(request, refused.message)
        return redirect("safety:contact", row.pk)
