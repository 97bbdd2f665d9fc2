"""Everything that is stored about one person, table by table, as it is stored.

The list of tables comes from the models: every record says the way to its patient, so that a new
one cannot be forgotten. What points elsewhere (staff, rows of the catalogue) is given by name too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.apps import apps
from django.db import connection, models
from phonenumber_field.phonenumber import PhoneNumber
from psycopg import sql

from clinic.audit.models import Action, AuditEntry
from patients.registry.access_log import name_alone

SECRETS = frozenset(
    {
        "token_hash",
        "code_hash",
        "credential",
        "credential_id",
        "sign_count",
        "file_name",
        "folded_name",
        "snapshot",
    }
)
"""Keys, and what is derived; nothing of it says anything about the person."""
IN_FILES = frozenset({"patients_document.html", "treatments_consent.html"})
"""Whole pages that are in the ZIP as PDF."""
MOST_READINGS = 20_000


def patient_models() -> list[type[models.Model]]:
    """Every model whose rows belong to a patient, the patient first, in a steady order."""
    found = [model for model in apps.get_models() if getattr(model, "audit_patient", "")]
    return sorted(found, key=lambda m: (m.audit_patient != "id", m._meta.db_table))  # type: ignore[attr-defined]


def way_of(model: type[models.Model]) -> list[tuple[str, str]]:
    """The way from a row to its patient: column and the table it leads to, but for the last."""
    first, *hops = str(model.audit_patient).split(">")  # type: ignore[attr-defined]
    tables = [hop.split(".")[0] for hop in hops]
    columns = [first, *(hop.split(".")[1] for hop in hops)]
    return list(zip(columns, [*tables, ""], strict=True))


def condition(model: type[models.Model]) -> sql.Composed:
    """SQL that holds for the rows of a patient; one parameter, the list of their files."""
    *hops, (last, _end) = way_of(model)
    if not hops:
        return sql.SQL("{} = ANY(%s)").format(sql.Identifier(last))
    inner = sql.SQL("{} = ANY(%s)").format(sql.Identifier(last))
    for column, table in reversed(hops):
        inner = sql.SQL("{} IN (SELECT id FROM {} WHERE {})").format(
            sql.Identifier(column), sql.Identifier(table), inner
        )
    return sql.Composed([inner])


def keys_of(model: type[models.Model], files: Sequence[int]) -> list[int]:
    """The keys of a patient's rows in one table."""
    statement = sql.SQL("SELECT id FROM {} WHERE {} ORDER BY id").format(
        sql.Identifier(model._meta.db_table), condition(model)
    )
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(cursor.cursor), [list(files)])
        return [int(row[0]) for row in cursor.fetchall()]


def rows_of(model: type[models.Model], files: Sequence[int]) -> Iterator[dict[str, Any]]:
    """The rows of one table as they are stored, with names beside the keys of others' rows."""
    manager: models.Manager[Any] = model._base_manager
    rows = list(manager.filter(pk__in=keys_of(model, files)).order_by("pk"))
    fields = [field for field in model._meta.concrete_fields if _is_given(model, field)]
    names = _names(fields, rows)
    for row in rows:
        kept: frozenset[str] = getattr(row, "kept_from_patient", frozenset)()
        yield {
            field.name: _value(field, row, names.get(field.name, {}))
            for field in fields
            if field.name not in kept
        } | _ticked(row)


def _is_given(model: type[models.Model], field: models.Field[Any, Any]) -> bool:
    whole = f"{model._meta.db_table}.{field.name}"
    return field.name not in SECRETS and whole not in IN_FILES


def _names(
    fields: Iterable[models.Field[Any, Any]], rows: Sequence[Any]
) -> dict[str, dict[Any, str]]:
    """For each field that points to a row that is nobody's: what that row is called."""
    found = {}
    for field in fields:
        model = field.related_model
        if not isinstance(model, type) or getattr(model, "audit_patient", None):
            continue
        keys = {value for row in rows if (value := getattr(row, str(field.attname))) is not None}
        found[field.name] = {
            key: str(one) for key, one in model._base_manager.in_bulk(list(keys)).items()
        }
    return found


def _value(field: models.Field[Any, Any], row: Any, names: dict[Any, str]) -> Any:
    stored = getattr(row, field.attname)
    if field.choices:
        label = getattr(row, f"get_{field.name}_display")()
        return {"value": stored, "means": str(label)} if str(label) != str(stored) else stored
    if names and stored in names:
        return {"id": stored, "name": names[stored]}
    if isinstance(stored, PhoneNumber):
        return str(stored)
    return bytes(stored).hex() if isinstance(stored, (bytes, memoryview)) else stored


def _ticked(row: Any) -> dict[str, Any]:
    """What a row points to many of, by name."""
    return {
        field.name: [str(one) for one in getattr(row, field.name).all()]
        for field in row._meta.many_to_many
        if field.remote_field.through._meta.auto_created
    }


def everything(files: Sequence[int]) -> dict[str, Any]:
    """All tables with rows, and who has opened the record; fit for JSON with Django's encoder."""
    tables = {}
    for model in patient_models():
        rows = list(rows_of(model, files))
        if rows:
            meta = model._meta
            tables[meta.db_table] = {"name": str(meta.verbose_name_plural), "rows": rows}
    return {"tables": tables, "opened": list(_readings(files))}


def _readings(files: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Who has opened or changed the record, newest first, without the values before and after."""
    entries = AuditEntry.objects.filter(patients__overlap=list(files)).exclude(action=Action.REFUSE)
    shown = ("at", "actor_kind", "who", "role", "action", "what")
    for entry in entries.order_by("-pk").values(*shown)[:MOST_READINGS]:
        yield entry | {"who": name_alone(entry["who"])}
