"""Scenes for detection and segmentation: sprites on photographs, with exact truth.

Lesson 21 builds `paste` and `box_of`. Split by name: a new name may be an old drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

import numpy as np
from PIL import Image

from course_utils import vision
from course_utils.errors import InputError, choose_from

CLASSES = ("card", "coin", "figure", "flag", "gem", "key", "ship", "tank")
PARTS = ("train", "validation", "test")
# Class: patterns of its sprites for training | validation | test; none has two parts.
_SPRITES = {
    "card": "cards/card[CDHS]*[2-8] | cards/card[CDHS]*9 cards/card[CDHS]*10"
    " | cards/card[CDHS]*[AJQK]",
    "coin": "items/coinGold items/coinBronze items/gold_1 | items/gold_2"
    " | items/coinSilver",
    "figure": "*/femaleAdventurer_[ijfw]* */maleAdventurer_[ijfw]* */robot_[ijfw]*"
    " */zombie_[ijfw]* | */femalePerson_[ijfw]* | */malePerson_[ijfw]*",
    "flag": "items/flagRed1 items/flagRed2 items/flagRed_down items/flagGreen1"
    " | items/flagGreen2 items/flagGreen_down | items/flagYellow*",
    "gem": "items/gemBlue items/gemRed | items/gemGreen | items/gemYellow",
    "key": "items/keyRed items/keyYellow | items/keyGreen | items/keyBlue",
    "ship": "*/playerShip1_blue */playerShip1_orange */playerShip3_orange"
    " | */playerShip1_green | */playerShip2_orange",
    "tank": "*/tank_blue */tank_green */tank_red | */tank_dark | */tank_sand",
}
_FOLDERS = ("cards/card[CDHS]*", "items/*", "*_[ijfw]*", "*/playerShip*", "*/tank_*")
_TURN = {"figure": 15, "flag": 15, "coin": 30, "gem": 30}  # degrees; others: any angle
# The photograph "coins" is left out: the coins in it would be objects without a label.
_BACKGROUNDS = {
    "train": ("astronaut", "brick", "chelsea", "clock_motion", "grass", "retina"),
    "validation": ("gravel", "hubble_deep_field"),
    "test": ("camera", "coffee", "rocket"),
}


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture and the truth about it; objects in the order they were pasted.

    Attributes:
        image: uint8 [size, size, 3].
        boxes: float32 [objects, 4], x0, y0, x1, y1 in pixels, round the part of each
            object that can be seen: x1 and y1 are the first column and row outside.
        labels: int64 [objects], places in `CLASSES`.
        hidden: float32 [objects], the share of each object's pixels that later objects
            or the picture's edge hide.
        instances: uint8 [size, size], 0 for background, k for the k-th object, from 1.
        sprites, background: names of each object's sprite and of the photograph.
    """

    image: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    hidden: np.ndarray
    instances: np.ndarray
    sprites: tuple[str, ...]
    background: str

    @property
    def semantic(self) -> np.ndarray:
        """The class of each pixel: uint8 [size, size], 0 background, else label + 1."""
        return np.concatenate([[0], self.labels + 1]).astype(np.uint8)[self.instances]


def sprite_names(part: str) -> dict[str, list[str]]:
    """Return the names of the sprites of each class in a part of the split.

    No name occurs in two parts. Raises InputError for another part than "train",
    "validation" and "test".
    """
    return {name: [n for n, _ in found] for name, found in _pictures(part).items()}


def background_names(part: str) -> tuple[str, ...]:
    """Return the names of a part's photographs; raises InputError for another part."""
    return _BACKGROUNDS[_checked(part)]


def paste(image, picture, left: int, top: int) -> tuple[np.ndarray, np.ndarray]:
    """Lay a picture with transparency on an image; parts outside are cut off.

    Takes uint8 [height, width, 3] and uint8 [h, w, 4] (red, green, blue, alpha); `left`
    and `top` say at which pixel the picture's corner goes and may be negative. Returns
    the new image and the mask, bool [height, width]: where alpha is 128 or more.
    Taught in: lesson 21.
    """
    height, width = image.shape[:2]
    x0, x1 = max(left, 0), max(min(left + picture.shape[1], width), 0)
    y0, y1 = max(top, 0), max(min(top + picture.shape[0], height), 0)
    inside = picture[max(y0 - top, 0) : y1 - top, max(x0 - left, 0) : x1 - left]
    new, mask = image.copy(), np.zeros((height, width), dtype=bool)
    if inside.size and y1 > y0 and x1 > x0:
        alpha = inside[..., 3:] / 255
        behind = image[y0:y1, x0:x1]
        new[y0:y1, x0:x1] = np.rint(alpha * inside[..., :3] + (1 - alpha) * behind)
        mask[y0:y1, x0:x1] = inside[..., 3] >= 128
    return new, mask


def box_of(mask) -> np.ndarray:
    """Return the box round the true pixels of a mask: float32 x0, y0, x1, y1 in pixels.

    `mask` is bool [height, width]. Raises InputError if no pixel is true.
    Taught in: lesson 21.
    """
    if not mask.any():
        raise InputError(
            "Expected a mask with at least one pixel; got an empty one. Leave out "
            "objects of which nothing can be seen."
        )
    y, x = np.nonzero(mask)
    return np.array([x.min(), y.min(), x.max() + 1, y.max() + 1], dtype=np.float32)


def make_scene(
    *,
    sprites: str = "train",
    backgrounds: str = "train",
    size: int = 128,
    objects: tuple[int, int] = (1, 6),
    sides: tuple[float, float] = (0.12, 0.45),
    max_hidden: float = 0.6,
    recolour: float = 0.0,
    seed: int | Sequence[int],
) -> Scene:
    """Compose a scene; the same arguments give the same scene.

    `sprites` and `backgrounds` name the part of the split that each comes from; `size`
    is the scene's side in pixels; `objects` the fewest and most of them; `sides` the
    least and greatest longer side of an object, as a share of `size`. An object that
    would hide itself or another by more than the share `max_hidden` gets another place;
    after 20 places it is not painted, so a scene may hold fewer. `recolour` turns hues
    at random by up to this share of the colour circle (0.5: any hue), for training.
    `seed` is a whole number or several. Raises InputError for an unknown part, a size
    below 32 or ranges that are none.
    """
    pictures, names = _pictures(sprites), background_names(backgrounds)
    low, high = objects
    fits = size >= 32 and 0 < low <= high <= 250 and 0 < sides[0] <= sides[1] <= 1
    if not fits or not 0 <= max_hidden < 1 or not 0 <= recolour <= 0.5:
        raise InputError(
            "Expected size from 32, objects in 1…250, sides above 0 to 1, max_hidden "
            "from 0 to below 1, recolour from 0 to 0.5; got "
            f"{size}, {objects}, {sides}, {max_hidden}, {recolour}. Mend these."
        )
    random = np.random.default_rng(seed)
    background = names[random.integers(len(names))]
    image = _crop(_photographs()[background], size, random)
    instances, totals, labels, chosen = np.zeros((size, size), np.uint8), [], [], []
    for _ in range(random.integers(low, high + 1)):
        label = int(random.integers(len(CLASSES)))
        found = pictures[CLASSES[label]]
        name, picture = found[random.integers(len(found))]
        side = size * sides[0] * (sides[1] / sides[0]) ** random.random()
        turn = _TURN.get(CLASSES[label], 180)
        picture = _varied(picture, side, random.uniform(-turn, turn), recolour, random)
        full, (h, w) = int((picture[..., 3] >= 128).sum()), picture.shape[:2]
        for _ in range(20):  # places; up to a quarter of the width or height outside
            left, top = (
                int(random.integers(-(n // 4), size - n + n // 4 + 1)) for n in (w, h)
            )
            new, mask = paste(image, picture, left, top)
            tried = np.where(mask, len(labels) + 1, instances).astype(np.uint8)
            counts = np.bincount(tried.ravel(), minlength=len(labels) + 2)[1:]
            if (counts >= (1 - max_hidden) * np.array([*totals, max(full, 1)])).all():
                image, instances = new, tried
                totals, labels = [*totals, full], [*labels, label]
                chosen.append(name)
                break
    seen = np.bincount(instances.ravel(), minlength=len(labels) + 1)[1:]
    boxes = [box_of(instances == number + 1) for number in range(len(labels))]
    hidden = (1 - seen / np.array(totals)).astype(np.float32)
    boxes, labels = np.array(boxes, np.float32).reshape(-1, 4), np.array(labels, int)
    return Scene(image, boxes, labels, hidden, instances, tuple(chosen), background)


def make_scenes(count: int, *, seed: int, **options) -> list[Scene]:
    """Compose several scenes; scene k depends on `seed` and k, not on `count`.

    `options` and errors are those of `make_scene`.
    """
    return [make_scene(seed=(seed, number), **options) for number in range(count)]


def _checked(part: str) -> str:
    if part not in PARTS:
        raise InputError(choose_from("a part of the split", part, PARTS))
    return part


_photographs = lru_cache(maxsize=1)(vision.photographs)


@lru_cache(maxsize=1)
def _all_sprites():
    return {n: s for folder in _FOLDERS for n, s in vision.sprites(folder).items()}


@lru_cache(maxsize=len(PARTS))
def _pictures(part: str):
    """Return class -> [(name, picture cut to what can be seen)] of a part."""
    column, found = PARTS.index(_checked(part)), {}
    for label, row in _SPRITES.items():
        patterns = row.split("|")[column].split()
        found[label] = [
            (name, picture.crop(picture.getchannel("A").getbbox()))
            for name, picture in sorted(_all_sprites().items())
            if any(fnmatchcase(name, pattern) for pattern in patterns)
        ]
    return found


def _crop(photograph, size: int, random) -> np.ndarray:
    """Cut a square out at random, turn and mirror it, make it darker or lighter."""
    height, width = photograph.shape[:2]
    side = random.uniform(0.4, 1) * min(height, width)
    x, y = random.uniform(0, width - side), random.uniform(0, height - side)
    cut = Image.fromarray(photograph).resize(
        (size, size), Image.Resampling.BILINEAR, box=(x, y, x + side, y + side)
    )
    square = np.rot90(np.asarray(cut), random.integers(4))
    square = square[:, ::-1] if random.random() < 0.5 else square
    return np.clip(square * random.uniform(0.6, 1.2), 0, 255).astype(np.uint8)


def _varied(picture, side: float, angle: float, recolour: float, random) -> np.ndarray:
    """Turn a sprite, bring its longer side to `side` pixels, vary its colours."""
    double = 2 * side / max(picture.size)  # twice as large while it is turned
    picture = picture.resize([max(2, round(double * n)) for n in picture.size])
    picture = picture.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    picture = picture.crop(picture.getchannel("A").getbbox())
    final = [max(1, round(side * n / max(picture.size))) for n in picture.size]
    picture = picture.resize(final, Image.Resampling.BOX)
    hue, saturation, value = picture.convert("RGB").convert("HSV").split()
    turned = np.asarray(hue, dtype=int) + round(random.uniform(-1, 1) * recolour * 256)
    light = np.clip(np.asarray(value) * random.uniform(0.75, 1.25), 0, 255)
    bands = [Image.fromarray(band.astype(np.uint8)) for band in (turned % 256, light)]
    colours = Image.merge("HSV", (bands[0], saturation, bands[1])).convert("RGB")
    return np.dstack([np.asarray(colours), np.asarray(picture.getchannel("A"))])
