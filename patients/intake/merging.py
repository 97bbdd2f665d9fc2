"""The history's part in a merge: what either file says counts, in the most careful reading.

A version that takes both together is handed in for the kept file, so that everything that reads
the newest history sees it, asks for a review, and lets a physician decide anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from patients.intake.bddq import is_positive
from patients.intake.facts import (
    APART,
    STEPS,
    asks_breastfeeding_apart,
    draft_of,
    latest_history,
)
from patients.intake.models import History
from patients.registry.merge_parts import Part
from patients.registry.models import Patient

LISTS = ("conditions", "medicines", "allergies", "procedures")
TEXTS = ("other_allergies", "allergy_reaction", "medicines_text", "expectations")
TICKS = ("fear_of_needles", "cold_sores")


def most_careful(one: History, other: History) -> dict[str, Any]:
    """What two histories say together: every condition, medicine and allergy of either.

    The lower weight, since limits rise with it; pregnant if either says so, and unknown if either
    leaves it open; no known allergies only if both say so; of two days for one event the later.
    """
    both = (one, other)
    taken: dict[str, Any] = {name: _union(getattr(h, name) for h in both) for name in LISTS}
    taken |= {name: _joined(getattr(h, name) for h in both) for name in TEXTS}
    taken |= {name: any(getattr(h, name) for h in both) for name in TICKS}
    weights = [h.weight_kg for h in both if h.weight_kg is not None]
    return taken | {
        "weight_kg": min(weights, default=None),
        "pregnancy_applies": _either(h.pregnancy_applies for h in both),
        "pregnant": _either(h.pregnant for h in both),
        "breastfeeding": _either(_breastfeeding(h) for h in both),
        "no_known_allergies": one.no_known_allergies and other.no_known_allergies,
        "details": _details(one.details, other.details),
        "psychology": max((h.psychology for h in both), key=_gravity),
    }


def _either(answers: Iterable[bool | None]) -> bool | None:
    """Yes if either says so; not known if either leaves it open."""
    given = list(answers)
    return True if True in given else None if None in given else False


def _breastfeeding(history: History) -> bool | None:
    if asks_breastfeeding_apart(history) or history.pregnant is None:
        return history.breastfeeding
    return False


def _details(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for code in [*one, *(code for code in other if code not in one)]:
        said = [given.get(code, {}) for given in (one, other)]
        days = [detail["on"] for detail in said if detail.get("on")]
        text = _joined(detail.get("text", "") for detail in said)
        found[code] = ({"on": max(days)} if days else {}) | ({"text": text} if text else {})
    return found


def _gravity(psychology: dict[str, Any]) -> int:
    return {True: 2, False: 1, None: 0}[is_positive(psychology)]


def _union(lists: Iterable[Iterable[Any]]) -> list[Any]:
    found: list[Any] = []
    for item in (item for items in lists for item in items):
        if item not in found:
            found.append(item)
    return found


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(text for text in texts if text))


def join(by: Staff, merged: Patient, survivor: Patient) -> dict[str, Any]:
    """Hand in what both files say together, and ask anew what a draft of the kept one has asked."""
    theirs, own = latest_history(merged), latest_history(survivor)
    if theirs is None:
        return {}
    files = Patient.objects.filter(pk__in=[merged.pk, survivor.pk])
    newest = History.objects.filter(patient__in=files).aggregate(last=Max("version"))["last"]
    history = History(
        patient=survivor,
        version=newest + 1,
        origin=History.Origin.MERGE,
        answers={"done": list(STEPS), "edition": APART},
        submitted_at=max(h.submitted_at for h in (theirs, own) if h and h.submitted_at),
        **most_careful(own or theirs, theirs),
    )
    _refuse_too_long(history)
    noted = _ask_again(survivor, history) | {"made": 0}
    history.save()
    return noted | {"made": history.pk}


def _refuse_too_long(history: History) -> None:
    for name in TEXTS:
        longest = getattr(History._meta.get_field(name), "max_length", None)
        if longest and len(getattr(history, name)) > longest:
            text = _("What the two histories say together is too long. Ask one of them anew first.")
            raise ActionRefused(text)


def _ask_again(survivor: Patient, history: History) -> dict[str, Any]:
    """A draft would outlive the new version without knowing it: it is asked anew, from both."""
    draft = draft_of(survivor)
    if draft is None:
        return {}
    before = {name: getattr(draft, name) for name in (*LISTS, *TEXTS, "details")}
    draft.details = _details(draft.details, history.details)
    for name in LISTS:
        setattr(draft, name, _union([getattr(draft, name), getattr(history, name)]))
    for name in TEXTS:
        setattr(draft, name, _joined([getattr(draft, name), getattr(history, name)]))
    _refuse_too_long(draft)
    draft.version = history.version + 1
    draft.answers = _asked_anew(draft)
    draft.save(update_fields=[*LISTS, *TEXTS, "details", "version", "answers"])
    after = {name: getattr(draft, name) for name in before}
    return {"draft": draft.pk, "changed": {name: [before[name], after[name]] for name in before}}


def part(survivor: Patient, noted: dict[str, Any]) -> None:
    """Withdraw the version that was taken together; ask a draft's questions anew without it.

    What somebody has changed in the draft since is left as it is: it will be asked again.
    """
    made = History.objects.filter(pk=noted.get("made", 0), withdrawn_at__isnull=True)
    made.update(withdrawn_at=timezone.now())
    draft = History.objects.filter(pk=noted.get("draft", 0), submitted_at__isnull=True).first()
    if draft is None:
        return
    for name, (before, after) in noted["changed"].items():
        if getattr(draft, name) == after:
            setattr(draft, name, before)
    draft.answers = _asked_anew(draft)
    draft.save(update_fields=[*LISTS, *TEXTS, "details", "answers"])


def _asked_anew(draft: History) -> dict[str, Any]:
    """Nothing counts as answered; a half-filled page would hide what was joined."""
    return {key: kept for key, kept in draft.answers.items() if key != "partial"} | {"done": []}


PART = Part(room="intake", join=join, part=part)
