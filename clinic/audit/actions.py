"""Writing the audit trail: readings, refusals, and the seals that chain it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from clinic.audit import context
from clinic.audit.models import Action

SEAL_SQL = (Path(__file__).parent / "seal.sql").read_text()
MAX_BATCH = 5_000
# Plain SQL: every page writes one of these, and building the statement anew costs as much as it.
RECORD_SQL = """
INSERT INTO clinic_auditentry
    (actor_kind, actor_id, who, role, request_id, patients, action, what, object_id)
VALUES (%s, %s, %s, %s, %s, %s::bigint[], %s, %s, %s)
"""


def record_read(*, what: str, patients: Iterable[int | None], object_id: str) -> None:
    """Leave one row that says the current actor read this, about these patients."""
    _record(Action.READ, what, patients, object_id)


def record_refusal(
    *,
    what: str,
    patients: Iterable[int | None],
    object_id: str,
    over: BaseDatabaseWrapper | None = None,
) -> None:
    """Leave one row that says the current actor tried to change a record that is closed.

    `over` another connection it stays, whatever becomes of the transaction in force.
    """
    _record(Action.REFUSE, what, patients, object_id, over)


def _record(
    action: Action,
    what: str,
    patients: Iterable[int | None],
    object_id: str,
    over: BaseDatabaseWrapper | None = None,
) -> None:
    actor = context.current() or context.NOBODY
    known = [pk for pk in patients if pk is not None]
    values = [actor.kind, actor.id, actor.who, actor.role, actor.request_id]
    with (over or connection).cursor() as cursor:
        cursor.execute(RECORD_SQL, [*values, known, action.value, what, object_id])


@transaction.atomic
def seal_entries() -> int:
    """Chain up to `MAX_BATCH` entries that no seal covers yet; how many were sealed.

    One sealer at a time (an advisory lock); writers are never blocked.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('clinic.audit.seal'))")
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute("SET LOCAL timezone = 'UTC'; SET LOCAL statement_timeout = '60s'")
        cursor.execute(SEAL_SQL, {"limit": MAX_BATCH})
        row = cursor.fetchone()
    return int(row[0]) if row else 0
