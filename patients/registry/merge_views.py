"""Two files side by side, made one; an earlier file to read; and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.access import gate
from clinic.access.models import Staff
from clinic.access.permissions import Permission, requires
from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.web.forms import refuse
from patients.registry.access_log import ROOMS
from patients.registry.actions import similar_patients
from patients.registry.finder import Found, find
from patients.registry.forms import MergeForm, UnmergeForm
from patients.registry.merge_parts import objections
from patients.registry.merges import (
    CannotMerge,
    added_since,
    holdings,
    merge_patients,
    moved,
    moving,
    unmerge_patients,
)
from patients.registry.models import Merge, Patient
from patients.registry.search import LONGEST_QUERY, parse

MOST_LIKELY = 8
COUNTED: dict[str, str | Promise] = ROOMS | {
    "diary": gettext_lazy("appointments"),
    "portal": gettext_lazy("personal links"),
}
FOR_EVERYONE = {"diary", "portal", "messages", "documents", "intake"}
"""Rooms whose counts the desk may see; the others are one figure to whoever reads no notes."""


class Row(NamedTuple):
    """One line of the comparison."""

    name: str
    left: Any
    right: Any
    tells: bool = True

    @property
    def differs(self) -> bool:
        """Whether it speaks against one person; the day of registration does not."""
        return bool(self.tells and self.left != self.right)


class Side(NamedTuple):
    """One of the two files: what it holds, what would go over to it, and what stands in the way."""

    patient: Patient
    holds: list[tuple[str, int]]
    gains: list[tuple[str, int]]
    objections: list[str]


@requires(Permission.SEE_PATIENTS)
@require_GET
def compare(request: HttpRequest, number: int) -> HttpResponse:
    """Choose the other file, then see both side by side; the desk sees it too, without the form."""
    me = staff_of(request)
    patient = gate.fetch(request, Patient.objects.visible_to(me), pk=number)
    if patient.is_closed_file:
        return redirect("patients:detail", patient.number)
    other = _other(request, patient)
    if other is None:
        return _choose(request, patient)
    sides = _sides(me, patient, other)
    return _compared(request, sides, MergeForm(sides=sides, initial={"keep": _fuller(sides)}))


def _other(request: HttpRequest, patient: Patient) -> Patient | None:
    """The file of `?with=P000123`, through the gate; one that was merged stands for its own."""
    digits = request.GET.get("with", "").removeprefix("P")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 13):
        return None
    visible = Patient.objects.visible_to(staff_of(request))
    other = gate.fetch(request, visible, pk=int(digits)).kept
    return None if other == patient else other


def _choose(request: HttpRequest, patient: Patient) -> HttpResponse:
    text = request.GET.get("q", "")[:LONGEST_QUERY].strip()
    visible = Patient.objects.visible_to(staff_of(request)).exclude(pk=patient.pk)
    rows: list[Found | Patient]
    if text:
        query = parse(text, today=timezone.localdate())
        rows = [row for row in find(visible, query).rows if row.pk != patient.pk]
    else:
        who = {name: getattr(patient, name) for name in ("given_name", "family_name", "birth_date")}
        alike = similar_patients(**who).visible_to(staff_of(request)).in_use()
        rows = list(alike.exclude(pk=patient.pk)[:MOST_LIKELY])
    gate.listed(request, [row.pk for row in rows])
    context = _page(request, patient) | {"rows": rows, "q": text}
    return render(request, "patients/patient_merge_choose.html", context)


def _page(request: HttpRequest, patient: Patient) -> dict[str, Any]:
    today = timezone.localdate(timezone=location_of(request).zone)
    return {"patient": patient, "today": today}


def _sides(me: Staff, one: Patient, other: Patient) -> list[Side]:
    return [
        Side(a, _counted(me, holdings(a)), _counted(me, moving(b)), objections(b, a))
        for a, b in ((one, other), (other, one))
    ]


def _counted(me: Staff, counts: dict[str, int]) -> list[tuple[str, int]]:
    """Counts in words, clinical ones as one figure to whoever may not read the notes."""
    may_read, clinical, lines = me.may(Permission.SEE_NOTES), 0, []
    for room, count in counts.items():
        if may_read or room in FOR_EVERYONE:
            lines.append((str(COUNTED.get(room, room)), count))
        else:
            clinical += count
    return [*lines, (_("clinical records"), clinical)] if clinical else lines


def _fuller(sides: list[Side]) -> str:
    """The number of the file with more in it, of two alike the older one."""
    by_weight = sorted(sides, key=lambda s: (-sum(n for _w, n in s.holds), s.patient.pk))
    return by_weight[0].patient.number


def _compared(
    request: HttpRequest, sides: list[Side], form: MergeForm, status: int = 200
) -> HttpResponse:
    one, other = (side.patient for side in sides)
    context = _page(request, one) | {
        "other": other,
        "sides": sides,
        "rows": _rows(one, other),
        "form": form,
        "may_merge": staff_of(request).may(Permission.MERGE_PATIENTS),
    }
    return render(request, "patients/patient_merge.html", context, status=status)


def _rows(one: Patient, other: Patient) -> list[Row]:
    def row(name: str, of: Callable[[Patient], Any], *, tells: bool = True) -> Row:
        return Row(name, of(one), of(other), tells)

    return [
        row(_("Family name"), lambda p: p.family_name),
        row(_("Given name"), lambda p: p.given_name),
        row(_("Born"), lambda p: p.birth_date),
        row(_("Sex"), lambda p: p.get_sex_display()),
        row(_("Phone"), lambda p: str(p.phone.as_international) if p.phone else ""),
        row(_("E-mail"), lambda p: p.email),
        row(_("Language"), lambda p: _language(p.language)),
        row(_("Known at"), lambda p: ", ".join(place.name for place in p.locations.all())),
        row(_("Registered"), lambda p: timezone.localdate(p.created_at), tells=False),
    ]


def _language(code: str) -> str:
    return str(capfirst(get_language_info(code)["name_translated"]))


@requires(Permission.MERGE_PATIENTS)
@require_POST
def merge(request: HttpRequest, number: int) -> HttpResponse:
    """Merge the two files; the one to keep was chosen on the page."""
    me = staff_of(request)
    visible = Patient.objects.visible_to(me)
    patient = gate.look_up(request, visible, pk=number)
    other = gate.look_up(request, visible, pk=request.POST.get("other", ""))
    sides = _sides(me, patient, other)
    form = MergeForm(request.POST, sides=sides)
    if form.is_valid():
        kept, gone = (patient, other) if form.keeps(patient) else (other, patient)
        try:
            merge_patients(by=me, survivor=kept, merged=gone, reason=form.cleaned_data["reason"])
        except CannotMerge as refused:
            for objection in refused.objections:
                form.add_error(None, objection)
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            text = _("%(gone)s is now an earlier file of %(kept)s.")
            messages.success(request, text % {"gone": gone.number, "kept": kept.number})
            return redirect("patients:detail", kept.number)
    return _compared(request, sides, form, status=422)


@requires(Permission.SEE_PATIENTS)
@require_GET
def earlier(request: HttpRequest, number: int) -> HttpResponse:
    """A file that was merged into another, to read; any other file is on its own page."""
    patient = gate.fetch(request, Patient.objects.visible_to(staff_of(request)), pk=number)
    if not patient.is_closed_file:
        return redirect("patients:detail", patient.number)
    return render(request, "patients/patient_earlier.html", _page(request, patient))


@requires(Permission.MERGE_PATIENTS)
@require_http_methods(["GET", "POST"])
def unmerge(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """What would go back and what would stay, and the button that makes two files of one again."""
    me = staff_of(request)
    visible = Merge.objects.visible_to(me).select_related("survivor", "merged", "made_by")
    row = gate.fetch(request, visible, pk=pk, survivor_id=number)
    form = UnmergeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            staying = unmerge_patients(by=me, merge=row, reason=form.cleaned_data["reason"])
        except ActionRefused as refused:
            refuse(form, refused)
        else:
            return _parted(request, row, staying)
    context = _page(request, row.survivor) | {
        "merge": row,
        "form": form,
        "returning": _counted(me, moved(row)),
        "added": _counted(me, added_since(row)),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "patients/patient_unmerge.html", context, status=status)


def _parted(request: HttpRequest, row: Merge, staying: dict[str, int]) -> HttpResponse:
    text = _("%(one)s and %(other)s are two files again.")
    messages.success(request, text % {"one": row.survivor.number, "other": row.merged.number})
    left = _counted(staff_of(request), staying)
    if left:
        said = ", ".join(f"{capfirst(words)}: {count}" for words, count in left)
        text = _("Dealt with since, so kept with %(number)s: %(what)s.")
        messages.warning(request, text % {"number": row.survivor.number, "what": said})
    return redirect(reverse("patients:detail", args=[row.merged.number]))
