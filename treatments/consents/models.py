"""Consent: exactly what was read and signed, what it covers, and the texts it is made from."""

from __future__ import annotations

import hashlib

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.records import Record
from patients.documents.models import Document
from patients.registry.models import OfPatientQuerySet, Patient
from treatments.catalogue.models import CatalogueRow
from treatments.plans.models import Plan

NOTHING = Value([], models.JSONField())
NO_CHOICES = Value({}, models.JSONField())


class Sha256OfLines(models.Func):
    """SHA-256 in hex of texts, one on each line, as `sha256_of_lines` has it."""

    template = "encode(sha256(convert_to(%(expressions)s, 'UTF8')), 'hex')"
    arg_joiner = " || E'\\n' || "
    output_field = models.CharField()


def sha256_of_lines(*lines: object) -> str:
    """SHA-256 in hex of texts, one on each line."""
    return hashlib.sha256("\n".join(str(line) for line in lines).encode()).hexdigest()


def _as_text(field: str) -> Cast:
    return Cast(F(field), models.TextField())


class ConsentTemplate(CatalogueRow):
    """The words of a consent for one country (empty: everywhere) in one language.

    `texts`: {section: {"heading", "text"}}, `statements`: {code: sentence}, by the codes of
    `treatments.consents.wording`. `off_label` is said of each substance outside its licence.
    A version never changes: editing writes the next one, which is in force once it is approved.
    """

    country = models.CharField(_("country"), max_length=2, blank=True)
    language = models.CharField(_("language"), max_length=8)
    texts = models.JSONField(default=dict)
    statements = models.JSONField(default=dict)
    off_label = models.TextField()
    made_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")

    closed_when = "true"
    closed_except = ("is_current", "approved_by_id", "approved_at")

    @property
    def label(self) -> str:
        """What a document calls it: "FR-fr 3"."""
        return f"{self.country or 'INT'}-{self.language} {self.version}"


class ConsentWords(CatalogueRow):
    """What stands around a consent's own text in a further language; `code` is the language.

    `phrases`: {English: the same in this language}, of the paper's headings, the pages on which it
    is signed and what the catalogue puts in. A version never changes: editing writes the next one.
    It is in force once a clinician has approved it, a shipped one too.
    """

    phrases = models.JSONField(default=dict, blank=True, db_default={})
    made_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")

    closed_when = "true"
    closed_except = ("is_current", "approved_by_id", "approved_at")

    class Meta(CatalogueRow.Meta):
        verbose_name_plural = "consent words"


class Identity(models.TextChoices):
    """How it was checked who a holder of parental authority is."""

    DOCUMENT = "document", _("identity document seen at the clinic")
    KNOWN = "known", _("known to the clinic in person")
    LINK = "link", _("by the personal link and the patient’s date of birth")


class Consent(Record):
    """A consent for one plan. `html` is the text the patient read, `statements` what they ticked.

    `text_sha256` is the hash of both, see `treatments.consents.text.text_hash`.
    It covers the substance, technique and area codes frozen in it, and nothing else.
    `screening` keeps the verdicts on the plan at the moment of signing, by the rules of that day,
    and `history_version` the history that they read.
    The signature is `signature_svg` with its strokes, or `typed_name` alone. `binding` ties it to
    this row, this patient and this text: an image moved elsewhere does not fit there.

    `practitioner` treats, and is the only one who may countersign. `cooling_off_hours` are counted
    from `read_at`, when the patient first opened the text. `photo_choices`: {use: true or false}.
    Consents brought over from elsewhere have neither `template` nor `binding`.

    `is_of_minor`: the text was made for a patient under the age of majority, beside whom a holder
    of parental authority signs. A minor who does not sign has `unsigned_because`; the holder's
    name is then that of the signer. `identity_seen` is how the clinic itself checked that holder,
    where they signed on a phone.

    `awaits`: the roles of those who were there and sign after the patient. `waived`: of these
    whom nobody waits for any more, {role: {"reason", "by", "at"}}.
    """

    class Method(models.TextChoices):
        DRAWN = "drawn", _("drawn")
        TYPED = "typed", _("typed name")
        PARENT = "parent", _("by the holder of parental authority")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="consents")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="consents")
    language = models.CharField(max_length=8)
    template = models.ForeignKey(
        ConsentTemplate, models.PROTECT, null=True, blank=True, related_name="+"
    )
    template_version = models.CharField(max_length=20)
    html = models.TextField()
    text_sha256 = models.CharField(max_length=64)
    substances = ArrayField(models.SlugField(max_length=80), default=list)
    techniques = ArrayField(models.SlugField(max_length=80), default=list)
    areas = ArrayField(models.SlugField(max_length=80), default=list)
    statements = models.JSONField(default=list)
    practitioner = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    cooling_off_hours = models.PositiveSmallIntegerField(default=0, db_default=0)
    ready_to_read_at = models.DateTimeField()
    prepared_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    read_on_device = models.CharField(max_length=20, blank=True, default="", db_default="")
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_name = models.CharField(_("name of the signer"), max_length=200, blank=True)
    method = models.CharField(max_length=6, choices=Method, blank=True)
    signature_svg = models.TextField(blank=True)
    signature_strokes = models.JSONField(null=True, blank=True)
    signed_on_device = models.CharField(max_length=20, blank=True)
    signed_from = models.GenericIPAddressField(null=True, blank=True)
    photo_choices = models.JSONField(default=dict, blank=True, db_default=NO_CHOICES)
    binding = models.CharField(max_length=64, blank=True, default="", db_default="")
    is_of_minor = models.BooleanField(default=False, db_default=False)
    unsigned_because = models.CharField(max_length=300, blank=True, default="", db_default="")
    identity_seen = models.CharField(
        max_length=8, choices=Identity, blank=True, default="", db_default=""
    )
    awaits = models.JSONField(default=list, blank=True, db_default=NOTHING)
    waived = models.JSONField(default=dict, blank=True, db_default=NO_CHOICES)
    countersigned_at = models.DateTimeField(null=True, blank=True)
    countersigned_by = models.ForeignKey(
        Staff, models.PROTECT, null=True, blank=True, related_name="+"
    )
    countersignature_svg = models.TextField(blank=True, default="", db_default="")
    countersignature_strokes = models.JSONField(null=True, blank=True)
    countersigned_from = models.GenericIPAddressField(null=True, blank=True)
    document = models.OneToOneField(
        Document, models.PROTECT, null=True, blank=True, related_name="consent"
    )
    screening = models.JSONField(default=list, blank=True, db_default=NOTHING)
    history_version = models.PositiveIntegerField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawal_reason = models.CharField(max_length=500, blank=True)

    audit_patient = "patient_id"
    audit_exclude = (
        "html",
        "signature_svg",
        "signature_strokes",
        "countersignature_svg",
        "countersignature_strokes",
    )
    # A draft plan goes along, and with it what was prepared to be signed for it.
    merge_moves = models.Q(signed_at__isnull=True, plan__accepted_at__isnull=True)
    closed_when = "signed_at IS NOT NULL"
    care_at = "signed_at"
    closed_except = (
        "countersigned_at",
        "countersigned_by_id",
        "countersignature_svg",
        "countersignature_strokes",
        "countersigned_from",
        "document_id",
        "identity_seen",
        "waived",
        "withdrawn_at",
        "withdrawal_reason",
    )
    objects = OfPatientQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["patient", "-created_at"], name="consent_of_patient"),
            models.Index(
                fields=["patient"],
                name="consent_withdrawn",
                condition=Q(withdrawn_at__isnull=False),
            ),
            models.Index(
                fields=["practitioner", "signed_at"],
                name="consent_to_countersign",
                condition=Q(
                    signed_at__isnull=False,
                    countersigned_at__isnull=True,
                    withdrawn_at__isnull=True,
                ),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(signed_at__isnull=True)
                | (~models.Q(signed_name="") & ~models.Q(method="") & ~models.Q(text_sha256="")),
                name="consent_signed_is_complete",
            ),
            models.CheckConstraint(
                condition=~models.Q(method="drawn") | ~models.Q(signature_svg=""),
                name="consent_drawn_has_drawing",
            ),
            models.CheckConstraint(
                condition=Q(method="parent", is_of_minor=True) & ~Q(unsigned_because="")
                | ~Q(method="parent") & Q(unsigned_because=""),
                name="consent_unsigned_minor_has_reason",
                violation_error_message=_("Say why the patient does not sign themselves."),
            ),
            models.CheckConstraint(
                condition=~Q(identity_seen=Identity.LINK),
                name="consent_identity_seen_by_the_clinic",
            ),
            models.CheckConstraint(
                condition=Q(signed_at__isnull=True)
                | Q(template__isnull=True)
                | Q(
                    binding=Sha256OfLines(
                        _as_text("id"),
                        _as_text("patient_id"),
                        F("text_sha256"),
                        F("signed_name"),
                        F("signature_svg"),
                    )
                ),
                name="consent_signature_is_its_own",
                violation_error_message=_("This signature belongs to another consent."),
            ),
            models.CheckConstraint(
                condition=Q(signed_at__isnull=True)
                | Q(template__isnull=True)
                | Q(read_at__isnull=False, read_at__lte=F("signed_at")),
                name="consent_read_before_signed",
                violation_error_message=_("A consent is read before it is signed."),
            ),
            models.CheckConstraint(
                condition=Q(countersigned_at__isnull=True, countersigned_by__isnull=True)
                | Q(countersigned_at__isnull=False, countersigned_by__isnull=False)
                & (Q(practitioner__isnull=True) | Q(countersigned_by=F("practitioner"))),
                name="consent_countersigned_by_who_treats",
                violation_error_message=_("Only the treating practitioner countersigns."),
            ),
        ]

    def __str__(self) -> str:
        return f"consent {self.pk}"

    @property
    def own_binding(self) -> str:
        """What ties the signature to this row, this patient and this text."""
        return sha256_of_lines(
            self.pk, self.patient_id, self.text_sha256, self.signed_name, self.signature_svg
        )

    @property
    def missing_roles(self) -> list[str]:
        """Who was there and has not signed yet, nor been given up. One query."""
        there = {one.role for one in self.attendants.all()} | set(self.waived)
        return [role for role in self.awaits if role not in there]

    @property
    def is_over(self) -> bool:
        """Whether nobody can sign it any more."""
        return self.countersigned_at is not None or self.withdrawn_at is not None

    @property
    def version_label(self) -> str:
        """The version of its text, as a document says it."""
        return self.template.label if self.template else self.template_version


OF_CONSENT = "consent_id>treatments_consent.patient_id"
CONSENT_SIGNED = "consent_id>treatments_consent:signed_at IS NOT NULL"
CONSENT_OVER = (
    "consent_id>treatments_consent:countersigned_at IS NOT NULL OR withdrawn_at IS NOT NULL"
)


class ConsentQuestion(Record):
    """What the patient asked before signing, and what the practitioner answered."""

    consent = models.ForeignKey(Consent, models.PROTECT, related_name="questions")
    text = models.CharField(_("question"), max_length=1000)
    asked_at = models.DateTimeField()
    asked_on_device = models.CharField(max_length=20, blank=True)
    answer = models.CharField(_("answer"), max_length=2000, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")

    audit_patient = OF_CONSENT
    closed_when = "answered_at IS NOT NULL"
    closed_by = CONSENT_SIGNED

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(
                fields=["asked_at"],
                name="consent_question_open",
                condition=Q(answered_at__isnull=True),
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answered_by__isnull=True, answer="")
                | Q(answered_at__isnull=False, answered_by__isnull=False) & ~Q(answer=""),
                name="consent_answer_is_somebodys",
            ),
            models.CheckConstraint(condition=~Q(text=""), name="consent_question_asks"),
        ]

    def __str__(self) -> str:
        return f"question {self.pk} on consent {self.consent_id}"


class ConsentAttendant(Record):
    """Somebody who was there when the patient signed, with their own signature.

    `capacity`: who they are to the patient. `language`: into which an interpreter translated.
    `identity`: how a holder of parental authority was known. `statement`: what they say by
    signing, as they read it. They sign with the patient, or after: those whom the consent awaits.
    """

    class Role(models.TextChoices):
        GUARDIAN = "guardian", _("Holder of parental authority")
        INTERPRETER = "interpreter", _("Interpreter")
        WITNESS = "witness", _("Witness")

    consent = models.ForeignKey(Consent, models.PROTECT, related_name="attendants")
    role = models.CharField(max_length=11, choices=Role)
    name = models.CharField(_("name"), max_length=200)
    capacity = models.CharField(_("who they are"), max_length=120)
    language = models.CharField(_("language"), max_length=60, blank=True)
    method = models.CharField(
        max_length=6, choices=Consent.Method, default="drawn", db_default="drawn"
    )
    signature_svg = models.TextField(blank=True)
    signature_strokes = models.JSONField()
    binding = models.CharField(max_length=64)
    identity = models.CharField(
        max_length=8, choices=Identity, blank=True, default="", db_default=""
    )
    statement = models.CharField(max_length=500, blank=True, default="", db_default="")
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_on_device = models.CharField(max_length=20, blank=True, default="", db_default="")
    signed_from = models.GenericIPAddressField(null=True, blank=True)

    audit_patient = OF_CONSENT
    audit_exclude = ("signature_svg", "signature_strokes")
    closed_when = "true"
    closed_by = CONSENT_OVER

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["consent", "role"], name="consent_attendant_once"),
            models.CheckConstraint(
                condition=~Q(name="")
                & ~Q(capacity="")
                & (Q(method="drawn") & ~Q(signature_svg="") | Q(method="typed", signature_svg="")),
                name="consent_attendant_is_complete",
            ),
            models.CheckConstraint(
                condition=~Q(role="interpreter", language=""),
                name="consent_interpreter_has_language",
            ),
            models.CheckConstraint(
                condition=~Q(role="guardian", identity=""),
                name="consent_guardian_is_identified",
                violation_error_message=_("Say how their identity was checked."),
            ),
            models.CheckConstraint(
                condition=Q(
                    binding=Sha256OfLines(
                        _as_text("consent_id"), F("role"), F("name"), F("signature_svg")
                    )
                ),
                name="consent_attendant_is_its_own",
                violation_error_message=_("This signature belongs to another consent."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} of consent {self.consent_id}"

    @property
    def own_binding(self) -> str:
        """What ties the signature to its consent and its name."""
        return sha256_of_lines(self.consent_id, self.role, self.name, self.signature_svg)
