"""The 120 hostile uploads: made here by code, each with what must never be found again.

`CANARY` stands in every payload that a picture could carry along. None of the files needs anything
but Pillow to be made, and none is larger than a few megabytes.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import pillow_heif
from PIL import Image, PngImagePlugin

CANARY = b"HOSTILE-CANARY-7f3a"
HTML = b"<html><script>alert('" + CANARY + b"')</script></html>"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload=\"alert('" + CANARY + b"')\"/>"
PHP = b"<?php system('" + CANARY + b"'); ?>"
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@dataclass(frozen=True)
class Hostile:
    """A file as an attacker sends it. `is_picture`: there is a picture in it that may be kept."""

    kind: str
    name: str
    claims: str
    content: bytes
    is_picture: bool = False


def plain(form: str = "JPEG", size: tuple[int, int] = (320, 240), **options: object) -> bytes:
    """An honest picture of a few colours."""
    image = Image.effect_mandelbrot(size, (-2, -1, 1, 1), 40).convert("RGB")
    if form == "HEIF":
        pillow_heif.register_heif_opener()
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def jpeg_with(marker: int, payload: bytes) -> bytes:
    """A JPEG with one more segment right after its start."""
    whole = plain()
    segment = bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload
    return whole[:2] + segment + whole[2:]


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_head(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head)


def png_bomb(width: int, height: int, depth: int = 8, colour: int = 2, rows: int = 400) -> bytes:
    """A PNG that says it is enormous, and really packs many rows of nothing."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = b"\0" * (1 + (width * channels * depth + 7) // 8)
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(row) for _ in range(rows)) + packer.flush()
    palette = png_chunk(b"PLTE", b"\0\0\0\xff\xff\xff") if colour == 3 else b""
    body = palette + png_chunk(b"IDAT", packed)
    return png_head(width, height, depth, colour) + body + png_chunk(b"IEND", b"")


def png_with(kind: bytes, data: bytes) -> bytes:
    """A PNG with one more chunk right after its head."""
    whole = plain("PNG")
    return whole[:33] + png_chunk(kind, data) + whole[33:]


def jpeg_of_size(width: int, height: int, start: int = 0xC0) -> bytes:
    """An honest JPEG whose frame header was made to lie about its size (and its coding)."""
    whole = plain()
    at = whole.index(b"\xff\xc0")
    lie = struct.pack(">HH", height, width)
    return whole[:at] + bytes([0xFF, start]) + whole[at + 2 : at + 5] + lie + whole[at + 9 :]


def webp_of_largest_size() -> bytes:
    """An honest lossless WebP that was made to say it is 16,384 pixels wide and high."""
    whole = plain("WEBP", lossless=True)
    at = whole.index(b"VP8L") + 9
    (bits,) = struct.unpack("<I", whole[at : at + 4])
    return whole[:at] + struct.pack("<I", bits | 0x0FFF_FFFF) + whole[at + 4 :]


def packed_nothing(megabytes: int) -> bytes:
    """So many megabytes of zeros, compressed without ever holding them."""
    packer, nothing = zlib.compressobj(1), bytes(1_000_000)
    return b"".join(packer.compress(nothing) for _ in range(megabytes)) + packer.flush()


def zipped(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, content)
    return out.getvalue()


def in_other_format(form: str) -> bytes:
    out = io.BytesIO()
    image = Image.effect_mandelbrot((64, 64), (-2, -1, 1, 1), 20)
    image.convert("P" if form == "GIF" else "RGB").save(out, form)
    return out.getvalue()


def polyglots() -> Iterator[Hostile]:
    """Pictures that are something else as well."""
    for form, extension in (("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp"), ("HEIF", "heic")):
        whole = plain(form)
        tails = {
            "html": HTML,
            "zip": zipped("a.html", HTML),
            "php": PHP,
            "svg": SVG,
            "eicar": EICAR + CANARY,
        }
        for name, tail in tails.items():
            yield Hostile("tail", f"{name}.{extension}", f"image/{extension}", whole + tail, True)
    exif = b"Exif\0\0" + b"MM\0*\0\0\0\x08\0\0" + HTML
    for marker, payload in ((0xFE, PHP), (0xE1, exif), (0xED, HTML), (0xE2, SVG), (0xEE, HTML)):
        content = jpeg_with(marker, payload)
        yield Hostile("segment", f"{marker:x}.jpg", "image/jpeg", content, True)
    xmp = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>" + CANARY + b"</x:xmpmeta>"
    yield Hostile("segment", "xmp.jpg", "image/jpeg", jpeg_with(0xE1, xmp), True)
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", HTML.decode())
    info.add_itxt("XML:com.adobe.xmp", SVG.decode())
    yield Hostile("chunk", "text.png", "image/png", plain("PNG", pnginfo=info), True)
    yield Hostile("chunk", "own.png", "image/png", png_with(b"evIl", HTML), True)
    exif_tags = Image.Exif()
    exif_tags[0x010E], exif_tags[0x013B] = HTML.decode(), PHP.decode()
    for form, extension in (("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp"), ("HEIF", "heic")):
        content = plain(form, exif=exif_tags.tobytes())
        yield Hostile("exif", f"tags.{extension}", f"image/{extension}", content, True)
    yield Hostile("head", "gif.js", "image/gif", b"GIF89a/*" + HTML + b"*/=1;")
    yield Hostile("head", "pdf.jpg", "image/jpeg", b"%PDF-1.7\n" + plain() + HTML)
    yield Hostile("head", "html.jpg", "image/jpeg", HTML + plain())
    yield Hostile("head", "php.jpg", "image/jpeg", PHP + plain())
    yield Hostile("head", "zip.jpg", "image/jpeg", zipped("a.jpg", plain()) + plain())


def no_pictures() -> Iterator[Hostile]:
    """What is no picture of ours, whatever it says it is."""
    texts = {
        "svg": SVG,
        "html": HTML,
        "xhtml": b"<?xml version='1.0'?>" + HTML,
        "xml": b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
        "php": PHP,
        "js": b"alert('" + CANARY + b"')",
        "sh": b"#!/bin/sh\ncurl " + CANARY,
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n(%pipe%id) (w) file\n",
        "ps": b"%!PS\n(%pipe%touch /tmp/x) (w) file\n",
        "pdf": b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(" + CANARY + b")>>>>endobj",
        "exe": b"MZ" + b"\0" * 200 + CANARY,
        "elf": b"\x7fELF" + b"\0" * 200 + CANARY,
        "eicar": EICAR,
        "mvg": b"push graphic-context\nimage over 0,0 0,0 'https://127.0.0.1/'\n",
        "csv": b"=cmd|' /C calc'!A0," + CANARY,
        "empty": b"",
        "nul": b"\0" * 4_096,
        "text": CANARY * 20,
    }
    for name, content in texts.items():
        yield Hostile("no picture", f"{name}.jpg", "image/jpeg", content)
    for form in ("GIF", "BMP", "TIFF", "ICO", "PCX", "TGA", "PPM", "JPEG2000", "SGI", "DDS"):
        content = in_other_format(form)
        yield Hostile("other format", f"{form}.jpg", "image/jpeg", content)
    yield Hostile("other format", "icc.png", "image/png", b"\x89PNG\r\n\x1a\n")


def bombs() -> Iterator[Hostile]:
    """Small files that want to be enormous."""
    yield Hostile("bomb", "30000.png", "image/png", png_bomb(30_000, 30_000))
    yield Hostile("bomb", "grey.png", "image/png", png_bomb(60_000, 60_000, 1, 0))
    yield Hostile("bomb", "palette.png", "image/png", png_bomb(40_000, 40_000, 8, 3, 500))
    yield Hostile("bomb", "deep.png", "image/png", png_bomb(20_000, 20_000, 16, 6, 200))
    yield Hostile("bomb", "wide.png", "image/png", png_bomb(2_000_000, 33, rows=33))
    yield Hostile("bomb", "just-below.png", "image/png", png_bomb(4_990, 4_990, rows=4_990), True)
    yield Hostile("bomb", "rgba-below.png", "image/png", png_bomb(4_990, 4_990, 8, 6, 4_990), True)
    yield Hostile("bomb", "deep-below.png", "image/png", png_bomb(4_990, 4_990, 16, 6, 4_990), True)
    for side in (65_500, 40_000, 20_000):
        yield Hostile("bomb", f"{side}.jpg", "image/jpeg", jpeg_of_size(side, side))
    # Its decoder fills with grey what is not there; that is a picture, if an empty one.
    yield Hostile("bomb", "below.jpg", "image/jpeg", jpeg_of_size(7_990, 7_990), True)
    yield Hostile("bomb", "progressive.jpg", "image/jpeg", jpeg_of_size(7_990, 7_990, 0xC2), True)
    yield Hostile("bomb", "16384.webp", "image/webp", webp_of_largest_size())
    packed = packed_nothing(90)
    yield Hostile("bomb", "text.png", "image/png", png_with(b"zTXt", b"a\0\0" + packed), True)
    yield Hostile("bomb", "profile.png", "image/png", png_with(b"iCCP", b"a\0\0" + packed), True)
    yield Hostile("bomb", "itxt.png", "image/png", png_with(b"iTXt", b"a\0\1\0\0\0" + packed), True)


def cut_off() -> Iterator[Hostile]:
    """Pictures that end too soon."""
    for form, extension in (("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp"), ("HEIF", "heic")):
        whole = plain(form)
        for share in (10, 45, 80):
            content = whole[: len(whole) * share // 100]
            yield Hostile("cut off", f"{share}.{extension}", f"image/{extension}", content)


NAMES = (
    "photo.jpg.php",
    "photo.php.jpg",
    "photo.svg.jpeg",
    "photo.html",
    "photo.jpg%00.html",
    "photo.jpg\u202egpj.exe",
    "../../../../etc/cron.d/x.jpg",
    "..\\..\\..\\windows\\system32\\x.jpg",
    "/etc/passwd",
    "....//....//x.jpg",
    "%2e%2e%2f%2e%2e%2fx.jpg",
    "C:\\x.jpg",
    "file:///etc/passwd",
    "CON.jpg",
    ".htaccess",
    "-rf *.jpg",
    "$(id).jpg",
    "`id`.jpg",
    "; rm -rf ~ ;.jpg",
    "<script>alert(1)</script>.jpg",
    "'; DROP TABLE patients_photo; --.jpg",
    "{{7*7}}.jpg",
    "x" * 5_000 + ".jpg",
    "\r\nSet-Cookie: a=b.jpg",
    " .jpg",
)


def bad_names() -> Iterator[Hostile]:
    """An honest picture under a name that wants to be more than a name."""
    for name in NAMES:
        yield Hostile("name", name, "text/html", plain(), True)


@lru_cache(maxsize=1)
def hostile_uploads() -> list[Hostile]:
    """All of them, in the same order each time."""
    makers = (polyglots, no_pictures, bombs, cut_off, bad_names)
    return [one for maker in makers for one in maker()]
