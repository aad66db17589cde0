"""Lesson 10: the widget's handler and the losses written by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from conftest import function_of

WIDGET = "with_weight"

LOGITS = torch.tensor([[2.0, -1.0, 0.3], [0.1, 0.2, -4.0], [9.0, -9.0, 0.0]])
TRUTH = torch.tensor([1, 0, 0])


def right_log(logits, truth):
    return function_of("10", "right_log", torch=torch)(logits, truth)


def test_the_family_of_cross_entropy_is_torchs():
    weights = torch.tensor([0.2, 3.0, 1.0])
    plain = function_of("10", "plain", right_log=right_log)
    weighted = function_of("10", "weighted", right_log=right_log)
    smoothed = function_of("10", "smoothed", right_log=right_log)
    focal = function_of("10", "focal", right_log=right_log)
    entropy = functional.cross_entropy
    assert torch.isclose(plain(LOGITS, TRUTH), entropy(LOGITS, TRUTH))
    expected = entropy(LOGITS, TRUTH, weight=weights)
    assert torch.isclose(weighted(LOGITS, TRUTH, weights), expected)
    expected = entropy(LOGITS, TRUTH, label_smoothing=0.1)
    assert torch.isclose(smoothed(LOGITS, TRUTH), expected)
    assert torch.isclose(focal(LOGITS, TRUTH, 0.0), entropy(LOGITS, TRUTH))
    assert focal(LOGITS, TRUTH) < entropy(LOGITS, TRUTH)


def test_bce_is_safe_for_large_logits():
    logits = torch.tensor([[1000.0, -1000.0, 0.5]])
    truth = torch.tensor([[0.0, 1.0, 1.0]])
    ours = function_of("10", "bce", torch=torch)(logits, truth)
    assert ours == functional.binary_cross_entropy_with_logits(logits, truth)


@pytest.mark.parametrize("delta", [0.5, 1.0, 3.0])
def test_huber_is_torchs(delta):
    answer, truth = torch.tensor([0.0, 2.0, -5.0]), torch.tensor([0.1, 0.0, 0.0])
    ours = function_of("10", "huber", torch=torch)(answer, truth, delta)
    assert torch.isclose(ours, functional.huber_loss(answer, truth, delta=delta))


def test_the_widget_says_what_the_weight_finds():
    asked = []

    def last_layer(x, target, loss):
        asked.append(loss(LOGITS[:, :2], torch.tensor([0, 1, 1])))
        return "a head"

    with_weight = function_of(
        "10",
        "with_weight",
        last_layer=last_layer,
        probabilities_of=lambda head, x: np.array([0.9, 0.2]),
        measure=lambda truth, p, threshold: {
            "recall at 0.5": 0.75,
            "precision at 0.5": 0.5,
            "F1 at 0.5": 0.6,
            "F1, threshold chosen": 0.6,
            "AP": 0.625,
            "mean probability": 0.3,
        },
        weighted=lambda logits, truth, weights: weights.tolist(),
        x_pool=torch.zeros(3, 4),
        angry=torch.tensor([0, 1, 1]),
        seen_rows=[0, 1],
        course=type("Course", (), {"seed": 42}),
        x_validation=None,
        angry_validation=None,
        torch=torch,
    )
    line = with_weight(7.0)
    assert line == "rare class × 7: recall 0.75, precision 0.50, AP 0.625"
    assert asked == [[1.0, 7.0]]
