"""Who was exposed to one thing: a lot, a container, a mixture, a device, a room, a person, dates.

Every question goes by an index from the thing to the sessions, so that it does not grow with what
others were given. What the record does not say is never guessed: a session without an appointment
was in no known room.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from aftercare.safety.models import ExposureKind
from clinic.access.models import Staff
from clinic.places.models import Device, Room
from clinic.web.templatetags.clinic_web import clinical_date
from treatments.catalogue.models import Lot, Product, Technique
from treatments.diary.slots import whole_day
from treatments.sessions.models import Anaesthesia, MixComponent, Session, TreatedArea
from treatments.stock.models import Movement, OpenContainer

Kind = ExposureKind
PERSON = Coalesce("patient__merged_into_id", "patient_id")
"""The number of the file that counts for whoever was treated."""


@dataclass(frozen=True)
class Exposure:
    """One thing, and between which days of treatment, both included.

    `key` by kind: a lot's product code and number; product codes in order of a mixture; the code
    of a product or technique; the id of a container, device, room or member of staff; nothing for
    dates alone.
    """

    kind: str
    key: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None

    @property
    def ident(self) -> str:
        """The thing in an address: `lot:ha-1:HA77120Q`."""
        return ":".join((self.kind, *self.key))

    @property
    def query(self) -> dict[str, Any]:
        """The fields of the trace form that ask for it."""
        names = {"lot": ("product", "lot"), "mix": ("mix",) * len(self.key)}.get(
            self.kind, (self.kind,) * len(self.key)
        )
        found: dict[str, Any] = {"by": self.kind}
        for name, value in zip(names, self.key, strict=True):
            found.setdefault(name, []).append(value)
        for name, day in (("since", self.since), ("until", self.until)):
            if day is not None:
                found[name] = day.isoformat()
        return found


def exposed(exposure: Exposure, places: Sequence[int] | None, zone: ZoneInfo) -> Any:
    """The sessions of these locations (None: of all) in which it was there, newest first.

    Drafts count too: what was drawn up may have been given.
    """
    sessions = Session.objects.order_by("-started_at", "-pk")
    if places is not None:
        sessions = sessions.filter(location_id__in=places)
    if exposure.since is not None:
        sessions = sessions.filter(started_at__gte=whole_day(exposure.since, zone).start)
    if exposure.until is not None:
        sessions = sessions.filter(started_at__lt=whole_day(exposure.until, zone).end)
    return sessions.filter(_condition(exposure, places))


def _condition(exposure: Exposure, places: Sequence[int] | None) -> Q:
    kind, key = exposure.kind, exposure.key
    if kind == Kind.WINDOW:
        return Q()
    if kind == Kind.PRACTITIONER:
        return Q(practitioner_id=int(key[0]))
    if kind == Kind.ROOM:
        return Q(appointment__room_id=int(key[0]))
    return Q(pk__in=_sessions_with(kind, key, places))


def _sessions_with(kind: str, key: tuple[str, ...], places: Sequence[int] | None) -> Any:
    """The ids of the sessions whose parts name it, as a subquery."""
    if kind == Kind.LOT:
        return _with_lots(lots_of(places, product__code=key[0], number=key[1]))
    if kind == Kind.PRODUCT:
        return _with_lots(lots_of(places, product__code=key[0]))
    if kind == Kind.MIX:
        return _with_mix(key, places)
    if kind == Kind.CONTAINER:
        drawn = Movement.objects.filter(container_id=int(key[0]), kind=Movement.Kind.USED)
        return drawn.values("session_id")
    areas = TreatedArea.objects.order_by()
    if kind == Kind.DEVICE:
        return areas.filter(device_id=int(key[0])).values("session_id")
    return areas.filter(technique__code=key[0]).values("session_id")


def lots_of(places: Sequence[int] | None, **which: Any) -> list[int]:
    """The ids of lots on the shelves of these locations."""
    lots = Lot.objects.filter(**which)
    if places is not None:
        lots = lots.filter(location_id__in=places)
    return list(lots.values_list("pk", flat=True))


def _with_lots(lots: Iterable[int]) -> Any:
    """Drawn into a syringe, or put on the skin."""
    ids = list(lots)
    drawn = MixComponent.objects.order_by().filter(lot_id__in=ids).values("session_id")
    rubbed = Anaesthesia.objects.filter(lot_id__in=ids).values("session_id")
    return drawn.union(rubbed)


def _with_mix(codes: tuple[str, ...], places: Sequence[int] | None) -> Any:
    """Sessions in which one syringe held exactly these products. Lots know every version of one."""
    rarest = min((lots_of(places, product__code=code) for code in codes), key=_uses)
    candidates = MixComponent.objects.order_by().filter(lot_id__in=rarest).values("session_id")
    syringes = (
        MixComponent.objects.filter(session_id__in=candidates)
        .order_by()
        .values("session_id", "syringe_id")
        .annotate(held=ArrayAgg("lot__product__code", distinct=True, order_by="lot__product__code"))
        .filter(held=list(codes))
    )
    return syringes.values("session_id")


def _uses(lots: list[int]) -> int:
    return MixComponent.objects.filter(lot_id__in=lots).count()


@dataclass(frozen=True)
class Extent:
    """How many sessions and people it was."""

    sessions: int
    patients: int


def extent(sessions: Any) -> Extent:
    """Of the exposed sessions; one person with two files counts as one. One query."""
    found = sessions.order_by().aggregate(
        sessions=Count("pk"),
        patients=Count(PERSON, distinct=True),
    )
    return Extent(found["sessions"], found["patients"])


def page_after(sessions: Any, key: str, size: int) -> tuple[list[Session], str]:
    """A page of sessions behind one known by `2026-11-26T10:00:00+00:00_815`, and the next key.

    A strange key starts anew; the next key is empty at the end.
    """
    moment, _mark, pk = key.partition("_")
    try:
        at, number = datetime.fromisoformat(moment), int(pk)
    except ValueError:
        rows = sessions
    else:
        # The first bound lets the index begin at the right place.
        rows = sessions.filter(started_at__lte=at).exclude(started_at=at, pk__gte=number)
    found = list(rows[: size + 1])
    if len(found) <= size:
        return found, ""
    last = found[size - 1]
    return found[:size], f"{last.started_at.isoformat()}_{last.pk}"


# -- in words --------------------------------------------------------------------------------


def said(exposure: Exposure) -> str:
    """The thing and its days in words: `Lot HA77120Q of Hyaluronic acid 1 %, from 01-Sep-2026`."""
    return "".join([thing(exposure), days_said(exposure.since, exposure.until)])


def days_said(since: date | None, until: date | None) -> str:
    """`, from … to …`, as far as it is bounded."""
    if since and until:
        return _(", from %(since)s to %(until)s") % {
            "since": clinical_date(since),
            "until": clinical_date(until),
        }
    if since:
        return _(", from %(since)s on") % {"since": clinical_date(since)}
    return _(", until %(until)s") % {"until": clinical_date(until)} if until else ""


def thing(exposure: Exposure) -> str:
    """The thing alone; what the catalogue no longer has, by its code."""
    kind, key = exposure.kind, exposure.key
    if kind == Kind.LOT:
        name = product_names([key[0]]).get(key[0], key[0])
        return _("Lot %(number)s of %(product)s") % {"number": key[1], "product": name}
    if kind == Kind.MIX:
        names = product_names(key)
        return " + ".join(names.get(code, code) for code in key)
    if kind == Kind.PRODUCT:
        return product_names(key).get(key[0], key[0])
    if kind == Kind.TECHNIQUE:
        row = Technique.objects.filter(code=key[0]).order_by("-is_current").first()
        return row.name if row else key[0]
    if kind == Kind.WINDOW:
        return _("Everyone treated")
    return _named(kind, int(key[0]))


def _named(kind: str, pk: int) -> str:
    if kind == Kind.CONTAINER:
        container = OpenContainer.objects.select_related("lot__product", "lot__location").get(pk=pk)
        return container_said(container)
    if kind == Kind.DEVICE:
        return str(Device.objects.get(pk=pk))
    if kind == Kind.ROOM:
        return str(Room.objects.get(pk=pk))
    return str(Staff.objects.get(pk=pk).name)


def container_said(container: OpenContainer) -> str:
    """An opened container by its lot and the moment it was opened, on its location's clock."""
    opened = container.opened_at.astimezone(container.lot.location.zone)
    return _("%(product)s, lot %(number)s, opened %(day)s %(time)s") % {
        "product": container.lot.product.name,
        "number": container.lot.number,
        "day": clinical_date(opened.date()),
        "time": f"{opened:%H:%M}",
    }


def product_names(codes: Iterable[str]) -> dict[str, str]:
    """The names of products by code, as they are in force or were last."""
    rows = Product.objects.filter(code__in=list(codes)).order_by("is_current", "version")
    return {row.code: row.name for row in rows}
