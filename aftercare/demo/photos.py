"""The photos of a few patients: before the first session, on the way, and lately."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from aftercare.demo import courses
from aftercare.demo.clock import then
from aftercare.demo.ground import Ground, Place
from aftercare.demo.pictures import TURNS, head, scalp
from clinic.access.models import Staff
from patients.photos.actions import add_photo
from patients.photos.allowing import give, is_allowed, standing, withdraw
from patients.photos.models import PhotoPermission, Use
from patients.registry.models import Patient
from treatments.sessions.models import Session

Shot = tuple[str, str, str]
FRONT: Shot = ("face", "none", "front")
TOP: Shot = ("scalp", "none", "top")


def take_photos(ground: Ground) -> int:
    """Three patients of the first location and one of the second; how many photos there are."""
    paris, london = ground.places
    faces = _treated(paris, courses.FACE.title)
    views: list[Shot] = [("face", "none", view) for view in TURNS]
    count = 0
    for number, (patient, days) in enumerate(faces[:2]):
        doctor = _ask(patient, days[0], paris, teaching=number == 0)
        shots = views if number == 0 else [FRONT]
        count += _series(patient, doctor, paris, [days[0], days[-1]], shots, _face)
        count += _series(patient, doctor, paris, days[1:-1][:1], [FRONT], _face)
    for patient, days in _treated(paris, courses.SCALP.title)[:1]:
        doctor = _ask(patient, days[0], paris, teaching=False)
        count += _series(patient, doctor, paris, days[:4], [TOP], _scalp)
    for patient, days in _treated(london, courses.FACE.title)[:1]:
        doctor = _ask(patient, days[0], london, teaching=True)
        count += _series(patient, doctor, london, [days[0], days[-1]], [FRONT], _face)
    return count


def _treated(place: Place, title: str) -> list[tuple[Patient, list[Session]]]:
    """Patients of a course by the number of their signed sessions, with these in order."""
    rows = Session.objects.filter(
        location=place.location, signed_at__isnull=False, plan__title=title
    )
    found: dict[Patient, list[Session]] = {}
    for session in rows.select_related("patient", "practitioner").order_by("started_at", "pk"):
        found.setdefault(session.patient, []).append(session)
    several = [(patient, days) for patient, days in found.items() if len(days) > 1]
    return sorted(several, key=lambda one: (-len(one[1]), one[0].pk))


def _ask(patient: Patient, first: Session, place: Place, *, teaching: bool) -> Staff:
    """What the patient allows, asked half an hour before the first session; who asked."""
    doctor: Staff = first.practitioner
    with then(first.started_at - timedelta(minutes=30), doctor) as moment:
        day = moment.astimezone(place.location.zone).date()
        how = PhotoPermission.How.SIGNED
        for use in (Use.RECORD, Use.TEACHING)[: 1 + teaching]:
            if not is_allowed(patient, use):
                give(by=doctor, patient=patient, use=use, said_on=day, how=how)
        if standing(patient)[Use.PUBLICITY] is None:
            withdraw(by=doctor, patient=patient, use=Use.PUBLICITY, said_on=day, how=how)
    return doctor


def _face(shot: Shot, better: float, seed: int) -> bytes:
    return head(shot[2], better, seed)


def _scalp(shot: Shot, better: float, seed: int) -> bytes:
    return scalp(better, seed)


def _series(
    patient: Patient,
    doctor: Staff,
    place: Place,
    sessions: list[Session],
    shots: list[Shot],
    draw: Callable[[Shot, float, int], bytes],
) -> int:
    """Every shot a quarter of an hour before each of the sessions."""
    for number, session in enumerate(sessions):
        better = number / max(1, len(sessions) - 1)
        with then(session.started_at - timedelta(minutes=15), doctor):
            for shot in shots:
                area, side, view = shot
                add_photo(
                    by=doctor,
                    patient=patient,
                    location=place.location,
                    sent=draw(shot, better, patient.pk * 10 + number),
                    area=area,
                    side=side,
                    view=view,
                    from_camera=True,
                )
    return len(sessions) * len(shots)
