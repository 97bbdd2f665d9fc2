"""How much of each product is spoken for: a higher room knows, named at the start."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from clinic.places.models import Location

Provider = Callable[[Location], dict[str, Decimal]]
_providers: list[Provider] = []


def provide(provider: Provider) -> None:
    """Name a function that knows what is reserved at a location, by product code; called once from
    an `AppConfig.ready`."""
    if provider not in _providers:
        _providers.append(provider)


def reserved_by_product(location: Location) -> dict[str, Decimal]:
    """What is reserved of each product, in what it is measured in; nothing where nobody knows."""
    found: dict[str, Decimal] = {}
    for provider in _providers:
        for code, amount in provider(location).items():
            found[code] = found.get(code, Decimal(0)) + amount
    return found
