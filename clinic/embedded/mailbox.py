"""The mail sink: takes e-mail over real SMTP and SMS over HTTP, and keeps each as one .eml file.

It listens on loopback only and passes nothing on, so that no demo ever writes to a real person.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import threading
from datetime import UTC, datetime
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from aiosmtpd.smtp import SMTP, Envelope, Session

from clinic.embedded import urls
from clinic.embedded.postgres import private_folder

# Bytes. An SMS is at most a few hundred; attachments come by SMTP only.
SMS_LIMIT = 64 * 1024
_count = itertools.count()


def keep(folder: Path, content: bytes) -> Path:
    """Write one message so that a reader never sees half of it; names sort by arrival."""
    now = datetime.now(UTC)
    name = f"{now:%Y%m%dT%H%M%S%f}-{os.getpid()}-{next(_count)}.eml"
    fresh = folder / f".{name}"
    fresh.write_bytes(content)
    return fresh.rename(folder / name)


class MailHandler:
    """Takes each message of the SMTP side."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(  # noqa: N802  the name that aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep the message with the recipients of the envelope, who may differ from its To."""
        received = f"X-Received: {datetime.now(UTC).isoformat()}\r\n"
        recipients = f"X-Envelope-To: {', '.join(map(str, envelope.rcpt_tos))}\r\n"
        content = envelope.original_content or b""
        keep(self.folder, (received + recipients).encode() + content)
        return "250 Kept"


class SmsHandler(BaseHTTPRequestHandler):
    """Takes what an Apprise `json://` address posts: {"title": ..., "message": ...}."""

    folder: Path

    def do_POST(self) -> None:
        """Keep one text message; the number is `to` in the body or query, or ends the path."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > SMS_LIMIT:
            self.send_error(413)
            return
        try:
            body = json.loads(self.rfile.read(length))
        except ValueError:
            self.send_error(400)
            return
        address = urlsplit(self.path)
        last = unquote(address.path.rstrip("/").rpartition("/")[2])
        number = body.get("to") or parse_qs(address.query).get("to", [last])[0]
        message = EmailMessage()
        message["X-Received"] = datetime.now(UTC).isoformat()
        message["X-Channel"] = "sms"
        message["To"] = "".join(letter for letter in str(number) if letter in "+0123456789")
        message["Subject"] = " ".join(str(body.get("title") or "").split())
        message.set_content(str(body.get("message") or ""))
        keep(self.folder, message.as_bytes())
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the address holds a phone number."""


def listener(wanted: int) -> socket.socket:
    """A loopback socket on the wanted port, or on any free one when that is taken."""
    for port in (wanted, 0):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return sock
        sock.close()
    raise OSError("no free port on 127.0.0.1")


def _announce(name: str, base: Path, sock: socket.socket) -> None:
    path = urls.port_file(name, base)
    fresh = path.with_suffix(".new")
    fresh.write_text(str(sock.getsockname()[1]))
    fresh.rename(path)


def _serve_sms(base: Path, folder: Path) -> ThreadingHTTPServer:
    handler = type("Handler", (SmsHandler,), {"folder": folder})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener(urls.sms_port(base))
    server.server_activate()
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _announce("sms", base, server.socket)
    return server


async def serve(base: Path) -> None:
    """Run both sides until SIGTERM or SIGINT."""
    folder = urls.mailbox_folder(base)
    private_folder(folder)
    web = _serve_sms(base, folder)
    loop = asyncio.get_running_loop()
    sock = listener(urls.mail_port(base))
    handler = MailHandler(folder)
    server = await loop.create_server(
        lambda: SMTP(handler, hostname="localhost", enable_SMTPUTF8=True), sock=sock
    )
    _announce("smtp", base, sock)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await ended.wait()
    server.close()
    web.shutdown()


def main() -> None:
    """Run the sink of the demo, or of the folder given."""
    parser = argparse.ArgumentParser(description="Keep e-mail and SMS in a local folder.")
    parser.add_argument("--base", type=Path, default=urls.home())
    asyncio.run(serve(parser.parse_args().base))


if __name__ == "__main__":
    main()
