"""The kinds of what happens to a patient, by which the story is filtered."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.access.permissions import Permission


class Kind(models.TextChoices):
    """One sort of entry. Reactions are entries of other kinds that report one."""

    SESSION = "session", _("Sessions")
    REACTION = "reaction", _("Reactions and adverse events")
    EVENT = "event", _("Recorded adverse events")
    NOTE = "note", _("Consultations")
    PLAN = "plan", _("Plans")
    PHOTO = "photo", _("Photos")
    SCALE = "scale", _("Scales")
    CONSENT = "consent", _("Consents")
    HISTORY = "history", _("Medical history")
    AFTERCARE = "aftercare", _("Sheets and check-ins")


ICONS = {
    Kind.SESSION: "eyedropper",
    Kind.EVENT: "shield-exclamation",
    Kind.NOTE: "journal-medical",
    Kind.PLAN: "list-check",
    Kind.PHOTO: "camera",
    Kind.SCALE: "graph-up",
    Kind.CONSENT: "file-earmark-check",
    Kind.HISTORY: "clipboard2-pulse",
    Kind.AFTERCARE: "telephone-outbound",
}

NEEDED = {
    Kind.SESSION: Permission.SEE_NOTES,
    Kind.REACTION: Permission.SEE_NOTES,
    Kind.EVENT: Permission.SEE_SAFETY,
    Kind.NOTE: Permission.SEE_NOTES,
    Kind.PLAN: Permission.SEE_NOTES,
    Kind.PHOTO: Permission.SEE_PHOTOS,
    Kind.SCALE: Permission.SEE_NOTES,
    Kind.CONSENT: Permission.SEE_NOTES,
    Kind.HISTORY: Permission.SEE_HISTORY,
    Kind.AFTERCARE: Permission.WORK_WATCH,
}
"""What a person must be allowed, beside reading the story at all, to see a kind in it."""


def kinds_for(staff: Staff) -> list[Kind]:
    """Those that a person may see, in the order of the filter."""
    return [kind for kind in Kind if staff.may(NEEDED[kind])]
