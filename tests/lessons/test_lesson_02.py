"""Lesson 02: the widget's handler, and the formulas that the lesson writes out."""

from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

from conftest import function_of

WIDGET = "draw_path"


@pytest.fixture
def line():
    """Some points, and the lesson's functions on them."""
    random = np.random.default_rng(3)
    x = random.integers(-2, 3, size=200).astype(float)
    y = 1.1 * x + 0.2 + random.normal(size=200)
    gradient = function_of("02", "line_gradient", np=np, x=x, y=y)
    return {"np": np, "x": x, "y": y, "line_gradient": gradient}


def test_the_line_finds_the_librarys_solution(line):
    walk = function_of("02", "walk", **line)
    path = walk(0.2, steps=300, start=(3.0, -3.0))
    assert path.shape == (301, 2)
    assert path[0].tolist() == [3.0, -3.0]
    assert path[-1] == pytest.approx(np.polyfit(line["x"], line["y"], 1), abs=1e-6)


@pytest.fixture
def draw_path(line, monkeypatch):
    mpl.use("Agg")
    monkeypatch.setattr(plt, "show", lambda: plt.close("all"))
    walk = function_of("02", "walk", **line)
    grid = np.meshgrid(np.linspace(-1, 3, 5), np.linspace(-2, 2, 5))
    stubs = line | {"plt": plt, "walk": walk, "best": np.array([1.1, 0.2])}
    stubs |= dict(zip(("grid_w", "grid_b"), grid, strict=True))
    return function_of("02", "draw_path", grid_loss=grid[0] ** 2 + grid[1], **stubs)


def test_the_widget_ends_lower_with_a_fitting_rate_and_flies_off_with_a_large_one(
    line, draw_path
):
    start = np.mean((-0.8 * line["x"] + 1.6 - line["y"]) ** 2)
    x = line["x"]
    bends = 2 * np.array([[np.mean(x**2), x.mean()], [x.mean(), 1]])
    limit = 2 / np.linalg.eigvalsh(bends).max()
    assert draw_path(0.9 * limit) < draw_path(0.01 * limit) < start
    assert draw_path(1.1 * limit) > start


def test_one_weight_descends_by_the_slope_times_the_rate(line):
    gradient = function_of("02", "gradient", np=np, x=line["x"], y=line["y"])
    loss = function_of("02", "loss", np=np, x=line["x"], y=line["y"])
    slope = (loss(0.3 + 1e-5) - loss(0.3 - 1e-5)) / 2e-5
    assert gradient(0.3) == pytest.approx(slope, rel=1e-6)
    descend = function_of("02", "descend", gradient=gradient)
    path = descend(0.1, steps=2, w=0.3)
    second = 0.3 - 0.1 * gradient(0.3)
    assert path == pytest.approx([0.3, second, second - 0.1 * gradient(second)])


def test_cross_entropy_and_sigmoid_are_torchs():
    sigmoid = function_of("02", "sigmoid", np=np)
    cross_entropy = function_of("02", "cross_entropy", np=np)
    logits, labels = np.array([1.2, -0.4, 0.0, 3.0]), np.array([1, 0, 1, 0])
    expected = nn.functional.binary_cross_entropy_with_logits(
        torch.tensor(logits), torch.tensor(labels, dtype=torch.float64)
    )
    assert cross_entropy(sigmoid(logits), labels) == pytest.approx(expected.item())


def test_backpropagation_by_hand_is_autograds():
    random = np.random.default_rng(1)
    phrases, verdicts = random.normal(size=(4, 2)), np.array([1, 0, 0, 1])
    sizes = {"W1": (2, 5), "b1": 5, "w2": 5, "b2": 1}
    params = {name: random.normal(size=size) for name, size in sizes.items()}
    sigmoid = function_of("02", "sigmoid", np=np)
    forward = function_of("02", "forward", np=np, phrases=phrases, sigmoid=sigmoid)
    stubs = {"np": np, "phrases": phrases, "verdicts": verdicts, "forward": forward}
    found = function_of("02", "backward", **stubs)(params)
    tensors = {n: torch.tensor(v, requires_grad=True) for n, v in params.items()}
    hidden = torch.tanh(torch.tensor(phrases) @ tensors["W1"] + tensors["b1"])
    logits = hidden @ tensors["w2"] + tensors["b2"]
    targets = torch.tensor(verdicts, dtype=torch.float64)
    nn.functional.binary_cross_entropy_with_logits(logits, targets).backward()
    for name, tensor in tensors.items():
        assert found[name] == pytest.approx(tensor.grad.numpy()), name


@pytest.mark.parametrize("heads", [1, 3])
def test_attention_by_hand_is_torchs(heads):
    torch.manual_seed(0)
    part = nn.Module()
    part.query, part.key, part.value = (nn.Linear(12, 12) for _ in range(3))
    states = torch.randn(2, 5, 12)
    attention = function_of("02", "attention")
    result, shares = attention(part, states, heads)
    split = [
        m(states).view(2, 5, heads, -1).transpose(1, 2)
        for m in (part.query, part.key, part.value)
    ]
    expected = nn.functional.scaled_dot_product_attention(*split)
    torch.testing.assert_close(result, expected.transpose(1, 2).reshape(2, 5, 12))
    assert shares.shape == (2, heads, 5, 5)
    torch.testing.assert_close(shares.sum(dim=-1), torch.ones(2, heads, 5))
