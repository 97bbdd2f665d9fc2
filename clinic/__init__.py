"""The project package, and the ground floor."""

from clinic.celery import app as celery_app

__all__ = ["celery_app"]
