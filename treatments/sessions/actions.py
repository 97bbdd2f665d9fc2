"""What may be done to a session: start it, save its sections, sign it, add a later word."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from clinic.places.models import Location
from patients.intake.facts import confirmed_on, latest_history
from patients.intake.models import History
from treatments.consents.coverage import coverage
from treatments.consents.models import Consent
from treatments.diary.actions import set_status
from treatments.diary.contention import trying_again
from treatments.diary.models import Appointment
from treatments.mixes.contents import FIRST
from treatments.mixes.models import Syringe
from treatments.plans.actions import finish_plan
from treatments.plans.course import total
from treatments.plans.models import Plan
from treatments.screening.actions import screen_history
from treatments.screening.engine import Verdict
from treatments.sessions import saving
from treatments.sessions.entries import (
    AreaEntry,
    Attempt,
    CreamEntry,
    MixEntry,
    Observation,
    Preparation,
    Sections,
    SyringeEntry,
)
from treatments.sessions.filling import (
    copy_into,
    lay_out_planned_areas,
    planned_mix,
    pour,
)
from treatments.sessions.gather import due_after, given
from treatments.sessions.models import Session, SessionAddendum
from treatments.sessions.parts import Parts, last_signed
from treatments.sessions.readiness import (
    NotReady,
    Obstacle,
    consent_obstacles,
    obstacles,
    proposal_of,
    screening_obstacles,
)
from treatments.sessions.totals import totals_of
from treatments.sessions.withdrawal import refuse_more, withdrawn_from
from treatments.sessions.words import sentence
from treatments.stock.actions import use_in_session
from treatments.stock.ledger import locked as lock_lots

BUSY = gettext_lazy("The shelf is very busy right now. Please try again.")
STALE = gettext_lazy(
    "This session was changed elsewhere since you opened it. Nothing was overwritten: "
    "what you entered is still on this page, but it is not saved."
)
NO_ATTEMPT = Attempt()


class StaleSession(ActionRefused):
    """Somebody has saved this session since it was opened; nothing was overwritten."""


class NotSignable(ActionRefused):
    """The signature is refused, for one or more reasons fit to show."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__(" ".join(self.problems))


@trying_again(BUSY)
@transaction.atomic
def start_session(
    *,
    by: Staff,
    plan: Plan,
    appointment: Appointment | None = None,
    location: Location | None = None,
    as_last: bool = False,
    at: datetime | None = None,
) -> Session:
    """The next session of a plan, as a draft with the planned mix; the one begun, if there is one.

    `as_last`: as a copy of the plan's last signed session instead: its map, mix, needles and
    antiseptic; never its times, its history, nor what was seen. Raises `NotReady` with every
    reason and its cure.
    """
    moment = at or timezone.now()
    plan = Plan.objects.select_for_update(of=("self",)).select_related("patient").get(pk=plan.pk)
    begun = Session.objects.filter(plan=plan, signed_at__isnull=True).first()
    if begun is not None:
        return begun
    place = _place(by, plan, appointment, location)
    number = 1 + (plan.sessions.aggregate(last=Max("number"))["last"] or 0)
    if found := obstacles(plan, number, place, moment):
        raise NotReady(found)
    history = latest_history(plan.patient)
    consent = coverage(plan.patient, plan, moment).consent
    assert consent is not None  # a missing one would have been an obstacle
    session = Session.objects.create(
        patient=plan.patient,
        location=place,
        plan=plan,
        consent=consent,
        appointment=appointment,
        practitioner=by,
        number=number,
        history_version=history.version if history else 0,
        weight_kg=history.weight_kg if history else None,
        started_at=moment,
        history_confirmed_at=_confirmed_today(history, place, moment),
    )
    last = last_signed(plan, before=number) if as_last else None
    if last is not None:
        copy_into(session, last, moment)
        return session
    lay_out_planned_areas(session, _draw_planned_mix(session, moment))
    return session


def _confirmed_today(history: History | None, place: Location, at: datetime) -> datetime | None:
    """The patient's own signature of today that nothing has changed answers the question."""
    if history is None:
        return None
    return confirmed_on(history, at.astimezone(place.zone).date(), place.zone)


def _place(
    by: Staff, plan: Plan, appointment: Appointment | None, location: Location | None
) -> Location:
    if appointment is not None:
        _refuse_appointment(plan, appointment)
        location = appointment.location
    place = location or plan.location
    if place.pk not in by.place_ids:
        raise ActionRefused(_("You do not work at this location."))
    return place


def _refuse_appointment(plan: Plan, appointment: Appointment) -> None:
    if appointment.patient_id != plan.patient_id:
        raise ActionRefused(_("This appointment belongs to someone else."))
    if appointment.status in Appointment.GIVEN_UP:
        raise ActionRefused(_("This appointment was cancelled or missed."))
    if appointment.status == Appointment.Status.HELD:
        raise ActionRefused(_("This time is only held for an offer."))
    if Session.objects.filter(appointment=appointment).exists():
        raise ActionRefused(_("This appointment already has a session."))


def _draw_planned_mix(session: Session, at: datetime) -> dict[str, Syringe]:
    """The planned mL of each product in its syringe; one empty syringe where nothing is planned."""
    planned = planned_mix(session) or {FIRST: {}}
    return {label: pour(session, label, planned[label], at) for label in sorted(planned)}


@trying_again(BUSY)
@transaction.atomic
def save_sections(
    *,
    by: Staff,
    session: Session,
    revision: int,
    sections: Sections,
    attempt: Attempt = NO_ATTEMPT,
    at: datetime | None = None,
) -> tuple[Session, dict[str, str]]:
    """Save what can be saved; for each section that was refused, why.

    Raises `StaleSession` when someone saved since `revision`; then nothing is written. The save
    of the same page whose answer was lost on the way is not someone else's.
    """
    draft = _draft(by, session)
    own = draft.revision == revision + 1 and draft.saved_as in attempt.unanswered
    if draft.revision != revision and not own:
        raise StaleSession(str(STALE))
    draft.saved_as = attempt.name
    moment = at or timezone.now()
    writers: list[tuple[str, Any, Callable[[Any], None]]] = [
        (
            "preparation",
            sections.preparation,
            lambda e: saving.write_preparation(draft, e, moment),
        ),
        ("creams", sections.creams, lambda e: saving.write_creams(draft, e, moment)),
        (
            "mix",
            sections.mix,
            lambda e: saving.write_mix(draft, e, moment, by=by, syringes=sections.syringes),
        ),
        ("areas", sections.areas, lambda e: saving.write_areas(draft, e)),
        (
            "observation",
            sections.observation,
            lambda e: saving.write_observation(draft, e, moment),
        ),
    ]
    refused: dict[str, str] = {}
    for name, entry, write in writers:
        if entry is None:
            continue
        try:
            with transaction.atomic():
                refuse_more(draft, _only(sections, name))
                write(entry)
        except ActionRefused as no:
            refused[name] = no.message
    return _bump(draft, moment), refused


@transaction.atomic
def save_preparation(
    *, by: Staff, session: Session, entry: Preparation, at: datetime | None = None
) -> Session:
    """Antiseptic, cleansing, weight, and that nothing changed since the history."""
    draft, moment = _draft(by, session), at or timezone.now()
    saving.write_preparation(draft, entry, moment)
    return _bump(draft, moment)


@transaction.atomic
def add_anaesthesia(
    *, by: Staff, session: Session, entries: Sequence[CreamEntry], at: datetime | None = None
) -> Session:
    """The numbing creams of this session, all of them."""
    draft, moment = _draft(by, session), at or timezone.now()
    refuse_more(draft, Sections(creams=entries))
    saving.write_creams(draft, entries, moment)
    return _bump(draft, moment)


@transaction.atomic
def save_mix(
    *,
    by: Staff,
    session: Session,
    entries: Sequence[MixEntry],
    syringes: Sequence[SyringeEntry] | None = None,
    at: datetime | None = None,
) -> Session:
    """The syringes, and what was drawn into each, lot by lot."""
    draft, moment = _draft(by, session), at or timezone.now()
    refuse_more(draft, Sections(mix=entries, syringes=syringes))
    saving.write_mix(draft, entries, moment, by=by, syringes=syringes)
    return _bump(draft, moment)


@transaction.atomic
def save_areas(
    *, by: Staff, session: Session, entries: Sequence[AreaEntry], at: datetime | None = None
) -> Session:
    """The whole injection map."""
    draft, moment = _draft(by, session), at or timezone.now()
    refuse_more(draft, Sections(areas=entries))
    saving.write_areas(draft, entries)
    return _bump(draft, moment)


@transaction.atomic
def save_observation(
    *, by: Staff, session: Session, entry: Observation, at: datetime | None = None
) -> Session:
    """What was seen, put on, and thrown away."""
    draft, moment = _draft(by, session), at or timezone.now()
    saving.write_observation(draft, entry, moment)
    return _bump(draft, moment)


@trying_again(BUSY)
@transaction.atomic
def sign_session(
    *, by: Staff, session: Session, revision: int | None = None, at: datetime | None = None
) -> Session:
    """Check everything again, take the stock, freeze the totals and close the session.

    Raises `NotSignable` with every reason. Lots are locked in the order of their ids, so that two
    signatures never wait for each other in a circle, and no lot falls below zero.
    """
    # The plan before the consent, as everywhere, so that a withdrawal cannot cross a signature.
    Plan.objects.select_for_update().get(pk=session.plan_id)
    draft, moment = _draft(by, session, revision), at or timezone.now()
    if not by.is_licensed:
        raise NotSignable([_("Only a practitioner with a registration number can sign.")])
    Consent.objects.select_for_update().get(pk=draft.consent_id)
    lock_lots(stock_used(draft))
    parts = Parts.of(draft)
    verdicts = verdicts_of(parts, moment)
    facts = given(parts, moment, verdicts)
    frozen = totals_of(facts)
    problems = [
        *_unsaid(draft),
        *(o.message for o in _consent_problems(parts, moment)),
        *(o.message for o in screening_obstacles(verdicts)),
        *(sentence(finding) for finding in frozen.findings if finding.refuses),
    ]
    if problems:
        raise NotSignable(problems)
    use_in_session(
        by=by,
        session_id=draft.pk,
        location=draft.location,
        used=stock_used(draft),
        at=moment,
        drawn_at=draft.started_at,
    )
    if draft.next_due_on is None and (due := due_after(draft)):
        draft.next_due_on = due[0]
    draft.screening = [_as_data(verdict) for verdict in verdicts]
    draft.totals = frozen.as_data()
    draft.signed_at, draft.signed_by = moment, by
    draft.saved_at = moment
    draft.save()
    _close_visit(by, draft)
    return draft


def stock_used(draft: Session) -> dict[int, Decimal]:
    """What a session takes from the shelf, by lot id: mL drawn, which are injected and discarded
    together, and g of numbing creams."""
    used: dict[int, Decimal] = {}
    drawn = draft.mix.values_list("lot_id", "ml")
    creams = draft.anaesthesia.filter(lot__isnull=False).values_list("lot_id", "grams")
    for lot_id, amount in [*drawn, *creams]:
        used[lot_id] = used.get(lot_id, Decimal(0)) + amount
    return used


def _unsaid(draft: Session) -> list[str]:
    """What must be stated before a signature."""
    said = [
        (draft.identity_checked_at, _("Ask for the patient’s name and birth date.")),
        (draft.history_confirmed_at, _("Ask whether anything has changed since the history.")),
        (draft.antiseptic, _("Say which antiseptic was used.")),
        (draft.cleansed_at, _("Say when the skin was cleansed.")),
        (draft.photos, _("Say whether photos were taken.")),
        (draft.adverse_events, _("Say whether there were adverse events; “none” is an answer.")),
    ]
    problems = [words for value, words in said if not value]
    newest = latest_history(draft.patient)
    if newest is not None and newest.version != draft.history_version:
        problems.append(_("A newer history has come in since. Read it and confirm again."))
    return problems


def _consent_problems(parts: Parts, at: datetime) -> list[Obstacle]:
    """What the consent lacks for what was given.

    One withdrawn since the session began covers what was given before: the record is signed, and
    says when it was withdrawn.
    """
    draft = parts.session
    moment = withdrawn_from(draft)
    if moment is None or moment < draft.started_at:
        found = coverage(draft.patient, draft.plan, at)
        if problems := consent_obstacles(found):
            return problems
        assert found.consent is not None
        draft.consent = found.consent
    missing = sorted(_used_codes(parts) - _consented(draft.consent))
    if not missing:
        return []
    text = _("The consent does not cover everything given: %(missing)s.")
    return [Obstacle("consent", text % {"missing": ", ".join(missing)})]


def _used_codes(parts: Parts) -> set[str]:
    substances = {i.substance.code for p in parts.mix for i in p.lot.product.ingredients.all()}
    areas = {code for row in parts.areas for code in (row.area.code, row.technique.code)}
    return areas | substances


def _consented(consent: Consent) -> set[str]:
    return {*consent.areas, *consent.techniques, *consent.substances}


def verdicts_of(parts: Parts, at: datetime) -> list[Verdict]:
    """What screening says of what is on the page, not of what was planned."""
    draft = parts.session
    tray: dict[int | None, set[str]] = {}
    for part in parts.mix:
        tray.setdefault(part.syringe_id, set()).add(part.lot.product.code)
    proposal = proposal_of(
        mixtures=list(tray.values()),
        products=[part.lot.product for part in parts.mix],
        techniques=[row.technique for row in parts.areas],
        areas=[row.area for row in parts.areas],
        location=draft.location,
        creams=[row.anaesthetic for row in parts.creams],
    )
    zone = draft.location.zone
    found = screen_history(
        parts.history, patient=draft.patient, proposal=proposal, at=at, zone=zone
    )
    return list(found)


def _as_data(verdict: Verdict) -> dict[str, Any]:
    """A verdict as it stood, dates as text."""
    return {name: _plain(value) for name, value in asdict(verdict).items()}


def _plain(value: Any) -> Any:
    return value if isinstance(value, (bool, int, str, type(None), list, dict)) else str(value)


def _close_visit(by: Staff, session: Session) -> None:
    """The appointment is done; after the last session the course is finished."""
    visit = session.appointment
    if visit is not None and visit.status not in (*Appointment.GIVEN_UP, Appointment.Status.DONE):
        if visit.status not in (Appointment.Status.ARRIVED, Appointment.Status.IN_ROOM):
            set_status(by=by, appointment=visit, status=Appointment.Status.ARRIVED)
        set_status(by=by, appointment=visit, status=Appointment.Status.DONE)
    if session.number >= total(session.plan.phases.all()):
        finish_plan(by=by, plan=session.plan)


@transaction.atomic
def add_addendum(*, by: Staff, session: Session, text: str, reason: str) -> SessionAddendum:
    """A dated later word on a signed session, with its reason."""
    if not session.is_signed:
        raise ActionRefused(_("This session is still open: write in it instead."))
    if not text.strip():
        raise ActionRefused(_("Write the addendum."), field="text")
    if not reason.strip():
        raise ActionRefused(_("Say why the addendum is needed."), field="reason")
    return SessionAddendum.objects.create(
        session=session, text=text.strip(), reason=reason.strip(), written_by=by
    )


def _only(sections: Sections, name: str) -> Sections:
    """One part of what a page holds; what is in the syringes goes with the syringes."""
    names = (name, "syringes") if name == "mix" else (name,)
    return Sections(**{one: getattr(sections, one) for one in names})


def _draft(by: Staff, session: Session, revision: int | None = None) -> Session:
    """The session, locked. Refused when signed, elsewhere, or saved by another since."""
    draft = (
        Session.objects.select_for_update(of=("self",))
        .select_related("patient", "location", "plan", "consent", "appointment")
        .get(pk=session.pk)
    )
    if draft.is_signed:
        raise StaleSession(_("This session has been signed. Add an addendum instead."))
    if draft.location_id not in by.place_ids:
        raise ActionRefused(_("You do not work at this location."))
    if revision is not None and draft.revision != revision:
        raise StaleSession(str(STALE))
    return draft


def _bump(draft: Session, at: datetime) -> Session:
    draft.revision += 1
    draft.saved_at = at
    draft.save()
    return draft
