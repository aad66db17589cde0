"""The course's training loop on toy models: schedule, order, best weights, errors."""

from __future__ import annotations

import math
import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from conftest import one_sentence
from course_utils import training
from course_utils.errors import InputError
from course_utils.training import History, count_parameters, fit, rate_factor


class Line(nn.Module):
    """A linear model that answers as the course's models do: with a loss."""

    def __init__(self, seed=0, norm=False):
        super().__init__()
        torch.manual_seed(seed)
        self.norm = nn.BatchNorm1d(3) if norm else nn.Identity()
        self.linear = nn.Linear(3, 1)
        self.seen = []

    def forward(self, x, labels):
        if self.training:
            self.seen.append(labels.sum().item())
        answers = self.linear(self.norm(x)).squeeze(1)  # [16, 1] -> [16]
        return SimpleNamespace(loss=(answers - labels).square().mean())


@pytest.fixture
def batches():
    generator = torch.Generator().manual_seed(1)
    rows = [torch.randn(16, 3, generator=generator) for _ in range(8)]
    truth = torch.tensor([1.0, -2.0, 0.5])
    return [{"x": x, "labels": x @ truth + 0.3} for x in rows]


@pytest.fixture
def steps():
    """Note the rate and the gradient's norm of every optimiser step."""
    noted = []

    def note(optimizer, _args, _options):
        (group,) = optimizer.param_groups
        grads = [p.grad.norm() for p in group["params"] if p.grad is not None]
        norm = torch.stack(grads).norm().item()
        noted.append(SimpleNamespace(rate=group["lr"], norm=norm, group=group))

    handle = register_optimizer_step_pre_hook(note)
    yield noted
    handle.remove()


def weights(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(
        torch.equal(one[n], other[n]) for n in one
    )


def scores(*values, kept=None, model_modes=None):
    """Return a validation function that answers these scores in turn."""
    rest = iter(values)

    def validate(model):
        if kept is not None:
            kept.append(weights(model))
        if model_modes is not None:
            model_modes.append(model.training)
        return next(rest)

    return validate


RUN = {"epochs": 3, "learning_rate": 0.1, "seed": 7}


# Learning


def test_the_loss_falls(batches):
    history = fit(Line(), batches, **(RUN | {"epochs": 10}))
    losses = [loss for _, loss in history.curve("train_loss")]
    assert losses[-1] < 0.1 * losses[0]


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(batches):
    results = []
    for seed in (7, 7, 8):
        model = Line()
        fit(model, batches, **(RUN | {"seed": seed}))
        results.append(weights(model))
    assert same(results[0], results[1])
    assert not same(results[0], results[2])


def test_every_epoch_has_all_batches_in_another_order(batches):
    model = Line()
    fit(model, batches, **RUN)
    sums = [batch["labels"].sum().item() for batch in batches]
    epochs = [model.seen[start : start + 8] for start in (0, 8, 16)]
    assert all(sorted(epoch) == sorted(sums) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] and epochs[0] != epochs[2]


def test_the_callers_batches_keep_their_order(batches):
    before = list(batches)
    fit(Line(), batches, **RUN)
    assert all(one is two for one, two in zip(before, batches, strict=True))


def test_gradients_left_by_an_earlier_cell_do_not_count(batches):
    clean, used = Line(), Line()
    used(**batches[0]).loss.backward()
    for model in (clean, used):
        fit(model, batches, **RUN)
    assert same(weights(clean), weights(used))


def test_frozen_parameters_stay_and_the_others_move(batches):
    model = Line(norm=True)
    model.linear.requires_grad_(False)
    before = weights(model)
    fit(model, batches, **RUN)
    after = weights(model)
    assert torch.equal(before["linear.weight"], after["linear.weight"])
    assert not torch.equal(before["norm.weight"], after["norm.weight"])


def test_the_forward_pass_runs_in_the_given_context(batches):
    entered = []

    class Context:
        def __enter__(self):
            entered.append(True)

        def __exit__(self, *_):
            pass

    fit(Line(), batches, **RUN, autocast=Context)
    assert len(entered) == 24


# Rate, clipping, decay


def test_the_rate_follows_the_schedule(batches, steps):
    fit(Line(), batches, **RUN, warmup=0.25)
    expected = [0.1 * rate_factor(step, 24, 0.25) for step in range(24)]
    assert [step.rate for step in steps] == pytest.approx(expected)


def test_gradients_are_clipped_to_the_given_norm(batches, steps):
    fit(Line(), batches, **RUN, clip=0.05)
    assert max(step.norm for step in steps) == pytest.approx(0.05, rel=1e-3)


def test_every_step_has_the_gradient_of_its_own_batch(batches, steps, monkeypatch):
    monkeypatch.setattr(training, "rate_factor", lambda *_: 0.0)  # nothing moves
    fit(Line(), batches, **(RUN | {"epochs": 1}), clip=1e6)
    noted = sorted(step.norm for step in steps)
    alone = []
    for batch in batches:
        model = Line()
        model(**batch).loss.backward()
        grads = [p.grad.norm() for p in model.parameters()]
        alone.append(torch.stack(grads).norm().item())
    assert noted == pytest.approx(sorted(alone), rel=1e-4)


def test_small_gradients_are_left_alone(batches, steps):
    fit(Line(), batches, **RUN, clip=1e6)
    assert max(step.norm for step in steps) > 1


def test_the_optimiser_decays_as_asked(batches, steps):
    fit(Line(), batches, **RUN, weight_decay=0.2)
    assert {step.group["weight_decay"] for step in steps} == {0.2}


TOTALS = [(20, 0.1), (24, 0.25), (53, 0.1), (10, 0.0), (1, 0.1), (5, 1.0), (1000, 0.5)]


@pytest.mark.parametrize(("total", "warmup"), TOTALS)
def test_the_rate_rises_to_one_falls_to_zero_and_is_never_negative(total, warmup):
    rates = [rate_factor(step, total, warmup) for step in range(total)]
    top = rates.index(max(rates))
    assert max(rates) == 1 and min(rates) > 0
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert rate_factor(total, total, warmup) == 0
    assert rate_factor(total + 5, total, warmup) == 0


def test_the_rate_has_the_values_that_lesson_04_prints():
    rates = [rate_factor(step, 20, 0.1) for step in (0, 1, 2, 11, 19, 20)]
    assert rates == pytest.approx([0.5, 1, 1, 0.5, 1 / 18, 0])


def test_without_warm_up_the_first_step_has_the_full_rate():
    rates = [rate_factor(step, 4, 0.0) for step in range(4)]
    assert rates == pytest.approx([1, 1, 2 / 3, 1 / 3])


# Validation and the best weights


def test_the_weights_of_the_best_look_are_kept(batches):
    model, looks = Line(), []
    history = fit(model, batches, **RUN, validate=scores(0.1, 0.9, 0.4, kept=looks))
    assert history.best_step == 16
    assert same(weights(model), looks[1]) and not same(looks[1], looks[2])


def test_running_means_are_kept_with_the_weights_they_belong_to(batches):
    model, looks = Line(norm=True), []
    fit(model, batches, **RUN, validate=scores(0.1, 0.9, 0.4, kept=looks))
    assert "norm.running_mean" in looks[1]
    assert same(weights(model), looks[1])


def test_of_two_equal_looks_the_first_is_kept(batches):
    history = fit(Line(), batches, **RUN, validate=scores(0.1, 0.5, 0.5))
    assert history.best_step == 16


def test_negative_scores_can_be_best(batches):
    history = fit(Line(), batches, **RUN, validate=scores(-5.0, -2.0, -3.0))
    assert history.best_step == 16


def test_a_score_that_is_no_number_is_never_the_best(batches):
    history = fit(Line(), batches, **RUN, validate=scores(math.nan, 0.2, math.nan))
    assert history.best_step == 16


def test_without_validation_the_last_weights_stay(batches):
    model, rising = Line(), Line()
    history = fit(model, batches, **RUN)
    fit(rising, batches, **RUN, validate=scores(1, 2, 3))
    assert history.best_step == 24 and same(weights(model), weights(rising))
    assert all(math.isnan(score) for _, score in history.curve("validation_score"))


@pytest.mark.parametrize(
    ("every", "looks"),
    [(None, [8, 16, 24]), (5, [5, 10, 15, 20, 24]), (12, [12, 24]), (99, [24])],
)
def test_validation_comes_every_so_often_and_at_the_end(batches, every, looks):
    history = fit(
        Line(), batches, **RUN, validate=scores(*range(9)), validate_every=every
    )
    assert [row["step"] for row in history.rows] == looks


def test_validation_sees_evaluation_mode_and_training_goes_on_in_its_own(batches):
    modes = []
    model = Line()
    fit(model, batches, **RUN, validate=scores(1, 2, 3, model_modes=modes))
    assert modes == [False] * 3 and not model.training
    assert len(model.seen) == 24  # every step was in training mode


# History


def test_the_history_has_the_documented_columns(batches):
    history = fit(Line(), batches, **RUN, validate=scores(0.1, 0.2, 0.3))
    table = history.table()
    assert table.index.name == "step" and list(table.index) == [8, 16, 24]
    assert list(table.columns) == [
        "epoch",
        "train_loss",
        "validation_score",
        "seconds",
        "peak_memory_mib",
    ]
    assert table["epoch"].tolist() == [1, 2, 3]
    assert table["validation_score"].tolist() == [0.1, 0.2, 0.3]
    assert table["seconds"].is_monotonic_increasing and table["seconds"].min() > 0
    assert history.curve("epoch") == [(8, 1), (16, 2), (24, 3)]


def test_the_training_loss_is_the_mean_since_the_row_before(batches, monkeypatch):
    monkeypatch.setattr(training, "rate_factor", lambda *_: 0.0)  # nothing moves
    model = Line()
    history = fit(model, batches, **RUN, validate_every=8)
    mean = sum(model(**batch).loss.item() for batch in batches) / 8
    losses = [loss for _, loss in history.curve("train_loss")]
    assert losses == pytest.approx([mean] * 3, rel=1e-5)
    assert same(weights(model), weights(Line()))


def test_two_histories_share_nothing():
    one = History()
    one.rows.append({"step": 1})
    assert History().rows == []


# Refusing


def frozen():
    return Line().requires_grad_(False)


@pytest.mark.parametrize(
    ("change", "got"),
    [
        ({"batches": []}, "got 0, 2 and 3"),
        ({"model": frozen()}, "got 8, 0 and 3"),
        ({"epochs": 0}, "got 8, 2 and 0"),
    ],
    ids=["no batches", "all frozen", "no epochs"],
)
def test_nothing_to_train_is_refused(batches, change, got):
    arguments = {"model": Line(), "batches": batches} | RUN | change
    with pytest.raises(InputError) as error:
        fit(arguments.pop("model"), arguments.pop("batches"), **arguments)
    one_sentence(error, got, "what was frozen")


# Counting


def test_parameters_are_counted_trained_and_all():
    model = Line(norm=True)
    assert count_parameters(model) == (10, 10)
    model.norm.requires_grad_(False)
    assert count_parameters(model) == (4, 10)


def test_the_peak_memory_is_plausible():
    held = psutil.Process().memory_info().rss / 2**20
    peak = training.peak_memory_mib()
    assert 0.9 * held <= peak <= psutil.virtual_memory().total / 2**20


def test_the_peak_memory_is_in_mib_and_remembers_what_was_given_back():
    code = (
        "from course_utils.training import peak_memory_mib as peak\n"
        "before = peak(); block = bytearray(b'1') * (200 * 2**20); del block\n"
        "print(before, peak() - before)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    before, grown = map(float, answer.stdout.split())
    assert 2 < before < 100 and 190 < grown < 220


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process counts itself")
def test_the_peak_memory_is_not_the_parents():
    block = bytearray(b"1") * (300 * 2**20)
    code = "from course_utils.training import peak_memory_mib as p; print(p())"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert float(answer.stdout) < 100 < len(block) / 2**20
