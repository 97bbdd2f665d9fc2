"""A photo of a patient, and what each patient allows photos to be used for."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.records import Record
from patients.photos.standards import Side, View
from patients.registry.models import OfPatientQuerySet, Patient, Registration

SIZES = ("full", "screen", "thumb")


class Use(models.TextChoices):
    """What a photo is used for; each is allowed or not by itself."""

    RECORD = "record", _("In the medical record")
    TEACHING = "teaching", _("For teaching, without the name")
    PUBLICITY = "publicity", _("For publicity")


class PhotoPermissionQuerySet(OfPatientQuerySet["PhotoPermission"]):
    def in_force(self, patient: Patient) -> PhotoPermissionQuerySet:
        """The last word on each use, on the file that counts; at most one row for each use."""
        spoken = self.filter(patient=patient.kept.pk, voided_at__isnull=True)
        return spoken.order_by("use", "-pk").distinct("use")


class PhotoPermission(Record):
    """The patient allows one use of their photos, or takes it back. The last row of a use counts.

    Rows are never changed; `voided_at` is set only on what a merge wrote, when it is undone.
    """

    class How(models.TextChoices):
        SPOKEN = "spoken", _("said here")
        SIGNED = "signed", _("signed on paper")
        PHONE = "phone", _("by telephone")
        WRITTEN = "written", _("by letter or e-mail")
        LINK = "link", _("by the patient, on their own page")
        CONSENT = "consent", _("in a signed consent")
        MERGE = "merge", _("from another file of the same person")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="photo_permissions")
    use = models.CharField(_("use"), max_length=10, choices=Use)
    is_given = models.BooleanField(_("given"))
    said_on = models.DateField(_("day on which the patient said so"))
    how = models.CharField(_("how"), max_length=8, choices=How)
    note = models.CharField(_("note"), max_length=300, blank=True)
    recorded_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    voided_at = models.DateTimeField(null=True, blank=True)

    audit_patient = "patient_id"
    closed_when = "true"
    closed_except = ("voided_at",)
    objects = PhotoPermissionQuerySet.as_manager()

    class Meta:
        verbose_name = _("permission for photos")
        verbose_name_plural = _("permissions for photos")
        indexes = [models.Index(fields=["patient", "use", "-id"], name="photo_permission_last")]
        constraints = [
            models.CheckConstraint(
                condition=Q(use__in=Use.values), name="photo_permission_use_known"
            ),
            models.CheckConstraint(
                condition=Q(recorded_by__isnull=False) | Q(how__in=["link", "consent"]),
                name="photo_permission_says_who",
                violation_error_message=_("Only a patient's own page records without a person."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.use} of {self.patient_id}: {self.is_given}"


def _last_word(use: str) -> Subquery:
    """Whether a photo's patient allows a use, by the file that counts; null for never asked."""
    spoken = PhotoPermission.objects.filter(
        patient=OuterRef("of_file"), use=use, voided_at__isnull=True
    )
    return Subquery(spoken.order_by("-pk").values("is_given")[:1])


class PhotoQuerySet(OfPatientQuerySet["Photo"]):
    def visible_to(self, user: Staff) -> Self:
        """Of the patients a staff member may see; an earlier file's also by the one that counts."""
        known = Registration.objects.filter(
            Q(patient=OuterRef("patient_id")) | Q(patient=OuterRef("patient__merged_into_id")),
            location__in=user.place_ids,
        )
        return self.filter(Exists(known))

    def of_file(self, number: int) -> Self:
        """Of a patient's file, and of the earlier files that were merged into it."""
        # By the few files first: an OR across the join would read every photo there is.
        files = Patient.objects.filter(Q(pk=number) | Q(merged_into=number))
        return self.filter(patient__in=files.values("pk"))

    def kept(self) -> Self:
        """Stored whole and not removed."""
        return self.filter(stored_at__isnull=False, removed_at__isnull=True)

    def removed(self) -> Self:
        """Once stored, and taken out of sight since; the last one first."""
        gone = self.filter(stored_at__isnull=False, removed_at__isnull=False)
        return gone.order_by("-removed_at", "-pk")

    def allowed_for(self, use: str) -> Self:
        """Those whose patient allows this use, as of now."""
        filed = self.annotate(of_file=Coalesce("patient__merged_into_id", "patient_id"))
        return filed.annotate(allowed=_last_word(use)).filter(allowed=True)

    def shared(self) -> Self:
        """What the patient sees on their own page: shown, and shared with them."""
        shares = PhotoShare.objects.filter(photo=OuterRef("pk")).in_force()
        return self.shown().filter(Exists(shares))

    def shown(self) -> Self:
        """What the record may show: kept, and allowed for the record."""
        return self.kept().allowed_for(Use.RECORD)

    def of_series(self, area: str, side: str, view: str) -> Self:
        """The comparable ones: the same view of the same area and side."""
        return self.filter(area=area, side=side, view=view)

    def newest_first(self) -> Self:
        """By the time they were taken."""
        return self.order_by("-taken_at", "-pk")

    def before(self, taken_at: datetime, pk: int) -> Self:
        """Those that follow a row in `newest_first`."""
        return self.filter(Q(taken_at__lt=taken_at) | Q(taken_at=taken_at, pk__lt=pk))

    def latest_of_series(self) -> Self:
        """The newest photo of every series."""
        return self.order_by("area", "side", "view", "-taken_at", "-pk").distinct(
            "area", "side", "view"
        )

    def to_erase(self, at: datetime) -> Self:
        """Removed ones whose time to be put back is over, and uploads that were cut off."""
        return self.filter(erase_at__lte=at, erased_at__isnull=True).order_by("erase_at", "pk")


class PhotoShareQuerySet(OfPatientQuerySet["PhotoShare"]):
    def in_force(self) -> PhotoShareQuerySet:
        """Those that the patient sees now."""
        return self.filter(ended_at__isnull=True)


class Photo(Record):
    """A photo taken of a patient: what it shows, and where its three pictures are stored.

    `file_name` is a random name; each picture is stored encrypted under it, see `stored_name`.
    The row comes first: until `stored_at` is set it is an upload under way, and `erase_at` is when
    it counts as cut off. A removed photo stays as a fact; its pictures are erased at `erase_at`.
    Rooms above point to a photo by foreign key. `public_id` is proposed by the page that sends it,
    so that the same photo sent twice is kept once. Without `taken_by`, the patient sent it.
    """

    class DatedBy(models.TextChoices):
        NOW = "now", _("taken with this page")
        CAMERA = "camera", _("by the camera’s clock")
        PERSON = "person", _("typed in")
        ARRIVAL = "arrival", _("day it was added")

    class Reason(models.TextChoices):
        WRONG_PATIENT = "wrong-patient", _("It shows somebody else")
        ASKED = "asked", _("The patient asked for it")
        UNUSABLE = "unusable", _("Blurred or not usable")
        TWICE = "twice", _("It is here twice")
        OTHER = "other", _("Another reason")
        CUT_OFF = "cut-off", _("The upload was cut off")

    words: str = ""
    """What it shows, for people to read; `Names.name` fills it in for a page."""

    AT_ONCE = (Reason.WRONG_PATIENT, Reason.ASKED)
    """Reasons for which the pictures are erased without a time to think again."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="photos")
    location = models.ForeignKey("clinic.Location", models.PROTECT, related_name="+")
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    area = models.SlugField(_("area"), max_length=80)
    side = models.CharField(_("side"), max_length=5, choices=Side, default=Side.NONE)
    view = models.CharField(_("view"), max_length=16, choices=View)
    taken_at = models.DateTimeField(_("taken"))
    dated_by = models.CharField(max_length=8, choices=DatedBy)
    taken_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    file_name = models.CharField(max_length=60, unique=True, editable=False)
    sha256 = models.CharField(max_length=64, blank=True)
    stored_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)
    removed_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    removal_reason = models.CharField(_("reason"), max_length=16, choices=Reason, blank=True)
    removal_note = models.CharField(_("note"), max_length=300, blank=True)
    erase_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    audit_patient = "patient_id"
    audit_exclude = ("file_name",)
    # The day it was taken may be corrected; that it came then may not.
    care_at = "CASE WHEN stored_at IS NOT NULL THEN greatest(taken_at, stored_at) END"
    # What it shows may be corrected, with a trace; the picture and whose it is may not.
    closed_when = "stored_at IS NOT NULL"
    closed_except = (
        "area",
        "side",
        "view",
        "taken_at",
        "dated_by",
        "removed_at",
        "removed_by_id",
        "removal_reason",
        "removal_note",
        "erase_at",
        "erased_at",
    )
    objects = PhotoQuerySet.as_manager()

    class Meta:
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        indexes = [
            models.Index(fields=["patient", "-taken_at", "-id"], name="photo_of_patient"),
            models.Index(
                fields=["patient", "area", "side", "view", "-taken_at", "-id"], name="photo_series"
            ),
            models.Index(
                fields=["erase_at", "id"],
                condition=Q(erase_at__isnull=False, erased_at__isnull=True),
                name="photo_to_erase",
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(side__in=Side.values), name="photo_side_known"),
            models.CheckConstraint(condition=Q(view__in=View.values), name="photo_view_known"),
            models.CheckConstraint(
                condition=Q(stored_at__isnull=True) | ~Q(sha256=""), name="photo_stored_has_hash"
            ),
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True)
                | (~Q(removal_reason="") & Q(removed_by__isnull=False))
                | Q(removal_reason="cut-off"),
                name="photo_removed_says_why",
                violation_error_message=_("A removed photo says who removed it and why."),
            ),
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True) | Q(removed_at__isnull=False),
                name="photo_erased_is_removed",
            ),
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True) | Q(erase_at__isnull=False),
                name="photo_removed_will_be_erased",
            ),
            models.CheckConstraint(
                condition=Q(taken_at__lte=F("created_at") + timedelta(minutes=5)),
                name="photo_not_taken_later",
                violation_error_message=_("A photo cannot have been taken in the future."),
            ),
        ]

    def __str__(self) -> str:
        return f"photo {self.public_id}"

    def stored_name(self, size: str) -> str:
        """Where the picture of a size (`full`, `screen`, `thumb`) is stored."""
        return f"{self.file_name}-{size}"

    @property
    def key(self) -> str:
        """Its series: area, side and view in one word, as in `Shot.key`."""
        return f"{self.area}.{self.side}.{self.view}"

    @property
    def can_be_put_back(self) -> bool:
        """Whether it was removed and its pictures are still there."""
        return (
            self.removed_at is not None
            and self.erased_at is None
            and self.removal_reason not in self.AT_ONCE
        )


class PhotoShare(Record):
    """The clinic shows a patient a photo of themselves on their own page, until it ends that."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="photo_shares")
    photo = models.ForeignKey(Photo, models.PROTECT, related_name="shares")
    shared_at = models.DateTimeField()
    shared_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")

    audit_patient = "patient_id"
    closed_when = "ended_at IS NOT NULL"
    objects = PhotoShareQuerySet.as_manager()

    class Meta:
        verbose_name = _("photo shown to the patient")
        verbose_name_plural = _("photos shown to the patient")
        constraints = [
            models.UniqueConstraint(
                fields=["photo"],
                condition=Q(ended_at__isnull=True),
                name="photo_shared_once",
                violation_error_message=_("The patient sees this photo already."),
            )
        ]

    def __str__(self) -> str:
        return f"share of photo {self.photo_id}"
