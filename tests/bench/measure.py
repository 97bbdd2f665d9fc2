"""One database: filled, served, measured in alternating rounds of product and floor."""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import django
import psutil
import psycopg
from django.core.management import call_command

from tests.bench.server import Browser, Server, environment, free_port, spent

WRK = Path(__file__).with_name("wrk.lua")
MOST_PER_SECOND = {"product": 500, "floor": 2500}
"""Bookings prepared per second of a round: more than can be served."""


def postmaster(database_url: str) -> psutil.Process:
    """The server's first process, by its own word."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT pg_read_file('postmaster.pid')").fetchone()
    assert row is not None
    return psutil.Process(int(row[0].splitlines()[0]))


class Bench:
    """The rounds of one database."""

    def __init__(self, arguments: argparse.Namespace, home: Path) -> None:
        # Models can be imported only now, when the settings are known.
        pages = importlib.import_module("tests.bench.pages")
        self.pages, self.bodies = pages.PAGES, pages.bodies
        self.seconds, self.rounds = arguments.seconds, arguments.rounds
        self.connections = arguments.connections
        self.home = home
        self.asked = pages.Asked()
        port = int(os.environ["PORT"])
        self.database = postmaster(os.environ["DATABASE_URL"])
        self.server = Server(dict(os.environ), port, home / "gunicorn.log")
        self.browser = Browser(self.server.url, "practitioner@demo.clinic")
        self.token = self.browser.token(f"/diary/book/?patient=P{self.asked.patient:06d}")
        self.fill: dict[str, int] = {}

    def run(self) -> dict[str, Any]:
        """Everything, as plain data."""
        sizes = {page: self._size(page) for page in self.pages}
        cells: dict[str, list[dict[str, Any]]] = {}
        wanted, sides = list(self.pages), ["product", "floor"]
        for page in wanted:
            for side in sides:
                self._round(page, side, 2, 0.7)
        for number in range(self.rounds):
            for page in wanted:
                for connections in self.connections:
                    # Who goes first changes, so that neither always meets the warmer machine.
                    for side in sides[:: 1 if number % 2 else -1]:
                        cell = self._round(page, side, connections, self.seconds)
                        cells.setdefault(f"{page} {side} {connections}", []).append(cell)
        return {
            "diary_rows": self.asked.in_diary(),
            "sizes": sizes,
            "statements": {page: self.asked.statements(page) for page in self.pages},
            "cells": {name: summary(rounds) for name, rounds in cells.items()},
            "memory": self.server.memory(),
        }

    def _size(self, page: str) -> dict[str, int]:
        if page == "book":
            self.fill[page] = 0
            return {"product": 0, "floor": 0}
        product = len(self._whole(self.asked.product(page)))
        bare = len(self._whole(self.asked.floor(page, 0)))
        self.fill[page] = max(0, product - bare)
        return {"product": product, "floor": bare + self.fill[page], "floor_rows": bare}

    def _whole(self, path: str) -> bytes:
        status, body = self.browser.open(path)
        if status != 200:
            raise SystemExit(f"{path} answered {status}")
        return body

    def _round(self, page: str, side: str, connections: int, seconds: float) -> dict[str, Any]:
        is_floor = side == "floor"
        path = self.asked.floor(page, self.fill[page]) if is_floor else self.asked.product(page)
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
        command += ["-s", str(WRK), "-H", f"Cookie: {self.browser.cookies}"]
        command += [self.server.url + path, "--"]
        if page == "book":
            file = self.home / "bodies.txt"
            count = int(MOST_PER_SECOND[side] * max(1, seconds))
            file.write_text(self.bodies(self.asked, self.token, count, floor=is_floor))
            command.append(str(file))
        web, database = self.server.cpu(), spent(self.database)
        cell = _said(command)
        web, database = self.server.cpu() - web, spent(self.database) - database
        return cell | {"web_cpu_s": web, "database_cpu_s": database}

    def growth(self, small_url: str) -> dict[str, Any]:
        """p50 at one connection of this database against a small one, in alternating rounds."""
        port = free_port()
        around = environment(small_url, port, self.home)
        small = Server(around, port, self.home / "gunicorn-small.log")
        try:
            browser = Browser(small.url, "practitioner@demo.clinic")
            sides = {"large": (self.server, self.browser), "small": (small, browser)}
            found: dict[str, Any] = {}
            for page in ("diary", "search"):
                p50: dict[str, list[float]] = {"large": [], "small": []}
                for number in range(2 * self.rounds):
                    for side in list(sides)[:: 1 if number % 2 else -1]:
                        server, person = sides[side]
                        url = server.url + self.asked.product(page)
                        command = ["wrk", "-t1", "-c1", f"-d{max(1, round(self.seconds))}s"]
                        command += ["-s", str(WRK), "-H", f"Cookie: {person.cookies}", url]
                        p50[side].append(_said(command)["p50_ms"])
                found[page] = {side: median(rounds) for side, rounds in p50.items()}
                found[page]["ratio"] = median(
                    large / low for large, low in zip(p50["large"], p50["small"], strict=True)
                )
            return found
        finally:
            small.stop()

    def close(self) -> None:
        self.server.stop()


def _said(command: list[str]) -> dict[str, Any]:
    """What wrk found."""
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(answer.stdout.strip().splitlines()[-1])
    return found


def summary(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Rounds of one cell: CPU over all of them, the rest by the median round."""
    requests = sum(one["requests"] for one in rounds)
    cpu = sum(one["web_cpu_s"] + one["database_cpu_s"] for one in rounds)
    return {
        "requests": requests,
        "requests_per_s": median(one["requests"] / one["seconds"] for one in rounds),
        "rates": [one["requests"] / one["seconds"] for one in rounds],
        "p50_ms": median(one["p50_ms"] for one in rounds),
        "p95_ms": median(one["p95_ms"] for one in rounds),
        "cpu_ms": 1000 * cpu / max(1, requests),
        "web_cpu_ms": 1000 * sum(one["web_cpu_s"] for one in rounds) / max(1, requests),
        "database_cpu_ms": 1000 * sum(one["database_cpu_s"] for one in rounds) / max(1, requests),
        "bad": sum(one["bad_status"] + one["broken"] for one in rounds),
    }


def main() -> int:
    """`python -m tests.bench.measure --scale N --home DIR`: prints the result as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=int, required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--only-fill", action="store_true")
    parser.add_argument("--keep-data", action="store_true", help="the database is filled already")
    parser.add_argument("--beside", help="a database of scale 1 to compare with")
    arguments = parser.parse_args()
    arguments.home.mkdir(parents=True, exist_ok=True)
    os.environ.update(environment(os.environ["DATABASE_URL"], free_port(), arguments.home))
    django.setup()
    logging.disable(logging.INFO)
    started = time.monotonic()
    if not arguments.keep_data:
        call_command("migrate", verbosity=0)
        call_command("demo_data", scale=arguments.scale, stdout=sys.stderr)
    filled = time.monotonic() - started
    if arguments.only_fill:
        json.dump({"scale": arguments.scale, "filled_s": filled}, sys.stdout)
        return 0
    call_command("collectstatic", interactive=False, verbosity=0)
    bench = Bench(arguments, arguments.home)
    try:
        result = bench.run()
        result["growth"] = bench.growth(arguments.beside) if arguments.beside else {}
    finally:
        bench.close()
    json.dump(result | {"scale": arguments.scale, "filled_s": filled}, sys.stdout, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
