"""A picture as sent, made clean in a cell of its own. Knows no rows, and nothing of patients."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.utils.translation import gettext as _

from clinic.confined.cell import Exit
from clinic.confined.run import Outcome, run_confined

JOB = Path(__file__).with_name("job.py")
LARGEST_BYTES = 32 * 1024 * 1024
"""Of one file as sent; a phone's 48 megapixels take about 20 MB."""
ADDRESS_SPACE = 336 * 1024 * 1024
"""Bytes. Some 40 MB of it are code that is never loaded, so at most 300 MB are in memory; the
largest pictures that are taken need up to 290 (measured in tests/soak)."""
WALL_SECONDS = 20
PROCESSOR_SECONDS = 15
SECONDS_IN_LINE = 20
# One picture at a time in each web process, so that many at once are slow and not a flood.
_turn = threading.BoundedSemaphore(1)


class PictureRefused(Exception):
    """The file is not taken; the message is fit to show."""


@dataclass(frozen=True)
class Picture:
    """Three JPEGs of one picture without any tag: whole, for a screen, and for a list.

    `taken` is the camera's own clock, aware only if the camera knew its zone.
    """

    full: bytes
    screen: bytes
    thumb: bytes
    width: int
    height: int
    taken: datetime | None


def clean_picture(sent: bytes) -> Picture:
    """A JPEG, PNG, WebP or HEIC file turned upright, stripped and encoded anew.

    Raises `PictureRefused` for anything else, and for what is too large, damaged, or takes more
    than `WALL_SECONDS` or `ADDRESS_SPACE`.
    """
    if not sent:
        raise PictureRefused(_("The file is empty."))
    if len(sent) > LARGEST_BYTES:
        raise PictureRefused(too_large())
    if not _turn.acquire(timeout=SECONDS_IN_LINE):
        raise PictureRefused(_("Many pictures are being read at this moment. Please try again."))
    try:
        outcome = run_confined(
            JOB,
            sent,
            address_space=ADDRESS_SPACE,
            processor_seconds=PROCESSOR_SECONDS,
            wall_seconds=WALL_SECONDS,
        )
    finally:
        _turn.release()
    if not outcome.is_done:
        raise PictureRefused(_why(outcome))
    return _read(outcome)


def too_large() -> str:
    """What is said of a file above `LARGEST_BYTES`."""
    largest = LARGEST_BYTES // (1024 * 1024)
    return _("The file is larger than %(count)d MB.") % {"count": largest}


def _read(outcome: Outcome) -> Picture:
    said = json.loads(outcome.said)
    pictures, start = [], 0
    for length in said["lengths"]:
        pictures.append(outcome.result[start : start + length])
        start += length
    full, screen, thumb = pictures
    width, height = said["size"]
    return Picture(full, screen, thumb, width, height, _moment(said["taken"]))


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _why(outcome: Outcome) -> str:
    if outcome.was_stopped:
        return _("Reading this picture took too long or too much memory.")
    if outcome.code == Exit.UNAVAILABLE:
        return _("The server cannot read pictures: Pillow or pillow-heif is missing.")
    reasons = {
        "format": _("This is not a picture in JPEG, PNG, WebP or HEIC."),
        "pixels": _("This picture has too many pixels. Take it at a lower resolution."),
        "small": _("This picture is too small."),
    }
    damaged = _("This picture is damaged or cut off.")
    return reasons.get(outcome.said, damaged) if outcome.code == Exit.REFUSED else damaged
