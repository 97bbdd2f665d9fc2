"""What a session is made of, as it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from patients.intake.facts import latest_history
from patients.intake.models import History
from treatments.mixes.models import Syringe
from treatments.plans.models import Plan
from treatments.sessions.models import Anaesthesia, MixComponent, Session, TreatedArea


@dataclass(frozen=True)
class Parts:
    """The areas, the mix, the creams and the syringes of a session, read once: everything that is
    asked about a session is asked of these.
    """

    session: Session
    areas: list[TreatedArea]
    mix: list[MixComponent]
    creams: list[Anaesthesia]
    syringes: list[Syringe]

    @classmethod
    def of(cls, session: Session) -> Parts:
        """As of now; a number of queries that does not grow with the rows."""
        return cls(
            session=session,
            areas=list(
                session.treated_areas.select_related("area", "technique", "device", "syringe")
            ),
            mix=list(
                session.mix.select_related("lot__product", "syringe").prefetch_related(
                    "lot__product__ingredients__substance"
                )
            ),
            creams=list(session.anaesthesia.select_related("anaesthetic", "lot").order_by("pk")),
            syringes=list(session.syringes.all()),
        )

    @cached_property
    def last(self) -> Session | None:
        """The last signed session of the same plan before this one."""
        return last_signed(self.session.plan, before=self.session.number)

    @cached_property
    def history(self) -> History | None:
        """The patient's newest history handed in."""
        return latest_history(self.session.patient)


def last_signed(plan: Plan, *, before: int) -> Session | None:
    """The last signed session of a plan with a lower number."""
    found: Session | None = (
        Session.objects.filter(plan=plan, number__lt=before, signed_at__isnull=False)
        .select_related("location")
        .order_by("-number")
        .first()
    )
    return found
