"""Who is acting, for the length of a request or a job; the database learns it with each write."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql as psycopg_sql

WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|TRUNCATE|MERGE|WITH)\b", re.IGNORECASE)
NAME_BY_PLACE = "SELECT set_config('clinic.actor', %s, true)"
NAME_BY_KEY = "SELECT set_config('clinic.actor', %(clinic_actor)s, true)"


@dataclass(frozen=True)
class Actor:
    """kind: `staff`, `patient`, `system` or `nobody`; who is a name fit to show."""

    kind: str = "nobody"
    id: int | None = None
    who: str = ""
    role: str = ""
    request_id: str = ""


NOBODY = Actor()
SYSTEM = Actor(kind="system", who="system", role="system")
_current: ContextVar[Actor | None] = ContextVar("actor", default=None)
request_id: ContextVar[str] = ContextVar("request_id", default="")


def current() -> Actor | None:
    """The acting person, or None outside any request, job or command."""
    return _current.get()


def new_request_id() -> str:
    """A fresh id that ties log lines and audit rows of one request together."""
    return str(uuid.uuid4())


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Everything written inside is this actor's doing. A request id in force is kept."""
    known = actor if actor.request_id else replace(actor, request_id=request_id.get())
    token = _current.set(known)
    try:
        yield
    finally:
        _current.reset(token)


def name_the_actor(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Database execute wrapper: put the actor in front of each write, in the same round trip.

    Transaction-local on purpose: it cannot leak to the next user of a pooled connection, and a
    rollback to a savepoint cannot lose it, since every write brings it along.
    """
    actor = _current.get()
    if actor is None or not isinstance(sql, str) or not WRITES.match(sql):
        return execute(sql, params, many, context)
    cursor, said = context["cursor"], json.dumps(asdict(actor))
    if many:
        cursor.cursor.execute(NAME_BY_PLACE, [said])
        return execute(sql, params, many, context)
    # As a parameter where there are any: a text that stays the same the driver takes apart once.
    if params is None:
        setting = psycopg_sql.Literal(said).as_string(cursor.cursor)
        execute(f"SELECT set_config('clinic.actor', {setting}, true); {sql}", None, many, context)
    elif isinstance(params, Mapping):
        named = {**params, "clinic_actor": said}
        execute(f"{NAME_BY_KEY}; {sql}", named, many, context)
    else:
        execute(f"{NAME_BY_PLACE}; {sql}", [said, *params], many, context)
    cursor.cursor.nextset()
    return None


def install(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """`connection_created` receiver: every connection names the actor."""
    if name_the_actor not in connection.execute_wrappers:
        connection.execute_wrappers.append(name_the_actor)


def become(actor: Actor) -> None:
    """From here to the end of the request in force, this actor acts: sign-in has said who it is."""
    _current.set(replace(actor, request_id=request_id.get()))
