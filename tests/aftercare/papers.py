"""A patient's whole file with every kind of row that is printed, and each kind of document."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from io import BytesIO

from django.db import connection, transaction
from django.utils import timezone, translation
from PIL import Image

from aftercare.outcomes.actions import summarise_course
from aftercare.safety.actions import add_to_event, close_event, open_event
from aftercare.safety.exposures import Exposure
from aftercare.safety.models import AdverseEvent, ExposureKind
from aftercare.safety.recalling import ask_to_tell, open_recall, tell_exposed
from aftercare.safety.record import facts_of
from aftercare.safety.reports import make_report
from aftercare.sheets.actions import give_version
from aftercare.sheets.content import Wish
from aftercare.story.actions import print_record, print_session
from aftercare.watch.models import Call
from clinic.places.models import Device
from clinic.vault import keep
from patients.documents.models import Document
from patients.intake.models import Confirmation, History
from patients.photos.models import Photo
from patients.registry.models import Patient
from tests.bench.long_record import LongRecord
from tests.conftest import Cast
from treatments.catalogue.models import AdverseEventType, Anaesthetic, Area
from treatments.consents.actions import countersign
from treatments.consents.models import Consent, ConsentAttendant, ConsentQuestion
from treatments.consultations.models import Consultation, ConsultationAddendum
from treatments.mixes.models import Syringe
from treatments.screening.models import Override
from treatments.sessions.models import Anaesthesia, Session, SessionAddendum, TreatedArea

DRAWN = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 110">'
    '<path d="M9 90C40 10 60 10 80 60L120 40" fill="none" stroke="#1b2430" stroke-width="2"/></svg>'
)
KINDS = ("session", "record", "photos", "consent", "sheet", "event", "letter", "course")


@contextmanager
def unguarded() -> Iterator[None]:
    """Triggers pause, foreign keys too: for what is signed and closed by now."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        cursor.execute("SET LOCAL session_replication_role = origin")


def write_file(cast: Cast) -> Patient:
    """One plan with one session, and everything that can be written beside it."""
    by = cast.practitioner
    patient = LongRecord(cast.here, by, plans=1, sessions_each=1, photos_each=6).write()
    session, consent = _session(patient), _consent(patient)
    note, history = Consultation.objects.get(patient=patient), History.objects.get(patient=patient)
    at = session.started_at
    added = {"text": "Two days later: the bruise is gone.", "reason": "Call", "written_by": by}
    with unguarded():
        SessionAddendum.objects.create(session=session, **added)
        ConsultationAddendum.objects.create(consultation=note, **added)
        _attended(consent)
        ConsentQuestion.objects.create(
            consent=consent,
            text="Does it hurt?",
            asked_at=consent.ready_to_read_at,
            answer="A little.",
            answered_at=consent.ready_to_read_at,
            answered_by=by,
        )
        Confirmation.objects.create(
            patient=patient,
            history=history,
            confirmed_at=at,
            origin="link",
            signed_name="Wilhelmina",
            signed_how="typed",
        )
        Override.objects.create(
            patient=patient,
            rule="x",
            level="relative",
            title="Blood thinner",
            fact="Aspirin",
            reason="Low dose; agreed.",
            decided_by=by,
            history_version=1,
        )
        Call.objects.create(
            patient=patient,
            location=cast.here,
            check_in=session.check_ins.first(),
            is_red=False,
            due_at=at,
            outcome="Spoke to her; the swelling is going down.",
            done_by=by,
            done_at=at,
        )
        _given(session, cast)
    _event(patient, session, cast)
    for photo in Photo.objects.filter(patient=patient):
        keep(photo.stored_name("thumb"), _picture())
    return patient


def _session(patient: Patient) -> Session:
    found: Session = patient.sessions.get()
    return found


def _consent(patient: Patient) -> Consent:
    found: Consent = patient.consents.get()
    return found


def _attended(consent: Consent) -> None:
    for role in ConsentAttendant.Role:
        row = ConsentAttendant(
            consent=consent,
            role=role,
            name="Wanda Witness",
            capacity="Sister",
            language="Polish",
            identity="document",
            statement="I was there, and I saw the patient sign.",
            signature_svg=DRAWN,
            signature_strokes=[[[1, 2], [3, 4]]],
        )
        row.binding = row.own_binding
        row.save()


def attend_as(consent: Consent, words: str) -> None:
    """Whoever was there has these words for a name, and the binding that goes with them."""
    with unguarded():
        for row in consent.attendants.all():
            row.name, row.capacity, row.language = words[:200], words[:120], words[:60]
            row.statement = words[:500]
            row.binding = row.own_binding
            row.save()


def _given(session: Session, cast: Cast) -> None:
    """A device with its settings, a cream, a pharmacy: what the long record has none of."""
    device = Device.objects.create(
        location=cast.here, kind="mesogun", make="Maker", model="One", serial_number="SN-1"
    )
    TreatedArea.objects.filter(session=session).update(
        device=device, method="device", programme="Gentle", settings={"pressure_kpa": "120"}
    )
    Syringe.objects.filter(session=session).update(pharmacy="Pharmacy of the harbour")
    Anaesthesia.objects.create(
        session=session,
        anaesthetic=Anaesthetic.objects.current()[0],
        lot=session.mix.all()[0].lot,
        grams=Decimal(2),
        area_cm2=Decimal(20),
        on_at=session.started_at,
        off_at=session.started_at,
    )
    Session.objects.filter(pk=session.pk).update(
        soothing="Cold packs", totals=session.totals | {"warnings": ["Close to the limit."]}
    )


def _event(patient: Patient, session: Session, cast: Cast) -> None:
    event = open_event(
        by=cast.practitioner,
        patient=patient,
        location=cast.here,
        session=session,
        said={
            "kind": AdverseEventType.objects.current().get(code="abscess"),
            "onset_at": session.started_at,
            "is_timed": True,
            "grade": 2,
            "relatedness": "possible",
            "area": Area.objects.current().get(code="cheek"),
            "side": "left",
            "chart": "face-front",
            "point_x": 0.4,
            "point_y": 0.4,
            "description": "A lump of 1 cm.",
            "action_taken": "Seen the same day.",
            "outcome": "recovering",
            "follow_up_on": timezone.localdate(),
        },
    )
    event = close_event(by=cast.practitioner, event=event, outcome="resolved", words="Gone.")
    add_to_event(by=cast.practitioner, event=event, text="Still gone.", reason="Seen")


def _picture() -> bytes:
    out = BytesIO()
    Image.new("RGB", (270, 360), "#c0a090").save(out, "JPEG")
    return out.getvalue()


def papers(patient: Patient, cast: Cast, language: str = "en") -> Iterator[tuple[str, Document]]:
    """Each of `KINDS` as it is asked for, from the rows as they are now."""
    by, at = cast.practitioner, timezone.now()
    by.refresh_from_db()
    cast.here.refresh_from_db()
    patient.refresh_from_db()
    session = _session(patient)
    with translation.override(language):
        yield "session", print_session(by=by, session=session).document
        yield "record", print_record(by=by, patient=patient).document
        yield "photos", print_record(by=by, patient=patient, with_photos=True).document
        consent = countersign(by=by, consent=_consent(patient), signature_svg=DRAWN, at=at)
        assert consent.document is not None
        yield "consent", consent.document
        wish = Wish(language, "Keep the plaster on until tonight.")
        yield "sheet", give_version(by=by, session=session, wish=wish, known=9).document
        event = AdverseEvent.objects.get(patient=patient)
        with unguarded():
            AdverseEvent.objects.filter(pk=event.pk).update(facts=facts_of(session))
        yield "event", make_report(by=by, event=event, to="maker").document
        yield "letter", _letter(session, cast, language)
        plan = session.plan
        yield "course", summarise_course(by=by, patient=patient, plan=plan).document


def _letter(session: Session, cast: Cast, language: str) -> Document:
    lot = session.mix.all()[0].lot
    Patient.objects.filter(pk=session.patient_id).update(language=language)
    recall = open_recall(
        by=cast.manager,
        location=cast.here,
        exposure=Exposure(ExposureKind.LOT, (lot.product.code, lot.number)),
        reason="A notice of the maker",
        letter_words="Please keep the leaflet.",
    )
    ask_to_tell(by=cast.manager, recall=recall)
    tell_exposed(at=timezone.now())
    letter = recall.contacts.get().letter
    assert letter is not None
    return letter
