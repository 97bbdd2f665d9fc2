"""Printing: one signed session, or the whole record, as a document."""

from __future__ import annotations

from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from aftercare.story.models import Printing
from aftercare.story.printing import record_of, session_of
from aftercare.story.proof import evidence_of, evidence_of_record
from clinic.access.models import Staff
from clinic.errors import ActionRefused
from clinic.web.templatetags.clinic_web import clinical_date
from patients.documents.actions import request_document
from patients.documents.models import Document
from patients.registry.models import Patient
from treatments.sessions.models import Session


@transaction.atomic
def print_session(*, by: Staff, session: Session) -> Printing:
    """A signed session in the language in force.

    Asked for again it is the same document, until an addendum was written or it failed. Raises
    `ActionRefused` while the session is not signed.
    """
    locked = Session.objects.select_for_update(of=("self",)).get(pk=session.pk)
    if not locked.is_signed:
        raise ActionRefused(_("Sign the session first: only a closed record is printed."))
    language = _language()
    known = _last(Printing.objects.filter(session=locked, document__language=language))
    added = locked.addenda.order_by("-created_at").first()
    if known and not (added and added.created_at > known.created_at):
        return known
    sheet = session_of(locked.pk)
    day = clinical_date(locked.started_at.astimezone(sheet.session.location.zone).date())
    document = request_document(
        patient=sheet.session.patient,
        kind=Document.Kind.SESSION,
        title=_("Session record, %(day)s") % {"day": day},
        language=language,
        html=render_to_string(
            "pdf/session.html",
            {
                "language": language,
                "location": sheet.session.location,
                "patient": sheet.session.patient,
                "sheet": sheet,
                "printed_at": timezone.localtime(timezone=sheet.session.location.zone),
                "printed_by": by.name,
            },
        ),
        by=by.name,
        evidence=evidence_of(sheet.session),
    )
    return Printing.objects.create(
        patient=sheet.session.patient, session=locked, document=document, made_by=by
    )


@transaction.atomic
def print_record(*, by: Staff, patient: Patient, with_photos: bool = False) -> Printing:
    """Everything that the story tells, in the language in force, as it stands now.

    The same while one that was asked for is still on its way.
    """
    locked = Patient.objects.select_for_update().get(pk=patient.pk)
    language = _language()
    known = _last(
        Printing.objects.filter(
            patient=locked,
            session=None,
            with_photos=with_photos,
            document__language=language,
            document__state__in=[Document.State.QUEUED, Document.State.RENDERING],
        )
    )
    if known:
        return known
    record = record_of(locked, with_photos=with_photos)
    document = request_document(
        patient=locked,
        kind=Document.Kind.RECORD,
        title=_("Whole record with photos") if with_photos else _("Whole record"),
        language=language,
        html=render_to_string(
            "pdf/record.html", {"language": language, "printed_by": by.name, **record}
        ),
        by=by.name,
        evidence=evidence_of_record(locked, by.name),
    )
    return Printing.objects.create(
        patient=locked, document=document, with_photos=with_photos, made_by=by
    )


def _language() -> str:
    return get_language() or "en"


def _last(printings: object) -> Printing | None:
    """The newest one that has not failed."""
    rows = printings.exclude(document__state=Document.State.FAILED)  # type: ignore[attr-defined]
    found: Printing | None = rows.order_by("-pk").first()
    return found
