"""This wing: who someone is, and what they said."""

from importlib import import_module

from django.apps import AppConfig

from patients.documents.pictures import provide
from patients.registry.merge_parts import take_part


class PatientsConfig(AppConfig):
    name = "patients"

    def ready(self) -> None:
        """Rooms have their part in a merge: from then on the allergies of both files count,
        and what either refused to be written or photographed for. A printed record finds its
        photos.
        """
        for room in ("intake", "messages", "photos", "rights"):
            take_part(import_module(f"patients.{room}.merging").PART)
        provide(import_module("patients.photos.printing").thumbnails)
