"""This wing: who someone is, and what they said."""

from importlib import import_module

from django.apps import AppConfig

from patients.registry.merge_parts import take_part


class PatientsConfig(AppConfig):
    name = "patients"

    def ready(self) -> None:
        """The history has its part in a merge: both files' allergies count from then on."""
        take_part(import_module("patients.intake.merging").PART)
