"""Sending photos, saying what they show, and what a patient allows."""

from __future__ import annotations

from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from clinic.web.forms import ClinicForm
from patients.photos.allowing import BY_STAFF
from patients.photos.models import Photo, PhotoPermission, Use
from patients.photos.naming import Names
from patients.photos.standards import parse_key

ACCEPTED = "image/jpeg,image/png,image/webp,image/heic,image/heif,.heic,.heif"
MOST_AT_ONCE = 12


class SeveralFiles(forms.ClearableFileInput):
    """A file box that takes several pictures at once."""

    allow_multiple_selected = True


class PicturesField(forms.FileField):
    """One to `MOST_AT_ONCE` files. Their names and what they claim to be mean nothing here."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=SeveralFiles({"accept": ACCEPTED, "multiple": True}), **kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        """The files as sent."""
        files = data if isinstance(data, list) else [data] if data else []
        if not files:
            raise ValidationError(_("Choose one or more pictures."))
        if len(files) > MOST_AT_ONCE:
            raise ValidationError(
                _("At most %(count)d pictures at once.") % {"count": MOST_AT_ONCE}
            )
        return files


class ShotField(forms.ChoiceField):
    """What a photo shows: one of the standard views, or a close-up of any area."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(label=_("What it shows"), **kwargs)

    def clean(self, value: Any) -> tuple[str, str, str]:
        """Area, side and view."""
        return parse_key(super().clean(value))


class DayInput(forms.DateInput):
    """The device's own date picker."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class AddForm(ClinicForm):
    """Pictures, what they show, and perhaps the day on which they were taken."""

    pictures = PicturesField(
        label=_("Pictures"),
        help_text=_("JPEG, PNG, WebP or HEIC, at most 32 MB each. Several at once are welcome."),
    )
    shot = ShotField()
    taken_on = forms.DateField(
        label=_("Taken on"),
        required=False,
        widget=DayInput,
        help_text=_("Leave it empty for the day that the camera noted."),
    )
    public_id = forms.UUIDField(widget=forms.HiddenInput, required=False)
    from_camera = forms.BooleanField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, names: Names, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["shot"].choices = names.choices()  # type: ignore[attr-defined]
        self.helper.layout = Layout("pictures", "shot", "taken_on", "public_id", "from_camera")


class CorrectForm(ClinicForm):
    """What a photo shows and when it was taken, said again."""

    shot = ShotField()
    taken_on = forms.DateField(label=_("Taken on"), widget=DayInput)

    def __init__(self, *args: Any, names: Names, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["shot"].choices = names.choices()  # type: ignore[attr-defined]


class RemoveForm(ClinicForm):
    """Why a photo goes."""

    reason = forms.ChoiceField(label=_("Why"), widget=forms.RadioSelect)
    note = forms.CharField(label=_("In words"), max_length=300, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [one for one in Photo.Reason.choices if one[0] != Photo.Reason.CUT_OFF]
        self.fields["reason"].choices = offered  # type: ignore[attr-defined]


class SaidForm(ClinicForm):
    """One use that the patient allows or refuses: when they said so, and how."""

    use = forms.ChoiceField(choices=Use.choices, widget=forms.HiddenInput)
    how = forms.ChoiceField(
        label=_("How"), choices=[one for one in PhotoPermission.How.choices if one[0] in BY_STAFF]
    )
    said_on = forms.DateField(label=_("Said on"), widget=DayInput)
    note = forms.CharField(label=_("Note"), max_length=300, required=False)
