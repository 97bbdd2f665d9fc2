"""What an action refused, as a notice on the next page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.http import HttpRequest

from clinic.errors import ActionRefused


@contextmanager
def refused_notice(request: HttpRequest) -> Iterator[None]:
    """For a button without a form: `ActionRefused` becomes a notice; all else stays an error."""
    try:
        yield
    except ActionRefused as refused:
        messages.error(request, refused.message)
