"""Lesson 26: the widget's handler, the rule, the measures, decay, smoothing, intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import log_softmax

from conftest import function_of
from course_utils import training

WIDGET = "walk"


def look(training_loss, validation_loss, accuracy):
    """Return one look of a run, as `Watch` notes it."""
    return {
        "training loss": training_loss,
        "training accuracy": accuracy,
        "training too sure": 0.0,
        "validation loss": validation_loss,
        "validation accuracy": 0.8,
        "validation too sure": 0.1,
    }


def diagnose(looks, reach=0.75):
    return function_of("26", "diagnose")(looks, reach)


def measures(labels, logits):
    return function_of("26", "measures", np=np, log_softmax=log_softmax)(labels, logits)


LEARNING = [look(0.7, 0.7, 0.5), look(0.3, 0.5, 0.9)]


def test_a_model_below_the_baseline_on_its_own_rows_is_underfitted():
    assert diagnose([look(0.69, 0.69, 0.55)]) == "underfitting"


def test_a_gap_alone_is_no_overfitting():
    assert diagnose(LEARNING) == "neither, so far"
    assert diagnose([*LEARNING, look(0.1, 0.52, 1.0)]) == "neither, so far"


def test_a_turned_validation_loss_is_overfitting():
    assert diagnose([*LEARNING, look(0.1, 0.53, 1.0)]) == "overfitting"


def test_a_run_that_gets_worse_on_both_sets_is_not_called_overfitting():
    assert diagnose([*LEARNING, look(0.4, 0.8, 0.85)]) == "neither, so far"


def test_the_widget_tells_the_state_up_to_the_look():
    runs = {"few": [*LEARNING, look(0.1, 0.9, 1.0)]}
    walk = function_of("26", "walk", runs=runs, diagnose=diagnose, reach=0.75)
    assert walk("few", 0).splitlines()[0] == "few, look 0: underfitting"
    assert walk("few", 1).splitlines()[0] == "few, look 1: neither, so far"
    last = walk("few", 2).splitlines()
    assert last[0] == "few, look 2: overfitting"
    assert last[3] == "validation 80% right, +10% too sure"
    assert last[4].endswith("loss 0.90 " + 18 * "█")


def test_surer_answers_change_the_loss_and_not_the_accuracy():
    logits, labels = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]), np.array([0, 1, 1])
    mild, sure = measures(labels, logits), measures(labels, 50 * logits)
    assert mild["accuracy"] == sure["accuracy"] == pytest.approx(2 / 3)
    assert sure["loss"] == pytest.approx(50 / 3, rel=1e-3)
    assert mild["loss"] < 1
    assert sure["too sure"] == pytest.approx(1 / 3, abs=1e-3)


def test_temperature_cools_an_overconfident_model():
    best = function_of("26", "best_temperature", np=np, measures=measures)
    random = np.random.default_rng(0)
    labels = random.integers(2, size=2000)
    honest = (
        np.log(3) * np.eye(2)[np.where(random.random(2000) < 0.75, labels, 1 - labels)]
    )
    assert best(labels, honest) == pytest.approx(1, abs=0.15)
    assert best(labels, 6 * honest) == pytest.approx(6, rel=0.15)


def test_shrinkage_multiplies_the_steps():
    shrinkage = function_of("26", "shrinkage", training=training)
    assert shrinkage(0.1, 0, 10) == 1
    factors = [training.rate_factor(step, 4, 0.5) for step in range(4)]
    expected = np.prod([1 - 0.1 * factor * 2 for factor in factors])
    assert shrinkage(0.1, 2, 4, warmup=0.5) == pytest.approx(expected)


def test_smoothed_loss_is_the_librarys():
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    smoothed_loss = function_of("26", "smoothed_loss", functional=functional)
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.0, 1.0, 1.0]])
    labels = torch.tensor([0, 2])
    for smoothing in (0.0, 0.1, 0.5):
        expected = functional.cross_entropy(logits, labels, label_smoothing=smoothing)
        assert torch.isclose(smoothed_loss(logits, labels, smoothing), expected)


def test_paired_gains_get_a_t_interval():
    over_draws = function_of("26", "over_draws", np=np, stats=stats)
    mean, low, high = over_draws([0.1, 0.2, 0.3])
    assert mean == pytest.approx(0.2)
    assert high - mean == pytest.approx(mean - low)
    assert high - mean == pytest.approx(4.302653 * 0.1 / np.sqrt(3), rel=1e-5)


@pytest.mark.parametrize(
    ("effect", "better", "expected"),
    [
        ((-0.2, -0.3, -0.1), -1, "better"),
        ((-0.2, -0.3, -0.1), 1, "worse"),
        ((0.2, 0.1, 0.3), 1, "better"),
        ((0.1, -0.1, 0.3), 1, "not told from nothing"),
    ],
)
def test_the_verdict_reads_the_interval(effect, better, expected):
    assert function_of("26", "verdict")(effect, better) == expected


def test_heaps_are_ordered_by_certainty():
    heaps = function_of("26", "heaps", np=np, log_softmax=log_softmax)
    logits = np.array([[0.0, 4.0], [0.0, 0.1], [0.0, 3.0], [0.2, 0.0]])
    (low, few), (high, many) = heaps(np.array([1, 0, 1, 1]), logits, 2)
    assert low < high and (few, many) == (0, 1)


def test_altered_copies_keep_most_words_and_add_none():
    alter = function_of("26", "alter")
    random = np.random.default_rng(0)
    text = "the film is not good but the actors are never boring"
    copies = [alter(text, random) for _ in range(200)]
    assert all(set(copy.split()) <= set(text.split()) for copy in copies)
    assert 0.8 < np.mean([len(copy.split()) for copy in copies]) / 11 < 0.97
    assert alter("good", random) == "good"
