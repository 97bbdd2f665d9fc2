"""What proves a printed session, for its evidence page."""

from __future__ import annotations

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from patients.documents.evidence import Evidence, Signed
from patients.registry.models import Patient
from treatments.sessions.models import Session


def evidence_of(session: Session) -> Evidence:
    """Who signed the session and wrote each addendum, and the consent that covered it."""
    zone, place = session.location.zone, session.location.name
    how = _("signed in with their own account")
    signatures = [
        Signed(one.written_by.name, _("Addendum"), how, localtime(one.created_at, zone), place)
        for one in session.addenda.all()
    ]
    if session.signed_by:
        moment = localtime(session.signed_at, zone)
        signatures.insert(0, Signed(session.signed_by.name, _("practitioner"), how, moment, place))
    return Evidence(
        subject=f"{_('Session')} {session.number}{_(':')} {session.plan.title}",
        signatures=signatures,
        hashes=[(_("The text of the consent that covers it"), session.consent.text_sha256)],
    )


def evidence_of_record(patient: Patient, by: str) -> Evidence:
    """Who took the whole record out: nobody signs it, each of its parts was signed by itself."""
    return Evidence(
        subject=f"{_('Whole record')}{_(':')} {patient.number}",
        signatures=(),
        facts=[(_("Made by"), by)],
    )
