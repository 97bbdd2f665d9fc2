"""Merging two files of one person, and undoing it.

The merged file stays as it was, with every signed record under its own number and name, and takes
nothing new. What is open goes over to the file that is kept, and the merge's snapshot says what
went. Rooms that have a part in this say so with `take_part`, since they stand above this one.

A merge's snapshot: `moved` ids by model, `locations` that the kept file was made known at, `filled`
contacts that it lacked, `repointed` files that had been merged into the merged one, `before` who
both were, and `rooms` what each room noted for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from clinic.records import Record
from patients.registry.merge_parts import objections, parts
from patients.registry.models import Merge, Patient, Registration

LONGEST_REASON = 300
FILLED = {"phone": "", "email": "", "sex": Patient.Sex.UNKNOWN}
"""What the kept file takes from the other where it has nothing itself, and what nothing is."""
IDENTITY = ("family_name", "given_name", "birth_date", "sex", "phone", "email", "language")


class CannotMerge(ActionRefused):
    """Refused for one or more reasons, each fit to show."""

    def __init__(self, objections: Iterable[str]) -> None:
        self.objections = list(objections)
        super().__init__(" ".join(self.objections))


@transaction.atomic
def merge_patients(*, by: Staff, survivor: Patient, merged: Patient, reason: str) -> Merge:
    """Make one file an earlier file of the other.

    Raises `CannotMerge` with what stands in the way, and `ActionRefused` without the right or a
    reason, for one file twice, and when either has been merged in the meantime.
    """
    given = _reason(by, reason)
    if survivor.pk == merged.pk:
        raise ActionRefused(_("These are one file already: choose another one."))
    kept, other = _locked(by, survivor, merged)
    if found := objections(other, kept):
        raise CannotMerge(found)
    snapshot = {
        "before": {name: _identity(who) for name, who in (("kept", kept), ("merged", other))},
        "filled": _fill(kept, other),
        "locations": _make_known(kept, other),
        "moved": _move_open(other, kept),
        "rooms": {part.room: part.join(by, other, kept) for part in parts},
        "repointed": _point(other, kept),
    }
    return Merge.objects.create(
        survivor=kept, merged=other, reason=given, made_by=by, snapshot=snapshot
    )


@transaction.atomic
def unmerge_patients(*, by: Staff, merge: Merge, reason: str) -> dict[str, int]:
    """Make two files of one again; how many rows stay by room, since they were closed meanwhile.

    What was written since stays with the file it was written to: see `added_since`. Raises
    `ActionRefused` without the right or a reason, and unless it is the last of its file's merges.
    """
    given = _reason(by, reason)
    row = Merge.objects.select_for_update().get(pk=merge.pk)
    if row.undone_at is not None:
        raise ActionRefused(_("This merge has already been undone."))
    both = Patient.objects.select_for_update().order_by("pk")
    files = both.in_bulk([row.survivor_id, row.merged_id])
    kept, other = files[row.survivor_id], files[row.merged_id]
    _refuse_unless_last(row, kept)
    Patient.objects.filter(pk=other.pk).update(merged_into=None)
    Patient.objects.filter(pk__in=row.snapshot["repointed"]).update(merged_into=other)
    staying = _move_back(row.snapshot["moved"], kept, other)
    _empty_again(kept, row.snapshot["filled"])
    _forget(kept, row.snapshot["locations"])
    for part in parts:
        part.part(kept, row.snapshot["rooms"].get(part.room, {}))
    row.undone_at, row.undone_by, row.undo_reason = timezone.now(), by, given
    row.save(update_fields=["undone_at", "undone_by", "undo_reason"])
    return staying


def added_since(merge: Merge) -> dict[str, int]:
    """How many rows were written to the kept file since the merge, by room; they stay with it."""
    went = merge.snapshot["moved"]
    rows = {
        model: _rows(model, patient=merge.survivor_id, created_at__gt=merge.created_at).exclude(
            pk__in=went.get(model._meta.label, ())
        )
        for model in models_of_patients()
    }
    return _by_room((model, found.count()) for model, found in rows.items())


def holdings(patient: Patient) -> dict[str, int]:
    """How many rows a file holds, by room."""
    counts = ((m, _rows(m, patient=patient).count()) for m in models_of_patients())
    return _by_room(counts)


def moving(patient: Patient) -> dict[str, int]:
    """How many rows would go over to the other file, by room."""
    return _by_room((model, _open_rows(model, patient).count()) for model in _moving_models())


def moved(merge: Merge) -> dict[str, int]:
    """How many rows went over, by room."""
    ids = merge.snapshot["moved"]
    return _by_room((model, len(ids.get(model._meta.label, ()))) for model in _moving_models())


def models_of_patients() -> list[type[Record]]:
    """Every kind of record with a patient of its own, but for where the patient is known."""
    return [
        model
        for model in apps.get_models()
        if issubclass(model, Record)
        and model.audit_patient == "patient_id"
        and model is not Registration
    ]


def _rows(model: type[Record], *conditions: models.Q, **lookup: Any) -> models.QuerySet[Any]:
    """Rows of any kind of record that has a patient."""
    manager: Any = model._default_manager
    rows: models.QuerySet[Any] = manager.filter(*conditions, **lookup)
    return rows


def _by_room(counts: Iterable[tuple[type[Record], int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for model, count in counts:
        if count:
            room = model.__module__.split(".")[1]
            found[room] = found.get(room, 0) + count
    return found


def _reason(by: Staff, reason: str) -> str:
    if not by.may(Permission.MERGE_PATIENTS):
        raise ActionRefused(_("Only a practitioner or a manager can merge files."))
    given = " ".join(reason.split())
    if not given:
        raise ActionRefused(_("Write the reason."), field="reason")
    if len(given) > LONGEST_REASON:
        raise ActionRefused(_("The reason is too long."), field="reason")
    return given


def _locked(by: Staff, survivor: Patient, merged: Patient) -> tuple[Patient, Patient]:
    """Both files, locked in the order of their numbers: two merges never wait for each other."""
    visible = Patient.objects.visible_to(by).select_for_update().order_by("pk")
    files = {row.pk: row for row in visible.filter(pk__in=[survivor.pk, merged.pk])}
    if len(files) < 2:
        raise ActionRefused(_("Both files must be known at your location."))
    for row in files.values():
        if row.is_closed_file:
            text = _("%(number)s has been merged into %(kept)s in the meantime.")
            raise ActionRefused(text % {"number": row.number, "kept": row.kept_number})
    return files[survivor.pk], files[merged.pk]


def _refuse_unless_last(row: Merge, kept: Patient) -> None:
    last = Merge.objects.making_up(kept.kept).first()
    if last is not None and last.pk != row.pk:
        text = _("Undo the merge of %(number)s first: it came later.")
        raise ActionRefused(text % {"number": f"P{last.merged_id:06d}"})


def _identity(patient: Patient) -> dict[str, str]:
    return {name: str(getattr(patient, name)) for name in IDENTITY}


def _fill(kept: Patient, other: Patient) -> dict[str, str]:
    filled = [
        name
        for name, nothing in FILLED.items()
        if (getattr(kept, name) or "") == nothing != (getattr(other, name) or "")
    ]
    for name in filled:
        setattr(kept, name, getattr(other, name))
    if filled:
        kept.save(update_fields=filled)
    return {name: str(getattr(kept, name)) for name in filled}


def _empty_again(kept: Patient, filled: dict[str, str]) -> None:
    """Take the other file's contacts out again, unless someone has corrected them since."""
    back = [name for name, value in filled.items() if str(getattr(kept, name)) == value]
    for name in back:
        setattr(kept, name, FILLED[name])
    if back:
        kept.save(update_fields=back)


def _make_known(kept: Patient, other: Patient) -> list[int]:
    known = kept.registrations.values("location")
    missing = other.registrations.exclude(location__in=known).order_by("pk")
    added = list(missing.values_list("location_id", flat=True))
    Registration.objects.bulk_create(
        Registration(patient=kept, location_id=location) for location in added
    )
    return added


def _forget(kept: Patient, locations: list[int]) -> None:
    """Where the kept file was only known through the other, unless it has been used there since."""
    used = {place for model in _models_of_places() for place in _places_of(model, kept)}
    gone = [location for location in locations if location not in used]
    Registration.objects.filter(patient=kept, location__in=gone).delete()


def _models_of_places() -> list[type[Record]]:
    return [
        model
        for model in models_of_patients()
        if any(field.name == "location" for field in model._meta.get_fields())
    ]


def _places_of(model: type[Record], patient: Patient) -> Iterator[int]:
    rows = _rows(model, patient=patient)
    yield from rows.values_list("location_id", flat=True).distinct()


def _moving_models() -> list[type[Record]]:
    return [model for model in models_of_patients() if model.merge_moves is not None]


def _open_rows(model: type[Record], patient: Patient) -> models.QuerySet[Any]:
    return _rows(model, model.merge_moves or models.Q(), patient=patient)


def _move_open(other: Patient, kept: Patient) -> dict[str, list[int]]:
    went = {}
    for model in _moving_models():
        rows = _open_rows(model, other).select_for_update(of=("self",)).order_by("pk")
        if ids := list(rows.values_list("pk", flat=True)):
            _hand_over(model, ids, kept)
            went[model._meta.label] = ids
    return went


def _move_back(went: dict[str, list[int]], kept: Patient, other: Patient) -> dict[str, int]:
    staying = []
    for model in _moving_models():
        ids = went.get(model._meta.label, [])
        back = model.merge_moves if model.merge_returns is None else model.merge_returns
        rows = _rows(model, back or models.Q(), pk__in=ids, patient=kept)
        returning = list(rows.select_for_update(of=("self",)).values_list("pk", flat=True))
        _hand_over(model, returning, other)
        staying.append((model, len(ids) - len(returning)))
    return _by_room(staying)


def _hand_over(model: type[Record], ids: list[int], to: Patient) -> None:
    try:
        _rows(model, pk__in=ids).update(patient=to)
    except IntegrityError as error:
        text = _("Two open entries of these files are in each other’s way. Nothing was changed.")
        raise ActionRefused(text) from error


def _point(other: Patient, kept: Patient) -> list[int]:
    """Point the file, and what had been merged into it, at the kept one; the ids of the latter."""
    earlier = Patient.objects.filter(merged_into=other).order_by("pk")
    repointed = list(earlier.values_list("pk", flat=True))
    Patient.objects.filter(pk__in=[other.pk, *repointed]).update(merged_into=kept)
    return repointed
