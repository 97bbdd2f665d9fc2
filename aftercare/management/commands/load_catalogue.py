"""`manage.py load_catalogue`: bring the shipped catalogue and texts in; safe to run again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aftercare.sheets.loading import load_words
from clinic.audit.context import SYSTEM, acting
from treatments.catalogue.loading import CatalogueError, Report, load
from treatments.consents.loading import load_texts


class Command(BaseCommand):
    help = "Load the shipped catalogue and texts; what the clinic has edited is left as it is."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with acting(SYSTEM):
                report = load_words(load_texts(load()))
        except CatalogueError as error:
            raise CommandError(str(error)) from error
        if options["verbosity"]:
            self.say(report)

    def say(self, report: Report) -> None:
        """One line of counts, then what a manager should look at."""
        self.stdout.write(
            f"Catalogue: {len(report.created)} new, {len(report.updated)} updated, "
            f"{report.unchanged} unchanged."
        )
        for name in report.held_back:
            self.stdout.write(f"  {name}: the version in force stays; a newer one is on file.")
        for name in report.removed:
            self.stdout.write(f"  {name}: no longer shipped; kept.")
