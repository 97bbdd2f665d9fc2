"""What the catalogue has asked after a session: when, which signs, on which scale."""

from __future__ import annotations

from decimal import Decimal

from aftercare.sheets.content import treatment_of
from aftercare.watch.models import CheckIn
from aftercare.watch.schedule import BASE, Selectors, steps_of
from aftercare.watch.signs import as_asked, fitting
from treatments.catalogue.models import CheckInSign, CheckInTime, Scale
from treatments.scales.reading import ScaleView
from treatments.sessions.models import Session


def techniques_of(session: Session) -> list[Selectors]:
    """The selectors of each technique used, the technique's own before its group's; one query."""
    used = session.treated_areas.order_by().values_list("technique__code", "technique__sheet_group")
    return [
        [f"technique:{name}" for name in (code, group) if name] for code, group in sorted(set(used))
    ]


def times_of(session: Session) -> list[CheckInTime]:
    """The rows in force that time its check-ins, earliest first; two queries."""
    return steps_of(CheckInTime.objects.current(), techniques_of(session))


def freeze(check_in: CheckIn) -> None:
    """Put into a check-in what it asks from now on, by the rows in force; not yet saved."""
    rows = fitting(
        CheckInSign.objects.current(), selectors_of(check_in.session), hours_of(check_in)
    )
    check_in.asked = as_asked(rows)
    wanted = check_in.time.own_scale if check_in.time else ""
    check_in.own_scale = Scale.objects.current().filter(code=wanted).first() if wanted else None


def selectors_of(session: Session) -> frozenset[str]:
    """Every `applies_to` that fits what was done."""
    done = treatment_of(session).selectors()
    return done | {BASE} | {name for one in techniques_of(session) for name in one}


def hours_of(check_in: CheckIn) -> int:
    """Hours after the treatment; of a check-in from before they were kept, by its due time."""
    if check_in.hours is not None:
        return check_in.hours
    treated_at = check_in.session.treated_at or check_in.session.started_at
    return max(0, int((check_in.due_at - treated_at).total_seconds()) // 3600)


def own_choices(check_in: CheckIn) -> list[tuple[str, str]]:
    """The patient's own score: value and words of each grade; nothing where none is asked."""
    scale = check_in.own_scale
    if scale is None:
        return []
    [item] = ScaleView(scale).items
    return list(item.options)


def is_on_scale(check_in: CheckIn, value: Decimal) -> bool:
    """Whether a value is one of the grades asked for."""
    return any(Decimal(points) == value for points, _words in own_choices(check_in))
