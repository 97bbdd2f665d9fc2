"""Finding among 200,000 patients: the answer takes at most three times what its SQL takes."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from time import perf_counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from patients.registry.finder import find
from patients.registry.models import Patient
from patients.registry.search import parse
from tests.conftest import Cast
from tests.patients.test_registry_search import TODAY, many

pytestmark = [pytest.mark.soak, pytest.mark.django_db]

PATIENTS = 200_000
ROUNDS = 12
SAID = (
    "martin",
    "mar",
    "ana duroy",
    "duroy ana",
    "noor gar",
    "mart jea",
    "nguyn",
    "nguyem",
    "rossi",
    "katn",
    "bercia",
    "15/3/1984",
    "15.03.84",
    "1984-03-15",
    "15 mars 1984",
    "duboid 15 Mar 1984",
    "0612345678",
    "4567",
    "P000123",
    "zzyzx",
)


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def timed(job: Callable[[], object]) -> float:
    start = perf_counter()
    job()
    return perf_counter() - start


def test_an_answer_costs_at_most_three_times_its_sql(cast: Cast, client_for) -> None:
    many(cast, PATIENTS)
    visible = Patient.objects.visible_to(cast.front_desk)
    client = client_for(cast.front_desk)
    client.get("/patients/")
    raw, found, pages = [], [], []

    def run(statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            cursor.fetchall()

    for text in SAID:
        query = parse(text, today=TODAY)
        with CaptureQueriesContext(connection) as statements:
            find(visible, query)
        (only,) = statements
        run(only["sql"])
        of_text = []
        for _ in range(ROUNDS):
            of_text.append(timed(lambda sql=only["sql"]: run(sql)))
            found.append(timed(lambda query=query: find(visible, query)))
            pages.append(timed(lambda text=text: client.get("/patients/", {"q": text})))
        raw += of_text
        print(f"{text:24} SQL {statistics.median(of_text) * 1000:6.1f} ms")
    figures = {"SQL": raw, "finder": found, "page": pages}
    print({name: f"p95 {p95(times) * 1000:.1f} ms" for name, times in figures.items()})
    assert p95(found) <= 3 * p95(raw)
    assert p95(pages) <= 3 * p95(raw)
