"""`3 of 6` for the appointments of a list: a constant number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from django.db.models import Q

from clinic.access.models import Staff
from treatments.courses.standing import courses_of
from treatments.diary.models import Appointment
from treatments.plans.models import Plan


class Mark(TypedDict):
    """What a list shows at an appointment: an icon of the sprite, its tone, a word, more to read.

    The tone is `wait` outside its gap, or past the plan's last.
    """

    icon: str
    tone: str
    word: str
    title: str


def marks_of(user: Staff, appointment_ids: Sequence[int]) -> dict[str, Mark]:
    """By the appointment's id as text, of the patients that this person may see."""
    mine = Appointment.objects.visible_to(user).filter(pk__in=appointment_ids)
    live = set(mine.live().values_list("pk", flat=True))
    plans = Plan.objects.filter(
        Q(visits__appointment__in=live) | Q(sessions__appointment__in=live)
    ).distinct()
    return {
        str(step.appointment_id): Mark(
            icon="list-check",
            tone="info" if step.is_allowed and step.number <= course.total else "wait",
            word=course.words(step),
            title=course.title(step),
        )
        for course in courses_of(plans).values()
        for step in course.steps
        if step.appointment_id in live
    }
