"""The parts of a consent's text, the placeholders they may hold, and how they become a page. Pure.

Placeholders are a fixed list and put in literally; nothing is evaluated. A block stands alone on
its line and becomes a list or a paragraph of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.utils import translation
from django.utils.functional import Promise
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

Label = str | Promise
Texts = Mapping[str, Mapping[str, str]]

SECTIONS: dict[str, Label] = {
    "intro": gettext_lazy("Opening words"),
    "what": gettext_lazy("What will be done"),
    "given": gettext_lazy("What is given"),
    "gain": gettext_lazy("What may be gained"),
    "sessions": gettext_lazy("Sessions"),
    "numbing": gettext_lazy("Numbing"),
    "risks": gettext_lazy("Risks"),
    "alternatives": gettext_lazy("Alternatives"),
    "afterwards": gettext_lazy("Afterwards"),
    "photos": gettext_lazy("Photos"),
    "withdraw": gettext_lazy("Right to withdraw"),
}
"""In the order of the page."""

STATEMENTS: dict[str, Label] = {
    "read": gettext_lazy("Has read it"),
    "questions": gettext_lazy("Could ask"),
    "risks": gettext_lazy("Understands the risks"),
    "uncertain": gettext_lazy("Knows that no result is promised"),
    "alternatives": gettext_lazy("Knows the alternatives"),
    "health": gettext_lazy("Has told about their health"),
    "off_label": gettext_lazy("Use outside the licence, only where there is one"),
    "withdraw": gettext_lazy("Can withdraw"),
    "agree": gettext_lazy("Agrees"),
    "guardian": gettext_lazy("Holds parental authority, only for a patient under age"),
}
"""What is ticked one by one, in order."""

USUAL: dict[str, Label] = {
    "guardian": gettext_lazy(
        "I hold parental authority for the patient, and I agree to this treatment for them."
    ),
}
"""Sentences that stand in a text which has none of its own for them."""

WORDS: dict[str, Label] = {
    "patient": gettext_lazy("the patient’s name"),
    "clinic": gettext_lazy("the name of the location"),
    "practitioner": gettext_lazy("who treats, with the registration number"),
    "indication": gettext_lazy("what the treatment is for"),
    "techniques": gettext_lazy("the techniques of the plan"),
    "phone": gettext_lazy("the phone number of the location"),
    "phone_out_of_hours": gettext_lazy("its phone number out of hours"),
    "emergency_number": gettext_lazy("the emergency number of the country"),
}
"""Placeholders within a sentence."""

BLOCKS: dict[str, Label] = {
    "areas": gettext_lazy("list: each area with side, technique and depth"),
    "devices": gettext_lazy("the device, where the technique needs one"),
    "substances": gettext_lazy("list: each substance with its status and the wording outside it"),
    "published": gettext_lazy("what a published study of such a course found"),
    "sessions": gettext_lazy("list: how many sessions, how far apart"),
    "anaesthetics": gettext_lazy("the local anaesthetic in the mix, where there is one"),
    "risks": gettext_lazy("list: the risks of these substances, techniques and areas"),
    "alternatives": gettext_lazy("list: the alternatives that were discussed"),
    "photo_uses": gettext_lazy("list: the uses of photos to choose from"),
}
"""Placeholders that stand alone on a line."""

NEEDED: dict[str, tuple[str, ...]] = {
    "intro": ("practitioner",),
    "what": ("areas", "techniques", "devices"),
    "given": ("substances",),
    "gain": ("published",),
    "sessions": ("sessions",),
    "numbing": ("anaesthetics",),
    "risks": ("risks",),
    "alternatives": ("alternatives",),
    "afterwards": ("phone", "emergency_number"),
    "photos": ("photo_uses",),
}
"""What a section cannot do without, so that no text forgets a risk."""

LONGEST_TEXT = 6_000
LONGEST_LINE = 500

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_LEFT_OVER = re.compile(r"\{+[^{}\n]{0,40}\}*|\}+")


@dataclass(frozen=True)
class Wording:
    """The words of a template, as they are written and checked."""

    texts: Texts
    statements: Mapping[str, str]
    off_label: str


def completed(wording: Wording, language: str) -> Wording:
    """A wording with the usual sentences where it says nothing of its own."""
    with translation.override(language):
        usual = {
            code: str(text)
            for code, text in USUAL.items()
            if not wording.statements.get(code, "").strip()
        }
    return replace(wording, statements={**wording.statements, **usual})


def faults(wording: Wording) -> dict[str, str]:
    """What is wrong, by the field to blame (see `field_of`); empty when it can be used."""
    said: dict[str, str] = {}
    for code in SECTIONS:
        part = wording.texts.get(code, {})
        if fault := _plain_fault(part.get("heading", "")):
            said[field_of("heading", code)] = fault
        if fault := _text_fault(code, part.get("text", "")):
            said[field_of("text", code)] = fault
    for code in STATEMENTS:
        sentence = wording.statements.get(code, "")
        if code in USUAL and not sentence.strip():
            continue
        if fault := _plain_fault(sentence):
            said[field_of("statement", code)] = fault
    if fault := _plain_fault(wording.off_label):
        said["off_label"] = fault
    return said


def field_of(kind: str, code: str) -> str:
    """The form field of a part: "text_risks", "heading_risks", "statement_agree"."""
    return f"{kind}_{code}"


def _plain_fault(text: str) -> str:
    if not text.strip():
        return _("This cannot be empty.")
    if len(text) > LONGEST_LINE:
        return _("This is too long.")
    if "{" in text or "}" in text:
        return _("No placeholder can stand here, and no braces.")
    return ""


def _text_fault(section: str, text: str) -> str:
    if not text.strip():
        return _("This cannot be empty.")
    if len(text) > LONGEST_TEXT:
        return _("This is too long.")
    if unknown := unknown_in(text):
        return _("This cannot stand here: %(what)s. Use only the placeholders listed.") % {
            "what": ", ".join(unknown)
        }
    if crowded := [f"{{{name}}}" for name in BLOCKS if _is_crowded(text, name)]:
        return _("This must stand alone on a line: %(what)s.") % {"what": ", ".join(crowded)}
    found = set(_PLACEHOLDER.findall(text))
    if lacking := [f"{{{name}}}" for name in NEEDED.get(section, ()) if name not in found]:
        return _("This section cannot do without %(what)s.") % {"what": ", ".join(lacking)}
    return ""


def unknown_in(text: str) -> list[str]:
    """What stands in braces and is no placeholder, as it is written."""
    known = WORDS.keys() | BLOCKS.keys()
    rest = _PLACEHOLDER.sub(lambda found: "" if found[1] in known else found[0], text)
    return list(dict.fromkeys(_LEFT_OVER.findall(rest)))


def _is_crowded(text: str, name: str) -> bool:
    mark = f"{{{name}}}"
    return any(mark in line and line.strip() != mark for line in text.splitlines())


def section_html(text: str, words: Mapping[str, str], blocks: Mapping[str, str]) -> str:
    """A section's text as HTML. `words` are plain and escaped here; `blocks` are HTML already.

    Empty lines part paragraphs, lines that begin with "- " make a list. In one pass, so that a
    value which looks like a placeholder is not taken for one.
    """
    return "".join(_parts(text, words, blocks))


def _parts(text: str, words: Mapping[str, str], blocks: Mapping[str, str]) -> Iterable[str]:
    for lines in _paragraphs(text):
        name = _block_named(lines[0])
        if name:
            yield blocks[name]
        elif lines[0].startswith("- "):
            items = "".join(f"<li>{_filled(line[2:], words)}</li>" for line in lines)
            yield f"<ul>{items}</ul>"
        else:
            yield f"<p>{'<br>'.join(_filled(line, words) for line in lines)}</p>"


def _paragraphs(text: str) -> Iterable[list[str]]:
    """Lines that belong together: a block by itself, the items of a list, or a paragraph."""
    held: list[str] = []
    for line in [*(line.strip() for line in text.splitlines()), ""]:
        alone = bool(_block_named(line))
        turns = bool(held) and held[-1].startswith("- ") != line.startswith("- ")
        if held and (not line or alone or turns):
            yield held
            held = []
        if alone:
            yield [line]
        elif line:
            held.append(line)


def _block_named(line: str) -> str:
    found = _PLACEHOLDER.fullmatch(line.strip())
    return found[1] if found and found[1] in BLOCKS else ""


def _filled(line: str, words: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: str(escape(words[found[1]])), str(escape(line)))
