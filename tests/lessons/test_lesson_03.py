"""Lesson 03: the widget's handler, k-means, the REINFORCE estimate."""

from __future__ import annotations

import pandas as pd
import pytest
import torch

from conftest import function_of

WIDGET = "worth"


def test_worth_says_the_means_of_this_many_signals():
    rows = [("labels", 0.5), ("labels", 0.7), ("clusters", 0.4), ("reward", 0.2)]
    results = pd.DataFrame(rows, columns=["signal", "accuracy"]).assign(seen=96)
    results.loc[len(results)] = ("labels", 0.0, 32)  # other sizes do not count
    worth = function_of("03", "worth", results=results[["signal", "accuracy", "seen"]])
    assert worth(96) == ("96 texts: labels 0.60, named clusters 0.40, rewards 0.20")


def test_k_means_finds_two_clouds():
    torch.manual_seed(0)
    clouds = torch.cat([torch.randn(50, 3) * 0.1, torch.randn(50, 3) * 0.1 + 5])
    centres = function_of("03", "k_means", torch=torch)(clouds, 2, seed=1)
    assert sorted(round(c) for c in centres.mean(dim=1).tolist()) == [0, 5]


@pytest.mark.parametrize("baseline", [0.0, 0.4])
def test_reinforce_is_right_on_average(baseline):
    scores = torch.tensor([0.2, 0.5, -0.3], requires_grad=True)
    reward = torch.tensor([1.0, 0.0, 0.0])
    expected = (scores.softmax(dim=0) * reward).sum()
    (exact,) = torch.autograd.grad(expected, scores)
    estimates = function_of("03", "reinforce", torch=torch)(
        scores, reward, 200_000, baseline
    )
    assert torch.allclose(estimates.mean(dim=0), exact, atol=0.01)
