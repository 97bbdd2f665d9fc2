"""What must be done to the database before the demo opens, in one process.

It runs as the owner of the tables. Starting Django once instead of three times saves seconds.
"""

import io
import os

import django
from django.core.management import call_command

from clinic.embedded.steps import step


def main() -> None:
    """Migrate, give the application's role its rights, load the catalogue."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    with step("Loading the application"):
        django.setup()
    with step("Migrating the database"):
        call_command("migrate", interactive=False, verbosity=0)
    with step("Giving the application its rights"):
        call_command("database_rights", stdout=io.StringIO())
    with step("Loading the catalogue"):
        call_command("load_catalogue", stdout=io.StringIO())


if __name__ == "__main__":
    main()
