"""Put the triggers in place after every migrate, from what the models declare.

Installed from the models and not from migrations, so a model cannot be added without its trigger.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connections, models

FUNCTIONS = (Path(__file__).parent / "audit.sql").read_text()
APPEND_ONLY = ("clinic_auditentry", "clinic_auditseal")


def audited_models() -> list[type[models.Model]]:
    """Every model that declares the way to its patient, and the staff table."""
    return [
        model
        for model in apps.get_models()
        if getattr(model, "audit_patient", "") or getattr(model, "audit_always", False)
    ]


def _quote(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def triggers_for(model: type[models.Model]) -> Iterator[str]:
    """The SQL that gives a table the triggers its model declares."""
    table = model._meta.db_table
    way = getattr(model, "audit_patient", "")
    hidden = getattr(model, "audit_exclude", ())
    arguments = ", ".join(_quote(value) for value in (way, *hidden))
    yield (
        f"CREATE OR REPLACE TRIGGER zz_audit AFTER INSERT OR UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION clinic_audit({arguments})"
    )
    if closed_when := getattr(model, "closed_when", ""):
        free = ", ".join(
            _quote(value) for value in (way, closed_when, *getattr(model, "closed_except", ()))
        )
        yield (
            f"CREATE OR REPLACE TRIGGER aa_closed BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION clinic_closed({free})"
        )
    if closed_by := getattr(model, "closed_by", ""):
        column, rest = closed_by.split(">", 1)
        parent, condition = rest.split(":", 1)
        parts = ", ".join(_quote(value) for value in (way, column, parent, condition))
        yield (
            f"CREATE OR REPLACE TRIGGER aa_parent_closed BEFORE INSERT OR UPDATE OR DELETE "
            f"ON {table} FOR EACH ROW EXECUTE FUNCTION clinic_parent_closed({parts})"
        )


def append_only_triggers() -> Iterator[str]:
    """The triggers that refuse to rewrite the trail itself."""
    for table in APPEND_ONLY:
        yield (
            f"CREATE OR REPLACE TRIGGER aa_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION clinic_append_only()"
        )
        yield (
            f"CREATE OR REPLACE TRIGGER aa_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION clinic_append_only()"
        )


def install_triggers(sender: Any, using: str, **kwargs: Any) -> None:
    """`post_migrate` receiver of the last wing: functions, then the triggers of every table."""
    connection = connections[using]
    present = set(connection.introspection.table_names())
    wanted = [model for model in audited_models() if model._meta.db_table in present]
    statements = [sql for model in wanted for sql in triggers_for(model)]
    if present.issuperset(APPEND_ONLY):
        statements += append_only_triggers()
    with connection.cursor() as cursor:
        cursor.execute(FUNCTIONS)
        for statement in statements:
            cursor.execute(statement)
