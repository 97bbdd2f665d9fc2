"""Photos that a page sends: each kept or refused by itself, so that one bad file spoils nothing."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from clinic.access.request import location_of, staff_of
from clinic.errors import ActionRefused
from clinic.imaging.pictures import too_large
from clinic.web.uploads import was_dropped
from patients.photos.actions import add_photo
from patients.photos.forms import AddForm
from patients.photos.models import Photo
from patients.registry.models import Patient


@dataclass(frozen=True)
class Sent:
    """What became of the files of one form."""

    added: list[Photo]
    refused: list[str]

    def as_json(self, patient: Patient, form: AddForm | None) -> JsonResponse:
        """The answer to a script that sends one at a time: where it is, or why not."""
        if self.added:
            [photo] = self.added[:1]
            where = [patient.number, photo.public_id]
            urls = {
                "url": reverse("photos:detail", args=where),
                "thumb": reverse("photos:thumb", args=where),
            }
            return JsonResponse(urls, status=201)
        wrong = [] if form is None else [one for said in form.errors.values() for one in said]
        message = next(iter([*self.refused, *map(str, wrong)]), _("The photo was not saved."))
        return JsonResponse({"message": message}, status=422)


def send_all(request: HttpRequest, patient: Patient, form: AddForm) -> Sent:
    """Add each file of a valid form. A refusal names the file by its place, never by its name."""
    area, side, view = form.cleaned_data["shot"]
    first = form.cleaned_data["public_id"] or uuid.uuid4()
    files, added, refused = form.cleaned_data["pictures"], [], []
    for place, file in enumerate(files):
        try:
            if was_dropped(file):
                raise ActionRefused(too_large())
            photo = add_photo(
                by=staff_of(request),
                patient=patient,
                location=location_of(request),
                sent=file.read(),
                area=area,
                side=side,
                view=view,
                from_camera=form.cleaned_data["from_camera"],
                taken_on=form.cleaned_data["taken_on"],
                # Sent again after a lost answer, each file has the same name again.
                public_id=first if place == 0 else uuid.uuid5(first, str(place)),
            )
            added.append(photo)
        except ActionRefused as said:
            words = _("Picture %(place)d: %(why)s") if len(files) > 1 else "%(why)s"
            refused.append(words % {"place": place + 1, "why": said.message})
    return Sent(added, refused)


def way_back(request: HttpRequest, patient: Patient) -> str:
    """Where to go when it is done: a page of ours that asked for photos, else the gallery."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}
    ):
        return wanted
    return reverse("photos:gallery", args=[patient.number])
