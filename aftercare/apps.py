"""This wing: what happens next."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from clinic.audit.install import install_triggers
from patients.registry.install import install_merge_guard
from patients.rights.install import install_retention


class AftercareConfig(AppConfig):
    name = "aftercare"

    def ready(self) -> None:
        # The last wing's tables are there when every other wing's are: one installation serves all.
        post_migrate.connect(install_triggers, sender=self, dispatch_uid="audit-triggers")
        post_migrate.connect(install_merge_guard, sender=self, dispatch_uid="merge-guard")
        post_migrate.connect(install_retention, sender=self, dispatch_uid="retention")
        reports = import_module("treatments.plans.reports")
        reports.provide(import_module("aftercare.watch.reported").red_in_check_ins)
        giving = import_module("aftercare.story.giving")
        import_module("patients.rights.providing").provide(giving.write_record)
