"""`make bench`: what each page costs above a bare Django view, and whether it stays so when grown.

Runs beside the throw-away servers of `python -m clinic.embedded bench`, which wait for the disk as
production does. Writes bench-results/bench.json and prints a table with the goals beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from clinic.embedded import urls
from tests.bench.growth import SIZES, diary_growth
from tests.bench.pdf import pdf_throughput
from tests.bench.recall import MOST_S, SESSIONS, recall_growth
from tests.bench.record import long_record

RESULTS = urls.REPOSITORY / "bench-results"
CPU_GOALS = {"diary": 1.7, "search": 2.5, "patient": 2.5, "book": 3.3}
STATEMENT_GOALS = {"diary": 6, "search": 4, "patient": 10, "book": 10}
KEEPS_UP = 0.85
"""16 connections serve at least this share of what 4 do."""
MEMORY_MB = 150
GROWTH = 1.3
"""Diary and search at the large scale, p50 against scale 1; a day's diary, by appointments."""
RECORD_P95_MS = 150
"""Any page of a patient of many years, on 2 cores."""
PDF_COST = 1.15
"""A warm worker's time for a document, against WeasyPrint alone with all kept that can be."""
PDF_MEMORY = 1.05
"""Of worker and renderer after 1,000 documents, against that after 100."""
DIARY_GROWTH, PAGES, PDF = "diary-growth", "pages", "pdf"
RECALL, RECORD = "recall", "record"


@dataclass(frozen=True)
class Goal:
    """One figure with its bound."""

    name: str
    value: float
    bound: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def line(self) -> str:
        sign = ">=" if self.at_least else "<="
        word = "met" if self.met else "NOT MET"
        return f"  {word:<8} {self.name:<44} {self.value:8.2f} {sign} {self.bound:g}"


def database_of(name: str) -> str:
    """A fresh database beside the given one."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    admin = urlunsplit(parts._replace(path="/postgres"))
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return urlunsplit(parts._replace(path=f"/{name}"))


def measured(scale: int, home: Path, *more: str, database: str = "") -> dict[str, Any]:
    """The result of one scale, in a process and a database of its own."""
    print(f"Scale {scale}", flush=True)
    command = [sys.executable, "-m", "tests.bench.measure", "--scale", str(scale)]
    command += ["--home", str(home / f"scale-{scale}"), *more]
    database = database or database_of(f"bench_{scale}")
    done = subprocess.run(
        command, stdout=subprocess.PIPE, env=os.environ | {"DATABASE_URL": database}, check=False
    )
    if done.returncode:
        raise SystemExit(f"Measuring scale {scale} failed (code {done.returncode}).")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def cpu_ratio(cells: dict[str, Any], page: str) -> float:
    """Server CPU per request, product over floor, over all connections."""

    def cost(side: str) -> float:
        mine = [cell for name, cell in cells.items() if name.startswith(f"{page} {side} ")]
        spent = sum(cell["cpu_ms"] * cell["requests"] for cell in mine)
        return float(spent / max(1, sum(cell["requests"] for cell in mine)))

    return cost("product") / (cost("floor") or 1)


def goals_of(large: dict[str, Any]) -> list[Goal]:
    """Every figure that has a bound."""
    cells = large["cells"]
    found = [
        Goal(f"CPU of {page}, product / floor", cpu_ratio(cells, page), bound)
        for page, bound in CPU_GOALS.items()
    ]
    found += [
        Goal(f"SQL statements of {page}", large["statements"][page]["count"], bound)
        for page, bound in STATEMENT_GOALS.items()
    ]
    for page in ("today", *CPU_GOALS):
        few, many = (cells.get(f"{page} product {n}") for n in (4, 16))
        if few and many:
            # Of the same round, since the machine may have been busier in another.
            share = median(b / a for a, b in zip(few["rates"], many["rates"], strict=True))
            found.append(Goal(f"throughput of {page}, 16 / 4 connections", share, KEEPS_UP, True))
    found.append(Goal("memory of two workers, MB (PSS)", large["memory"]["pss_mb"], MEMORY_MB))
    for page, p50 in large["growth"].items():
        found.append(Goal(f"p50 of {page}, scale {large['scale']} / 1", p50["ratio"], GROWTH))
    return found


def growth_goals(found: dict[str, Any]) -> list[Goal]:
    """That the same day takes the same statements and time beside more appointments."""
    least, *more = found.values()
    bound = least["statements"]
    goals = [Goal("SQL statements of a day, most", max(one["statements"] for one in more), bound)]
    for size, one in list(found.items())[1:]:
        goals.append(Goal(f"p50 of a day, {size} appointments / 1000", one["ratio"], GROWTH))
    return goals


def growth_table(found: dict[str, Any]) -> str:
    """A day of 60 visits beside so many appointments, one size to a line."""
    lines = [f"  {'appointments':>12} {'statements':>10} {'p50 ms':>8} {'ratio':>6} {'filled':>8}"]
    for size, one in found.items():
        lines.append(
            f"  {size:>12} {one['statements']:>10} {one['p50_ms']:8.2f} {one['ratio']:6.2f} "
            f"{one['filled_s']:6.0f} s"
        )
    return "\n".join(lines)


def grown(home: Path, seconds: float) -> tuple[dict[str, Any], list[Goal]]:
    """The day's diary beside a thousand, a hundred thousand and a million appointments."""
    databases = {size: database_of(f"growth_{size}") for size in SIZES}
    found = diary_growth(databases, home, seconds)
    print(f"\n{growth_table(found)}\n", flush=True)
    return found, growth_goals(found)


def record_goals(found: dict[str, Any]) -> list[Goal]:
    """That each page of a long record takes no more statements than a short one's, and its time."""
    goals = []
    for page, one in found.items():
        few, many = one["statements"]
        goals.append(Goal(f"SQL statements of {page}, long record", many, few))
        p95 = one["connections"]["1"]["p95_ms"]
        goals.append(Goal(f"p95 of {page}, long record, ms", p95, RECORD_P95_MS))
    return goals


def record_table(found: dict[str, Any]) -> str:
    """The pages of a long record, one to a line."""
    lines = [f"  {'page':<10} {'SQL':>4} {'p50 ms':>8} {'p95 ms':>8} {'p95 of 4':>9} {'bad':>4}"]
    for page, one in found.items():
        alone, four = one["connections"]["1"], one["connections"]["4"]
        bad = sum(cell["bad_status"] + cell["broken"] for cell in (alone, four))
        lines.append(
            f"  {page:<10} {one['statements'][1]:>4} {alone['p50_ms']:8.1f} "
            f"{alone['p95_ms']:8.1f} {four['p95_ms']:9.1f} {bad:>4}"
        )
    return "\n".join(lines)


def recorded(home: Path, seconds: float) -> tuple[dict[str, Any], list[Goal]]:
    """The pages of a patient with 10 plans, 80 sessions and 300 photos."""
    found = long_record(database_of("record"), home, seconds)
    print(f"\n{record_table(found)}\n", flush=True)
    return found, record_goals(found)


def rendered(quick: bool) -> tuple[dict[str, Any], list[Goal]]:
    """The consent of two pages by a warm worker and by WeasyPrint alone."""
    found = pdf_throughput(quick)
    for name, rate in found["documents_per_s"].items():
        print(f"  {name:<10} {rate:6.2f} documents/s on one core")
    goals = [
        Goal(f"time of a PDF, worker ({name}) / alone", ratio, PDF_COST)
        for name, ratio in found["ratios"].items()
    ]
    goals.append(Goal("memory of worker and renderer, grown", found["memory_growth"], PDF_MEMORY))
    return found, goals


def recall_table(found: dict[str, Any]) -> str:
    """What each question found and how long it took, one to a line."""
    head = f"  {'question':<15} {'sessions':>9} {'patients':>9} {'SQL':>4} {'first s':>8}"
    lines = [f"{head} {'p50 s':>7} {'p95 s':>7}"]
    for name, one in found.items():
        lines.append(
            f"  {name:<15} {one['sessions']:>9} {one['patients']:>9} {one['statements'] or '':>4} "
            f"{one['first_s']:8.3f} {one['p50_s']:7.3f} {one['p95_s']:7.3f}"
        )
    return "\n".join(lines)


def recalled(home: Path, sessions: int) -> tuple[dict[str, Any], list[Goal]]:
    """Who was exposed among a million sessions, and what their cases had in common."""
    done = recall_growth(database_of("recall"), home, sessions)
    found = done["found"]
    print(f"\n{done['sessions']} sessions, filled in {done['filled_s']:.0f} s")
    print(f"{recall_table(found)}\n", flush=True)
    goals = [
        Goal(f"seconds of recall: {name}", one["p50_s"], MOST_S) for name, one in found.items()
    ]
    goals += [
        Goal(f"longest seconds of a trace: {name}", max(one["first_s"], one["p95_s"]), MOST_S)
        for name, one in found.items()
        if name in done["traces"]
    ]
    return done, goals


def table(large: dict[str, Any]) -> str:
    """All cells, one to a line."""
    head = f"  {'page':<8} {'side':<8} {'conn':>4} {'req/s':>8} {'p50 ms':>8} {'p95 ms':>8}"
    lines = [f"{head} {'CPU ms':>8} {'web':>7} {'db':>7} {'bad':>5}"]
    for name, cell in sorted(large["cells"].items(), key=lambda pair: pair[0]):
        page, side, connections = name.split()
        lines.append(
            f"  {page:<8} {side:<8} {connections:>4} {cell['requests_per_s']:8.1f} "
            f"{cell['p50_ms']:8.2f} {cell['p95_ms']:8.2f} {cell['cpu_ms']:8.2f} "
            f"{cell['web_cpu_ms']:7.2f} {cell['database_cpu_ms']:7.2f} {cell['bad']:5d}"
        )
    return "\n".join(lines)


def judged(goals: list[Goal]) -> list[dict[str, Any]]:
    """Say which goals are met; the same as plain data."""
    print("\n".join(goal.line() for goal in goals))
    return [vars(goal) | {"met": goal.met} for goal in goals]


def kept(data: dict[str, Any], name: str) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / name).write_text(json.dumps(data, indent=1))


def main() -> int:
    """0 unless a page answered with an error; a goal that is missed is shown, not punished."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--scale", type=int, default=int(os.environ.get("SCALE", "100")))
    parser.add_argument("--quick", action="store_true", help="one second a round")
    parser.add_argument(
        "--only", choices=[DIARY_GROWTH, PAGES, PDF, RECALL, RECORD], help="this part alone"
    )
    arguments = parser.parse_args()
    if arguments.only == PDF:
        found, goals = rendered(arguments.quick)
        kept(found | {"goals": judged(goals)}, "pdf.json")
        return 0
    if shutil.which("wrk") is None:
        print("wrk is missing: apt-get install wrk", file=sys.stderr)
        return 1
    home = Path(os.environ["CLINIC_HOME"]) / "measure"
    seconds = 1 if arguments.quick else 3
    if arguments.only == DIARY_GROWTH:
        found, goals = grown(home, seconds)
        kept(found | {"goals": judged(goals)}, "diary-growth.json")
        return 0
    if arguments.only == RECORD:
        found, goals = recorded(home, seconds)
        kept(found | {"goals": judged(goals)}, "record.json")
        return 0
    if arguments.only == RECALL:
        found, goals = recalled(home, SESSIONS // 10 if arguments.quick else SESSIONS)
        kept(found | {"goals": judged(goals)}, "recall.json")
        return 0
    pace = ["--seconds", str(seconds)]
    if arguments.scale == 1:
        result = measured(1, home, *pace)
    else:
        small = database_of("bench_1")
        measured(1, home, "--only-fill", database=small)
        result = measured(arguments.scale, home, *pace, "--beside", small)
    days, of_days = ({}, []) if arguments.only == PAGES else grown(home, seconds)
    record, of_record = ({}, []) if arguments.only == PAGES else recorded(home, seconds)
    papers, of_papers = ({}, []) if arguments.only == PAGES else rendered(arguments.quick)
    recall, of_recall = ({}, []) if arguments.only == PAGES else recalled(home, SESSIONS)
    goals = goals_of(result) + of_days + of_record + of_papers + of_recall
    print(f"\n{table(result)}\n\nFilled in {result['filled_s']:.0f} s; ", end="")
    print(f"the diary day holds {result['diary_rows']} visits.\n")
    found = {"days": days, "record": record, "pdf": papers, "recall": recall}
    kept(
        result | found | {"goals": judged(goals)},
        "bench.json",
    )
    bad = [name for name, cell in result["cells"].items() if cell["bad"]]
    wrong = [p for p, s in result["statements"].items() if s["status"] not in (200, 302)]
    if bad or wrong:
        print(f"\nErrors were answered: {', '.join(bad + wrong)}", file=sys.stderr)
    return 1 if bad or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
