"""The stop rules of a course against what has happened so far.

A rule that is met warns; it stops nothing by itself. A person stops the plan, or says why it goes
on: that answer holds for the fact it was given for, and the next fact asks again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from treatments.catalogue.models import Scale
from treatments.plans.models import Plan, StopAnswer, StopRule
from treatments.plans.reports import Report, reports_of
from treatments.scales.formulas import improvement
from treatments.scales.models import Score


class Measured(Protocol):
    """A closed score: when, on which side, and what it came to."""

    @property
    def taken_at(self) -> datetime: ...
    @property
    def side(self) -> str: ...
    @property
    def value(self) -> Decimal | None: ...


@dataclass(frozen=True)
class Found:
    """What a rule finds: `fact` names it, empty while nothing is met; `words` say it."""

    words: str
    fact: str = ""


@dataclass(frozen=True)
class Standing:
    """A rule, what it finds after `done` sessions, and the answer to just that."""

    rule: StopRule
    words: str
    found: str
    fact: str
    done: int
    answer: StopAnswer | None = None

    @property
    def is_met(self) -> bool:
        """Met, answered or not."""
        return bool(self.fact)

    @property
    def asks(self) -> bool:
        """Met, and nobody has said why the course goes on."""
        return self.is_met and self.answer is None


def standing_of(plan: Plan) -> list[Standing]:
    """Every stop rule of a plan as it stands; what several rules ask for is read once."""
    rules = list(plan.stop_rules.prefetch_related("answers__decided_by"))
    if not rules:
        return []
    known = _known(plan, rules)
    return [_standing(rule, known) for rule in rules]


@dataclass(frozen=True)
class Known:
    """What the rules of a plan look at; each part only where a rule asks for it."""

    begun: Sequence[datetime]
    scales: Mapping[str, Scale]
    scores: Mapping[str, Sequence[Measured]]
    reports: Sequence[Report]
    withdrawn_at: datetime | None
    zone: ZoneInfo


def _known(plan: Plan, rules: Sequence[StopRule]) -> Known:
    kinds = {rule.kind for rule in rules}
    signed = plan.sessions.filter(signed_at__isnull=False).order_by("number")
    codes = {rule.scale for rule in rules if rule.scale}
    scores: dict[str, list[Measured]] = defaultdict(list)
    if codes:
        closed = Score.objects.of_person(plan.patient).closed().filter(scale__code__in=codes)
        for score in closed.select_related("scale"):
            scores[score.scale.code].append(score)
    return Known(
        begun=list(signed.values_list("started_at", flat=True)),
        scales={row.code: row for row in Scale.objects.current().filter(code__in=codes)}
        if codes
        else {},
        scores=scores,
        reports=reports_of(plan) if StopRule.Kind.ADVERSE in kinds else [],
        withdrawn_at=_withdrawn_at(plan) if StopRule.Kind.WISH in kinds else None,
        zone=plan.location.zone,
    )


def _withdrawn_at(plan: Plan) -> datetime | None:
    """When the consent was withdrawn; None where none was, or another was signed since."""
    newest = plan.consents.filter(signed_at__isnull=False).order_by("-pk").first()
    return newest.withdrawn_at if newest else None


def _standing(rule: StopRule, known: Known) -> Standing:
    seen = _found(rule, known)
    answers = {one.fact: one for one in rule.answers.all()}
    return Standing(
        rule=rule,
        words=rule_words(rule, known.scales.get(rule.scale)),
        found=seen.words,
        fact=seen.fact,
        done=len(known.begun),
        answer=answers.get(seen.fact),
    )


def rule_words(rule: StopRule, scale: Scale | None = None) -> str:
    """A rule as a person would say it."""
    if rule.kind == StopRule.Kind.OTHER:
        return rule.words
    said = _no_effect_words(rule, scale) if rule.after_sessions else _plain_words(rule.kind)
    return _("%(rule)s: %(words)s") % {"rule": said, "words": rule.words} if rule.words else said


def _plain_words(kind: str) -> str:
    if kind == StopRule.Kind.ADVERSE:
        return _("Stop at an adverse event")
    return _("Stop when the patient wishes")


def _no_effect_words(rule: StopRule, scale: Scale | None) -> str:
    count = rule.after_sessions or 0
    said = ngettext(
        "Stop if there is no effect after %(count)s session",
        "Stop if there is no effect after %(count)s sessions",
        count,
    ) % {"count": count}
    if not rule.scale:
        return said
    name = scale.name if scale else rule.scale
    if rule.least_percent is None:
        return _("%(said)s, by %(scale)s") % {"said": said, "scale": name}
    text = _("%(said)s: less than %(percent)s %% better by %(scale)s")
    return text % {"said": said, "percent": rule.least_percent, "scale": name}


def _found(rule: StopRule, known: Known) -> Found:
    if rule.kind == StopRule.Kind.ADVERSE:
        return adverse(known.reports, known.zone)
    if rule.kind == StopRule.Kind.WISH:
        return _wish(known.withdrawn_at, known.zone)
    if rule.kind == StopRule.Kind.OTHER:
        return Found("")
    scale = known.scales.get(rule.scale)
    lower = scale.lower_is_better if scale else True
    return no_effect(rule, known.begun, known.scores.get(rule.scale, ()), lower_is_better=lower)


def adverse(reports: Sequence[Report], zone: ZoneInfo) -> Found:
    """Met by the newest report."""
    if not reports:
        return Found(_("None reported so far."))
    last = reports[-1]
    said = {"day": date_format(localtime(last.at, zone), "j F Y"), "words": last.words}
    return Found(_("%(day)s: %(words)s") % said, f"report:{last.at.isoformat()}")


def _wish(withdrawn_at: datetime | None, zone: ZoneInfo) -> Found:
    """Met where the patient has withdrawn the consent and signed none since."""
    if withdrawn_at is None:
        return Found(_("The consent has not been withdrawn."))
    day = date_format(localtime(withdrawn_at, zone), "j F Y")
    said = _("The patient withdrew the consent on %(day)s.") % {"day": day}
    return Found(said, f"withdrawn:{withdrawn_at.isoformat()}")


def no_effect(
    rule: StopRule,
    begun: Sequence[datetime],
    scores: Sequence[Measured],
    *,
    lower_is_better: bool,
) -> Found:
    """Whether the course helps, asked after every `after_sessions` sessions.

    With a scale: the last score before the second session's start is the first, the newest since
    the session that asks is the last; one side that is better by enough is an effect. Where there
    is no scale, or a score is missing, a person judges, so the rule asks.
    """
    count, done = rule.after_sessions or 1, len(begun)
    if done < count:
        return Found(_("%(done)s of %(count)s sessions so far.") % {"done": done, "count": count})
    asks_after = done - done % count
    fact = f"after:{asks_after}"
    if not rule.scale:
        return Found(_("Judge now whether it helps."), fact)
    gained = _gains(begun, asks_after, scores, lower_is_better=lower_is_better)
    if not gained:
        return Found(_("No score before and since to judge by: judge it now."), fact)
    best = max(gained)
    if best > 0 and best >= Decimal(rule.least_percent or 0):
        return Found(_("%(percent)s %% better than at first.") % {"percent": round(best)})
    if best > 0:
        said = _("Only %(percent)s %% better than at first.") % {"percent": round(best)}
    else:
        said = _("Not better than at first.")
    return Found(said, fact)


def _gains(
    begun: Sequence[datetime],
    asks_after: int,
    scores: Sequence[Measured],
    *,
    lower_is_better: bool,
) -> list[Decimal]:
    """The improvement of each side in percent; nothing for a side without both scores."""
    asked, first_until = begun[asks_after - 1], begun[1] if len(begun) > 1 else begun[0]
    sides: dict[str, list[Measured]] = defaultdict(list)
    for score in scores:
        sides[score.side].append(score)
    found = []
    for rows in sides.values():
        before = [one for one in rows if one.taken_at < first_until]
        since = [one for one in rows if one.taken_at >= asked and one not in before[-1:]]
        if not before or not since or before[-1].value is None or since[-1].value is None:
            continue
        gained = improvement(before[-1].value, since[-1].value, lower_is_better=lower_is_better)
        if gained is not None:
            found.append(gained)
    return found
