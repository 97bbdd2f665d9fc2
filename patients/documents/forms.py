"""A file that someone wants checked."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from clinic.rendering.checking import LARGEST_BYTES, too_large
from clinic.web.forms import ClinicForm
from clinic.web.uploads import was_dropped


class CopyForm(ClinicForm):
    """One PDF. Its name means nothing here."""

    copy = forms.FileField(
        label=_("The PDF file"),
        widget=forms.FileInput({"accept": "application/pdf,.pdf"}),
        error_messages={"required": _("Choose a PDF file.")},
    )

    def clean_copy(self) -> bytes:
        """What the file holds. An empty file is told by the field itself."""
        sent: UploadedFile[Any] = self.cleaned_data["copy"]
        if was_dropped(sent) or (sent.size or 0) > LARGEST_BYTES:
            raise ValidationError(too_large())
        content: bytes = sent.read()
        if b"%PDF-" not in content[:1024]:
            raise ValidationError(_("This is not a PDF file."))
        return content
