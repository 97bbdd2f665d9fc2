"""What the demo's patients ask about their data, photos they are shown, and a file restricted."""

from __future__ import annotations

from datetime import datetime, timedelta

from aftercare.demo.clock import then
from aftercare.demo.ground import Ground
from clinic.access.models import Staff
from clinic.access.permissions import Role
from patients.photos.models import Photo
from patients.photos.sharing import share_photo
from patients.registry.models import Patient
from patients.registry.restricting import restrict
from patients.rights.actions import ask, settle_correction
from treatments.sessions.models import Session

ASKED = (
    (2, "correction", "name", "My name is written with one “n” too many."),
    (27, "restriction", "", "Please use my data for nothing but my treatment for now."),
    (5, "erasure", "", "I have moved away. Please erase what you have about me."),
)


def tell_rights(ground: Ground, now: datetime) -> None:
    """Three requests that wait, one of them nearly late; one answered; one file restricted."""
    place = ground.places[0].location
    manager = Staff.objects.filter(role=Role.MANAGER, memberships__location=place).earliest("pk")
    patients = _treated(place.pk)
    for patient, (days, kind, subject, words) in zip(patients, ASKED, strict=False):
        at = now - timedelta(days=days)
        with then(at, patient):
            ask(by=None, patient=patient, kind=kind, subject=subject, words=words, at=at)
    answered, restricted = patients[3], patients[4]
    at = now - timedelta(days=9)
    with then(at, answered):
        row = ask(
            by=None,
            patient=answered,
            kind="correction",
            subject="history",
            words="I do not smoke any more, since March.",
            at=at,
        )
    with then(at + timedelta(days=1), manager) as moment:
        words = "Your history has a new version that says so. Thank you."
        settle_correction(by=manager, request=row, words=words, at=moment)
    with then(at, manager) as moment:
        restrict(
            by=manager,
            patient=restricted,
            ground="disputed",
            words="The patient disputes the date of the first session.",
            at=moment,
        )
    for photo in Photo.objects.shown().select_related("taken_by", "patient")[:6]:
        if photo.taken_by is not None:
            with then(now - timedelta(days=1), photo.taken_by) as moment:
                share_photo(by=photo.taken_by, photo=photo, at=moment)


def _treated(place: int) -> list[Patient]:
    """Five patients of a location who have been treated, and who can be written to."""
    sessions = Session.objects.filter(location=place, signed_at__isnull=False)
    known = Patient.objects.in_use().filter(pk__in=sessions.values("patient_id"))
    return list(known.exclude(email="").order_by("-pk")[:5])
