"""What a patient may be told, and which of it they may refuse."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Kind(models.TextChoices):
    """Each has a text of its own per location and language."""

    CONFIRMATION = "confirmation", _("Confirmation")
    CHANGE = "change", pgettext_lazy("news of an appointment", "Change")
    CANCELLATION = "cancellation", _("Cancellation")
    REMINDER = "reminder", _("Reminder")
    NO_SHOW = "no-show", _("After a no-show")
    OFFER = "offer", _("Offer from the waiting list")
    RECALL = "recall", _("Invitation to come again")
    SAFETY = "safety", _("Safety notice")
    CHECK_IN = "check-in", _("Check-in")


class Refusal(models.TextChoices):
    """What can be refused. News of one's own appointment, and of one's safety, only together with
    everything.
    """

    REMINDER = Kind.REMINDER.value, _("Reminders of appointments")
    NO_SHOW = Kind.NO_SHOW.value, _("A message after a missed appointment")
    OFFER = Kind.OFFER.value, _("Offers of a time that has become free")
    RECALL = Kind.RECALL.value, _("Invitations to come again")
    EVERYTHING = "all", _("Everything, also confirmations, changes and cancellations")


ASKED_LINK = "asked-link"
ALERT, PASSKEY = "alert", "passkey"
OTHER_KINDS = {
    "link": _("Personal link"),
    ASKED_LINK: _("Personal link, asked for by the patient"),
    "rights": _("Answer about their data"),
    "sheet": _("Aftercare sheet"),
    "code": _("Code"),
    ALERT: _("Red flag, to the clinic’s own people"),
    PASSKEY: _("News of the way in to their pages"),
}


def name_of(kind: str) -> str:
    """A kind in words, in the language in force; one that is not known as it is."""
    if kind in Kind.values:
        return str(Kind(kind).label)
    return str(OTHER_KINDS.get(kind, kind))
