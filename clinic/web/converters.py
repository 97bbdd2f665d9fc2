"""How a patient number looks in an address."""

from __future__ import annotations

from django.urls import register_converter


class PatientNumberConverter:
    """`P` and six digits or more, to and from the number itself."""

    regex = "P[0-9]{6,12}"

    def to_python(self, value: str) -> int:
        return int(value[1:])

    def to_url(self, value: int | str) -> str:
        return value if isinstance(value, str) else f"P{value:06d}"


register_converter(PatientNumberConverter, "patient")
