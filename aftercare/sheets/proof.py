"""What proves a sheet, for its evidence page."""

from __future__ import annotations

from django.utils import translation
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from aftercare.sheets.content import Content
from aftercare.sheets.models import SheetWords, content_hash
from aftercare.sheets.words import FALLBACK
from clinic.access.models import Staff
from clinic.tongues import is_of_the_house, own_name
from patients.documents.evidence import Evidence, Signed
from treatments.sessions.models import Session


def evidence_of(session: Session, content: Content, *, by: Staff | None, language: str) -> Evidence:
    """Whose session it follows, from which blocks it was composed, and the hash of what it says."""
    spoken = language if is_of_the_house(language) else FALLBACK
    with translation.override(spoken):
        blocks = ", ".join(f"{line['block']} {line['version']}" for line in content["lines"])
        return Evidence(
            subject=_("Aftercare sheet, version %(version)s: session %(number)s, %(plan)s")
            % {
                "version": content["version"],
                "number": session.number,
                "plan": session.plan.title,
            },
            signatures=_signatures(session),
            facts=[
                (_("Given by"), by.name if by else _("the clinic’s system, after the signature")),
                (_("Language"), own_name(language)),
                *_translation(language, content),
                (_("Composed from these pieces of advice, with their version"), blocks),
            ],
            hashes=[(_("What the sheet says, as the clinic keeps it"), content_hash(content))],
            language=spoken,
        )


def _translation(language: str, content: Content) -> list[tuple[str, str]]:
    """Whose translation it speaks: that of a further language, and who approved it."""
    row = SheetWords.objects.filter(code=language, version=content["words_version"]).first()
    if row is None or row.approved_by is None:
        return []
    said = _("version %(n)s, approved by %(name)s on %(day)s") % {
        "n": row.version,
        "name": row.approved_by.name,
        "day": f"{row.approved_at:%Y-%m-%d}",
    }
    return [(_("Translation"), said)]


def _signatures(session: Session) -> list[Signed]:
    """The session that it follows is signed; nobody signs a sheet."""
    if session.signed_by is None:
        return []
    return [
        Signed(
            name=session.signed_by.name,
            part=_("practitioner, for the session"),
            method=_("signed in with their own account"),
            moment=localtime(session.signed_at, session.location.zone),
            place=session.location.name,
        )
    ]
