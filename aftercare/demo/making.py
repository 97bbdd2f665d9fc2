"""Makes the demo: the story first, then the crowd; or adds to what is there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from aftercare.demo import bulk
from aftercare.demo.ground import find_ground
from aftercare.demo.script import tell
from patients.registry.models import Patient


def make(*, scale: int, seed: int, now: datetime, add: bool, say: Callable[[str], None]) -> None:
    """`scale` times 300 patients; with `add`, so many times more beside those already there."""
    ground = find_ground() if add else tell(seed=seed, now=now, say=say)
    scales = scale if add else scale - 1
    if scales:
        offset = Patient.objects.count() if add else 0
        bulk.add_crowd(ground, scales=scales, seed=seed + offset, now=now, say=say)
    say("Done")
