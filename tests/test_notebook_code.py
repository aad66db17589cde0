"""What a lesson builds by hand does the same as the package's version of it."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from conftest import function_of
from course_utils import evaluation, lessons, training
from tools.notebooks import FOLDER

pytestmark = pytest.mark.filterwarnings("error")
needs_04 = pytest.mark.skipif(
    not (FOLDER / lessons.get("04").file).exists(),
    reason="lesson 04, which builds the training loop, is not written yet",
)


# Lesson 01: the interval


@pytest.mark.parametrize("seed", [0, 42])
def test_lesson_01s_interval_is_the_packages_bootstrap(seed):
    right = np.random.default_rng(9).random(300) < 0.8
    rows = np.random.default_rng(seed).integers(300, size=(1000, 300))
    interval = function_of("01", "interval", np=np, rows=rows)
    expected = evaluation.bootstrap(np.mean, right, seed=seed)
    assert interval(right) == pytest.approx(tuple(expected), abs=0.01)


# Lesson 04: the training loop


@needs_04
@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.33, 1.0])
@pytest.mark.parametrize("total", [1, 2, 20, 53, 500])
def test_lesson_04s_rate_is_the_packages(total, warmup):
    rate_factor = function_of("04", "rate_factor")
    steps = range(total + 2)
    taught = [rate_factor(step, total, warmup) for step in steps]
    assert taught == [training.rate_factor(step, total, warmup) for step in steps]


@needs_04
def test_lesson_04s_default_warm_up_is_the_packages():
    rate_factor = function_of("04", "rate_factor")
    default = training.fit.__kwdefaults__["warmup"]
    for step in range(40):
        assert rate_factor(step, 40) == training.rate_factor(step, 40, default)


class Toy(nn.Module):
    """A small classifier with dropout and a frozen part, with a loss as BERT has it."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Linear(4, 8).requires_grad_(False)
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(8, 3)

    def forward(self, x, labels):
        logits = self.head(self.drop(self.table(x).tanh()))  # [16, 3]
        return SimpleNamespace(loss=nn.functional.cross_entropy(logits, labels))


def toy_batches():
    generator = torch.Generator().manual_seed(5)
    return [
        {
            "x": torch.randn(16, 4, generator=generator),
            "labels": torch.randint(3, (16,), generator=generator),
        }
        for _ in range(7)
    ]


def train(fit, scores, **options):
    """Run a training loop; return its weights and the steps it looked at."""
    model, rest = Toy(), iter(scores)
    torch.manual_seed(1)  # of the dropout
    history = fit(
        model,
        toy_batches(),
        epochs=2,
        learning_rate=0.05,
        seed=3,
        validate=lambda model: [model.eval(), next(rest)][1],
        **options,
    )
    return model.state_dict(), history


@needs_04
@pytest.mark.parametrize(
    "scores", [(0.1, 0.5, 0.3, 0.2, 0.4), (0.1, 0.2, 0.3, 0.4, 0.5)]
)
def test_lesson_04s_loop_ends_with_the_packages_weights(scores):
    fit = function_of(
        "04",
        "fit",
        rate_factor=function_of("04", "rate_factor"),
        course=SimpleNamespace(autocast=contextlib.nullcontext),
    )
    taught, rows = train(fit, scores, every=3)
    ours, history = train(training.fit, scores, validate_every=3)
    for name, tensor in ours.items():
        assert torch.allclose(taught[name], tensor, atol=1e-6), name
    assert [row[0] for row in rows] == [row["step"] for row in history.rows]
    losses = [row["train_loss"] for row in history.rows]
    assert [row[1] for row in rows] == pytest.approx(losses)
