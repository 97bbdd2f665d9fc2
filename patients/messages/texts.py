"""The placeholders of a message's text: a fixed list, put in literally, nothing evaluated. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patients.messages.kinds import Kind

PLACEHOLDERS: dict[str, str | Promise] = {
    "clinic": gettext_lazy("the name of the location"),
    "when": gettext_lazy("day and time; of several appointments a list"),
    "day": gettext_lazy("the day"),
    "time": gettext_lazy("the time on the location’s clock; of several appointments all times"),
    "practitioner": gettext_lazy("who the appointment is with"),
    "until": gettext_lazy("until when an offer holds"),
    "address": gettext_lazy("the address of the location"),
    "phone": gettext_lazy("the phone number of the location"),
    "link": gettext_lazy("the way to the patient’s own page"),
}
EVERYWHERE = frozenset({"clinic", "address", "phone", "link"})
TIMES = frozenset({"when", "day", "time", "practitioner"})
ALLOWED: dict[str, frozenset[str]] = {
    **dict.fromkeys(Kind.values, EVERYWHERE | TIMES),
    Kind.OFFER: EVERYWHERE | TIMES | {"until"},
    Kind.RECALL: EVERYWHERE,
    Kind.SAFETY: EVERYWHERE,
    Kind.CHECK_IN: EVERYWHERE,
}
SAYING_WHEN = (Kind.CONFIRMATION, Kind.CHANGE, Kind.CANCELLATION, Kind.REMINDER, Kind.OFFER)

_PLACEHOLDER = re.compile(r"\{([a-z]+)\}")
_LEFT_OVER = re.compile(r"\{+[^{}\n]{0,40}\}*|\}+")
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE = frozenset("^{}\\[~]|€")


@dataclass(frozen=True)
class Words:
    """One text: an e-mail's subject and body, and what an SMS says instead."""

    subject: str
    body: str
    sms: str

    def __bool__(self) -> bool:
        return any(astuple(self))


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with each placeholder's value; one without a value stays as it is written.

    In one pass, so that a value which looks like a placeholder is not taken for one.
    """
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def unknown_in(text: str, kind: str) -> list[str]:
    """What stands in braces and is no placeholder of this kind, as it is written."""
    rest = _PLACEHOLDER.sub(lambda found: "" if found[1] in ALLOWED[kind] else found[0], text)
    return list(dict.fromkeys(_LEFT_OVER.findall(rest)))


def faults(words: Words, kind: str) -> dict[str, str]:
    """What is wrong with a text, by the field to blame; empty when it can be used."""
    said: dict[str, str] = {}
    if not words.subject.strip():
        said["subject"] = _("An e-mail needs a subject.")
    elif "{" in words.subject or "}" in words.subject:
        said["subject"] = _("A subject is read by anyone: it holds no placeholder.")
    for field, text in (("body", words.body), ("sms", words.sms)):
        if fault := _fault(text, kind):
            said[field] = fault
    return said


def _fault(text: str, kind: str) -> str:
    if not text.strip():
        return _("Write a text, or go back to the shipped one.")
    if unknown := unknown_in(text, kind):
        return _("This cannot stand here: %(what)s. Use only the placeholders listed.") % {
            "what": ", ".join(unknown)
        }
    if kind in SAYING_WHEN and not says_when(text):
        return _("The text must say when: {when}, or {day} and {time}.")
    if kind == Kind.OFFER and "{link}" not in text:
        return _("An offer needs {link}, to be answered.")
    if kind == Kind.CHECK_IN and "{link}" not in text:
        return _("A check-in needs {link}, to be answered.")
    return ""


def says_when(text: str) -> bool:
    """Whether a reader learns day and time."""
    return "{when}" in text or ("{day}" in text and "{time}" in text)


def sms_parts(text: str) -> int:
    """How many short messages a text is sent and paid as (GSM 03.38; else UCS-2)."""
    if all(letter in _GSM or letter in _GSM_TWICE for letter in text):
        length, alone, part = sum(2 if letter in _GSM_TWICE else 1 for letter in text), 160, 153
    else:
        length, alone, part = len(text.encode("utf-16-be")) // 2, 70, 67
    return 1 if length <= alone else -(-length // part)
