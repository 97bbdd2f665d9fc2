"""What PostgreSQL answers when two people want the same thing at once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, OperationalError
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
