"""What every stored record has in common."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone


class Record(models.Model):
    """A row of patient care. Its changes are audited by the database, see `clinic.audit.install`.

    audit_patient names the way from a row to its patient: a column of this table
    (`patient_id`), or hops `column>table.column` (`session_id>treatments_session.patient_id`).
    closed_when is an SQL condition over `OLD`; once true the row can be neither changed nor
    deleted, except for the columns of closed_except. closed_by names the parent whose closing
    closes this row too: `column>table:condition`, the condition over the parent's columns.

    care_at: SQL over the row for the moment of care that it stands for, NULL where it stands for
    none; a file is kept for years from the latest of them, see `patients.rights.install`.

    merge_moves says which rows go along when their patient's file is merged into another: what is
    open and still to come. None: all stay with the file they were written for. They go back when
    the merge is undone and they still answer merge_returns, which is merge_moves unless given.
    """

    audit_patient: str = ""
    closed_when: str = ""
    closed_except: tuple[str, ...] = ()
    closed_by: str = ""
    care_at: str = ""
    merge_moves: models.Q | None = None
    merge_returns: models.Q | None = None

    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        abstract = True
