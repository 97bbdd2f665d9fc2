"""An audit entry in words that a manager understands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.access.permissions import Role
from clinic.audit.models import Action, AuditEntry

LONGEST_VALUE = 120
ENTRIES_READ = 400
THINGS_NAMED = 6
TOLD = (Action.READ, Action.CREATE, Action.CHANGE, Action.DELETE)
PAGES: dict[str, str | Promise] = {
    "patients:search": gettext_lazy("list of patients found"),
    "patients:register": gettext_lazy("list of similar patients"),
    "patients:similar": gettext_lazy("list of similar patients"),
    "patients:detail": gettext_lazy("patient page"),
    "patients:edit": gettext_lazy("patient details"),
    "patients:access-log": gettext_lazy("access log"),
    "patients:earlier": gettext_lazy("earlier file"),
    "patients:compare": gettext_lazy("two files side by side"),
    "patients:merge": gettext_lazy("two files side by side"),
    "patients:unmerge": gettext_lazy("merge of two files"),
    "photos:screen": gettext_lazy("photo"),
    "photos:full": gettext_lazy("photo at full size"),
    "photos:teaching": gettext_lazy("photo given out for teaching"),
    "photos:publicity": gettext_lazy("photo given out for publicity"),
    "photos:permissions": gettext_lazy("permissions for photos"),
    "feeds:calendar": gettext_lazy("calendar feed"),
    "diary:today": gettext_lazy("Today"),
    "diary:day": gettext_lazy("diary"),
    "diary:book": gettext_lazy("booking"),
    "histories:to-review": gettext_lazy("histories to review"),
    "histories:panel": gettext_lazy("histories to review"),
    "diary:appointment": gettext_lazy("appointment"),
    "diary:patient-panel": gettext_lazy("appointments of the patient"),
}
WITHOUT_CLINICAL_WORDS = {
    "patients_patient",
    "patients_registration",
    "patients_link",
    "patients_message",
    "treatments_appointment",
}
"""Tables whose values the manager may read; of every other table only what was changed is named."""
ROOMS: dict[str, str | Promise] = {
    "intake": gettext_lazy("medical history"),
    "consultations": gettext_lazy("consultations"),
    "screening": gettext_lazy("screening"),
    "plans": gettext_lazy("plans"),
    "consents": gettext_lazy("consents"),
    "sessions": gettext_lazy("sessions"),
    "mixes": gettext_lazy("syringes"),
    "sheets": gettext_lazy("aftercare sheets"),
    "watch": gettext_lazy("check-ins"),
    "documents": gettext_lazy("documents"),
    "photos": gettext_lazy("photos"),
    "messages": gettext_lazy("messages"),
}
PARTS: dict[str, str | Promise] = {
    "bar": gettext_lazy("patient bar"),
    "avatar": gettext_lazy("patient bar"),
    "thumb": gettext_lazy("small picture"),
    "panel": gettext_lazy("patient page"),
    "panel-all": gettext_lazy("patient page"),
}
TONES = {
    Action.CREATE: "good",
    Action.CHANGE: "info",
    Action.DELETE: "stop",
    Action.READ: "calm",
    Action.REFUSE: "stop",
}
ICONS = {
    Action.CREATE: "plus-circle",
    Action.CHANGE: "pencil",
    Action.DELETE: "trash",
    Action.REFUSE: "shield-x",
}


class Change(NamedTuple):
    """One column, before and after."""

    name: str
    before: str
    after: str


class Line(NamedTuple):
    """One entry as shown; `at` as the location's clock shows it."""

    at: datetime
    who: str
    role: str
    action: str
    tone: str
    icon: str
    what: str
    changes: list[Change]


def readable(entry: AuditEntry, zone: ZoneInfo) -> Line:
    """The entry in words. A value that is unknown to the code is shown as it is stored."""
    model = _model(entry.what)
    return Line(
        at=entry.at.astimezone(zone).replace(tzinfo=None),
        who=entry.who or _("the database itself"),
        role=str(dict(Role.choices).get(entry.role, entry.role)),
        action=str(Action(entry.action).label),
        tone=TONES[Action(entry.action)],
        icon=ICONS.get(Action(entry.action), "eye"),
        what=_thing(entry.what, model),
        changes=_changes(entry, model),
    )


def _model(table: str) -> type[Model] | None:
    return next((model for model in apps.get_models() if model._meta.db_table == table), None)


def _thing(what: str, model: type[Model] | None) -> str:
    if model is not None:
        return str(capfirst(str(model._meta.verbose_name)))
    if what in PAGES:
        return str(capfirst(str(PAGES[what])))
    room, _sep, part = what.partition(":")
    words = [str(ROOMS.get(room, room)), str(PARTS.get(part, part.replace("-", " ")))]
    return str(capfirst(", ".join(filter(None, words)).replace("_", " ")))


def _changes(entry: AuditEntry, model: type[Model] | None) -> list[Change]:
    before, after = entry.before or {}, entry.after or {}
    names = [name for name in {**before, **after} if name not in ("id", "folded_name")]
    shown = _value if entry.what in WITHOUT_CLINICAL_WORDS else _hidden
    return [
        Change(_column(name, model), shown(before.get(name)), shown(after.get(name)))
        for name in names
        if before.get(name) not in (None, "") or after.get(name) not in (None, "")
    ]


def _column(name: str, model: type[Model] | None) -> str:
    try:
        field = model._meta.get_field(name.removesuffix("_id")) if model else None
    except FieldDoesNotExist:
        field = None
    return str(capfirst(str(getattr(field, "verbose_name", name.replace("_", " ")))))


def _hidden(value: Any) -> str:
    """That there is a value, without its words: who reads the log may not read the notes."""
    return "" if value in (None, "", [], {}) else "•••"


def _value(value: Any) -> str:
    if value is None or value == "":
        return ""
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"


@dataclass(frozen=True)
class Opening:
    """What one person did on one day: `things` they looked at and how many `more`, and whether
    they changed any.
    """

    who: str
    role: str
    first: datetime
    last: datetime
    things: list[str]
    more: int
    changed: bool


@dataclass(frozen=True)
class Openings:
    """A page of days, newest first; `older`: the query of the next one, empty at the end."""

    days: list[tuple[date, list[Opening]]]
    older: str


def openings(files: Sequence[int], zone: ZoneInfo, *, before: str = "") -> Openings:
    """Who of the clinic opened or changed these files, as the patient is told. One query.

    `before`: the key of the last entry of the page before; what is none begins at the newest.
    """
    entries = AuditEntry.objects.filter(
        patients__overlap=list(files), actor_kind="staff", action__in=TOLD
    )
    if before.isascii() and before.isdigit() and len(before) < 16:
        entries = entries.filter(pk__lt=int(before))
    rows = list(entries.defer("before", "after").order_by("-pk")[: ENTRIES_READ + 1])
    page = rows[:ENTRIES_READ]
    found: dict[tuple[date, int | None, str], list[AuditEntry]] = {}
    for row in page:
        day = row.at.astimezone(zone).date()
        found.setdefault((day, row.actor_id, row.who), []).append(row)
    days: dict[date, list[Opening]] = {}
    for (day, _id, _who), theirs in found.items():
        days.setdefault(day, []).append(_opening(theirs, zone))
    older = f"?before={page[-1].pk}" if len(rows) > ENTRIES_READ else ""
    return Openings(list(days.items()), older)


def name_alone(who: str) -> str:
    """The name of who acted, without the address by which the clinic tells namesakes apart."""
    return who.partition(" <")[0]


def _opening(rows: Sequence[AuditEntry], zone: ZoneInfo) -> Opening:
    """The entries of one person on one day, which come newest first."""
    things = dict.fromkeys(_thing(row.what, _model(row.what)) for row in reversed(rows))
    return Opening(
        who=name_alone(rows[0].who),
        role=str(dict(Role.choices).get(rows[0].role, rows[0].role)),
        first=rows[-1].at.astimezone(zone).replace(tzinfo=None),
        last=rows[0].at.astimezone(zone).replace(tzinfo=None),
        things=list(things)[:THINGS_NAMED],
        more=max(0, len(things) - THINGS_NAMED),
        changed=any(row.action != Action.READ for row in rows),
    )
