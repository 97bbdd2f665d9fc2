"""`manage.py verify_audit`: is the audit trail as it was written?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic.audit.verify import GRACE, verify_chain


class Command(BaseCommand):
    help = "Recompute the chain of the audit trail and name every fault. Exit code 1 for any."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--grace", default=GRACE, help="how old an entry may be and not yet be sealed"
        )
        parser.add_argument(
            "--head", default="", help="a hash noted earlier, which the chain must still contain"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        verdict = verify_chain(grace=options["grace"], known_head=options["head"])
        for fault in verdict.faults:
            self.stderr.write(fault)
        if verdict.faults:
            raise CommandError(f"{len(verdict.faults)} faults in the audit trail.")
        self.stdout.write(
            f"{verdict.entries} entries under {verdict.seals} seals, all intact. "
            f"Head: {verdict.head}"
        )
