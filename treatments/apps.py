"""This wing: what is planned and done."""

from django.apps import AppConfig


class TreatmentsConfig(AppConfig):
    name = "treatments"
