"""Erasing a file: what may go at once, all of it when nothing obliges any more, and what is kept.

Both write down what went and what stays, on which ground and until when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg import sql

from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.audit.models import Erasure
from clinic.errors import ActionRefused
from clinic.vault import forget
from clinic.wake import wake
from patients.documents.models import Document
from patients.messages.kinds import ASKED_LINK, Refusal
from patients.messages.models import Message, OptOut
from patients.photos.allowing import standing, withdraw
from patients.photos.models import SIZES, Photo, PhotoPermission, PhotoShare, Use
from patients.portal.models import Code, Link, Passkey, PasskeyOnly
from patients.registry.models import Patient, Registration, Restriction, files_of
from patients.registry.restricting import restriction_of
from patients.rights.exporting import WORK_TASK
from patients.rights.gathering import condition, patient_models, way_of
from patients.rights.models import Export
from patients.rights.retention import Retention, retention_of

LETTERS_THAT_MAY_GO = ("link", ASKED_LINK, "code", "recall", "no-show")
LONG_STATEMENT = "SET LOCAL statement_timeout = '90s'"


@dataclass(frozen=True)
class Line:
    """How much of what: `until` and `ground` say why it stays; both are empty for what went."""

    what: str
    count: int
    ground: str = ""
    until: date | None = None

    def stored(self) -> dict[str, Any]:
        """Fit for JSON."""
        end = self.until.isoformat() if self.until else ""
        return {"what": self.what, "count": self.count, "ground": self.ground, "until": end}


def refuse_unless_may(by: Staff) -> None:
    """Raise `ActionRefused` for who does not decide about erasing."""
    if not by.may(Permission.HANDLE_RIGHTS):
        raise ActionRefused(_("Only a manager or a practitioner decides this."))


def what_stays(patient: Patient, retention: Retention) -> list[Line]:
    """Every kind of row of a patient that the obligation keeps, with how many there are."""
    files, lines = files_of(patient), []
    for model in patient_models():
        if model in (Link, Code, Passkey, PasskeyOnly, Export):
            continue
        count = len_of(model, files)
        if count:
            name = str(model._meta.verbose_name_plural)
            lines.append(Line(name, count, retention.ground, retention.until))
    return [*lines, trail_stays(files)]


def trail_stays(files: Sequence[int]) -> Line:
    """The audit trail, which nothing erases."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM clinic_auditentry WHERE patients && %s::bigint[]", [list(files)]
        )
        count = int(cursor.fetchone()[0])
    return Line(
        _("who opened or changed the record"),
        count,
        _("Proof of who did what: an append-only chain, kept to answer for the handling of data."),
    )


def len_of(model: type[models.Model], files: Sequence[int]) -> int:
    """How many rows of one table belong to these files."""
    statement = sql.SQL("SELECT count(*) FROM {} WHERE {}").format(
        sql.Identifier(model._meta.db_table), condition(model)
    )
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(cursor.cursor), [list(files)])
        return int(cursor.fetchone()[0])


@transaction.atomic
def erase_what_may_go(*, by: Staff, patient: Patient, contact: bool, at: datetime) -> list[Line]:
    """While the record must be kept: everything that is no part of it goes now; what went.

    Links, codes, passkeys, copies, letters without content, photos shown and uses allowed beyond
    the record. Nothing is sent any more. `contact`: the e-mail address and phone number too, after
    which a recall reaches the patient by no message.
    """
    refuse_unless_may(by)
    Patient.objects.select_for_update().get(pk=patient.pk)
    files = files_of(patient)
    gone = [
        _cleared(_("links to the own pages"), Link.objects.filter(patient__in=files)),
        _cleared(_("codes"), Code.objects.filter(patient__in=files)),
        _cleared(_("passkeys"), Passkey.objects.filter(patient__in=files)),
        _cleared(_("choices of passkeys alone"), PasskeyOnly.objects.filter(patient__in=files)),
        _letters(files),
        _shares(by, files, at),
        _uses(by, patient),
        _copies(files, at),
    ]
    _send_nothing_more(patient)
    if contact:
        gone.append(_contact(patient))
    return [line for line in gone if line.count]


def _cleared(what: str, rows: Any) -> Line:
    count, _each = rows.delete()
    return Line(what, count)


def _letters(files: Sequence[int]) -> Line:
    """Messages without content that have gone out, and that no other row points to."""
    free = {
        f"{relation.field.related_query_name()}__isnull": True
        for relation in Message._meta.related_objects
    }
    rows = Message.objects.filter(patient__in=files, kind__in=LETTERS_THAT_MAY_GO, **free)
    done = rows.exclude(state__in=[Message.State.PENDING, Message.State.CLAIMED])
    keys = list(done.values_list("pk", flat=True))
    return _cleared(_("messages without content"), Message.objects.filter(pk__in=keys))


def _shares(by: Staff, files: Sequence[int], at: datetime) -> Line:
    shares = PhotoShare.objects.filter(patient__in=files).in_force()
    return Line(_("photos shown on the own page"), shares.update(ended_at=at, ended_by=by))


def _uses(by: Staff, patient: Patient) -> Line:
    """Teaching and publicity are no part of care: from now on they are refused."""
    given = [
        use
        for use, last in standing(patient).items()
        if use != Use.RECORD and last is not None and last.is_given
    ]
    for use in given:
        withdraw(by=by, patient=patient, use=use, how=PhotoPermission.How.WRITTEN)
    return Line(_("uses of photos beyond the record"), len(given))


def _copies(files: Sequence[int], at: datetime) -> Line:
    ready = Export.objects.filter(patient__in=files, state=Export.State.READY)
    count = ready.update(expires_at=at)
    wake(WORK_TASK)
    return Line(_("copies of the data"), count)


def _send_nothing_more(patient: Patient) -> None:
    OptOut.objects.get_or_create(patient=patient, kind=Refusal.EVERYTHING)


def _contact(patient: Patient) -> Line:
    row = Patient.objects.get(pk=patient.pk)
    count = bool(row.email) + bool(row.phone)
    row.email, row.phone = "", ""
    row.save(update_fields=["email", "phone"])
    return Line(_("e-mail address and phone number"), count)


@transaction.atomic
def decide_erasure(*, by: Staff, patient: Patient, reason: str, today: date) -> Erasure:
    """Everything of a file is to be erased by the worker. Raises `ActionRefused` while the file
    must be kept, while it is restricted for a claim, and when it is decided already.
    """
    refuse_unless_may(by)
    locked = Patient.objects.select_for_update().get(pk=patient.pk)
    if locked.is_closed_file:
        raise ActionRefused(_("Erase the file that this one was merged into."))
    retention = retention_of(locked)
    if retention.obliges(today):
        words = _("This file must be kept until %(day)s. %(ground)s")
        raise ActionRefused(words % {"day": retention.until, "ground": retention.ground})
    limit = restriction_of(locked)
    if limit is not None and limit.ground == Restriction.Ground.CLAIM:
        raise ActionRefused(_("The patient needs these data for a claim. Lift that first."))
    if Erasure.objects.filter(file=locked.pk).exists():
        raise ActionRefused(_("This is decided already."))
    kept = [trail_stays(files_of(locked)).stored()]
    rows = [
        Erasure.objects.create(
            file=number,
            due_on=retention.until or today,
            ground=f"{reason.strip()} {retention.ground}".strip()[:300],
            decided_by=by.name,
            kept=kept,
        )
        for number in reversed(files_of(locked))
    ]
    wake(WORK_TASK)
    return rows[-1]


@transaction.atomic
def erase_next_file() -> Erasure | None:
    """Erase everything of the oldest decision that waits, earlier files with it; None: none waits.

    All of it or nothing: foreign keys are checked when the transaction ends.
    """
    waiting = Erasure.objects.filter(done_at__isnull=True).order_by("pk")
    first = waiting.select_for_update(skip_locked=True).first()
    if first is None:
        return None
    files = _together(first)
    rows = list(Erasure.objects.select_for_update().filter(file__in=files, done_at__isnull=True))
    with connection.cursor() as cursor:
        cursor.execute(LONG_STATEMENT)
    names = _stored_files(files)
    gone = _delete_all(files)
    for row in rows:
        is_first = row.pk == first.pk
        row.erased = [line.stored() for line in gone] if is_first else []
        row.files = names if is_first else []
        row.done_at = timezone.now()
        row.save(update_fields=["erased", "files", "done_at"])
    return first


def _together(first: Erasure) -> list[int]:
    """The files of one person: of one that was merged, the file that counts and all its others."""
    patient = Patient.objects.filter(pk=first.file).select_related("merged_into").first()
    return files_of(patient.kept) if patient else [first.file]


def _stored_files(files: Sequence[int]) -> list[str]:
    """The random names under which anything of these files is stored."""
    papers = Document.objects.filter(patient__in=files).exclude(file_name="")
    names = list(papers.values_list("file_name", flat=True))
    for photo in Photo.objects.filter(patient__in=files):
        names += [photo.stored_name(size) for size in SIZES]
    for export in Export.objects.filter(patient__in=files):
        names += [export.stored_name(number) for number in range(export.pieces)]
    return names


def _delete_all(files: Sequence[int]) -> list[Line]:
    """Every row of every table of these files; what belongs to a row before the row itself."""
    # Where a file is known says how long it is kept: that goes last but for the patient.
    owned = sorted(patient_models(), key=lambda model: (-_depth(model), model is Registration))
    lines = []
    for model in owned:
        _let_go(model, owned, files)
    for model in owned:
        count = _delete(model, files)
        if count:
            lines.append(Line(str(model._meta.verbose_name_plural), count))
    return lines


def _depth(model: type[models.Model]) -> int:
    """How many hops it is to the patient; the patient's own table is last of all."""
    return 0 if model is Patient else len(way_of(model))


def _let_go(
    model: type[models.Model], owned: Sequence[type[models.Model]], files: Sequence[int]
) -> None:
    """Rows that are nobody's and point to one that goes: emptied of that, or gone with it."""
    for relation in model._meta.related_objects:
        other = relation.related_model
        if other in owned or not isinstance(relation.field, models.ForeignKey):
            continue
        column = sql.Identifier(relation.field.column)
        table = sql.Identifier(other._meta.db_table)
        if relation.field.null:
            action = sql.SQL("UPDATE {} SET {} = NULL").format(table, column)
        else:
            action = sql.SQL("DELETE FROM {}").format(table)
        inner = sql.SQL(" WHERE {} IN (SELECT id FROM {} WHERE {})").format(
            column, sql.Identifier(model._meta.db_table), condition(model)
        )
        _run(sql.Composed([action, inner]), files)


def _delete(model: type[models.Model], files: Sequence[int]) -> int:
    for field in model._meta.many_to_many:
        through: Any = field.remote_field.through
        if through._meta.auto_created:
            own = sql.Identifier(field.m2m_column_name())
            statement = sql.SQL("DELETE FROM {} WHERE {} IN (SELECT id FROM {} WHERE {})")
            table, mine = sql.Identifier(through._meta.db_table), model._meta.db_table
            _run(statement.format(table, own, sql.Identifier(mine), condition(model)), files)
    statement = sql.SQL("DELETE FROM {} WHERE {}")
    return _run(statement.format(sql.Identifier(model._meta.db_table), condition(model)), files)


def _run(statement: sql.Composed, files: Sequence[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(cursor.cursor), [list(files)])
        return int(cursor.rowcount)


@transaction.atomic
def forget_next_files() -> Erasure | None:
    """Erase from the store what an erasure left there; None when nothing is left."""
    row = (
        Erasure.objects.filter(done_at__isnull=False)
        .exclude(files=[])
        .select_for_update(skip_locked=True)
        .first()
    )
    if row is None:
        return None
    for name in row.files:
        forget(name)
    row.files = []
    row.save(update_fields=["files"])
    return row
