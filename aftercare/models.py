"""The models of every room of this wing."""

from aftercare.outcomes.models import CourseSummary
from aftercare.safety.models import (
    AdverseEvent,
    Attempt,
    EventAddendum,
    EventPhoto,
    EventReport,
    LookBack,
    LookBackCase,
    LookBackPlace,
    Recall,
    RecallContact,
)
from aftercare.sheets.models import Sheet, SheetDraft, SheetWords
from aftercare.story.models import Printing
from aftercare.watch.models import Alert, AlsoTold, Call, CallAttempt, CheckIn, WatchRules

__all__ = [
    "AdverseEvent",
    "Alert",
    "AlsoTold",
    "Attempt",
    "Call",
    "CallAttempt",
    "CheckIn",
    "CourseSummary",
    "EventAddendum",
    "EventPhoto",
    "EventReport",
    "LookBack",
    "LookBackCase",
    "LookBackPlace",
    "Printing",
    "Recall",
    "RecallContact",
    "Sheet",
    "SheetDraft",
    "SheetWords",
    "WatchRules",
]
