"""Notes with scales over time, a draft with a drawing, and a note with a later word."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from aftercare.demo.clock import then
from aftercare.demo.ground import Ground, Place
from clinic.access.models import Staff
from clinic.errors import ActionRefused
from patients.intake.models import History
from patients.registry.models import Patient
from treatments.catalogue.models import Scale
from treatments.consultations.actions import (
    add_addendum,
    save_consultation,
    sign_consultation,
    start_consultation,
)
from treatments.consultations.marks import Mark, MarkChange
from treatments.consultations.models import Consultation
from treatments.scales.actions import ScoreEntry

Answers = dict[str, int]


def masi(area: int, darkness: int) -> Answers:
    """The same on both cheeks, half on the forehead, little on the chin."""
    found = {"f-a": area // 2, "f-d": darkness // 2, "f-h": 1, "c-a": 1, "c-d": 1, "c-h": 1}
    for side in ("lm", "rm"):
        found |= {f"{side}-a": area, f"{side}-d": darkness, f"{side}-h": max(darkness - 1, 0)}
    return found


@dataclass(frozen=True)
class Story:
    """One patient's notes: weeks ago -> what was measured."""

    indication: str
    areas: tuple[tuple[str, str, tuple[str, ...], str], ...]
    concern: str
    examination: str
    scores: dict[int, dict[str, Answers]]
    marks: tuple[tuple[str, str, str, str, tuple[tuple[float, float], ...]], ...]


MELASMA = Story(
    indication="melasma",
    areas=(
        ("cheek", "left", ("pigment",), "borders sharp, brown"),
        ("cheek", "right", ("pigment",), "the same, a little lighter"),
        ("forehead", "none", ("pigment",), ""),
    ),
    concern="The patches come back every summer, and make-up no longer covers them.",
    examination="Epidermal under Wood’s lamp. No contraception. Sunscreen in the morning only.",
    scores={
        12: {"masi": masi(5, 3), "mmasi": masi(5, 3)},
        8: {"masi": masi(4, 3), "mmasi": masi(4, 3)},
        4: {"masi": masi(3, 2), "mmasi": masi(3, 2)},
        1: {"masi": masi(2, 2), "mmasi": masi(2, 2)},
    },
    marks=(
        (
            "face-front",
            "outline",
            "pigment",
            "since 2021",
            ((0.66, 0.42), (0.74, 0.4), (0.77, 0.46), (0.72, 0.52), (0.66, 0.5)),
        ),
        (
            "face-front",
            "outline",
            "pigment",
            "lighter",
            ((0.33, 0.42), (0.26, 0.4), (0.23, 0.46), (0.28, 0.52), (0.33, 0.49)),
        ),
    ),
)
BACK = Story(
    indication="low-back-pain",
    areas=(("lower-back", "none", ("tender",), "beside L4 and L5, both sides"),),
    concern="Sitting at the desk has become impossible; nights are better.",
    examination="No weakness, reflexes equal, no warning signs.",
    scores={
        6: {"nrs-pain": {"value": 8}, "rmdq": {"value": 15}},
        4: {"nrs-pain": {"value": 6}, "rmdq": {"value": 11}},
        2: {"nrs-pain": {"value": 4}, "rmdq": {"value": 7}},
        0: {"nrs-pain": {"value": 2}, "rmdq": {"value": 4}},
    },
    marks=(
        ("body-back", "pin", "tender", "L4, left", ((0.48, 0.42),)),
        ("body-back", "pin", "tender", "L5, right", ((0.53, 0.43),)),
    ),
)


def write_notes(ground: Ground, now: datetime) -> None:
    """Two patients measured again and again, one note added to, one still open."""
    place = ground.places[0]
    doctor = place.practitioners[0]
    patients = _with_history(place, 3)
    for story, patient in zip((MELASMA, BACK), patients, strict=False):
        note: Consultation | None = None
        for weeks in story.scores:
            note = _write(story, patient, place, doctor, weeks, now) or note
        if note is not None and story is BACK:
            _add_later_word(note, doctor, now)
    if len(patients) > 2:
        _leave_a_draft(patients[2], place, doctor, now)


def _with_history(place: Place, count: int) -> list[Patient]:
    """Patients with a history that nothing speaks against, who have no note yet."""
    histories = History.objects.filter(
        submitted_at__isnull=False, conditions=[], medicines=[], no_known_allergies=True
    )
    found = Patient.objects.filter(
        registrations__location=place.location,
        merged_into__isnull=True,
        consultations__isnull=True,
        pk__in=histories.values("patient"),
    )
    return list(found.distinct().order_by("pk")[:count])


def _write(
    story: Story, patient: Patient, place: Place, doctor: Staff, weeks: int, now: datetime
) -> Consultation | None:
    moment = min(now - timedelta(weeks=weeks, hours=2), now - timedelta(minutes=40))
    with then(moment, doctor) as at:
        note = start_consultation(by=doctor, patient=patient, location=place.location)
        note = save_consultation(
            by=doctor,
            consultation=note,
            revision=note.revision,
            values=_values(story),
            scores=_scores(story.scores[weeks]),
            marks=MarkChange(put=[_mark(*mark) for mark in story.marks]),
            at=at,
        )
        try:
            return sign_consultation(by=doctor, consultation=note, at=at + timedelta(minutes=9))
        except ActionRefused:
            return None


def _values(story: Story) -> dict[str, Any]:
    return {
        "concern": story.concern,
        "indications": [story.indication],
        "findings": [
            {"area": area, "side": side, "signs": list(signs), "words": words}
            for area, side, signs, words in story.areas
        ],
        "areas": list(dict.fromkeys(area for area, _side, _signs, _words in story.areas)),
        "examination": story.examination,
        "fitzpatrick": 3,
        "explained": [{"code": code, "version": 1} for code in ("common", "infection", "result")],
        "discussion": "What is done and how often. No result is promised.",
        "alternatives_named": ["nothing", "skin-care"],
        "decision": "suitable",
        "advice": "To come back if anything changes.",
    }


def _scores(answers: dict[str, Answers]) -> list[ScoreEntry]:
    scales = Scale.objects.in_force(answers)
    return [
        ScoreEntry(
            scales[code],
            {
                item["code"]: Decimal(given[item["code"]])
                for item in scales[code].items
                if item["code"] in given
            },
        )
        for code, given in answers.items()
    ]


def _mark(
    chart: str, kind: str, sign: str, words: str, points: tuple[tuple[float, float], ...]
) -> Mark:
    return Mark(uuid.uuid4(), chart, kind, points, sign, words)


def _add_later_word(note: Consultation, doctor: Staff, now: datetime) -> None:
    with then(now - timedelta(minutes=5), doctor):
        add_addendum(
            by=doctor,
            consultation=note,
            text="Rang in the afternoon: walks without pain since the last session.",
            reason="Telephone call after the visit",
        )


def _leave_a_draft(patient: Patient, place: Place, doctor: Staff, now: datetime) -> None:
    with then(now - timedelta(days=2), doctor):
        note = start_consultation(by=doctor, patient=patient, location=place.location)
        save_consultation(
            by=doctor,
            consultation=note,
            revision=note.revision,
            values={
                "concern": "Hair in the shower drain since the spring.",
                "indications": ["alopecia"],
                "findings": [
                    {"area": "vertex", "side": "none", "signs": ["thinning"], "words": ""}
                ],
                "areas": ["vertex"],
            },
            scores=_scores({"ludwig": {"grade": 2}}),
            marks=MarkChange(
                put=[_mark("scalp", "pin", "thinning", "widest here", ((0.5, 0.35),))]
            ),
        )
