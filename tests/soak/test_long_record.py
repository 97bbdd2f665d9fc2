"""The whole record of a patient of many years, printed within the renderer's limits."""

from __future__ import annotations

import io
import random
import time

import pytest
from PIL import Image

from aftercare.story.actions import print_record
from clinic.rendering.pdf import WALL_SECONDS, render_html
from clinic.vault import keep
from patients.documents.pictures import with_pictures
from patients.photos.models import Photo
from tests.bench.long_record import LongRecord
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


def noise(seed: int) -> bytes:
    """A thumbnail larger than any photo makes: nothing but noise."""
    picture = Image.frombytes("RGB", (270, 360), random.Random(seed).randbytes(270 * 360 * 3))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=78)
    return out.getvalue()


@pytest.mark.parametrize("with_photos", [False, True])
def test_eighty_sessions_and_three_hundred_photos_are_printed(
    cast: Cast, with_photos: bool
) -> None:
    patient = LongRecord(cast.here, cast.practitioner).write()
    for seed, photo in enumerate(Photo.objects.filter(patient=patient) if with_photos else ()):
        keep(photo.stored_name("thumb"), noise(seed))
    html = print_record(
        by=cast.practitioner, patient=patient, with_photos=with_photos
    ).document.html
    html = with_pictures(html, patient.pk)
    began = time.monotonic()
    done = render_html(html)
    spent = time.monotonic() - began
    print(f"{len(html) / 2**20:.1f} MB of words, {done.pages} pages, {spent:.1f} s")
    assert spent < WALL_SECONDS
    assert done.pages > 30
    if with_photos:
        assert len(done.pdf) > 5 * 2**20
