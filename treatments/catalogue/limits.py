"""The most lidocaine at one sitting: a pure figure, its values are catalogue rows."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

LIDOCAINE = "lidocaine"
EPINEPHRINE = "epinephrine"


@dataclass(frozen=True)
class Limit:
    """The most lidocaine at one sitting: `mg_per_kg` of body weight, never above `cap_mg`."""

    mg_per_kg: Decimal
    cap_mg: Decimal

    def for_weight(self, weight_kg: Decimal) -> Decimal:
        """The limit in mg for a weight in kg: min(mg_per_kg x kg, cap). Source S73a."""
        if not weight_kg.is_finite() or weight_kg <= 0:
            raise ValueError("a weight is a positive number of kg")
        return min(self.mg_per_kg * weight_kg, self.cap_mg)


@dataclass(frozen=True)
class LidocaineLimits:
    """The catalogue's two rows: plain, and with epinephrine."""

    plain: Limit
    with_epinephrine: Limit
