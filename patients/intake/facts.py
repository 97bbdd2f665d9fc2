"""What is known from a patient's history, and what has changed since the one before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.dateparse import parse_date
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.web.templatetags.clinic_web import clinical_date
from patients.intake.bddq import bddq_positive
from patients.intake.models import Confirmation, History
from patients.intake.procedures import in_words
from patients.intake.questions import ALLERGY, MEDICINE, Question, questions
from patients.registry.models import Patient

STEPS = (
    "about",
    "pregnancy",
    "conditions",
    "medicines",
    "allergies",
    "recent",
    "skin",
    "hopes",
)
"""The steps that must be answered before a history can be signed."""

KINDS = {"medicines": MEDICINE, "allergies": ALLERGY}
APART = 2
"""From this edition of the questionnaire on, breastfeeding is a question of its own."""


def latest_history(patient: Patient) -> History | None:
    """The newest history handed in, or None."""
    found: History | None = History.objects.filter(patient=patient).submitted().first()
    return found


def last_reviewed(history: History) -> History | None:
    """The newest version before this one that a practitioner has read, or None."""
    reviewed = History.objects.filter(
        patient_id=history.patient_id, version__lt=history.version, reviewed_at__isnull=False
    )
    found: History | None = reviewed.submitted().select_related("reviewed_by").first()
    return found


def last_confirmation(history: History) -> Confirmation | None:
    """The last time the patient signed that nothing had changed in this version, or None."""
    found: Confirmation | None = Confirmation.objects.of(history).first()
    return found


def confirmed_on(history: History, day: date, zone: ZoneInfo) -> datetime | None:
    """When the patient signed on that very day that nothing had changed, or None."""
    last = last_confirmation(history)
    if last is None or last.confirmed_at.astimezone(zone).date() != day:
        return None
    return last.confirmed_at


def draft_of(patient: Patient) -> History | None:
    """The history being filled in, or None."""
    return History.objects.filter(patient=patient, submitted_at__isnull=True).first()


def steps_done(history: History) -> list[str]:
    """The steps answered so far, in order."""
    done = history.answers.get("done", [])
    return [step for step in STEPS if step in done]


def steps_left(history: History | None) -> list[str]:
    """The steps still to be answered, in order."""
    done = steps_done(history) if history else []
    return [step for step in STEPS if step not in done]


def has_answers(history: History | None) -> bool:
    """Whether anything has been said in it yet, a half-filled page included."""
    return history is not None and bool(steps_done(history) or history.answers.get("partial"))


def asks_breastfeeding_apart(history: History) -> bool:
    """Whether breastfeeding was a question of its own; before, one question asked for both."""
    return int(history.answers.get("edition", 1)) >= APART


@dataclass(frozen=True)
class Line:
    """One fact as shown. `value` is empty for what was asked and denied.

    `items`: the parts of the value, where it is a list.
    """

    name: str | Promise
    value: str
    step: str
    field: str
    alert: bool = False
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """A fact that differs between two versions; `new` and `gone` where it is a list."""

    name: str | Promise
    before: str
    after: str
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pair:
    """One fact of two versions, side by side."""

    name: str | Promise
    before: str
    after: str
    changed: bool


def lines(history: History) -> list[Line]:
    """A history as names and values, in the order of the questionnaire; one query at most."""
    words = _Words(history, questions())
    return [
        Line(_("Weight"), _weight(history.weight_kg), "about", "weight_kg"),
        *_pregnancy_lines(history),
        words.ticked(_("Pregnancy and birth"), "pregnancy"),
        words.ticked(_("Conditions"), "conditions"),
        _list_line(_("Medicines"), _medicines(history, words), "medicines", "medicines"),
        _list_line(
            _("Allergies"),
            _allergies(history, words),
            "allergies",
            "allergies",
            alert=has_allergies(history),
        ),
        Line(
            _("What happened, with the allergy"),
            history.allergy_reaction,
            "allergies",
            "allergy_reaction",
        ),
        words.ticked(_("Recent events"), "recent"),
        _list_line(
            _("Earlier aesthetic treatments"),
            [in_words(one) for one in history.procedures],
            "recent",
            "procedures",
        ),
        words.ticked(_("Skin"), "skin"),
        Line(_("Cold sores"), _yes_no(history.cold_sores), "skin", "cold_sores"),
        Line(_("Fear of needles"), _yes_no(history.fear_of_needles), "hopes", "fear_of_needles"),
        words.ticked(_("Needles and appearance"), "hopes"),
        Line(
            _("Questionnaires on appearance"),
            _psychology(history.psychology),
            "hopes",
            "psychology",
        ),
        Line(_("What you hope for"), history.expectations, "hopes", "expectations"),
    ]


UNASKED_IF_EMPTY = ("psychology", "allergy_reaction")


def lines_to_check(history: History) -> list[Line]:
    """The lines that the patient checks: without what is only asked where there is a reason."""
    return [one for one in lines(history) if one.value or one.field not in UNASKED_IF_EMPTY]


class _Words:
    """The codes of one history in words, page by page; a code whose question is gone stays."""

    def __init__(self, history: History, known: Iterable[Question]) -> None:
        self.history = history
        self.by_code = {(_family(one.kind), one.code): one for one in known}

    def ticked(self, name: str | Promise, step: str) -> Line:
        """The conditions and events of one page."""
        codes = [code for code in self.history.conditions if self._step(code) == step]
        return _list_line(name, self.listed(codes, ""), step, "conditions")

    def _step(self, code: str) -> str:
        known = self.by_code.get(("", code))
        return known.step if known else "conditions"

    def listed(self, codes: Iterable[str], family: str) -> list[str]:
        """Each code in words, with what else was said about it."""
        return [self._said(code, family) for code in codes]

    def _said(self, code: str, family: str) -> str:
        known = self.by_code.get((family, code))
        name = known.name if known else code
        detail = self.history.details.get(code, {})
        day = parse_date(detail["on"]) if detail.get("on") else None
        more = [part for part in (clinical_date(day) if day else "", detail.get("text")) if part]
        return f"{name} ({', '.join(more)})" if more else name


def _family(kind: str) -> str:
    """Conditions and events share one list; medicines and allergies have their own."""
    return kind if kind in KINDS.values() else ""


def _list_line(
    name: str | Promise, items: list[str], step: str, field: str, *, alert: bool = False
) -> Line:
    return Line(name, "; ".join(items), step, field, alert=alert, items=tuple(items))


def _pregnancy_lines(history: History) -> list[Line]:
    apart = asks_breastfeeding_apart(history)
    never = history.pregnancy_applies is False
    name = _("Pregnant") if apart else _("Pregnant or breastfeeding")
    found = [
        Line(
            name,
            _asked(history.pregnant, never),
            "pregnancy",
            "pregnant",
            alert=bool(history.pregnant),
        )
    ]
    value = _asked(history.breastfeeding, never)
    if not apart and history.pregnant is not None:
        value = str(_("Asked together with pregnancy"))
    alert = bool(history.breastfeeding)
    return [*found, Line(_("Breastfeeding"), value, "pregnancy", "breastfeeding", alert=alert)]


def _asked(answer: bool | None, never: bool) -> str:
    """Yes or no; "does not apply" where the patient said so; else that it was not asked."""
    if answer is None:
        return str(_("Does not apply") if never else _("Not asked"))
    return _yes_no(answer)


def compared(now: History, before: History) -> list[Pair]:
    """Every fact of two versions side by side, in the order of the questionnaire."""
    return [
        Pair(new.name, old.value, new.value, new.value != old.value)
        for new, old in zip(lines(now), lines(before), strict=True)
    ]


def changed_since(history: History, previous: History) -> list[Change]:
    """The facts that differ from an earlier version, in the order of the questionnaire."""
    return [
        Change(
            new.name,
            old.value,
            new.value,
            new=tuple(item for item in new.items if item not in old.items),
            gone=tuple(item for item in old.items if item not in new.items),
        )
        for new, old in zip(lines(history), lines(previous), strict=True)
        if new.value != old.value
    ]


def has_allergies(history: History) -> bool:
    """Whether any allergy was named."""
    return bool(history.allergies or history.other_allergies)


def allergies(history: History) -> str:
    """The allergies in words; 'none known' only when that was said."""
    return ", ".join(_allergies(history, _Words(history, questions(ALLERGY))))


def _allergies(history: History, words: _Words) -> list[str]:
    named = words.listed(history.allergies, ALLERGY)
    both = [part for part in (*named, history.other_allergies) if part]
    if both:
        return both
    return [str(_("None known"))] if history.no_known_allergies else []


def _medicines(history: History, words: _Words) -> list[str]:
    named = words.listed(history.medicines, MEDICINE)
    return [part for part in (*named, history.medicines_text) if part]


def _psychology(said: Mapping[str, Any]) -> str:
    parts = []
    if said.get("bddq") is not None:
        positive = bddq_positive(said["bddq"])
        parts.append(gettext("BDDQ-AS positive") if positive else gettext("BDDQ-AS negative"))
    if said.get("cops") is not None:
        parts.append(gettext("COPS %(total)s of 72") % {"total": said["cops"]})
    return "; ".join(parts)


def _weight(weight: Decimal | None) -> str:
    return f"{number_format(weight.normalize())} kg" if weight is not None else ""


def _yes_no(answer: Any) -> str:
    if answer is None:
        return ""
    return str(_("Yes") if answer else _("No"))
