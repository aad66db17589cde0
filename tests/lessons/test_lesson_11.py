"""Lesson 11: the rules against torch, the schedules, the span, the widget."""

from __future__ import annotations

import math

import pytest
import torch

from conftest import function_of

WIDGET = "walk"


def rule(name, **needed):
    return function_of("11", name, **needed)


@pytest.fixture
def rules():
    sgd, momentum, adam = rule("sgd"), rule("momentum"), rule("adam")
    return {
        "sgd": sgd,
        "momentum": momentum,
        "adam": adam,
        "adam_l2": rule("adam_l2", adam=adam),
        "adamw": rule("adamw", adam=adam),
    }


TORCH = {
    "sgd": (torch.optim.SGD, {}, {}),
    "momentum": (torch.optim.SGD, {"momentum": 0.8}, {"beta": 0.8}),
    "adam": (torch.optim.Adam, {"betas": (0.8, 0.99)}, {"betas": (0.8, 0.99)}),
    "adam_l2": (torch.optim.Adam, {"weight_decay": 0.3}, {"decay": 0.3}),
    "adamw": (torch.optim.AdamW, {"weight_decay": 0.3}, {"decay": 0.3}),
}


@pytest.mark.parametrize("name", TORCH)
def test_a_rule_takes_torchs_steps(rules, name):
    make, theirs, ours = TORCH[name]
    generator = torch.Generator().manual_seed(3)
    weight = torch.randn(7, dtype=torch.float64, generator=generator)
    twin = weight.clone().requires_grad_()
    optimizer, state = make([twin], lr=0.05, **theirs), {}
    for _ in range(25):
        twin.grad = torch.randn(7, dtype=torch.float64, generator=generator)
        weight = rules[name](weight, twin.grad, state, 0.05, **ours)
        optimizer.step()
        assert torch.allclose(weight, twin, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["constant", "linear", "cosine"])
@pytest.mark.parametrize(("total", "warmup"), [(40, 0), (40, 7), (5, 1)])
def test_a_schedule_rises_to_one_and_never_leaves_its_range(name, total, warmup):
    schedule = rule(name, math=math)
    shares = [schedule(step, total, warmup) for step in range(total + 1)]
    assert shares[warmup] == pytest.approx(1)
    assert all(-1e-12 <= share <= 1 for share in shares)
    assert shares[:warmup] == pytest.approx([step / warmup for step in range(warmup)])
    assert shares[-1] == pytest.approx(1 if name == "constant" else 0, abs=1e-12)


def test_a_span_counts_the_good_rates_in_powers_of_ten():
    good_span = rule("good_span", torch=torch)
    points = [(0.001, 9.0), (0.01, 0.5), (0.1, 0.4), (1.0, float("nan"))]
    assert good_span(points, limit=1) == pytest.approx(2)
    assert good_span(points, limit=0.45) == pytest.approx(1)


@pytest.fixture
def walk(rules):
    start = torch.tensor([-4.0, 1.0])
    curvature = torch.tensor([1.0, 100.0])
    gradient_at = rule("gradient_at", CURVATURE=curvature)
    loss_at = rule("loss_at", CURVATURE=curvature)
    descend = rule("descend", torch=torch, start=start, gradient_at=gradient_at)
    turn = rule("turn", torch=torch, math=math)
    descend_turned = rule(
        "descend_turned",
        descend=descend,
        turn=turn,
        gradient_at=gradient_at,
        start=start,
    )
    named = {key: rules[name] for key, name in _NAMES.items()}
    return rule("walk", descend_turned=descend_turned, loss_at=loss_at, RULES=named)


_NAMES = {"SGD": "sgd", "momentum": "momentum", "Adam": "adam"}


@pytest.mark.parametrize("name", _NAMES)
def test_the_widget_tells_a_run_that_diverges(walk, name):
    path, line = walk(name, -2.5, 0.9, 0)
    assert path.shape == (61, 2) and "after 60 steps" in line
    if name != "Adam":
        assert walk(name, 0.0, 0.9, 0)[1] == f"{name}, rate 1.0000: diverged"


def test_beta_matters_and_turning_matters_only_to_adam(walk):
    assert walk("momentum", -2.2, 0.5, 0)[1] != walk("momentum", -2.2, 0.9, 0)[1]
    for name in _NAMES:
        straight, askew = walk(name, -2.2, 0.9, 0)[0], walk(name, -2.2, 0.9, 45)[0]
        same = torch.allclose(straight, askew, atol=1e-3)
        assert same == (name != "Adam")
