"""What proves a signed consent, for its evidence page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.tongues import is_of_the_house, isolated
from patients.documents.evidence import Evidence, Signed
from treatments.consents.attending import Beside
from treatments.consents.models import Consent, ConsentWords

OWN_DEVICE = "own device"


def evidence_of(consent: Consent) -> Evidence:
    """Who signed what, when and how, in the language in force."""
    zone = consent.plan.location.zone
    bound = [(_("What ties the signature to this consent"), consent.binding)]
    ties = _("What ties the signature of %(name)s")
    bound += [(ties % {"name": one.name}, one.binding) for one in consent.attendants.all()]
    return Evidence(
        subject=f"{_('Consent')} {consent.pk}{_(':')} {isolated(consent.plan.title)}",
        text_sha256=consent.text_sha256,
        template_version=consent.version_label,
        signatures=[*_signatures(consent, zone)],
        readable_since=localtime(consent.ready_to_read_at, zone),
        facts=[*_facts(consent, zone)],
        hashes=bound if consent.binding else [],
    )


def _signatures(consent: Consent, zone: ZoneInfo) -> Iterator[Signed]:
    if consent.method != Consent.Method.PARENT:
        yield Signed(
            name=consent.signed_name,
            part=_("patient"),
            method=consent.get_method_display(),
            moment=localtime(consent.signed_at, zone),
            place=_place(consent, consent.signed_on_device),
            address=consent.signed_from or "",
            image=consent.signature_svg,
        )
    for one in consent.attendants.all():
        said = (one.get_role_display(), one.capacity, one.language)
        yield Signed(
            name=one.name,
            part=", ".join(part for part in said if part),
            method=one.get_method_display(),
            moment=localtime(one.signed_at or consent.signed_at, zone),
            place=_place(consent, one.signed_on_device or consent.signed_on_device),
            address=one.signed_from or "",
            image=one.signature_svg,
        )
    if consent.countersigned_at and consent.countersigned_by:
        yield Signed(
            name=consent.countersigned_by.name,
            part=_("practitioner"),
            method=_("signed in with their own account"),
            moment=localtime(consent.countersigned_at, zone),
            place=consent.plan.location.name,
            address=consent.countersigned_from or "",
            image=consent.countersignature_svg,
        )


def _facts(consent: Consent, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    """What went before the signature."""
    if consent.sent_at:
        yield _("Sent"), _clock(consent.sent_at, zone)
    if consent.read_at:
        device = _(consent.read_on_device) if consent.read_on_device else ""
        parts = (_clock(consent.read_at, zone), device)
        yield _("Opened by the patient"), ", ".join(part for part in parts if part)
    if hours := consent.cooling_off_hours:
        yield _("Time to think"), ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
    yield from _of_minor(consent)
    yield from _translation(consent)
    for role, said in consent.waived.items():
        name = _("Nobody waits any more for: %(who)s") % {"who": Beside(role).label}
        yield name, f"{said['reason']} ({said['by']})"


def _of_minor(consent: Consent) -> Iterator[tuple[str, str]]:
    """How the holder of parental authority was known, and why a minor did not sign."""
    if not consent.is_of_minor:
        return
    yield _("Under age"), _("A holder of parental authority signs beside the patient.")
    for one in consent.attendants.all():
        if one.role == Beside.GUARDIAN:
            yield _("How the holder of parental authority was known"), one.get_identity_display()
    if consent.identity_seen and consent.countersigned_by:
        by = f"{consent.get_identity_seen_display()}, {consent.countersigned_by.name}"
        yield _("Checked before the countersignature"), by
    if consent.unsigned_because:
        yield _("Why the patient did not sign"), consent.unsigned_because


def _translation(consent: Consent) -> Iterator[tuple[str, str]]:
    """Whose words stand around a text in a further language, and who approved them."""
    if is_of_the_house(consent.language):
        return
    row = ConsentWords.objects.current().filter(code=consent.language).first()
    if row is None or row.approved_by is None or row.approved_at is None:
        return
    said = _("version %(n)s, approved by %(name)s on %(day)s") % {
        "n": row.version,
        "name": isolated(row.approved_by.name),
        "day": isolated(f"{row.approved_at:%Y-%m-%d}"),
    }
    yield _("Translation"), said


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    return f"{date_format(localtime(moment, zone), 'j F Y, H:i')} ({zone.key})"


def _place(consent: Consent, device: str) -> str:
    """The kind of device, and the clinic unless it was the patient's own, wherever they were."""
    at = "" if device == OWN_DEVICE else consent.plan.location.name
    return ", ".join(one for one in (_(device) if device else "", at) if one)
