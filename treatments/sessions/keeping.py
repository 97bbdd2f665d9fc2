"""What a device keeps of an open session while the clinic cannot be reached: its key.

The browser encrypts what it keeps with it and never stores it: it comes with the page, to the same
person, for the same session. After signing out nothing on the device can be read.
"""

from __future__ import annotations

import base64

from django.utils.crypto import salted_hmac

from clinic.access.models import Staff
from treatments.sessions.models import Session

SALT = "treatments.sessions.keeping"


def device_key(staff: Staff, session: Session) -> str:
    """32 bytes as base64, of one person and one session."""
    mac = salted_hmac(SALT, f"{staff.pk}:{session.pk}", algorithm="sha256")
    return base64.b64encode(mac.digest()).decode()


def device_name(staff: Staff, session: Session) -> str:
    """Under which name the browser keeps it; says nothing of the patient."""
    return f"session-{staff.pk}-{session.pk}"
