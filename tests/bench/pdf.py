"""Documents by a warm worker against WeasyPrint alone, on one core; and whether memory stays.

Alone means: one process, its font configuration and parsed style sheet kept between documents, no
limits, no cell, none of what we add to the structure, no seal. Both make the same consent of two
pages, in turns, so that a machine that is busier is so for both. The worker's documents are sealed;
without the seal it is measured too, to show what that takes.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import django
import psutil

CONSENT = Path(__file__).with_name("consent.html")
PAGES = 2
ROUNDS, EACH = 7, 15
WARM_UPS = 8
"""As many as the worker begins with."""
MANY = 1000
ALONE, SEALED, UNSEALED = "alone", "sealed", "unsealed"


def main() -> None:
    """One measurement by its name; the seconds or bytes go out as JSON."""
    what = sys.argv[1]
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    json.dump(_alone() if what == ALONE else _worker(int(sys.argv[2])), sys.stdout)


def _render_alone() -> Any:
    """A function that makes the PDF with WeasyPrint alone, everything that can be kept being so."""
    weasyprint = importlib.import_module("weasyprint")
    path = Path(__file__).parents[2] / "clinic/rendering/job.py"
    spec = importlib.util.spec_from_file_location("job", path)
    assert spec
    assert spec.loader
    job = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(job)
    fonts = importlib.import_module("weasyprint.text.fonts").FontConfiguration()
    style, _kind = job.ASSETS["document.css"]
    # The addresses of our fonts mean something to its fetcher alone; it answers while they load.
    assets: dict[str, Any] = {"base_url": "asset:", "url_fetcher": job.closed_fetcher([])}
    sheet = weasyprint.CSS(string=style.read_text(), font_config=fonts, **assets)
    html = CONSENT.read_text()
    return lambda: weasyprint.HTML(string=html, **assets).write_pdf(
        font_config=fonts, stylesheets=[sheet], pdf_variant=job.VARIANT, pdf_tags=True
    )


def _round(render: Any) -> float:
    began = time.monotonic()
    for _one in range(EACH):
        render()
    return (time.monotonic() - began) / EACH


def _alone() -> Any:
    render = _render_alone()
    for _time in range(WARM_UPS):
        render()
    _serve({ALONE: render})
    return None


def _worker(many: int) -> Any:
    django.setup()
    pdf = importlib.import_module("clinic.rendering.pdf")
    html = CONSENT.read_text()
    assert pdf.render_sealed(html).pages == PAGES
    _serve({SEALED: lambda: pdf.render_sealed(html), UNSEALED: lambda: pdf.render_html(html)})
    return _memory(lambda: pdf.render_sealed(html), many)


def _serve(renders: dict[str, Any]) -> None:
    """One round for each line of stdin that names one; an empty line ends it."""
    while name := sys.stdin.readline().strip():
        print(_round(renders[name]), flush=True)


def _memory(render: Any, many: int) -> dict[str, Any]:
    """The memory of worker and renderer after a tenth of `many` documents, and after all, in MB."""
    found = {}
    for number in range(1, many + 1):
        render()
        if number in (many // 10, many):
            family = [psutil.Process(), *psutil.Process().children(recursive=True)]
            found[str(number)] = sum(_share(one) for one in family) / 2**20
    return found


def _share(process: psutil.Process) -> int:
    """Its bytes in memory, of shared ones its part; the child of the last document may just end."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0


class _Side:
    """A process that measures rounds when it is told to."""

    def __init__(self, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.pdf", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def round(self, name: str) -> float:
        """Seconds of one document."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{name}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def end(self) -> Any:
        """What it says at the end."""
        said, _errors = self.process.communicate("\n")
        return json.loads(said)


def pdf_throughput(quick: bool) -> dict[str, Any]:
    """Seconds of one document on each side, by rounds, and the memory over many documents."""
    many = MANY // 10 if quick else MANY
    alone, worker = _Side(ALONE), _Side("worker", str(many))
    rounds: dict[str, list[float]] = {ALONE: [], SEALED: [], UNSEALED: []}
    for _number in range(2 if quick else ROUNDS):
        for name, seconds in rounds.items():
            seconds.append((alone if name == ALONE else worker).round(name))
    alone.end()
    memory = worker.end()
    ratios = {
        name: median(mine / floor for mine, floor in zip(rounds[name], rounds[ALONE], strict=True))
        for name in (SEALED, UNSEALED)
    }
    return {
        "documents_per_s": {name: 1 / median(seconds) for name, seconds in rounds.items()},
        "ratios": ratios,
        "memory_mb": memory,
        "memory_growth": memory[str(many)] / memory[str(many // 10)],
    }


if __name__ == "__main__":
    main()
