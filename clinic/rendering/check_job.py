"""Looking at a seal, in a cell: a file that anyone sent in, what its seal says out.

Imports nothing of the house. Answers with one line of JSON, see `Seen` in `checking`; refuses what
carries no seal.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

READABLE: tuple[Path, ...] = ()
HOLE = re.compile(rb"/Contents\s*<([0-9A-Fa-f]{512,131072})>")
FAULTS = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError),
    *(TypeError, ValueError, struct.error, zlib.error),
)
"""The ways in which the parsers fail on bytes that are not what they take them for."""
kept: dict[str, Any] = {}


class Refused(Exception):
    """There is no seal in this file."""


def prepare() -> None:
    """Load pyHanko. Its loop opens a pair of sockets of its own, so it is made here."""
    from pyhanko.pdf_utils.misc import PdfError  # noqa: PLC0415  (once the limits are in force)
    from pyhanko.sign.validation.errors import SignatureValidationError  # noqa: PLC0415

    kept["loop"] = asyncio.new_event_loop()
    kept["faults"] = (*FAULTS, PdfError, SignatureValidationError)


def work(source: bytes) -> tuple[bytes, str]:
    """What the seal says, whether it holds, and whether it covers every byte of the file."""
    holes = HOLE.findall(source)
    if not holes:
        raise Refused("no seal")
    certificate = _certificate(holes[-1])
    said = {"certificate": certificate, "holds": False, "moment": "", "stamped": False}
    with contextlib.suppress(*kept["faults"]):
        # What pyHanko can make no sense of does not hold.
        said |= _examined(source)
    return b"", json.dumps(said)


def _certificate(content: bytes) -> str:
    """The fingerprint of the certificate in a seal; nothing where it cannot be read."""
    from asn1crypto import cms  # noqa: PLC0415

    try:
        signed = cms.ContentInfo.load(bytes.fromhex(content.decode()))["content"]
        issued = {
            (one.chosen.issuer.dump(), one.chosen.serial_number): one.chosen
            for one in signed["certificates"]
        }
        (signer,) = signed["signer_infos"]
        name = signer["sid"].chosen
        found = issued[name["issuer"].dump(), name["serial_number"].native]
        return hashlib.sha256(found.dump()).hexdigest()
    except FAULTS:
        return ""


def _examined(source: bytes) -> dict[str, Any]:
    """Asked of pyHanko: one seal alone, intact, by the key of its certificate, over everything."""
    from pyhanko.pdf_utils.reader import PdfFileReader  # noqa: PLC0415
    from pyhanko.sign.validation import async_validate_pdf_signature  # noqa: PLC0415
    from pyhanko.sign.validation.status import SignatureCoverageLevel  # noqa: PLC0415
    from pyhanko_certvalidator import ValidationContext  # noqa: PLC0415

    (seal,) = PdfFileReader(BytesIO(source), strict=True).embedded_signatures
    # Whose key it is, our own list says; no chain is followed, and nothing is fetched.
    context = ValidationContext(trust_roots=[], allow_fetching=False)
    status = kept["loop"].run_until_complete(
        async_validate_pdf_signature(
            seal,
            signer_validation_context=context,
            ts_validation_context=context,
            skip_diff=True,
        )
    )
    stamp = status.timestamp_validity
    stamped = bool(stamp and stamp.intact and stamp.valid)
    # The seal covers this one; a token stands beside the seal, and could be put there by anyone.
    moment = status.signer_reported_dt
    return {
        "certificate": hashlib.sha256(seal.signer_cert.dump()).hexdigest(),
        "holds": bool(
            status.intact
            and status.valid
            and status.coverage == SignatureCoverageLevel.ENTIRE_FILE
            and (stamp is None or stamped)
            and _is_as_set(source, seal)
        ),
        "moment": moment.isoformat() if moment else "",
        "stamped": stamped,
    }


def _is_as_set(source: bytes, seal: Any) -> bool:
    """Whether the hole holds the message in the one way in which it is written, and zeros after."""
    _zero, start, end, _rest = map(int, seal.byte_range)
    message = seal.pkcs7_content
    padding = message[_der_length(message) :]
    return source[start:end] == b"<" + message.hex().upper().encode() + b">" and not any(padding)


def _der_length(content: bytes) -> int:
    """The bytes of the first DER value, its head included."""
    if content[1] < 0x80:
        return 2 + content[1]
    more = content[1] & 0x7F
    return 2 + more + int.from_bytes(content[2 : 2 + more], "big")
