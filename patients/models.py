"""The models of every room of this wing."""

from patients.documents.models import Document
from patients.intake.models import Confirmation, History
from patients.messages.models import Message, MessageRules, MessageText, OptOut
from patients.photos.models import Photo, PhotoPermission, PhotoShare
from patients.portal.models import Code, Link, LinkRequest, Passkey, PasskeyOnly
from patients.registry.models import Merge, Patient, Registration, Restriction
from patients.rights.models import Export, RightsRequest

__all__ = [
    "Code",
    "Confirmation",
    "Document",
    "Export",
    "History",
    "Link",
    "LinkRequest",
    "Merge",
    "Message",
    "MessageRules",
    "MessageText",
    "OptOut",
    "Passkey",
    "PasskeyOnly",
    "Patient",
    "Photo",
    "PhotoPermission",
    "PhotoShare",
    "Registration",
    "Restriction",
    "RightsRequest",
]
