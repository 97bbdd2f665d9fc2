"""The demo's mailbox: what the local sink was sent over real SMTP. It exists only under DEMO."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from functools import wraps
from pathlib import Path
from typing import cast

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import strip_tags
from django.views.decorators.http import require_safe

from clinic.access.permissions import public
from clinic.embedded import urls

LISTED = 200
"""So many of the newest messages are listed."""


@dataclass(frozen=True)
class Letter:
    """One kept message, e-mail or SMS."""

    name: str
    message: EmailMessage

    @property
    def received(self) -> datetime | None:
        """When the sink took it."""
        given = self.message.get("X-Received")
        return datetime.fromisoformat(given) if given else None

    @property
    def is_sms(self) -> bool:
        """Whether it came by the SMS side."""
        return self.message.get("X-Channel") == "sms"

    @property
    def to(self) -> str:
        """Whom it went to, as the envelope said."""
        return str(self.message.get("X-Envelope-To") or self.message.get("To") or "")

    @property
    def sender(self) -> str:
        """Whom it says it comes from."""
        return str(self.message.get("From") or "")

    @property
    def subject(self) -> str:
        """Its subject; for an SMS the beginning of its text."""
        return str(self.message.get("Subject") or "") or self.text[:80]

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Every header but those which the sink added."""
        return [(k, str(v)) for k, v in self.message.items() if not k.startswith("X-Envelope")]

    @property
    def text(self) -> str:
        """The readable text; of a message in HTML only, its words."""
        body = self.message.get_body(preferencelist=("plain", "html"))
        if body is None:
            return ""
        content = str(body.get_content())
        return strip_tags(content) if body.get_content_subtype() == "html" else content

    @property
    def attachments(self) -> list[EmailMessage]:
        """The attached files."""
        return cast("list[EmailMessage]", list(self.message.iter_attachments()))

    @property
    def attachment_names(self) -> list[str]:
        """Their names; to a template a part is its headers, and it would look for a header."""
        return [part.get_filename() or "" for part in self.attachments]


def _demo_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: object) -> HttpResponse:
        if not settings.DEMO:
            raise Http404
        return view(request, **kwargs)

    return guarded


def _files() -> list[Path]:
    """The kept messages, newest first; their names begin with the time."""
    folder = urls.mailbox_folder()
    if not folder.is_dir():
        return []
    kept = (path for path in folder.iterdir() if path.name.endswith(".eml"))
    return sorted((path for path in kept if not path.name.startswith(".")), reverse=True)


def _read(path: Path) -> Letter:
    parsed = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
    return Letter(path.stem, parsed)


def _letter(name: str) -> Letter:
    """The message of that name, looked up among those there: a name cannot leave the folder."""
    for path in _files():
        if path.stem == name:
            return _read(path)
    raise Http404


@public
@require_safe
@_demo_only
def mailbox(request: HttpRequest) -> HttpResponse:
    """What was sent, newest first."""
    files = _files()
    context = {"letters": [_read(path) for path in files[:LISTED]], "count": len(files)}
    return render(request, "clinic/mailbox.html", context)


@public
@require_safe
@_demo_only
def mailbox_message(request: HttpRequest, name: str) -> HttpResponse:
    """One message: headers, text with its links, attachments."""
    return render(request, "clinic/mailbox_message.html", {"letter": _letter(name)})


@public
@require_safe
@_demo_only
def mailbox_attachment(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """One attached file, as a download."""
    attachments = _letter(name).attachments
    if number >= len(attachments):
        raise Http404
    part = attachments[number]
    content = part.get_content()
    response = HttpResponse(
        content.encode() if isinstance(content, str) else content,
        content_type="application/octet-stream",
    )
    filename = part.get_filename() or f"attachment-{number + 1}"
    safe = "".join(letter for letter in filename if letter.isalnum() or letter in "._- ")
    response["Content-Disposition"] = f'attachment; filename="{safe}"'
    return response
