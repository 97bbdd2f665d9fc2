"""What a session is made of, as it is stored."""

from __future__ import annotations

from dataclasses import dataclass

from treatments.mixes.models import Syringe
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
