"""The models of every room of this wing."""

from patients.documents.models import Document
from patients.intake.models import History
from patients.messages.models import Message
from patients.portal.models import Code, Link
from patients.registry.models import Merge, Patient, Registration

__all__ = ["Code", "Document", "History", "Link", "Merge", "Message", "Patient", "Registration"]
