"""Why nothing is known of a patient: a message that did not arrive is no unanswered question."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.messages.models import Message

LOST = (Message.State.FAILED, Message.State.UNCERTAIN, Message.State.CANCELLED)
"""States of a message that nobody can be expected to answer."""


class Silence(models.TextChoices):
    MISSED = "missed", _("Never asked: too late")
    NO_WAY = "no-way", _("Could not be sent: no address, or no messages wished")
    FAILED = "failed", _("The message did not arrive")
    UNCERTAIN = "uncertain", _("Not known whether the message arrived")
    NEVER_SENT = "never-sent", _("The message was never sent")
    ON_ITS_WAY = "on-its-way", _("The message has not left yet")
    ENDED = "ended", _("No answer")
    WAITING = "waiting", _("No answer yet")

    @property
    def tone(self) -> str:
        """How loud it is said."""
        return LOOKS[self.value][0]

    @property
    def icon(self) -> str:
        """What is drawn beside the words."""
        return LOOKS[self.value][1]


LOOKS = {
    "missed": ("stop", "exclamation-triangle"),
    "no-way": ("stop", "exclamation-triangle"),
    "failed": ("stop", "send-x"),
    "uncertain": ("stop", "send-exclamation"),
    "never-sent": ("stop", "send-x"),
    "on-its-way": ("wait", "send"),
    "ended": ("wait", "bell-slash"),
    "waiting": ("wait", "hourglass-split"),
}
OF_MESSAGE = {
    Message.State.FAILED: Silence.FAILED,
    Message.State.UNCERTAIN: Silence.UNCERTAIN,
    Message.State.CANCELLED: Silence.NEVER_SENT,
    Message.State.PENDING: Silence.ON_ITS_WAY,
    Message.State.CLAIMED: Silence.ON_ITS_WAY,
}
