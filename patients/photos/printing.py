"""Photos for a printed record: thumbnails of what the record may show at that moment."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from clinic.vault import StoredFileDamaged, read_kept
from patients.photos.models import Photo


def thumbnails(patient_id: int, public_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """JPEG by public id. What was removed, is damaged or is no longer allowed is left out."""
    found = {}
    shown = Photo.objects.of_file(patient_id).shown().filter(public_id__in=public_ids)
    for photo in shown.select_related("patient"):
        try:
            found[photo.public_id] = read_kept(photo.stored_name("thumb"))
        except StoredFileDamaged:
            continue
    return found
