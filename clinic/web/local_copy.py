"""The key that locks what a browser keeps of a record while the clinic cannot be reached.

What is entered while the network is away is kept in the browser, encrypted (AES-256-GCM). The key
is made here for one person and one record and given only within that person's signed-in pages:
nobody else who uses the device can read the copy, and a copy without its page is noise.
"""

from __future__ import annotations

import base64

from django.db.models import Model
from django.utils.crypto import salted_hmac

from clinic.access.models import Staff


def copy_key(staff: Staff, record: Model) -> str:
    """32 bytes as base64, the same each time for this person and this record."""
    whose = f"{staff.pk}:{copy_name(staff, record)}"
    made = salted_hmac("clinic.web.local_copy", whose, algorithm="sha256")
    return base64.b64encode(made.digest()).decode()


def copy_name(staff: Staff, record: Model) -> str:
    """Under which name the browser keeps it; says nothing of the patient."""
    return f"{staff.pk}:{record._meta.model_name}:{record.pk}"
