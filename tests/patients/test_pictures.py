"""A picture as sent becomes a picture that can be kept, or is refused; whatever was sent."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path

import pytest
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.test import RequestFactory
from PIL import Image, ImageCms

from clinic.imaging import pictures
from clinic.imaging.pictures import PictureRefused, clean_picture
from clinic.web import uploads
from clinic.web.uploads import was_dropped
from tests.patients.hostile_uploads import CANARY, hostile_uploads, png_bomb
from tests.patients.photo_parts import (
    BLUE,
    FORMATS,
    ORIENTATION,
    RED,
    TAKEN,
    decoded,
    encoded,
    picture,
    segments,
    sent,
)

HARMLESS = {0xE0, 0xDB, 0xC0, 0xC4}
"""JFIF, quantisation, frame, Huffman: what a JPEG cannot do without."""


def is_near(got: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return all(abs(one - other) < 40 for one, other in zip(got, wanted, strict=True))


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_becomes_three_bare_jpegs(form: str) -> None:
    made = clean_picture(sent((800, 600), form))
    for content in (made.full, made.screen, made.thumb):
        image = decoded(content)
        assert image.format == "JPEG"
        assert set(segments(content)) <= HARMLESS
        assert is_near(image.getpixel((5, 5)), BLUE)
        assert is_near(image.getpixel((image.width - 5, image.height - 5)), RED)
    assert (made.width, made.height) == (800, 600) == decoded(made.full).size
    assert decoded(made.thumb).size == (360, 270)


TURNED = {
    1: (0, 0),
    2: (1, 0),
    3: (1, 1),
    4: (0, 1),
    5: (0, 0),
    6: (1, 0),
    7: (1, 1),
    8: (0, 1),
}
"""In which corner what was stored at the left above is to be seen, by orientation."""


@pytest.mark.parametrize("orientation", TURNED)
def test_it_is_turned_upright(orientation: int) -> None:
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    made = clean_picture(sent((80, 40), exif=tags))
    image = decoded(made.full)
    assert image.size == ((40, 80) if orientation > 4 else (80, 40))
    right, below = TURNED[orientation]
    corner = (image.width - 4 if right else 3, image.height - 4 if below else 3)
    assert is_near(image.getpixel(corner), BLUE)


def test_a_heic_with_an_orientation_is_turned_once() -> None:
    tags = Image.Exif()
    tags[ORIENTATION] = 6
    made = clean_picture(sent((80, 40), "HEIF", exif=tags.tobytes()))
    assert decoded(made.full).size == (40, 80)


def test_place_device_and_names_are_gone_and_the_day_is_kept() -> None:
    tags = Image.Exif()
    tags[0x010F], tags[0x0110] = CANARY.decode(), "Phone"
    tags.get_ifd(0x8769)[TAKEN] = "2026:03:04 10:11:12"
    tags.get_ifd(0x8825)[2] = (48.0, 51.0, 24.0)
    whole = sent((80, 60), exif=tags, comment=CANARY, icc_profile=_profile())
    assert CANARY in whole
    made = clean_picture(whole)
    assert made.taken == datetime(2026, 3, 4, 10, 11, 12)  # noqa: DTZ001  (the camera knew no zone)
    for content in (made.full, made.screen, made.thumb):
        assert CANARY not in content
        assert set(segments(content)) <= HARMLESS
        assert not dict(decoded(content).getexif())


def test_an_offset_of_the_camera_is_kept() -> None:
    tags = Image.Exif()
    tags.get_ifd(0x8769).update({TAKEN: "2026:03:04 10:11:12", 0x9011: "+09:00"})
    taken = clean_picture(sent(exif=tags)).taken
    assert taken == datetime.fromisoformat("2026-03-04T10:11:12+09:00")


@pytest.mark.parametrize("said", ["2026:13:45 99:99:99", "yesterday", "0000:00:00 00:00:00"])
def test_a_clock_that_says_nonsense_says_nothing(said: str) -> None:
    tags = Image.Exif()
    tags.get_ifd(0x8769)[TAKEN] = said
    assert clean_picture(sent(exif=tags)).taken is None


def _profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_colours_of_another_profile_are_brought_to_srgb() -> None:
    """In this profile red and blue are swapped; whoever ignores it shows a blue picture."""
    profile = bytearray(_profile())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    made = clean_picture(sent((80, 60), icc_profile=bytes(profile)))
    assert is_near(decoded(made.full).getpixel((70, 50)), BLUE)


def test_a_broken_profile_counts_as_none() -> None:
    made = clean_picture(sent((80, 60), icc_profile=b"broken" * 50))
    assert is_near(decoded(made.full).getpixel((70, 50)), RED)


def test_what_is_transparent_becomes_white() -> None:
    image = picture((64, 64)).convert("RGBA")
    image.putalpha(0)
    made = clean_picture(encoded(image, "PNG"))
    assert is_near(decoded(made.full).getpixel((50, 50)), (255, 255, 255))


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "I;16", "CMYK"])
def test_every_kind_of_pixel_is_read(mode: str) -> None:
    image = picture((64, 64)).convert("L" if mode == "I;16" else mode)
    wanted = image.convert("L").resize((8, 8))
    if mode == "I;16":
        image = image.convert("I").point(lambda value: value * 256).convert("I;16")
    form = "JPEG" if mode == "CMYK" else "PNG"
    got = decoded(clean_picture(encoded(image, form)).full).convert("L").resize((8, 8))
    assert abs(got.getpixel((6, 6)) - wanted.getpixel((6, 6))) < 30


def test_a_phone_picture_is_kept_whole_and_a_larger_one_is_made_smaller() -> None:
    assert clean_picture(sent((4_032, 3_024))).width == 4_032
    larger = clean_picture(sent((8_000, 6_000)))
    assert (larger.width, larger.height) == (4_000, 3_000)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"GIF89a" + b"\0" * 50, "JPEG, PNG, WebP or HEIC"),
        (png_bomb(30_000, 30_000, rows=10), "too many pixels"),
        (sent()[:300], "damaged"),
        (sent((8, 8)), "too small"),
    ],
    ids=["empty", "format", "pixels", "damaged", "small"],
)
def test_a_refusal_says_why(content: bytes, why: str) -> None:
    with pytest.raises(PictureRefused, match=why):
        clean_picture(content)


def test_a_file_above_the_bound_is_not_even_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "LARGEST_BYTES", 100)
    monkeypatch.setattr(pictures, "run_confined", None)
    with pytest.raises(PictureRefused, match="larger"):
        clean_picture(b"x" * 101)


def test_a_picture_that_takes_too_long_or_too_much_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(pictures, "WALL_SECONDS", 0.05)
        with pytest.raises(PictureRefused, match="too long"):
            clean_picture(sent())
    # The bound is in force: with less of it, an honest large picture cannot be read.
    monkeypatch.setattr(pictures, "ADDRESS_SPACE", 200 * 1024 * 1024)
    with pytest.raises(PictureRefused):
        clean_picture(sent((4_900, 4_900), "PNG"))


def one_of_each() -> list[object]:
    """The first of every kind and format: the short form; tests/soak looks at all 120."""
    chosen = {}
    for one in hostile_uploads():
        if one.kind == "name":
            continue  # names are the business of the page that takes the files
        chosen.setdefault((one.kind, one.name.rpartition(".")[2][:4]), one)
    return [pytest.param(one, id=f"{one.kind}-{one.name[:20]!r}") for one in chosen.values()]


def test_there_are_120_of_them() -> None:
    everything = hostile_uploads()
    assert len(everything) == 120
    assert len({one.content + one.name.encode() for one in everything}) == 120
    carried = [one for one in everything if one.kind in ("tail", "segment", "chunk")]
    assert all(CANARY in one.content for one in carried if one.name[:3] != "zip")


@pytest.mark.parametrize("hostile", one_of_each())
def test_nothing_is_kept_as_it_was_sent(hostile: object) -> None:
    try:
        made = clean_picture(hostile.content)
    except PictureRefused:
        return
    assert hostile.is_picture, f"{hostile.name} was taken for a picture"
    for content in (made.full, made.screen, made.thumb):
        assert content not in hostile.content
        assert CANARY not in content
        assert set(segments(content)) <= HARMLESS
        assert content.endswith(b"\xff\xd9")


# --- files on their way in ------------------------------------------------------------------


def post(*contents: bytes) -> list[InMemoryUploadedFile]:
    files = [InMemoryUploadedFile(io.BytesIO(c), "f", "a.jpg", "x", len(c), None) for c in contents]
    request = RequestFactory().post("/", {"pictures": files})
    return request.FILES.getlist("pictures")


def test_a_large_file_is_held_in_memory_and_never_on_the_disk(
    tmp_path: Path, settings: object
) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "drafts")
    (tmp_path / "drafts").mkdir()
    [file] = post(b"x" * 5_000_000)
    assert isinstance(file, InMemoryUploadedFile)
    assert file.read() == b"x" * 5_000_000
    assert not list((tmp_path / "drafts").iterdir())


def test_djangos_own_way_would_write_it_down(tmp_path: Path, settings: object) -> None:
    """The negative control."""
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "drafts")
    (tmp_path / "drafts").mkdir()
    settings.FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
    [file] = post(b"x" * 5_000_000)
    assert list((tmp_path / "drafts").iterdir())
    file.close()


def test_what_is_too_large_is_dropped_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LARGEST_FILE", 1_000)
    monkeypatch.setattr(uploads, "LARGEST_TOGETHER", 1_500)
    found = post(b"a" * 900, b"b" * 1_001, b"c" * 700, b"d" * 500)
    assert [was_dropped(one) for one in found] == [False, True, True, False]
    assert [len(one.read()) for one in found] == [900, 0, 0, 500]
    assert [one.size for one in found] == [900, 1_001, 700, 500]


def test_a_request_that_is_far_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LARGEST_REQUEST", 1_000)
    with pytest.raises(RequestDataTooBig):
        post(b"x" * 1_001)
