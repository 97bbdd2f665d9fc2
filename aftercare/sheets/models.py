"""The aftercare sheet as it was given, what is written for it beforehand, and its fixed words."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db import models
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.records import Record
from patients.documents.models import Document
from patients.registry.models import OfPatientQuerySet, Patient
from treatments.catalogue.models import CatalogueRow
from treatments.sessions.models import Session

LONGEST_LINE = 500


class SheetQuerySet(OfPatientQuerySet["Sheet"]):
    def newest_of_each_session(self) -> SheetQuerySet:
        """The versions that count: the last one given of each session."""
        same = Sheet.objects.filter(session_id=OuterRef("session_id")).order_by("-version")
        return self.filter(pk=Subquery(same.values("pk")[:1]))


class Sheet(Record):
    """One version, as it was given. Giving again makes the next one and leaves this as it is.

    `content` holds everything that is said: the lines with their block and version, the fixed
    words, what was done. `given_by` is nobody where the worker gave it. `opened_at`: when the
    patient's browser first showed it; `first_read_at`: when they first said that they read it.
    """

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="sheets")
    session = models.ForeignKey(Session, models.PROTECT, related_name="sheets")
    version = models.PositiveSmallIntegerField(default=1, db_default=1)
    language = models.CharField(max_length=8)
    content = models.JSONField()
    document = models.OneToOneField(Document, models.PROTECT, related_name="sheet")
    given_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    opened_at = models.DateTimeField(null=True, blank=True)
    first_read_at = models.DateTimeField(null=True, blank=True)

    audit_patient = "patient_id"
    closed_when = "true"
    closed_except = ("opened_at", "first_read_at")
    objects = SheetQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "version"], name="sheet_version_once"),
        ]

    def __str__(self) -> str:
        return f"sheet {self.pk}"

    @property
    def content_sha256(self) -> str:
        """The hash of what it says, as its evidence page has it."""
        return content_hash(self.content)


def content_hash(content: dict[str, Any]) -> str:
    """SHA-256 in hex of a sheet's content, the same whatever the order of its keys."""
    said = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()


class SheetDraft(Record):
    """What a practitioner writes for a session's sheet before it is given; gone once it is."""

    session = models.OneToOneField(Session, models.PROTECT, related_name="sheet_draft")
    personal_line = models.CharField(_("your line"), max_length=LONGEST_LINE, blank=True)
    language = models.CharField(_("language"), max_length=8)
    written_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")

    audit_patient = "session_id>treatments_session.patient_id"

    def __str__(self) -> str:
        return f"draft for the sheet of session {self.session_id}"


class SheetWords(CatalogueRow):
    """What a sheet says in a language beside those of the house; `code` is the language.

    `words`: {code of `aftercare.sheets.words.WORDS`: phrase}. `phrases`: {English text of the
    catalogue: the same in this language}; one stands only for the very words that it translates.
    A version never changes: editing writes the next one. It is in force once a clinician has
    approved it, a shipped one too.
    """

    words = models.JSONField(default=dict)
    phrases = models.JSONField(default=dict, blank=True, db_default={})
    made_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")

    closed_when = "true"
    closed_except = ("is_current", "approved_by_id", "approved_at")

    class Meta(CatalogueRow.Meta):
        verbose_name_plural = "sheet words"
