"""On the patient's own pages: today since the last session, and whether this is normal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from aftercare.recovery.days import Today, today_of
from aftercare.sheets.content import content_of
from aftercare.sheets.languages import phrases_in
from aftercare.sheets.models import Sheet
from aftercare.sheets.words import FALLBACK
from aftercare.watch.models import CheckIn
from clinic.tongues import direction_of, is_of_the_house
from patients.portal.access import by_link, patient_of, portal_context
from patients.registry.models import Patient
from treatments.catalogue.models import AdverseEventType
from treatments.diary.models import Appointment
from treatments.diary.transitions import MOVABLE
from treatments.sessions.models import Session

MOST_TO_COME = 8


@dataclass(frozen=True)
class Recovery:
    """The last session and what holds since; `language` is that of the sheet's words."""

    session: Session
    treated_at: datetime
    sheet: Sheet | None
    language: str
    today: Today

    @property
    def direction(self) -> str:
        """In which the sheet's words are written."""
        return direction_of(self.language)


def recovery_of(patient: Patient, at: datetime) -> Recovery | None:
    """Since the last session that was signed, as its sheet told it; None where there is none.

    Before the sheet is given it is composed as it would be now.
    """
    session = (
        Session.objects.of_person(patient)
        .filter(signed_at__isnull=False)
        .select_related("location__country", "patient")
        .order_by("-started_at", "-pk")
        .first()
    )
    if session is None:
        return None
    newest = Sheet.objects.filter(session=session).order_by("-version")
    sheet = newest.select_related("document").first()
    language = sheet.language if sheet else get_language() or "en"
    content: dict[str, Any] = (
        sheet.content if sheet else content_of(session, language=language, at=at)
    )
    treated_at = session.treated_at or session.started_at
    today = today_of(
        content["lines"],
        _usual(language),
        treated_at=treated_at,
        at=at,
        zone=session.location.zone,
    )
    return Recovery(session, treated_at, sheet, language, today)


@dataclass(frozen=True)
class Told:
    """An adverse event in the language of the sheet where it is written in it, else in the page's.

    `expected_days`: see the catalogue.
    """

    row: AdverseEventType
    phrases: Mapping[str, str]
    spoken: str

    @property
    def code(self) -> str:
        return str(self.row.code)

    @property
    def expected_days(self) -> int | None:
        days: int | None = self.row.expected_days
        return days

    @property
    def language(self) -> str:
        """That of its words where it is not the page's."""
        written = {self.row.name_en, self.row.onset_en} <= set(self.phrases)
        return self.spoken if written else ""

    def said(self, field: str, language: str | None = None) -> str:
        """Its `name` or `onset`."""
        if self.language:
            return self.phrases[self.row.said(field, FALLBACK)]
        return self.row.said(field, language)


def _usual(language: str) -> list[Told]:
    """The usual reactions of the catalogue: those with a published end."""
    rows = AdverseEventType.objects.current()
    usual = rows.filter(urgency=AdverseEventType.Urgency.ROUTINE, expected_days__isnull=False)
    return _told(usual, language)


def _told(rows: Iterable[AdverseEventType], language: str) -> list[Told]:
    phrases = {} if is_of_the_house(language) else phrases_in(language)
    return [Told(row, phrases, language) for row in rows]


@by_link
@require_safe
def panel(request: HttpRequest, token: str) -> HttpResponse:
    """On the first page: which day it is, and the way to the rest. Nothing after twelve weeks."""
    found = recovery_of(patient_of(request), timezone.now())
    shown = found if found and found.today.is_in_time else None
    context = portal_context(request, recovery=shown)
    return render(request, "aftercare/my_recovery_panel.html", context)


@by_link
@require_safe
def page(request: HttpRequest, token: str) -> HttpResponse:
    """Is this normal? What is usual today, what is over, what to mind, when to call."""
    me, now = patient_of(request), timezone.now()
    found = recovery_of(me, now)
    context = portal_context(request, recovery=found)
    if found:
        infections = AdverseEventType.objects.current().filter(is_infection=True)
        context |= {
            "location": found.session.location,
            "zone": found.session.location.zone,
            "later": [
                (one.said("name"), one.said("onset"), one.language)
                for one in _told(infections, found.language)
            ],
            "to_come": _to_come(me, now),
        }
    return render(request, "aftercare/my_recovery.html", context)


def _to_come(patient: Patient, at: datetime) -> list[tuple[datetime, str]]:
    """The next questions and the next visits in the order of time: when, and of which kind."""
    asked = CheckIn.objects.filter(
        patient=patient, state=CheckIn.State.PLANNED, due_at__gt=at
    ).order_by("due_at")[:MOST_TO_COME]
    visits = Appointment.objects.filter(
        patient=patient, status__in=MOVABLE, starts_at__gt=at
    ).order_by("starts_at")[:MOST_TO_COME]
    found = [(one.due_at, "question") for one in asked]
    found += [(one.starts_at, "visit") for one in visits]
    return sorted(found)[:MOST_TO_COME]
