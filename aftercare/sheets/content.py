"""What a sheet says for one session: read from its record, composed, and laid out for a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unicodedata import bidirectional
from zoneinfo import ZoneInfo

from django.utils import translation

from aftercare.sheets.compose import (
    Frame,
    Treatment,
    compose,
    numbers_kept,
    spoken_in_full,
)
from aftercare.sheets.languages import Spoken, spoken_in
from aftercare.sheets.words import (
    FALLBACK,
    house_words,
    last_days,
)
from clinic.places.models import Location
from clinic.tongues import apart, comma_of, direction_of, is_of_the_house, is_right_to_left
from clinic.web.phones import dial, unbroken
from treatments.catalogue.models import AdviceBlock, CatalogueRow, Lot
from treatments.diary.models import Appointment
from treatments.sessions.models import Session

Content = dict[str, Any]
SECTIONS = ("avoid", "do", "normal", "call", "emergency")
"""In the order of the page."""


@dataclass(frozen=True)
class Wish:
    """What the practitioner decides of a sheet: its language, and a line in their own words."""

    language: str
    personal_line: str = ""


def treatment_of(session: Session) -> Treatment:
    """What was done in a session, as codes."""
    areas = session.treated_areas.select_related("area", "technique")
    return Treatment(
        area_groups=frozenset(area for t in areas for area in (t.area.group, t.area.code)),
        technique_groups=frozenset(
            code
            for t in areas
            for code in (t.technique.sheet_group, t.technique.code, _by_gun(t.method))
            if code
        ),
        substances=frozenset(
            session.mix.values_list("lot__product__ingredients__substance__code", flat=True)
        )
        - {None},
        anaesthetic=session.anaesthesia.exists(),
    )


def _by_gun(method: str) -> str:
    """A technique of the hand that a mesogun did has the advice on the device as well."""
    return "mesogun" if method == "gun" else ""


def blocks_for(treatment: Treatment) -> list[AdviceBlock]:
    """The blocks in force that such a treatment calls for."""
    chosen = AdviceBlock.objects.current().filter(applies_to__in=treatment.selectors())
    return list(chosen.select_related("approved_by"))


def frame_of(place: Location, *, treated_at: datetime, language: str, spoken: Spoken) -> Frame:
    """What stands around the lines at a location."""
    return Frame(
        treated_at=treated_at,
        zone=place.zone,
        language=language,
        last_day=last_days(language, spoken.words),
        phrases=spoken.phrases,
        words={
            "clinic": place.name,
            "phone": unbroken(place.phone),
            "phone_out_of_hours": unbroken(place.phone_out_of_hours),
            "emergency_number": unbroken(place.country.emergency_number),
        },
    )


def content_of(
    session: Session, *, language: str, at: datetime, personal_line: str = "", version: int = 1
) -> Content:
    """Everything the sheet says, frozen: later edits of the catalogue change nothing of it.

    Of a session that is not signed yet as if it had ended at `at`.
    """
    place, spoken = session.location, spoken_in(language)
    treated_at = session.treated_at or at
    treatment = treatment_of(session)
    frame = frame_of(place, treated_at=treated_at, language=language, spoken=spoken)
    return {
        "version": version,
        "words": dict(spoken.words),
        "words_version": spoken.version,
        "personal": personal_line,
        "practitioner": session.practitioner.name,
        "lines": compose(blocks_for(treatment), treatment, frame),
        "areas": _areas_said(session, language, spoken),
        "techniques": _techniques_said(session, language, spoken),
        "products": _products_said(session, language, spoken),
        "numbing": _numbing_said(session, language, spoken),
        "treated_at": treated_at.isoformat(),
        "next_visit": _next_visit(session, at),
        "initials": session.patient.initials,
        "clinic": place.name,
        "phone": place.phone,
        "phone_out_of_hours": place.phone_out_of_hours,
        "emergency_number": place.country.emergency_number,
        "zone": place.timezone,
    }


def _areas_said(session: Session, language: str, spoken: Spoken) -> list[str]:
    with translation.override(language if is_of_the_house(language) else FALLBACK):
        return [
            _name(treated.area, language, spoken)
            + ("" if treated.side == "none" else f" ({spoken.said(treated.get_side_display())})")
            for treated in session.treated_areas.select_related("area")
        ]


def _name(row: CatalogueRow, language: str, spoken: Spoken) -> str:
    """What a row of the catalogue is called in a language."""
    return spoken.said(row.said("name", language))


def _techniques_said(session: Session, language: str, spoken: Spoken) -> list[str]:
    treated_areas = session.treated_areas.select_related("technique")
    return sorted({_name(treated.technique, language, spoken) for treated in treated_areas})


def _products_said(session: Session, language: str, spoken: Spoken) -> list[dict[str, Any]]:
    """Each lot once, though it may be in two syringes; with what it holds. A product keeps the name
    that its label has.
    """
    parts = session.mix.select_related("lot__product").prefetch_related(
        "lot__product__ingredients__substance"
    )
    lots = {part.lot_id: part.lot for part in parts}
    return [
        _lot_said(lot, language)
        | {"substances": [_name(i.substance, language, spoken) for i in _ingredients(lot)]}
        for lot in lots.values()
    ]


def _ingredients(lot: Lot) -> Iterable[Any]:
    return lot.product.ingredients.all()


def _numbing_said(session: Session, language: str, spoken: Spoken) -> list[dict[str, Any]]:
    creams = session.anaesthesia.select_related("anaesthetic", "lot__product")
    return [
        {"name": _name(cream.anaesthetic, language, spoken)}
        | (
            {"lot": cream.lot.number, "expires": cream.lot.expires_on.isoformat()}
            if cream.lot
            else {}
        )
        for cream in creams
    ]


def _lot_said(lot: Lot, language: str) -> dict[str, Any]:
    return {
        "name": lot.product.said("name", language),
        "lot": lot.number,
        "expires": lot.expires_on.isoformat(),
    }


def _next_visit(session: Session, at: datetime) -> str:
    upcoming = (
        Appointment.objects.live()
        .filter(patient_id=session.patient_id, starts_at__gt=at)
        .order_by("starts_at")
        .first()
    )
    return upcoming.starts_at.isoformat() if upcoming else ""


def page_of(content: Content, *, language: str, at: datetime | None = None) -> dict[str, Any]:
    """The template's view of a sheet: its sections in order, with times as times.

    With `at`, each line knows whether it is over by then. Sheets from before the words were kept
    with them have those of the house.
    """
    words = {**house_words(language), **content.get("words", {})}
    number = content["emergency_number"]
    return {
        "content": content,
        "words": words,
        "sections": [
            {
                "code": code,
                "heading": words[code].replace("{number}", apart(number)),
                "lines": [_shown(line, language, at) for line in lines],
            }
            for code in SECTIONS
            if (lines := [line for line in content["lines"] if line["section"] == code])
        ],
        "language": language,
        "is_right_to_left": is_right_to_left(language),
        "facts": _facts(content, language),
        "dial": dial(number),
        "personal": _personal(content.get("personal", "")),
        "personal_direction": _direction(content.get("personal", "")),
    }


def _facts(content: Content, language: str) -> dict[str, Any]:
    """What was done, on the clock of the place and in the language of the sheet."""
    zone, next_visit = ZoneInfo(content["zone"]), content["next_visit"]
    treated_at = datetime.fromisoformat(content["treated_at"]).astimezone(zone)
    return {
        "treated": spoken_in_full(treated_at, language),
        "day": f"{treated_at:%Y-%m-%d}",
        "areas": _listed(content["areas"], language),
        "techniques": _listed(content["techniques"], language),
        "products": [
            {**product, "holds": _listed(product["substances"], language)}
            for product in content["products"]
        ],
        "next_visit": _moment(next_visit, zone, language),
    }


def _listed(names: Iterable[str], language: str) -> str:
    """Names one after the other; from right to left each in its own direction."""
    if not is_right_to_left(language):
        return apart(", ".join(names))
    return comma_of(language).join(apart(name) for name in names)


def _moment(iso: str, zone: ZoneInfo, language: str) -> str:
    if not iso:
        return ""
    return spoken_in_full(datetime.fromisoformat(iso).astimezone(zone), language)


def _personal(text: str) -> str:
    """A practitioner's own line, whose numbers stay as they were typed."""
    return numbers_kept(text) if _direction(text) == "rtl" else text


def _direction(text: str) -> str:
    """That of its first letter: a practitioner may write in another language than the sheet's."""
    strong = (bidirectional(char) for char in text)
    first = next((kind for kind in strong if kind in ("L", "R", "AL")), "L")
    return "ltr" if first == "L" else "rtl"


def _shown(line: dict[str, Any], language: str, at: datetime | None) -> dict[str, Any]:
    """A line in three parts, so that its time can stand out; and its own direction."""
    said, own = line.get("said", ""), line.get("language", language)
    before, found, after = line["text"].partition(said) if said else (line["text"], "", "")
    ends = line.get("until", "")
    return {
        "before": before,
        "when": found,
        "after": after,
        "language": own,
        "direction": direction_of(own),
        "is_foreign": own != language,
        "until": ends,
        "is_over": bool(at and ends and datetime.fromisoformat(ends) <= at),
    }
