"""What became of a sheet: sent, opened, read; in words for the people who gave it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from aftercare.sheets.models import Sheet
from clinic.tongues import own_name
from patients.messages.models import Message
from treatments.sessions.models import Session


@dataclass(frozen=True)
class Version:
    """A version of a session's sheet. `sent`: what became of the message with its link."""

    sheet: Sheet
    language: str
    sent: str


def versions_of(session: Session) -> list[Version]:
    """Every version of a session's sheet, newest first; two queries."""
    sheets = list(
        Sheet.objects.filter(session=session).select_related("given_by").order_by("-version")
    )
    sent = _messages(sheets)
    return [
        Version(sheet, own_name(sheet.language), _sent(sent.get(f"sheet-{sheet.pk}")))
        for sheet in sheets
    ]


def _messages(sheets: Iterable[Sheet]) -> dict[str, Message]:
    keys = [f"sheet-{sheet.pk}" for sheet in sheets]
    found = Message.objects.filter(key__in=keys).defer("body")
    return {message.key: message for message in found}


def _sent(message: Message | None) -> str:
    if message is None:
        return _("no link sent: print it")
    way, state = message.get_channel_display(), message.get_state_display()
    return _("link by %(way)s: %(state)s") % {"way": way, "state": state}


def seen_word(sheet: Sheet) -> str:
    """ "25 Nov, read": when it was given and what the patient did, for the patient bar."""
    day = date_format(localtime(sheet.created_at), "j M", use_l10n=False)
    if sheet.first_read_at:
        return _("%(day)s, read") % {"day": day}
    if sheet.opened_at:
        return _("%(day)s, opened") % {"day": day}
    return _("%(day)s, not opened") % {"day": day}
