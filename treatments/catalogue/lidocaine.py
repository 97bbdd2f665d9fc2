"""The lidocaine limits in force, from the catalogue's own rows."""

from __future__ import annotations

from treatments.catalogue.limits import EPINEPHRINE, LIDOCAINE, LidocaineLimits, Limit
from treatments.catalogue.models import Anaesthetic


def limits_in_force() -> LidocaineLimits | None:
    """The two limits of the injected lidocaine rows; None without them. One query."""
    rows = Anaesthetic.objects.current().filter(
        is_topical=False,
        substance_codes__contains=[LIDOCAINE],
        mg_per_kg__isnull=False,
        max_mg__isnull=False,
    )
    plain: Limit | None = None
    with_epinephrine: Limit | None = None
    for row in rows:
        limit = Limit(row.mg_per_kg, row.max_mg)
        if EPINEPHRINE in row.substance_codes:
            with_epinephrine = limit
        else:
            plain = limit
    if plain is None:
        return None
    return LidocaineLimits(plain, with_epinephrine or plain)
