"""`manage.py verify_document FILE`: is this copy as the clinic made it?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic.rendering.checking import CheckingFailed
from patients.documents.checking import check_copy


class Command(BaseCommand):
    help = "Say whether a file is unchanged and sealed by this clinic. Exit code 1 if it is not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            checked = check_copy(options["file"].read_bytes())
        except (OSError, CheckingFailed) as error:
            raise CommandError(str(error)) from error
        made = f" Made at {checked.made_at.isoformat()}." if checked.made_at else ""
        if not checked.is_genuine:
            raise CommandError(f"{checked.verdict.label}.{made}")
        self.stdout.write(f"{checked.verdict.label}.{made}")
