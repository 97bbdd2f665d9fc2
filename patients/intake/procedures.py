"""Earlier aesthetic treatments: what, when (a year, or a month of it), where, and any trouble."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from django.db.models import TextChoices
from django.utils.dates import MONTHS_ALT
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

EARLIEST_YEAR = 1950
MOST = 8
"""So many are asked for; whoever had more writes the rest into the last one."""


class Procedure(TextChoices):
    """The kinds that a patient can name."""

    MESOTHERAPY = "mesotherapy", gettext_lazy("Mesotherapy or skin booster")
    FILLER = "filler", gettext_lazy("Filler")
    TOXIN = "toxin", gettext_lazy("Botulinum toxin")
    PRP = "prp", gettext_lazy("Own blood plasma (PRP)")
    LASER = "laser", gettext_lazy("Laser or light")
    PEEL = "peel", gettext_lazy("Peeling")
    NEEDLING = "needling", gettext_lazy("Needling")
    THREADS = "threads", gettext_lazy("Threads")
    LIPOLYSIS = "lipolysis", gettext_lazy("Fat-dissolving injections or freezing")
    SURGERY = "surgery", gettext_lazy("Cosmetic surgery")
    OTHER = "other", gettext_lazy("Something else")


def is_possible(year: int, month: int | None, *, born: date, today: date) -> bool:
    """Whether a treatment can have been then: after birth, not after this month."""
    if not max(EARLIEST_YEAR, born.year) <= year <= today.year:
        return False
    return month is None or (year, month) <= (today.year, today.month)


def in_words(one: Mapping[str, str]) -> str:
    """`Filler, Nov. 2025: lips. Trouble: swelling`."""
    names = dict(Procedure.choices)
    said = str(names.get(one.get("kind", ""), one.get("kind", "")))
    year, _dash, month = one.get("on", "").partition("-")
    if month:
        year = f"{MONTHS_ALT[int(month)]} {year}"
    if year:
        said = f"{said}, {year}"
    if one.get("what"):
        said = _("%(said)s: %(what)s") % {"said": said, "what": one["what"]}
    if one.get("problem"):
        said = _("%(said)s. Trouble: %(what)s") % {"said": said, "what": one["problem"]}
    return said
