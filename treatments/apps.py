"""This wing: what is planned and done."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from clinic.places import stranding
from patients.intake import questions
from patients.photos import areas
from patients.registry.merge_parts import take_part
from treatments.diary.install import install_candidates


class TreatmentsConfig(AppConfig):
    name = "treatments"

    def ready(self) -> None:
        """Give the rooms below what they cannot know: intake its questions, which are catalogue
        rows, screening the skin type of the notes, photos the names of the areas, settings the
        appointments that a change would leave behind, the diary the gaps of a course and whom not
        to invite, the shelf what plans reserve, plans the adverse events of sessions, and a merge
        of two files what each room does about it.
        """
        post_migrate.connect(install_candidates, sender=self, dispatch_uid="candidates")
        questions.provide(import_module("treatments.screening.questions").asked)
        areas.provide(import_module("treatments.catalogue.area_names").area_names)
        skin = import_module("treatments.screening.skin")
        skin.provide(import_module("treatments.consultations.known").skin_type_of)
        stranding.provide(import_module("treatments.diary.fit").asking_first)
        hooks = import_module("treatments.diary.hooks")
        hooks.provide(import_module("treatments.courses.actions").ask_before_moving)
        hooks.leave_out(import_module("treatments.consents.states").still_withdrawn)
        reserved = import_module("treatments.stock.reserved")
        reserved.provide(import_module("treatments.plans.needs").needed_by_product)
        reports = import_module("treatments.plans.reports")
        reports.provide(import_module("treatments.sessions.reported").seen_in_sessions)
        for room in ("diary", "plans", "sessions", "waiting"):
            take_part(import_module(f"treatments.{room}.merging").PART)
