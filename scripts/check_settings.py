"""The clinic's settings with the migration linter added, which production does not install."""

from clinic.settings import *  # noqa: F403
from clinic.settings import INSTALLED_APPS as CLINIC_APPS

INSTALLED_APPS = [*CLINIC_APPS, "django_migration_linter"]
