"""The names of the areas of the body, which are catalogue rows: the wing above provides them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Names = Callable[[], Mapping[str, str]]
_providers: list[Names] = []


def provide(names: Names) -> None:
    """Name the function that knows them: name by code, in the language in force, in their order."""
    if names not in _providers:
        _providers.append(names)


def area_names() -> dict[str, str]:
    """Every area's name by its code."""
    return {code: name for names in _providers for code, name in names().items()}
