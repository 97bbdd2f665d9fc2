"""Telling a patient something in the location's words: `say`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from clinic.places.models import Location
from clinic.tongues import house_language
from patients.messages.actions import channel_of, queue_message
from patients.messages.models import Message
from patients.messages.quiet import outside_quiet_hours
from patients.messages.rules import rules_of, wants, words_of
from patients.messages.texts import fill
from patients.registry.models import Patient

DAY = "l j F Y"


@transaction.atomic
def say(
    *,
    kind: str,
    patient: Patient,
    location: Location,
    key: str,
    due_at: datetime,
    valid_until: datetime | None = None,
    calendar: str = "",
    even_at_night: bool = False,
    **placeholders: str,
) -> Message | None:
    """Queue one message of a kind in the location's words and the patient's language.

    `placeholders` are the values of {when}, {day}, {time}, {practitioner} and {until}, made by
    `times` and in the patient's language; the others are known. In quiet hours it waits for their
    end. None when the patient has no address or does not want this kind. The same key twice is one
    message.
    """
    if not wants(patient, kind):
        return None
    if not even_at_night:
        due_at = outside_quiet_hours(due_at, location.zone, rules_of(location).quiet)
    words = words_of(location, kind, patient.house_language)
    values = known_values(location) | placeholders
    channel = channel_of(patient)
    by_sms = channel == Message.Channel.SMS
    return queue_message(
        patient=patient,
        location=location,
        kind=kind,
        key=key,
        subject="" if by_sms else words.subject,
        body=fill(words.sms if by_sms else words.body, values),
        calendar="" if by_sms else calendar,
        due_at=due_at,
        valid_until=valid_until,
        channel=channel,
    )


def known_values(location: Location) -> dict[str, str]:
    """The placeholders that say where; {link} is put in when the message is sent."""
    return {
        "clinic": location.name,
        "address": location.address.strip(),
        "phone": location.phone,
    }


def times(
    starts: Sequence[datetime], *, location: Location, language: str, practitioners: Sequence[str]
) -> dict[str, str]:
    """The placeholders that say when and with whom, on the location's clock.

    Several times make {when} a list, one a line; {day} is the first day and {time} every time.
    """
    local = [start.astimezone(location.zone) for start in sorted(starts)]
    with override(house_language(language)):
        lines = [f"{_day(one)}, {one:%H:%M}" for one in local]
        return {
            "when": lines[0] if len(lines) == 1 else "\n".join(f"- {line}" for line in lines),
            "day": _day(local[0]),
            "time": _and([f"{one:%H:%M}" for one in local]),
            "practitioner": _and(list(dict.fromkeys(practitioners))),
        }


def moment_words(moment: datetime, *, location: Location, language: str) -> str:
    """One moment on the location's clock, for {until}."""
    local = moment.astimezone(location.zone)
    with override(house_language(language)):
        return f"{_day(local)}, {local:%H:%M}"


def _day(local: datetime) -> str:
    return date_format(local, DAY)


def _and(parts: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return _("%(some)s and %(last)s") % {"some": ", ".join(parts[:-1]), "last": parts[-1]}
