"""A location's rules and words, its own or the usual ones; changing them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.utils.translation import gettext as _

from clinic.access.models import Staff
from clinic.errors import ActionRefused
from clinic.places.models import Location
from clinic.tongues import house_language
from patients.messages.kinds import Kind, Refusal
from patients.messages.models import MessageRules, MessageText, OptOut
from patients.messages.shipped import SHIPPED
from patients.messages.texts import Words, faults
from patients.registry.models import Patient
from patients.registry.restricting import is_restricted

WHILE_UNRESTRICTED = (Kind.RECALL, Kind.OFFER, Kind.NO_SHOW)
"""What is neither care nor safety nor news of a visit that the patient has asked for."""
RULE_FIELDS = (
    "quiet_from",
    "quiet_until",
    "first_reminder_hours",
    "second_reminder_hours",
    "recall_months",
)


def rules_of(location: Location) -> MessageRules:
    """The location's rules; the usual ones, not stored, where it has none."""
    try:
        rules: MessageRules = location.message_rules
    except ObjectDoesNotExist:
        return MessageRules(location=location)
    return rules


def all_places() -> list[Location]:
    """Every location with its rules, in one query."""
    return list(Location.objects.select_related("message_rules"))


@transaction.atomic
def save_rules(*, by: Staff, location: Location, **values: Any) -> MessageRules:
    """Change when a location writes to its patients."""
    rules = MessageRules.objects.select_for_update().filter(location=location).first()
    rules = rules or MessageRules(location=location)
    for name in RULE_FIELDS:
        setattr(rules, name, values[name])
    rules.save()
    return rules


def shipped_words(kind: str, language: str) -> Words:
    """The text that comes with the system."""
    return SHIPPED[kind, house_language(language)]


def words_of(location: Location, kind: str, language: str) -> Words:
    """What the location says in this case and language: its own words, else the shipped ones."""
    own = (
        MessageText.objects.filter(location=location, kind=kind, language=house_language(language))
        .order_by("-version")
        .first()
    )
    return shipped_words(kind, language) if own is None or own.is_shipped else own.words


def save_words(
    *, by: Staff, location: Location, kind: str, language: str, words: Words
) -> MessageText:
    """Put a location's own words in force. Raises `ActionRefused` naming what cannot stand."""
    for field, said in faults(words, kind).items():
        raise ActionRefused(said, field=field)
    return _add_version(by, location, kind, language, words, is_shipped=False)


def take_shipped_words(*, by: Staff, location: Location, kind: str, language: str) -> MessageText:
    """Go back to the shipped text; the location's own words stay readable as older versions."""
    return _add_version(by, location, kind, language, Words("", "", ""), is_shipped=True)


@transaction.atomic
def _add_version(
    by: Staff, location: Location, kind: str, language: str, words: Words, *, is_shipped: bool
) -> MessageText:
    Location.objects.select_for_update(no_key=True).get(pk=location.pk)
    earlier = MessageText.objects.filter(location=location, kind=kind, language=language)
    return MessageText.objects.create(
        location=location,
        kind=kind,
        language=language,
        version=earlier.count() + 1,
        subject=words.subject.strip(),
        body=words.body,
        sms=words.sms.strip(),
        is_shipped=is_shipped,
        made_by=by,
    )


def refused_by(patient: Patient) -> set[str]:
    """The kinds a patient does not want, `all` among them for everything."""
    return set(OptOut.objects.filter(patient=patient).values_list("kind", flat=True))


def wants(patient: Patient, kind: str) -> bool:
    """Whether a patient may be told this: neither refused, nor let go while they are restricted."""
    if kind in WHILE_UNRESTRICTED and is_restricted(patient):
        return False
    return not refused_by(patient) & {kind, Refusal.EVERYTHING}


@transaction.atomic
def save_refusals(*, by: Staff | Patient, patient: Patient, kinds: Iterable[str]) -> None:
    """What a patient does not want to receive, all of it anew. Raises `ActionRefused`."""
    wanted = set(kinds)
    if not wanted <= set(Refusal.values):
        raise ActionRefused(_("This cannot be refused."))
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    had = refused_by(patient)
    OptOut.objects.filter(patient=patient, kind__in=had - wanted).delete()
    OptOut.objects.bulk_create(OptOut(patient=patient, kind=kind) for kind in sorted(wanted - had))
