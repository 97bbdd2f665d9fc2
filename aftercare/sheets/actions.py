"""Giving the sheet: composed, kept as given, rendered and sealed, and sent as a link."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from aftercare.sheets.content import Content, Wish, content_of, page_of
from aftercare.sheets.languages import language_for, offered
from aftercare.sheets.models import LONGEST_LINE, Sheet, SheetDraft
from aftercare.sheets.proof import evidence_of
from aftercare.sheets.wording import plain_fault
from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from patients.documents.actions import request_document
from patients.documents.models import Document
from patients.messages.actions import channel_of, queue_message
from patients.messages.models import Message
from treatments.sessions.models import Session

MOVING = ("version", "next_visit")
"""Of two sheets that differ in nothing else the second is not worth giving."""


@transaction.atomic
def give_sheet(*, by: Staff | None, session: Session, at: datetime | None = None) -> Sheet:
    """The first sheet of a session, with what was written for it. Asked again it is the last one.

    Raises `ActionRefused` while the session is not signed.
    """
    locked = _locked(session)
    if known := _newest(locked):
        return known
    draft = SheetDraft.objects.filter(session=locked).select_related("written_by").first()
    chosen = draft.language if draft and draft.language in dict(offered()) else ""
    wish = Wish(chosen or language_for(locked.patient), draft.personal_line if draft else "")
    return _give(locked, wish, by=by or (draft.written_by if draft else None), at=at)


@transaction.atomic
def give_version(
    *, by: Staff, session: Session, wish: Wish, known: int, at: datetime | None = None
) -> Sheet:
    """Give what was shown: the first sheet, or the next version of it; the old ones stay.

    `known` is the version that was seen, 0 for none. Pressed twice it is one version. Raises
    `ActionRefused` when a colleague gave another one meanwhile, and when nothing would change.
    """
    _refuse_wish(by, wish)
    locked = _locked(session)
    newest = _newest(locked)
    if newest is None:
        return _give(locked, wish, by=by, at=at)
    moment = at or timezone.now()
    content = _composed(locked, wish, moment, newest.version)
    if newest.language == wish.language and _says(content) == _says(newest.content):
        if newest.version > known:
            return newest
        raise ActionRefused(
            _("It would say what the last one says. Send the link again, or change something.")
        )
    if newest.version > known and newest.given_by_id not in (None, by.pk):
        raise ActionRefused(_("A colleague has given another version meanwhile. Look at it first."))
    return _give(locked, wish, by=by, at=moment)


@transaction.atomic
def keep_draft(*, by: Staff, session: Session, wish: Wish) -> SheetDraft:
    """Keep a line and a language for the sheet that is given once the session is signed."""
    _refuse_wish(by, wish)
    locked = Session.objects.select_for_update().get(pk=session.pk)
    if Sheet.objects.filter(session=locked).exists():
        raise ActionRefused(_("The sheet has been given already. Give it again with your line."))
    return SheetDraft.objects.update_or_create(
        session=locked,
        defaults={
            "personal_line": wish.personal_line.strip(),
            "language": wish.language,
            "written_by": by,
        },
    )[0]


@transaction.atomic
def send_again(*, by: Staff, sheet: Sheet, at: datetime | None = None) -> Message:
    """Send the patient the link to their sheets once more; at most once a minute."""
    if not by.may(Permission.WRITE_NOTES):
        raise ActionRefused(_("Only a practitioner gives a sheet."))
    moment = at or timezone.now()
    message = _tell(sheet, f"sheet-{sheet.pk}-{int(moment.timestamp()) // 60}", moment)
    if message is None:
        raise ActionRefused(
            _("This patient has neither an e-mail address nor a mobile phone. Print the sheet.")
        )
    return message


@transaction.atomic
def mark_opened(*, sheet: Sheet, at: datetime) -> None:
    """The patient's browser shows the sheet; only the first time counts."""
    Sheet.objects.filter(pk=sheet.pk, opened_at__isnull=True).update(opened_at=at)


@transaction.atomic
def mark_read(*, sheet: Sheet, at: datetime) -> None:
    """The patient says that they read it; only the first time counts."""
    mark_opened(sheet=sheet, at=at)
    Sheet.objects.filter(pk=sheet.pk, first_read_at__isnull=True).update(first_read_at=at)


def _locked(session: Session) -> Session:
    locked: Session = (
        Session.objects.select_for_update(of=("self",))
        .select_related("patient", "location__country", "practitioner", "signed_by", "plan")
        .get(pk=session.pk)
    )
    if not locked.is_signed:
        raise ActionRefused(_("Sign the session first: the sheet is composed from what was done."))
    return locked


def _newest(session: Session) -> Sheet | None:
    return Sheet.objects.filter(session=session).order_by("-version").first()


def _refuse_wish(by: Staff, wish: Wish) -> None:
    if not by.may(Permission.WRITE_NOTES):
        raise ActionRefused(_("Only a practitioner gives a sheet."))
    if wish.language not in dict(offered()):
        raise ActionRefused(_("No sheet can be given in this language yet."), field="language")
    if fault := plain_fault(wish.personal_line, LONGEST_LINE):
        raise ActionRefused(fault, field="personal_line")


def _composed(session: Session, wish: Wish, at: datetime, version: int) -> Content:
    return content_of(
        session,
        language=wish.language,
        at=at,
        personal_line=wish.personal_line.strip(),
        version=version,
    )


def _says(content: Content) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in MOVING}


def _give(session: Session, wish: Wish, *, by: Staff | None, at: datetime | None) -> Sheet:
    moment = at or timezone.now()
    newest = _newest(session)
    version = newest.version + 1 if newest else 1
    content = _composed(session, wish, moment, version)
    sheet = Sheet.objects.create(
        patient=session.patient,
        session=session,
        version=version,
        language=wish.language,
        content=content,
        document=_paper(session, content, wish.language, by),
        given_by=by,
    )
    SheetDraft.objects.filter(session=session).delete()
    _tell(sheet, f"sheet-{sheet.pk}", moment)
    return sheet


def _paper(session: Session, content: Content, language: str, by: Staff | None) -> Document:
    """The PDF, in the language of the sheet, with its evidence behind it."""
    page = page_of(content, language=language)
    with translation.override(language):
        html = render_to_string(
            "pdf/sheet.html", page | {"patient": session.patient, "location": session.location}
        )
    return request_document(
        patient=session.patient,
        kind=Document.Kind.SHEET,
        title=_title(content["version"], session.patient.house_language),
        language=language,
        html=html,
        by=by.name if by else "system",
        evidence=evidence_of(session, content, by=by, language=language),
    )


def _title(version: int, language: str) -> str:
    """What the lists of papers call it: in the language of the patient's pages, not the sheet's."""
    with translation.override(language):
        if version == 1:
            return _("Aftercare sheet")
        return _("Aftercare sheet, version %(n)s") % {"n": version}


def _tell(sheet: Sheet, key: str, at: datetime) -> Message | None:
    """The message with the link; it says nothing of what the sheet says."""
    patient = sheet.patient
    with translation.override(patient.house_language):
        return queue_message(
            patient=patient,
            kind="sheet",
            key=key,
            subject=_("Your aftercare sheet"),
            body=_(
                "Hello,\n\nyour aftercare sheet is ready. You can read it on your phone and "
                "download it here:\n\n{link}\n\nYour clinic"
            ),
            due_at=at,
            channel=channel_of(patient),
        )
