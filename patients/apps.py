"""This wing: who someone is, and what they said."""

from django.apps import AppConfig


class PatientsConfig(AppConfig):
    name = "patients"
