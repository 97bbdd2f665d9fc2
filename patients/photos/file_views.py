"""The pictures themselves, to whoever may see a patient's photos, for what the patient allows."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from clinic.access.gate import fetch
from clinic.access.permissions import Permission, requires
from clinic.access.request import staff_of
from clinic.errors import ActionRefused
from clinic.web.files import private_file
from patients.photos.actions import read_photo
from patients.photos.models import Photo
from patients.registry.restricting import is_restricted


@requires(Permission.SEE_PHOTOS)
@require_safe
def picture(request: HttpRequest, number: int, public_id: UUID, size: str) -> HttpResponse:
    """A picture for the page. Without the patient's permission for the record it is not there."""
    visible = Photo.objects.visible_to(staff_of(request)).of_file(number).shown()
    return _given(fetch(request, visible, public_id=public_id), size, name="", inline=True)


@requires(Permission.SEE_PHOTOS)
@require_safe
def give_out(request: HttpRequest, number: int, public_id: UUID, use: str) -> HttpResponse:
    """The whole picture as a file without name or number, for a use that the patient allows."""
    visible = Photo.objects.visible_to(staff_of(request)).of_file(number).kept().allowed_for(use)
    photo = fetch(request, visible, public_id=public_id)
    if is_restricted(photo.patient):
        raise PermissionDenied
    return _given(photo, "full", name=f"photo-{photo.public_id.hex[:12]}.jpg", inline=False)


def _given(photo: Photo, size: str, *, name: str, inline: bool) -> HttpResponse:
    try:
        content = read_photo(photo, size)
    except ActionRefused:
        raise Http404 from None
    return private_file(content, kind="image/jpeg", name=name, inline=inline)
