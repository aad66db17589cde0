"""Scenes: exact boxes and masks, splits without a leak, the same scene for a seed."""

from itertools import combinations

import numpy as np
import pytest

from conftest import one_sentence
from course_utils import scenes
from course_utils.errors import InputError


@pytest.fixture(scope="module")
def some():
    return scenes.make_scenes(12, seed=3, size=96, objects=(2, 6))


def test_boxes_labels_and_masks_agree(some):
    for scene in some:
        assert scene.image.shape == (96, 96, 3) and scene.image.dtype == np.uint8
        assert scene.boxes.dtype == np.float32 and scene.boxes.shape[1] == 4
        count = len(scene.labels)
        assert count >= 1 and len(scene.sprites) == len(scene.hidden) == count
        assert set(np.unique(scene.instances)) == set(range(count + 1))
        for number, (box, label) in enumerate(
            zip(scene.boxes, scene.labels, strict=True)
        ):
            mask = scene.instances == number + 1
            x0, y0, x1, y1 = box.astype(int)
            assert mask[y0:y1, x0:x1].sum() == mask.sum()  # nothing outside
            edges = mask[y0, :], mask[y1 - 1, :], mask[:, x0], mask[:, x1 - 1]
            assert all(edge.any() for edge in edges)  # and the box is tight
            assert set(scene.semantic[mask]) == {label + 1}
        assert (scene.semantic[scene.instances == 0] == 0).all()
        assert ((scene.hidden >= 0) & (scene.hidden <= 0.6 + 1e-6)).all()


def test_a_seed_gives_the_same_scene_however_many_are_made(some):
    again = scenes.make_scenes(2, seed=3, size=96, objects=(2, 6))
    for first, second in zip(some[:2], again, strict=True):
        assert np.array_equal(first.image, second.image)
        assert np.array_equal(first.instances, second.instances)
    other = scenes.make_scene(seed=(4, 0), size=96, objects=(2, 6))
    assert not np.array_equal(other.image, some[0].image)


def test_no_sprite_and_no_background_has_two_parts():
    names = {part: scenes.sprite_names(part) for part in scenes.PARTS}
    for part in scenes.PARTS:
        assert list(names[part]) == list(scenes.CLASSES)
        assert all(names[part].values())  # each class has a sprite in each part
        assert scenes.background_names(part)
    for one, other in combinations(scenes.PARTS, 2):
        for label in scenes.CLASSES:
            assert not set(names[one][label]) & set(names[other][label])
        shared = set(scenes.background_names(one)) & set(scenes.background_names(other))
        assert not shared
    every = [n for part in names.values() for found in part.values() for n in found]
    assert len(every) == len(set(every))  # nor has a sprite two classes
    assert sum(name.startswith("cards/") for name in every) == 52


def test_a_scene_keeps_to_its_parts():
    scene = scenes.make_scene(
        sprites="test", backgrounds="validation", seed=5, objects=(6, 6)
    )
    allowed = scenes.sprite_names("test")
    for name, label in zip(scene.sprites, scene.labels, strict=True):
        assert name in allowed[scenes.CLASSES[label]]
    assert scene.background in scenes.background_names("validation")


def test_paste_mixes_by_alpha_and_cuts_what_is_outside():
    image = np.full((4, 5, 3), 100, dtype=np.uint8)
    picture = np.zeros((2, 2, 4), dtype=np.uint8)
    picture[..., :3] = 200
    picture[..., 3] = [[255, 128], [127, 0]]
    new, mask = scenes.paste(image, picture, 1, 2)
    assert new[2:4, 1:3, 0].tolist() == [[200, 150], [150, 100]]
    assert np.argwhere(mask).tolist() == [[2, 1], [2, 2]]
    assert (image == 100).all()  # the old image stays
    new, mask = scenes.paste(image, picture, -1, 0)  # only the right column is inside
    assert np.argwhere(mask).tolist() == [[0, 0]] and new[0, 0, 0] == 150
    new, mask = scenes.paste(image, picture, 4, 3)
    assert np.argwhere(mask).tolist() == [[3, 4]]
    for left, top in ((-2, 0), (5, 0), (0, -9), (0, 4)):
        new, mask = scenes.paste(image, picture, left, top)
        assert not mask.any() and np.array_equal(new, image)


def test_a_box_ends_behind_the_last_pixel():
    mask = np.zeros((6, 7), dtype=bool)
    mask[2:4, 3] = True
    assert scenes.box_of(mask).tolist() == [3, 2, 4, 4]
    with pytest.raises(InputError) as error:
        scenes.box_of(np.zeros((3, 3), dtype=bool))
    one_sentence(error, "empty")


def test_recolouring_changes_colours_and_nothing_else():
    plain, other = (
        scenes.make_scene(seed=11, objects=(4, 4), recolour=share) for share in (0, 0.5)
    )
    assert np.array_equal(plain.instances, other.instances)
    assert plain.sprites == other.sprites
    assert not np.array_equal(plain.image, other.image)
    outside = plain.instances == 0  # but for soft edges, the background stays
    assert (plain.image[outside] == other.image[outside]).all(axis=-1).mean() > 0.9


def test_less_hiding_when_less_is_allowed():
    scene = scenes.make_scene(seed=2, objects=(6, 6), max_hidden=0.0)
    assert (scene.hidden == 0).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"sprites": "tests"},
        {"backgrounds": "all"},
        {"size": 31},
        {"objects": (0, 2)},
        {"objects": (3, 2)},
        {"sides": (0.5, 0.2)},
        {"sides": (0.0, 0.2)},
        {"max_hidden": 1.0},
        {"recolour": 0.6},
    ],
)
def test_wrong_input_is_refused_in_a_sentence(wrong):
    with pytest.raises(InputError) as error:
        scenes.make_scene(seed=0, **wrong)
    assert str(error.value).startswith("Expected ") and "; got " in str(error.value)
