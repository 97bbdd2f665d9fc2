"""The ground floor: who works here, where, and what every room stands on."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from clinic.audit import context


class ClinicConfig(AppConfig):
    name = "clinic"

    def ready(self) -> None:
        from clinic.audit import refused  # noqa: PLC0415  (needs the models)

        connection_created.connect(context.install, dispatch_uid="audit-context")
        connection_created.connect(refused.install, dispatch_uid="audit-refused")
