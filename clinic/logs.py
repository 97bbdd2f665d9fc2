"""Log lines as JSON with a fixed set of fields, none of which can hold a patient's data.

A line carries the message *template*, never its arguments: Django and libraries put addresses
(with their tokens), e-mail addresses and values into arguments. Of an error it carries the type and
the places in the code, not the text, because PostgreSQL quotes the offending row in it.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from clinic.audit.context import request_id

# Arguments of these loggers are names of tasks and addresses to listen on, and worth reading.
OPEN_LOGGERS = frozenset({"celery.beat", "celery.worker.strategy"})
MESSAGE_LIMIT = 500
FRAMES = 12

_FIELDS: tuple[tuple[str, type[Any]], ...] = (
    ("method", str),
    ("status", int),
    ("ms", int),
    ("user_id", int),
    ("task", str),
    ("task_id", str),
    ("count", int),
)


def places(trace: TracebackType | None) -> list[str]:
    """The innermost places in the code that led to an error, as `file:line function`."""
    frames = traceback.extract_tb(trace)[-FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


class JsonFormatter(logging.Formatter):
    """One JSON object on one line for each record; line breaks in a message cannot forge a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for a record."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self._message(record)[:MESSAGE_LIMIT],
            "request_id": request_id.get(),
        }
        if route := _route(record):
            line["route"] = route
        for name, kind in _FIELDS:
            value = getattr(record, name, None)
            if value is None and name == "status":
                value = getattr(record, "status_code", None)
            if value is not None:
                line[name] = kind(value)
        # Celery puts what it knows of a task here: its arguments too, so names are picked.
        task = getattr(record, "data", None)
        if isinstance(task, dict):
            line |= {f"task{end}": str(task[key]) for key, end in _TASK if key in task}
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            line["at"] = places(record.exc_info[2])
        return json.dumps(line, ensure_ascii=True)

    def _message(self, record: logging.LogRecord) -> str:
        return record.getMessage() if record.name in OPEN_LOGGERS else str(record.msg)


_TASK = (("name", ""), ("id", "_id"))


def _route(record: logging.LogRecord) -> str:
    """The pattern of the address, in which patient numbers and tokens are names only."""
    given = getattr(record, "route", None)
    if given is not None:
        return str(given)
    match = getattr(getattr(record, "request", None), "resolver_match", None)
    return str(match.route) if match else ""
