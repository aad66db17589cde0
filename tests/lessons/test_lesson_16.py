"""Lesson 16: the widget's handler, the scores and the threshold it writes out."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from conftest import function_of

WIDGET = "side_by_side"


@pytest.fixture
def side_by_side():
    """The handler with three models that answer a fixed number."""
    return function_of(
        "16",
        "side_by_side",
        raters={"tweets": 1.26, "nyt": -0.5, "joint": 9.0},
        read=lambda sentences: [len(sentences)],
        rate=lambda model, batches: np.full(len(batches), model),
    )


def test_every_model_gets_a_line(side_by_side):
    lines = side_by_side("a fine day").split("\n")
    assert [line.split()[0] for line in lines] == ["tweets", "nyt", "joint"]
    assert [line.split()[1] for line in lines] == ["+1.3", "-0.5", "+9.0"]
    assert [line.split()[2] for line in lines] == ["+" * 5, "−" * 2, "+" * 16]


@pytest.mark.parametrize("nothing", ["", "   "])
def test_nothing_typed_is_said(side_by_side, nothing):
    assert side_by_side(nothing) == "type a sentence"


def test_r_ignores_the_scale_and_the_typical_miss_does_not():
    r, miss = function_of("16", "pearson"), function_of("16", "typical_miss")
    said, truth = np.array([1.0, 2, 4, 3]), np.array([0.0, 1, 2, 2])
    assert r(said, truth) == pytest.approx(np.corrcoef(said, truth)[0, 1])
    assert r(5 * said - 2, truth) == pytest.approx(r(said, truth))
    assert r(-said, truth) == pytest.approx(-r(said, truth))
    assert miss(said, truth) == pytest.approx(np.sqrt(7 / 4))


def test_few_labels_set_the_scale():
    rescaled = function_of("16", "rescaled", LABELLED=3)
    said, truth = np.array([0.0, 1, 2, 10]), np.array([1.0, 3, 5, 99])
    assert np.allclose(rescaled(said, truth), [1, 3, 5, 21])  # the last is not seen


def test_near_pairs_need_three_triples_and_half_of_the_shorter():
    near_pairs = function_of("16", "near_pairs")
    texts = [
        "what a fine day in the park",
        "RT: What a fine day in the park!",
        "we said what a fine day it would have been if only",  # shares two triples
        "a day",
    ]
    i, j = near_pairs(texts)
    assert list(zip(i.tolist(), j.tolist(), strict=True)) == [(0, 1)]


def test_weights_and_weighted_r_are_redrawn_units():
    course = SimpleNamespace(seed=3)
    unit_weights = function_of("16", "unit_weights", course=course)
    weighted_r = function_of("16", "weighted_r")
    units = pd.Series(["a", "a", "b", "c", "c", "c"])
    weights = unit_weights(units, repeats=50)
    assert weights.shape == (50, 6) and (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, [0, 2, 3]].sum(axis=1) == 3).all()
    x, y = np.array([1.0, 2, 4, 3, 0, 1]), np.array([2.0, 2, 5, 1, 1, 0])
    line = weights[(weights > 0).all(axis=1)][0]
    repeated = np.corrcoef(np.repeat(x, line), np.repeat(y, line))[0, 1]
    assert weighted_r(x, y, line[None, :])[0] == pytest.approx(repeated)


def test_the_means_of_raters_are_of_the_places_named():
    means = function_of("16", "means")
    drawn = [np.array([1, 3, 5]), np.array([0, 0, 4])]
    assert means(drawn, 0, 1).tolist() == [1, 0]
    assert means(drawn, 1).tolist() == [4, 2]
    assert means(drawn, 0).tolist() == [3, 4 / 3]


def test_only_the_other_sign_is_a_gross_mistake():
    opposite = function_of("16", "opposite")
    target = np.array([2.0, -2.0, 2.0, -1.5, 0.5])  # the last is not clear
    said = np.array([-0.6, 0.4, 3.0, 1.2, -3.0])
    assert opposite(said, target).tolist() == [True, False, False, True]


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.01, 0.2, "above"), (-0.2, -0.01, "below"), (-0.1, 0.1, "not told apart")],
)
def test_the_verdict_needs_an_interval_on_one_side_of_zero(low, high, said):
    found = SimpleNamespace(low=low, high=high)
    assert said in function_of("16", "verdict")(found)


@pytest.mark.parametrize(("ration", "above"), [(0.0, 0), (0.01, 2), (0.05, 10)])
def test_the_ration_is_used_up_and_not_exceeded(ration, above):
    threshold_for = function_of("16", "threshold_for", RATION=0.01)
    scores = np.random.default_rng(0).permutation(200) / 200
    assert (scores > threshold_for(scores, ration)).sum() == above


def test_the_loss_weighs_texts():
    torch = pytest.importorskip("torch")
    squared_error = function_of("16", "squared_error")
    said, labels = torch.tensor([1.0, 2.0]), torch.tensor([0.0, 4.0])
    assert squared_error(said, labels, torch.tensor([2.0, 0.5])).item() == 2.0
