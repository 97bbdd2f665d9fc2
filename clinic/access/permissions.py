"""Who may do what: permissions, the roles that hold them, and the marks that views carry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.http import HttpResponseBase

View = TypeVar("View", bound="Callable[..., HttpResponseBase]")


class Permission(Enum):
    """One thing that a view lets a person do."""

    USE_CLINIC = "use the clinic at all"
    SEE_DIARY = "see appointments"
    BOOK = "book, move and cancel appointments"
    SEE_PATIENTS = "find a patient and see who they are"
    REGISTER_PATIENTS = "register and correct patients"
    MERGE_PATIENTS = "merge two files of one person, and undo it"
    SEND_LINKS = "send a patient their link"
    TAKE_HISTORY = "type in a patient's first medical history, or hand over a tablet for it"
    SEE_HISTORY = "read a medical history"
    SEE_NOTES = "read consultation notes, plans and session records"
    WRITE_NOTES = "write and sign notes, plans and sessions"
    TAKE_CONSENT = "take and sign consent"
    HAND_OVER_CONSENT = "send a patient a consent, or hand over a tablet or a code to sign it"
    SEE_CONSENT_STATE = "see whether consent is there, not what it says"
    SEE_DOCUMENTS = "open a patient's documents"
    SEE_PHOTOS = "see a patient's photos, and give them out for what the patient allows"
    TAKE_PHOTOS = "take photos of a patient and say what they show"
    REMOVE_PHOTOS = "remove a photo, and put it back"
    SEE_CATALOGUE = "browse the catalogue"
    EDIT_CATALOGUE = "edit the catalogue"
    APPROVE_CATALOGUE = "take responsibility for a row of the catalogue"
    MANAGE_STOCK = "receive and correct lots"
    SEE_MESSAGES = "see what was sent to whom"
    WORK_WATCH = "see and work off check-ins and calls"
    SEE_SAFETY = "read adverse events, recalls and look-backs"
    RECORD_EVENTS = "open, change and close adverse events"
    RUN_RECALLS = "recall, have the exposed told, and look back"
    CALL_EXPOSED = "see whom a recall concerns, and record the calls to them"
    KEEP_FEEDS = "keep the calendar feed of one's own diary"
    SEE_ACCESS_LOG = "see who saw or changed a record"
    HANDLE_RIGHTS = "decide what patients ask about their data: copy, correction, limits, erasure"
    SHARE_PHOTOS = "show a patient photos of themselves on their own page"
    RUN_ARRIVAL = "put a tablet at the door for arrivals"
    MANAGE_CLINIC = "change locations, rooms, staff and settings"


class Role(TextChoices):
    """A staff member's role; what it may do is code, in `GRANTS`."""

    PRACTITIONER = "practitioner", _("Practitioner")
    FRONT_DESK = "front_desk", _("Front desk")
    MANAGER = "manager", _("Manager")


_ALL_STAFF = frozenset(
    {
        Permission.USE_CLINIC,
        Permission.SEE_DIARY,
        Permission.BOOK,
        Permission.SEE_PATIENTS,
        Permission.REGISTER_PATIENTS,
        Permission.SEND_LINKS,
        Permission.SEE_CONSENT_STATE,
        Permission.SEE_CATALOGUE,
        Permission.SEE_MESSAGES,
        Permission.CALL_EXPOSED,
    }
)

GRANTS: dict[str, frozenset[Permission]] = {
    Role.FRONT_DESK: _ALL_STAFF
    | {Permission.RUN_ARRIVAL, Permission.TAKE_HISTORY, Permission.HAND_OVER_CONSENT},
    Role.MANAGER: _ALL_STAFF
    | {
        Permission.EDIT_CATALOGUE,
        Permission.APPROVE_CATALOGUE,
        Permission.MANAGE_STOCK,
        Permission.SEE_ACCESS_LOG,
        Permission.KEEP_FEEDS,
        Permission.MERGE_PATIENTS,
        Permission.SEE_PHOTOS,
        Permission.REMOVE_PHOTOS,
        Permission.RUN_ARRIVAL,
        Permission.SEE_SAFETY,
        Permission.RUN_RECALLS,
        Permission.HANDLE_RIGHTS,
        Permission.MANAGE_CLINIC,
    },
    Role.PRACTITIONER: _ALL_STAFF
    | {
        Permission.MERGE_PATIENTS,
        Permission.KEEP_FEEDS,
        Permission.TAKE_HISTORY,
        Permission.SEE_HISTORY,
        Permission.SEE_NOTES,
        Permission.WRITE_NOTES,
        Permission.TAKE_CONSENT,
        Permission.HAND_OVER_CONSENT,
        Permission.SEE_DOCUMENTS,
        Permission.SEE_PHOTOS,
        Permission.TAKE_PHOTOS,
        Permission.REMOVE_PHOTOS,
        Permission.APPROVE_CATALOGUE,
        Permission.MANAGE_STOCK,
        Permission.WORK_WATCH,
        Permission.SEE_SAFETY,
        Permission.RECORD_EVENTS,
        Permission.RUN_RECALLS,
        Permission.HANDLE_RIGHTS,
        Permission.SHARE_PHOTOS,
    },
}


@dataclass(frozen=True)
class Access:
    """The mark a view carries: public, for a proved patient link, or for a permission."""

    kind: str
    permission: Permission | None = None


PUBLIC = Access("public")
PATIENT_LINK = Access("patient link")
SIGNED_IN = Access("signed in")


def _mark(access: Access) -> Callable[[View], View]:
    def mark(view: View) -> View:
        view.access = access  # type: ignore[attr-defined]
        return view

    return mark


def requires(permission: Permission) -> Callable[[View], View]:
    """Mark a view as open to signed-in staff whose role holds the permission."""
    return _mark(Access("staff", permission))


def public(view: View) -> View:
    """Mark a view as open to anyone. Short list: sign-in, health, errors, a link's first page."""
    return _mark(PUBLIC)(view)


def patient_link(view: View) -> View:
    """Mark a view as open to a patient by link; the portal's own gate proves the birth date."""
    return _mark(PATIENT_LINK)(view)
