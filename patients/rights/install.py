"""Put in place what keeps the database from letting a file go too early.

From the models and after every migrate, as the audit's triggers are, so that no care is forgotten.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import connections, models

from clinic.audit.install import audited_models

FUNCTIONS = (Path(__file__).parent / "retention.sql").read_text()
GUARD = (
    "CREATE OR REPLACE TRIGGER ab_not_too_early BEFORE INSERT OR UPDATE OF file, due_on "
    "ON clinic_erasure FOR EACH ROW EXECUTE FUNCTION clinic_refuse_early_erasure()"
)
NEWEST = (
    "SELECT max({moment}), {place} FROM public.{table}"
    " WHERE patient_id = ANY(files) GROUP BY 2 HAVING max({moment}) IS NOT NULL"
)
NEEDED = {"patients_patient", "patients_registration", "clinic_erasure"}


def care_function() -> str:
    """`clinic_care(files)`: the latest moment of care in each table and place of these files."""
    parts = [_newest(model) for model in audited_models() if getattr(model, "care_at", "")]
    return (
        "CREATE OR REPLACE FUNCTION clinic_care(files bigint[])\n"
        "RETURNS TABLE (moment timestamptz, place bigint) LANGUAGE sql STABLE AS $$\n"
        + "\nUNION ALL\n".join(parts)
        + "\n$$"
    )


def _newest(model: type[models.Model]) -> str:
    moment = model.care_at  # type: ignore[attr-defined]
    has_place = any(field.column == "location_id" for field in model._meta.local_concrete_fields)
    place = "location_id" if has_place else "NULL::bigint"
    return NEWEST.format(moment=moment, place=place, table=model._meta.db_table)


def install_retention(sender: Any, using: str, **kwargs: Any) -> None:
    """`post_migrate` receiver of the last wing, after the audit's own."""
    connection = connections[using]
    tables = {m._meta.db_table for m in audited_models() if getattr(m, "care_at", "")}
    if not (NEEDED | tables) <= set(connection.introspection.table_names()):
        return
    with connection.cursor() as cursor:
        for statement in (care_function(), FUNCTIONS, GUARD):
            cursor.execute(statement)
