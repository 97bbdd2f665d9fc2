"""1,000 single-bit flips in sealed PDFs, by our check, by pyHanko and by poppler."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path

import pytest

from patients.documents.actions import read_pdf, render_next
from patients.documents.models import Document
from tests.conftest import Cast
from tests.patients.four_scripts import PAPERS, whole_page
from tests.patients.seal_parts import (
    NO_PDFSIG,
    PDFSIG,
    flips,
    hole_of,
    loaded_check,
    pdfsig_accepts,
)
from tests.patients.test_documents import asked

pytestmark = pytest.mark.django_db
EACH = 250


@pytest.fixture
def sealed(cast: Cast) -> list[bytes]:
    """Four consents, one in each script."""
    for paper in PAPERS.values():
        asked(cast, html=whole_page(paper), language=paper.language)
    made = []
    while (document := render_next()) is not None:
        assert document.state == Document.State.READY
        made.append(read_pdf(document))
    return made


def test_all_are_found_by_the_hash_and_by_the_seal_alone(sealed: list[bytes]) -> None:
    found = 0
    with loaded_check() as job:
        for seed, pdf in enumerate(sealed):
            for at, copy in flips(pdf, EACH, seed):
                sha256 = hashlib.sha256(copy).hexdigest()
                assert not Document.objects.with_content(sha256).exists(), (seed, at)
                with contextlib.suppress(job.Refused):
                    assert json.loads(job.work(copy)[1])["holds"] is False, (seed, at)
                found += 1
    assert found == 1000


@pytest.mark.skipif(PDFSIG is None, reason=NO_PDFSIG)
def test_all_outside_the_seal_are_found_by_poppler(sealed: list[bytes], tmp_path: Path) -> None:
    outside = 0
    for seed, pdf in enumerate(sealed):
        start, end = hole_of(pdf)
        assert pdfsig_accepts(pdf, tmp_path)
        for at, copy in flips(pdf, EACH, seed):
            if not start <= at < end:
                assert not pdfsig_accepts(copy, tmp_path), (seed, at)
                outside += 1
    print(f"{outside} flips outside the seals, all found by pdfsig")
    assert outside > 700
