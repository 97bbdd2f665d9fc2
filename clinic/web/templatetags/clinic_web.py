"""Tags and filters of the shell and the components: `{% load clinic_web %}`."""

from __future__ import annotations

import datetime
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.forms import BaseForm, BoundField
from django.template.context import Context
from django.templatetags.static import static
from django.urls import resolve
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _

from clinic.access.permissions import Access
from clinic.tongues import day_in_words, isolated
from clinic.web.field_rows import BOX_CLASS, BOX_CLASSES, Manner, row_of
from clinic.web.looks import MESSAGE_ICONS, Look, status_look, verdict_look
from clinic.web.phones import dial, unbroken
from clinic.web.rail import RAIL, stops, url_or_none

register = template.Library()

SPRITE = "vendor/bootstrap-icons/icons.svg"
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
ON_THE_BAR_OF_A_PHONE = 4
MARKS: dict[str, Access | None] = {}
"""The access mark of a slot's view by URL name, once it was asked for."""


@register.simple_tag
def icon(name: str, label: str = "", size: str = "") -> SafeString:
    """`{% icon "search" %}` is decoration; `{% icon "flag" label=_("Urgent") %}` is read out."""
    return _drawn(name, str(label), size)


@lru_cache(maxsize=1_000)
def _drawn(name: str, label: str, size: str) -> SafeString:
    """An icon's markup. Kept: a page holds dozens, and there are few different ones."""
    said = (
        format_html('role="img" aria-label="{}"', label)
        if label
        else SafeString('aria-hidden="true"')
    )
    return format_html(
        '<svg class="icon{}" {} focusable="false"><use href="{}#{}"></use></svg>',
        f" icon-{size}" if size else "",
        said,
        static(SPRITE),
        name,
    )


@register.inclusion_tag("components/rail.html", takes_context=True)
def rail(context: Context) -> dict[str, Any]:
    """`{% rail %}`: the places this person may go to."""
    request = context["request"]
    shown = stops(RAIL, request.user, request.path) if request.user.is_authenticated else []
    first = ON_THE_BAR_OF_A_PHONE
    return {"first": shown[:first], "rest": shown[first:]}


@register.inclusion_tag("components/slot.html", takes_context=True)
def slot(
    context: Context, url_name: str, *args: object, label: str = "", block: bool = False
) -> dict[str, Any]:
    """`{% slot "plans:bar" patient.number label=_("Plan") %}`: a part that another room serves.

    Loads by htmx and replaces itself. Shows nothing where the URL name does not exist, or where
    the person's role may not open it. `block=True` for a whole panel instead of one line.
    """
    url = url_or_none(url_name, *args)
    if url and not _may_open(context, url_name, url):
        url = None
    return {"url": url, "label": label, "block": block}


def _may_open(context: Context, url_name: str, url: str) -> bool:
    """Whether the view's own mark admits whoever is asking."""
    if url_name not in MARKS:
        MARKS[url_name] = getattr(resolve(url).func, "access", None)
    access = MARKS[url_name]
    if access is None or access.permission is None:
        return True
    user = getattr(context.get("request"), "user", None)
    return isinstance(user, AbstractBaseUser) and user.may(access.permission)  # type: ignore[attr-defined]


@register.simple_tag
def url_if_any(url_name: str, *args: object) -> str:
    """`{% url_if_any "patients:search" as search %}`: the address, or nothing."""
    return url_or_none(url_name, *args) or ""


@register.simple_tag(takes_context=True)
def url_if_allowed(context: Context, url_name: str, *args: object) -> str:
    """The same, and nothing either where the person's role may not open it."""
    url = url_or_none(url_name, *args)
    return url if url and _may_open(context, url_name, url) else ""


@register.filter
def quoted(words: str) -> str:
    """Somebody's own words between the quotation marks of the language: “…”, « … »."""
    return _("“%(words)s”") % {"words": words}


@register.filter(expects_localtime=True)
def clinical_date(value: datetime.date | None) -> str:
    """`14-Jul-1945`: the month in letters, so that 03/04 is never two dates. Not translated, but
    where it would stand among letters from right to left: there it is said in words.
    """
    if not value:
        return _("not known")
    if get_language_bidi():
        return day_in_words(value)
    return f"{value.day:02d}-{MONTHS[value.month - 1]}-{value.year:04d}"


@register.filter
def age_on(birth_date: datetime.date | None, today: datetime.date | None) -> int | str:
    """Whole years lived on `today`; a 29 February birthday falls on 1 March in common years."""
    if not birth_date or not today:
        return ""
    before_birthday = (today.month, today.day) < (birth_date.month, birth_date.day)
    return today.year - birth_date.year - int(before_birthday)


TITLES = {"dr", "prof"}


@register.filter
def initials(name: str) -> str:
    """At most two letters: `Maria del Carmen Ruiz` gives `MR`, and so does `Dr Maria Ruiz`."""
    every = [word for word in str(name).replace(",", " ").split() if word[0].isalpha()]
    words = [word for word in every if word.rstrip(".").lower() not in TITLES] or every
    chosen = words[:1] + words[-1:] if len(words) > 1 else words
    return "".join(word[0] for word in chosen).upper()


@register.filter(name="status_look")
def status_look_filter(status: object) -> Look:
    """Tone, icon and word of a status."""
    return status_look(str(status or ""))


@register.filter(name="verdict_look")
def verdict_look_filter(verdict: object) -> Look:
    """Tone, icon and word of a verdict."""
    return verdict_look(str(verdict or ""))


@register.filter
def message_icon(tag: str) -> str:
    """The icon of a message level."""
    return MESSAGE_ICONS.get(tag, "info-circle")


@register.filter
def error_links(form: BaseForm | None) -> list[dict[str, str]]:
    """Every error of a form with the id of the control to go to; form-wide ones have no id."""
    if form is None or not form.errors:
        return []
    links = [{"id": "", "message": str(error)} for error in form.non_field_errors()]
    for name, errors in form.errors.items():
        if name in form.fields:
            links += [
                {"id": control_id(form[name]), "message": _named(form[name], str(error))}
                for error in errors
            ]
    return links


def _named(field: BoundField, message: str) -> str:
    """The message with its field's label in front, unless it names the field itself."""
    label = str(field.label).rstrip(".")
    if label.lower() in message.lower():
        return message
    if label.endswith("?"):
        return f"{label} {message}"
    return _("%(label)s: %(message)s") % {"label": label, "message": message}


def control_id(field: BoundField) -> str:
    """The id of the first control of a field: widgets of several parts number theirs."""
    return field.id_for_label or (f"{field.auto_id}_0" if field.auto_id else "")


@register.filter
def widget_kind(field: BoundField) -> str:
    """Which markup a field needs: check, choices, file, select, parts or control."""
    widget = field.field.widget
    kind = getattr(widget, "input_type", "")
    many = hasattr(widget, "option_template_name") and kind in ("checkbox", "radio")
    if many:
        return "choices"
    if getattr(widget, "widgets", None) or getattr(widget, "is_block", False):
        return "parts"
    return {"checkbox": "check", "select": "select", "file": "file"}.get(kind, "control")


@register.filter
def control(field: BoundField, classes: str) -> SafeString:
    """A field's own box, with these classes beside the widget's and a mark where it is wrong."""
    widget = field.field.widget
    own = widget.attrs.get("class", "")
    given = [own, classes, "is-invalid" if field.errors else ""]
    return field.as_widget(attrs={"class": " ".join(filter(None, given))})


@register.simple_tag(takes_context=True)
def field_row(context: Context, field: BoundField, kind: str) -> SafeString:
    """A field of `bootstrap5/field.html` that is neither a list of choices nor of several parts."""
    manner = Manner(
        tag=context.get("tag") or "div",
        wrapper=context.get("wrapper_class") or "",
        labels=bool(context.get("form_show_labels")),
        errors=bool(context.get("form_show_errors")),
    )
    return row_of(field, kind, control(field, BOX_CLASSES.get(kind, BOX_CLASS)), manner)


@register.simple_tag
def demo_accounts() -> list[dict[str, str]]:
    """The accounts to try, for the sign-in page of a demo; nothing anywhere else."""
    if not settings.DEMO:
        return []
    return [
        {"email": "practitioner@demo.clinic", "role": _("Practitioner")},
        {"email": "frontdesk@demo.clinic", "role": _("Front desk")},
        {"email": "manager@demo.clinic", "role": _("Manager")},
        {"email": "practitioner2@demo.clinic", "role": _("Practitioner, second location")},
        {"email": "frontdesk2@demo.clinic", "role": _("Front desk, second location")},
    ]


@register.simple_tag
def demo_password() -> str:
    """The password of the demo accounts, where there are any."""
    return settings.DEMO_PASSWORD if settings.DEMO else ""


@register.filter(expects_localtime=True)
def clock(value: datetime.datetime | datetime.time | None) -> str:
    """`14:32`, as clinics write it, in every language."""
    return value.strftime("%H:%M") if value else ""


register.filter("dial", dial)
register.filter("unbroken", unbroken)
register.filter("isolated", isolated)


@register.filter
def patient_name(patient: Any) -> str:
    """`SURNAME, Given`, as on every clinical page."""
    family = str(getattr(patient, "family_name", "") or "").upper()
    given = str(getattr(patient, "given_name", "") or getattr(patient, "given_names", "") or "")
    return ", ".join(part for part in (family, given) if part) or _("name not known")


@register.filter
def patient_number(number: int | str) -> str:
    """`P000123`, from the number or from the text."""
    return f"P{number:06d}" if isinstance(number, int) else str(number)
