"""Lesson 22: the widget's handler, the confusion matrix, losses, distance from edges."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from conftest import function_of
from course_utils import scenes

WIDGET = "overlay"


@pytest.fixture
def overlay():
    colours = np.array([[0, 0, 0], [255, 0, 0], [0, 0, 255]])
    return function_of("22", "overlay", np=np, COLOURS=colours)


def test_opacity_mixes_objects_and_leaves_the_background(overlay):
    image = np.full((1, 3, 3), 100, dtype=np.uint8)
    mask = np.array([[0, 1, 2]])
    assert (overlay(image, mask, 0) == image).all()
    full = overlay(image, mask, 1)
    assert full[0].tolist() == [[100] * 3, [255, 0, 0], [0, 0, 255]]
    half = overlay(image, mask, 0.5)
    assert half[0].tolist() == [[100] * 3, [178, 50, 50], [50, 50, 178]]
    assert half.dtype == np.uint8


def test_confusion_and_iou():
    confusion = function_of("22", "confusion", np=np)
    iou = function_of("22", "iou", np=np)
    truth, said = np.array([[0, 0, 1, 1]]), np.array([[0, 1, 1, 2]])
    matrix = confusion(truth, said, classes=4)
    assert matrix.tolist() == [[1, 1, 0, 0], [0, 1, 1, 0], [0] * 4, [0] * 4]
    assert iou(matrix)[:3] == pytest.approx([1 / 2, 1 / 3, 0])
    assert np.isnan(iou(matrix)[3])
    assert iou(np.stack([matrix, matrix])).shape == (2, 4)
    dice = function_of("22", "dice", np=np)
    assert dice(matrix)[:3] == pytest.approx([2 / 3, 1 / 2, 0])
    assert np.isnan(dice(matrix)[3])


def test_a_coarse_grid_loses_what_is_thin():
    enlarge = function_of("22", "enlarge", nn=nn)
    through_grid = function_of(
        "22", "through_grid", torch=torch, nn=nn, enlarge=enlarge
    )
    mask = np.zeros((1, 16, 16), dtype=np.uint8)
    mask[0, :, :8] = 3  # half the picture
    assert (through_grid(mask, 4) == mask).all()
    mask[0, :, 8:] = 0
    mask[0, :, :8] = 0
    mask[0, :, 5] = 3  # a line one pixel wide
    assert (through_grid(mask, 1) == mask).all()
    assert (through_grid(mask, 4) == 0).all()


def test_a_mirrored_scene_keeps_its_truth():
    mirrored = function_of("22", "mirrored", dataclasses=dataclasses)
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    scene = scenes.Scene(image, [], [], [], np.array([[0, 1], [0, 0]]), (), "")
    (turned,) = mirrored([scene])
    assert (turned.image == image[:, [1, 0]]).all()
    assert turned.image.flags.c_contiguous
    assert turned.instances is scene.instances
    assert (scene.image == np.arange(12).reshape(2, 2, 3)).all()


def test_an_average_outvotes_one_sure_of_a_wrong_class():
    shares = {  # of two pixels beside each other, two classes: [1, 2, 1, 2]
        "a": torch.tensor([[[[0.9, 0.4]], [[0.1, 0.6]]]]),
        "b": torch.tensor([[[[0.3, 0.2]], [[0.7, 0.8]]]]),
    }
    averaged = function_of(
        "22",
        "averaged",
        torch=torch,
        models=["a", "b"],
        softmax_of=lambda model, maps: shares[model].flip(3) if maps else shares[model],
    )
    assert averaged({}, {"mirrored": True}).tolist() == [[[0, 1]]]


def test_objects_are_judged_one_by_one():
    objects_of = function_of("22", "objects_of", np=np, pd=pd)
    instances = np.zeros((20, 20), dtype=np.uint8)
    instances[:2, :2], instances[10:, :] = 1, 2  # 4 and 200 pixels
    scene = SimpleNamespace(instances=instances, labels=np.array([5, 0]))
    said = np.zeros((20, 20), dtype=np.uint8)
    said[:2, 0], said[10:, :] = 6, 1
    table = objects_of([scene], [said])
    assert table["area"].tolist() == [4, 200]
    assert table["share"].tolist() == [0.5, 1.0]
    assert table["size"].tolist() == [0, 1]


def test_dice_loss_by_hand():
    dice_loss = function_of("22", "dice_loss", torch=torch, nn=nn)
    masks = torch.tensor([[[0, 1]]])
    shares = torch.tensor([[[[0.8, 0.4]], [[0.2, 0.6]]]])  # [1, 2, 1, 2]
    first = (2 * 0.8 + 1) / (1.2 + 1 + 1)
    second = (2 * 0.6 + 1) / (0.8 + 1 + 1)
    by_hand = 1 - (first + second) / 2
    assert dice_loss(shares.log(), masks).item() == pytest.approx(by_hand, abs=1e-6)
    sure = torch.tensor([[[[20.0, -20.0]], [[-20.0, 20.0]]]])
    assert dice_loss(sure, masks).item() == pytest.approx(0, abs=1e-6)


def test_distance_from_the_edge():
    edge_distance = function_of("22", "edge_distance", np=np, torch=torch, nn=nn)
    line = edge_distance(np.array([[0, 0, 0, 0, 1, 1, 1]]))
    assert line.tolist() == [[3, 2, 1, 0, 0, 1, 2]]
    assert (edge_distance(np.zeros((3, 3), dtype=int)) == 9).all()
    corner = np.zeros((4, 4), dtype=int)
    corner[3, 3] = 1
    assert edge_distance(corner)[0].tolist() == [3, 2, 2, 2]
