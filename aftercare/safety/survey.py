"""How many were exposed and who, in one statement over the query that says which sessions it was.

A product may have been given in hundreds of thousands of sessions: they are found once, and then
counted, ordered and grouped by people.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from treatments.sessions.models import Session

FIELDS = ("id", "started_at", "patient_id", "location_id")
CHUNK = 2_000
# Tables of this size are sorted and joined in memory; compiling the statement would cost more than
# it saves; and where the disk must be read first, slow is better than no answer.
ROOM_TO_WORK = (
    "SET LOCAL work_mem = '64MB'; SET LOCAL jit = off; SET LOCAL statement_timeout = '25s'"
)
FOUND = "WITH found ({names}) AS MATERIALIZED ({found})\n"
PEOPLE = """
(SELECT found.*, coalesce(merged.merged_into_id, found.patient_id) AS person
 FROM found LEFT JOIN patients_patient merged
    ON merged.id = found.patient_id AND merged.merged_into_id IS NOT NULL)
"""
"""Each session with the number of the file that counts for whoever was treated."""
SURVEY = """
SELECT (SELECT count(*) FROM found),
       (SELECT count(*) FROM (SELECT DISTINCT person FROM {people} exposed) each),
       ARRAY(SELECT id FROM found WHERE {behind} ORDER BY started_at DESC, id DESC LIMIT %s)
"""
CONTACTS = """
, each AS MATERIALIZED (
    SELECT person, count(*) AS sessions, min(started_at) AS first_at, max(started_at) AS last_at,
           (array_agg(location_id ORDER BY started_at DESC, id DESC))[1] AS location_id
    FROM {people} exposed GROUP BY person
), total AS (
    SELECT count(*) AS people FROM each
), noted AS (
    INSERT INTO aftercare_recallcontact
        (recall_id, patient_id, exposed_file, sessions, first_at, last_at, location_id)
    SELECT %s, person, person, sessions, first_at, last_at, location_id
    FROM each, total WHERE people <= %s ORDER BY person
)
SELECT people FROM total
"""
FILES = "SELECT DISTINCT patient_id FROM found ORDER BY patient_id"
IN_ORDER = "SELECT id FROM found ORDER BY started_at DESC, id DESC"


@dataclass(frozen=True)
class Survey:
    """How many sessions and people it was, and one page of the sessions, newest first.

    One person with two files counts as one. `following` is the key of the next page, empty at the
    end: `2026-11-26T10:00:00+00:00_815`.
    """

    sessions: int
    patients: int
    rows: Sequence[Session]
    following: str


def survey(found: Any, loaded: Any, size: int, after: str = "") -> Survey:
    """Count what `exposed` found; `loaded`: the query by which a page of `size` is read.

    `after` is the key of the session before the page; a strange one begins anew.
    """
    key = _key(after)
    behind = "(started_at, id) < (%s, %s)" if key else "true"
    [(sessions, patients, ids)] = _asked(SURVEY, found, *(key or ()), size + 1, behind=behind)
    rows = _read(loaded, ids[:size])
    last = rows[-1] if len(ids) > size and rows else None
    following = f"{last.started_at.isoformat()}_{last.pk}" if last else ""
    return Survey(sessions, patients, rows, following)


def _key(after: str) -> tuple[datetime, int] | None:
    moment, _mark, pk = after.partition("_")
    try:
        at, number = datetime.fromisoformat(moment), int(pk)
    except ValueError:
        return None
    return (at, number) if at.tzinfo is not None and 0 <= number < 2**63 else None


def note_contacts(found: Any, recall: int, most: int) -> int:
    """Note everyone exposed as a contact of this recall, by the file that counts: how many it is.

    Where it is more than `most`, nobody is noted.
    """
    [(people,)] = _asked(CONTACTS, found, recall, most)
    return int(people)


def files(found: Any) -> list[int]:
    """The numbers of all files that it is about, earlier ones too."""
    return [pk for (pk,) in _asked(FILES, found)]


def in_order(found: Any, loaded: Any) -> Iterator[Session]:
    """Every session, newest first, read in parts."""
    ids = [pk for (pk,) in _asked(IN_ORDER, found)]
    for start in range(0, len(ids), CHUNK):
        yield from _read(loaded, ids[start : start + CHUNK])


def _read(loaded: Any, ids: Sequence[int]) -> list[Session]:
    """These sessions, in this order."""
    read = loaded.filter(pk__in=ids).in_bulk()
    return [read[pk] for pk in ids if pk in read]


@contextmanager
def room_to_work() -> Iterator[Any]:
    """A cursor in a transaction that may use more memory and time than a page needs."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ROOM_TO_WORK)
        yield cursor


def statement(
    text: str, found: Any, *values: Any, more: Sequence[str] = (), behind: str = "true"
) -> tuple[str, list[Any]]:
    """A statement over the sessions `found`, and its parameters.

    `more`: further columns of a session that the statement needs.
    """
    names = (*FIELDS, *more)
    sql, params = found.order_by().values_list(*names).query.sql_with_params()
    with_found = FOUND.format(names=", ".join(names), found=sql)
    return with_found + text.format(people=PEOPLE, behind=behind), [*params, *values]


def _asked(text: str, found: Any, *values: Any, **parts: str) -> list[tuple[Any, ...]]:
    with room_to_work() as cursor:
        cursor.execute(*statement(text, found, *values, **parts))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
