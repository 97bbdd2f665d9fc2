"""What may be done to a consent: prepare it, sign it, countersign it, withdraw it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.access.permissions import Role
from clinic.audit.context import current
from clinic.errors import ActionRefused
from patients.documents.actions import request_document
from patients.documents.models import Document
from patients.intake.facts import latest_history
from treatments.consents.coverage import coverage
from treatments.consents.evidence import evidence_page
from treatments.consents.models import Consent
from treatments.consents.proof import evidence_of
from treatments.consents.text import TEMPLATE_VERSION, compose, supported
from treatments.plans.models import Plan
from treatments.plans.reading import screen_plan
from treatments.screening.actions import as_data

LONGEST_NAME = 200
LONGEST_REASON = 500


@transaction.atomic
def prepare_consent(*, by: Staff, plan: Plan, language: str, at: datetime | None = None) -> Consent:
    """The text for exactly this plan. The same text prepared twice is one consent.

    Time to think begins when the text can first be read, so preparing it again does not restart
    the clock.
    """
    at = at or timezone.now()
    locked = Plan.objects.select_for_update().get(pk=plan.pk)
    if locked.state != Plan.State.ACCEPTED:
        raise ActionRefused(_("Consent is asked for an accepted plan only."))
    if coverage(locked.patient, locked, at).is_covered:
        raise ActionRefused(_("This plan is covered by a signed consent already."))
    text = compose(locked, language)
    newest = Consent.objects.filter(plan=locked).order_by("-pk").first()
    if newest and newest.signed_at is None and newest.text_sha256 == text.sha256:
        return newest
    return Consent.objects.create(
        patient_id=locked.patient_id,
        plan=locked,
        language=supported(language),
        template_version=TEMPLATE_VERSION,
        html=text.html,
        text_sha256=text.sha256,
        substances=text.substances,
        techniques=text.techniques,
        areas=text.areas,
        statements=text.statements,
        ready_to_read_at=at,
        prepared_by=by,
    )


@transaction.atomic
def sign_consent(
    *,
    consent: Consent,
    statements: Collection[str],
    signed_name: str,
    method: str,
    signature_svg: str = "",
    strokes: Any = None,
    device: str = "",
    at: datetime | None = None,
    with_pdf: bool = True,
) -> Consent:
    """The patient agrees: every statement ticked, a name, a signature. Closes the row for good.

    Without `with_pdf` no document is asked for: for a consent brought over from elsewhere.
    """
    at = at or timezone.now()
    # The plan is locked before the consent everywhere, so that two signatures cannot cross.
    Plan.objects.select_for_update().get(pk=consent.plan_id)
    paper = Consent.objects.select_for_update().get(pk=consent.pk)
    _refuse_unsignable(paper, at)
    _refuse_incomplete(paper, statements, signed_name, method, signature_svg)
    paper.signed_at = at
    paper.signed_name = " ".join(signed_name.split())
    paper.method = method
    paper.signature_svg = signature_svg if method == Consent.Method.DRAWN else ""
    paper.signature_strokes = strokes if method == Consent.Method.DRAWN else None
    paper.signed_on_device = device[:20]
    history = latest_history(paper.patient)
    paper.screening = as_data(screen_plan(paper.plan, at))
    paper.history_version = history.version if history else None
    paper.save()
    if with_pdf:
        paper.document = _request_pdf(paper, by=_actor_name(paper.signed_name))
        paper.save(update_fields=["document"])
    return paper


@transaction.atomic
def countersign(*, by: Staff, consent: Consent, at: datetime | None = None) -> Consent:
    """The practitioner puts their name to it; a new PDF then carries both signatures."""
    paper = Consent.objects.select_for_update(of=("self",)).get(pk=consent.pk)
    if by.role != Role.PRACTITIONER:
        raise ActionRefused(_("Only a practitioner countersigns a consent."))
    if paper.signed_at is None:
        raise ActionRefused(_("The patient has not signed yet."))
    if paper.withdrawn_at is not None:
        raise ActionRefused(_("The patient has withdrawn this consent."))
    if paper.countersigned_at is not None:
        raise ActionRefused(_("This consent has already been countersigned."))
    paper.countersigned_at, paper.countersigned_by = at or timezone.now(), by
    paper.save(update_fields=["countersigned_at", "countersigned_by"])
    paper.document = _request_pdf(paper, by=by.name)
    paper.save(update_fields=["document"])
    return paper


@transaction.atomic
def withdraw(*, consent: Consent, reason: str = "", at: datetime | None = None) -> Consent:
    """The patient takes it back, at once and without having to give a reason."""
    paper = Consent.objects.select_for_update().get(pk=consent.pk)
    if paper.signed_at is None:
        raise ActionRefused(_("This consent was never signed, so there is nothing to withdraw."))
    if paper.withdrawn_at is not None:
        raise ActionRefused(_("This consent has already been withdrawn."))
    if len(reason) > LONGEST_REASON:
        raise ActionRefused(_("This reason is too long."), field="reason")
    paper.withdrawn_at, paper.withdrawal_reason = at or timezone.now(), reason.strip()
    paper.save(update_fields=["withdrawn_at", "withdrawal_reason"])
    return paper


def signable_from(consent: Consent) -> datetime:
    """The end of the time to think that the country asks for."""
    hours = consent.plan.location.country.cooling_off_hours
    return consent.ready_to_read_at + timedelta(hours=hours)


def _refuse_unsignable(paper: Consent, at: datetime) -> None:
    if paper.signed_at is not None:
        raise ActionRefused(_("This consent has already been signed."))
    if paper.plan.state != Plan.State.ACCEPTED:
        raise ActionRefused(_("This plan is no longer under way."))
    newer = Consent.objects.filter(plan_id=paper.plan_id, pk__gt=paper.pk).exists()
    if newer or paper.template_version != TEMPLATE_VERSION:
        raise ActionRefused(_("A newer text has been prepared. Please read and sign that one."))
    if at < signable_from(paper):
        until = signable_from(paper).astimezone(paper.plan.location.zone)
        text = _("There is a time to think first. This can be signed from %(time)s.")
        raise ActionRefused(text % {"time": date_format(until, "j F Y, H:i")})


def _refuse_incomplete(
    paper: Consent, statements: Collection[str], signed_name: str, method: str, svg: str
) -> None:
    if not {one["code"] for one in paper.statements} <= set(statements):
        raise ActionRefused(_("Please tick every statement."), field="statements")
    if not signed_name.strip():
        raise ActionRefused(_("Write the name of the person who signs."), field="signed_name")
    if len(signed_name) > LONGEST_NAME:
        raise ActionRefused(_("This name is too long."), field="signed_name")
    if method not in Consent.Method.values or (method == Consent.Method.DRAWN and not svg):
        raise ActionRefused(_("Sign in the box, or type your full name."), field="signature")


def _request_pdf(paper: Consent, *, by: str) -> Document:
    with translation.override(paper.language):
        words = (
            _("Consent, signed by both: %(title)s")
            if paper.countersigned_at
            else _("Consent: %(title)s")
        )
        title = words % {"title": paper.plan.title}
        html, evidence = evidence_page(paper), evidence_of(paper)
    return request_document(
        patient=paper.patient,
        kind=Document.Kind.CONSENT,
        title=title[:200],
        language=paper.language,
        html=html,
        by=by,
        evidence=evidence,
    )


def _actor_name(signer: str) -> str:
    """Who asked for the PDF: the signed-in person, or the patient on their own phone."""
    actor = current()
    return (actor.who if actor else "") or signer
