"""Which status may follow which. The whole table; nothing else decides."""

from __future__ import annotations

from typing import Final

ALLOWED: Final[dict[str, tuple[str, ...]]] = {
    "booked": ("confirmed", "arrived", "no_show", "cancelled"),
    "confirmed": ("arrived", "no_show", "cancelled", "booked"),
    "arrived": ("in_room", "done", "cancelled", "confirmed"),
    "in_room": ("done", "arrived"),
    "done": ("in_room",),
    "no_show": ("arrived", "booked"),
    "cancelled": ("booked",),
    "held": ("booked", "cancelled"),
}
"""From each status the ones that may follow: forward first, then the way back from a slip."""

NEXT: Final[dict[str, str]] = {
    "booked": "arrived",
    "confirmed": "arrived",
    "arrived": "in_room",
    "in_room": "done",
}
"""What usually comes next: the one button of a row."""

MOVABLE: Final = ("booked", "confirmed")


def may_follow(status: str, following: str) -> bool:
    """Whether `following` may come after `status`; an unknown status allows nothing."""
    return following in ALLOWED.get(status, ())
