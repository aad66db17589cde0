"""Lesson 07: the widget's handler and the changes that the lesson writes out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from conftest import function_of

WIDGET = "at_strength"
BESIDE = {"a": "s", "s": "ad", "d": "sf"}


@pytest.fixture
def move():
    return function_of("07", "move", F=functional, torch=torch)


@pytest.fixture
def typos():
    return function_of("07", "typos", BESIDE=BESIDE)


def pictures(count=6):
    made = torch.zeros(count, 1, 28, 28)
    made[:, :, 8:20, 12:16] = 1
    return made


def of(seed):
    return torch.Generator().manual_seed(seed)


# The widget


@pytest.fixture
def at_strength(move, typos):
    stubs = {"move": move, "typos": typos, "image_pool": pictures()}
    return function_of("07", "at_strength", np=np, torch=torch, **stubs)


def test_strength_zero_changes_nothing(at_strength):
    text, strip = at_strength(0)
    expected = 255 * (1 - torch.cat(list(pictures()[:, 0]), dim=1))
    assert text == "a warm and funny film that never gets boring"
    assert strip.dtype == np.uint8 and strip.shape == (28, 168)
    assert np.abs(strip.astype(int) - expected.numpy()).max() <= 1


def test_more_strength_changes_more(at_strength):
    plain_text, plain = at_strength(0)
    moved = [np.abs(at_strength(s)[1].astype(int) - plain).sum() for s in (0.2, 0.5, 1)]
    assert 0 < moved[0] < moved[1] < moved[2]
    assert at_strength(2)[0] != plain_text


# The changes


def test_typos_touch_letters_only_and_keep_the_rest(typos):
    assert typos("sad: dad!", 0.0, np.random.default_rng(0)) == "sad: dad!"
    all_wrong = typos("sad: dad!", 1.0, np.random.default_rng(0))
    assert all_wrong[-1] == "!" and ": " in all_wrong and "sad" not in all_wrong


def test_deletion_keeps_at_least_one_word():
    delete_words = function_of("07", "delete_words")
    random = np.random.default_rng(0)
    assert delete_words(["one", "two"], 1.0, random) == ["one"]
    assert delete_words(["one", "two"], 0.0, random) == ["one", "two"]
    left = [len(delete_words(["w"] * 10, 0.3, random)) for _ in range(300)]
    assert np.mean(left) == pytest.approx(7, abs=0.3)


def test_a_swap_keeps_the_words():
    swap_words = function_of("07", "swap_words")
    words = list("abcdefghij")
    swapped = swap_words(words, 0.3, np.random.default_rng(1))
    assert sorted(swapped) == words != swapped


def test_scrambling_keeps_the_letters():
    scramble = function_of("07", "scramble")
    mixed = scramble("never dull, ever", 0.5, np.random.default_rng(0))
    assert sorted(mixed) == sorted("never dull, ever") and mixed != "never dull, ever"
    assert mixed.index(",") == 10 and mixed[5] == " "


def test_move_shifts_by_some_pixels(move):
    column = torch.arange(28.0)
    moved = move(pictures(200), 1.0, of(0))[:, 0].sum(dim=1)  # [200, 28]
    centre = (moved * column).sum(dim=1) / moved.sum(dim=1)
    away = (centre - 13.5).abs()
    assert 3 < away.max() < 7.2  # four pixels, turned by 30° and zoomed by 1.3


def test_move_at_strength_zero_is_idle(move):
    assert torch.allclose(move(pictures(), 0.0, of(0)), pictures(), atol=1e-5)


def test_a_full_flip_is_half_a_turn():
    flip = function_of("07", "flip", torch=torch)
    made = torch.rand(40, 1, 28, 28)
    flipped = flip(made, 2.0, of(0))  # at strength 2 every picture is flipped twice
    assert torch.equal(flipped, made.rot90(2, (2, 3)))
    assert torch.equal(flip(made, 0.0, of(0)), made)


def test_mixup_mixes_labels_as_it_mixes_inputs():
    mixup = function_of("07", "mixup", F=functional)
    inputs = torch.tensor([[1.0], [0.0]])
    mixed, targets = mixup(inputs, torch.tensor([3, 8]), 0.7)
    assert torch.allclose(mixed, torch.tensor([[0.7], [0.3]]))
    assert targets[0, 3] == pytest.approx(0.7) and targets[0, 8] == pytest.approx(0.3)
    assert torch.allclose(targets.sum(dim=1), torch.ones(2))


@pytest.mark.parametrize("decibels", [-5.0, 0.0, 5.0, 20.0])
def test_noise_has_the_ratio_asked_for(decibels):
    add_noise = function_of("07", "add_noise")
    clips, noise = 0.3 * torch.randn(4, 4000), 2 * torch.randn(4, 4000)
    noisy = add_noise(clips, noise, torch.full((4, 1), decibels))
    power = (noisy - clips).square().mean(dim=1)
    found = 10 * (clips.square().mean(dim=1) / power).log10()
    assert torch.allclose(found, torch.full((4,), decibels), atol=1e-3)


@pytest.mark.parametrize("name", ["shift", "speed", "mask", "cutout"])
def test_a_change_keeps_the_shape_and_is_idle_at_strength_zero(name):
    change = function_of("07", name, F=functional, torch=torch)
    shape = (3, 32, 31) if name == "mask" else (3, 1, 28, 28)
    rows = torch.rand(3, 6000) if name in ("shift", "speed") else torch.rand(shape)
    assert change(rows, 1.0, of(0)).shape == rows.shape
    assert torch.allclose(change(rows, 0.0, of(0)), rows, atol=1e-5)


# The measure


def test_the_gain_is_the_mean_difference_with_an_interval_around_it():
    from course_utils.evaluation import Interval

    paired_gain = function_of("07", "paired_gain", np=np, Interval=Interval)
    random = np.random.default_rng(0)
    without = random.random((6, 500)) < 0.6
    with_it = without | (random.random((6, 500)) < 0.2)
    gain = paired_gain(with_it, without)
    assert gain.value == pytest.approx(with_it.mean() - without.mean())
    assert 0 < gain.low < gain.value < gain.high < 0.15
    assert tuple(paired_gain(without, without)) == (0, 0, 0)
    spread = paired_gain(random.random((6, 500)) < 0.6, without)
    assert spread.low < 0 < spread.high


def test_every_plan_gets_the_same_rows():
    seen = {}

    def fit(rows, plan, draw):
        seen.setdefault(plan, []).append(rows.tolist())
        return lambda inputs: inputs

    class Course:
        seed = 3

    compare = function_of("07", "compare", np=np, course=Course)
    tests = {"clean": (np.array([1, 0, 1]), np.array([1, 1, 1]))}
    options = {"available": 30, "sizes": [5, 10], "draws": 2}
    right = compare(fit, ["plain", "EDA"], tests, **options)
    assert seen["plain"] == seen["EDA"] and len(seen["plain"]) == 4
    assert seen["plain"][0] != seen["plain"][1] and len(set(seen["plain"][2])) == 10
    assert right["EDA", 5, "clean"].tolist() == [[True, False, True]] * 2
