"""Template words of screening."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import template
from django.template import Context
from django.utils.dateparse import parse_date

from clinic.access.permissions import Permission
from patients.registry.models import Patient
from treatments.screening.claims import claim

register = template.Library()


@register.filter
def as_date(value: date | str | None) -> date | None:
    """The day of a verdict, also of one kept as text in a signed note."""
    return parse_date(value) if isinstance(value, str) else value


@register.simple_tag(takes_context=True)
def may_decide(context: Context, verdict: Any, patient: Patient) -> str:
    """The signed verdict where this person may still decide about it, else nothing.

    Verdicts kept in a signed note are plain dictionaries and can no longer be decided.
    """
    user = getattr(context.get("request"), "user", None)
    if isinstance(verdict, dict) or not verdict.overridable or verdict.overridden:
        return ""
    if user is None or not user.is_authenticated or not user.may(Permission.WRITE_NOTES):
        return ""
    return claim(verdict, patient.pk)
