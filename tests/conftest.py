"""One cast of people, real PostgreSQL and Redis, and factories without surprises."""

from __future__ import annotations

import base64
import gc
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from time import sleep
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.core.management import call_command
from django.core.signals import setting_changed
from django.db import OperationalError, connection
from django.test import Client, TransactionTestCase
from django.utils import translation
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from psycopg.errors import DeadlockDetected

from clinic.access.models import Membership, Staff
from clinic.access.permissions import Role
from clinic.audit.install import APPEND_ONLY
from clinic.management.commands.database_rights import grant_rights
from clinic.places.models import CountryProfile, Location, Room
from patients.registry.models import Patient, Registration
from treatments.catalogue.models import CatalogueRow, Ingredient, Source
from treatments.diary.models import Service

PASSWORD = "correct horse battery staple"
TEMPLATE, STATIC = os.environ.get("TEST_TEMPLATE"), os.environ.get("TEST_STATIC")
REFERENCE = {"django_migrations", "django_content_type", "clinic_countryprofile"}
CATALOGUE = {model._meta.db_table for model in (Source, Ingredient, *CatalogueRow.__subclasses__())}
"""Both kinds of tables are loaded once for the run; a transactional test leaves them alone."""


# How long an example takes says something of the machine, nothing of the product.
hypothesis_settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("house")

FIRST = {"path", "pages", "watch", "worker_kill", "matrix", "demo_data", "rendering"}
"""Modules of long tests, which begin first: at the end the other process would wait for them."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Otherwise in any order, as they come."""
    items.sort(key=lambda item: item.path.stem.removeprefix("test_") not in FIRST)
    # What is loaded by now stays: looking through it again and again took a twentieth of the run.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def is_reference(table: str) -> bool:
    """Whether a table holds what is loaded once for the whole run."""
    return table in REFERENCE or table in CATALOGUE


@pytest.fixture(scope="session", autouse=True)
def collected_static_files(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Static files under their hashed names, as in production: those that `scripts/run_tests.py`
    has collected, or in a folder of this run's own.
    """
    if STATIC:
        serve_static_files(STATIC)
    else:
        collect_static_files(str(tmp_path_factory.mktemp("static")))


def serve_static_files(folder: str) -> None:
    settings.STATIC_ROOT = folder
    hashed = "clinic.web.static_storage.HashedStorage"
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": hashed}}


def collect_static_files(folder: str) -> None:
    """Collect them there, and serve them from there."""
    serve_static_files(folder)
    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(autouse=True)
def language_put_back() -> Iterator[None]:
    """A request in French leaves its thread in French; the next test begins in English."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session", autouse=True)
def cache_of_its_own() -> None:
    """Another Redis database for each process of a parallel run, since tests empty the cache."""
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    server, _, number = settings.REDIS_URL.partition("?db=")
    location = f"{server}?db={int(number or 0) + process}"
    caches = {"default": settings.CACHES["default"] | {"LOCATION": location}}
    settings.CACHES = caches
    # The check before a migration may have opened the cache already: its handler starts anew.
    setting_changed.send(sender=None, setting="CACHES", value=caches, enter=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Copied from the database that `scripts/run_tests.py` makes ready, as soon as it is."""
    if TEMPLATE:
        wait_for_database(TEMPLATE)
    settings.DATABASES["default"].setdefault("TEST", {})["TEMPLATE"] = TEMPLATE


def wait_for_database(name: str) -> None:
    """Until it has been filled and been given this name; two minutes at most."""
    address = urlsplit(os.environ["DATABASE_URL"])._replace(path="/postgres")
    with psycopg.connect(urlunsplit(address), autocommit=True) as server:
        for _half_second in range(240):
            if server.execute("SELECT FROM pg_database WHERE datname = %s", [name]).rowcount:
                return
            sleep(0.5)
    pytest.exit(f"The database {name} was not made; why stands above.", returncode=1)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """The test database as a fresh installation has it: migrated, rights given, filled."""
    if TEMPLATE:
        return
    with django_db_blocker.unblock():
        grant_rights()
        call_command("load_catalogue", verbosity=0)


IDENTITIES = """
    SELECT format('ALTER TABLE %%I ALTER COLUMN %%I RESTART', table_name, column_name)
    FROM information_schema.columns
    WHERE is_identity = 'YES' AND table_schema = 'public' AND table_name = ANY(%s)
"""


def empty_tables(self: TransactionTestCase) -> None:
    """Empty what a committed test wrote; the audit trail refuses that, so triggers pause.

    By DELETE: TRUNCATE would take the catalogue along, whose approvers are staff. Once more where a
    request that a closed browser left behind stood in the way.
    """
    with connection.cursor() as cursor:
        tables = [t for t in connection.introspection.table_names(cursor) if not is_reference(t)]
        # The trail counts on: such a request may still write to it.
        cursor.execute(IDENTITIES, [[t for t in tables if t not in APPEND_ONLY]])
        restarts = [statement for (statement,) in cursor.fetchall()]
        emptying = "; ".join([*(f'DELETE FROM "{table}"' for table in tables), *restarts])
        cursor.execute("SET session_replication_role = replica")
        try:
            cursor.execute(emptying)
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected):
                raise
            cursor.execute(emptying)
        cursor.execute("SET session_replication_role = origin")


TransactionTestCase._fixture_teardown = empty_tables  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def fresh_surroundings(settings: Any, tmp_path: Path) -> None:
    """Files in a folder of the test's own, and an empty cache (rate limits live there)."""
    key = tmp_path / "media.key"
    key.write_text(base64.b64encode(os.urandom(32)).decode())
    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.MEDIA_KEY_FILE = str(key)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()


def make_location(name: str, zone: str = "Europe/Paris", country: str = "FR") -> Location:
    CountryProfile.objects.get_or_create(
        code=country, defaults={"name": country, "emergency_number": "112", "source": "test"}
    )
    place = Location.objects.create(
        name=name,
        country_id=country,
        timezone=zone,
        address="1 rue de l’Essai",
        phone="+33 1 23 45 67 89",
        phone_out_of_hours="+33 1 98 76 54 32",
        email="clinic@example.org",
        opens_at=time(8),
        closes_at=time(20),
    )
    Room.objects.bulk_create(Room(location=place, name=f"{name} {n}") for n in (1, 2))
    return place


def make_staff(name: str, role: str, *places: Location) -> Staff:
    return hire([(name, role, places)])[0]


def hire(people: Sequence[tuple[str, str, Sequence[Location]]]) -> list[Staff]:
    """Staff by name, role and locations, all at once: nearly every test begins with them."""
    everyone = [
        Staff(
            email=f"{name.lower().replace(' ', '.')}@example.org",
            password=make_password(PASSWORD),
            name=name,
            role=role,
            registration_number="RPPS 1" if role == Role.PRACTITIONER else "",
        )
        for name, role, _places in people
    ]
    Staff.objects.bulk_create(everyone)
    Membership.objects.bulk_create(
        Membership(staff=staff, location=place)
        for staff, (_name, _role, places) in zip(everyone, people, strict=True)
        for place in places
    )
    return everyone


def make_patient(
    place: Location, given: str = "Élodie", family: str = "Martin", **fields: Any
) -> Patient:
    fields.setdefault("birth_date", date(1985, 3, 15))
    patient = Patient.objects.create(given_name=given, family_name=family, **fields)
    Registration.objects.create(patient=patient, location=place)
    return patient


@dataclass
class Cast:
    """Two locations with their people; one patient each."""

    here: Location
    there: Location
    practitioner: Staff
    colleague: Staff
    front_desk: Staff
    manager: Staff
    practitioner2: Staff
    front_desk2: Staff
    patient: Patient
    stranger: Patient
    consultation: Service
    treatment: Service

    @property
    def room(self) -> Room:
        return self.here.rooms.first()


@pytest.fixture
def cast(db: None) -> Cast:
    here, there = make_location("Rive Gauche"), make_location("Harbour", "Europe/London", "GB")
    ada, noor, fleur, max_, paul, gwen = hire(
        [
            ("Ada Rossi", Role.PRACTITIONER, [here]),
            ("Noor Haddad", Role.PRACTITIONER, [here]),
            ("Fleur Petit", Role.FRONT_DESK, [here]),
            ("Max Moreau", Role.MANAGER, [here]),
            ("Paul Lee", Role.PRACTITIONER, [there]),
            ("Gwen Shaw", Role.FRONT_DESK, [there]),
        ]
    )
    return Cast(
        here=here,
        there=there,
        practitioner=ada,
        colleague=noor,
        front_desk=fleur,
        manager=max_,
        practitioner2=paul,
        front_desk2=gwen,
        patient=make_patient(here, email="elodie@example.org", phone="+33612345678"),
        stranger=make_patient(there, "Siân", "O’Keefe", email="sian@example.org"),
        consultation=Service.objects.create(
            kind="consultation", name_en="Consultation", name_fr="Consultation", minutes=30
        ),
        treatment=Service.objects.create(
            kind="session", name_en="Treatment session", name_fr="Séance", minutes=45
        ),
    )


@pytest.fixture
def client_for() -> Callable[[Staff], Client]:
    """A browser signed in as someone."""

    def signed_in(staff: Staff) -> Client:
        client = Client()
        client.force_login(staff, backend="clinic.access.backend.StaffBackend")
        return client

    return signed_in
