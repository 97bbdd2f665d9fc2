"""What a photo shows, in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from patients.photos.areas import area_names
from patients.photos.standards import SETS, Shot, Side, View

if TYPE_CHECKING:
    from patients.photos.models import Photo

SIDED = (Side.NONE, Side.LEFT, Side.RIGHT)


class Names:
    """The names of areas, read once for a page."""

    def __init__(self) -> None:
        self.areas = area_names()

    def area(self, code: str, side: str = Side.NONE) -> str:
        """An area with its side; one that the catalogue does not know by its code."""
        name = self.areas.get(code) or str(capfirst(code.replace("-", " ")))
        return name if side == Side.NONE else f"{name} ({Side(side).label})"

    def series(self, area: str, side: str, view: str) -> str:
        """`Cheek (left), close-up`."""
        return f"{self.area(area, side)}, {View(view).label}"

    def of(self, shown: Photo | Shot) -> str:
        """What a photo shows, or a shot is to show."""
        return self.series(shown.area, shown.side, shown.view)

    def name(self, photos: Iterable[Photo]) -> list[Photo]:
        """The same photos with their `words`."""
        named = list(photos)
        for photo in named:
            photo.words = self.of(photo)
        return named

    def choices(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Every shot that can be chosen: the standard sets, then a close-up of any area."""
        standard = [
            (str(one.name), [(shot.key, self.of(shot)) for shot in one.shots]) for one in SETS
        ]
        known = {key for _name, shots in standard for key, _words in shots}
        close = [
            (key, self.area(code, side))
            for code in self.areas
            for side in SIDED
            if (key := f"{code}.{side}.{View.CLOSE_UP}") not in known
        ]
        return [*standard, (_("Close-ups"), close)]
