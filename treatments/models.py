"""The models of every room of this wing."""

from treatments.arrival.models import Tablet
from treatments.catalogue.models import (
    AdverseEventType,
    AdviceBlock,
    Anaesthetic,
    Area,
    Contraindication,
    Incompatibility,
    Ingredient,
    Lot,
    Modality,
    Product,
    Protocol,
    RiskLine,
    Scale,
    Source,
    Substance,
    Technique,
)
from treatments.consents.models import Consent
from treatments.consultations.models import Consultation, ConsultationAddendum
from treatments.courses.models import PlannedVisit
from treatments.diary.models import Appointment, Block, FreedTime, Service
from treatments.diary.notices import Notice
from treatments.feeds.models import Feed
from treatments.mixes.models import Syringe
from treatments.online.models import VisitRequest
from treatments.plans.models import MixLine, Phase, Plan, PlanArea
from treatments.screening.models import Override
from treatments.sessions.models import (
    Anaesthesia,
    MixComponent,
    Session,
    SessionAddendum,
    TreatedArea,
)
from treatments.waiting.models import WaitingEntry, WaitingOffer

__all__ = [
    "AdverseEventType",
    "AdviceBlock",
    "Anaesthesia",
    "Anaesthetic",
    "Appointment",
    "Area",
    "Block",
    "Consent",
    "Consultation",
    "ConsultationAddendum",
    "Contraindication",
    "Feed",
    "FreedTime",
    "Incompatibility",
    "Ingredient",
    "Lot",
    "MixComponent",
    "MixLine",
    "Modality",
    "Notice",
    "Override",
    "Phase",
    "Plan",
    "PlanArea",
    "PlannedVisit",
    "Product",
    "Protocol",
    "RiskLine",
    "Scale",
    "Service",
    "Session",
    "SessionAddendum",
    "Source",
    "Substance",
    "Syringe",
    "Tablet",
    "Technique",
    "TreatedArea",
    "VisitRequest",
    "WaitingEntry",
    "WaitingOffer",
]
