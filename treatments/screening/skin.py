"""Who knows a patient's skin type: a higher room, named at the start."""

from __future__ import annotations

from collections.abc import Callable

from patients.registry.models import Patient

Provider = Callable[[Patient], int | None]
_providers: list[Provider] = []


def provide(provider: Provider) -> None:
    """Name the function that knows the skin type; called once from an `AppConfig.ready`."""
    if provider not in _providers:
        _providers.append(provider)


def skin_type_of(patient: Patient) -> int | None:
    """Fitzpatrick 1 to 6, from the first that knows it; None where nobody does."""
    return next((found for one in _providers if (found := one(patient)) is not None), None)
