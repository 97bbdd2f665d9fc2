"""Two buttons beside a photo: show it to the patient, and show it no longer."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clinic.access.gate import look_up
from clinic.access.permissions import Permission, requires
from clinic.access.request import staff_of
from clinic.web.notices import refused_notice
from patients.photos.models import Photo
from patients.photos.sharing import end_share, share_photo


def _photo(request: HttpRequest, number: int, public_id: UUID) -> Photo:
    """One that the record shows; an earlier file's too, since it is the same person's."""
    visible = Photo.objects.visible_to(staff_of(request)).of_file(number).shown()
    return look_up(request, visible.select_related("patient__merged_into"), public_id=public_id)


@requires(Permission.SHARE_PHOTOS)
@require_POST
def share(request: HttpRequest, number: int, public_id: UUID) -> HttpResponse:
    """Show it to the patient."""
    photo = _photo(request, number, public_id)
    with refused_notice(request):
        share_photo(by=staff_of(request), photo=photo, at=timezone.now())
        messages.success(request, _("The patient sees this photo on their own page."))
    return redirect("photos:detail", f"P{number:06d}", photo.public_id)


@requires(Permission.SHARE_PHOTOS)
@require_POST
def unshare(request: HttpRequest, number: int, public_id: UUID) -> HttpResponse:
    """Show it no longer."""
    photo = _photo(request, number, public_id)
    with refused_notice(request):
        end_share(by=staff_of(request), photo=photo, at=timezone.now())
        messages.success(request, _("The patient does not see this photo any more."))
    return redirect("photos:detail", f"P{number:06d}", photo.public_id)
