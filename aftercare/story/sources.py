"""Where the entries of a story come from: one source for each moment that a record has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Prefetch, Q
from django.db.models.functions import Coalesce

from aftercare.safety.models import AdverseEvent
from aftercare.sheets.models import Sheet
from aftercare.story.kinds import Kind
from aftercare.watch.models import UNANSWERED, Call, CheckIn
from patients.intake.models import Confirmation, History
from patients.photos.models import Photo
from treatments.consents.models import Consent
from treatments.consultations.models import Consultation, ConsultationAddendum
from treatments.plans.models import Plan, PlanArea
from treatments.scales.models import Score
from treatments.screening.models import Override
from treatments.sessions.models import MixComponent, Session, SessionAddendum, TreatedArea

Codes = Sequence[str]
REPORTED = ~Q(adverse_events="") & ~Q(adverse_events="none")
"""A session in which something was seen; “none” is said explicitly."""


@dataclass(frozen=True)
class Source:
    """`at`: the moment that places a row in the story, null where it has not come.

    `of_area`: which rows name one of these areas; a source without it has none to name.
    `reacted`: which rows report a reaction; a source without it never does.
    `is_grouped`: all rows of a day are one entry.
    `folded`: which rows the entry of their session tells; on their own only where sessions are not
    shown.
    """

    name: str
    kind: Kind
    at: Any
    rows: Callable[[], Any]
    joins: tuple[str, ...] = ()
    parts: Callable[[], tuple[str | Prefetch[str], ...]] = tuple
    hidden: tuple[str, ...] = ()
    of_area: Callable[[Codes], Any] | None = None
    reacted: Q | None = None
    is_grouped: bool = False
    folded: Q | None = None


def _treated(reference: str) -> Callable[[Codes], Any]:
    """Rows whose session treated one of the areas."""

    def narrowed(codes: Codes) -> Any:
        return Exists(
            TreatedArea.objects.filter(session_id=OuterRef(reference), area__code__in=codes)
        )

    return narrowed


def _planned(codes: Codes) -> Any:
    return Exists(PlanArea.objects.filter(plan_id=OuterRef("pk"), area__code__in=codes))


UNSHOWN = ("message__body", "message__calendar")
SIGNATURES = ("signature_svg", "signature_strokes")

SOURCES: tuple[Source, ...] = (
    Source(
        "session",
        Kind.SESSION,
        F("started_at"),
        lambda: Session.objects.all(),
        joins=("plan", "location", "practitioner", "signed_by"),
        parts=lambda: (
            Prefetch("treated_areas", TreatedArea.objects.select_related("area", "technique")),
            Prefetch("mix", MixComponent.objects.select_related("lot__product")),
            Prefetch("addenda", SessionAddendum.objects.select_related("written_by")),
            Prefetch("check_ins", CheckIn.objects.select_related("message").defer(*UNSHOWN)),
        ),
        of_area=_treated("pk"),
        reacted=REPORTED,
    ),
    Source(
        "event",
        Kind.EVENT,
        F("onset_at"),
        lambda: AdverseEvent.objects.all(),
        joins=("kind", "opened_by"),
        hidden=("facts",),
        of_area=lambda codes: Q(area__code__in=codes),
        reacted=Q(pk__isnull=False),
    ),
    Source(
        "note",
        Kind.NOTE,
        F("created_at"),
        lambda: Consultation.objects.all(),
        joins=("practitioner",),
        parts=lambda: (
            Prefetch("addenda", ConsultationAddendum.objects.select_related("written_by")),
        ),
        of_area=lambda codes: Q(areas__overlap=list(codes)),
    ),
    Source(
        "plan",
        Kind.PLAN,
        Coalesce("accepted_at", "created_at"),
        lambda: Plan.objects.all(),
        joins=("made_by",),
        parts=lambda: (Prefetch("areas", PlanArea.objects.select_related("area")), "phases"),
        of_area=_planned,
    ),
    Source(
        "photo",
        Kind.PHOTO,
        F("taken_at"),
        lambda: Photo.objects.shown(),
        joins=("patient",),
        of_area=lambda codes: Q(area__in=codes),
        is_grouped=True,
    ),
    Source(
        "score",
        Kind.SCALE,
        F("taken_at"),
        lambda: Score.objects.filter(closed_at__isnull=False),
        joins=("scale", "taken_by"),
        of_area=lambda codes: Q(consultation__areas__overlap=list(codes)),
        is_grouped=True,
    ),
    Source(
        "consent",
        Kind.CONSENT,
        F("signed_at"),
        lambda: Consent.objects.filter(signed_at__isnull=False),
        joins=("plan", "countersigned_by"),
        hidden=("html", *SIGNATURES),
        of_area=lambda codes: Q(areas__overlap=list(codes)),
    ),
    Source(
        "withdrawal",
        Kind.CONSENT,
        F("withdrawn_at"),
        lambda: Consent.objects.filter(withdrawn_at__isnull=False),
        joins=("plan",),
        hidden=("html", *SIGNATURES),
        of_area=lambda codes: Q(areas__overlap=list(codes)),
    ),
    Source(
        "history",
        Kind.HISTORY,
        F("submitted_at"),
        lambda: History.objects.filter(submitted_at__isnull=False),
        joins=("typed_by",),
        hidden=SIGNATURES,
    ),
    Source(
        "review",
        Kind.HISTORY,
        F("reviewed_at"),
        lambda: History.objects.filter(reviewed_at__isnull=False),
        joins=("reviewed_by",),
        hidden=SIGNATURES,
    ),
    Source(
        "confirmation",
        Kind.HISTORY,
        F("confirmed_at"),
        lambda: Confirmation.objects.all(),
        joins=("history",),
        hidden=SIGNATURES,
    ),
    Source(
        "override",
        Kind.HISTORY,
        F("created_at"),
        lambda: Override.objects.all(),
        joins=("decided_by",),
    ),
    Source(
        "sheet",
        Kind.AFTERCARE,
        F("created_at"),
        lambda: Sheet.objects.all(),
        hidden=("content",),
        of_area=_treated("session_id"),
    ),
    Source(
        "answer",
        Kind.AFTERCARE,
        F("answered_at"),
        lambda: CheckIn.objects.filter(state=CheckIn.State.ANSWERED),
        joins=("own_scale",),
        of_area=_treated("session_id"),
        reacted=Q(colour__in=[CheckIn.Colour.AMBER, CheckIn.Colour.RED]),
        folded=Q(colour=CheckIn.Colour.GREEN),
    ),
    Source(
        "silence",
        Kind.AFTERCARE,
        F("due_at"),
        lambda: CheckIn.objects.filter(state__in=UNANSWERED),
        joins=("message",),
        of_area=_treated("session_id"),
        folded=Q(state__in=UNANSWERED),
    ),
    Source(
        "call",
        Kind.AFTERCARE,
        F("done_at"),
        lambda: Call.objects.filter(done_at__isnull=False),
        joins=("done_by", "check_in"),
        of_area=_treated("check_in__session_id"),
        reacted=Q(done_at__isnull=False),
    ),
)
