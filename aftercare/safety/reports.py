"""The report of an adverse event as a document, for the authority or for the maker."""

from __future__ import annotations

from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from aftercare.safety.models import AdverseEvent, EventReport
from aftercare.safety.shown import event_shown
from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from patients.documents.actions import request_document
from patients.documents.evidence import Evidence
from patients.documents.models import Document


@transaction.atomic
def make_report(*, by: Staff, event: AdverseEvent, to: str) -> EventReport:
    """A report prefilled from the event as it stands, without the patient's name.

    The same while one that was asked for is still on its way. Raises `ActionRefused`.
    """
    if not by.may(Permission.SEE_SAFETY) or event.location_id not in by.place_ids:
        raise ActionRefused(_("You may not report this event."))
    if to not in EventReport.To.values:
        raise ActionRefused(_("Say to whom it goes."), field="to")
    locked = (
        AdverseEvent.objects.select_for_update(of=("self",))
        .select_related("patient", "kind", "area", "location__country", "opened_by", "closer")
        .prefetch_related("addenda__written_by")
        .get(pk=event.pk)
    )
    language = get_language() or "en"
    under_way = locked.reports.filter(
        to=to,
        document__language=language,
        document__state__in=[Document.State.QUEUED, Document.State.RENDERING],
    ).first()
    if under_way is not None:
        return under_way
    html = render_to_string(
        "pdf/event_report.html",
        {
            "language": language,
            "location": locked.location,
            "patient": locked.patient,
            "shown": event_shown(locked),
            "event": locked,
            "to": EventReport.To(to).label,
            "to_maker": to == EventReport.To.MAKER,
            "zone": locked.location.zone,
            "printed_at": timezone.localtime(timezone=locked.location.zone),
            "printed_by": by,
        },
    )
    document = request_document(
        patient=locked.patient,
        kind=Document.Kind.EVENT,
        title=_("Adverse event report"),
        language=language,
        html=html,
        by=by.name,
        evidence=Evidence(
            subject=f"{_('Adverse event report')} {locked.pk}, {EventReport.To(to).label}",
            signatures=(),
            facts=[(_("Made by"), by.name)],
        ),
    )
    return EventReport.objects.create(event=locked, to=to, document=document, made_by=by)
