"""Pictures and permissions for the tests of photos."""

from __future__ import annotations

import io
import uuid
from datetime import datetime
from typing import Any

import pillow_heif
from django.utils import timezone
from PIL import Image, ImageDraw

from patients.photos.actions import add_photo
from patients.photos.allowing import give
from patients.photos.models import Photo, PhotoPermission
from patients.registry.models import Patient
from tests.conftest import Cast

RED, BLUE = (220, 30, 30), (30, 30, 220)
ORIENTATION, TAKEN, OFFSET, GPS = 0x0112, 0x9003, 0x9011, 0x8825
FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "HEIF": "image/heic"}


def picture(size: tuple[int, int] = (64, 48), colour: tuple[int, int, int] = RED) -> Image.Image:
    """A picture whose left upper corner is blue: one sees whether it is upright."""
    image = Image.new("RGB", size, colour)
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 4, size[1] // 4), fill=BLUE)
    return image


def encoded(image: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    pillow_heif.register_heif_opener()
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def sent(size: tuple[int, int] = (64, 48), form: str = "JPEG", **options: Any) -> bytes:
    return encoded(picture(size), form, **options)


def decoded(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content), formats=["JPEG"])
    image.load()
    return image


def allow(cast: Cast, patient: Patient | None = None, *uses: str) -> None:
    for use in uses or ("record",):
        give(
            by=cast.practitioner,
            patient=patient or cast.patient,
            use=use,
            said_on=timezone.localdate(),
            how=PhotoPermission.How.SPOKEN,
        )


def add(cast: Cast, patient: Patient | None = None, **given: Any) -> Photo:
    values = {"sent": sent(), "area": "face", "side": "none", "view": "front"} | given
    return add_photo(
        by=cast.practitioner, patient=patient or cast.patient, location=cast.here, **values
    )


def row(cast: Cast, patient: Patient | None = None, **given: Any) -> Photo:
    """A stored photo without its pictures: enough for lists."""
    values: dict[str, Any] = {
        "area": "face",
        "side": "none",
        "view": "front",
        "taken_at": timezone.now(),
        "dated_by": "now",
        "taken_by": cast.practitioner,
        "width": 64,
        "height": 48,
        "size": 1_000,
        "file_name": f"photos/{uuid.uuid4().hex}",
        "sha256": "0" * 64,
        "stored_at": timezone.now(),
    }
    return Photo.objects.create(
        patient=patient or cast.patient, location=cast.here, **values | given
    )


def segments(jpeg: bytes) -> list[int]:
    """The markers of a JPEG before its pixels."""
    found, at = [], 2
    while jpeg[at] == 0xFF and jpeg[at + 1] != 0xDA:
        found.append(jpeg[at + 1])
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return found


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)
