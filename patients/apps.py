"""This wing: who someone is, and what they said."""

from importlib import import_module

from django.apps import AppConfig

from patients.registry.merge_parts import take_part


class PatientsConfig(AppConfig):
    name = "patients"

    def ready(self) -> None:
        """Two rooms have their part in a merge: both files' allergies count from then on, and what
        either refused to be written.
        """
        for room in ("intake", "messages"):
            take_part(import_module(f"patients.{room}.merging").PART)
