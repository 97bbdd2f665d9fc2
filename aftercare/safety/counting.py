"""The counts behind a look-back, made by the database: who was exposed to what, and how often.

Two statements, however many sessions there are: the people and their sessions, and the things that
were there in the sessions of cases. Of a case only sessions up to the day on which it began count,
since what came later cannot have caused it. Days are those of each location's own calendar.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from aftercare.safety.survey import room_to_work

Thing = tuple[str, ...]
"""Kind and key of an exposure, as `Exposure` has them."""
SEPARATOR = chr(31)
"""Between kind and key, where the database writes a thing as one text."""
MANY = 5
"""So many sessions and more are one step of the dose-response, as in the Balearic outbreak."""
ANY_ZONE = timedelta(hours=14)
"""So far from UTC a calendar may be, at most."""

VISITS = """
WITH ill (person, onset) AS (
    SELECT * FROM unnest(%(people)s::bigint[], %(onsets)s::date[])
), treated AS (
    SELECT session.id, coalesce(merged.merged_into_id, session.patient_id) AS person,
           (session.started_at AT TIME ZONE location.timezone)::date AS day,
           session.practitioner_id, session.signed_by_id, session.appointment_id
    FROM treatments_session session
    JOIN clinic_location location ON location.id = session.location_id
    LEFT JOIN patients_patient merged
        ON merged.id = session.patient_id AND merged.merged_into_id IS NOT NULL
    WHERE session.location_id = ANY(%(places)s)
        AND session.started_at >= %(earliest)s AND session.started_at < %(latest)s
), visit AS MATERIALIZED (
    SELECT treated.*, ill.onset FROM treated LEFT JOIN ill USING (person)
    WHERE day BETWEEN %(since)s AND %(until)s AND (ill.onset IS NULL OR day <= ill.onset)
)
"""
SUMMARY = """
SELECT least(times, %(many)s), count(*), count(onset), sum(times),
       array_agg(onset - first) FILTER (WHERE onset IS NOT NULL),
       array_agg(onset - last) FILTER (WHERE onset IS NOT NULL),
       array_agg(person) FILTER (WHERE onset IS NOT NULL)
FROM (
    SELECT person, max(onset) AS onset, count(*) AS times, min(day) AS first, max(day) AS last
    FROM visit GROUP BY person
) each GROUP BY 1
"""
THINGS = """
, lot AS (
    SELECT lot.id, product.code::text COLLATE "C" AS code, min(lot.number::text COLLATE "C")
        OVER (PARTITION BY product.code, upper(lot.number)) AS number
    FROM treatments_lot lot JOIN treatments_product product ON product.id = lot.product_id
    WHERE lot.location_id = ANY(%(places)s)
), drawn AS MATERIALIZED (
    SELECT visit.id, mix.syringe_id, true AS in_syringe, lot.code, lot.number
    FROM visit JOIN treatments_mixcomponent mix ON mix.session_id = visit.id
    JOIN lot ON lot.id = mix.lot_id
    UNION ALL
    SELECT visit.id, NULL, false, lot.code, lot.number
    FROM visit JOIN treatments_anaesthesia cream ON cream.session_id = visit.id
    JOIN lot ON lot.id = cream.lot_id
), had (id, thing) AS (
    SELECT id, concat_ws(chr(31), 'lot', code, number) FROM drawn
    UNION SELECT id, concat_ws(chr(31), 'product', code) FROM drawn
    UNION SELECT id, concat_ws(chr(31), 'mix', string_agg(DISTINCT code, chr(31) ORDER BY code))
        FROM drawn WHERE in_syringe GROUP BY id, syringe_id HAVING count(DISTINCT code) > 1
    UNION SELECT visit.id, concat_ws(chr(31), 'container', used.container_id)
        FROM visit JOIN treatments_movement used
        ON used.session_id = visit.id AND used.kind = 'used' AND used.container_id IS NOT NULL
    UNION SELECT visit.id, concat_ws(chr(31), 'technique', technique.code)
        FROM visit JOIN treatments_treatedarea area ON area.session_id = visit.id
        JOIN treatments_technique technique ON technique.id = area.technique_id
    UNION SELECT visit.id, concat_ws(chr(31), 'device', area.device_id)
        FROM visit JOIN treatments_treatedarea area
        ON area.session_id = visit.id AND area.device_id IS NOT NULL
    UNION SELECT id, concat_ws(chr(31), 'practitioner', practitioner_id) FROM visit
    UNION SELECT id, concat_ws(chr(31), 'practitioner', signed_by_id)
        FROM visit WHERE signed_by_id IS NOT NULL
    UNION SELECT visit.id, concat_ws(chr(31), 'practitioner', syringe.prepared_by_id)
        FROM visit JOIN treatments_syringe syringe
        ON syringe.session_id = visit.id AND syringe.prepared_by_id IS NOT NULL
    UNION SELECT visit.id, concat_ws(chr(31), 'room', appointment.room_id)
        FROM visit JOIN treatments_appointment appointment ON appointment.id = visit.appointment_id
), suspect AS MATERIALIZED (
    SELECT DISTINCT thing FROM had JOIN visit USING (id) WHERE onset IS NOT NULL
), counted AS (
    SELECT thing, person, max(onset) AS onset, count(*) AS times, max(day) AS last
    FROM had JOIN suspect USING (thing) JOIN visit USING (id) GROUP BY thing, person
)
SELECT thing, least(times, %(many)s), count(*), count(onset),
       array_agg(onset - last) FILTER (WHERE onset IS NOT NULL)
FROM counted GROUP BY 1, 2
UNION ALL
SELECT NULL, 0, (SELECT count(*) FROM (SELECT DISTINCT thing FROM had) used)
    - (SELECT count(*) FROM suspect), 0, NULL
"""


@dataclass(frozen=True)
class Window:
    """Whose sessions are compared: of which locations, on which days, both included."""

    places: Sequence[int]
    since: date
    until: date


@dataclass
class Times:
    """People by how often (`MANY`: or more): `people` and of them `cases`.

    `waits`: days from the last of these sessions to the onset, for each case.
    """

    people: dict[int, int] = field(default_factory=dict)
    cases: dict[int, int] = field(default_factory=dict)
    waits: list[int] = field(default_factory=list)

    def add(self, times: int, people: int, cases: int, waits: Iterable[int] | None) -> None:
        self.people[times], self.cases[times] = people, cases
        self.waits += waits or ()


@dataclass
class Everyone:
    """All who were treated: their `times` count sessions. `first_waits` begin at the first of them.

    `ill`: the cases among them, by the file that counts.
    """

    sessions: int = 0
    times: Times = field(default_factory=Times)
    first_waits: list[int] = field(default_factory=list)
    ill: set[int] = field(default_factory=set)


def everyone(window: Window, onsets: Mapping[int, date]) -> Everyone:
    """Who was treated, and how often. `onsets`: the cases by the file that counts."""
    found = Everyone()
    for times, people, cases, sessions, first, last, ill in _asked(SUMMARY, window, onsets):
        found.times.add(times, people, cases, last)
        found.sessions += int(sessions)
        found.first_waits += first or ()
        found.ill |= set(ill or ())
    return found


def suspects(window: Window, onsets: Mapping[int, date]) -> tuple[dict[Thing, Times], int]:
    """Each thing that a case was exposed to, and how many further things no case was."""
    found: dict[Thing, Times] = {}
    others = 0
    for thing, times, people, cases, waits in _asked(THINGS, window, onsets):
        if thing is None:
            others = int(people)
        else:
            found.setdefault(tuple(thing.split(SEPARATOR)), Times()).add(
                times, people, cases, waits
            )
    return found, others


def _asked(text: str, window: Window, onsets: Mapping[int, date]) -> list[tuple[Any, ...]]:
    first, last = (datetime.combine(day, time(), UTC) for day in (window.since, window.until))
    values = {
        "people": list(onsets),
        "onsets": list(onsets.values()),
        "places": list(window.places),
        "since": window.since,
        "until": window.until,
        "earliest": first - ANY_ZONE,
        "latest": last + timedelta(days=1) + ANY_ZONE,
        "many": MANY,
    }
    with room_to_work() as cursor:
        cursor.execute(VISITS + text, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
