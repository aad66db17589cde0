"""Lesson 21: the widget's handler, boxes, maps, losses and mAP on small cases."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from conftest import function_of
from course_utils import scenes

WIDGET = "threshold_line"


@pytest.fixture(scope="module")
def iou():
    return function_of("21", "iou", np=np)


@pytest.fixture(scope="module")
def match(iou):
    return function_of("21", "match", np=np, iou=iou)


def test_the_handler_counts_shown_boxes():
    table = pd.DataFrame({"score": [0.9, 0.6, 0.3], "hit": [True, False, True]})
    judged = table, np.array([[2, 1], [1, 0]])  # four objects
    threshold_line = function_of("21", "threshold_line", judged=judged)
    line = threshold_line(0.3)
    assert line == "at 0.30: 50% of the objects found, 67% of the boxes right"
    assert threshold_line(0.6).startswith("at 0.60: 25% of the objects found, 50%")
    assert threshold_line(0.95) == "at 0.95: no box is shown"


def test_iou_by_hand(iou):
    box = [[0, 0, 10, 10]]
    others = [[0, 0, 10, 10], [5, 0, 15, 10], [5, 5, 15, 15], [20, 20, 30, 30]]
    assert iou(box, others)[0] == pytest.approx([1, 1 / 3, 25 / 175, 0])
    assert iou(others, box).shape == (4, 1)


def test_the_lessons_pasting_is_the_packages():
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (9, 8, 3)).astype(np.uint8)
    sprite = random.integers(0, 256, (4, 3, 4)).astype(np.uint8)
    taught = function_of("21", "paste_inside", np=np)(image, sprite, 2, 3)
    assert all(map(np.array_equal, taught, scenes.paste(image, sprite, 2, 3)))
    box = function_of("21", "box_of", np=np)(taught[1])
    assert list(box) == scenes.box_of(taught[1]).tolist()


def test_truth_survives_maps_and_back(iou):
    numbers = {"GRID": 16, "STRIDE": 8, "CLASSES": 8, "SIZE": 128}
    in_cells = function_of("21", "in_cells", **numbers)
    known = {"np": np, "in_cells": in_cells, **numbers}
    heat_target = function_of("21", "heat_target", **known)
    box_target = function_of("21", "box_target", **known)
    decode = function_of("21", "decode", torch=torch, nn=nn, **numbers)
    boxes = np.array([[10, 20, 42, 37], [90, 5, 128, 60]], dtype=np.float32)
    scene = SimpleNamespace(boxes=boxes, labels=np.array([3, 6]))
    heat, (box, near) = heat_target(scene), box_target(scene)
    assert heat.shape == (8, 16, 16) and near.sum() == 18
    assert box[:2, 2:5, 2:5] == pytest.approx(
        np.log([4, 2.125])[:, None, None] + 0 * box[:2, 2:5, 2:5]
    )
    assert box[2, 3, 2:5] == pytest.approx([1.25, 0.25, -0.75])  # to the same centre
    assert heat[3, 3, 3] == 1 and heat[6, 4, 13] == 1 and (heat == 1).sum() == 2
    logits = torch.logit(torch.from_numpy(heat), eps=1e-6)
    maps = torch.cat([logits, torch.from_numpy(box)])[None]
    scores, labels, found = decode(maps)[0]
    assert (scores > 0.99).sum() == 2
    order = np.argsort(labels[:2])
    assert labels[:2][order].tolist() == [3, 6]
    assert iou(found[:2][order], boxes).diagonal() == pytest.approx([1, 1], abs=1e-4)


def test_the_focal_loss_forgives_neighbours_and_easy_cells():
    heat_loss = function_of("21", "heat_loss")
    target = torch.tensor([[1.0, 0.6, 0.0]])

    def loss(*shares):
        return heat_loss(torch.logit(torch.tensor([shares])), target).item()

    by_hand = -(0.2**2) * np.log(0.8) - 0.4**4 * 0.3**2 * np.log(0.7)
    assert loss(0.8, 0.3, 1e-6) == pytest.approx(by_hand, abs=1e-6)
    assert loss(0.9, 0.6, 0.1) < loss(0.9, 0.1, 0.6)


def test_an_object_is_claimed_once_and_only_by_its_class(match):
    boxes = np.array([[0, 0, 10, 10], [20, 0, 30, 10]])
    scene = SimpleNamespace(boxes=boxes, labels=np.array([1, 1]))
    found = (
        np.array([0.8, 0.9, 0.7, 0.6]),
        np.array([1, 1, 1, 0]),
        np.array([[1, 0, 11, 10], [0, 0, 10, 9], [20, 0, 30, 12], [20, 0, 30, 10]]),
    )
    assert match(scene, found).tolist() == [-1, 0, 1, -1]
    assert match(scene, found, 0.85).tolist() == [-1, 0, -1, -1]


def test_average_precision_and_its_weighted_form():
    simple = function_of("21", "average_precision", np=np)
    weighted = function_of("21", "weighted_ap", np=np)
    assert simple(np.array([1, 1, 1, 1]), 4) == 1
    assert simple(np.array([1, 1, 0, 0]), 4) == pytest.approx(51 / 101)
    assert simple(np.array([0, 1]), 1) == pytest.approx(0.5)
    hits = np.array([1, 0, 1, 1, 0], dtype=bool)
    assert weighted(hits, np.ones(5), 4) == pytest.approx(simple(hits, 4))
    twice = weighted(hits, np.full(5, 2.0), 8)  # every scene twice: the same
    assert twice == pytest.approx(simple(hits, 4))
    without = weighted(hits, np.array([1, 0, 1, 1, 0.0]), 4)
    assert without == pytest.approx(simple(hits[[0, 2, 3]], 4))


def test_nms_keeps_the_best_of_those_that_overlap(iou):
    nms = function_of("21", "nms", np=np, iou=iou)
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10], [0, 1, 10, 11]])
    assert nms(boxes, np.array([0.8, 0.9, 0.7, 0.6])) == [1, 2]
    assert nms(boxes[:0], np.array([])) == []
