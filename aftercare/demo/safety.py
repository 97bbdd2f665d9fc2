"""What went wrong in the demo: events open, late and closed, a lot recalled, and a look-back."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from aftercare.demo.clock import then
from aftercare.demo.ground import Ground, Place
from aftercare.safety.actions import add_to_event, close_event, open_event
from aftercare.safety.exposures import Exposure, Kind
from aftercare.safety.questions import add_case, ask_look_back
from aftercare.safety.recalling import ask_to_tell, open_recall, record_attempt, tell_exposed
from aftercare.watch.models import Call
from treatments.catalogue.models import AdverseEventType, Lot
from treatments.sessions.models import MixComponent, Session
from treatments.stock.actions import set_lot_state

WEEKS_BACK = 16
ILL_AFTER = (24, 31, 20, 27)
"""Days from a session to the first sign, of one case after the other."""
AT_LEAST = 24
SOURCE = "ha-1"
"""Of this product one lot is the source."""
FEW, MOST_LETTERS = 3, 6
"""A lot that so many were given is recalled: enough to see, not too many letters to render."""


def keep_safe(ground: Ground, now: datetime) -> None:
    """All at the first location, whose practitioner and manager look at it first."""
    place = ground.places[0]
    _closed_event(place, now)
    _late_event(place, now)
    _outbreak(ground, place, now)
    _recall(ground, place, now)


def _said(code: str, onset: datetime, days: int, **words: Any) -> dict[str, Any]:
    """What a practitioner says; `days` from the onset to the next look."""
    return {
        "kind": AdverseEventType.objects.current().get(code=code),
        "onset_at": onset,
        "grade": 2,
        "relatedness": "probable",
        "side": "none",
        "outcome": "ongoing",
        "follow_up_on": (onset + timedelta(days=days)).date(),
        **words,
    }


def _site(session: Session) -> dict[str, Any]:
    """The first area of a session, with one of its points."""
    row = session.treated_areas.exclude(points=[]).first()
    if row is None:
        return {}
    x, y = row.points[len(row.points) // 2]
    return {"area": row.area, "side": row.side, "chart": row.chart, "point_x": x, "point_y": y}


def _closed_event(place: Place, now: datetime) -> None:
    """From the red call that was worked off: a nodule that turned out to be harmless."""
    call = (
        Call.objects.filter(location=place.location, done_at__isnull=False)
        .select_related("check_in__session", "patient", "done_by")
        .first()
    )
    if call is None or call.done_by is None:
        return
    doctor = call.done_by
    began = call.created_at
    said = _said(
        "granuloma",
        began - timedelta(days=2),
        14,
        description="Firm nodule of 6 mm, not red, not tender. Patient well, no fever.",
        action_taken="Seen the next day. Swab and biopsy for culture, mycobacteria included.",
        relatedness="possible",
        **_site(call.check_in.session),
    )
    with then(began + timedelta(hours=5), doctor):
        event = open_event(
            by=doctor, patient=call.patient, location=place.location, call=call, said=said
        )
    closed_at = min(began + timedelta(days=24), now - timedelta(hours=30))
    if closed_at <= event.created_at:
        return
    words = "Cultures negative, also after six weeks for mycobacteria. Nodule gone."
    with then(closed_at, doctor):
        closed = close_event(by=doctor, event=event, outcome="resolved", words=words)
    with then(now - timedelta(hours=26), doctor):
        add_to_event(
            by=doctor,
            event=closed,
            text="Histology came late: foreign body reaction.",
            reason="Result received after closing",
        )


def _late_event(place: Place, now: datetime) -> None:
    """A bruise that should be gone by the catalogue's figure and was to be seen again."""
    session = (
        Session.objects.filter(
            location=place.location,
            signed_at__isnull=False,
            started_at__lt=now - timedelta(days=17),
            started_at__gt=now - timedelta(days=60),
        )
        .select_related("patient", "practitioner")
        .order_by("-started_at", "pk")
        .first()
    )
    if session is None:
        return
    said = _said(
        "bruise",
        session.started_at + timedelta(hours=3),
        14,
        grade=1,
        relatedness="definite",
        description="Bruise of 3 cm, yellow at the edge. No pain.",
        action_taken="Explained; arnica is not forbidden. Photo at the next visit.",
        **_site(session),
    )
    with then(session.started_at + timedelta(days=2), session.practitioner):
        open_event(
            by=session.practitioner,
            patient=session.patient,
            location=place.location,
            session=session,
            said=said,
        )


# -- the outbreak ----------------------------------------------------------------------------


def _given(place: Place, since: datetime, until: datetime) -> dict[int, list[Session]]:
    """By lot: the last session of everyone who was given it in these days."""
    parts = (
        MixComponent.objects.filter(
            session__location=place.location,
            session__started_at__range=(since, until),
            session__signed_at__isnull=False,
        )
        .select_related("session__patient", "session__practitioner")
        .order_by("session__started_at", "pk")
    )
    last: dict[int, dict[int, Session]] = {}
    for part in parts:
        last.setdefault(part.lot_id, {})[part.session.patient_id] = part.session
    return {lot: list(sessions.values()) for lot, sessions in last.items()}


def _outbreak(ground: Ground, place: Place, now: datetime) -> None:
    """Of those who were given one lot nearly all fall ill, and one who was not: a look-back."""
    since = now - timedelta(weeks=WEEKS_BACK)
    given = _given(place, since, now - timedelta(days=AT_LEAST))
    of_source = Lot.objects.filter(product__code=SOURCE, pk__in=given)
    source = max(of_source, key=lambda lot: (len(given[lot.pk]), -lot.pk), default=None)
    if source is None:
        return
    known = {one.patient_id for one in given[source.pk]}
    everyone = (one for rows in given.values() for one in rows)
    other = next((one for one in everyone if one.patient_id not in known), None)
    cases = [*given[source.pk][: len(ILL_AFTER)], *([other] if other else [])]
    onsets = [_onset(one, number, now) for number, one in enumerate(cases)]
    for number, (session, onset) in enumerate(zip(cases[:2], onsets, strict=False)):
        _infection(place, session, onset, now, number)
    with then(now - timedelta(hours=20), ground.manager):
        question = ask_look_back(
            by=ground.manager,
            location=place.location,
            title="Nodules after sessions of the last months",
            since=since.date(),
            until=now.date(),
        )
        counted = set(question.cases.values_list("patient_id", flat=True))
        for session, onset in zip(cases, onsets, strict=True):
            if session.patient_id not in counted:
                add_case(
                    by=ground.manager,
                    question=question,
                    patient=session.patient,
                    onset_on=onset.date(),
                )


def _onset(session: Session, number: int, now: datetime) -> datetime:
    """Some weeks after the session, and not before the last one the patient had."""
    last = Session.objects.filter(patient=session.patient_id).latest("started_at").started_at
    planned = session.started_at + timedelta(days=ILL_AFTER[number % len(ILL_AFTER)])
    return min(max(planned, last + timedelta(days=8)), now - timedelta(days=2))


def _infection(place: Place, session: Session, onset: datetime, now: datetime, number: int) -> None:
    doctor = session.practitioner
    words = ("Two tender red nodules where it was injected.", "Nodule, then an abscess; drained.")
    said = _said(
        "mycobacteria",
        onset,
        0,
        grade=2 + number,
        description=words[number],
        action_taken="Biopsy for culture, mycobacteria included. Infectious diseases asked.",
        **_site(session),
    ) | {"follow_up_on": (now + timedelta(days=5 + number)).date()}
    with then(min(onset + timedelta(days=2), now - timedelta(hours=24)), doctor):
        open_event(
            by=doctor,
            patient=session.patient,
            location=place.location,
            session=session,
            said=said,
        )


# -- the recall ------------------------------------------------------------------------------


def _recall(ground: Ground, place: Place, now: datetime) -> None:
    """The lot of the fewest people is held back and recalled; two were called since."""
    since = now - timedelta(weeks=3 * WEEKS_BACK)
    given = _given(place, since, now - timedelta(days=3))
    sizes = Counter({lot: len(found) for lot, found in given.items()})
    fitting = [lot for lot, size in sizes.items() if FEW <= size <= MOST_LETTERS]
    if not fitting:
        return
    lot = Lot.objects.select_related("product").get(
        pk=min(fitting, key=lambda one: (-sizes[one], one))
    )
    manager, desk = ground.manager, place.desk
    with then(now - timedelta(hours=19), manager):
        if lot.state == Lot.State.AVAILABLE:
            set_lot_state(
                by=manager,
                lot=lot,
                state=Lot.State.QUARANTINED,
                reason="The maker asks to hold this lot back.",
            )
        recall = open_recall(
            by=manager,
            location=place.location,
            exposure=Exposure(Kind.LOT, (lot.product.code, lot.number)),
            reason="The maker reports vials that may not be sterile.",
            letter_words="The maker has found vials of this lot that may not be sterile.",
        )
        ask_to_tell(by=manager, recall=recall)
        tell_exposed(at=now - timedelta(hours=19))
    first, second = recall.contacts.order_by("pk")[:2]
    with then(now - timedelta(hours=3), desk):
        record_attempt(by=desk, contact=first, outcome="reached", note="Comes on Monday.")
        record_attempt(by=desk, contact=second, outcome="no-answer")
