"""A consent withdrawn in the middle of a session: what was given is recorded, no more is given.

What was injected before cannot be undone, so its record stays open and can be signed. Nobody can
tell from a page when a point was set; so what would begin something new is refused: another area,
more intended points, another syringe or cream, and one made up or put on after the withdrawal.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic.errors import ActionRefused
from treatments.consents.models import Consent
from treatments.sessions.entries import AreaEntry, CreamEntry, MixEntry, Sections, SyringeEntry
from treatments.sessions.models import Session
from treatments.sessions.points import clean_points


def withdrawn_from(session: Session) -> datetime | None:
    """When the patient withdrew what an open session was begun under.

    None while it stands, and where another consent for the plan has been signed since.
    """
    moment = session.consent.withdrawn_at
    if moment is None:
        return None
    since = Consent.objects.filter(plan_id=session.plan_id, pk__gt=session.consent_id)
    if since.filter(signed_at__isnull=False, withdrawn_at__isnull=True).exists():
        return None
    return moment


def refuse_more(draft: Session, sections: Sections) -> None:
    """Raise `ActionRefused` where these parts would give more than what was begun before."""
    moment = withdrawn_from(draft)
    if moment is None:
        return
    if sections.creams is not None and _has_later_cream(sections.creams, moment):
        raise _refusal(draft, moment, _("No cream is put on any more."))
    if sections.mix is not None and _has_more_mix(draft, sections.mix, sections.syringes, moment):
        words = _("Nothing is drawn any more. What was drawn before can be recorded.")
        raise _refusal(draft, moment, words)
    if sections.areas is not None and _has_more_areas(draft, sections.areas):
        words = _("Nothing more is planned or begun. What was given before can be recorded.")
        raise _refusal(draft, moment, words)


def _refusal(draft: Session, moment: datetime, words: str) -> ActionRefused:
    at = date_format(moment.astimezone(draft.location.zone), "H:i")
    said = _("The patient withdrew the consent at %(time)s.") % {"time": at}
    return ActionRefused(f"{said} {words}")


def _has_later_cream(entries: Sequence[CreamEntry], moment: datetime) -> bool:
    return any(_minute(entry.on_at) > moment for entry in entries)


def _has_more_mix(
    draft: Session,
    entries: Sequence[MixEntry],
    syringes: Sequence[SyringeEntry] | None,
    moment: datetime,
) -> bool:
    """More in a syringe that was not made up before, or a syringe that was not there."""
    known = {row.label: row.prepared_at for row in draft.syringes.all()}
    made = known | {one.label: one.prepared_at for one in syringes or ()}
    if any(at is not None and _minute(at) > moment for at in made.values()):
        return True
    drawn: dict[tuple[str, int], Decimal] = {
        (row.syringe.label if row.syringe else "", row.lot_id): row.ml
        for row in draft.mix.select_related("syringe")
    }
    return any(
        entry.ml > drawn.get((entry.syringe, entry.lot.pk), Decimal(0))
        for entry in entries
        if made.get(entry.syringe) is None
    )


def _has_more_areas(draft: Session, entries: Sequence[AreaEntry]) -> bool:
    """An area that was not there, or a point that was not intended before."""
    known = {
        (code, side): clean_points(intended)
        for code, side, intended in draft.treated_areas.values_list(
            "area__code", "side", "intended"
        )
    }
    for entry in entries:
        key = (entry.area.code, entry.side)
        if key not in known:
            return True
        if {*map(tuple, clean_points(entry.intended))} - {*map(tuple, known[key])}:
            return True
    return False


def _minute(moment: datetime) -> datetime:
    """A page says times to the minute, rounded down: the same minute counts as before."""
    return moment.replace(second=0, microsecond=0)
