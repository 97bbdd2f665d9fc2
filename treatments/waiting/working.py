"""What the beat does by itself: end offers, and offer freed times to the next in turn.

Rows are claimed with SKIP LOCKED, each in a transaction of its own, so that any number of workers
share the work. A row is looked at again only when its time has come.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from clinic.errors import ActionRefused
from clinic.steps import each_by_itself
from treatments.diary.models import Appointment, FreedTime
from treatments.waiting.actions import accept, end_offer, offer_time
from treatments.waiting.freed import matches_of
from treatments.waiting.hours import end_of_quiet, is_quiet
from treatments.waiting.models import WaitingEntry, WaitingOffer

BATCH = 100
MOST_TRIED = 8
"""Of those whom a time suits, so many are tried before the time counts as gone."""


def end_due(*, at: datetime) -> int:
    """End each offer that nobody answered in time, or whose hold the desk changed; how many."""
    due = list(WaitingOffer.objects.due(at).values_list("pk", flat=True)[:BATCH])
    changed = WaitingOffer.objects.open().exclude(appointment__status=Appointment.Status.HELD)
    due += list(changed.values_list("pk", flat=True)[:BATCH])
    each_by_itself(partial(_end, pk, at) for pk in dict.fromkeys(due))
    return len(due)


@transaction.atomic
def _end(pk: int, at: datetime) -> None:
    """End one, unless its patient answers at this moment or another worker has it."""
    entry = (
        WaitingEntry.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(offers__pk=pk)
        .first()
    )
    if entry is None:
        return
    offer = (
        WaitingOffer.objects.open()
        .select_for_update(of=("self",))
        .select_related("appointment", "entry")
        .filter(pk=pk)
        .first()
    )
    if offer is None:
        return
    status = offer.appointment.status
    if status == Appointment.Status.HELD:
        if at >= offer.expires_at:
            end_offer(offer=offer, answer=WaitingOffer.Answer.EXPIRED, at=at)
    elif status in Appointment.GIVEN_UP:
        end_offer(offer=offer, answer=WaitingOffer.Answer.TAKEN_BACK, at=at)
    else:
        # The desk has booked the held time in the diary: that is an answer too.
        accept(offer=offer, at=min(at, offer.expires_at - timedelta(seconds=1)))


def offer_freed(*, at: datetime) -> int:
    """Offer each freed time whose turn it is, where the location wants that; how many looked at."""
    due = FreedTime.objects.filter(settled_at__isnull=True, look_at__lte=at)
    pks = list(due.order_by("look_at", "pk").values_list("pk", flat=True)[:BATCH])
    each_by_itself(partial(_offer, pk, at) for pk in pks)
    return len(pks)


@transaction.atomic
def _offer(pk: int, at: datetime) -> None:
    """Offer one freed time to the best who have not had it, or settle it.

    Where the desk offers by hand, it is left to them until it begins.
    """
    freed = (
        FreedTime.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("location__country")
        .filter(pk=pk, settled_at__isnull=True, look_at__lte=at)
        .first()
    )
    if freed is None:
        return
    zone = freed.location.zone
    pending = WaitingOffer.objects.open().filter(freed=freed).first()
    if freed.starts_at <= at:
        freed.settled_at = at
    elif not freed.location.waiting_automatic:
        freed.look_at = freed.starts_at
    elif pending is not None:
        freed.look_at = pending.expires_at
    elif is_quiet(at, zone) and end_of_quiet(at, zone) < freed.starts_at:
        freed.look_at = end_of_quiet(at, zone)
    elif (offer := _next_offer(freed, at)) is not None:
        freed.look_at = offer.expires_at
    else:
        freed.settled_at = at
    freed.save(update_fields=["look_at", "settled_at"])


def _next_offer(freed: FreedTime, at: datetime) -> WaitingOffer | None:
    """The offer to the next in turn; None when nobody is left, or enough have had it."""
    had = set(freed.offers.values_list("entry_id", flat=True))
    if len(had) >= freed.location.most_offers or is_quiet(at, freed.location.zone):
        return None
    ((_time, found),) = matches_of([freed], freed.location, at)
    left = [match for match in found if match.entry.pk not in had]
    for match in left[:MOST_TRIED]:
        free_one = WaitingEntry.objects.select_for_update(skip_locked=True).filter(
            pk=match.entry.pk
        )
        if not free_one.exists():
            continue
        try:
            return offer_time(
                by=None,
                entry=match.entry,
                starts_at=match.starts_at,
                practitioner=freed.practitioner_id,
                at=at,
                freed=freed,
            )
        except ActionRefused:
            # Taken, closed, under age or out of reach: the next in turn may be luckier.
            continue
    return None
