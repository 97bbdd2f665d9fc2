"""Checking the chain: every sealed entry as it was sealed, every seal after the one before it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.db import connection, transaction

from clinic.audit.actions import MAX_BATCH
from clinic.audit.models import AuditEntry, AuditSeal

VERIFY_SQL = (Path(__file__).parent / "verify.sql").read_text()
GRACE = "10 minutes"


@dataclass(frozen=True)
class Verdict:
    """What the check found: counts, and one line per fault."""

    entries: int
    seals: int
    head: str
    faults: list[str]


@transaction.atomic
def verify_chain(*, grace: str = GRACE, known_head: str = "") -> Verdict:
    """Recompute the whole chain. An entry older than `grace` (an interval) must be sealed.

    `known_head` is a head hash noted elsewhere: a chain cut off at its end or made anew
    from its start no longer contains it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL timezone = 'UTC'; SET LOCAL statement_timeout = 0")
        cursor.execute(VERIFY_SQL, {"grace": grace, "limit": MAX_BATCH})
        faults = [f"seal {seal}: {fault}" if seal else fault for seal, fault in cursor.fetchall()]
    if known_head and not AuditSeal.objects.filter(hash=known_head).exists():
        faults.append("the known head is not in the chain")
    head = AuditSeal.objects.order_by("-pk").values_list("hash", flat=True).first() or ""
    return Verdict(AuditEntry.objects.count(), AuditSeal.objects.count(), head, faults)
