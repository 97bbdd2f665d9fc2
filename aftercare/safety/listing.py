"""The whole list of the exposed as CSV, written by the database as it finds them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aftercare.safety.survey import room_to_work, statement

LONG_STATEMENT = "SET LOCAL statement_timeout = '10min'"
"""A list of hundreds of thousands of lines may be fetched over a slow line."""
MARK = b"\xef\xbb\xbf"
"""Before the first line, by which a spreadsheet takes it for UTF-8."""


def _plain(cell: str) -> str:
    """A cell that a spreadsheet takes for text: a telephone number's plus stands after a quote."""
    return rf"CASE WHEN {cell} ~ '^[-=+@\t\r]' THEN '''' ELSE '' END || {cell}"


LOCAL = "session.started_at AT TIME ZONE location.timezone"
OFFSET = f"(({LOCAL}) - (session.started_at AT TIME ZONE 'UTC'))"
AT = (
    rf"""to_char({LOCAL}, 'YYYY-MM-DD"T"HH24:MI')"""
    f" || CASE WHEN {OFFSET} < interval '0' THEN '-' ELSE '+' END"
    f" || to_char(greatest({OFFSET}, -{OFFSET}), 'HH24:MI')"
)
"""A session's moment on its location's clock, as ISO 8601 has it: `2026-09-07T10:00+02:00`."""
CELLS = {
    "patient_number": "'P' || lpad(file.number::text, greatest(6, length(file.number::text)), '0')",
    "family_name": _plain("patient.family_name"),
    "given_name": _plain("patient.given_name"),
    "birth_date": "patient.birth_date",
    "language": "patient.language",
    "phone": _plain("patient.phone"),
    "email": _plain("patient.email"),
    "session_at": AT,
    "location": _plain("location.name"),
    "practitioner": _plain("staff.name"),
    "session_number": "session.number",
    "signed": "CASE WHEN session.signed_at IS NULL THEN 'no' ELSE 'yes' END",
}
ROWS = """
SELECT {cells}
FROM found
JOIN treatments_session session ON session.id = found.id
JOIN patients_patient patient ON patient.id = found.patient_id
JOIN clinic_location location ON location.id = found.location_id
JOIN clinic_staff staff ON staff.id = session.practitioner_id,
LATERAL (SELECT coalesce(patient.merged_into_id, patient.id)) file (number)
ORDER BY found.started_at DESC, found.id DESC
"""


def lines(found: Any) -> Iterator[bytes]:
    """The file of what `exposed` found, newest session first, in blocks."""
    cells = ", ".join(f"{cell} AS {head}" for head, cell in CELLS.items())
    rows, params = statement(ROWS.format(cells=cells), found)
    yield MARK
    with room_to_work() as cursor:
        cursor.execute(LONG_STATEMENT)
        with cursor.copy(f"COPY ({rows}) TO STDOUT (FORMAT csv, HEADER true)", params) as copied:
            yield from (bytes(block) for block in copied)
