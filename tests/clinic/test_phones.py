"""Phone numbers: what a phone dials, and what a line of text keeps together."""

from __future__ import annotations

import pytest

from clinic.web.phones import dial, unbroken


@pytest.mark.parametrize(
    ("text", "dialled"),
    [
        ("+33 1 99 00 12 00", "+33199001200"),
        ("112 (15)", "112"),
        ("Call 999", "999"),
        ("", ""),
    ],
)
def test_a_phone_dials_the_first_number(text: str, dialled: str) -> None:
    assert dial(text) == dialled
    assert dial(unbroken(text)) == dialled


def test_no_end_of_a_line_parts_a_number() -> None:
    """A browser may break a line at a space, and not at a no-break space."""
    shown = unbroken("+33 1 99 00 12 00")
    assert " " not in shown
    assert shown.split() == ["+33", "1", "99", "00", "12", "00"]
