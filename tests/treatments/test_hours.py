"""Opening and working hours: against a model by the minute, and against the SQL that books."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.errors import ActionRefused
from clinic.places.holidays import holiday, holidays_of, next_holidays, regions_of
from clinic.places.models import CountryProfile, DayHours, Location, LocationDay, WorkingHours
from tests.conftest import Cast
from treatments.diary.candidates import Wish, choose
from treatments.diary.free import free_times
from treatments.diary.hours import Hours
from treatments.diary.slots import Shape, Span, whole_day
from treatments.diary.visit import Visit

MINUTE = timedelta(minutes=1)
PLACES = (
    ("Europe/Paris", "FR", ""),
    ("Europe/London", "GB", "ENG"),
    ("Asia/Beirut", "LB", ""),
    ("America/Sao_Paulo", "BR", "SP"),
    ("America/New_York", "US", "CA"),
)
DAYS = (
    date(2026, 3, 8),  # New York loses an hour
    date(2026, 3, 29),  # Paris and London, and Beirut at midnight
    date(2026, 10, 25),
    date(2026, 11, 1),
    date(2026, 5, 1),
    date(2026, 12, 25),
    date(2026, 5, 20),
)
WHO = 7


def place(zone: str = "Europe/Paris", country: str = "FR", region: str = "", **fields) -> Location:
    return Location(
        **{
            "pk": 1,
            "name": "Here",
            "timezone": zone,
            "country_id": country,
            "holiday_region": region,
            "opens_at": time(9),
            "closes_at": time(18),
        }
        | fields
    )


# ---- public holidays ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("country", "region", "day", "language", "name"),
    [
        ("FR", "", date(2026, 7, 14), "fr", "Fête nationale"),
        ("GB", "ENG", date(2026, 8, 31), "en", "Summer Bank Holiday"),
        ("LB", "", date(2026, 11, 22), "fr", "Fête Nationale"),
        ("BR", "SP", date(2026, 7, 9), "en", "Constitutionalist Revolution"),
        ("US", "CA", date(2026, 3, 31), "en", "Cesar Chavez Day"),
    ],
)
def test_a_location_is_closed_on_its_public_holidays(country, region, day, language, name) -> None:
    closing = place(country=country, region=region, closes_on_holidays=True)
    assert name in holiday(closing, day, language)
    assert Hours(closing).opening(day) is None
    open_all_year = place(country=country, region=region)
    assert Hours(open_all_year).opening(day) is not None


def test_a_holiday_of_another_region_is_a_day_like_any_other() -> None:
    assert (
        holiday(place(country="GB", region="ENG", closes_on_holidays=True), date(2026, 8, 3)) == ""
    )
    assert holiday(place(country="GB", region="SCT", closes_on_holidays=True), date(2026, 8, 3))


def test_an_unknown_country_or_region_has_no_holidays_of_its_own() -> None:
    assert holidays_of("ZZ", "", 2026, "en") == {}
    assert holidays_of("FR", "nowhere", 2026, "en") == holidays_of("FR", "", 2026, "en")
    assert regions_of("ZZ") == ()


def test_the_next_holidays_go_on_into_the_next_year_in_the_language_of_the_page() -> None:
    shown = next_holidays("FR", "", date(2026, 12, 20), "en", 2)
    assert [row.day for row in shown] == [date(2026, 12, 25), date(2027, 1, 1)]
    assert shown[0].name == "Christmas Day"
    assert next_holidays("FR", "", date(2026, 12, 20), "fr", 1)[0].name == "Noël"


# ---- against a model by the minute -------------------------------------------------------------

quarters = st.integers(20, 95).map(lambda n: time(n // 4, n % 4 * 15))
"""From five in the morning, after the clocks have changed."""
spans = st.tuples(quarters, quarters).filter(lambda pair: pair[0] < pair[1])


def minutes_of(spans_: list[Span]) -> set[datetime]:
    found = set()
    for span in spans_:
        at = span.start
        while at < span.end:
            found.add(at)
            at += MINUTE
    return found


def naive_open(hours: Hours, day: date, clock: time) -> bool:
    where = hours.location
    entry = hours.days.get(day)
    if entry is not None:
        return entry.opens_at is not None and entry.opens_at <= clock < entry.closes_at
    closed = day.weekday() in where.closed_weekdays or (
        where.closes_on_holidays
        and day in holidays_of(where.country_id, where.holiday_region, day.year, "")
    )
    return not closed and where.opens_at <= clock < where.closes_at


def naive_works(hours: Hours, day: date, clock: time) -> bool:
    if not naive_open(hours, day, clock):
        return False
    if (WHO, day) in hours.single:
        return any(a <= clock < b for a, b in hours.single[WHO, day])
    if WHO not in hours.weekly:
        return True
    return any(a <= clock < b for a, b in hours.weekly[WHO].get(day.weekday(), []))


@st.composite
def settings_of_a_place(draw) -> tuple[Hours, date]:
    zone, country, region = draw(st.sampled_from(PLACES))
    opens, closes = draw(spans)
    where = place(
        zone,
        country,
        region,
        opens_at=opens,
        closes_at=closes,
        closed_weekdays=draw(st.lists(st.integers(0, 6), max_size=3, unique=True)),
        closes_on_holidays=draw(st.booleans()),
    )
    day = draw(st.sampled_from(DAYS))
    hours = Hours(where)
    if draw(st.booleans()):
        times = draw(st.none() | spans) or (None, None)
        hours.days[day] = LocationDay(day=day, opens_at=times[0], closes_at=times[1])
    if draw(st.booleans()):
        week = hours.weekly.setdefault(WHO, defaultdict(list))
        week[day.weekday()] = draw(st.lists(spans, max_size=3))
    if draw(st.integers(0, 3)) == 0:
        hours.single[WHO, day] = draw(st.lists(spans, max_size=1))
    return hours, day


@given(settings_of_a_place())
def test_opening_and_working_hours_are_those_of_every_single_minute(case) -> None:
    hours, day = case
    zone = hours.location.zone
    start, end = whole_day(day, zone)
    every = [start + n * MINUTE for n in range(int((end - start) / MINUTE))]
    clocks = {at: at.astimezone(zone).time() for at in every}
    opening = hours.opening(day)
    assert minutes_of([opening] if opening else []) == {
        at for at in every if naive_open(hours, day, clocks[at])
    }
    working = hours.working(WHO, day)
    assert minutes_of(working) == {at for at in every if naive_works(hours, day, clocks[at])}
    assert all(a.end < b.start for a, b in pairwise(working))


def test_a_day_of_changing_clocks_has_the_hours_on_the_wall() -> None:
    everyday = place(opens_at=time(0), closes_at=time(12))
    lost = Hours(everyday).opening(date(2026, 3, 29))
    gained = Hours(everyday).opening(date(2026, 10, 25))
    assert (lost.end - lost.start, gained.end - gained.start) == (
        timedelta(hours=11),
        timedelta(hours=13),
    )


# ---- against the SQL that books, and the times that are offered --------------------------------


def random_span(random: Random, first: int = 20, last: int = 95) -> tuple[time, time]:
    start, end = sorted(random.sample(range(first, last), 2))
    return time(start // 4, start % 4 * 15), time(end // 4, end % 4 * 15)


def random_settings(random: Random, cast: Cast, day: date) -> None:
    """Another set of hours at the location, all of it stored."""
    where = cast.here
    where.timezone, country, where.holiday_region = random.choice(PLACES)
    CountryProfile.objects.get_or_create(code=country, defaults={"name": country, "source": "-"})
    where.country_id = country
    where.opens_at, where.closes_at = random_span(random)
    where.closed_weekdays = random.sample(range(7), random.randint(0, 2))
    where.closes_on_holidays = random.random() < 0.5
    where.save()
    for model in (LocationDay, WorkingHours, DayHours):
        model.objects.all().delete()
    if random.random() < 0.4:
        opens, closes = random_span(random) if random.random() < 0.8 else (None, None)
        LocationDay.objects.create(location=where, day=day, opens_at=opens, closes_at=closes)
    own = {"staff": cast.practitioner, "location": where}
    if random.random() < 0.6:
        middle = random.randint(40, 70)
        touching = [random_span(random, 20, middle + 1), random_span(random, middle, 95)]
        if random.random() < 0.5:
            split = time(middle // 4, middle % 4 * 15)
            touching = [(touching[0][0], split), (split, touching[1][1])]
        for start, end in touching:
            if start < end:
                WorkingHours.objects.create(
                    **own, weekday=day.weekday(), starts_at=start, ends_at=end
                )
    if random.random() < 0.3:
        start, end = random_span(random) if random.random() < 0.7 else (None, None)
        DayHours.objects.create(**own, day=day, starts_at=start, ends_at=end)


def accepted(cast: Cast, visit: Visit, start: datetime) -> bool:
    wish = Wish(cast.here, cast.patient.pk, start, visit, cast.practitioner.pk, None)
    try:
        choose(wish)
    except ActionRefused:
        return False
    return True


def test_what_is_booked_what_is_offered_and_the_hours_agree(cast) -> None:
    random = Random(20261126)
    outcomes = []
    for _case in range(60):
        day = random.choice(DAYS)
        random_settings(random, cast, day)
        length = random.choice((30, 45, 60, 180))
        before = random.choice((0, 0, 20))
        shape = Shape(timedelta(minutes=length), timedelta(minutes=before), timedelta(minutes=10))
        visit = Visit(shape, "practitioner")
        hours = Hours.of(cast.here, day, day)
        opening = hours.opening(day)
        offered = {
            row.starts_at
            for row in free_times(
                location=cast.here,
                day=day,
                visit=visit,
                after=datetime(2026, 1, 1, tzinfo=UTC),
                practitioner_id=cast.practitioner.pk,
            )
        }
        first = opening.start if opening else whole_day(day, cast.here.zone).start
        starts = {first + timedelta(minutes=15 * random.randint(-8, 60)) for _n in range(8)}
        for start in starts | set(random.sample(sorted(offered), min(4, len(offered)))):
            if start.astimezone(cast.here.zone).date() != day:
                continue
            needs = shape.needs(start)
            expected = (
                opening is not None
                and opening.holds(needs.patient)
                and any(
                    span.holds(needs.practitioner)
                    for span in hours.working(cast.practitioner.pk, day)
                )
            )
            told = (day, start, cast.here.timezone, length, before)
            assert accepted(cast, visit, start) == expected, told
            assert (start in offered) == expected, told
            outcomes.append(expected)
    assert min(outcomes.count(True), outcomes.count(False)) > 60


@pytest.mark.parametrize("own_day", [True, False])
def test_a_visit_does_not_run_past_midnight_out_of_the_hours(cast, own_day: bool) -> None:
    """The clock shows 00:05 at its end, which is earlier than any closing time."""
    late = {"opens_at": time(9), "closes_at": time(23, 45)}
    if own_day:
        LocationDay.objects.create(location=cast.here, day=DAYS[-1], **late)
    else:
        Location.objects.filter(pk=cast.here.pk).update(**late)
        cast.here.refresh_from_db()
    visit = Visit(Shape(timedelta(minutes=45)), "practitioner")
    start = datetime.combine(DAYS[-1], time(23, 0), tzinfo=cast.here.zone)
    assert accepted(cast, visit, start)
    assert not accepted(cast, visit, start + timedelta(minutes=20))


def test_hours_that_have_just_been_changed_are_not_booked_by_the_old_ones(cast) -> None:
    stale = Location.objects.get(pk=cast.here.pk)
    Location.objects.filter(pk=cast.here.pk).update(closes_at=time(12))
    visit = Visit(Shape(timedelta(minutes=45)), "practitioner")
    start = datetime.combine(DAYS[-1], time(15), tzinfo=stale.zone)
    with pytest.raises(ActionRefused, match="just been changed"):
        choose(Wish(stale, cast.patient.pk, start, visit, cast.practitioner.pk, None))


@pytest.mark.parametrize("rows", [1, 3])
def test_hours_of_several_locations_take_three_queries(
    cast, rows: int, django_assert_num_queries
) -> None:
    for number in range(rows):
        day = DAYS[-1] + timedelta(days=number)
        LocationDay.objects.create(location=cast.here, day=day)
        DayHours.objects.create(staff=cast.practitioner, location=cast.here, day=day)
    with django_assert_num_queries(3):
        found = Hours.of_all([cast.here, cast.there][: 1 + rows // 2], DAYS[-1], DAYS[-1])
    assert found[cast.here.pk].opening(DAYS[-1]) is None
