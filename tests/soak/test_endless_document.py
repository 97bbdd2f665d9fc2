"""Documents without end are stopped at the renderer's real limits, and the queue goes on."""

from __future__ import annotations

import time

import pytest

from clinic.rendering.pdf import LARGEST_HTML, MEMORY, WALL_SECONDS
from patients.documents.actions import render_next
from patients.documents.models import Document
from tests.clinic.peak import watched
from tests.conftest import Cast
from tests.patients.test_documents import asked, page
from tests.soak.endless import ENDLESS

pytestmark = pytest.mark.django_db


def test_there_are_fifty_of_them() -> None:
    assert len(ENDLESS) == 50


@pytest.mark.parametrize("name", ENDLESS)
def test_it_is_stopped_and_the_next_is_made(cast: Cast, name: str) -> None:
    endless = page(cast, ENDLESS[name]())
    assert len(endless.encode()) < LARGEST_HTML
    asked(cast, html=endless)
    good = asked(cast)
    began = time.monotonic()
    with watched() as seen:
        stopped = render_next()
    spent = time.monotonic() - began
    print(f"{name}: {spent:.1f} s, {seen.peak / 2**20:.0f} MB: {stopped and stopped.error}")
    assert stopped is not None
    assert stopped.state == Document.State.FAILED
    assert spent < WALL_SECONDS + 3
    assert 0 < seen.peak <= MEMORY
    assert render_next() == good
    good.refresh_from_db()
    assert good.state == Document.State.READY
