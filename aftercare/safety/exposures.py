"""Who was exposed to one thing: a lot, a container, a mixture, a device, a room, a person, dates.

Every question goes by an index from the thing to the sessions, so that it does not grow with what
others were given, and is computed from the record itself each time it is asked: there is no list
beside it that could have missed one. What the record does not say is never guessed: a session
without an appointment was in no known room.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from aftercare.safety.models import ExposureKind
from clinic.access.models import Staff
from clinic.places.models import Device, Room
from clinic.web.templatetags.clinic_web import clinical_date
from treatments.catalogue.models import Lot, Product, Technique
from treatments.diary.slots import whole_day
from treatments.mixes.models import Syringe
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


NOWHERE = 0
"""The id of no lot, where a question is about none."""
HELD_TOGETHER = """
WITH held AS MATERIALIZED ({each})
SELECT DISTINCT session_id FROM (SELECT * FROM held ORDER BY session_id) held
WHERE NOT EXISTS (
    SELECT 1 FROM treatments_mixcomponent other
    WHERE other.session_id = held.session_id AND other.lot_id <> ALL(%s)
        AND other.syringe_id IS NOT DISTINCT FROM held.syringe_id
)
"""
"""In the order of the sessions, so that the disk is read from one end to the other: in no order the
same took 24 s of a million sessions when nothing of them was in memory."""
HELD = "SELECT session_id, syringe_id FROM treatments_mixcomponent WHERE lot_id = ANY(%s)"


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
    if kind == Kind.ROOM:
        return Q(appointment__room_id=int(key[0]))
    return Q(pk__in=_sessions_with(kind, key, places))


def _sessions_with(kind: str, key: tuple[str, ...], places: Sequence[int] | None) -> Any:
    """The ids of the sessions whose parts name it, as a subquery."""
    if kind == Kind.LOT:
        # One person writes a number in capitals and another does not: it is the same lot.
        return _with_lots(lots_of(places, product__code=key[0], number__iexact=key[1]))
    if kind == Kind.PRODUCT:
        return _with_lots(lots_of(places, product__code=key[0]))
    if kind == Kind.MIX:
        return _with_mix(key, places)
    if kind == Kind.PRACTITIONER:
        return _with_person(int(key[0]))
    if kind == Kind.CONTAINER:
        drawn = Movement.objects.filter(container_id=int(key[0]), kind=Movement.Kind.USED)
        return drawn.values("session_id")
    areas = TreatedArea.objects.order_by()
    if kind == Kind.DEVICE:
        return areas.filter(device_id=int(key[0])).values("session_id")
    return areas.filter(technique__code=key[0]).values("session_id")


def lots_of(places: Sequence[int] | None, **which: Any) -> list[int]:
    """The ids of lots on the shelves of these locations; `NOWHERE` alone where there are none.

    As numbers and no subquery, so that the planner knows how many uses to expect.
    """
    lots = Lot.objects.filter(**which)
    if places is not None:
        lots = lots.filter(location_id__in=places)
    return list(lots.values_list("pk", flat=True)) or [NOWHERE]


def one_spelling(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Product codes and lot numbers, in order; of a number in capitals and not, one."""
    capitals_last = sorted(pairs, reverse=True)
    return sorted(
        {(code, number.upper()): (code, number) for code, number in capitals_last}.values()
    )


def _with_lots(lots: Sequence[int]) -> Any:
    """Drawn into a syringe, or put on the skin."""
    drawn = MixComponent.objects.order_by().filter(lot_id__in=lots).values("session_id")
    rubbed = Anaesthesia.objects.filter(lot_id__in=lots).values("session_id")
    return drawn.union(rubbed)


def _with_person(pk: int) -> Any:
    """Who treated, who signed, and who prepared a syringe."""
    sessions = Session.objects.order_by()
    treated = sessions.filter(practitioner_id=pk).values("pk")
    signed = sessions.filter(signed_by_id=pk).values("pk")
    prepared = Syringe.objects.order_by().filter(prepared_by_id=pk).values("session_id")
    return treated.union(signed, prepared)


def _with_mix(codes: tuple[str, ...], places: Sequence[int] | None) -> RawSQL:
    """Sessions in which one syringe held exactly these products. Lots know every version of one.

    By sets of syringes, which take those without a row of their own for one: what held each of the
    products, but for what held another one too.
    """
    lots = [lots_of(places, product__code=code) for code in codes]
    text = HELD_TOGETHER.format(each=" INTERSECT ".join([HELD] * len(lots)))
    # The text is made of the constants above; what is asked for goes in as parameters.
    return RawSQL(text, [*lots, [pk for of_one in lots for pk in of_one]])  # noqa: S611


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
