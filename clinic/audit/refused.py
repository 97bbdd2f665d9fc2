"""What the database refused to change leaves an entry, though the statement itself is undone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from clinic.audit.actions import record_refusal

CLOSED = "55000"
"""SQLSTATE of the triggers that guard closed records (`audit.sql`)."""


def note_refusal(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Database execute wrapper: an attempt on a closed record is written down, then fails.

    Over a connection of its own: whatever the failed transaction wrote is rolled back with it.
    """
    try:
        return execute(sql, params, many, context)
    except DatabaseError as error:
        said = getattr(error.__cause__, "diag", None)
        if said is not None and said.sqlstate == CLOSED and said.message_detail:
            _write_apart(context["connection"], json.loads(said.message_detail))
        raise


def _write_apart(connection: BaseDatabaseWrapper, refused: dict[str, Any]) -> None:
    apart = connection.copy()
    try:
        record_refusal(
            what=refused["what"],
            patients=[refused["patient"]],
            object_id=refused["object_id"],
            over=apart,
        )
    finally:
        apart.close()


def install(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """`connection_created` receiver: every connection writes down what it was refused."""
    if note_refusal not in connection.execute_wrappers:
        connection.execute_wrappers.append(note_refusal)
