"""What a course can be for, by the name a person would use."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from treatments.catalogue.models import NoteTemplate, Protocol

NAMES = {
    "face-rejuvenation": _("Face rejuvenation"),
    "hydration": _("Skin hydration"),
    "melasma": _("Melasma"),
    "alopecia": _("Hair loss"),
    "cellulite": _("Cellulite"),
    "submental-fat": _("Fat under the chin"),
    "acne-scars": _("Acne scars"),
    "low-back-pain": _("Low back pain"),
    "spine-pain": _("Spine pain"),
    "knee-pain": _("Knee pain"),
    "shoulder-pain": _("Shoulder pain"),
}


def indication_name(code: str) -> str:
    """The readable name of an indication, in the language in force."""
    known = NAMES.get(code)
    return str(known) if known else code.replace("-", " ").capitalize()


def indication_choices() -> list[tuple[str, str]]:
    """Every indication of a current protocol or note template, by readable name; one query."""
    protocols = Protocol.objects.current().order_by().values_list("indication", flat=True)
    templates = NoteTemplate.objects.current().order_by().values_list("indication", flat=True)
    codes = protocols.union(templates)
    return sorted(((code, indication_name(code)) for code in codes), key=lambda pair: pair[1])
