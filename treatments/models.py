"""The models of every room of this wing."""

from treatments.arrival.models import Tablet
from treatments.catalogue.models import (
    AdverseEventType,
    AdviceBlock,
    Anaesthetic,
    Area,
    CheckInSign,
    CheckInTime,
    Contraindication,
    Incompatibility,
    Ingredient,
    Lot,
    Modality,
    NoteTemplate,
    Product,
    Protocol,
    RiskLine,
    Scale,
    Source,
    Substance,
    Technique,
)
from treatments.consents.models import (
    Consent,
    ConsentAttendant,
    ConsentQuestion,
    ConsentTemplate,
    ConsentWords,
)
from treatments.consultations.models import ChartMark, Consultation, ConsultationAddendum
from treatments.courses.models import PlannedVisit
from treatments.diary.models import Appointment, Block, FreedTime, Service
from treatments.diary.notices import Notice
from treatments.feeds.models import Feed
from treatments.mixes.models import Syringe
from treatments.online.models import VisitRequest
from treatments.plans.models import MixLine, Phase, Plan, PlanArea, StopAnswer, StopRule
from treatments.scales.models import Score
from treatments.screening.models import Override
from treatments.sessions.models import (
    Anaesthesia,
    MixComponent,
    Session,
    SessionAddendum,
    TreatedArea,
)
from treatments.stock.models import Movement, OpenContainer, PackageCode, StockLevel
from treatments.waiting.models import WaitingEntry, WaitingOffer

__all__ = [
    "AdverseEventType",
    "AdviceBlock",
    "Anaesthesia",
    "Anaesthetic",
    "Appointment",
    "Area",
    "Block",
    "ChartMark",
    "CheckInSign",
    "CheckInTime",
    "Consent",
    "ConsentAttendant",
    "ConsentQuestion",
    "ConsentTemplate",
    "ConsentWords",
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
    "Movement",
    "NoteTemplate",
    "Notice",
    "OpenContainer",
    "Override",
    "PackageCode",
    "Phase",
    "Plan",
    "PlanArea",
    "PlannedVisit",
    "Product",
    "Protocol",
    "RiskLine",
    "Scale",
    "Score",
    "Service",
    "Session",
    "SessionAddendum",
    "Source",
    "StockLevel",
    "StopAnswer",
    "StopRule",
    "Substance",
    "Syringe",
    "Tablet",
    "Technique",
    "TreatedArea",
    "VisitRequest",
    "WaitingEntry",
    "WaitingOffer",
]
