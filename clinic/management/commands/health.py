"""`manage.py health`: what /health/ready says, for containers that serve no pages."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic.web.health import OK, states


class Command(BaseCommand):
    help = "Print the state of each part, or of the parts named; fails when one is not ok."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("parts", nargs="*", help="database, redis, worker, beat")

    def handle(self, *args: Any, **options: Any) -> None:
        known = states()
        unknown = sorted(set(options["parts"]) - set(known))
        if unknown:
            raise CommandError(f"There is no part {', '.join(unknown)}.")
        asked = {name: known[name] for name in options["parts"] or known}
        for name, state in asked.items():
            self.stdout.write(f"{name}: {state}")
        if any(state != OK for state in asked.values()):
            raise CommandError("not ready")
