"""What the desk puts into the diary besides visits: pauses, and one visit over what was taken."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from aftercare.demo.agenda import HALF_HOUR, half_hours, near
from aftercare.demo.clock import then
from aftercare.demo.ground import Ground, Place
from aftercare.demo.hours import is_open
from clinic.access.models import Staff
from clinic.errors import ActionRefused
from treatments.diary.actions import move
from treatments.diary.blocks import block
from treatments.diary.models import Appointment

PAUSED_DAYS = 5
NOON = time(12, 30)
REASON = "Swelling after yesterday’s session, must be seen"


def keep_pauses(ground: Ground, now: datetime, today: date) -> None:
    """A lunch for everyone on the days to come, at the free half hour nearest to noon."""
    for place in ground.places:
        with then(now, place.desk):
            for number in range(PAUSED_DAYS):
                day = today + timedelta(days=number)
                if number and not is_open(place, day):
                    continue
                for doctor in place.practitioners:
                    _pause(place, doctor, day)


def _pause(place: Place, doctor: Staff, day: date) -> None:
    for start in near(half_hours(place, day), NOON, place):
        try:
            block(
                by=place.desk,
                location=place.location,
                staff=doctor,
                starts_at=start,
                ends_at=start + HALF_HOUR,
                reason="Lunch",
            )
        except ActionRefused:
            continue
        return


def squeeze_in(ground: Ground, now: datetime, today: date) -> None:
    """A visit of tomorrow is moved over the doctor's first, where the location allows it."""
    place = ground.places[0]
    place.location.refresh_from_db()
    tomorrow = Appointment.objects.filter(
        location=place.location,
        practitioner=place.practitioners[0],
        status=Appointment.Status.BOOKED,
        starts_at__date=today + timedelta(days=1),
    )
    visits = list(tomorrow.order_by("starts_at"))
    if not visits or not place.location.allows_overlap:
        return
    first, *later = visits
    with then(now, place.desk):
        for visit in reversed(later):
            try:
                move(
                    by=place.desk,
                    appointment=visit,
                    starts_at=first.starts_at,
                    practitioner=first.practitioner,
                    overlap_reason=REASON,
                )
            except ActionRefused:
                continue  # a session of a course, which keeps its gap
            return
