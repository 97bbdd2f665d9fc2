"""Sessions with chosen lots, rooms, devices and people, written as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from clinic.access.models import Staff
from clinic.places.models import Location
from patients.registry.models import Patient
from tests.conftest import make_patient
from treatments.catalogue.models import Area, Lot, Product, Technique
from treatments.consents.models import Consent
from treatments.diary.models import Appointment, Service
from treatments.plans.models import Plan
from treatments.sessions.models import MixComponent, Session, TreatedArea

AT = datetime(2026, 9, 7, 8, tzinfo=UTC)


def make_lot(place: Location, number: str, code: str = "ha-1") -> Lot:
    """A lot on the shelf."""
    lot: Lot = Lot.objects.create(
        location=place,
        product=Product.objects.current().get(code=code),
        number=number,
        expires_on=date(2028, 1, 1),
        quantity_ml=100,
    )
    return lot


@dataclass
class Clinic:
    """Where sessions happen, and who gives them."""

    place: Location
    practitioner: Staff
    service: Service
    made: int = 0
    plans: dict[int, Plan] = field(default_factory=dict)

    def patient(self, name: str = "", **fields: Any) -> Patient:
        self.made += 1
        return make_patient(self.place, name or f"Given{self.made}", f"Family{self.made}", **fields)

    def plan_of(self, patient: Patient) -> Plan:
        """The one plan of a patient, with a consent."""
        if patient.pk not in self.plans:
            plan = Plan.objects.create(
                patient=patient,
                location=self.place,
                indication="face",
                title="Face course",
                made_by=self.practitioner,
            )
            Consent.objects.create(
                patient=patient,
                plan=plan,
                language="en",
                template_version="1",
                html="<p>read</p>",
                text_sha256="0" * 64,
                ready_to_read_at=AT,
                prepared_by=self.practitioner,
            )
            self.plans[patient.pk] = plan
        return self.plans[patient.pk]

    def session(
        self,
        patient: Patient,
        lots: Sequence[Lot] = (),
        *,
        at: datetime = AT,
        room: Any = None,
        device: Any = None,
        by: Staff | None = None,
        technique: str = "papule",
        signed: bool = True,
    ) -> Session:
        """One session: these lots in one syringe, one area; in a room only with an appointment."""
        plan, who = self.plan_of(patient), by or self.practitioner
        visit = None
        if room is not None:
            visit = Appointment.objects.create(
                location=self.place,
                patient=patient,
                practitioner=who,
                room=room,
                service=self.service,
                starts_at=at,
                ends_at=at + timedelta(minutes=5),
            )
        session = Session.objects.create(
            patient=patient,
            location=self.place,
            plan=plan,
            consent=plan.consents.get(),
            appointment=visit,
            practitioner=who,
            number=plan.sessions.count() + 1,
            history_version=1,
            started_at=at,
            antiseptic="chlorhexidine",
            adverse_events="none",
        )
        for lot in lots:
            MixComponent.objects.create(session=session, lot=lot, ml=Decimal(1))
        TreatedArea.objects.create(
            session=session,
            area=Area.objects.current().get(code="forehead"),
            chart="face-front",
            technique=Technique.objects.current().get(code=technique),
            device=device,
            depth_mm=2,
            ml_per_point=Decimal("0.02"),
            points=[[0.5, 0.4]],
        )
        if signed:
            Session.objects.filter(pk=session.pk).update(
                signed_at=at + timedelta(minutes=30), signed_by=who
            )
            session.refresh_from_db()
        return session


def make_clinic(cast: Any) -> Clinic:
    return Clinic(cast.here, cast.practitioner, cast.treatment)
