"""What PostgreSQL answers when two people want the same thing at once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

from django.db import DatabaseError, OperationalError, connection, models
from django.utils.functional import Promise

from clinic.errors import ActionRefused

logger = logging.getLogger(__name__)
Given = ParamSpec("Given")
Answer = TypeVar("Answer")

TRY_AGAIN = {"40001", "40P01", "55P03"}
"""Serialization failure, deadlock, lock timeout: nothing was wrong with the request."""
TIME_IS_UP = "57014"
"""The statement's time ran out: in a queue for a lock, each wait in it being short enough."""
TRIES = 3


def sqlstate(error: DatabaseError) -> str:
    """PostgreSQL's five-letter code of an error, or nothing."""
    return str(getattr(error.__cause__, "sqlstate", "") or "")


def broken_constraint(error: DatabaseError) -> str:
    """The name of the constraint that was violated, or nothing."""
    return str(getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") or "")


def insert_unless_taken(row: models.Model) -> bool:
    """Write a new row unless a constraint of its table stands in the way; whether it stands now.

    One statement, which says so by itself: no other needs to look for the row.
    """
    statement, columns = _insertion(type(row))
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in columns]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found = cursor.fetchone()
    if found is None:
        return False
    row.pk, row._state.adding = found[0], False
    return True


@cache
def _insertion(model: type[models.Model]) -> tuple[str, list[Any]]:
    """The statement, and the fields whose values it wants."""
    quoted, meta = connection.ops.quote_name, model._meta
    fields = [one for one in meta.local_concrete_fields if not (one.primary_key or one.generated)]
    names = ", ".join(quoted(str(field.column)) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    return (
        f"INSERT INTO {quoted(meta.db_table)} ({names}) VALUES ({marks})"  # noqa: S608
        f" ON CONFLICT DO NOTHING RETURNING {quoted(str(meta.pk.column))}"
    ), fields


def trying_again(
    busy: str | Promise,
) -> Callable[[Callable[Given, Answer]], Callable[Given, Answer]]:
    """Try a whole action again when it lost a race for a lock; at last say `busy`, kindly.

    Where the time of a statement ran out it is said at once, and logged: it may have been slow.
    """

    def decorate(action: Callable[Given, Answer]) -> Callable[Given, Answer]:
        @wraps(action)
        def tried(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
            for _attempt in range(TRIES):
                try:
                    return action(*args, **kwargs)
                except OperationalError as error:
                    if sqlstate(error) == TIME_IS_UP:
                        logger.warning("%s waited too long", action.__name__)
                        break
                    if sqlstate(error) not in TRY_AGAIN:
                        raise
            raise ActionRefused(str(busy))

        return tried

    return decorate
