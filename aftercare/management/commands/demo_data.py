"""`manage.py demo_data`: a believable clinic, told through the actions that the pages use."""

from __future__ import annotations

import importlib
import time
from datetime import UTC, date, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from patients.registry.models import Patient

MOST_SCALES = 1_000


class Command(BaseCommand):
    help = "Fill an empty demo with two locations, their people, 300 patients and their care."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--scale", type=int, default=1, help="so many times 300 patients")
        parser.add_argument("--at", type=_day, help="the day that is today in the story")
        parser.add_argument("--seed", type=int, default=42)

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Demo data is made only where DEMO is set.")
        scale = options["scale"]
        if not 1 <= scale <= MOST_SCALES:
            raise CommandError(f"--scale is from 1 to {MOST_SCALES}.")
        self.quiet = not options["verbosity"]
        self.began = time.monotonic()
        there = Patient.objects.exists()
        if there and scale == 1:
            self.say("There are patients already; nothing was changed.")
            return
        try:
            # Needs the demo's own packages, which a production image does not hold.
            demo = importlib.import_module("aftercare.demo.making")
        except ModuleNotFoundError as missing:
            raise CommandError(f"The demo's packages are not installed: {missing.name}.") from None
        now = _noon_of(options["at"]) if options["at"] else timezone.now()
        demo.make(scale=scale, seed=options["seed"], now=now, add=there, say=self.say)

    def say(self, text: str) -> None:
        """One line with the seconds since the start."""
        if not self.quiet:
            self.stdout.write(f"  {time.monotonic() - self.began:6.1f} s  {text}")
            self.stdout.flush()


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _noon_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 11, 0, tzinfo=UTC)
