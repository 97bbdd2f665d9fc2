"""`manage.py trace_lot LOT`: every session and patient a lot was given to, at all locations."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError, CommandParser

from aftercare.safety.exposures import Exposure, Kind, exposed, one_spelling, thing
from aftercare.safety.survey import files, in_order, survey
from clinic.audit.actions import record_read
from clinic.audit.context import SYSTEM, acting
from treatments.catalogue.models import Lot
from treatments.sessions.models import Session

UTC = ZoneInfo("UTC")


class Command(BaseCommand):
    help = "Print every session and patient that a lot was given to, at all locations."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lot", help="lot number as on the package")
        parser.add_argument("--product", default="", help="product code, if several share a number")

    def handle(self, *args: Any, **options: Any) -> None:
        same = Lot.objects.filter(number__iexact=options["lot"])
        if options["product"]:
            same = same.filter(product__code=options["product"])
        pairs = one_spelling(same.values_list("product__code", "number"))
        if not pairs:
            raise CommandError(f"No lot {options['lot']}.")
        with acting(SYSTEM):
            for pair in pairs:
                self._print(Exposure(Kind.LOT, pair))

    def _print(self, exposure: Exposure) -> None:
        sessions = exposed(exposure, None, UTC)
        rows = Session.objects.select_related("patient", "location", "practitioner")
        found = survey(sessions, rows, 0)
        record_read(what="trace_lot", patients=files(sessions), object_id=exposure.ident[:60])
        self.stdout.write(
            f"{thing(exposure)}: {found.sessions} sessions, {found.patients} patients"
        )
        for row in in_order(sessions, rows):
            at = row.started_at.astimezone(row.location.zone)
            who = row.patient
            state = "" if row.is_signed else "\tnot signed"
            self.stdout.write(
                f"{who.number}\t{who.name}\t{at:%Y-%m-%d %H:%M}\t{row.location.name}\t"
                f"{row.practitioner.name}\t{who.phone or who.email or 'no contact'}{state}"
            )
