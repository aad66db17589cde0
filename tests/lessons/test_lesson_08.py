"""Lesson 08: the widget's handler, pooling, LogME and the rank correlation."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from conftest import function_of

WIDGET = "ranking"


@pytest.fixture
def ranking():
    costs = pd.DataFrame(
        {"points": [80.0, 78.0, 60.0], "seconds": [9.0, 2.0, 0.1], "MiB": [200, 90, 0]},
        index=["large", "small", "words"],
    )
    return function_of("08", "ranking", costs=costs)


@pytest.mark.parametrize(
    ("prices", "order"),
    [
        ((0, 0), ["1. large 80.0", "2. small 78.0", "3. words 60.0"]),
        ((1, 0), ["1. small 76.0", "2. large 71.0", "3. words 59.9"]),
        ((0, 30), ["1. words 60.0", "2. small 51.0", "3. large 20.0"]),
    ],
)
def test_prices_decide_the_order(ranking, prices, order):
    assert ranking(*prices) == order


@pytest.fixture
def max_evidence():
    step = function_of("08", "step", np=np)
    return function_of("08", "max_evidence", np=np, step=step)


@pytest.mark.parametrize(("n", "width"), [(30, 3), (20, 20), (15, 40)])
def test_the_maximum_is_one_of_the_definition(max_evidence, n, width):
    random = np.random.default_rng(0)
    features = random.normal(size=(n, width))
    target = features[:, 0] + 0.5 * random.normal(size=n)
    turned, strengths, _ = np.linalg.svd(features, full_matrices=False)
    log_evidence = function_of("08", "log_evidence", np=np)
    grid = np.logspace(-3, 5, 60)
    tried = max(log_evidence(features, target, a, b) for a in grid for b in grid)
    found = max_evidence(turned, strengths, target)
    assert found == pytest.approx(tried, abs=0.2)
    assert found >= tried - 1e-3


def test_logme_does_not_mind_the_scale_but_the_constant(max_evidence):
    logme, centred = (
        function_of("08", name, np=np, max_evidence=max_evidence)
        for name in ("logme", "logme_centred")
    )
    random = np.random.default_rng(1)
    features = random.normal(size=(50, 5))
    labels = (features[:, 0] + random.normal(size=50) > 0).astype(int)
    assert logme(7 * features, labels) == pytest.approx(logme(features, labels))
    moved = features + 5
    assert centred(moved, labels) == pytest.approx(centred(features, labels))
    assert logme(moved, labels) != pytest.approx(logme(features, labels), abs=0.01)


def test_pooling_leaves_padding_out():
    states = torch.arange(12.0).reshape(2, 3, 2)
    mask = torch.tensor([[1, 1, 1], [1, 0, 0]])
    mean, last = (
        function_of("08", name, torch=torch)(states, mask)
        for name in ("mean_pool", "last_pool")
    )
    assert mean.tolist() == [[2.0, 3.0], [6.0, 7.0]]
    assert last.tolist() == [[4.0, 5.0], [6.0, 7.0]]


@pytest.mark.parametrize(
    ("missing", "share"), [([], 0), (["head"], 0.2), (["head", "body"], 1)]
)
def test_the_share_of_new_weights(missing, share):
    weights = [("body", torch.zeros(8)), ("head", torch.zeros(2))]
    model = SimpleNamespace(named_parameters=lambda: weights)
    new_share = function_of("08", "new_share")
    report = {"missing_keys": set(missing), "mismatched_keys": set()}
    assert new_share(model, report) == pytest.approx(share)
    report["mismatched_keys"] = {("head", (3, 1), (2, 1))}
    assert new_share(model, report) == pytest.approx(max(share, 0.2))


def test_equal_values_share_their_rank():
    spearman = function_of("08", "spearman", np=np, pd=pd)
    assert spearman([1, 2, 3], [10, 20, 25]) == pytest.approx(1)
    assert spearman([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert spearman([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(0.9486833)
