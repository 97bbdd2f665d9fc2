"""What other rooms have to do with a merge. They stand above this one, so they come and say so."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clinic.access.models import Staff
    from patients.registry.models import Patient


def _no_objections(merged: Patient, survivor: Patient) -> Iterable[str]:
    return ()


def _nothing_to_join(by: Staff, merged: Patient, survivor: Patient) -> dict[str, Any]:
    return {}


def _nothing_to_part(survivor: Patient, noted: dict[str, Any]) -> None:
    return


@dataclass(frozen=True)
class Part:
    """A room's part in merges: what stands in the way, what it does, and how it is undone.

    `join` returns what `part` needs to undo it, fit for JSON.
    """

    room: str
    objections: Callable[[Patient, Patient], Iterable[str]] = _no_objections
    join: Callable[[Staff, Patient, Patient], dict[str, Any]] = _nothing_to_join
    part: Callable[[Patient, dict[str, Any]], None] = _nothing_to_part


parts: list[Part] = []


def take_part(part: Part) -> None:
    """Name a room's part; called once from an `AppConfig.ready`."""
    if part not in parts:
        parts.append(part)


def objections(merged: Patient, survivor: Patient) -> list[str]:
    """Everything that stands in the way of merging a file into another."""
    return [said for part in parts for said in part.objections(merged, survivor)]
