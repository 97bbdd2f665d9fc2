"""The models of every room of this wing."""

from patients.documents.models import Document
from patients.intake.models import Confirmation, History
from patients.messages.models import Message, MessageRules, MessageText, OptOut
from patients.photos.models import Photo, PhotoPermission
from patients.portal.models import Code, Link
from patients.registry.models import Merge, Patient, Registration

__all__ = [
    "Code",
    "Confirmation",
    "Document",
    "History",
    "Link",
    "Merge",
    "Message",
    "MessageRules",
    "MessageText",
    "OptOut",
    "Patient",
    "Photo",
    "PhotoPermission",
    "Registration",
]
