"""Drawn pictures in the place of photos: a mannequin's head, and a scalp. Nobody is shown.

Pure: the same values, the same picture. `better` is from 0, as it was, to 1, as one may hope.
"""

from __future__ import annotations

import io
from random import Random

from PIL import Image, ImageDraw

WIDTH, HEIGHT = 900, 1_200
PAPER, SKIN, SHADE, INK = (226, 230, 233), (240, 242, 244), (205, 211, 216), (38, 50, 62)
FINE, HAIR = (120, 132, 143), (70, 82, 94)
TURNS = {"front": 0.0, "left-oblique": -0.5, "right-oblique": 0.5, "left": -1.0, "right": 1.0}
"""To which side of the picture the nose points, and how far: in a left profile, to the left."""

MOST_ON_FOREHEAD = 4
HIDDEN = 0.9

Point = tuple[float, float]


def head(view: str, better: float, seed: int) -> bytes:
    """A head in a standard view of the face, with fine lines that grow fewer; a JPEG."""
    random = Random(seed)  # noqa: S311  plausible, not secret
    image, draw = _sheet()
    turn = TURNS[view]
    x, y = WIDTH / 2 + random.uniform(-18, 18), 560 + random.uniform(-14, 14)
    draw.rounded_rectangle(
        (x - 120, y + 260, x + 120, y + 640), 60, fill=SHADE, outline=INK, width=5
    )
    draw.ellipse((x - 255, y - 360, x + 255, y + 330), fill=SKIN, outline=INK, width=7)
    draw.chord((x - 262, y - 372, x + 262, y + 336), 222, 318, fill=HAIR)
    _features(draw, x + turn * 130, y, turn)
    _fine_lines(draw, x + turn * 130, y, turn, round(9 * (1 - better)) + 1, random)
    return _jpeg(image)


def scalp(better: float, seed: int) -> bytes:
    """A scalp from above whose parting grows narrower; a JPEG."""
    random = Random(seed)  # noqa: S311  plausible, not secret
    image, draw = _sheet()
    x, y = WIDTH / 2 + random.uniform(-15, 15), HEIGHT / 2 + random.uniform(-15, 15)
    draw.ellipse((x - 300, y - 390, x + 300, y + 390), fill=SKIN, outline=INK, width=7)
    bare = 95 - 60 * better
    for _strand in range(2_600):
        across, along = random.uniform(-1, 1), random.uniform(-1, 1)
        if across**2 + along**2 > 0.94 or abs(across) * 300 < bare * (1 - abs(along) * 0.6):
            continue
        start = (x + across * 298, y + along * 388)
        way = 1 if across > 0 else -1
        end = (start[0] + way * random.uniform(8, 30), start[1] + random.uniform(-10, 26))
        draw.line((start, end), fill=HAIR, width=2)
    return _jpeg(image)


def _sheet() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    return image, ImageDraw.Draw(image)


def _features(draw: ImageDraw.ImageDraw, x: float, y: float, turn: float) -> None:
    """Brows, eyes, nose and mouth; those that the turn hides are left out."""
    wide = _narrowed(turn)
    for eye in _eyes(x, turn):
        draw.arc((eye - 62 * wide, y - 120, eye + 62 * wide, y - 50), 200, 340, fill=INK, width=9)
        draw.ellipse((eye - 42 * wide, y - 62, eye + 42 * wide, y - 22), outline=INK, width=5)
        draw.ellipse((eye - 15, y - 57, eye + 15, y - 27), fill=INK)
    tip = x + turn * 75
    draw.line([(x, y - 40), (tip + 14, y + 70), (tip - 22, y + 88)], fill=INK, width=5)
    draw.line([(x - 76 * wide, y + 158), (x + 76 * wide, y + 158)], fill=INK, width=6)
    draw.arc((x - 40 * wide, y + 150, x + 40 * wide, y + 186), 20, 160, fill=FINE, width=4)


def _narrowed(turn: float) -> float:
    return 1 - abs(turn) * 0.45


def _eyes(x: float, turn: float) -> list[float]:
    """Where the eyes are that can be seen."""
    return [x + side * 105 * _narrowed(turn) for side in (-1, 1) if side * turn < HIDDEN]


def _fine_lines(
    draw: ImageDraw.ImageDraw, x: float, y: float, turn: float, count: int, random: Random
) -> None:
    """At the forehead, beside the eyes and around the mouth."""
    wide = _narrowed(turn)
    for number in range(min(count, MOST_ON_FOREHEAD)):
        down = number * 13
        box = (x - 140 * wide, y - 190 + down, x + 140 * wide, y - 150 + down)
        draw.arc(box, 215, 325, fill=FINE, width=3)
    for number in range(count):
        for eye in _eyes(x, turn):
            side = 1 if eye > x else -1
            start: Point = (eye + side * 52 * wide, y - 42 + random.uniform(-18, 18))
            end: Point = (start[0] + side * 34 * wide, start[1] + random.uniform(-20, 20))
            draw.line((start, end), fill=FINE, width=3)
            mouth = x + side * 62 * wide
            fold = x + side * (98 * wide + random.uniform(-6, 6))
            draw.line([(mouth, y + 82), (fold, y + 150 - number)], fill=FINE, width=3)


def _jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()
