"""What the findings say, in words with their figures."""

from __future__ import annotations

from datetime import date

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.web.templatetags.clinic_web import clinical_date
from treatments.sessions.doses import Finding, Rule

SENTENCES: dict[Rule, Promise] = {
    Rule.WEIGHT_MISSING: _(
        "Lidocaine needs the patient’s weight. Enter it under Preparation; without it "
        "%(total)s mg cannot be checked against the limit."
    ),
    Rule.LIDOCAINE_OVER: _(
        "Lidocaine from all routes is %(total)s mg. The limit at %(weight)s kg is %(limit)s mg."
    ),
    Rule.LIDOCAINE_UNLIMITED: _(
        "The catalogue holds no lidocaine limit, so lidocaine cannot be given."
    ),
    Rule.CREAM_GRAMS: _("%(name)s: %(got)s g is above the limit of %(limit)s g."),
    Rule.CREAM_AREA: _("%(name)s: %(got)s cm² is above the limit of %(limit)s cm²."),
    Rule.CREAM_TOO_LONG: _("%(name)s: %(got)s minutes on the skin; the limit is %(limit)s."),
    Rule.CREAM_TOO_SHORT: _(
        "%(name)s: %(got)s minutes on the skin; it needs %(limit)s minutes to work."
    ),
    Rule.CREAM_STILL_ON: _("%(name)s: the time it came off is not written down."),
    Rule.CREAM_CHILD: _(
        "%(name)s: %(got)s %(unit)s is above the limit of %(limit)s %(unit)s at this age."
    ),
    Rule.LOT_MISSING: _("%(name)s: the lot number is missing."),
    Rule.LOT_NO_EXPIRY: _("%(name)s, lot %(lot)s: the expiry date is missing."),
    Rule.LOT_EXPIRED: _("%(name)s, lot %(lot)s, expired on %(date)s."),
    Rule.LOT_HELD_BACK: _("%(name)s, lot %(lot)s, is held back: %(state)s."),
    Rule.LOT_SHORT: _(
        "%(name)s, lot %(lot)s: %(got)s mL drawn, but only %(limit)s mL is on the shelf."
    ),
    Rule.NOT_INJECTABLE: _("%(name)s is not made for injection."),
    Rule.NOTHING_DRAWN: _("%(got)s mL is injected, but nothing was drawn."),
    Rule.MORE_THAN_DRAWN: _("%(got)s mL is injected, but only %(limit)s mL was drawn."),
    Rule.BALANCE: _(
        "Drawn %(drawn)s mL is not injected %(injected)s mL and discarded %(discarded)s mL "
        "together. %(left)s mL is left to discard."
    ),
    Rule.NO_AREA: _("No area is on the map yet."),
    Rule.NO_POINTS: _("%(name)s has neither points nor a volume."),
    Rule.SUBSTANCE_VOLUME: _("%(name)s: %(got)s mL is above the label’s %(limit)s mL."),
    Rule.SUBSTANCE_POINTS: _("%(name)s: %(got)s points are above the label’s %(limit)s."),
    Rule.SUBSTANCE_AREA: _("%(name)s is not labelled for this area: %(got)s."),
    Rule.SUBSTANCE_ALONE: _("%(name)s may not be mixed or diluted."),
    Rule.SUBSTANCE_COURSE: _(
        "%(name)s: this would be session %(got)s; the label allows %(limit)s."
    ),
    Rule.SUBSTANCE_INTERVAL: _(
        "%(name)s was given %(got)s days ago; the label asks for %(limit)s days between."
    ),
    Rule.DO_NOT_MIX: _("Do not mix %(first)s with %(second)s. %(effect)s"),
    Rule.AVOID_MIXING: _("Avoid mixing %(first)s with %(second)s. %(effect)s"),
    Rule.NEVER_INJECT: _("%(first)s may not be injected. %(effect)s"),
    Rule.SEVERAL_ACTIVES: _("More than one active product in one syringe: %(first)s. %(effect)s"),
    Rule.NOT_PREPARED: _("Say when the syringe was prepared."),
    Rule.NOT_LIMPID: _("What is in the syringe is %(looks)s. Discard it."),
    Rule.PHARMACY_ONLY: _(
        "%(country)s: mixtures may be made up only in a pharmacy. Say which one made up "
        "%(names)s, or give the products from separate syringes."
    ),
    Rule.KEPT_TOO_LONG: _("It was to be discarded by %(until)s, before the end of the treatment."),
    Rule.NO_SYRINGE: _("%(name)s: say which syringe it was given from."),
    Rule.NO_DEVICE: _("%(name)s: say which device was used; its serial number is kept."),
    Rule.NO_MINUTES: _("%(name)s: say for how many minutes the device worked."),
    Rule.FACE_VOLUME: _("%(got)s mL in the face; published sessions use up to %(limit)s mL."),
    Rule.DEPTH: _("%(name)s: %(got)s mm is deeper than the skin; its technique stays in it."),
    Rule.TOXIN_BRAND: _(
        "%(name)s; last time it was %(before)s. Units are not interchangeable between brands."
    ),
    Rule.TOO_SOON: _("%(got)s days since the last session; the plan asks for %(limit)s."),
    Rule.PAST_THE_PLAN: _("This is session %(got)s, but the plan holds %(limit)s."),
}


MEASURED = frozenset(["got", "limit", "total", "weight", "drawn", "injected", "discarded", "left"])


def _in_words(figures: dict[str, str]) -> dict[str, str]:
    """What was measured with the language's own sign, 2.5 mL or 2,5 mL; a day with its month in
    letters.
    """
    return {name: _figure(name, text) for name, text in figures.items()}


def _figure(name: str, text: str) -> str:
    if name == "date":
        return clinical_date(date.fromisoformat(text))
    if name in MEASURED and text.replace(".", "", 1).isdecimal():
        return str(number_format(text, use_l10n=True))
    return text


def sentence(finding: Finding) -> str:
    """A finding as a sentence in the language in force."""
    said = str(SENTENCES[finding.rule]) % _in_words(finding.figures)
    if "syringe" not in finding.figures:
        return said
    return gettext("Syringe %(syringe)s: %(said)s") % {**finding.figures, "said": said}
