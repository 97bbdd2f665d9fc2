"""The beat's wake-up for the chain of seals."""

from __future__ import annotations

from celery import shared_task

from clinic.audit.actions import seal_entries


@shared_task(name="clinic.seal_audit")
def seal_audit() -> None:
    """Seal what was written since the last tick."""
    seal_entries()
