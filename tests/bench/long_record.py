"""A patient of many years: by COPY, under the same constraints and triggers as every other row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db import connection, transaction
from django.utils import timezone

from aftercare.demo.bulk import DEMO_DATA, SIGN, copy, ids
from aftercare.sheets.models import Sheet
from aftercare.watch.models import Call, CheckIn
from aftercare.watch.schedule import due_times, steps_of
from clinic.access.models import Staff
from clinic.audit.context import acting
from clinic.places.models import Location
from patients.documents.models import Document
from patients.intake.models import History
from patients.photos.models import Photo, PhotoPermission, Use
from patients.registry.models import Patient, Registration
from treatments.catalogue.models import Area, CheckInTime, Lot, Product, Scale, Technique
from treatments.consents.in_force import TEMPLATE_VERSION
from treatments.consents.models import Consent
from treatments.consultations.models import Consultation
from treatments.mixes.models import Syringe
from treatments.plans.models import MixLine, Phase, Plan, PlanArea
from treatments.scales.models import Score
from treatments.sessions.models import MixComponent, Session, TreatedArea

SPOTS = (("forehead", "none"), ("cheek", "left"), ("cheek", "right"))
PRODUCTS = ("lidocaine-2", "ha-1")
GAP = timedelta(days=14)
VIEWS = ("front", "left-oblique", "right-oblique", "left", "right")


@dataclass
class LongRecord:
    """So many plans, sessions of each, photos of each, and points of each session's areas."""

    place: Location
    doctor: Staff
    plans: int = 10
    sessions_each: int = 8
    photos_each: int = 30
    points: int = 40

    def write(self) -> Patient:
        """The patient with everything, in one transaction."""
        with transaction.atomic(), acting(DEMO_DATA):
            self._ground()
            self.began = timezone.now() - GAP * (self.plans * self.sessions_each + self.plans + 2)
            self.patient = self._patient()
            plans = [self._plan(number) for number in range(self.plans)]
            self._sessions(plans)
            self._photos(plans)
            return self.patient

    def _ground(self) -> None:
        self.areas = {code: Area.objects.current().get(code=code) for code, _side in SPOTS}
        self.technique = Technique.objects.current().get(code="papule")
        self.products = [Product.objects.current().get(code=code) for code in PRODUCTS]
        self.scale = Scale.objects.current().get(code="wsrs")
        self.lots = [
            Lot.objects.create(
                location=self.place,
                product=product,
                number=f"LONG{uuid4().hex[:8]}",
                expires_on=timezone.localdate() + timedelta(days=700),
                quantity_ml=Decimal(4_000),
            )
            for product in self.products
        ]

    def _patient(self) -> Patient:
        at = self.began
        patient = Patient.objects.create(
            created_at=at,
            given_name="Wilhelmina",
            family_name="Longrecord",
            birth_date="1960-02-29",
        )
        Registration.objects.create(created_at=at, patient=patient, location=self.place)
        History.objects.create(
            created_at=at,
            patient=patient,
            version=1,
            origin=History.Origin.LINK,
            no_known_allergies=True,
            weight_kg=Decimal(61),
            pregnant=False,
            submitted_at=at,
            signed_name="Wilhelmina Longrecord",
            reviewed_by=self.doctor,
            reviewed_at=at + timedelta(hours=1),
        )
        PhotoPermission.objects.create(
            created_at=at,
            patient=patient,
            use=Use.RECORD,
            is_given=True,
            said_on=at.date(),
            how="spoken",
            recorded_by=self.doctor,
        )
        return patient

    def _plan(self, number: int) -> tuple[Plan, Consent, datetime]:
        at = self.began + GAP * (number * (self.sessions_each + 1) + 1)
        note = Consultation.objects.create(
            created_at=at,
            patient=self.patient,
            location=self.place,
            practitioner=self.doctor,
            concern="My skin has become dull.",
            indications=["skin-quality"],
            areas=sorted(self.areas),
            examination="Fine lines.",
            fitzpatrick=2,
            decision="suitable",
            history_version=1,
        )
        Score.objects.create(
            created_at=at,
            patient=self.patient,
            scale=self.scale,
            side=Score.Side.LEFT,
            value=Decimal(3),
            taken_at=at,
            taken_by=self.doctor,
            consultation=note,
            closed_at=at + timedelta(minutes=15),
        )
        Consultation.objects.filter(pk=note.pk).update(
            signed_at=at + timedelta(minutes=15), signed_by=self.doctor
        )
        plan = Plan.objects.create(
            created_at=at,
            patient=self.patient,
            location=self.place,
            consultation=note,
            indication="skin-quality",
            title=f"Skin quality, course {number + 1}",
            made_by=self.doctor,
        )
        self._parts(plan, at)
        state = "accepted" if number == self.plans - 1 else "finished"
        Plan.objects.filter(pk=plan.pk).update(state=state, accepted_at=at + timedelta(minutes=20))
        return plan, self._consent(plan, at), at

    def _parts(self, plan: Plan, at: datetime) -> None:
        PlanArea.objects.bulk_create(
            PlanArea(
                created_at=at,
                plan=plan,
                area=self.areas[code],
                side=side,
                technique=self.technique,
                depth_mm=Decimal("1.5"),
                ml_per_point=Decimal("0.02"),
                points=self.points,
            )
            for code, side in SPOTS
        )
        MixLine.objects.bulk_create(
            MixLine(created_at=at, plan=plan, product=product, ml=Decimal(2))
            for product in self.products
        )
        Phase.objects.create(
            created_at=at,
            plan=plan,
            position=1,
            kind="induction",
            sessions=self.sessions_each + 1,
            gap_min_days=14,
            gap_max_days=21,
        )

    def _consent(self, plan: Plan, at: datetime) -> Consent:
        return Consent.objects.create(
            created_at=at,
            patient=self.patient,
            plan=plan,
            language="en",
            template_version=TEMPLATE_VERSION,
            html="<p>Consent brought over on paper.</p>",
            text_sha256="0" * 64,
            substances=["lidocaine", "hyaluronic-acid"],
            techniques=[self.technique.code],
            areas=sorted(self.areas),
            ready_to_read_at=at,
            prepared_by=self.doctor,
            signed_at=at + timedelta(minutes=30),
            signed_name="Wilhelmina Longrecord",
            method="typed",
        )

    def _sessions(self, plans: list[tuple[Plan, Consent, datetime]]) -> None:
        keys = iter(ids(Session, self.plans * self.sessions_each))
        sessions = [
            self._session(next(keys), plan, consent, number, at + GAP * number)
            for plan, consent, at in plans
            for number in range(1, self.sessions_each + 1)
        ]
        copy(Session, sessions)
        trays = dict(zip((s.pk for s in sessions), ids(Syringe, len(sessions)), strict=True))
        copy(Syringe, [self._syringe(trays[one.pk], one) for one in sessions])
        copy(MixComponent, [part for s in sessions for part in self._mix(s, trays[s.pk])])
        copy(TreatedArea, [row for s in sessions for row in self._map(s, trays[s.pk])])
        with connection.cursor() as cursor:
            cursor.execute(SIGN, [[session.pk for session in sessions]])
        copy(CheckIn, [row for session in sessions for row in self._watch(session)])
        self._calls()
        self._sheets(sessions)

    def _session(
        self, pk: int, plan: Plan, consent: Consent, number: int, start: datetime
    ) -> Session:
        return Session(
            pk=pk,
            created_at=start,
            patient=self.patient,
            location=self.place,
            plan=plan,
            consent=consent,
            practitioner=self.doctor,
            number=number,
            history_version=1,
            weight_kg=Decimal(61),
            started_at=start,
            identity_checked_at=start,
            history_confirmed_at=start,
            antiseptic="Chlorhexidine 0.5 % in alcohol",
            cleansed_at=start,
            discarded_ml=Decimal(0),
            observation="Tolerated well; fine papules for ten minutes.",
            adverse_events="none" if number % 4 else "Bruise of 1 cm on the left cheek",
            revision=1,
            saved_at=start,
        )

    def _syringe(self, pk: int, session: Session) -> Syringe:
        return Syringe(
            pk=pk,
            created_at=session.started_at,
            session=session,
            label="A",
            prepared_at=session.started_at,
            prepared_by=self.doctor,
            discard_by=session.started_at + timedelta(hours=1),
            appearance="limpid",
            discarded_ml=Decimal(0),
        )

    def _mix(self, session: Session, syringe: int) -> Iterator[MixComponent]:
        for lot in self.lots:
            yield MixComponent(
                created_at=session.started_at,
                session=session,
                syringe_id=syringe,
                lot=lot,
                ml=Decimal(2),
            )

    def _map(self, session: Session, syringe: int) -> Iterator[TreatedArea]:
        for code, side in SPOTS:
            yield TreatedArea(
                created_at=session.started_at,
                session=session,
                area=self.areas[code],
                side=side,
                chart="face-front",
                technique=self.technique,
                syringe_id=syringe,
                depth_mm=Decimal("1.5"),
                needle_gauge=32,
                needle_mm=Decimal(4),
                ml_per_point=Decimal("0.02"),
                points=[
                    [round(0.3 + n % 8 * 0.02, 4), round(0.3 + n // 8 * 0.02, 4)]
                    for n in range(self.points)
                ],
            )

    def _watch(self, session: Session) -> Iterator[CheckIn]:
        times = steps_of(CheckInTime.objects.current(), ())
        for time, due_at in due_times(session.started_at, self.place.zone, times):
            past = due_at < timezone.now()
            answered = past and time.step in ("24h", "7d")
            red = answered and time.step == "24h" and session.number == 2
            yield CheckIn(
                created_at=session.started_at,
                patient=self.patient,
                session=session,
                step=time.step,
                hours=time.hours,
                time=time,
                due_at=due_at,
                state="answered" if answered else "open" if past else "planned",
                answers={"well": not red, "signs": []} if answered else None,
                colour=("amber" if red else "green") if answered else "",
                answered_at=due_at if answered else None,
            )

    def _calls(self) -> None:
        rows = CheckIn.objects.filter(patient=self.patient, colour="amber")
        Call.objects.bulk_create(
            Call(
                created_at=row.due_at,
                patient=self.patient,
                location=self.place,
                check_in=row,
                is_red=False,
                due_at=row.due_at,
                outcome="Spoke to her; the swelling is going down.",
                done_by=self.doctor,
                done_at=row.due_at + timedelta(hours=3),
            )
            for row in rows
        )

    def _sheets(self, sessions: list[Session]) -> None:
        names = [uuid4() for _session in sessions]
        papers = ids(Document, len(sessions))
        copy(
            Document,
            [
                Document(
                    pk=pk,
                    created_at=session.started_at,
                    patient=self.patient,
                    public_id=name,
                    kind="sheet",
                    title="Aftercare sheet",
                    language="en",
                    html="<p>Aftercare.</p>",
                    state="ready",
                    file_name=f"documents/{name.hex}",
                    sha256="0" * 64,
                    created_by="system",
                )
                for pk, name, session in zip(papers, names, sessions, strict=True)
            ],
        )
        content: dict[str, Any] = {"lines": []}
        copy(
            Sheet,
            [
                Sheet(
                    created_at=session.started_at + timedelta(minutes=41),
                    patient=self.patient,
                    session=session,
                    language="en",
                    content=content,
                    document_id=pk,
                )
                for pk, session in zip(papers, sessions, strict=True)
            ],
        )

    def _photos(self, plans: list[tuple[Plan, Consent, datetime]]) -> None:
        rows = [
            self._photo(at + GAP * (n // len(VIEWS)), VIEWS[n % len(VIEWS)], n)
            for _plan, _consent, at in plans
            for n in range(self.photos_each)
        ]
        copy(Photo, rows)

    def _photo(self, day: datetime, view: str, number: int) -> Photo:
        at = day + timedelta(minutes=5, seconds=number)
        return Photo(
            created_at=at,
            patient=self.patient,
            location=self.place,
            area="face",
            view=view,
            taken_at=at,
            dated_by="now",
            taken_by=self.doctor,
            width=1200,
            height=1600,
            size=400_000,
            file_name=f"photos/{uuid4().hex}",
            sha256="0" * 64,
            stored_at=at,
        )
