"""Figures as people write them: `{% load figures %}`."""

from __future__ import annotations

from decimal import Decimal

from django import template
from django.utils.formats import number_format

register = template.Library()


@register.filter
def plain(number: Decimal | int | str | None) -> str:
    """A figure without trailing zeros, in the language's own sign: 0.50 is 0.5, or 0,5.

    A zero at the end is read as a ten times higher dose where the sign before it is faint.
    """
    if number is None or number == "":
        return ""
    return str(number_format(f"{Decimal(number).normalize():f}", use_l10n=True))
