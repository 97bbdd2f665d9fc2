"""Whether a session may start: what stands in its way, and where the cure is."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from clinic.errors import ActionRefused
from clinic.places.models import Location
from patients.intake.facts import latest_history
from patients.registry.models import Patient
from treatments.catalogue.models import Anaesthetic, Area, Product, Technique
from treatments.consents.coverage import Coverage, coverage
from treatments.plans.course import shares_of, total
from treatments.plans.models import Plan
from treatments.plans.reading import mixtures_of
from treatments.screening.actions import blocking, screen_patient
from treatments.screening.engine import Proposal, Verdict


@dataclass(frozen=True)
class Obstacle:
    """One reason why not. `cure` names the page that helps: plan, consent, history, screening."""

    cure: str
    message: str


class NotReady(ActionRefused):
    """Refused for one or more reasons, each with its cure."""

    def __init__(self, obstacles: Iterable[Obstacle]) -> None:
        self.obstacles = list(obstacles)
        super().__init__(" ".join(obstacle.message for obstacle in self.obstacles))


def obstacles(
    plan: Plan,
    number: int,
    location: Location,
    at: datetime,
    verdicts: list[Verdict] | None = None,
) -> list[Obstacle]:
    """Everything that stops session `number` of a plan from starting.

    `verdicts`: what `planned_verdicts` says at that moment, if it was asked already.
    """
    if verdicts is None:
        verdicts = planned_verdicts(plan, number, location, at)
    return [
        *_plan_obstacles(plan, number),
        *consent_obstacles(coverage(plan.patient, plan, at)),
        # Without a history screening says the same again.
        *(_history_obstacles(plan.patient) or screening_obstacles(verdicts)),
    ]


def planned_verdicts(plan: Plan, number: int, location: Location, at: datetime) -> list[Verdict]:
    """What screening says of what session `number` is going to give."""
    proposal = planned_proposal(plan, number, location)
    return screen_patient(patient=plan.patient, proposal=proposal, at=at, zone=location.zone)


def _plan_obstacles(plan: Plan, number: int) -> list[Obstacle]:
    if plan.state == Plan.State.DRAFT:
        return [Obstacle("plan", _("The plan has not been accepted yet."))]
    if plan.state != Plan.State.ACCEPTED:
        return [Obstacle("plan", _("This plan has ended. Make a new one to go on."))]
    planned = total(plan.phases.all())
    if number > planned:
        text = _("This would be session %(number)s, but the plan holds %(planned)s.")
        return [Obstacle("plan", text % {"number": number, "planned": planned})]
    return []


def consent_obstacles(found: Coverage) -> list[Obstacle]:
    """What the consent lacks, in words."""
    words = {
        "missing": _("There is no consent for this plan."),
        "unsigned": _("The consent for this plan is not signed yet."),
        "expired": _("The consent’s wording has been renewed since it was signed. Ask again."),
        "withdrawn": _("The patient has withdrawn the consent."),
        "age": _("The consent was signed for another age of the patient. Ask again."),
        "partial": _("The consent does not cover everything in this plan: %(missing)s."),
    }
    if str(found.state) == "covered":
        return []
    text = words[str(found.state)] % {"missing": ", ".join(found.missing)}
    return [Obstacle("consent", text)]


def _history_obstacles(patient: Patient) -> list[Obstacle]:
    if latest_history(patient) is None:
        return [Obstacle("history", _("The patient has not handed in a medical history."))]
    return []


def screening_obstacles(verdicts: list[Verdict]) -> list[Obstacle]:
    """Verdicts that stop the needle and were not decided by a physician."""
    return [
        Obstacle("screening", _("Screening: %(title)s") % {"title": verdict.title})
        for verdict in blocking(verdicts)
    ]


def planned_proposal(plan: Plan, number: int, location: Location) -> Proposal:
    """What session `number` is going to give, by the plan."""
    areas = plan.areas.select_related("area", "technique")
    lines = plan.mix.select_related("product").prefetch_related("product__ingredients__substance")
    return proposal_of(
        mixtures=mixtures_of(lines, [number]),
        products=[line.product for line in shares_of(lines, number)],
        techniques=[part.technique for part in areas],
        areas=[part.area for part in areas],
        location=location,
    )


def proposal_of(
    *,
    products: Iterable[Product],
    techniques: Iterable[Technique],
    areas: Iterable[Area],
    location: Location,
    creams: Iterable[Anaesthetic] = (),
    mixtures: Collection[Collection[str]] = (),
) -> Proposal:
    """The codes that screening looks at. `mixtures`: the products of each syringe."""
    used, drawn = list(techniques), list(products)
    return Proposal(
        substances=sorted({i.substance.code for p in drawn for i in p.ingredients.all()}),
        techniques=sorted({technique.code for technique in used}),
        areas=sorted({area.code for area in areas}),
        uses_current=any(technique.uses_current for technique in used),
        country=location.country_id,
        anaesthetics=sorted({cream.code for cream in creams}),
        products=sorted({product.code for product in drawn}),
        mixtures=mixtures,
    )
