"""What may be done to a consent: prepare, send, open, ask, answer, sign, countersign, withdraw."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.access.permissions import Permission, Role
from clinic.audit.context import current
from clinic.errors import ActionRefused
from clinic.tongues import is_of_the_house
from patients.documents.actions import request_document
from patients.documents.models import Document
from patients.intake.facts import latest_history
from patients.messages.actions import send_link
from patients.photos.allowing import choose_in_consent
from patients.photos.models import Use
from treatments.catalogue.models import CatalogueRow
from treatments.catalogue.versions import approve_and_use, held
from treatments.consents.ages import is_minor
from treatments.consents.attending import (
    Attendant,
    Beside,
    awaited,
    refuse_age,
    write_attendant,
)
from treatments.consents.coverage import coverage
from treatments.consents.evidence import evidence_page
from treatments.consents.in_force import TEMPLATE_VERSION, supported, text_for, texts_in_force
from treatments.consents.models import Consent, ConsentQuestion, ConsentTemplate, Identity
from treatments.consents.proof import evidence_of
from treatments.consents.text import compose
from treatments.consents.tongue import speaking
from treatments.consents.wording import Wording, completed, faults
from treatments.plans.models import Plan
from treatments.plans.reading import screen_plan
from treatments.screening.actions import as_data

LONGEST_NAME = 200
LONGEST_REASON = 500
LONGEST_UNSIGNED = 300
LONGEST_QUESTION = 1_000
LONGEST_ANSWER = 2_000
MOST_QUESTIONS = 30
TEXT_SOURCE = ["GK"]
"""A clinic's own words stand on its own responsibility."""


@transaction.atomic
def prepare_consent(
    *,
    by: Staff,
    plan: Plan,
    language: str,
    practitioner: Staff | None = None,
    at: datetime | None = None,
) -> Consent:
    """The text for exactly this plan. The same text prepared twice is one consent.

    `practitioner` treats, and alone can countersign; whoever made the plan unless said otherwise.
    The time to think is that of the location now; it begins when the patient opens the text, so
    preparing it again does not restart the clock.
    """
    at = at or timezone.now()
    locked = Plan.objects.select_for_update(of=("self",)).get(pk=plan.pk)
    if locked.state != Plan.State.ACCEPTED:
        raise ActionRefused(_("Consent is asked for an accepted plan only."))
    if coverage(locked.patient, locked, at).is_covered:
        raise ActionRefused(_("This plan is covered by a signed consent already."))
    treats = practitioner or locked.made_by
    if treats.role != Role.PRACTITIONER:
        raise ActionRefused(_("Only a practitioner treats."), field="practitioner")
    chosen = supported(language)
    template = text_for(locked.location.country_id, chosen)
    minor = is_minor(locked.patient, locked.location, at)
    text = compose(locked, chosen, wording_of(template), treats, minor=minor)
    newest = Consent.objects.filter(plan=locked).order_by("-pk").first()
    if newest and newest.signed_at is None and newest.text_sha256 == text.sha256:
        return newest
    return Consent.objects.create(
        patient_id=locked.patient_id,
        plan=locked,
        language=chosen,
        template=template,
        template_version=TEMPLATE_VERSION,
        html=text.html,
        text_sha256=text.sha256,
        substances=text.substances,
        techniques=text.techniques,
        areas=text.areas,
        statements=text.statements,
        is_of_minor=minor,
        practitioner=treats,
        cooling_off_hours=locked.location.hours_to_think,
        ready_to_read_at=at,
        prepared_by=by,
    )


@transaction.atomic
def send_consent(*, by: Staff, consent: Consent, at: datetime | None = None) -> Consent:
    """Send the patient the link behind which the text waits. When it first left is kept."""
    at = at or timezone.now()
    paper = _locked(consent)
    _refuse_past(paper)
    send_link(by=by, patient=paper.patient, at=at)
    if paper.sent_at is None:
        paper.sent_at = at
        paper.save(update_fields=["sent_at"])
    return paper


@transaction.atomic
def open_text(*, consent: Consent, device: str, at: datetime | None = None) -> Consent:
    """The patient opens the text; the time to think runs from the first time."""
    paper = _locked(consent)
    if paper.read_at is None and paper.signed_at is None:
        paper.read_at, paper.read_on_device = at or timezone.now(), device[:20]
        paper.save(update_fields=["read_at", "read_on_device"])
    return paper


@transaction.atomic
def ask_question(
    *, consent: Consent, text: str, device: str, at: datetime | None = None
) -> ConsentQuestion:
    """The patient asks before signing; they sign when it is answered."""
    paper = _locked(consent)
    _refuse_past(paper)
    asked = text.strip()
    if not asked:
        raise ActionRefused(_("Write your question."), field="text")
    if len(asked) > LONGEST_QUESTION:
        raise ActionRefused(_("This question is too long."), field="text")
    if paper.questions.count() >= MOST_QUESTIONS:
        raise ActionRefused(_("That is a lot of questions. Please call us."), field="text")
    return ConsentQuestion.objects.create(
        consent=paper, text=asked, asked_at=at or timezone.now(), asked_on_device=device[:20]
    )


@transaction.atomic
def answer_question(
    *, by: Staff, question: ConsentQuestion, answer: str, at: datetime | None = None
) -> ConsentQuestion:
    """A practitioner answers; the answer stands as it is given."""
    if not by.may(Permission.TAKE_CONSENT):
        raise ActionRefused(_("Only a practitioner answers."))
    asked = ConsentQuestion.objects.select_for_update().get(pk=question.pk)
    if asked.answered_at is not None:
        raise ActionRefused(_("This question has already been answered."))
    said = answer.strip()
    if not said:
        raise ActionRefused(_("Write the answer."), field="answer")
    if len(said) > LONGEST_ANSWER:
        raise ActionRefused(_("This answer is too long."), field="answer")
    asked.answer, asked.answered_at, asked.answered_by = said, at or timezone.now(), by
    asked.save(update_fields=["answer", "answered_at", "answered_by"])
    return asked


@transaction.atomic
def sign_consent(
    *,
    consent: Consent,
    statements: Collection[str],
    signed_name: str,
    method: str,
    photos: Mapping[str, bool],
    signature_svg: str = "",
    strokes: Any = None,
    attendants: Sequence[Attendant] = (),
    awaits: Collection[str] = (),
    unsigned_because: str = "",
    device: str = "",
    address: str | None = None,
    at: datetime | None = None,
    with_pdf: bool = True,
) -> Consent:
    """The patient agrees: every statement ticked, each use of photos chosen, a name, a signature.

    A minor signs beside a holder of parental authority, who is among the `attendants`; a minor who
    does not sign has a reason, and the holder signs for them. `awaits`: the roles of those who are
    there and sign after the patient. `address`: that of the network it was signed from.

    Closes the row for good. Without `with_pdf` no document is asked for: for a consent brought
    over from elsewhere.
    """
    at = at or timezone.now()
    # The plan is locked before the consent everywhere, so that two signatures cannot cross.
    Plan.objects.select_for_update().get(pk=consent.plan_id)
    paper = _locked(consent)
    _refuse_unsignable(paper, at)
    minor = is_minor(paper.patient, paper.plan.location, at)
    refuse_age(paper, minor=minor, attendants=attendants)
    _refuse_unsaid(paper, method, unsigned_because)
    signer = _signer(signed_name, method, attendants)
    _refuse_incomplete(paper, statements, signer, method, signature_svg)
    _refuse_unchosen(photos)
    for one in attendants:
        write_attendant(paper, one, device=device, address=address, at=at)
    paper.awaits = awaited(awaits, attendants)
    paper.unsigned_because = unsigned_because.strip()
    paper.signed_at = at
    paper.signed_name = " ".join(signer.split())
    paper.method = method
    paper.signature_svg = signature_svg if method == Consent.Method.DRAWN else ""
    paper.signature_strokes = strokes if method == Consent.Method.DRAWN else None
    paper.signed_on_device, paper.signed_from = device[:20], address
    paper.photo_choices = {use: bool(photos[use]) for use in Use.values}
    paper.binding = paper.own_binding
    history = latest_history(paper.patient)
    paper.screening = as_data(screen_plan(paper.plan, at))
    paper.history_version = history.version if history else None
    paper.save()
    day = timezone.localdate(at, paper.plan.location.zone)
    choose_in_consent(patient=paper.patient, choices=paper.photo_choices, said_on=day)
    if with_pdf:
        paper.document = _request_pdf(paper, by=_actor_name(paper.signed_name))
        paper.save(update_fields=["document"])
    return paper


@transaction.atomic
def sign_as_attendant(
    *,
    consent: Consent,
    attendant: Attendant,
    device: str = "",
    address: str | None = None,
    at: datetime | None = None,
) -> Consent:
    """An interpreter or a witness signs after the patient. A new PDF carries them too."""
    moment = at or timezone.now()
    paper = _locked(consent)
    if attendant.role not in paper.missing_roles:
        raise ActionRefused(_("Nobody waits for this signature."))
    if paper.is_over:
        raise ActionRefused(_("Nobody can sign this consent any more."))
    write_attendant(paper, attendant, device=device, address=address, at=moment)
    paper.document = _request_pdf(paper, by=_actor_name(attendant.name))
    paper.save(update_fields=["document"])
    return paper


@transaction.atomic
def waive_attendant(
    *, by: Staff, consent: Consent, role: str, reason: str, at: datetime | None = None
) -> Consent:
    """Nobody waits any more for one who was to sign; why stays with the consent."""
    if not by.may(Permission.TAKE_CONSENT):
        raise ActionRefused(_("Only a practitioner says that nobody waits any more."))
    paper = _locked(consent)
    if role not in paper.missing_roles or paper.is_over:
        raise ActionRefused(_("Nobody waits for this signature."))
    if not reason.strip():
        raise ActionRefused(_("Say why."), field="reason")
    if len(reason) > LONGEST_REASON:
        raise ActionRefused(_("This reason is too long."), field="reason")
    moment = at or timezone.now()
    said = {"reason": reason.strip(), "by": by.name, "at": moment.isoformat()}
    paper.waived = {**paper.waived, role: said}
    paper.save(update_fields=["waived"])
    return paper


@transaction.atomic
def countersign(
    *,
    by: Staff,
    consent: Consent,
    signature_svg: str = "",
    strokes: Any = None,
    identity_seen: str = "",
    address: str | None = None,
    at: datetime | None = None,
) -> Consent:
    """The treating practitioner's own signature, which nobody else can give, and the last of all.

    `identity_seen`: how the clinic checked a holder of parental authority who signed on a phone.
    A new PDF then carries all. Without a drawing the practitioner's name stands for it.
    """
    paper = _locked(consent)
    if by.role != Role.PRACTITIONER:
        raise ActionRefused(_("Only a practitioner countersigns a consent."))
    if paper.practitioner is not None and paper.practitioner != by:
        text = _("Only %(name)s can countersign this: the text names who treats.")
        raise ActionRefused(text % {"name": paper.practitioner.name})
    if paper.signed_at is None:
        raise ActionRefused(_("The patient has not signed yet."))
    if paper.withdrawn_at is not None:
        raise ActionRefused(_("The patient has withdrawn this consent."))
    if paper.countersigned_at is not None:
        raise ActionRefused(_("This consent has already been countersigned."))
    if paper.missing_roles:
        raise ActionRefused(_("Somebody who was there has not signed yet."))
    paper.identity_seen = _identity_seen(paper, identity_seen)
    paper.countersigned_at, paper.countersigned_by = at or timezone.now(), by
    paper.countersignature_svg, paper.countersignature_strokes = signature_svg, strokes
    paper.countersigned_from = address
    paper.document = _request_pdf(paper, by=by.name)
    paper.save()
    return paper


@transaction.atomic
def withdraw(*, consent: Consent, reason: str = "", at: datetime | None = None) -> Consent:
    """The patient takes it back, at once and without having to give a reason."""
    # The plan first, so that a withdrawal cannot cross a session's signature.
    Plan.objects.select_for_update().get(pk=consent.plan_id)
    paper = _locked(consent)
    if paper.signed_at is None:
        raise ActionRefused(_("This consent was never signed, so there is nothing to withdraw."))
    if paper.withdrawn_at is not None:
        raise ActionRefused(_("This consent has already been withdrawn."))
    if len(reason) > LONGEST_REASON:
        raise ActionRefused(_("This reason is too long."), field="reason")
    paper.withdrawn_at, paper.withdrawal_reason = at or timezone.now(), reason.strip()
    paper.save(update_fields=["withdrawn_at", "withdrawal_reason"])
    return paper


def signable_from(consent: Consent) -> datetime | None:
    """When it may be signed; None while the time to think has not begun, before it is opened."""
    if not consent.cooling_off_hours:
        return consent.read_at or consent.ready_to_read_at
    if consent.read_at is None:
        return None
    return consent.read_at + timedelta(hours=consent.cooling_off_hours)


def is_time_to_sign(consent: Consent, at: datetime) -> bool:
    """Whether the time to think is over."""
    start = signable_from(consent)
    return start is not None and start <= at


def open_questions(consent: Consent) -> list[ConsentQuestion]:
    """What was asked about this plan and is not answered yet, on whichever text of it."""
    asked = ConsentQuestion.objects.filter(consent__plan_id=consent.plan_id)
    return list(asked.filter(answered_at__isnull=True, consent__signed_at__isnull=True))


def _locked(consent: Consent) -> Consent:
    found: Consent = (
        Consent.objects.select_for_update(of=("self",))
        .select_related("plan__location__country", "patient", "practitioner", "template")
        .get(pk=consent.pk)
    )
    return found


def _refuse_past(paper: Consent) -> None:
    """What is signed, of a plan that has ended, or replaced by a newer text is past."""
    if paper.signed_at is not None:
        raise ActionRefused(_("This consent has already been signed."))
    if paper.plan.state != Plan.State.ACCEPTED:
        raise ActionRefused(_("This plan is no longer under way."))
    newer = Consent.objects.filter(plan_id=paper.plan_id, pk__gt=paper.pk).exists()
    if newer or texts_in_force().is_renewed(paper, paper.plan.location.country_id):
        raise ActionRefused(_("A newer text has been prepared. Please read and sign that one."))


def _refuse_unsignable(paper: Consent, at: datetime) -> None:
    _refuse_past(paper)
    if paper.read_at is None:
        raise ActionRefused(_("Please open the text and read it first."))
    start = signable_from(paper)
    if start is not None and at < start:
        until = start.astimezone(paper.plan.location.zone)
        text = _("There is a time to think first. This can be signed from %(time)s.")
        raise ActionRefused(text % {"time": date_format(until, "j F Y, H:i")})
    if open_questions(paper):
        raise ActionRefused(
            _("A question is not answered yet. Please wait for the practitioner’s answer.")
        )


def _refuse_incomplete(
    paper: Consent, statements: Collection[str], signed_name: str, method: str, svg: str
) -> None:
    if not paper.statements or not {one["code"] for one in paper.statements} <= set(statements):
        raise ActionRefused(_("Please tick every statement."), field="statements")
    if not signed_name.strip():
        raise ActionRefused(_("Write the name of the person who signs."), field="signed_name")
    if len(signed_name) > LONGEST_NAME:
        raise ActionRefused(_("This name is too long."), field="signed_name")
    if method not in Consent.Method.values or (method == Consent.Method.DRAWN and not svg):
        raise ActionRefused(_("Sign in the box, or type your full name."), field="signature")


def _signer(signed_name: str, method: str, attendants: Sequence[Attendant]) -> str:
    """Whose name stands for the signature: that of the holder, where a minor does not sign."""
    if method != Consent.Method.PARENT:
        return signed_name
    return next((one.name for one in attendants if one.role == Beside.GUARDIAN), "")


def _refuse_unsaid(paper: Consent, method: str, reason: str) -> None:
    """A minor signs, or it is said why not; nobody else may leave it to another."""
    is_left_out = method == Consent.Method.PARENT
    if is_left_out and not paper.is_of_minor:
        raise ActionRefused(_("Sign in the box, or type your full name."), field="signature")
    if is_left_out and not reason.strip():
        raise ActionRefused(
            _("The patient signs too, or you say why not."), field="unsigned_because"
        )
    if not is_left_out and reason.strip():
        raise ActionRefused(
            _("Either the patient signs, or you say why not."), field="unsigned_because"
        )
    if len(reason) > LONGEST_UNSIGNED:
        raise ActionRefused(_("This reason is too long."), field="unsigned_because")


def _identity_seen(paper: Consent, said: str) -> str:
    """How the clinic knows the holder of parental authority; empty where it was seen before."""
    holder = paper.attendants.filter(role=Beside.GUARDIAN, identity=Identity.LINK)
    if not holder.exists():
        return ""
    if said not in (Identity.DOCUMENT, Identity.KNOWN):
        raise ActionRefused(
            _("Say how you checked who holds parental authority."), field="identity_seen"
        )
    return said


def _refuse_unchosen(photos: Mapping[str, bool]) -> None:
    for use in Use.values:
        if use not in photos:
            raise ActionRefused(_("Please choose yes or no."), field=f"photo_{use}")


def _request_pdf(paper: Consent, *, by: str) -> Document:
    with speaking(paper.language):
        return request_document(
            patient=paper.patient,
            kind=Document.Kind.CONSENT,
            title=_title(paper)[:200],
            language=paper.language,
            html=evidence_page(paper),
            by=by,
            evidence=evidence_of(paper),
        )


def _title(paper: Consent) -> str:
    """What the lists of papers call it: in a language of the house, which the staff read too."""
    is_ours = is_of_the_house(paper.language)
    with translation.override(paper.language if is_ours else paper.patient.house_language):
        words = (
            _("Consent, signed by both: %(title)s")
            if paper.countersigned_at
            else _("Consent: %(title)s")
        )
        return words % {"title": paper.plan.title}


def _actor_name(signer: str) -> str:
    """Who asked for the PDF: the signed-in person, or the patient on their own phone."""
    actor = current()
    return (actor.who if actor else "") or signer


def wording_of(template: ConsentTemplate) -> Wording:
    """The words of a text, whole."""
    said = Wording(template.texts, template.statements, template.off_label)
    return completed(said, template.language)


@transaction.atomic
def write_text(
    *, by: Staff, country: str, language: str, wording: Wording, note: str = ""
) -> ConsentTemplate:
    """Write the next version of a text. It waits, and is used once somebody has approved it.

    Raises `ActionRefused` naming what cannot stand, and when nothing changes.
    """
    if not by.may(Permission.MANAGE_CLINIC):
        raise ActionRefused(_("Only a manager writes the texts of consents."))
    for name, said in faults(wording).items():
        raise ActionRefused(said, field=name)
    wording = completed(wording, language)
    code = text_code(country, language)
    versions = held(ConsentTemplate, code)
    if versions and wording_of(versions[-1]) == wording:
        raise ActionRefused(_("Nothing has changed."))
    pattern = versions[-1] if versions else text_for(country, language)
    return ConsentTemplate.objects.create(
        code=code,
        version=versions[-1].version + 1 if versions else 1,
        is_current=False,
        origin=CatalogueRow.Origin.CLINIC,
        name_en=pattern.name_en,
        name_fr=pattern.name_fr,
        source_refs=TEXT_SOURCE,
        source_note=note.strip(),
        country=country,
        language=language,
        texts=wording.texts,
        statements=wording.statements,
        off_label=wording.off_label,
        made_by=by,
    )


def approve_text(
    *, by: Staff, template: ConsentTemplate, at: datetime | None = None
) -> ConsentTemplate:
    """Take responsibility for a version and put it in force; an earlier one can come back so.

    What was signed with another version then asks to be signed anew at the next session.
    """
    return approve_and_use(by=by, row=template, at=at)


def text_code(country: str, language: str) -> str:
    """The code under which the versions of a text stand: "fr-fr", "int-en"."""
    return f"{country or 'int'}-{language}".lower()
