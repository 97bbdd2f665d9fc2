"""What came of one course of a patient: scores, their own score, photos, events, check-ins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext as _

from aftercare.safety.models import AdverseEvent
from aftercare.watch.models import UNANSWERED, CheckIn
from patients.photos.models import Photo, PhotoQuerySet
from patients.photos.naming import Names
from patients.registry.models import Patient
from treatments.plans.models import Plan
from treatments.scales.history import MOST_SCORES, WIDTH, Series, group
from treatments.scales.models import Score
from treatments.scales.reading import ScaleView
from treatments.sessions.models import LONGEST, Session

MOST_PHOTOS = 300
BEFORE_THE_NOTE = timedelta(days=1)
"""A photo or score of the same day, taken while the note was not begun yet."""


@dataclass(frozen=True)
class OwnSeries(Series):
    """The patient's own scores."""

    @property
    def title(self) -> str:
        """The scale, and whose it is."""
        return _("%(scale)s, by the patient") % {"scale": self.view.name}


@dataclass(frozen=True)
class Pair:
    """The same view before and after."""

    key: str
    words: str
    before: Photo
    after: Photo

    @property
    def days(self) -> int:
        """Whole days between them."""
        return (self.after.taken_at - self.before.taken_at).days


@dataclass(frozen=True)
class Course:
    """A plan, and what came of it."""

    plan: Plan
    sessions: Sequence[Session]
    series: Sequence[tuple[Series, list[float]]]
    events: Sequence[AdverseEvent]
    answered: int
    silent: int
    pairs: Sequence[Pair]


def plans_of(patient: Patient) -> list[Plan]:
    """The courses of a person that were begun, the newest first; one query."""
    begun = Plan.objects.of_person(patient).filter(sessions__signed_at__isnull=False)
    rows = begun.distinct().select_related("protocol", "consultation", "location")
    return list(rows.order_by("-accepted_at", "-pk"))


def course_of(patient: Patient, plan: Plan, photos: PhotoQuerySet | None) -> Course:
    """All of a course; `photos` those the reader may see, or None."""
    sessions = list(
        plan.sessions.filter(signed_at__isnull=False)
        .select_related("practitioner")
        .prefetch_related("treated_areas__area")
        .order_by("number")
    )
    since, until = window_of(patient, plan)
    check_ins = list(CheckIn.objects.filter(session__in=sessions).select_related("own_scale"))
    series = [*_scored(patient, plan, since, until), *_own(check_ins)]
    started = [row.started_at for row in sessions]
    return Course(
        plan=plan,
        sessions=sessions,
        series=[(one, marks_of(one, started)) for one in series],
        events=list(
            AdverseEvent.objects.filter(session__in=sessions)
            .select_related("kind")
            .order_by("onset_at")
        ),
        answered=sum(row.state == CheckIn.State.ANSWERED for row in check_ins),
        silent=sum(row.state in UNANSWERED for row in check_ins),
        pairs=_pairs(photos, started[0], since, until) if photos is not None and started else [],
    )


def window_of(patient: Patient, plan: Plan) -> tuple[datetime, datetime | None]:
    """From the note that led to the plan until the next plan for the same indication."""
    note = plan.consultation
    since = (note.created_at if note else plan.accepted_at or plan.created_at) - BEFORE_THE_NOTE
    later = Plan.objects.of_person(patient).filter(
        indication=plan.indication, accepted_at__gt=plan.accepted_at or plan.created_at
    )
    following = later.order_by("accepted_at").values_list("accepted_at", flat=True).first()
    return since, following


def _scored(patient: Patient, plan: Plan, since: datetime, until: datetime | None) -> list[Series]:
    """The clinician's scales: of the plan's records, and of any others in its time."""
    in_time = Q(taken_at__gte=since)
    if until is not None:
        in_time &= Q(taken_at__lt=until)
    of_plan = Q(session__plan=plan) | Q(consultation=plan.consultation_id or 0)
    rows = Score.objects.of_person(patient).closed().filter(of_plan | in_time)
    return group(rows.select_related("scale", "taken_by")[:MOST_SCORES])


def _own(check_ins: Sequence[CheckIn]) -> list[Series]:
    """The patient's own scores, as the check-ins asked for them."""
    scores = [
        Score(
            patient_id=row.patient_id,
            scale=row.own_scale,
            value=row.own_value,
            taken_at=answered_at,
        )
        for row in check_ins
        if row.own_value is not None and (answered_at := row.answered_at) is not None
    ]
    scores.sort(key=lambda score: score.taken_at)
    by_scale: dict[str, list[Score]] = {}
    for score in scores:
        by_scale.setdefault(score.scale.code, []).append(score)
    return [OwnSeries(ScaleView(rows[-1].scale), "", rows) for rows in by_scale.values()]


def marks_of(series: Series, moments: Sequence[datetime]) -> list[float]:
    """Where the sessions stand in a plot; those outside its time are left out."""
    places = [series.across(at) for at in moments]
    return [x for x in places if 0 <= x <= WIDTH]


def _pairs(
    photos: PhotoQuerySet, first_session: datetime, since: datetime, until: datetime | None
) -> list[Pair]:
    """Of each view the last photo before the first treatment and the newest one after it."""
    within = photos.filter(taken_at__gte=since)
    if until is not None:
        within = within.filter(taken_at__lt=until)
    by_key: dict[str, list[Photo]] = {}
    for photo in list(within.newest_first().select_related("patient")[:MOST_PHOTOS])[::-1]:
        by_key.setdefault(photo.key, []).append(photo)
    names, found = Names(), []
    for key, rows in by_key.items():
        before = [one for one in rows if one.taken_at <= first_session + LONGEST]
        after = [one for one in rows if one.taken_at > first_session + LONGEST]
        if before and after:
            found.append(Pair(key, names.series(*key.split(".")), before[-1], after[-1]))
    return found
