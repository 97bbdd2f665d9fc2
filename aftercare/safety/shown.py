"""How an adverse event reads on a page and on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import get_language

from aftercare.safety.models import AdverseEvent
from treatments.catalogue.drawings import CHART_TITLES, drawings, linework
from treatments.plans.models import Side
from treatments.sessions.charts import charts
from treatments.sessions.models import TreatedArea
from treatments.sessions.page import mark_size, side_name


@dataclass(frozen=True)
class SiteMap:
    """The chart with the point of the event on it, in chart units; `size` is the mark's radius."""

    title: str
    width: float
    height: float
    lines: Any
    x: float
    y: float
    size: float


@dataclass(frozen=True)
class EventShown:
    """An event in words. `treated_at` is when the session of its record was."""

    site: str
    map: SiteMap | None
    treated_at: datetime | None
    days_after: int | None
    areas: Sequence[dict[str, Any]]
    lots: Sequence[dict[str, Any]]
    syringes: Sequence[dict[str, Any]]
    devices: Sequence[dict[str, Any]]
    room: str
    people: str
    makers: str


def event_shown(event: AdverseEvent) -> EventShown:
    """Needs `area` and `location` loaded."""
    facts = event.facts
    at = facts.get("session", {}).get("at")
    treated = datetime.fromisoformat(at).astimezone(event.location.zone) if at else None
    began = event.onset_at.astimezone(event.location.zone)
    return EventShown(
        site=side_name(event.area, event.side) if event.area else "",
        map=site_map(event),
        treated_at=treated,
        days_after=(began.date() - treated.date()).days if treated else None,
        areas=[_area(one) for one in facts.get("areas", [])],
        lots=[_lot(one) for one in facts.get("lots", [])],
        syringes=facts.get("syringes", []),
        devices=facts.get("devices", []),
        room=(facts.get("room") or {}).get("name", ""),
        people=", ".join(one["name"] for one in facts.get("people", [])),
        makers=", ".join(dict.fromkeys(lot["maker"] for lot in facts.get("lots", []))),
    )


def _lot(lot: dict[str, Any]) -> dict[str, Any]:
    return lot | {
        "product": _named(lot, "product"),
        "expires": date.fromisoformat(lot["expires_on"]),
        "ml": Decimal(lot["ml"]) if lot["ml"] else None,
    }


def _area(area: dict[str, Any]) -> dict[str, Any]:
    side = "" if area["side"] == Side.NONE else str(Side(area["side"]).label)
    name = _named(area, "name")
    return area | {
        "where": f"{name} ({side})" if side else name,
        "technique": _named(area, "technique"),
        "depth_mm": Decimal(area["depth_mm"]),
        "given": str(TreatedArea.Method(area["method"]).label),
    }


def _named(kept: dict[str, Any], what: str) -> str:
    """A name in the language in force; events opened by an earlier version keep it in one alone."""
    name: str = kept.get(f"{what}_in", {}).get(get_language(), kept[what])
    return name


def site_map(event: AdverseEvent) -> SiteMap | None:
    """Where it is on its chart; None without a point."""
    if event.point_x is None or event.point_y is None or event.chart not in charts():
        return None
    scale = charts()[event.chart].scale
    return SiteMap(
        title=str(CHART_TITLES.get(event.chart, event.chart)),
        width=scale.width,
        height=scale.height,
        lines=linework(event.chart),
        x=round(event.point_x * scale.width, 1),
        y=round(event.point_y * scale.height, 1),
        size=round(mark_size(event.chart) * 1.6, 1),
    )


def site_charts() -> list[tuple[str, str, Any]]:
    """The charts a point can be put on: code, title and drawing."""
    known = drawings()
    return [
        (code, str(title), known[code]) for code, title in CHART_TITLES.items() if code in known
    ]
