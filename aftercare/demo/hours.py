"""The hours of the demo: closed days, who works when, who and what is away.

They are stored when the story has been told, which goes back over weekends and holidays; what it
books for the days to come is asked of `bookable` first.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from aftercare.demo.agenda import HALF_HOUR, half_hours
from aftercare.demo.clock import then
from aftercare.demo.ground import Ground, Place
from clinic.access.models import Staff
from clinic.places import actions
from clinic.places.holidays import holidays_of
from clinic.places.models import Device, Location, Room
from clinic.places.stranding import Stranding
from treatments.diary.absences import Thing, add_absence

SATURDAY, SUNDAY = 5, 6
REGIONS = {"FR": "", "GB": "ENG"}
WHOLE_DAY = ((time(9), time(19)),)
LONDON_DAY = ((time(9), time(13)), (time(14), time(18)))
WeekPlan = dict[int, tuple[tuple[time, time], ...]]
WEEKS: dict[str, WeekPlan] = {
    "Dr Noor Haddad": {0: ((time(9), time(13)),), **dict.fromkeys(range(1, 5), WHOLE_DAY)},
    "Dr Siân Llewellyn": dict.fromkeys(range(1, 5), LONDON_DAY),
}
"""Everyone else works whenever the location is open."""
AWAY = "Dr Étienne Vasseur"
LONGEST_VISIT = timedelta(hours=1)
TRAINING_IN = 57
"""Days; nothing is told or booked in bulk nearer than that and later than six weeks."""
CLEANED_DAYS = 30
CONSULTATION_ROOMS = {"FR": "Salle Marne", "GB": "Walbrook"}


def is_open(place: Place, day: date) -> bool:
    """Whether a location sees patients on a day: no weekend, no public holiday."""
    country = place.location.country_id
    return day.weekday() < SATURDAY and day not in holidays_of(
        country, REGIONS[country], day.year, ""
    )


def on_leave(doctor: Staff, day: date, today: date) -> bool:
    """Whether someone is away on a day to come."""
    return doctor.name == AWAY and _next_monday(today) <= day <= _next_monday(today) + timedelta(4)


def _next_monday(today: date) -> date:
    return today + timedelta(days=7 - today.weekday())


def bookable(place: Place, doctor: Staff, day: date, today: date) -> list[datetime]:
    """The half hours of a day at which a visit of an hour can begin; on the day itself all of them,
    whatever day of the week it is.
    """
    starts = half_hours(place, day)
    if day == today:
        return starts
    if not is_open(place, day):
        return []
    week = WEEKS.get(doctor.name)
    if week is None:
        return starts
    zone = place.location.zone
    spans = [
        tuple(datetime.combine(day, at, tzinfo=zone) for at in span)
        for span in week.get(day.weekday(), ())
    ]
    return [
        start
        for start in starts
        if any(opens <= start and start + LONGEST_VISIT <= closes for opens, closes in spans)
    ]


def keep_hours(ground: Ground, now: datetime, today: date) -> None:
    """Store all of it, by the manager's own actions."""
    with then(now, ground.manager):
        for place in ground.places:
            _keep_place(ground.manager, place, today)
            for doctor in place.practitioners:
                if week := WEEKS.get(doctor.name):
                    _keep_person(ground.manager, place, doctor, week, today)
        paris = ground.places[0]
        away = next(one for one in paris.practitioners if one.name == AWAY)
        monday = _next_monday(today)
        _absent(ground.manager, away, paris.location, monday, monday + timedelta(4), "Holidays")
    with then(now - timedelta(days=1), ground.manager):
        sent_in = paris.devices["needle-free"]
        _absent(ground.manager, sent_in, paris.location, today - timedelta(1), None, "Repair")
    _clean(ground, now)


def _keep_place(manager: Staff, place: Place, today: date) -> None:
    where = place.location
    Room.objects.create(
        location=where,
        name=CONSULTATION_ROOMS[where.country_id],
        kind=Room.Kind.CONSULTATION,
    )
    if not is_open(place, today):
        actions.save_location_day(
            by=manager,
            location=where,
            entry=None,
            today=today,
            day=today,
            opens_at=where.opens_at,
            closes_at=where.closes_at,
            reason="Open for once",
        )
    training = today + timedelta(days=TRAINING_IN)
    while not is_open(place, training):
        training += timedelta(days=1)
    actions.save_location_day(
        by=manager,
        location=where,
        entry=None,
        today=today,
        day=training,
        opens_at=where.opens_at,
        closes_at=time(13),
        reason="Staff training in the afternoon",
    )
    values = {name: getattr(where, name) for name in actions.LOCATION_FIELDS} | {
        "closed_weekdays": [SATURDAY, SUNDAY],
        "closes_on_holidays": True,
        "holiday_region": REGIONS[where.country_id],
        "allows_overlap": True,
    }
    actions.save_location(by=manager, location=where, **values)


def _keep_person(
    manager: Staff,
    place: Place,
    doctor: Staff,
    week: WeekPlan,
    today: date,
) -> None:
    """The weekly hours; and today, when the story has them at work from morning to evening."""
    where = place.location
    actions.save_day_hours(
        by=manager,
        staff=doctor,
        location=where,
        entry=None,
        today=today,
        day=today,
        starts_at=where.opens_at,
        ends_at=where.closes_at,
        reason="Stands in for a colleague",
    )
    actions.save_week(by=manager, staff=doctor, location=where, week=week)


def _absent(
    manager: Staff, thing: Thing, location: Location, first: date, last: date | None, reason: str
) -> None:
    """The visits that are booked in it already wait to be moved."""
    now = datetime.now(location.zone)
    values = {"thing": thing, "location": location, "first": first, "last": last}
    try:
        add_absence(by=manager, reason=reason, at=now, **values)  # type: ignore[arg-type]
    except Stranding as stranding:
        known = [row.pk for row in stranding.appointments]
        add_absence(by=manager, reason=reason, at=now, known=known, **values)  # type: ignore[arg-type]


def _clean(ground: Ground, now: datetime) -> None:
    """Each device was wiped in the evening of the days it was used."""
    for place in ground.places:
        for number, device in enumerate(place.devices.values()):
            for ago in range(CLEANED_DAYS, 0, -1 - number):
                day = now.astimezone(place.location.zone).date() - timedelta(days=ago)
                if is_open(place, day):
                    _clean_on(place, device, day, ago)


def _clean_on(place: Place, device: Device, day: date, ago: int) -> None:
    evening = datetime.combine(day, place.location.closes_at, tzinfo=place.location.zone)
    who = (place.desk, *place.practitioners)[ago % (1 + len(place.practitioners))]
    with then(evening + HALF_HOUR, who) as at:
        actions.log_cleaning(
            by=who,
            device=device,
            cleaned_at=at,
            agent="Alcohol 70 %" if ago % 3 else "Wipes, quaternary ammonium",
            note="Head changed" if ago % 7 == 0 else "",
        )
