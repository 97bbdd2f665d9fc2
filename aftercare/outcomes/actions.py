"""Summing up a course as a document."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from aftercare.outcomes.courses import Course, course_of
from aftercare.outcomes.models import CourseSummary
from clinic.access.models import Staff
from clinic.errors import ActionRefused
from patients.documents.actions import request_document
from patients.documents.evidence import Evidence, Signed
from patients.documents.models import Document
from patients.registry.models import Patient
from treatments.plans.models import Plan
from treatments.scales.history import HEIGHT, MARGIN, WIDTH


@transaction.atomic
def summarise_course(*, by: Staff, patient: Patient, plan: Plan) -> CourseSummary:
    """A course as it stands, in the language in force: sessions, scales, events, check-ins.

    The same while one that was asked for is still on its way. Raises `ActionRefused` before the
    first session of the plan is signed.
    """
    locked = (
        Plan.objects.select_for_update(of=("self",))
        .select_related("location__country", "consultation", "protocol")
        .get(pk=plan.pk)
    )
    language = get_language() or "en"
    known = CourseSummary.objects.filter(
        plan=locked,
        document__language=language,
        document__state__in=[Document.State.QUEUED, Document.State.RENDERING],
    ).first()
    if known:
        return known
    course = course_of(patient, locked, None)
    if not course.sessions:
        raise ActionRefused(_("A course is summed up once one of its sessions is signed."))
    document = request_document(
        patient=patient,
        kind=Document.Kind.COURSE,
        title=(_("Course summary: %(title)s") % {"title": locked.title})[:200],
        language=language,
        html=_page(patient, course, by, language),
        by=by.name,
        evidence=_evidence(course, by),
    )
    return CourseSummary.objects.create(patient=patient, plan=locked, document=document, made_by=by)


def _page(patient: Patient, course: Course, by: Staff, language: str) -> str:
    place = course.plan.location
    return render_to_string(
        "pdf/course.html",
        {
            "language": language,
            "location": place,
            "patient": patient,
            "plan": course.plan,
            "course": course,
            "zone": place.zone,
            "printed_at": timezone.localtime(timezone=place.zone),
            "printed_by": by.name,
            "width": WIDTH,
            "height": HEIGHT,
            "floor": HEIGHT - MARGIN,
            "ceiling": MARGIN,
        },
    )


def _evidence(course: Course, by: Staff) -> Evidence:
    """Who signed each session that it sums up; nobody signs the summary."""
    return Evidence(
        subject=_("Course summary: %(title)s") % {"title": course.plan.title},
        signatures=_signatures(course),
        facts=[(_("Made by"), by.name)],
    )


def _signatures(course: Course) -> Sequence[Signed]:
    zone, place = course.plan.location.zone, course.plan.location.name
    return [
        Signed(
            name=one.signed_by.name,
            part=_("session %(number)s") % {"number": one.number},
            method=_("signed in with their own account"),
            moment=localtime(one.signed_at, zone),
            place=place,
        )
        for one in course.sessions
        if one.signed_by and one.signed_at
    ]
