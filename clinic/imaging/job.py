"""The picture job in its cell: a file as sent in, clean JPEGs out. See `clinic.confined.cell`.

Imports nothing of the house. What is sent is only ever looked at here: nothing of it but its
pixels, brought upright and to sRGB, and the day it was taken comes out again.
"""

from __future__ import annotations

import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

READABLE: tuple[Path, ...] = ()
FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
"""All that is opened. No vector, no script, no document; nothing that starts another program."""

MOST_PIXELS = {"JPEG": 64_000_000, "MPO": 64_000_000, "WEBP": 12_500_000}
MOST_PIXELS_ELSE = 25_000_000
"""A JPEG can be read at a half, a quarter or an eighth, the others only whole; and the decoder of
WebP holds each pixel four times over."""
SIDES = {"full": 4096, "screen": 1600, "thumb": 360}
"""Longest side in pixels of each picture that is kept. A smaller picture is not made larger."""
QUALITY = {"full": 90, "screen": 85, "thumb": 78}
SMALLEST_SIDE = 32
ORIENTATION, EXIF, TAKEN, OFFSET = 0x0112, 0x8769, 0x9003, 0x9011
TAKEN_SHAPE = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)")
OFFSET_SHAPE = re.compile(r"[+-]\d\d:\d\d")


class Refused(Exception):
    """Why a file is not taken, as one of: format, pixels, small, damaged."""


def prepare() -> None:
    """Load Pillow and the HEIF plugin. Raises `ImportError` or `OSError` where one is missing."""
    import pillow_heif  # noqa: PLC0415  (only once the limits are in force)
    from PIL import Image, ImageCms  # noqa: F401, PLC0415

    pillow_heif.register_heif_opener(
        thumbnails=False, depth_images=False, aux_images=False, decode_threads=1
    )
    # Our own bound is checked before anything is decoded.
    Image.MAX_IMAGE_PIXELS = None


def work(source: bytes) -> tuple[bytes, str]:
    """The three pictures one after the other, and JSON: their lengths, the size, when taken."""
    largest, taken = _read(source)
    pictures, size = [], largest.size
    for name, side in SIDES.items():
        largest.thumbnail((side, side), _lanczos())
        pictures.append(_encoded(largest, QUALITY[name]))
    said = {"lengths": [len(one) for one in pictures], "size": size, "taken": taken}
    return b"".join(pictures), json.dumps(said)


def _read(source: bytes) -> tuple[Any, str]:
    """The pixels upright, as plain RGB in sRGB, at most `SIDES["full"]` wide or high; when taken.

    One name holds the picture all along, so that what came before is given back at once: two of
    the largest fit into the memory there is, and three do not.
    """
    image = _opened(source)
    orientation, taken = _orientation(image), _taken(image)
    _read_smaller(image)
    try:
        image.load()
    except (OSError, SyntaxError, ValueError, EOFError):
        raise Refused("damaged") from None
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):
        image = image.point(lambda value: value / 256).convert("L")
    if image.has_transparency_data:
        if image.mode != "RGBA":
            image = image.convert("RGBA")
        image = _on_white(image)
    elif image.mode not in ("RGB", "L", "CMYK"):
        image = image.convert("RGB")
    image.thumbnail((SIDES["full"], SIDES["full"]), _lanczos(), reducing_gap=2.0)
    image = _in_srgb(image, profile)
    return _upright(image, orientation), taken


def _lanczos() -> Any:
    from PIL import Image  # noqa: PLC0415

    return Image.Resampling.LANCZOS


def _opened(source: bytes) -> Any:
    """The image with its header read and nothing decoded, if it may be decoded at all."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415

    try:
        image = Image.open(BytesIO(source), formats=FORMATS)
    except UnidentifiedImageError:
        raise Refused("format") from None
    width, height = image.size
    if width * height > MOST_PIXELS.get(image.format or "", MOST_PIXELS_ELSE):
        raise Refused("pixels")
    if min(width, height) < SMALLEST_SIDE:
        raise Refused("small")
    return image


def _orientation(image: Any) -> int:
    """How the camera was held, 1 to 8. The HEIF plugin turns the picture itself and says 1."""
    try:
        found = image.getexif().get(ORIENTATION, 1)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError):
        return 1
    return found if found in range(1, 9) else 1


def _taken(image: Any) -> str:
    """When it was taken by the camera's clock, in ISO 8601, with an offset if it gives one."""
    try:
        tags = image.getexif().get_ifd(EXIF)
        when, offset = str(tags.get(TAKEN, "")), str(tags.get(OFFSET, ""))
    except (OSError, SyntaxError, ValueError, TypeError, KeyError):
        return ""
    shape = TAKEN_SHAPE.match(when)
    if shape is None:
        return ""
    zone = offset if OFFSET_SHAPE.fullmatch(offset) else ""
    return "{}-{}-{}T{}".format(*shape.groups()) + zone


def _read_smaller(image: Any) -> None:
    """Let a large JPEG be decoded at the first fraction that fits, which its coding allows."""
    if image.format not in ("JPEG", "MPO"):
        return
    width, height = image.size
    parts = next(n for n in (1, 2, 4, 8) if width * height <= MOST_PIXELS_ELSE * n * n or n == 8)
    image.draft(None, (width // parts, height // parts))


def _on_white(image: Any) -> Any:
    """An RGBA picture without its transparency: what shows through is white."""
    from PIL import Image  # noqa: PLC0415

    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image)
    return paper


def _in_srgb(image: Any, profile: bytes | None) -> Any:
    """The same colours in sRGB. A profile that cannot be read counts as none."""
    from PIL import ImageCms  # noqa: PLC0415

    if profile and image.mode in ("RGB", "L", "CMYK"):
        try:
            given = ImageCms.ImageCmsProfile(BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            image = ImageCms.profileToProfile(image, given, srgb, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass
    image = image.convert("RGB")
    image.info = {}
    return image


def _upright(image: Any, orientation: int) -> Any:
    from PIL import Image  # noqa: PLC0415

    turn = Image.Transpose
    turns = {
        2: turn.FLIP_LEFT_RIGHT,
        3: turn.ROTATE_180,
        4: turn.FLIP_TOP_BOTTOM,
        5: turn.TRANSPOSE,
        6: turn.ROTATE_270,
        7: turn.TRANSVERSE,
        8: turn.ROTATE_90,
    }
    return image.transpose(turns[orientation]) if orientation in turns else image


def _encoded(image: Any, quality: int) -> bytes:
    """A JPEG of nothing but pixels: no EXIF, XMP, profile, comment or thumbnail."""
    out = BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()
