"""Put the trigger in place that keeps merged files closed, on every table that knows its patient.

From the models and after every migrate, as the audit's triggers are, so that no table is forgotten.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import connections

from clinic.audit.install import audited_models

FUNCTIONS = (Path(__file__).parent / "merged.sql").read_text()


def guards() -> list[str]:
    """One trigger for each table of records, by the way its model declares to the patient."""
    return [
        f"CREATE OR REPLACE TRIGGER ac_not_into_merged_file "
        f"BEFORE INSERT OR UPDATE OF {way.partition('>')[0]} ON {table} FOR EACH ROW "
        f"EXECUTE FUNCTION patients_keep_out_of_merged_files('{way}')"
        for table, way in _ways()
    ]


def _ways() -> list[tuple[str, str]]:
    """Each audited table with its way to the patient; without the patients themselves."""
    ways = [(m._meta.db_table, getattr(m, "audit_patient", "")) for m in audited_models()]
    return [(table, way) for table, way in ways if way not in ("", "id")]


def install_merge_guard(sender: Any, using: str, **kwargs: Any) -> None:
    """`post_migrate` receiver of the last wing, after the audit's own."""
    connection = connections[using]
    if "patients_patient" not in connection.introspection.table_names():
        return
    with connection.cursor() as cursor:
        cursor.execute(FUNCTIONS)
        for statement in guards():
            cursor.execute(statement)
