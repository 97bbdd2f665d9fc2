"""One e-mail over Django's mail settings, with an exact account of what became of it."""

from __future__ import annotations

import smtplib
from email.encoders import encode_base64
from email.mime.base import MIMEBase
from typing import cast

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend
from django.core.mail.message import sanitize_address
from django.utils.translation import gettext as _

from clinic.delivery.outcome import NotHandedOver, Rejected, Unknown

PERMANENT = 500
LONGEST_REPLY = 160
CALENDAR_FILE = "appointment.ics"


def send_email(
    *,
    to: str,
    subject: str,
    body: str,
    message_id: str,
    language: str = "en",
    reply_to: str = "",
    calendar: str = "",
) -> None:
    """Send plain text to one address. Raises `NotHandedOver`, `Rejected` or `Unknown`.

    `message_id` is the Message-ID header, the same for every attempt at one message. `calendar` is
    an iCalendar object to attach.
    """
    backend = get_connection()
    message = EmailMessage(
        subject=" ".join(subject.split()),
        body=body,
        to=[to],
        reply_to=[reply_to] if reply_to else None,
        headers={
            "Message-ID": message_id,
            "Content-Language": language,
            "Auto-Submitted": "auto-generated",
        },
        connection=backend,
    )
    if calendar:
        message.attach(_calendar_part(calendar))
    if isinstance(backend, SmtpBackend):
        _send_by_smtp(backend, message)
    else:
        backend.send_messages([message])


def _calendar_part(calendar: str) -> MIMEBase:
    """A file that calendars know by its type; its METHOD is said in the type too (RFC 6047).

    In base64, whatever a library has made of Python's own table of charsets: its line ends count.
    """
    part = MIMEBase("text", "calendar", charset="utf-8", method="PUBLISH")
    part.set_payload(calendar.encode())
    encode_base64(part)
    part.add_header("Content-Disposition", "attachment", filename=CALENDAR_FILE)
    return part


def _send_by_smtp(backend: SmtpBackend, message: EmailMessage) -> None:
    """One SMTP conversation. Until the text is on its way, every trouble means: not sent."""
    try:
        backend.open()
    except (OSError, smtplib.SMTPException) as error:
        raise NotHandedOver(_("The mail server cannot be reached.")) from error
    smtp = cast(smtplib.SMTP, backend.connection)
    try:
        _envelope(smtp, message)
        _text(smtp, message)
    finally:
        backend.close()


def _envelope(smtp: smtplib.SMTP, message: EmailMessage) -> None:
    try:
        smtp.ehlo_or_helo_if_needed()
        _must_accept(*smtp.mail(sanitize_address(message.from_email, "utf-8")))
        _must_accept(*smtp.rcpt(sanitize_address(message.to[0], "utf-8")))
    except ValueError as error:
        raise Rejected(_("This is not an address that mail can be sent to.")) from error
    except (OSError, smtplib.SMTPException) as error:
        raise NotHandedOver(_("The mail server broke off before taking the message.")) from error


def _text(smtp: smtplib.SMTP, message: EmailMessage) -> None:
    """Hand over the text; if the answer to it is lost, nobody knows whether it was taken."""
    try:
        text = message.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
        code, reply = smtp.data(text)
    except smtplib.SMTPDataError as error:
        code, reply = error.smtp_code, _bytes(error.smtp_error)
    except (OSError, smtplib.SMTPException) as error:
        raise Unknown(_("The mail server broke off while taking the message.")) from error
    _must_accept(code, reply)


def _must_accept(code: int, reply: bytes) -> None:
    if 200 <= code < 300:
        return
    said = f"{code} {reply.decode(errors='replace')}"[:LONGEST_REPLY]
    if code >= PERMANENT:
        raise Rejected(_("The mail server refused: %(reply)s") % {"reply": said})
    raise NotHandedOver(_("The mail server asks to try later: %(reply)s") % {"reply": said})


def _bytes(reply: bytes | str) -> bytes:
    return reply if isinstance(reply, bytes) else reply.encode()
