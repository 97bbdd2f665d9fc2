"""Draw every chart again: the SVG files, their geometry for the grid, and the list of areas.

python -m venv /some/where && pip install -r scripts/charts/requirements.txt
python scripts/charts/build.py
"""

from __future__ import annotations

import json
from pathlib import Path

import body
import face_front
import face_side
import hands
import neck
import scalp
from areas import AREAS, DICOM, LOCAL, Area
from ink import Chart

ROOT = Path(__file__).resolve().parents[2]
CHARTS = ROOT / "static" / "charts"
# The chart on which an area of a group is drawn truest; it comes first and gives the area's size.
HOME = {"scalp": "scalp", "neck-decollete-hands": "neck-decollete", "body": "body-front"}
CATALOGUE = ROOT / "treatments" / "catalogue" / "data" / "areas.json"


def main() -> None:
    charts = [
        face_front.draw(),
        *face_side.draw_all(),
        scalp.draw(),
        neck.draw(),
        hands.draw(),
        *body.draw_all(),
    ]
    names = {area.code: area.name_en for area in AREAS}
    CHARTS.mkdir(parents=True, exist_ok=True)
    for chart in charts:
        (CHARTS / f"{chart.code}.svg").write_text(chart.svg(names))
    geometry = {chart.code: chart.data() for chart in charts}
    (CHARTS / "regions.json").write_text(compact(geometry))
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    rows = [row(area, charts) for area in AREAS]
    CATALOGUE.write_text(json.dumps(rows, ensure_ascii=False, indent=2) + "\n")


def compact(geometry: dict[str, dict[str, object]]) -> str:
    """One line for each region, so that a redrawn one shows as one changed line."""
    lines = ["{"]
    for k, (code, chart) in enumerate(geometry.items()):
        head = {key: value for key, value in chart.items() if key != "regions"}
        regions = chart["regions"]
        assert isinstance(regions, list)
        lines.append(f'"{code}": {json.dumps(head)[:-1]}, "regions": [')
        lines.append(",\n".join(json.dumps(r, separators=(",", ":")) for r in regions))
        lines.append("]}" + ("," if k + 1 < len(geometry) else ""))
    return "\n".join([*lines, "}"]) + "\n"


def row(area: Area, charts: list[Chart]) -> dict[str, object]:
    """One area with where it is drawn; its size is that of one side on its first chart."""
    drawn = [(c, r) for c in charts for r in c.regions if r.area == area.code]
    if not drawn:
        raise ValueError(f"{area.code} is on no chart")
    home = "body-back" if area.code == "nape" else HOME.get(area.group, "")
    drawn.sort(key=lambda pair: pair[0].code != home)
    chart, region = drawn[0]
    size = region.shape.area * chart.mm_per_unit**2 / 100
    return {
        "code": area.code,
        "name_en": area.name_en,
        "name_fr": area.name_fr,
        "snomed": area.snomed,
        "parent": area.parent,
        "charts": list(dict.fromkeys(c.code for c, _ in drawn)),
        "sided": any(r.side != "none" for _, r in drawn),
        "group": area.group,
        "typical_area_cm2": round(size, 1),
        "thorax_risk": area.thorax_risk,
        "submental": area.code == "submental",
        "source": DICOM if area.snomed else LOCAL,
    }


if __name__ == "__main__":
    main()
