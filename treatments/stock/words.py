"""Stock in words: an amount in its unit, the state of a lot, what a line of the ledger says."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from clinic.web.looks import Look, status_look
from treatments.catalogue.models import Lot
from treatments.stock.models import Movement, OpenContainer

SOON = timedelta(days=60)
"""A lot that expires within this is shown as expiring."""

LINE_LOOKS = {
    Movement.Kind.RECEIVED: ("good", "truck"),
    Movement.Kind.USED: ("info", "eyedropper"),
    Movement.Kind.OPENED: ("calm", "unlock"),
    Movement.Kind.COUNTED: ("calm", "clipboard-check"),
    Movement.Kind.WASTED: ("missed", "trash3"),
    Movement.Kind.CORRECTED: ("wait", "pencil-square"),
    Movement.Kind.STATE: ("wait", "pause-circle"),
}


def figure(value: Decimal) -> str:
    """An amount without needless zeros, in the language's own writing."""
    return number_format(f"{value.normalize():f}", use_l10n=True)


def amount(value: Decimal, unit: str) -> str:
    """`2.5 mL`."""
    return f"{figure(value)} {unit}"


def signed(value: Decimal, unit: str) -> str:
    """`+5 mL`, `−2.5 mL`; nothing for no change."""
    if not value:
        return ""
    return f"{'+' if value > 0 else '−'}{amount(abs(value), unit)}"


def lot_look(lot: Lot, today: date) -> Look:
    """Tone, icon and word of a lot on a day."""
    if lot.state == Lot.State.RECALLED:
        return status_look("recalled")
    if lot.state == Lot.State.QUARANTINED:
        return Look("wait", "pause-circle", _("Quarantined"))
    if lot.expires_on < today:
        return Look("stop", "x-octagon", _("Expired"))
    if lot.expires_on <= today + SOON:
        return status_look("expiring")
    return status_look("in_date")


def container_look(container: OpenContainer, at: datetime) -> Look:
    """Tone, icon and word of an opened container."""
    if container.discard_by <= at:
        return Look("stop", "x-octagon", _("Over: throw it away"))
    return Look("good", "unlock", _("In use"))


def line_look(movement: Movement) -> Look:
    """Tone, icon and word of a line of the ledger."""
    tone, icon = LINE_LOOKS[Movement.Kind(movement.kind)]
    return Look(tone, icon, movement.get_kind_display())
