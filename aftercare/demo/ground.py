"""What stands before any patient comes: two locations, their rooms, people, devices and shelves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from random import Random
from typing import Any

from django.conf import settings

from aftercare.demo.shelves import fill_shelves
from aftercare.demo.times import shape_services
from clinic.access.models import Membership, Staff
from clinic.access.permissions import Role
from clinic.places.models import Device, Location, Room
from treatments.catalogue.models import (
    Anaesthetic,
    Area,
    Contraindication,
    Product,
    Substance,
    Technique,
)
from treatments.diary.models import Service


@dataclass
class Place:
    """A location with the people who see patients there, each in their own room."""

    location: Location
    rooms: list[Room]
    practitioners: list[Staff]
    desk: Staff
    devices: dict[str, Device]

    def room_of(self, practitioner: Staff) -> Room:
        """The room a practitioner works in."""
        return self.rooms[self.practitioners.index(practitioner) % len(self.rooms)]


@dataclass
class Ground:
    """Both places, the services, and the current catalogue by code."""

    places: list[Place]
    manager: Staff
    services: dict[str, Service]
    areas: dict[str, Area]
    techniques: dict[str, Technique]
    products: dict[str, Product]


def date_rules(opened: datetime) -> None:
    """The clinic has the rules of screening since it opened: no record of its past is older than
    those that it was made by.
    """
    for model in (Contraindication, Substance, Anaesthetic, Product):
        model._default_manager.filter(created_at__gt=opened).update(created_at=opened)


def lay_ground(random: Random, today: date) -> Ground:
    """Make all of it. The catalogue must have been loaded."""
    paris, london = _paris(), _london()
    manager = _staff("manager", "Maud Moreau", Role.MANAGER, paris, language="fr")
    ground = Ground(
        places=[
            _place(
                paris,
                ("Salle Seine", "Salle Loire", "Salle Rhône"),
                [
                    _staff("practitioner", "Dr Ada Rossi", Role.PRACTITIONER, paris, "RPPS 10101"),
                    _staff("", "Dr Étienne Vasseur", Role.PRACTITIONER, paris, "RPPS 10102"),
                    _staff("", "Dr Noor Haddad", Role.PRACTITIONER, paris, "RPPS 10103"),
                ],
                _staff("frontdesk", "Fleur Petit", Role.FRONT_DESK, paris, language="fr"),
                "P",
            ),
            _place(
                london,
                ("Thames", "Fleet", "Tyburn"),
                [
                    _staff("practitioner2", "Dr Paul Lee", Role.PRACTITIONER, london, "GMC 70101"),
                    _staff("", "Dr Siân Llewellyn", Role.PRACTITIONER, london, "GMC 70102"),
                ],
                _staff("frontdesk2", "Gwen Shaw", Role.FRONT_DESK, london),
                "L",
            ),
        ],
        manager=manager,
        **_catalogue(),
    )
    shape_services(ground.services)
    for place in ground.places:
        fill_shelves(place.location, place.practitioners[0], ground.products, random, today)
    return ground


def find_ground() -> Ground:
    """The ground that was laid before. Raises `Staff.DoesNotExist` where there is none."""
    manager = Staff.objects.get(email="manager@demo.clinic")
    desks = [Staff.objects.get(email=f"{name}@demo.clinic") for name in ("frontdesk", "frontdesk2")]
    return Ground(places=[_place_of(desk) for desk in desks], manager=manager, **_catalogue())


def _place_of(desk: Staff) -> Place:
    location = Location.objects.get(memberships__staff=desk)
    return Place(
        location=location,
        rooms=list(location.rooms.order_by("pk")),
        practitioners=list(Staff.objects.practising_at(location.pk).order_by("pk")),
        desk=desk,
        devices={device.kind: device for device in location.devices.all()},
    )


def _catalogue() -> dict[str, Any]:
    """The services, and the current rows of the catalogue by code."""
    products = Product.objects.current().prefetch_related("ingredients__substance")
    return {
        "services": _services(),
        "areas": {row.code: row for row in Area.objects.current()},
        "techniques": {row.code: row for row in Technique.objects.current()},
        "products": {row.code: row for row in products},
    }


def _paris() -> Location:
    return Location.objects.create(
        name="Clinique Rive Gauche",
        country_id="FR",
        timezone="Europe/Paris",
        language="fr",
        address="12 rue de l’Exemple\n75006 Paris",
        phone="+33 1 99 00 12 00",
        phone_out_of_hours="+33 6 39 98 12 00",
        email="rivegauche@demo.clinic",
        opens_at=time(9),
        closes_at=time(19),
    )


def _london() -> Location:
    return Location.objects.create(
        name="Harbour House",
        country_id="GB",
        timezone="Europe/London",
        language="en",
        address="7 Example Wharf\nLondon SE1",
        phone="+44 20 7946 0120",
        phone_out_of_hours="+44 7700 900120",
        email="harbour@demo.clinic",
        opens_at=time(9),
        closes_at=time(18),
    )


def _staff(
    sign_in: str,
    name: str,
    role: str,
    location: Location,
    registration: str = "",
    language: str = "en",
) -> Staff:
    """Someone who works here; without `sign_in` they have no password and cannot sign in."""
    # Of the ranges kept for fiction, as those of the patients.
    number = Staff.objects.count()
    french = location.country_id == "FR"
    phone = f"+3363998{number:04d}" if french else f"+447700900{number:03d}"
    address = sign_in or "".join(c for c in name.lower() if c.isascii() and c.isalpha())
    staff = Staff.objects.create_user(
        f"{address}@demo.clinic",
        settings.DEMO_PASSWORD if sign_in else None,
        name=name,
        role=role,
        registration_number=registration,
        language=language,
        phone=phone,
    )
    Membership.objects.create(staff=staff, location=location)
    return staff


def _place(
    location: Location, rooms: tuple[str, ...], practitioners: list[Staff], desk: Staff, mark: str
) -> Place:
    kinds = {
        "mesogun": ("Mesotec", "Injector U"),
        "needle-free": ("Dermaflux", "Poration 2"),
    }
    return Place(
        location=location,
        rooms=[Room.objects.create(location=location, name=name) for name in rooms],
        practitioners=practitioners,
        desk=desk,
        devices={
            kind: Device.objects.create(
                location=location,
                kind=kind,
                make=make,
                model=model,
                serial_number=f"{mark}-{kind.upper()}-{number:04d}",
            )
            for number, (kind, (make, model)) in enumerate(kinds.items(), start=417)
        },
    )


def _services() -> dict[str, Service]:
    """The three kinds, taken as they are where the clinic has them already."""
    wanted = {
        "consultation": ("Consultation", "Consultation", 30),
        "session": ("Treatment session", "Séance de traitement", 45),
        "review": ("Review", "Contrôle", 30),
    }
    found = {}
    for kind, (english, french, minutes) in wanted.items():
        known = Service.objects.filter(kind=kind, is_active=True).order_by("pk").first()
        found[kind] = known or Service.objects.create(
            kind=kind, name_en=english, name_fr=french, minutes=minutes
        )
    return found
