"""The catalogue: what may be used, where and how. Every row versioned, sourced and approvable.

A row is never edited in place: an edit makes the next version and takes `is_current` along, so a
record that points at a row keeps the figures of its day.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Value
from django.db.models.functions import Now
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from clinic.access.models import Staff
from clinic.tongues import phrase

NO_CODES = Value([], ArrayField(models.TextField()))


class Source(models.Model):
    """A publication, label, law or page that figures come from."""

    class Tier(models.TextChoices):
        A = "a", _("law, regulator, label, guideline or peer-reviewed paper")
        B = "b", _("professional or training page")
        C = "c", _("commercial clinic page")
        SEED = "seed", _("founding text")
        NONE = "none", _("general knowledge, unverified")

    ref = models.SlugField(primary_key=True)
    citation = models.TextField()

    def __str__(self) -> str:
        return self.ref


class CatalogueQuerySet(models.QuerySet[Any]):
    def current(self) -> CatalogueQuerySet:
        """The versions in force, by code."""
        return self.filter(is_current=True).order_by("code")

    def in_force(self, codes: Iterable[str]) -> dict[str, Any]:
        """The version in force of each of these codes, by code: whose limits and marks hold now.

        A product keeps the version of a substance that it was entered with.
        """
        wanted = set(codes)
        return {row.code: row for row in self.current().filter(code__in=wanted)} if wanted else {}


class CatalogueRow(models.Model):
    """What every catalogue row has: a code, a version, a source and perhaps an approver."""

    class Origin(models.TextChoices):
        SHIPPED = "shipped", _("shipped with the product")
        CLINIC = "clinic", _("edited by the clinic")

    code = models.SlugField(_("code"), max_length=80)
    version = models.PositiveIntegerField(_("version"), default=1)
    is_current = models.BooleanField(default=True)
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.SHIPPED)
    name_en = models.CharField(_("name in English"), max_length=200)
    name_fr = models.CharField(_("name in French"), max_length=200)
    source_refs = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    source_note = models.TextField(_("what the source says"), blank=True)
    general_knowledge = models.BooleanField(_("general knowledge, unverified"), default=False)
    shipped_hash = models.CharField(max_length=64, blank=True, editable=False)
    approved_by = models.ForeignKey(
        Staff, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    approved_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    audit_always = True
    objects = CatalogueQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="%(class)s_version_once"),
            models.UniqueConstraint(
                fields=["code"],
                condition=models.Q(is_current=True),
                name="%(class)s_one_current",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the language in force."""
        return self.said("name")

    def said(self, field: str, language: str | None = None) -> str:
        """A text of this row (`name`, `text`) in a language, English where there is no other."""
        code = (language or get_language() or "en")[:2]
        chosen: str = getattr(self, f"{field}_{code}", "")
        return chosen or phrase(getattr(self, f"{field}_en"))

    @property
    def is_approved(self) -> bool:
        """A clinician of this clinic has taken responsibility for this version."""
        return self.approved_at is not None


class Area(CatalogueRow):
    """A treatable area; `code` is also its region's id on the charts."""

    snomed = models.CharField(max_length=20, blank=True)
    parent = models.SlugField(max_length=80, blank=True)
    group = models.SlugField(max_length=40)
    charts = ArrayField(models.SlugField(), default=list, blank=True)
    is_sided = models.BooleanField(default=False)
    typical_cm2 = models.DecimalField(max_digits=7, decimal_places=1, null=True, blank=True)
    thorax_risk = models.BooleanField(default=False)
    is_submental = models.BooleanField(default=False)


class Technique(CatalogueRow):
    """How the product gets in. Depth in mm, spacing in mm, volume in mL per point."""

    depth_min_mm = models.DecimalField(max_digits=4, decimal_places=2, null=True, blank=True)
    depth_max_mm = models.DecimalField(max_digits=4, decimal_places=2, null=True, blank=True)
    spacing_min_mm = models.DecimalField(max_digits=4, decimal_places=1, null=True, blank=True)
    spacing_max_mm = models.DecimalField(max_digits=4, decimal_places=1, null=True, blank=True)
    volume_min_ml = models.DecimalField(max_digits=5, decimal_places=3, null=True, blank=True)
    volume_max_ml = models.DecimalField(max_digits=5, decimal_places=3, null=True, blank=True)
    gesture_en = models.TextField(blank=True)
    gesture_fr = models.TextField(blank=True)
    terms = models.CharField(max_length=200, blank=True)
    sheet_group = models.SlugField(max_length=40, blank=True)
    is_dermal = models.BooleanField(default=True)
    uses_needle = models.BooleanField(default=True)
    uses_current = models.BooleanField(default=False)
    device_kind = models.SlugField(max_length=40, blank=True)


class Modality(CatalogueRow):
    """A needle-free way: electroporation, iontophoresis, sonophoresis."""

    parameters = models.JSONField(default=list, blank=True)
    contraindications = ArrayField(models.SlugField(), default=list, blank=True)
    uses_current = models.BooleanField(default=True)

    class Meta(CatalogueRow.Meta):
        verbose_name_plural = "modalities"


class Protocol(CatalogueRow):
    """A published course: sessions and intervals, with what it showed, failures too."""

    indication = models.SlugField(max_length=60)
    phases = models.JSONField(default=list, blank=True)
    details_en = models.TextField(blank=True)
    details_fr = models.TextField(blank=True)
    result_en = models.TextField(blank=True)
    result_fr = models.TextField(blank=True)
    is_negative = models.BooleanField(default=False)


class Flag(models.TextChoices):
    """Regulatory marks of a substance or product."""

    OFFLABEL = "OFFLABEL", _("off-label")
    UNAPPROVED_US = "UNAPPROVED_US", _("not approved in the US")
    WARNED = "WARNED", _("authority warning")
    RX = "RX", _("prescription only")
    DEVICE_EU = "DEVICE_EU", _("device in the EU")
    AUTOLOGOUS = "AUTOLOGOUS", _("from the patient's own body")
    NOT_INJECTABLE = "NOT_INJECTABLE", _("not for injection")


class Substance(CatalogueRow):
    """An active substance. `rules`: a list of {condition, level, source}; `allergens`: codes."""

    group = models.SlugField(max_length=40, blank=True)
    strengths_en = models.TextField(_("published strength or dose, English"), blank=True)
    strengths_fr = models.TextField(_("published strength or dose, French"), blank=True)
    flags = ArrayField(models.CharField(max_length=20, choices=Flag), default=list, blank=True)
    allergens = ArrayField(models.SlugField(), default=list, blank=True)
    rules = models.JSONField(default=list, blank=True)
    caution_en = models.TextField(blank=True)
    caution_fr = models.TextField(blank=True)
    is_local_anaesthetic = models.BooleanField(default=False)
    is_toxin_or_filler = models.BooleanField(_("toxin or filler in law"), default=False)
    areas_only = ArrayField(models.SlugField(), default=list, blank=True)
    is_blocked_by_default = models.BooleanField(default=False)
    limits = models.JSONField(default=dict, blank=True)


class Anaesthetic(CatalogueRow):
    """A numbing preparation and its label limits. mg, g and mL; areas in cm²; times in min."""

    substance_codes = ArrayField(models.SlugField(), default=list, blank=True)
    is_topical = models.BooleanField(default=True)
    mg_per_g = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)
    wait_min_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    wait_max_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    max_g = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    max_cm2 = models.DecimalField(max_digits=6, decimal_places=1, null=True, blank=True)
    mg_per_kg = models.DecimalField(max_digits=4, decimal_places=2, null=True, blank=True)
    max_mg = models.DecimalField(max_digits=6, decimal_places=1, null=True, blank=True)
    child_limits = models.JSONField(default=list, blank=True)
    allergens = ArrayField(models.SlugField(), default=list, blank=True)
    rules = models.JSONField(default=list, blank=True)
    caution_en = models.TextField(blank=True)
    caution_fr = models.TextField(blank=True)


class Incompatibility(CatalogueRow):
    """Two substances that do not go into one syringe.

    Each side is a substance code, `group:<substance group>`, or `*` for anything; a group with `*`
    may not be injected at all, and `active` with `active` is any two active products. The pair
    counts only together with all of `only_with`, and not together with any of `unless`.
    """

    class Level(models.TextChoices):
        REFUSE = "refuse", _("do not mix")
        WARN = "warn", _("avoid")
        ALLOWED = "allowed", _("allowed")

    first = models.CharField(max_length=80)
    second = models.CharField(max_length=80)
    level = models.CharField(max_length=8, choices=Level)
    effect_en = models.TextField()
    effect_fr = models.TextField()
    only_with = ArrayField(models.SlugField(), default=list, blank=True)
    unless = ArrayField(models.SlugField(), default=list, blank=True)

    class Meta(CatalogueRow.Meta):
        verbose_name_plural = "incompatibilities"


class Contraindication(CatalogueRow):
    """A condition asked for in the history, and what it means.

    `only_for` narrows it to what is proposed: {"substances": [], "groups": [], "techniques": [],
    "areas": [], "current": true}; any one match is enough. {"by_substance": true} means that it
    matters only through the `rules` of a substance or anaesthetic. {"skin_types": [4, 5, 6]} is
    met by those Fitzpatrick types, not by an answer. `blocks`: a stop that refuses, not one that
    only advises. `needs_reason`: found suitable only with a reason written down; `needs_doctor`:
    a decision names the doctor who directs it.

    `topic` is the heading it is asked under, `detail` what is asked once it is ticked, `asked_if`
    the codes of which one must be ticked before it is asked. `terms`: words that mean it where
    they stand in the patient's own text. `crosses`: allergens that somebody with this allergy may
    react to as well.
    """

    class Detail(models.TextChoices):
        DATE = "date", _("when")
        TEXT = "text", _("which, in words")

    class Level(models.TextChoices):
        STOP = "stop", _("Stop")
        PHYSICIAN = "physician", _("Physician decides")
        WAIT = "wait", _("Wait until")
        CAUTION = "caution", _("Caution")

    class Kind(models.TextChoices):
        CONDITION = "condition", _("condition")
        MEDICINE = "medicine", _("medicine")
        ALLERGY = "allergy", _("allergy")
        EVENT = "event", _("recent event")

    level = models.CharField(max_length=10, choices=Level)
    kind = models.CharField(max_length=10, choices=Kind)
    question_en = models.TextField()
    question_fr = models.TextField()
    wait_days = models.PositiveSmallIntegerField(null=True, blank=True)
    blocks = models.BooleanField(_("refuses, not only advises"), default=False)
    needs_reason = models.BooleanField(default=False, db_default=False)
    needs_doctor = models.BooleanField(default=False, db_default=False)
    only_for = models.JSONField(default=dict, blank=True)
    is_asked = models.BooleanField(default=True)
    topic = models.SlugField(max_length=40, db_index=False, blank=True, default="", db_default="")
    detail = models.CharField(max_length=8, choices=Detail, blank=True, default="", db_default="")
    asked_if = ArrayField(models.SlugField(), default=list, blank=True, db_default=NO_CODES)
    terms = ArrayField(
        models.CharField(max_length=60), default=list, blank=True, db_default=NO_CODES
    )
    crosses = ArrayField(models.SlugField(), default=list, blank=True, db_default=NO_CODES)
    position = models.PositiveSmallIntegerField(default=0)


class AdverseEventType(CatalogueRow):
    """What may go wrong, when it shows, and how urgent it is.

    `expected_days`: the longest that its published course takes, in days from the onset; None where
    none is given. `is_infection`: it may have a source that others were exposed to as well.
    """

    class Urgency(models.TextChoices):
        ROUTINE = "routine", _("routine")
        REVIEW = "review", _("review")
        SAME_DAY = "same-day", _("same day")
        EMERGENCY = "emergency", _("emergency")

    onset_en = models.CharField(max_length=300)
    onset_fr = models.CharField(max_length=300)
    urgency = models.CharField(max_length=10, choices=Urgency)
    expected_days = models.PositiveSmallIntegerField(null=True, blank=True)
    is_infection = models.BooleanField(default=False, db_default=False)


class Scale(CatalogueRow):
    """An assessment scale: its items, bounds and direction."""

    items = models.JSONField(default=list, blank=True)
    bands = models.JSONField(default=list, blank=True)
    minimum = models.DecimalField(max_digits=6, decimal_places=2)
    maximum = models.DecimalField(max_digits=6, decimal_places=2)
    lower_is_better = models.BooleanField(default=True)
    indications = ArrayField(models.SlugField(), default=list, blank=True)
    loinc = models.CharField(max_length=20, blank=True)


class AdviceBlock(CatalogueRow):
    """A piece of aftercare advice. `topic` merges blocks; the longest `hours` wins, said once.

    `applies_to`: `base` for every sheet, else `area:<group or code>`, `technique:<sheet group or
    code>`, `substance:<code>` or `anaesthetic`. `{until}` in the text becomes the computed time.
    `texts` holds further languages: {language: text}. A version never changes.
    """

    class Section(models.TextChoices):
        AVOID = "avoid", _("Please do not")
        DO = "do", _("Please do")
        NORMAL = "normal", _("What is normal")
        CALL = "call", _("When to call us")
        EMERGENCY = "emergency", _("Emergency")

    applies_to = models.CharField(max_length=80)
    topic = models.SlugField(max_length=40)
    section = models.CharField(max_length=10, choices=Section)
    hours = models.PositiveIntegerField(null=True, blank=True)
    text_en = models.TextField()
    text_fr = models.TextField()
    texts = models.JSONField(default=dict, blank=True, db_default={})
    is_founding = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)
    made_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")

    closed_when = "true"
    closed_except = ("is_current", "approved_by_id", "approved_at")

    class Meta(CatalogueRow.Meta):
        constraints = [
            *CatalogueRow.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(is_founding=False) | models.Q(applies_to="base"),
                name="advice_founding_is_for_everyone",
                violation_error_message=_("The founding advice is on every sheet."),
            ),
            models.CheckConstraint(
                condition=models.Q(hours__isnull=True) | models.Q(hours__gt=0, hours__lte=2016),
                name="advice_hours_within_twelve_weeks",
            ),
        ]

    def text_in(self, language: str) -> tuple[str, str]:
        """The text, and the language it is in: English where there is no other."""
        own = self.texts.get(language) or getattr(self, f"text_{language}", "")
        return (own, language) if own else (self.text_en, "en")

    @property
    def languages(self) -> list[str]:
        """Those it is written in."""
        return ["en", "fr", *sorted(self.texts)]


class CheckInTime(CatalogueRow):
    """When a patient is asked after a session: `hours` after the treatment ended.

    `step` is its place in the plan. `applies_to`: `base` for every session, or `technique:<code or
    sheet group>`, whose row stands in for the base row of the same step; `is_skipped`: nothing is
    asked at this step after that technique. `own_scale`: the scale on which the patient gives their
    own score then.
    """

    applies_to = models.CharField(max_length=80, default="base")
    step = models.SlugField(max_length=40)
    hours = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    is_skipped = models.BooleanField(default=False)
    wants_photo = models.BooleanField(default=False)
    own_scale = models.SlugField(max_length=80, blank=True)


class CheckInSign(CatalogueRow):
    """Something a patient may notice and tick, and the adverse event (`event`) that it may be.

    Asked from `from_hours` to `until_hours` after the treatment, without an end where that is
    empty; `applies_to` as for advice.
    """

    applies_to = models.CharField(max_length=80, default="base")
    event = models.SlugField(max_length=80)
    from_hours = models.PositiveIntegerField(default=0)
    until_hours = models.PositiveIntegerField(null=True, blank=True)
    text_en = models.TextField(max_length=300)
    text_fr = models.TextField(max_length=300)
    position = models.PositiveSmallIntegerField(default=0)


class RiskLine(CatalogueRow):
    """A risk a consent must name. `applies_to` as for advice, plus `flag:<FLAG>` and `thorax`."""

    applies_to = models.CharField(max_length=80)
    text_en = models.TextField()
    text_fr = models.TextField()
    position = models.PositiveSmallIntegerField(default=0)


class Measure(models.TextChoices):
    """What a product is counted in on the shelf."""

    ML = "mL", "mL"
    G = "g", "g"


class NoteTemplate(CatalogueRow):
    """What a consultation note for an indication begins with. The clinic's own words, editable.

    `scales`, `risks`: codes of the catalogue; `alternatives`: ticks of the note. A template fills
    only what is empty, and what it filled is marked until somebody has looked at it.
    """

    indication = models.SlugField(max_length=60)
    scales = ArrayField(models.SlugField(), default=list, blank=True)
    risks = ArrayField(models.SlugField(max_length=80), default=list, blank=True)
    alternatives = ArrayField(models.SlugField(), default=list, blank=True)
    examination_en = models.TextField(blank=True)
    examination_fr = models.TextField(blank=True)
    discussion_en = models.TextField(blank=True)
    discussion_fr = models.TextField(blank=True)
    other_ways_en = models.TextField(blank=True)
    other_ways_fr = models.TextField(blank=True)
    advice_en = models.TextField(blank=True)
    advice_fr = models.TextField(blank=True)
    position = models.PositiveSmallIntegerField(default=0)


class Product(CatalogueRow):
    """A thing on the shelf: maker, presentation, and which substances it holds at what strength.

    `container_ml` is one container, in what it is `measured_in`: mL, of a cream g. Of a multi-dose
    container the rest may be used for `in_use_hours` after opening; of any other the rest is thrown
    away. `country_flags`: further regulatory marks by country code, {"FR": ["RX"]}. `allergens`:
    what this brand holds besides its substances, a preservative or latex of the stopper.
    """

    maker = models.CharField(max_length=120)
    presentation = models.CharField(max_length=120, blank=True)
    container_ml = models.DecimalField(max_digits=6, decimal_places=2)
    is_multi_dose = models.BooleanField(default=False)
    in_use_hours = models.PositiveIntegerField(null=True, blank=True)
    flags = ArrayField(models.CharField(max_length=20, choices=Flag), default=list, blank=True)
    allergens = ArrayField(models.SlugField(), default=list, blank=True, db_default=NO_CODES)
    is_diluent = models.BooleanField(default=False)
    has_epinephrine = models.BooleanField(default=False)
    measured_in = models.CharField(
        max_length=2, choices=Measure, default=Measure.ML, db_default=Measure.ML
    )
    country_flags = models.JSONField(
        default=dict, blank=True, db_default=models.Value({}, models.JSONField())
    )

    def flags_in(self, country: str) -> set[str]:
        """The marks that hold in a country: those for everywhere, and that country's own."""
        return {*self.flags, *self.country_flags.get(country, ())}


class Recipe(CatalogueRow):
    """A mixture as the clinic makes it. `lines`: what goes in, in order, in mL.

    A line is {"kind": "product" or "substance", "code": ..., "ml": "2.50", "is_diluent": false}. A
    substance leaves open from which product it is drawn.
    """

    lines = models.JSONField(default=list)
    notes_en = models.TextField(blank=True)
    notes_fr = models.TextField(blank=True)

    @property
    def total_ml(self) -> Decimal:
        """What all of it comes to, in mL."""
        return sum((Decimal(str(line["ml"])) for line in self.lines), Decimal(0))


class Ingredient(models.Model):
    """A substance in a product, in `unit` per mL."""

    class Unit(models.TextChoices):
        MG = "mg", "mg"
        UNITS = "U", _("units")
        ML = "mL", "mL"

    product = models.ForeignKey(Product, models.CASCADE, related_name="ingredients")
    substance = models.ForeignKey(Substance, models.PROTECT, related_name="+")
    per_ml = models.DecimalField(max_digits=9, decimal_places=3)
    unit = models.CharField(max_length=2, choices=Unit, default=Unit.MG)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "substance"], name="ingredient_once"),
            models.CheckConstraint(
                condition=models.Q(per_ml__gt=Decimal(0)), name="ingredient_strength_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.substance_id} {self.per_ml} {self.unit}/mL"


class LotQuerySet(models.QuerySet["Lot"]):
    def visible_to(self, user: Staff) -> LotQuerySet:
        """The lots on the shelves of a staff member's locations."""
        return self.filter(location__in=user.place_ids)

    def usable(self, on: date) -> LotQuerySet:
        """Not expired on that day, not held back; first to expire first."""
        return self.filter(expires_on__gte=on, state=Lot.State.AVAILABLE).order_by(
            "expires_on", "pk"
        )


class Lot(models.Model):
    """A batch of a product at a location, known by its number and expiry date.

    `quantity_ml` is what is there, opened containers included, in what the product is measured in.
    It is written by the ledger of the room `stock` alone.
    """

    class State(models.TextChoices):
        AVAILABLE = "available", _("available")
        QUARANTINED = "quarantined", _("quarantined")
        RECALLED = "recalled", _("recalled")

    location = models.ForeignKey("clinic.Location", models.PROTECT, related_name="lots")
    product = models.ForeignKey(Product, models.PROTECT, related_name="lots")
    number = models.CharField(_("lot number"), max_length=60)
    expires_on = models.DateField(_("expires on"))
    quantity_ml = models.DecimalField(_("quantity"), max_digits=8, decimal_places=2)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.AVAILABLE)
    state_reason = models.CharField(_("reason for the state"), max_length=300, blank=True)
    received_from = models.CharField(
        _("received from"), max_length=120, blank=True, default="", db_default=""
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    audit_always = True
    objects = LotQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["location", "expires_on", "id"], name="lot_on_shelf")]
        constraints = [
            models.UniqueConstraint(
                fields=["location", "product", "number"],
                name="lot_number_once",
                violation_error_message=_("This lot is already on the shelf here."),
            ),
            models.CheckConstraint(
                condition=models.Q(quantity_ml__gte=0), name="lot_quantity_not_negative"
            ),
            models.CheckConstraint(condition=~models.Q(number=""), name="lot_has_number"),
        ]

    def __str__(self) -> str:
        return self.number
