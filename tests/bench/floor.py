"""The floor of each page: the same rows and the same output size, with no product code between.

Sign-in, database sessions and the whole middleware stay, so what is left above the floor is what
the product itself costs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import include, path
from django.views.decorators.csrf import csrf_protect

import clinic.urls
from clinic.access.permissions import Permission, requires

ROWS = {
    "today": (
        "SELECT a.id, a.starts_at, a.ends_at, a.status, p.id, p.given_name, p.family_name, "
        "p.birth_date, s.name_en, st.name, r.name FROM treatments_appointment a "
        "JOIN patients_patient p ON p.id = a.patient_id "
        "JOIN treatments_service s ON s.id = a.service_id "
        "JOIN clinic_staff st ON st.id = a.practitioner_id JOIN clinic_room r ON r.id = a.room_id "
        "WHERE a.location_id = %(location)s AND a.practitioner_id = %(practitioner)s "
        "AND a.starts_at >= %(start)s AND a.starts_at < %(end)s ORDER BY a.starts_at"
    ),
    "diary": (
        "SELECT a.id, a.starts_at, a.ends_at, a.status, p.id, p.given_name, p.family_name, "
        "p.birth_date, s.name_en, st.name, r.name FROM treatments_appointment a "
        "JOIN patients_patient p ON p.id = a.patient_id "
        "JOIN treatments_service s ON s.id = a.service_id "
        "JOIN clinic_staff st ON st.id = a.practitioner_id JOIN clinic_room r ON r.id = a.room_id "
        "WHERE a.location_id = %(location)s AND a.starts_at >= %(start)s AND a.starts_at < %(end)s "
        "ORDER BY a.starts_at"
    ),
    "search": (
        "SELECT id, given_name, family_name, birth_date, phone, email FROM patients_patient p "
        "WHERE folded_name LIKE '%%' || %(text)s || '%%' AND EXISTS "
        "(SELECT FROM patients_registration r "
        "WHERE r.patient_id = p.id AND r.location_id = %(location)s) "
        "ORDER BY folded_name LIMIT 20"
    ),
    "patient": (
        "SELECT p.*, a.id, a.starts_at, a.status FROM patients_patient p LEFT JOIN LATERAL ("
        "SELECT * FROM treatments_appointment a WHERE a.patient_id = p.id "
        "ORDER BY a.starts_at DESC LIMIT 20) a ON true WHERE p.id = %(patient)s"
    ),
}
INSERT = (
    "INSERT INTO bench_appointment (location_id, patient_id, practitioner_id, room_id, service_id, "
    "starts_at, ends_at, status, cancel_reason) VALUES (%s, %s, %s, %s, %s, %s, %s, 'booked', '')"
)


GIVEN = ("location", "patient", "practitioner", "room", "service", "starts_at", "ends_at")


def page(name: str) -> Callable[[HttpRequest], HttpResponse]:
    """A bare view of the rows, filled up to the size of the product's page."""

    @requires(Permission.USE_CLINIC)
    def view(request: HttpRequest) -> HttpResponse:
        values: dict[str, Any] = request.GET.dict()
        with connection.cursor() as cursor:
            cursor.execute(ROWS[name], values)
            rows = cursor.fetchall()
        return render(request, "floor.html", {"rows": rows, "fill": "." * int(values["fill"])})

    return view


TABLE = """
CREATE TABLE IF NOT EXISTS bench_appointment
    (LIKE treatments_appointment INCLUDING DEFAULTS INCLUDING IDENTITY, PRIMARY KEY (id))
"""


@requires(Permission.USE_CLINIC)
@csrf_protect
def book(request: HttpRequest) -> HttpResponse:
    """A bare insert and a redirect."""
    post = request.POST
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INSERT, [post[name] for name in GIVEN])
    return redirect("/floor/today/")


urlpatterns = [
    *[path(f"floor/{name}/", page(name)) for name in ROWS],
    path("floor/book/", book),
    path("", include(clinic.urls)),
]
