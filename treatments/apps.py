"""This wing: what is planned and done."""

from importlib import import_module

from django.apps import AppConfig

from patients.intake.questions import provide
from patients.registry.merge_parts import take_part


class TreatmentsConfig(AppConfig):
    name = "treatments"

    def ready(self) -> None:
        """Give intake its questions: they are catalogue rows, which the lower wing cannot know."""
        provide(import_module("treatments.screening.questions").asked)
        for room in ("diary", "plans", "sessions"):
            take_part(import_module(f"treatments.{room}.merging").PART)
