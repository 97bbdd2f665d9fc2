"""Telling the people of a location of a red flag at once, and everybody when nobody takes it.

What they are sent says that a check-in needs them, and never whose. Each is told once that it is
there and once that nobody has taken it; who has taken it stops whatever has not left yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from aftercare.watch.models import Alert, AlsoTold, Call, rules_of
from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.places.models import Location
from clinic.steps import each_by_itself
from patients.messages.actions import hold_back, tell_staff
from patients.messages.kinds import ALERT
from treatments.diary.hours import Hours


def on_duty(at: datetime, place: Location, people: Iterable[Staff]) -> list[Staff]:
    """Those of a location's people whose hours there it is; three queries."""
    day = at.astimezone(place.zone).date()
    hours = Hours.of(place, day, day)
    return [
        one
        for one in people
        if any(span.start <= at < span.end for span in hours.working(one.pk, day))
    ]


def first_told(call: Call, at: datetime) -> list[Staff]:
    """Who hears of a red flag at once: who treated, the practitioners on duty, and whom the
    location's rules name besides. Of a call that somebody has taken already: they alone.
    """
    place = call.location
    people = list(Staff.objects.employed_at(place.pk))
    if call.taken_by_id is not None:
        return [one for one in people if one.pk == call.taken_by_id]
    able = [one for one in people if one.may(Permission.WORK_WATCH)]
    wanted = {call.check_in.session.practitioner_id}
    wanted |= {one.pk for one in on_duty(at, place, able)}
    wanted |= set(AlsoTold.objects.filter(location=place).values_list("staff", flat=True))
    return [one for one in people if one.pk in wanted]


@transaction.atomic
def tell_of(call: Call, at: datetime) -> None:
    """Tell whoever must hear of a red flag first, once; everybody at once where that is nobody.

    The call is locked by the caller.
    """
    if call.told_at is not None:
        return
    people = first_told(call, at)
    if people:
        _tell(call, people, at, everyone=False)
    call.told_at = at
    call.escalate_at = at + _wait(call) if people else at
    call.save(update_fields=["told_at", "escalate_at"])
    if not people:
        _tell_everyone(call, at)


def put_off(call: Call, until: datetime) -> None:
    """Somebody has tried, and the call is due again: everybody hears only if it is left then.

    Not saved.
    """
    if call.escalate_at is not None:
        call.escalate_at = until + _wait(call)


def _wait(call: Call) -> timedelta:
    return timedelta(minutes=rules_of(call.location).escalate_minutes)


def escalate_due(*, at: datetime) -> int:
    """Tell everybody of the location of each red flag that nobody has taken; how many."""
    due = list(Call.objects.nobody_took(at).values_list("pk", flat=True))
    each_by_itself(partial(_escalate, pk, at) for pk in due)
    return len(due)


@transaction.atomic
def _escalate(pk: int, at: datetime) -> None:
    """Unless somebody has taken it, or another worker has told everybody, in the meantime."""
    rows = (
        Call.objects.nobody_took(at)
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("location__watch_rules", "check_in__session")
    )
    call = rows.filter(pk=pk).first()
    if call is not None:
        _tell_everyone(call, at)


def _tell_everyone(call: Call, at: datetime) -> None:
    _tell(call, list(Staff.objects.employed_at(call.location_id)), at, everyone=True)
    call.everyone_told_at = at
    call.save(update_fields=["everyone_told_at"])


def _tell(call: Call, people: Iterable[Staff], at: datetime, *, everyone: bool) -> None:
    for staff in people:
        with override(staff.language):
            subject, body, sms = _words(call.location, staff, everyone=everyone)
        told = tell_staff(
            staff=staff,
            about=call.patient,
            location=call.location,
            kind=ALERT,
            key=f"alert-{call.pk}-{'all' if everyone else 'first'}-{staff.pk}",
            subject=subject,
            body=body,
            sms=sms,
            at=at,
        )
        Alert.objects.bulk_create(
            [Alert(call=call, message=message, to_everyone=everyone) for message in told],
            ignore_conflicts=True,
        )


def _words(place: Location, staff: Staff, *, everyone: bool) -> tuple[str, str, str]:
    """Subject and body of the e-mail, and the SMS; not everyone may open the call list."""
    values = {"clinic": place.name, "url": f"{settings.BASE_URL}{reverse('watch:safety')}"}
    subject = _("A check-in needs you")
    if not staff.may(Permission.WORK_WATCH):
        body = _(
            "Hello,\n\na check-in at %(clinic)s needs a practitioner, and nobody has taken the "
            "call yet. Please find one, who opens the call list.\n"
        )
        sms = _("%(clinic)s: a check-in needs a practitioner. Please find one now.")
    elif everyone:
        body = _(
            "Hello,\n\na check-in at %(clinic)s needs you: nobody has taken the call yet. Open the "
            "call list and take it:\n\n%(url)s\n"
        )
        sms = _("%(clinic)s: a check-in needs you, nobody has taken it yet: %(url)s")
    else:
        body = _(
            "Hello,\n\na check-in at %(clinic)s needs you. Open the call list and take the "
            "call:\n\n%(url)s\n"
        )
        sms = _("%(clinic)s: a check-in needs you: %(url)s")
    return subject, body % values, sms % values


def tell_no_more(call: Call) -> None:
    """Hold back whatever has not begun to leave: somebody has taken the call."""
    hold_back(messages=call.alerts.values_list("message", flat=True))
