"""What has changed since an earlier plan, said before it is done again.

Rows taken out of use, rows with another version and what differs in it, rules that are new and
speak against it, a history handed in since, and how the earlier course went.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patients.intake.facts import changed_since
from patients.intake.models import History
from treatments.catalogue.models import (
    Area,
    CatalogueRow,
    Contraindication,
    Product,
    Protocol,
    Substance,
    Technique,
)
from treatments.plans.models import MixLine, Plan
from treatments.plans.reading import screen_plan
from treatments.plans.reports import reports_of

MOST_FACTS = 12
FIELDS = {
    "depth_min_mm": gettext_lazy("least depth"),
    "depth_max_mm": gettext_lazy("greatest depth"),
    "spacing_min_mm": gettext_lazy("least spacing"),
    "spacing_max_mm": gettext_lazy("greatest spacing"),
    "volume_min_ml": gettext_lazy("least volume per point"),
    "volume_max_ml": gettext_lazy("greatest volume per point"),
    "flags": gettext_lazy("marks"),
    "allergens": gettext_lazy("allergens"),
    "has_epinephrine": gettext_lazy("epinephrine"),
    "is_diluent": gettext_lazy("diluent"),
    "container_ml": gettext_lazy("container"),
    "country_flags": gettext_lazy("marks by country"),
    "limits": gettext_lazy("limits of the label"),
    "rules": gettext_lazy("conditions"),
    "areas_only": gettext_lazy("labelled areas"),
    "is_blocked_by_default": gettext_lazy("blocked"),
    "phases": gettext_lazy("sessions and intervals"),
    "is_negative": gettext_lazy("no benefit found"),
    "thorax_risk": gettext_lazy("over the chest"),
}
"""What of a row matters to a plan, by the name of its field."""


@dataclass(frozen=True)
class Changed:
    """One thing that is not as it was; `is_gone`: it can no longer be planned."""

    words: str
    is_gone: bool = False


def changes_since(earlier: Plan, at: datetime) -> list[Changed]:
    """Everything that differs since an earlier plan was accepted, else made; gravest first."""
    since = earlier.accepted_at or earlier.created_at
    found = [
        *_rows(earlier),
        *_substances(earlier, since),
        *_rules(earlier, since, at),
        *_history(earlier, since),
        *_course(earlier),
    ]
    return sorted(found, key=lambda one: not one.is_gone)


def gone_from(plan: Plan) -> list[Changed]:
    """Of a draft: what of it has been taken out of use or changed since it was written."""
    return [*_rows(plan)]


def _rows(plan: Plan) -> Iterator[Changed]:
    areas = list(plan.areas.select_related("area", "technique"))
    mix = plan.mix.select_related("product").prefetch_related("product__ingredients__substance")
    protocol = [plan.protocol] if plan.protocol else []
    yield from _compared(Area, [part.area for part in areas])
    yield from _compared(Technique, [part.technique for part in areas])
    yield from _products(mix)
    yield from _compared(Protocol, protocol)


def _compared(model: type[CatalogueRow], used: Iterable[Any]) -> Iterator[Changed]:
    rows = {row.code: row for row in used}
    now = {row.code: row for row in model.objects.current().filter(code__in=rows)}
    for code, row in rows.items():
        yield from _one(row, now.get(code), ())


def _products(mix: Iterable[MixLine]) -> Iterator[Changed]:
    rows = {line.product.code: line.product for line in mix}
    current = Product.objects.current().filter(code__in=rows)
    now = {row.code: row for row in current.prefetch_related("ingredients__substance")}
    for code, row in rows.items():
        fresh = now.get(code)
        differs = fresh is not None and _strengths(fresh) != _strengths(row)
        yield from _one(row, fresh, (_("strength"),) if differs else ())


def _strengths(product: Product) -> set[tuple[str, str, str]]:
    return {
        (part.substance.code, f"{part.per_ml.normalize():f}", part.unit)
        for part in product.ingredients.all()
    }


def _one(row: CatalogueRow, fresh: CatalogueRow | None, more: tuple[str, ...]) -> Iterator[Changed]:
    """A row against the version in force."""
    if fresh is None:
        text = _("%(name)s is no longer in use. Choose something else.")
        yield Changed(text % {"name": row.name}, is_gone=True)
        return
    if fresh.pk == row.pk:
        return
    what = [*more, *_differing(row, fresh)]
    if what:
        text = _("%(name)s has changed in the catalogue: %(what)s.")
        yield Changed(text % {"name": fresh.name, "what": ", ".join(what)})


def _differing(row: Any, fresh: Any) -> list[str]:
    return [
        str(name)
        for field, name in FIELDS.items()
        if hasattr(row, field) and getattr(row, field) != getattr(fresh, field)
    ]


def _substances(earlier: Plan, since: datetime) -> Iterator[Changed]:
    """A substance whose version in force is younger than the plan, against the one of then."""
    codes = {
        part.substance.code
        for line in earlier.mix.prefetch_related("product__ingredients__substance")
        for part in line.product.ingredients.all()
    }
    versions = Substance.objects.filter(code__in=codes).order_by("code", "version")
    by_code: dict[str, list[Substance]] = {}
    for row in versions:
        by_code.setdefault(row.code, []).append(row)
    for rows in by_code.values():
        fresh = next((row for row in rows if row.is_current), None)
        then = next((row for row in reversed(rows) if row.created_at <= since), rows[0])
        if fresh is None or fresh.created_at > since:
            yield from _one(then, fresh, ())


def _rules(earlier: Plan, since: datetime, at: datetime) -> Iterator[Changed]:
    """What speaks against the same plan today by a rule that is younger than it.

    A plan brought over from before there was a catalogue is not told that every rule is new.
    """
    if not Contraindication.objects.filter(created_at__lte=since).exists():
        return
    day = localtime(since, earlier.location.zone).date()
    for verdict in screen_plan(earlier, at):
        if verdict.rule_since and verdict.rule_since > day:
            text = _("New rule since then: %(title)s")
            yield Changed(text % {"title": verdict.title})


def _history(earlier: Plan, since: datetime) -> Iterator[Changed]:
    """The facts that differ between the history of then and the newest."""
    handed_in = History.objects.filter(patient=earlier.patient, submitted_at__isnull=False)
    newest = handed_in.order_by("-version").first()
    before = handed_in.filter(submitted_at__lte=since).order_by("-version").first()
    if newest is None or (before is not None and before.pk == newest.pk):
        return
    if before is None:
        yield Changed(_("There was no history then; one has been handed in since."))
        return
    facts = changed_since(newest, before)
    day = date_format(localtime(newest.submitted_at, earlier.location.zone), "j F Y")
    if not facts:
        yield Changed(_("A new history of %(day)s says the same.") % {"day": day})
    for fact in facts[:MOST_FACTS]:
        said = {"day": day, "name": fact.name, "now": fact.after or _("no")}
        yield Changed(_("New history of %(day)s: %(name)s: %(now)s") % said)
    if len(facts) > MOST_FACTS:
        yield Changed(_("And more in the history: read it."))


def _course(earlier: Plan) -> Iterator[Changed]:
    """How the earlier course went, as far as it speaks against doing the same again."""
    if earlier.stop_reason:
        word = earlier.get_state_display()
        text = _("The earlier plan: %(state)s, %(reason)s")
        yield Changed(text % {"state": word.lower(), "reason": earlier.stop_reason})
    for report in reports_of(earlier):
        day = date_format(localtime(report.at, earlier.location.zone), "j F Y")
        text = _("Adverse event in the earlier course, %(day)s: %(words)s")
        yield Changed(text % {"day": day, "words": report.words})
