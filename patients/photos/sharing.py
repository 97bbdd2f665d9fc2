"""Showing a patient photos of themselves on their own page, and ending that."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.access.permissions import Permission
from clinic.errors import ActionRefused
from patients.photos.models import Photo, PhotoShare


def _refuse_others(by: Staff) -> None:
    if not by.may(Permission.SHARE_PHOTOS):
        raise ActionRefused(_("Only a practitioner shows photos to a patient."))


@transaction.atomic
def share_photo(*, by: Staff, photo: Photo, at: datetime) -> PhotoShare:
    """The patient sees it from now on, while the photo is kept and allowed for the record.

    Raises `ActionRefused` where they see it already.
    """
    _refuse_others(by)
    try:
        with transaction.atomic():
            return PhotoShare.objects.create(
                patient=photo.patient.kept, photo=photo, shared_at=at, shared_by=by
            )
    except IntegrityError:
        raise ActionRefused(_("The patient sees this photo already.")) from None


@transaction.atomic
def end_share(*, by: Staff, photo: Photo, at: datetime) -> None:
    """The patient does not see it any more. Raises `ActionRefused` where they did not."""
    _refuse_others(by)
    share = PhotoShare.objects.select_for_update().filter(photo=photo).in_force().first()
    if share is None:
        raise ActionRefused(_("The patient does not see this photo."))
    share.ended_at, share.ended_by = at, by
    share.save(update_fields=["ended_at", "ended_by"])
