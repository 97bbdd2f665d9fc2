"""The models of every room of this wing."""

from patients.documents.models import Document
from patients.intake.models import History
from patients.messages.models import Message, MessageRules, MessageText, OptOut
from patients.portal.models import Link
from patients.registry.models import Patient, Registration

__all__ = [
    "Document",
    "History",
    "Link",
    "Message",
    "MessageRules",
    "MessageText",
    "OptOut",
    "Patient",
    "Registration",
]
