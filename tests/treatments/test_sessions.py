"""Sessions: when one may start, what is kept, what may be signed, and that signed is closed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from clinic.audit.context import SYSTEM, acting
from tests.treatments.session_world import NOON, World, make_world


@pytest.fixture
def world(cast: Any) -> Iterator[World]:
    with acting(SYSTEM):
        yield make_world(cast)


def test_a_session_from_start_to_signature(world: World) -> None:
    session = world.start()
    assert session.number == 1
    assert [(m.lot_id, m.ml) for m in session.mix.all()] == [
        (world.lidocaine.pk, 1),
        (world.hyaluronic.pk, 2),
    ]
    signed = world.sign(world.fill(session))
    assert signed.signed_by == world.practitioner
    assert signed.totals["lidocaine_mg"] == "20"
    assert signed.totals["lidocaine_limit_mg"] == "270"
    assert signed.totals["injected_ml"] == "3"
    world.lidocaine.refresh_from_db()
    assert world.lidocaine.quantity_ml == 99
