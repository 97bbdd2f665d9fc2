"""One of everything for a patient, every text of it carrying a canary."""

from __future__ import annotations

import io
import secrets
import zipfile
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from aftercare.safety.models import (
    AdverseEvent,
    EventReport,
    LookBack,
    LookBackCase,
    LookBackPlace,
    Recall,
    RecallContact,
)
from aftercare.sheets.models import Sheet, SheetWords
from aftercare.watch.models import Call, CheckIn
from clinic.access.models import Staff
from clinic.places.models import DayHours, Device, Location, LocationDay
from patients.documents.models import Document
from patients.intake.models import History
from patients.messages.models import Message
from patients.photos.models import Photo, PhotoPermission, PhotoShare, Use
from patients.portal.actions import token_hash
from patients.portal.models import Link, Passkey
from patients.registry.models import Merge, Patient
from patients.rights.models import Export, RightsRequest
from tests.conftest import make_patient
from tests.patients.software_key import Device as Key
from treatments.arrival.models import Tablet
from treatments.catalogue.models import AdverseEventType, Area, Lot, Product, Technique
from treatments.consents.models import Consent, ConsentQuestion
from treatments.consultations.models import ChartMark, Consultation
from treatments.courses.models import PlannedVisit
from treatments.diary.models import Appointment, Block, FreedTime, Service
from treatments.feeds.actions import secret_hash
from treatments.feeds.models import Feed
from treatments.mixes.models import Syringe
from treatments.online.models import VisitRequest
from treatments.plans.models import Phase, Plan, PlanArea, StopRule
from treatments.sessions.models import Session, TreatedArea
from treatments.stock.models import OpenContainer
from treatments.waiting.models import WaitingEntry, WaitingOffer


@dataclass
class World:
    """A patient's whole file at one location.

    `canary` stands in everything that says who they are, `secret` in every clinical text.
    """

    place: Location
    practitioner: Staff
    canary: str
    secret: str
    patient: Patient
    token: str
    arguments: dict[str, dict[str, Any]] = field(default_factory=dict)


def make_world(place: Location, practitioner: Staff, service: Service) -> World:
    """Everything that can be stored about one patient, each text with a unique canary."""
    canary, secret = f"WHO{secrets.token_hex(6)}", f"CLINICAL{secrets.token_hex(6)}"
    patient = make_patient(
        place, f"Given{canary}", f"Family{canary}", email=f"{canary.lower()}@example.org"
    )
    token = secrets.token_urlsafe(32)
    world = World(place, practitioner, canary, secret, patient, token)
    at = timezone.now()
    visit_day = at + timedelta(days=7 + Appointment.objects.count())
    history = History.objects.create(
        patient=patient,
        version=1,
        origin="link",
        conditions=["pregnancy"],
        allergies=[],
        no_known_allergies=True,
        other_allergies=canary,
        medicines_text=secret,
        weight_kg=Decimal(70),
        pregnant=False,
        expectations=secret,
        signed_name=secret,
        submitted_at=at,
    )
    appointment = Appointment.objects.create(
        location=place,
        patient=patient,
        practitioner=practitioner,
        room=place.rooms.first(),
        service=service,
        starts_at=visit_day,
        ends_at=visit_day + timedelta(minutes=45),
        cancel_reason=canary,
    )
    entry, offer, freed, asked = _waiting(appointment, canary)
    consultation = Consultation.objects.create(
        patient=patient,
        location=place,
        practitioner=practitioner,
        concern=secret,
        examination=secret,
        discussion=secret,
        alternatives=secret,
        advice=secret,
        decision_reason=secret,
        refer_to=secret,
        areas=["cheek"],
        findings=[{"area": "cheek", "side": "left", "signs": ["pigment"], "words": secret}],
    )
    ChartMark.objects.create(
        consultation=consultation,
        key=uuid4(),
        chart="face-front",
        kind="pin",
        words=secret,
        points=[[0.5, 0.5]],
    )
    plan = Plan.objects.create(
        patient=patient,
        location=place,
        consultation=consultation,
        indication="face",
        title=secret,
        made_by=practitioner,
    )
    Phase.objects.create(
        plan=plan, position=1, kind="induction", sessions=4, gap_min_days=14, gap_max_days=21
    )
    rule = StopRule.objects.create(plan=plan, position=1, kind="other", words=secret)
    area = Area.objects.current().get(code="cheek")
    technique = Technique.objects.current().first()
    figures = {"depth_mm": 2, "ml_per_point": Decimal("0.02")}
    PlanArea.objects.create(
        plan=plan, area=area, side="left", technique=technique, points=10, **figures
    )
    planned_visit = PlannedVisit.objects.create(
        plan=plan, appointment=appointment, gap_reason=secret, gap_allowed_by=practitioner
    )
    document = _document(patient, secret)
    photo = _photo(patient, place, practitioner, secret)
    consent = Consent.objects.create(
        patient=patient,
        plan=plan,
        language="en",
        template_version="1",
        html=f"<p>{secret}</p>",
        text_sha256="0" * 64,
        statements=[{"code": "a", "text": secret}],
        ready_to_read_at=at,
        prepared_by=practitioner,
    )
    question = ConsentQuestion.objects.create(consent=consent, text=secret, asked_at=at)
    session = Session.objects.create(
        patient=patient,
        location=place,
        plan=plan,
        consent=consent,
        practitioner=practitioner,
        number=1,
        history_version=1,
        started_at=at,
        observation=secret,
        antiseptic=secret,
        adverse_events=secret,
    )
    TreatedArea.objects.create(
        session=session,
        area=area,
        side="left",
        chart="face-front",
        technique=technique,
        points=[[0.6, 0.5]],
        **figures,
    )
    syringe = Syringe.objects.create(session=session, label="A", pharmacy=secret)
    signed = Session.objects.create(
        patient=patient,
        location=place,
        plan=plan,
        consent=consent,
        practitioner=practitioner,
        number=2,
        history_version=1,
        started_at=at,
        observation=secret,
        antiseptic=secret,
        adverse_events=secret,
        signed_at=at,
        signed_by=practitioner,
    )
    sheet = Sheet.objects.create(
        patient=patient,
        session=signed,
        language="en",
        document=document,
        content={
            "lines": [{"section": "avoid", "text": secret, "topic": "a"}],
            "areas": [secret],
            "techniques": [secret],
            "products": [],
            "treated_at": at.isoformat(),
            "next_visit": "",
            "initials": "GF",
            "clinic": place.name,
            "phone": place.phone,
            "phone_out_of_hours": place.phone_out_of_hours,
            "emergency_number": "112",
            "zone": place.timezone,
        },
    )
    message = Message.objects.create(
        patient=patient,
        kind="link",
        key=canary,
        channel="email",
        language="en",
        recipient=patient.email,
        subject="Your clinic",
        body=secret,
        due_at=at,
        state="failed",
        error=canary,
    )
    check_in = CheckIn.objects.create(
        patient=patient, session=signed, step="24h", due_at=at, state="open"
    )
    answered = CheckIn.objects.create(
        patient=patient,
        session=signed,
        step="72h",
        due_at=at,
        state="answered",
        answered_at=at,
        colour="red",
        signs=["infection"],
        note=secret,
    )
    call = Call.objects.create(
        patient=patient, location=place, check_in=answered, is_red=True, due_at=at
    )
    Link.objects.create(
        patient=patient, token_hash=token_hash(token), expires_at=at + timedelta(days=7)
    )
    lot = Lot.objects.create(
        location=place,
        product=Product.objects.current().first(),
        number=f"LOT{canary}",
        expires_on=date(2030, 1, 1),
        quantity_ml=10,
    )
    container = OpenContainer.objects.create(
        lot=lot,
        opened_at=at,
        opened_by=practitioner,
        discard_by=at + timedelta(hours=24),
        held_ml=5,
        left_ml=2,
    )
    device = Device.objects.create(
        location=place, kind="mesogun", make=canary, model="1", serial_number=canary
    )
    far = date(2030, 1, 2) + timedelta(days=LocationDay.objects.count())
    day = LocationDay.objects.create(location=place, day=far, reason=canary)
    own_day = DayHours.objects.create(staff=practitioner, location=place, day=far, reason=canary)
    leave = Block.objects.create(
        location=place,
        staff=practitioner,
        kind="leave",
        starts_at=at + timedelta(days=1_000),
        ends_at=at + timedelta(days=1_001),
        reason=canary,
    )
    block = Block.objects.create(
        location=place,
        staff=practitioner,
        starts_at=visit_day + timedelta(hours=1),
        ends_at=visit_day + timedelta(hours=2),
        reason=canary,
    )
    tablet = Tablet.objects.create(
        location=place, name="Entrance", token_hash=canary, made_by=practitioner, made_at=at
    )
    merge = _merge(patient, place, practitioner, canary)
    feed = secrets.token_urlsafe(32)
    values = {"token_hash": secret_hash(feed), "made_by": practitioner}
    Feed.objects.get_or_create(staff=practitioner, defaults=values)
    event, report, recall, contact, case = _safety(signed, message, canary)
    passkey = Passkey.objects.create(
        patient=patient,
        credential_id=canary.encode(),
        credential=Key(credential_id=canary.encode()).credential,
        name=canary,
    )
    PhotoShare.objects.create(patient=patient, photo=photo, shared_at=at, shared_by=practitioner)
    asked_about = RightsRequest.objects.create(
        patient=patient, kind="erasure", words=canary, due_on=at.date() + timedelta(days=30)
    )
    export = _export(patient, document, secret)
    of_patient = {"number": patient.number}
    world.arguments = {
        "patient": of_patient,
        "merge": of_patient | {"pk": merge.pk},
        "feed": {"token": feed},
        "feed_change": {"kind": "staff", "pk": practitioner.pk},
        "history": of_patient | {"version": history.version, "pk": history.pk},
        "appointment": of_patient | {"pk": appointment.pk, "appointment_id": appointment.pk},
        "waiting": of_patient | {"pk": entry.pk},
        "waiting_offer": {"pk": offer.pk},
        "freed": {"pk": freed.pk},
        "consultation": of_patient | {"consultation_id": consultation.pk},
        "plan": of_patient | {"plan_id": plan.pk, "pk": plan.pk, "rule_id": rule.pk},
        "course": of_patient | {"plan_id": plan.pk, "pk": planned_visit.appointment_id},
        "consent": of_patient
        | {"consent_id": consent.pk, "plan_id": plan.pk, "question_id": question.pk}
        | {"role": "witness"},
        "session": of_patient | {"pk": session.pk, "session_id": signed.pk, "plan_id": plan.pk},
        "signed": of_patient | {"pk": signed.pk},
        "syringe": of_patient | {"pk": syringe.pk},
        "document": of_patient | {"public_id": document.public_id, "pk": document.pk},
        "photo": of_patient | {"public_id": photo.public_id},
        "sheet": of_patient | {"pk": sheet.pk, "session_id": signed.pk},
        "message": of_patient | {"pk": message.pk},
        "rights": of_patient | {"pk": asked_about.pk},
        "export": of_patient | {"public_id": export.public_id},
        "my_export": {"token": token, "public_id": export.public_id},
        "my_passkey": {"token": token, "pk": passkey.pk},
        "check_in": {"pk": check_in.pk},
        "call": of_patient | {"pk": call.pk, "session_id": signed.pk},
        "event": of_patient | {"pk": event.pk, "session_id": signed.pk, "report_id": report.pk},
        "recall": {"pk": recall.pk},
        "contact": {"pk": contact.pk},
        "look_back": {"pk": case.look_back_id, "case_id": case.pk},
        "block": {"pk": block.pk},
        "lot": {"pk": lot.pk},
        "container": {"pk": container.pk},
        "product": {"code": "ha-1"},
        "tablet": {"pk": tablet.pk},
        "device": {"pk": device.pk},
        "room": {"pk": place.rooms.first().pk},
        "place": {"pk": place.pk},
        "location_day": {"pk": day.pk},
        "own_day": {"pk": own_day.pk},
        "leave": {"pk": leave.pk},
        "service": {"pk": service.pk},
        "staff": {"pk": practitioner.pk},
        "row": {"kind": "areas", "code": "cheek", "version": 1},
        "my": {"token": token},
        "gateway": {"secret": "not-the-secret"},
        "words": {"kind": "reminder", "language": "en"},
        "consent_text": {"code": "fr-fr", "version": 1, "language": "ar"},
        "advice": {"code": "base-touch", "version": 1, "language": _arabic_words().code},
        "my_document": {"token": token, "public_id": document.public_id},
        "my_photo": {"token": token, "use": "teaching", "public_id": photo.public_id},
        "my_sheet": {"token": token, "pk": sheet.pk},
        "my_consent": {"token": token, "consent_id": consent.pk, "role": "witness"},
        "my_check_in": {"token": token, "pk": check_in.pk},
        "my_visit": {"token": token, "pk": appointment.pk, "public_id": asked.public_id},
        "my_offer": {"token": token, "pk": offer.pk},
    }
    return world


def _arabic_words() -> SheetWords:
    """What a sheet says in Arabic, shipped and waiting for approval."""
    row: SheetWords = SheetWords.objects.get(code="ar", version=1)
    return row


def _safety(
    session: Session, message: Message, canary: str
) -> tuple[AdverseEvent, EventReport, Recall, RecallContact, LookBackCase]:
    """An open event with a report, a recall with a letter, a look-back with a case. The manager
    sees all of safety, so that a secret stands in none of it.
    """
    patient, place, by, at = session.patient, session.location, session.practitioner, timezone.now()
    event = AdverseEvent.objects.create(
        patient=patient,
        location=place,
        session=session,
        kind=AdverseEventType.objects.current().get(code="abscess"),
        onset_at=at,
        grade=2,
        relatedness="possible",
        description=canary,
        follow_up_on=at.date(),
        opened_by=by,
    )
    report = EventReport.objects.create(
        event=event, to="maker", document=_document(patient, canary), made_by=by
    )
    recall = Recall.objects.create(
        location=place,
        kind="lot",
        key=["ha-1", f"LOT{canary}"],
        words=canary,
        reason=canary,
        opened_by=by,
        opened_at=at,
    )
    contact = RecallContact.objects.create(
        recall=recall,
        patient=patient,
        exposed_file=patient.pk,
        location=place,
        sessions=1,
        first_at=at,
        last_at=at,
        asked_at=at,
        told_at=at,
        message=message,
        letter=_document(patient, canary),
    )
    question = LookBack.objects.create(
        location=place,
        title=canary,
        since=at.date() - timedelta(days=30),
        until=at.date(),
        made_by=by,
        made_at=at,
    )
    LookBackPlace.objects.create(look_back=question, location=place)
    case = LookBackCase.objects.create(
        look_back=question, patient=patient, onset_on=at.date(), event=event, added_by=by
    )
    return event, report, recall, contact, case


def _waiting(
    appointment: Appointment, canary: str
) -> tuple[WaitingEntry, WaitingOffer, FreedTime, VisitRequest]:
    """Someone who waits with a time held for them, a freed time, and a request made by link."""
    of = {
        "patient": appointment.patient,
        "location": appointment.location,
        "service": appointment.service,
    }
    shift = timedelta(hours=2)
    starts, ends = appointment.starts_at + shift, appointment.ends_at + shift
    held = Appointment.objects.create(
        **of,
        practitioner=appointment.practitioner,
        room=appointment.room,
        starts_at=starts,
        ends_at=ends,
        status=Appointment.Status.HELD,
    )
    entry = WaitingEntry.objects.create(
        **of, from_date=timezone.localdate(), note=canary, state=WaitingEntry.State.OFFERED
    )
    offer = WaitingOffer.objects.create(
        entry=entry,
        patient=appointment.patient,
        appointment=held,
        expires_at=timezone.now() + timedelta(hours=1),
    )
    freed = FreedTime.objects.create(
        location=appointment.location,
        practitioner=appointment.practitioner,
        appointment=appointment,
        starts_at=starts + shift,
        ends_at=ends + shift,
        freed_at=timezone.now(),
        look_at=timezone.now(),
    )
    asked = VisitRequest.objects.create(**of, starts_at=starts)
    return entry, offer, freed, asked


def _merge(patient: Patient, place: Location, by: Staff, canary: str) -> Merge:
    earlier = make_patient(place, f"Earlier{canary}", f"Family{canary}")
    nothing = {"moved": {}, "filled": {}, "locations": [], "repointed": [], "rooms": {}}
    Patient.objects.filter(pk=earlier.pk).update(merged_into=patient)
    return Merge.objects.create(
        survivor=patient, merged=earlier, reason=canary, made_by=by, snapshot=nothing
    )


def _document(patient: Patient, secret: str) -> Document:
    content = f"%PDF-1.7 {secret}".encode()
    name = default_storage.save(uuid4().hex, ContentFile(content))
    return Document.objects.create(
        patient=patient,
        kind="sheet",
        title="Aftercare sheet",
        language="en",
        html=f"<p>{secret}</p>",
        state="ready",
        file_name=name,
        sha256=sha256(content).hexdigest(),
        size=len(content),
        pages=1,
        ready_at=timezone.now(),
        created_by="system",
    )


def _export(patient: Patient, document: Document, secret: str) -> Export:
    """A copy of everything that lies ready, of one piece."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        zipped.writestr("data.json", f'{{"words": "{secret}"}}')
    content, name, at = out.getvalue(), f"exports/{uuid4().hex}", timezone.now()
    default_storage.save(f"{name}-0", ContentFile(content))
    return Export.objects.create(
        patient=patient,
        language="en",
        state=Export.State.READY,
        document=document,
        file_name=name,
        pieces=1,
        size=len(content),
        sha256=sha256(content).hexdigest(),
        ready_at=at - timedelta(hours=1),
        expires_at=at + timedelta(days=6),
    )


def _photo(patient: Patient, place: Location, by: Staff, secret: str) -> Photo:
    """Allowed for the record and for teaching, not for publicity. The manager may see photos, so
    that a secret stands in none of their words; each picture holds one of its own.
    """
    for use in Use.values:
        PhotoPermission.objects.create(
            patient=patient,
            use=use,
            is_given=use != Use.PUBLICITY,
            said_on=timezone.localdate(),
            how="spoken",
            recorded_by=by,
        )
    name = f"photos/{uuid4().hex}"
    content = b"\xff\xd8" + b"PICTURE" + secret.removeprefix("CLINICAL").encode()
    for size in ("full", "screen", "thumb"):
        default_storage.save(f"{name}-{size}", ContentFile(content))
    return Photo.objects.create(
        patient=patient,
        location=place,
        area="face",
        view="front",
        taken_at=timezone.now(),
        dated_by="now",
        taken_by=by,
        width=64,
        height=48,
        size=len(content),
        file_name=name,
        sha256=sha256(content).hexdigest(),
        stored_at=timezone.now(),
    )
