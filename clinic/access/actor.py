"""Staff as the audit trail knows them."""

from __future__ import annotations

from clinic.access.models import Staff
from clinic.audit.context import Actor


def actor_of(staff: Staff) -> Actor:
    """Who the trail will name for what this person reads and writes."""
    return Actor(kind="staff", id=staff.pk, who=f"{staff.name} <{staff.email}>", role=staff.role)
