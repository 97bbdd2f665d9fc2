"""A patient's link: secret, short-lived, proved by the birth date; only its hash is kept."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.records import Record
from patients.registry.models import OfPatientQuerySet, Patient


class LinkQuerySet(OfPatientQuerySet["Link"]):
    def usable(self, at: datetime) -> LinkQuerySet:
        """Neither expired, replaced nor locked after too many wrong birth dates."""
        return self.filter(
            expires_at__gt=at, revoked_at__isnull=True, wrong_answers__lt=Link.MOST_WRONG_ANSWERS
        )

    def with_door(self) -> LinkQuerySet:
        """`needs_passkey`: whether the patient lets nothing but a passkey open their pages."""
        chosen = PasskeyOnly.objects.in_force().filter(patient=models.OuterRef("patient"))
        return self.annotate(needs_passkey=models.Exists(chosen))


class Link(Record):
    """The way into a patient's own pages.

    `opens` limits it to some of them: names of URLs with spaces between, the first of them the page
    to come back to. Such a link is for a tablet of the clinic, and its proof was given there; one
    that `asks_birth_date` is for the patient's own phone. `only`: the one thing that it opens, as
    the first argument of these addresses has it.
    """

    MOST_WRONG_ANSWERS = 5

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="links")
    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    wrong_answers = models.PositiveSmallIntegerField(default=0)
    opened_at = models.DateTimeField(null=True, blank=True)
    opens = models.TextField(blank=True, default="", db_default="")
    only = models.CharField(max_length=40, blank=True, default="", db_default="")
    asks_birth_date = models.BooleanField(default=False, db_default=False)

    audit_patient = "patient_id"
    audit_exclude = ("token_hash",)
    merge_moves = models.Q(revoked_at__isnull=True)
    merge_returns = models.Q()
    objects = LinkQuerySet.as_manager()

    def __str__(self) -> str:
        return f"link {self.pk}"

    @property
    def pages(self) -> list[str]:
        """The names of the URLs it is limited to; none: it opens everything of the patient's."""
        return self.opens.split()

    @property
    def is_for_tablet(self) -> bool:
        """Whether it is for a device of the clinic, whose patient was proved by a person."""
        return bool(self.opens) and not self.asks_birth_date


class PasskeyQuerySet(OfPatientQuerySet["Passkey"]):
    def in_use(self) -> PasskeyQuerySet:
        """Those that open a door: neither taken away by the patient nor by the clinic."""
        return self.filter(removed_at__isnull=True)


class Passkey(Record):
    """A key in a patient's own device that opens their pages in place of a link.

    `credential` is the public half as WebAuthn has it; the other half never leaves the device.
    `sign_count` is the device's own counter of uses, 0 where it keeps none; one that goes back
    tells of a copy.
    """

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="passkeys")
    credential_id = models.BinaryField(unique=True, max_length=1023)
    credential = models.BinaryField()
    sign_count = models.PositiveBigIntegerField(default=0)
    name = models.CharField(_("name of the device"), max_length=60)
    last_used_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    audit_patient = "patient_id"
    audit_exclude = ("credential_id", "credential", "sign_count")
    merge_moves = models.Q(removed_at__isnull=True)
    objects = PasskeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("passkey")
        verbose_name_plural = _("passkeys")
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="passkey_has_name")
        ]

    def __str__(self) -> str:
        return f"passkey {self.pk}"


class PasskeyOnlyQuerySet(OfPatientQuerySet["PasskeyOnly"]):
    def in_force(self) -> PasskeyOnlyQuerySet:
        """Those that were not taken back."""
        return self.filter(ended_at__isnull=True)


class PasskeyOnly(Record):
    """The patient's word that nothing but a passkey of theirs opens their pages.

    Links go on coming, and their door asks for the passkey in place of the birth date. Taken back
    by the patient, or by `ended_by` at the clinic who has seen who they are: `identity` says how.
    """

    class Identity(models.TextChoices):
        PAPERS = "papers", _("in person, with an identity document")
        KNOWN = "known", _("in person, known to me by sight")
        CALLED = "called", _("I called them back on the number in the file, and asked")

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="passkeys_only")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    identity = models.CharField(
        _("how they were known"), max_length=6, choices=Identity, blank=True
    )

    audit_patient = "patient_id"
    merge_moves = models.Q(ended_at__isnull=True)
    objects = PasskeyOnlyQuerySet.as_manager()

    class Meta:
        verbose_name = _("choice of passkeys alone")
        verbose_name_plural = _("choices of passkeys alone")
        indexes = [
            models.Index(
                fields=["patient"],
                condition=models.Q(ended_at__isnull=True),
                name="passkey_only_in_force",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ended_by__isnull=True)
                | models.Q(ended_at__isnull=False) & ~models.Q(identity=""),
                name="passkey_only_reset_with_identity",
            )
        ]

    def __str__(self) -> str:
        return f"passkey only {self.pk}"


class LinkRequest(models.Model):
    """Somebody asks for a link anew: by an address, or with one that no longer works.

    The page writes it for every address alike and says the same; only the worker looks whose it is,
    and the row goes as soon as it has. So neither words nor waiting tell whether one is known.
    """

    contact = models.CharField(max_length=254, blank=True)
    token_hash = models.CharField(max_length=64, blank=True)
    asked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(contact="") ^ models.Q(token_hash=""),
                name="link_request_by_one_way",
            )
        ]

    def __str__(self) -> str:
        return f"link request {self.pk}"


class CodeQuerySet(OfPatientQuerySet["Code"]):
    def since(self, moment: datetime) -> CodeQuerySet:
        """Those asked for after a moment."""
        return self.filter(created_at__gt=moment)


class Code(Record):
    """Six digits that prove that a patient reads what is sent to them. Only their hash is kept.

    The digits are made when the message leaves; until then there is no hash and no end.
    """

    MOST_WRONG_ANSWERS = 5

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="codes")
    code_hash = models.CharField(max_length=64, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    wrong_answers = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True, blank=True)

    audit_patient = "patient_id"
    audit_exclude = ("code_hash",)
    objects = CodeQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["patient", "-created_at"], name="code_of_patient")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(code_hash="") | models.Q(expires_at__isnull=False),
                name="code_made_has_end",
            )
        ]

    def __str__(self) -> str:
        return f"code {self.pk}"
