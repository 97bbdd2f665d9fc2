"""Whether a file carries a seal that holds. The file is parsed in a cell; nothing of it is kept."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.utils.translation import gettext as _

from clinic.confined.cell import Exit
from clinic.confined.run import run_confined

JOB = Path(__file__).with_name("check_job.py")
LARGEST_BYTES = 32 * 1024 * 1024
ADDRESS_SPACE = 640 * 1024 * 1024
"""Bytes. pyHanko maps about 130 MB; the rest is for a file of the largest size."""
WALL_SECONDS = 15
PROCESSOR_SECONDS = 10
SECONDS_IN_LINE = 20
# One file at a time in each web process, so that many at once are slow and not a flood.
_turn = threading.BoundedSemaphore(1)


class CheckingFailed(Exception):
    """The file could not be looked at; the message is fit to show."""


@dataclass(frozen=True)
class Seen:
    """What a seal says. `certificate`: the fingerprint of its certificate, "" for none that can be
    read. `holds`: nothing was changed since it was set. `moment`: when it says that was; a
    time-stamp authority says so too if `stamped`."""

    certificate: str
    holds: bool
    moment: datetime | None
    stamped: bool


def look_at(pdf: bytes) -> Seen | None:
    """The seal of a file; None where there is none. Raises `CheckingFailed`."""
    if len(pdf) > LARGEST_BYTES:
        raise CheckingFailed(too_large())
    if not _turn.acquire(timeout=SECONDS_IN_LINE):
        raise CheckingFailed(_("Many files are being checked at this moment. Please try again."))
    try:
        outcome = run_confined(
            JOB,
            pdf,
            address_space=ADDRESS_SPACE,
            processor_seconds=PROCESSOR_SECONDS,
            wall_seconds=WALL_SECONDS,
        )
    finally:
        _turn.release()
    if outcome.code == Exit.REFUSED:
        return None
    if not outcome.is_done:
        raise CheckingFailed(_("This file could not be checked."))
    said = json.loads(outcome.said)
    moment = datetime.fromisoformat(said["moment"]) if said["moment"] else None
    return Seen(said["certificate"], said["holds"], moment, said["stamped"])


def too_large() -> str:
    """What is said of a file above `LARGEST_BYTES`."""
    return _("The file is larger than %(count)d MB.") % {"count": LARGEST_BYTES // (1024 * 1024)}
