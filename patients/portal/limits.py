"""How often one address may try to prove a link. The lock on the link itself is the last word."""

from __future__ import annotations

from django.http import HttpRequest

from clinic.access.limits import WINDOW_SECONDS, address_of, tried_too_often

__all__ = ["MOST_PER_ADDRESS", "MOST_PER_LINK", "WINDOW_SECONDS", "too_many_tries"]

MOST_PER_LINK = 10
MOST_PER_ADDRESS = 40


def too_many_tries(request: HttpRequest, token: str) -> bool:
    """Count this try; whether the address has tried this link, or links at all, too often.

    Without Redis nobody is refused here: a link still locks after five wrong answers.
    """
    address = address_of(request)
    return tried_too_often(
        "portal", (f"{address} {token}", MOST_PER_LINK), (address, MOST_PER_ADDRESS)
    )
