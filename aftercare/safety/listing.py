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


OFFSET = "(local - (started_at AT TIME ZONE 'UTC'))"
AT = (
    r"""to_char(local, 'YYYY-MM-DD"T"HH24:MI')"""
    f" || CASE WHEN {OFFSET} < interval '0' THEN '-' ELSE '+' END"
    f" || to_char(greatest({OFFSET}, -{OFFSET}), 'HH24:MI')"
)
"""A session's moment on its location's clock, as ISO 8601 has it: `2026-09-07T10:00+02:00`."""
CELLS = {
    "patient_number": "'P' || lpad(file::text, greatest(6, length(file::text)), '0')",
    "family_name": _plain("family_name"),
    "given_name": _plain("given_name"),
    "birth_date": "birth_date",
    "language": "language",
    "phone": _plain("phone"),
    "email": _plain("email"),
    "session_at": AT,
    "location": _plain("place"),
    "practitioner": _plain("practitioner"),
    "session_number": "number",
    "signed": "CASE WHEN signed_at IS NULL THEN 'no' ELSE 'yes' END",
}
OF_SESSION = ("number", "signed_at", "practitioner_id")
# Sorted before a cell is written: the first lines leave while the others are still being written.
ROWS = """
SELECT {cells} FROM (
    SELECT coalesce(patient.merged_into_id, patient.id) AS file,
           patient.family_name, patient.given_name, patient.birth_date, patient.language,
           patient.phone, patient.email, location.name AS place, staff.name AS practitioner,
           found.id, found.started_at, found.number, found.signed_at,
           found.started_at AT TIME ZONE location.timezone AS local
    FROM found
    JOIN patients_patient patient ON patient.id = found.patient_id
    JOIN clinic_location location ON location.id = found.location_id
    JOIN clinic_staff staff ON staff.id = found.practitioner_id
    ORDER BY found.started_at DESC, found.id DESC
) sorted ORDER BY started_at DESC, id DESC
"""


def lines(found: Any) -> Iterator[bytes]:
    """The file of what `exposed` found, newest session first, in blocks."""
    cells = ", ".join(f"{cell} AS {head}" for head, cell in CELLS.items())
    rows, params = statement(ROWS.format(cells=cells), found, more=OF_SESSION)
    yield MARK
    with room_to_work() as cursor:
        cursor.execute(LONG_STATEMENT)
        with cursor.copy(f"COPY ({rows}) TO STDOUT (FORMAT csv, HEADER true)", params) as copied:
            yield from (bytes(block) for block in copied)
