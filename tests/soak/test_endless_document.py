"""A document without end is stopped at the renderer's real limits, and the queue goes on."""

from __future__ import annotations

import time

import pytest

from clinic.rendering.pdf import WALL_SECONDS
from patients.documents.actions import render_next
from patients.documents.models import Document
from tests.conftest import Cast
from tests.patients.test_documents import asked, page

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "body", ["<table>" + "<tr><td>x</td></tr>" * 400_000 + "</table>", "<p>word </p>" * 800_000]
)
def test_it_is_stopped_and_the_next_is_made(cast: Cast, body: str) -> None:
    asked(cast, html=page(cast, body))
    good = asked(cast)
    began = time.monotonic()
    stopped = render_next()
    spent = time.monotonic() - began
    assert stopped is not None
    assert stopped.state == Document.State.FAILED
    assert spent < WALL_SECONDS + 3
    print(f"stopped after {spent:.1f} s: {stopped.error}")
    render_next()
    good.refresh_from_db()
    assert good.state == Document.State.READY
