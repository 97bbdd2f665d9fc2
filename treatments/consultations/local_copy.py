"""The key that locks the copy of unsaved words which a browser keeps.

What is typed while the network is away is kept in the browser, encrypted (AES-256-GCM). The key is
made here for one person and one note and given only within that person's signed-in pages: nobody
else who uses the device can read the copy, and a copy without its page is noise.
"""

from __future__ import annotations

import base64

from django.utils.crypto import salted_hmac

from clinic.access.models import Staff
from treatments.consultations.models import Consultation


def copy_key(staff: Staff, note: Consultation) -> str:
    """32 bytes as base64, the same each time for this person and this note."""
    made = salted_hmac("consultations.local_copy", f"{staff.pk}:{note.pk}", algorithm="sha256")
    return base64.b64encode(made.digest()).decode()
