"""Put in place, after every migrate, the function that a booking asks for candidates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import connections

FUNCTION = (Path(__file__).parent / "candidates.sql").read_text()


def install_candidates(sender: Any, using: str, **kwargs: Any) -> None:
    """`post_migrate` receiver of this wing; the tables are looked for when it is called."""
    with connections[using].cursor() as cursor:
        cursor.execute(FUNCTION)
