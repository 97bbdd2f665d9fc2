"""The models of every room of this wing."""

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
from treatments.diary.models import Appointment, Block, Service
from treatments.diary.notices import Notice
from treatments.plans.models import MixLine, Phase, Plan, PlanArea
from treatments.screening.models import Override
from treatments.sessions.models import (
    Anaesthesia,
    MixComponent,
    Session,
    SessionAddendum,
    TreatedArea,
)

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
    "Product",
    "Protocol",
    "RiskLine",
    "Scale",
    "Service",
    "Session",
    "SessionAddendum",
    "Source",
    "Substance",
    "Technique",
    "TreatedArea",
]
