"""The charts of the house as drawings: inline SVG, their size, and their regions to tap."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy, pgettext

CHART_TITLES: dict[str, Promise] = {
    "face-front": gettext_lazy("Face, front"),
    "face-left": gettext_lazy("Face, left"),
    "face-right": gettext_lazy("Face, right"),
    "scalp": gettext_lazy("Scalp"),
    "neck-decollete": gettext_lazy("Neck and décolleté"),
    "hands": gettext_lazy("Hands"),
    "body-front": gettext_lazy("Body, front"),
    "body-back": gettext_lazy("Body, back"),
}


@dataclass(frozen=True)
class DrawnRegion:
    """An area's outline, in chart units as `<polygon points>` takes it, and its middle."""

    area: str
    side: str
    is_parent: bool
    path: str
    middle: tuple[float, float]


@dataclass(frozen=True)
class Drawing:
    """A chart: its size in chart units and its regions, parents first."""

    code: str
    width: float
    height: float
    regions: Sequence[DrawnRegion]

    @property
    def title(self) -> str:
        """Its name in the language in force."""
        return str(CHART_TITLES.get(self.code, self.code))

    @property
    def file(self) -> str:
        """The lines as a static file."""
        return f"charts/{self.code}.svg"

    @property
    def svg(self) -> SafeString:
        """The lines themselves."""
        return drawing(self.code)


def _folder() -> Path:
    return Path(settings.BASE_DIR) / "static" / "charts"


@cache
def drawings() -> dict[str, Drawing]:
    """Every chart by its code, read once."""
    data = json.loads((_folder() / "regions.json").read_text())
    return {
        code: Drawing(
            code=code,
            width=float(chart["width"]),
            height=float(chart["height"]),
            regions=tuple(_region(row) for row in chart["regions"]),
        )
        for code, chart in data.items()
    }


def _region(row: dict[str, object]) -> DrawnRegion:
    outline: list[list[float]] = row["polygon"]  # type: ignore[assignment]
    across, down = [x for x, _y in outline], [y for _x, y in outline]
    return DrawnRegion(
        area=str(row["area"]),
        side=str(row["side"]),
        is_parent=bool(row.get("parent")),
        path=" ".join(f"{x:g},{y:g}" for x, y in outline),
        middle=((min(across) + max(across)) / 2, (min(down) + max(down)) / 2),
    )


def drawing(code: str) -> SafeString:
    """The chart's SVG, inline so that it takes the page's ink, its sides lettered as one reads."""
    return _lettered(code, pgettext("side on a chart", "L"), pgettext("side on a chart", "R"))


def linework(code: str, *, shaded: bool = False) -> SafeString:
    """The chart's lines and letters without its regions, to stand inside another `<svg>`."""
    return _bare(code, pgettext("side on a chart", "L"), pgettext("side on a chart", "R"), shaded)


@cache
def _bare(code: str, left: str, right: str, shaded: bool) -> SafeString:
    text = _lettered(code, left, right)
    start = text.index('<g class="shading"' if shaded else '<g class="lines"')
    lines, letters = text.index('<g class="regions"'), text.index('<g class="furniture"')
    kept = text[start:lines] + text[letters : text.rindex("</svg>")]
    return mark_safe(kept)  # noqa: S308  # nosec: parts of our own static file


@cache
def _lettered(code: str, left: str, right: str) -> SafeString:
    """Our own file and our own translations, never input."""
    if code not in drawings():
        raise KeyError(code)
    text = (_folder() / f"{code}.svg").read_text()
    text = text.replace(">L</text>", f">{left}</text>").replace(">R</text>", f">{right}</text>")
    return mark_safe(text[text.index("<svg") :])  # noqa: S308  # nosec: our own static file
