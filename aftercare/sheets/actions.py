"""Giving the sheet: composed, kept as given, rendered, and sent as a link."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from aftercare.sheets.compose import Treatment, compose
from aftercare.sheets.models import Sheet
from clinic.access.models import Staff
from clinic.errors import ActionRefused
from patients.documents.actions import request_document
from patients.messages.actions import channel_of, queue_message
from treatments.catalogue.models import AdviceBlock
from treatments.diary.models import Appointment
from treatments.sessions.models import Session


def treatment_of(session: Session) -> Treatment:
    """What was done in a session, as codes. Needs areas, techniques and mix loaded or loadable."""
    areas = session.treated_areas.select_related("area", "technique")
    return Treatment(
        area_groups=frozenset(area for t in areas for area in (t.area.group, t.area.code)),
        technique_groups=frozenset(
            code for t in areas for code in (t.technique.sheet_group, t.technique.code) if code
        ),
        substances=frozenset(
            session.mix.values_list("lot__product__ingredients__substance__code", flat=True)
        )
        - {None},
        anaesthetic=session.anaesthesia.exists(),
    )


def _areas_said(session: Session, language: str) -> list[str]:
    with translation.override(language):
        return [
            treated.area.said("name", language)
            + ("" if treated.side == "none" else f" ({treated.get_side_display()})")
            for treated in session.treated_areas.select_related("area")
        ]


def _techniques_said(session: Session, language: str) -> list[str]:
    treated_areas = session.treated_areas.select_related("technique")
    return sorted({treated.technique.said("name", language) for treated in treated_areas})


def _products_said(session: Session, language: str) -> list[dict[str, str]]:
    """Each lot once, though it may be in two syringes."""
    lots = {part.lot_id: part.lot for part in session.mix.select_related("lot__product")}
    return [
        {
            "name": lot.product.said("name", language),
            "lot": lot.number,
            "expires": lot.expires_on.isoformat(),
        }
        for lot in lots.values()
    ]


def _next_visit(session: Session, at: datetime) -> str:
    upcoming = (
        Appointment.objects.live()
        .filter(patient_id=session.patient_id, starts_at__gt=at)
        .order_by("starts_at")
        .first()
    )
    return upcoming.starts_at.isoformat() if upcoming else ""


def content_of(session: Session, *, language: str, at: datetime) -> dict[str, Any]:
    """Everything the sheet says, frozen: later edits of the catalogue change nothing of it."""
    place = session.location
    treated_at = session.treated_at or at
    lines = compose(
        AdviceBlock.objects.current(),
        treatment_of(session),
        treated_at=treated_at,
        zone=place.zone,
        language=language,
    )
    return {
        "lines": lines,
        "areas": _areas_said(session, language),
        "techniques": _techniques_said(session, language),
        "products": _products_said(session, language),
        "treated_at": treated_at.isoformat(),
        "next_visit": _next_visit(session, at),
        "initials": session.patient.initials,
        "clinic": place.name,
        "phone": place.phone,
        "phone_out_of_hours": place.phone_out_of_hours,
        "emergency_number": place.country.emergency_number,
        "zone": place.timezone,
    }


@transaction.atomic
def give_sheet(*, by: Staff | None, session: Session, at: datetime | None = None) -> Sheet:
    """Compose, keep, render and send. A session has one sheet; asking again returns it.

    Raises `ActionRefused` while the session is not signed.
    """
    at = at or timezone.now()
    locked = (
        Session.objects.select_for_update(of=("self",))
        .select_related("patient", "location__country")
        .get(pk=session.pk)
    )
    if not locked.is_signed:
        raise ActionRefused(_("Sign the session first: the sheet is composed from what was done."))
    if existing := Sheet.objects.filter(session=locked).first():
        return existing
    language = locked.patient.language
    content = content_of(locked, language=language, at=at)
    with translation.override(language):
        document = request_document(
            patient=locked.patient,
            kind="sheet",
            title=_("Aftercare sheet"),
            language=language,
            html=render_to_string(
                "pdf/sheet.html",
                page_of(content, language=language)
                | {"patient": locked.patient, "location": locked.location},
            ),
            by=by.name if by else "system",
        )
        sheet = Sheet.objects.create(
            patient=locked.patient,
            session=locked,
            language=language,
            content=content,
            document=document,
        )
        queue_message(
            patient=locked.patient,
            kind="sheet",
            key=f"sheet-{sheet.pk}",
            subject=_("Your aftercare sheet"),
            body=_(
                "Hello,\n\nyour aftercare sheet is ready. You can read it on your phone and "
                "download it here:\n\n{link}\n\nYour clinic"
            ),
            due_at=at,
            channel=channel_of(locked.patient),
        )
    return sheet


def page_of(content: dict[str, Any], *, language: str) -> dict[str, Any]:
    """The template's view of a sheet: lines by section, times as times."""
    sections: dict[str, list[dict[str, Any]]] = {}
    for line in content["lines"]:
        sections.setdefault(line["section"], []).append(line)
    next_visit = content["next_visit"]
    return {
        "content": content,
        "sections": sections,
        "language": language,
        "treated_at": datetime.fromisoformat(content["treated_at"]),
        "next_visit": datetime.fromisoformat(next_visit) if next_visit else None,
        "zone": content["zone"],
    }


@transaction.atomic
def mark_read(*, sheet: Sheet, at: datetime) -> None:
    """The patient opened the sheet and said so; only the first time counts."""
    Sheet.objects.filter(pk=sheet.pk, first_read_at__isnull=True).update(first_read_at=at)
