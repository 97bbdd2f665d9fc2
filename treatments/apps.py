"""This wing: what is planned and done."""

from importlib import import_module

from django.apps import AppConfig

from patients.intake.questions import provide


class TreatmentsConfig(AppConfig):
    name = "treatments"

    def ready(self) -> None:
        """Give the rooms below what they cannot know: intake its questions, which are catalogue
        rows, and the diary the gaps of a course.
        """
        provide(import_module("treatments.screening.questions").asked)
        hooks = import_module("treatments.diary.hooks")
        hooks.provide(import_module("treatments.courses.actions").ask_before_moving)
