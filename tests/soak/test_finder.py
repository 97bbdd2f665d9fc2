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
from tests.patients.test_registry_search import TODAY

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

FILL = """
WITH parts AS (SELECT
    '{Mar,Ber,Du,Tho,Ro,Gar,Ngu,Mül,Le,Pe,Si,Ka,Lo,Ha,Wi,Schnei,Four,Lam,San,Mo}'::text[] AS heads,
    '{tin,nard,bois,mas,ssi,cia,yen,ler,roy,tit,lva,dal,pez,ddad,lson,der,nier,bert,tos}'::text[]
        AS ends,
    '{Marie,Jean,Ana,Élise,Paul,Noor,Li,Mohamed,Zoë,Ivan,Ada,Max,Fatima,José,Aoife,Łukasz}'::text[]
        AS givens
), made AS (
    INSERT INTO patients_patient
        (created_at, given_name, family_name, birth_date, sex, phone, email, language)
    SELECT now(),
        givens[1 + n % 16] || CASE WHEN n % 3 = 0 THEN '-' || givens[1 + (n / 16) % 16] ELSE '' END,
        heads[1 + (n * 7919) % 20] || ends[1 + (n * 104729) % 19]
            || CASE WHEN n % 5 = 0 THEN ' ' || heads[1 + n % 20] || ends[1 + (n / 20) % 19]
               ELSE '' END,
        date '1935-01-01' + (n * 7 % 30000)::int, 'unknown',
        '+336' || lpad(((n * 7919) % 100000000)::text, 8, '0'), '', 'fr'
    FROM generate_series(1::bigint, %(count)s) AS n, parts
    RETURNING id
)
INSERT INTO patients_registration (created_at, patient_id, location_id)
SELECT now(), id, CASE WHEN id / 7 % 2 = 0 THEN %(here)s ELSE %(there)s END FROM made
"""


def fill(cast: Cast, count: int) -> None:
    """Patients with names of common parts, half of them at each location."""
    given = {"count": count, "here": cast.here.pk, "there": cast.there.pk}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL statement_timeout = '10min'")
        cursor.execute(FILL.replace(" % ", " %% "), given)
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute("ANALYZE patients_patient, patients_registration")
        cursor.execute("SET LOCAL statement_timeout = '10s'")


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def timed(job: Callable[[], object]) -> float:
    start = perf_counter()
    job()
    return perf_counter() - start


def test_an_answer_costs_at_most_three_times_its_sql(cast: Cast, client_for) -> None:
    fill(cast, PATIENTS)
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
