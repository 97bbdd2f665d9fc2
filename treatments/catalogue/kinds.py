"""The kinds of catalogue rows: where each is kept, and what it is called."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from treatments.catalogue.models import (
    AdverseEventType,
    AdviceBlock,
    Anaesthetic,
    Area,
    CatalogueRow,
    CheckInSign,
    CheckInTime,
    Contraindication,
    Incompatibility,
    Modality,
    NoteTemplate,
    Product,
    Protocol,
    Recipe,
    RiskLine,
    Scale,
    Substance,
    Technique,
)


@dataclass(frozen=True)
class Kind:
    """A kind of row: `slug` is its address and the name of its data file.

    `written_at`: the name of the URL, by code, where another room has its rows written and put in
    force; the catalogue then only shows them.
    """

    slug: str
    model: type[CatalogueRow]
    label: str | Promise
    icon: str
    written_at: str = ""


KINDS = (
    Kind("substances", Substance, _("Substances"), "droplet"),
    Kind("products", Product, _("Products"), "box-seam"),
    Kind("mixes", Recipe, _("Mixes"), "eyedropper"),
    Kind("anaesthetics", Anaesthetic, _("Anaesthetics"), "bandaid"),
    Kind("incompatibilities", Incompatibility, _("Incompatibilities"), "slash-circle"),
    Kind("techniques", Technique, _("Techniques"), "pen"),
    Kind("modalities", Modality, _("Needle-free methods"), "lightning-charge"),
    Kind("protocols", Protocol, _("Published courses"), "calendar3"),
    Kind("areas", Area, _("Areas"), "person"),
    Kind("contraindications", Contraindication, _("Contraindications"), "sign-stop"),
    Kind("adverse-events", AdverseEventType, _("Adverse events"), "exclamation-triangle"),
    Kind("scales", Scale, _("Scales"), "sliders"),
    Kind("note-templates", NoteTemplate, _("Note templates"), "journal-text"),
    Kind("advice", AdviceBlock, _("Aftercare advice"), "chat-left-text", "sheet-texts:block"),
    Kind("check-in-times", CheckInTime, _("Check-in times"), "calendar-check"),
    Kind("check-in-signs", CheckInSign, _("Check-in questions"), "patch-question"),
    Kind("risks", RiskLine, _("Consent risk lines"), "shield-exclamation"),
)
KIND_BY_SLUG = {kind.slug: kind for kind in KINDS}
KIND_BY_MODEL = {kind.model: kind for kind in KINDS}
