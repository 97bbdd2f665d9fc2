"""What may be done to a photo: add it, say what it shows, remove it, put it back, erase it."""

from __future__ import annotations

import uuid
from datetime import date, datetime, time, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from clinic.imaging.pictures import Picture, PictureRefused, clean_picture
from clinic.places.models import Location
from clinic.vault import StoredFileDamaged, forget, keep, read_kept
from clinic.wake import wake
from patients.photos.allowing import allow_by_sending, lock_patient, refuse_unless_allowed
from patients.photos.models import SIZES, Photo, Use
from patients.photos.standards import Side, View
from patients.registry.models import Patient

ERASE_TASK = "patients.erase_photos"
UNDER_WAY = timedelta(minutes=10)
"""An upload that has not been stored by then was cut off."""
TO_THINK_AGAIN = timedelta(days=7)
"""How long a removed photo can be put back, unless it had to go at once."""
LONGEST_NOTE = 300
MOST_OF_A_PATIENT = 2_000


def add_photo(
    *,
    by: Staff,
    patient: Patient,
    location: Location,
    sent: bytes,
    area: str,
    side: str,
    view: str,
    from_camera: bool = False,
    taken_on: date | None = None,
    public_id: uuid.UUID | None = None,
) -> Photo:
    """Keep a picture as sent: cleaned, encrypted, in three sizes. Sent twice, it is kept once.

    `taken_on` is a day of the location; without one the camera's own clock counts, then today.
    Raises `ActionRefused` for what is no picture, for a day in the future or before birth, without
    the patient's permission, and with too many photos in one file.
    """
    if not by.may(Permission.TAKE_PHOTOS):
        raise ActionRefused(_("Only a practitioner adds photos."))
    name = public_id or uuid.uuid4()
    if (known := _known(patient, name)) is not None:
        return known
    _refuse_unknown(area, side, view)
    refuse_unless_allowed(patient, Use.RECORD)
    picture = _cleaned(sent)
    photo = Photo(patient=patient, location=location, public_id=name, taken_by=by)
    photo.area, photo.side, photo.view = area, side, view
    photo.taken_at, photo.dated_by = _dated(patient, location, picture, from_camera, taken_on)
    return _keep(photo, picture)


def add_own_photo(
    *, patient: Patient, location: Location, sent: bytes, area: str, side: str
) -> Photo:
    """A close-up that the patient sends from their own page; sending it allows it in the record.

    Raises `ActionRefused` for what is no picture, and with too many photos in one file.
    """
    _refuse_unknown(area, side, View.CLOSE_UP)
    picture = _cleaned(sent)
    allow_by_sending(patient=patient)
    photo = Photo(patient=patient, location=location, area=area, side=side, view=View.CLOSE_UP)
    photo.taken_at, photo.dated_by = _dated(patient, location, picture, False, None)
    return _keep(photo, picture)


def _cleaned(sent: bytes) -> Picture:
    try:
        return clean_picture(sent)
    except PictureRefused as refused:
        raise ActionRefused(str(refused), field="pictures") from refused


def _keep(photo: Photo, picture: Picture) -> Photo:
    photo.width, photo.height, photo.size = picture.width, picture.height, len(picture.full)
    photo.file_name = _random_name()
    _begin(photo)
    return _store(photo, picture)


def _known(patient: Patient, name: uuid.UUID) -> Photo | None:
    """The photo that was sent under this name before, if it is here."""
    found = Photo.objects.filter(public_id=name).first()
    if found is None:
        return None
    if found.patient_id != patient.pk or found.stored_at is None:
        raise ActionRefused(_("This photo is being saved. Please look before sending it again."))
    return found


def _refuse_unknown(area: str, side: str, view: str) -> None:
    if not area or len(area) > 80:
        raise ActionRefused(_("Choose what the photo shows."), field="shot")
    if side not in Side.values or view not in View.values:
        raise ActionRefused(_("Choose what the photo shows."), field="shot")


def _random_name() -> str:
    name = uuid.uuid4().hex
    return f"photos/{name[:2]}/{name}"


def _dated(
    patient: Patient, location: Location, picture: Picture, from_camera: bool, day: date | None
) -> tuple[datetime, str]:
    """When it was taken, and who says so. A camera's clock that cannot be right does not count."""
    now = timezone.now()
    if from_camera:
        return now, Photo.DatedBy.NOW
    if day is not None:
        return _on_day(patient, location, day), Photo.DatedBy.PERSON
    if (taken := picture.taken) is not None:
        moment = taken if taken.tzinfo else taken.replace(tzinfo=location.zone)
        if patient.birth_date < moment.date() and moment <= now:
            return moment, Photo.DatedBy.CAMERA
    return now, Photo.DatedBy.ARRIVAL


def _on_day(patient: Patient, location: Location, day: date) -> datetime:
    """A typed day as a moment: now for today, noon for an earlier one."""
    now = timezone.now()
    today = now.astimezone(location.zone).date()
    if not patient.birth_date <= day <= today:
        raise ActionRefused(_("Enter a day between birth and today."), field="taken_on")
    return now if day == today else datetime.combine(day, time(12), tzinfo=location.zone)


@transaction.atomic
def _begin(photo: Photo) -> None:
    """The row first: whatever happens now, what was stored under its name is found and erased."""
    if Photo.objects.filter(patient=photo.patient).count() >= MOST_OF_A_PATIENT:
        raise ActionRefused(_("This file holds too many photos. Remove some first."))
    photo.erase_at = timezone.now() + UNDER_WAY
    try:
        with transaction.atomic():
            photo.save(force_insert=True)
    except IntegrityError as error:
        text = _("This photo is being saved. Please look before sending it again.")
        raise ActionRefused(text) from error


def _store(photo: Photo, picture: Picture) -> Photo:
    """The three pictures, then the row that says so; asked again, since both take a moment."""
    hashes = {
        size: keep(photo.stored_name(size), getattr(picture, size)) for size in reversed(SIZES)
    }
    with transaction.atomic():
        lock_patient(photo.patient)
        refuse_unless_allowed(photo.patient, Use.RECORD)
        row = Photo.objects.select_for_update().get(pk=photo.pk)
        if row.removed_at is not None:
            raise ActionRefused(_("Saving this photo took too long. Please send it again."))
        row.sha256, row.stored_at, row.erase_at = hashes["full"], timezone.now(), None
        row.save(update_fields=["sha256", "stored_at", "erase_at"])
    return row


def read_photo(photo: Photo, size: str) -> bytes:
    """The stored picture of a size. Raises `ActionRefused` when it is gone or was changed."""
    sha256 = photo.sha256 if size == "full" else ""
    try:
        return read_kept(photo.stored_name(size), sha256=sha256)
    except StoredFileDamaged as error:
        raise ActionRefused(_("The stored photo is damaged.")) from error


@transaction.atomic
def correct_photo(
    *, by: Staff, photo: Photo, area: str, side: str, view: str, taken_on: date
) -> Photo:
    """Say again what a photo shows and on which day it was taken.

    Raises `ActionRefused` for a removed one, and for a day in the future or before birth.
    """
    _refuse_unknown(area, side, view)
    row = Photo.objects.select_for_update(of=("self",)).get(pk=photo.pk)
    if row.stored_at is None or row.removed_at is not None:
        raise ActionRefused(_("This photo was removed."))
    row.area, row.side, row.view = area, side, view
    if taken_on != row.taken_at.astimezone(row.location.zone).date():
        moment = _on_day(row.patient, row.location, taken_on)
        row.taken_at, row.dated_by = min(moment, row.created_at), Photo.DatedBy.PERSON
    row.save(update_fields=["area", "side", "view", "taken_at", "dated_by"])
    return row


@transaction.atomic
def remove_photo(*, by: Staff, photo: Photo, reason: str, note: str = "") -> Photo:
    """Take a photo out of sight at once; its pictures are erased after `TO_THINK_AGAIN`, or now.

    Raises `ActionRefused` when it was removed before, and for another reason without a word.
    """
    if not by.may(Permission.REMOVE_PHOTOS):
        raise ActionRefused(_("Only a practitioner or a manager removes a photo."))
    said = " ".join(note.split())
    if reason not in Photo.Reason.values or reason == Photo.Reason.CUT_OFF:
        raise ActionRefused(_("Choose a reason."), field="reason")
    if reason == Photo.Reason.OTHER and not said:
        raise ActionRefused(_("Write the reason."), field="note")
    if len(said) > LONGEST_NOTE:
        raise ActionRefused(_("This note is too long."), field="note")
    row = Photo.objects.select_for_update().get(pk=photo.pk)
    if row.stored_at is None or row.removed_at is not None:
        raise ActionRefused(_("This photo was removed."))
    row.removed_at, row.removed_by = timezone.now(), by
    row.removal_reason, row.removal_note = reason, said
    at_once = reason in Photo.AT_ONCE
    row.erase_at = row.removed_at if at_once else row.removed_at + TO_THINK_AGAIN
    row.save(update_fields=[*_REMOVAL, "erase_at"])
    if at_once:
        wake(ERASE_TASK)
    return row


_REMOVAL = ("removed_at", "removed_by", "removal_reason", "removal_note")


@transaction.atomic
def put_back(*, by: Staff, photo: Photo) -> Photo:
    """Undo a removal. Raises `ActionRefused` when the pictures are gone or had to go at once."""
    if not by.may(Permission.REMOVE_PHOTOS):
        raise ActionRefused(_("Only a practitioner or a manager puts a photo back."))
    row = Photo.objects.select_for_update().get(pk=photo.pk)
    if not row.can_be_put_back:
        raise ActionRefused(_("This photo cannot be put back."))
    row.removed_at = row.removed_by = row.erase_at = None
    row.removal_reason = row.removal_note = ""
    row.save(update_fields=[*_REMOVAL, "erase_at"])
    return row


@transaction.atomic
def erase_next(*, at: datetime | None = None) -> Photo | None:
    """Erase the pictures of one photo whose time has come. None when there is none.

    The files go before the row says so: whoever is lost in between, it is done again.
    """
    now = at or timezone.now()
    row = Photo.objects.to_erase(now).select_for_update(skip_locked=True).first()
    if row is None:
        return None
    for size in SIZES:
        forget(row.stored_name(size))
    if row.removed_at is None:
        row.removed_at, row.removal_reason = now, Photo.Reason.CUT_OFF
    row.erased_at = now
    row.save(update_fields=["removed_at", "removal_reason", "erased_at"])
    return row
