"""Accepting a plan, and what that makes at once: the consent, and how it is asked for."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from treatments.consents.actions import prepare_consent, send_consent
from treatments.consents.models import Consent
from treatments.plans.actions import accept_plan
from treatments.plans.models import Plan


class Asking(TextChoices):
    """How the patient comes to the consent."""

    LINK = "link", _("By a link to the patient’s own phone or e-mail")
    TABLET = "tablet", _("Here, on the clinic’s tablet")
    LATER = "later", _("Later")


@transaction.atomic
def accept_and_ask(
    *,
    by: Staff,
    plan: Plan,
    asking: str,
    language: str,
    revision: int | None = None,
    at: datetime | None = None,
) -> Consent | None:
    """Accept a plan, prepare its consent and ask for it; all of it or nothing.

    The plan's row is locked first, so of two presses one accepts and asks, and the other is
    refused: no second consent, no second link.
    """
    moment = at or timezone.now()
    accepted = accept_plan(by=by, plan=plan, revision=revision, at=moment)
    if asking == Asking.LATER:
        return None
    consent = prepare_consent(by=by, plan=accepted, language=language, at=moment)
    if asking == Asking.LINK:
        return send_consent(by=by, consent=consent, at=moment)
    return consent
