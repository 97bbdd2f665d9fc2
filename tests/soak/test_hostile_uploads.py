"""All 120 hostile uploads through the page: nothing kept as sent, and memory within 300 MB."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from clinic.imaging.pictures import clean_picture
from patients.photos.actions import read_photo
from patients.photos.models import SIZES, Photo
from tests.conftest import Cast
from tests.patients.hostile_uploads import CANARY, Hostile, hostile_uploads
from tests.patients.photo_parts import allow, encoded, segments
from tests.patients.test_pictures import HARMLESS

pytestmark = [pytest.mark.soak, pytest.mark.django_db]
MOST_BYTES = 300 * 1024 * 1024
LONGEST_SECONDS = 25


class Watch:
    """The most memory that the cells of this process had at once, and how far it grew itself."""

    def __init__(self) -> None:
        self.process = psutil.Process()
        self.before = self.process.memory_info().rss
        self.cells = self.growth = 0

    def look(self) -> None:
        """The kernel's own high-water mark of every cell; what has just ended was seen before."""
        together = 0
        for child in self.process.children(recursive=True):
            try:
                status = Path(f"/proc/{child.pid}/status").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            marks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
            together += sum(int(mark) * 1024 for mark in marks)
        self.cells = max(self.cells, together)
        self.growth = max(self.growth, self.process.memory_info().rss - self.before)


@contextmanager
def watching() -> Iterator[Watch]:
    watch, over = Watch(), threading.Event()

    def keep_looking() -> None:
        while not over.wait(0.004):
            watch.look()

    thread = threading.Thread(target=keep_looking, daemon=True)
    thread.start()
    yield watch
    over.set()
    thread.join()


def stored() -> list[bytes]:
    root = Path(django_settings.MEDIA_ROOT)
    return [one.read_bytes() for one in root.rglob("*") if one.is_file()]


def test_120_hostile_uploads(
    cast: Cast, client_for: object, capsys: pytest.CaptureFixture[str]
) -> None:
    allow(cast)
    browser: Client = client_for(cast.practitioner)  # type: ignore[operator]
    where = reverse("photos:add", args=[cast.patient.number])
    uploads = hostile_uploads()
    assert len(uploads) == 120
    kept, slowest, worst = 0, (0.0, ""), (0, "")
    gc.collect()
    for hostile in uploads:
        before = Photo.objects.kept().count()
        began = time.monotonic()
        with watching() as watch:
            answer = browser.post(
                where,
                {
                    "shot": "face.none.front",
                    "pictures": SimpleUploadedFile(hostile.name, hostile.content, hostile.claims),
                },
                headers={"X-One-Photo": "yes"},
            )
        took = time.monotonic() - began
        assert answer.status_code in (201, 422), hostile.name
        added = Photo.objects.kept().count() - before
        assert added == (1 if answer.status_code == 201 else 0)
        assert hostile.is_picture or not added, f"{hostile.name} was kept"
        kept += added
        slowest, worst = max(slowest, (took, hostile.name)), max(worst, (watch.cells, hostile.name))
        assert watch.cells <= MOST_BYTES, f"{hostile.name}: {watch.cells / 1e6:.0f} MB"
        assert watch.growth <= MOST_BYTES, f"{hostile.name}: grew {watch.growth / 1e6:.0f} MB"
        assert took <= LONGEST_SECONDS, f"{hostile.name} took {took:.1f} s"
    refuse_what_was_sent(uploads)
    with capsys.disabled():
        print(
            f"\n120 hostile uploads: {kept} cleaned and kept, {120 - kept} refused; most memory "
            f"{worst[0] / 1e6:.0f} MB ({worst[1][:30]}), slowest {slowest[0]:.1f} s "
            f"({slowest[1][:30]})"
        )


def refuse_what_was_sent(uploads: list[Hostile]) -> None:
    """On the disk nothing is readable, and unsealed there are bare JPEGs and nothing else."""
    sent = {one.content for one in uploads if one.content}
    for content in stored():
        assert content not in sent
        assert CANARY not in content
    photos = list(Photo.objects.kept())
    assert len(stored()) == len(photos) * len(SIZES)
    for photo in photos:
        for size in SIZES:
            content = read_photo(photo, size)
            assert content not in sent
            assert CANARY not in content
            assert set(segments(content)) <= HARMLESS


LARGEST = {
    "a phone's 24 megapixels in HEIC": ("HEIF", (5_712, 4_284), {"quality": 50}),
    "a phone's 48 megapixels in JPEG": ("JPEG", (8_064, 6_048), {}),
    "64 megapixels, progressive": ("JPEG", (8_000, 8_000), {"progressive": True}),
    "25 megapixels with transparency": ("PNG", (4_990, 4_990), {"compress_level": 1}),
    "12 megapixels in WebP": ("WEBP", (3_500, 3_500), {"method": 0}),
}


@pytest.mark.parametrize("name", LARGEST)
def test_the_largest_honest_pictures_fit(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The other half of the bound: what a clinic's devices make is taken."""
    form, size, options = LARGEST[name]
    image = Image.effect_noise((800, 600), 80).convert("RGBA" if form == "PNG" else "RGB")
    content = encoded(image.resize(size), form, **options)
    with watching() as watch:
        made = clean_picture(content)
    assert min(made.width, made.height) >= 3_000
    assert watch.cells <= MOST_BYTES
    with capsys.disabled():
        print(f"\n{name}: {watch.cells / 1e6:.0f} MB")


def test_the_watch_sees_a_flood() -> None:
    """The negative control: a child that takes 400 MB is seen to take them."""
    with watching() as watch:
        subprocess.run(
            [sys.executable, "-c", "import time; x = b'x' * 400_000_000; time.sleep(0.2)"],
            check=True,
        )
    assert watch.cells > MOST_BYTES
