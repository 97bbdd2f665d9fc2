"""What is new of an appointment for its patient: what was told against what is. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from patients.messages.kinds import Kind
from treatments.diary.transitions import MOVABLE

LATEST_NO_SHOW = timedelta(days=2)
"""A no-show entered later than that is the desk's tidying up, and nobody is written to."""


@dataclass(frozen=True)
class Told:
    """The last that a patient heard: a kind of news, and when the appointment was to be."""

    kind: str
    starts_at: datetime

    @property
    def stands(self) -> bool:
        """Whether the patient believes that the appointment takes place."""
        return self.kind in (Kind.CONFIRMATION, Kind.CHANGE)


def news_of(status: str, starts_at: datetime, told: Told | None, at: datetime) -> Kind | None:
    """What there is to say at `at`; None when the patient knows it all, or it is over."""
    if status == "no_show":
        is_known = told is not None and told.kind == Kind.NO_SHOW
        return None if is_known or starts_at < at - LATEST_NO_SHOW else Kind.NO_SHOW
    if status == "cancelled":
        expected = told is not None and told.stands and told.starts_at > at
        return Kind.CANCELLATION if expected else None
    if status not in MOVABLE or starts_at <= at:
        return None
    if told is None or not told.stands:
        return Kind.CONFIRMATION
    return Kind.CHANGE if told.starts_at != starts_at else None
