"""The standard views: what is photographed of each part of the body, always in the same way.

Pure data in the field's words. `area` is an area's code in the catalogue and `side` the patient's
own; two photos are comparable when area, side and view are the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Side(models.TextChoices):
    """The patient's own side."""

    NONE = "none", _("no side")
    LEFT = "left", _("left")
    RIGHT = "right", _("right")


class View(models.TextChoices):
    """From where the camera looks."""

    FRONT = "front", pgettext_lazy("view of a photo", "front")
    LEFT_OBLIQUE = "left-oblique", _("left, turned 45°")
    RIGHT_OBLIQUE = "right-oblique", _("right, turned 45°")
    LEFT = "left", _("left profile")
    RIGHT = "right", _("right profile")
    BACK = "back", pgettext_lazy("view of a photo", "back")
    TOP = "top", _("from above")
    CLOSE_UP = "close-up", _("close-up")


@dataclass(frozen=True)
class Shot:
    """One standard photo. `how`: what the patient does and where the camera stands."""

    area: str
    view: str
    how: str | Promise = ""
    side: str = Side.NONE

    @property
    def key(self) -> str:
        """Area, side and view in one word, for forms and addresses."""
        return f"{self.area}.{self.side}.{self.view}"


@dataclass(frozen=True)
class ShotSet:
    """The shots that are taken together, in the order in which the patient turns."""

    code: str
    name: str | Promise
    shots: tuple[Shot, ...]


_STILL = _("Hair back, no glasses, mouth closed, eyes level with the camera.")
_HALF = _("Turned by half: the far cheek just touches the outline of the nose.")
_PROFILE = _("Turned all the way: the far eyebrow is out of sight.")
_STANDING = _("Standing straight, feet apart, arms away from the body.")

SETS = (
    ShotSet(
        "face",
        _("Face"),
        (
            Shot("face", View.FRONT, _STILL),
            Shot("face", View.LEFT_OBLIQUE, _HALF),
            Shot("face", View.LEFT, _PROFILE),
            Shot("face", View.RIGHT_OBLIQUE, _HALF),
            Shot("face", View.RIGHT, _PROFILE),
        ),
    ),
    ShotSet(
        "eyes",
        _("Eyes"),
        (
            Shot("periorbital", View.FRONT, _("Both eyes fill the width, gaze straight ahead.")),
            Shot("periorbital", View.CLOSE_UP, _("At rest, not smiling."), Side.LEFT),
            Shot("periorbital", View.CLOSE_UP, _("At rest, not smiling."), Side.RIGHT),
        ),
    ),
    ShotSet(
        "scalp",
        _("Scalp"),
        (
            Shot("frontal-scalp", View.FRONT, _("Hair combed back, chin slightly down.")),
            Shot("scalp", View.TOP, _("Hair parted in the middle, camera straight above.")),
            Shot("vertex", View.BACK, _("Head bent forward, camera behind and above.")),
            Shot("occipital-scalp", View.BACK, _("Head upright, camera level with the ears.")),
            Shot("temporal-scalp", View.LEFT, _("Hair combed back over the ear."), Side.LEFT),
            Shot("temporal-scalp", View.RIGHT, _("Hair combed back over the ear."), Side.RIGHT),
        ),
    ),
    ShotSet(
        "neck",
        _("Neck and décolleté"),
        (
            Shot("neck", View.FRONT, _("Chin level, shoulders down.")),
            Shot("neck", View.LEFT, _PROFILE),
            Shot("neck", View.RIGHT, _PROFILE),
            Shot("decollete", View.FRONT, _("Arms hanging, straps out of the picture.")),
        ),
    ),
    ShotSet(
        "hands",
        _("Hands"),
        (
            Shot("hand", View.TOP, _("Both hands flat on a dark cloth, fingers a little apart.")),
            Shot("hand-dorsum", View.TOP, _("Flat, no rings, camera straight above."), Side.LEFT),
            Shot("hand-dorsum", View.TOP, _("Flat, no rings, camera straight above."), Side.RIGHT),
        ),
    ),
    ShotSet(
        "trunk",
        _("Abdomen and back"),
        (
            Shot("abdomen", View.FRONT, _STANDING),
            Shot("abdomen", View.LEFT, _("Breathing out, arms crossed on the chest.")),
            Shot("abdomen", View.RIGHT, _("Breathing out, arms crossed on the chest.")),
            Shot("back", View.BACK, _STANDING),
        ),
    ),
    ShotSet(
        "legs",
        _("Buttocks and thighs"),
        (
            Shot("thigh-anterior", View.FRONT, _STANDING),
            Shot("thigh-lateral", View.LEFT, _STANDING, Side.LEFT),
            Shot("thigh-lateral", View.RIGHT, _STANDING, Side.RIGHT),
            Shot("thigh-posterior", View.BACK, _("Standing, muscles at rest.")),
            Shot("buttock", View.BACK, _("Standing, muscles at rest.")),
        ),
    ),
)


def shot_set(code: str) -> ShotSet:
    """The set of a code; the first for one that is not known."""
    return next((one for one in SETS if one.code == code), SETS[0])


def parse_key(key: str) -> tuple[str, str, str]:
    """Area, side and view of a `Shot.key`. Raises `ValueError` for what is none."""
    area, side, view = key.split(".")
    if side not in Side.values or view not in View.values:
        raise ValueError(key)
    return area, side, view
