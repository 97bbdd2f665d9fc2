"""Two people in one open event: which part each has written, as each of them saw it. Pure.

A part is what is decided together. Of each change an event keeps what it replaced, so the event as
somebody opened it can be told from the event as it is now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from clinic.errors import ActionRefused

PARTS: dict[str, tuple[str, ...]] = {
    "kind": ("kind",),
    "onset": ("onset_at", "is_timed"),
    "grade": ("grade",),
    "relatedness": ("relatedness",),
    "site": ("area", "side", "chart", "point_x", "point_y"),
    "description": ("description",),
    "action_taken": ("action_taken",),
    "photos": ("photos",),
    "outcome": ("outcome",),
    "follow_up_on": ("follow_up_on",),
}
NAMES = {
    "kind": _("What it is"),
    "onset": _("Began on"),
    "grade": _("Grade (CTCAE)"),
    "relatedness": _("Related to the treatment"),
    "site": _("Where"),
    "description": _("What is seen"),
    "action_taken": _("What was done"),
    "photos": _("Photos that show it"),
    "outcome": _("Outcome so far"),
    "follow_up_on": _("Look at it again on"),
}


class StaleEvent(ActionRefused):
    """Somebody has changed these parts since the event was opened; nothing was overwritten.

    `touched`: every part that the writer has changed, those of the clash among them.
    """

    def __init__(self, parts: Iterable[str], touched: Iterable[str]) -> None:
        self.parts, self.touched = list(parts), list(touched)
        super().__init__(
            str(
                _(
                    "This event was changed elsewhere since you opened it. Nothing was "
                    "overwritten: your words are still on this page, but they are not saved."
                )
            )
        )


def plain(value: Any) -> Any:
    """A value as `earlier` keeps it: rows by their key, times and days in ISO."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return getattr(value, "pk", value)


def as_seen(
    now: Mapping[str, Any], earlier: Iterable[Mapping[str, Any]], revision: int
) -> dict[str, Any]:
    """The values as they were at a revision: `now`, with what later changes replaced."""
    seen = dict(now)
    later = [change for change in earlier if change["r"] > revision]
    for change in sorted(later, key=lambda one: -one["r"]):
        seen |= change["was"]
    return seen


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The parts in which two sets of values differ, of the fields that both have."""
    return [
        part
        for part, fields in PARTS.items()
        if any(name in one and name in other and one[name] != other[name] for name in fields)
    ]
