"""The names of the areas for the rooms below, which cannot know the catalogue."""

from __future__ import annotations

from treatments.catalogue.models import Area


def area_names() -> dict[str, str]:
    """Name by code of every area in force, in the order in which they were entered."""
    rows = Area.objects.current().order_by("pk").only("code", "name_en", "name_fr")
    return {row.code: row.name for row in rows}
