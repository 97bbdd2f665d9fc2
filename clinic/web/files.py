"""Giving out a stored file: to whom a view has let in, kept by no cache, run by no page."""

from __future__ import annotations

from django.http import HttpResponse


def private_file(
    content: bytes, *, kind: str, name: str = "", inline: bool = False
) -> HttpResponse:
    """A stored file as a response. `kind`: its content type; `name`: of a download, plain ASCII."""
    response = HttpResponse(content, content_type=kind)
    how = "inline" if inline else "attachment"
    response["Content-Disposition"] = f'{how}; filename="{name}"' if name else how
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
