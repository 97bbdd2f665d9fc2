"""Parts of the proofs of seals: flips, a time-stamp authority on loopback, poppler's opinion."""

from __future__ import annotations

import importlib.util
import logging
import random
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from asn1crypto import keys, tsp, x509
from cryptography import x509 as certificates
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.sign.timestamps import DummyTimeStamper

from clinic.rendering import checking

PDFSIG = shutil.which("pdfsig")
NO_PDFSIG = "pdfsig is not on this machine; on Debian: apt-get install poppler-utils"
WHOLE = re.compile(r"Total document signed")
VALID = re.compile(r"Signature Validation: Signature is Valid\.")


def hole_of(pdf: bytes) -> tuple[int, int]:
    """From the `<` of the seal to behind its `>`."""
    found = re.search(rb"/Contents (<[0-9A-F]{1000,}>)", pdf)
    assert found
    return found.span(1)


def flips(pdf: bytes, count: int, seed: int) -> Iterator[tuple[int, bytes]]:
    """So many copies of a file, each with one bit turned; where, and the copy."""
    chance = random.Random(seed)
    for _one in range(count):
        at, bit = chance.randrange(len(pdf)), chance.randrange(8)
        copy = bytearray(pdf)
        copy[at] ^= 1 << bit
        yield at, bytes(copy)


@contextmanager
def loaded_check() -> Iterator[Any]:
    """The job that looks at seals, in this process: many looks without a cell for each."""
    spec = importlib.util.spec_from_file_location("check_job", checking.JOB)
    assert spec
    assert spec.loader
    job = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(job)
    job.prepare()
    chatter = logging.getLogger("pyhanko")
    level = chatter.level
    chatter.setLevel(logging.ERROR)  # it says of every look that no authority stands behind the key
    try:
        yield job
    finally:
        chatter.setLevel(level)
        job.kept["loop"].close()


def pdfsig_accepts(pdf: bytes, folder: Path) -> bool:
    """Whether poppler finds a valid signature over the whole file."""
    path = folder / "copy.pdf"
    path.write_bytes(pdf)
    assert PDFSIG
    done = subprocess.run([PDFSIG, str(path)], capture_output=True, check=False, timeout=60)
    said = done.stdout.decode(errors="replace")
    return bool(WHOLE.search(said) and VALID.search(said))


def _authority() -> DummyTimeStamper:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = certificates.Name([certificates.NameAttribute(certificates.NameOID.COMMON_NAME, "TSA")])
    now = datetime.now(UTC)
    stamping = certificates.ExtendedKeyUsage([certificates.ExtendedKeyUsageOID.TIME_STAMPING])
    certificate = (
        certificates.CertificateBuilder(name, name, key.public_key(), 7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(stamping, critical=True)
        .sign(key, SHA256())
    )
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return DummyTimeStamper(
        x509.Certificate.load(certificate.public_bytes(Encoding.DER)),
        keys.PrivateKeyInfo.load(plain),
    )


@contextmanager
def time_authority() -> Iterator[tuple[str, list[bytes]]]:
    """A time-stamp authority on loopback: its address, and the requests it has had."""
    stamper, asked = _authority(), []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(body)
            answer = stamper.request_tsa_response(tsp.TimeStampReq.load(body)).dump()
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsr", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
