"""The one question asked of whoever holds a link."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from clinic.web.fields import DateOfBirthField
from clinic.web.forms import ClinicForm


class ProofForm(ClinicForm):
    birth_date = DateOfBirthField(label=_("Your date of birth"))
