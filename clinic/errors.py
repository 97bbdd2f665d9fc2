"""The one exception that means "you may not do that now"."""

from __future__ import annotations


class ActionRefused(Exception):
    """An action said no; `message` is fit to show, beside `field` where one is to blame."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
