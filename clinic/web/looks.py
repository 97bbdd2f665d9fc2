"""How a state looks: its tone, its icon and its word. Colour never stands alone."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Look(NamedTuple):
    """A CSS tone (``tone-<tone>`` in clinic.css), an icon of the sprite, and the word shown."""

    tone: str
    icon: str
    word: str | Promise


STATUS_LOOKS: dict[str, Look] = {
    # appointments
    "booked": Look("calm", "calendar-check", _("Booked")),
    "confirmed": Look("info", "check2", _("Confirmed")),
    "arrived": Look("wait", "person-walking", _("Arrived")),
    "in_room": Look("care", "door-open", _("In room")),
    "done": Look("good", "check-circle", _("Done")),
    "held": Look("info", "hourglass-split", _("Held")),
    "cancelled": Look("calm", "x", _("Cancelled")),
    "no_show": Look("missed", "person-x", _("No-show")),
    # documents
    "queued": Look("calm", "hourglass", _("Queued")),
    "rendering": Look("info", "arrow-repeat", _("Rendering")),
    "ready": Look("good", "file-earmark-check", _("Ready")),
    # copies of documents
    "unchanged": Look("good", "check-circle", _("Unchanged")),
    "kept": Look("good", "check-circle", _("Unchanged")),
    "sealed": Look("wait", "question-circle", _("Not on record")),
    "altered": Look("stop", "exclamation-triangle", _("Altered")),
    "unknown_key": Look("stop", "exclamation-triangle", _("Unknown seal")),
    "not_ours": Look("stop", "question-circle", _("Not ours")),
    # messages
    "due": Look("calm", "clock", _("Due")),
    "claimed": Look("info", "send", _("Sending")),
    "sending": Look("info", "send", _("Sending")),
    "sent": Look("good", "send-check", _("Sent")),
    "uncertain": Look("wait", "question-circle", _("Uncertain")),
    "failed": Look("stop", "exclamation-triangle", _("Failed")),
    # consents
    "missing": Look("stop", "file-earmark-x", _("Missing")),
    "signed": Look("good", "pen", _("Signed")),
    "not_covering": Look("wait", "shield-exclamation", _("Does not cover the plan")),
    "expired": Look("wait", "clock-history", _("Expired")),
    "withdrawn": Look("stop", "slash-circle", _("Withdrawn")),
    "refused": Look("stop", "x-octagon", _("Refused")),
    # plans, notes, sessions, check-ins
    "draft": Look("calm", "pencil", _("Draft")),
    "open": Look("info", "circle-half", pgettext_lazy("state of a record", "Open")),
    "active": Look("info", "play-circle", _("Active")),
    "paused": Look("wait", "pause-circle", _("Paused")),
    "stopped": Look("missed", "stop-circle", _("Stopped")),
    "completed": Look("good", "check-circle", _("Completed")),
    "closed": Look("calm", "lock", _("Closed")),
    "answered": Look("good", "chat-left-text", _("Answered")),
    "overdue": Look("stop", "alarm", _("Overdue")),
    "red_flag": Look("stop", "flag-fill", _("Red flag")),
    # the waiting list
    "waiting": Look("calm", "hourglass", _("Waiting")),
    "offered": Look("wait", "send", _("Offered")),
    "accepted": Look("good", "check-circle", _("Accepted")),
    "declined": Look("calm", "x", _("Declined")),
    "no_answer": Look("missed", "clock-history", _("No answer")),
    "taken_back": Look("calm", "arrow-counterclockwise", _("Taken back")),
    # lots
    "in_date": Look("good", "check-circle", _("In date")),
    "expiring": Look("wait", "clock", _("Expires soon")),
    "recalled": Look("stop", "x-octagon", _("Recalled")),
    # answers
    "yes": Look("good", "check-lg", _("Yes")),
    "no": Look("calm", "dash-lg", _("No")),
    "unknown": Look("wait", "question-circle", _("Not known")),
}

VERDICT_LOOKS: dict[str, Look] = {
    "stop": Look("stop", "sign-stop", _("Stop")),
    "physician": Look("physician", "person-badge", _("The physician decides")),
    "wait": Look("wait", "hourglass-split", _("Wait")),
    "caution": Look("caution", "exclamation-triangle", _("Caution")),
    "clear": Look("clear", "check-circle", _("No objection")),
}

MESSAGE_ICONS = {
    "success": "check-circle",
    "info": "info-circle",
    "warning": "exclamation-triangle",
    "error": "exclamation-octagon",
}


def status_look(status: str) -> Look:
    """The look of a status; an unknown one shows its own name, calmly."""
    return STATUS_LOOKS.get(status) or Look("calm", "circle", status.replace("_", " "))


def verdict_look(verdict: str) -> Look:
    """The look of a verdict; an unknown one is shown as the most careful, a stop."""
    return VERDICT_LOOKS.get(verdict) or VERDICT_LOOKS["stop"]
