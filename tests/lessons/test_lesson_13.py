"""Lesson 13: the widget's handler and the formulas that the lesson writes out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from conftest import function_of

WIDGET = "cost_table"

LABELS = np.array([1, 1, 0, 0, 1, 0, 0, 0])
CHANCES = np.array([0.9, 0.4, 0.4, 0.2, 0.1, 0.7, 0.05, 0.05])


def taught(name, *needs, **stubs):
    """Take a function out of the lesson, with the lesson's functions that it calls."""
    for need in needs:
        stubs[need] = taught(need, **stubs)
    return function_of("13", name, **stubs)


@pytest.fixture
def drawn():
    """Labels of a rare class and scores with ties."""
    random = np.random.default_rng(0)
    labels = (random.random(300) < 0.2).astype(int)
    return labels, np.round(labels + random.normal(0, 1.2, 300), 1)


# The widget


@pytest.fixture
def cost_table():
    prices = {"MISS": 10, "ALARM": 1}
    given = {"y": LABELS, "p": CHANCES}
    return taught("cost_table", "counts", "cost", **given, **prices)


@pytest.mark.parametrize(
    ("threshold", "alarmed", "silent", "price"),
    [(0.001, 3, 0, "625"), (0.4, 2, 1, "1500"), (0.95, 0, 3, "3750")],
)
def test_the_table_counts_and_prices_a_threshold(
    cost_table, threshold, alarmed, silent, price
):
    head, complaint, harmless, cost = cost_table(threshold).splitlines()
    assert f"{threshold:.4f}" in head
    assert [int(n) for n in complaint.split()[1:]] == [alarmed, silent]
    assert sum(int(n) for n in harmless.split()[1:]) == 5
    assert cost.endswith(f": {price}")


# Scores from counts and from the order


def test_counts_are_the_confusion_matrix():
    tp, fp, fn, tn = taught("counts")(LABELS, (CHANCES >= 0.4).astype(int))
    matrix = metrics.confusion_matrix(LABELS, CHANCES >= 0.4)
    assert [[tn, fp], [fn, tp]] == matrix.tolist()


@pytest.mark.parametrize("threshold", [0.1, 0.5, 1.0, 9.0])
def test_all_scores_equal_the_library(drawn, threshold):
    labels, said = drawn[0], (drawn[1] >= threshold).astype(int)
    scores = taught("all_scores", "counts", "f1_of", "averages")(labels, said)
    options = {"zero_division": 0}
    assert scores == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(labels, said),
            "balanced": metrics.balanced_accuracy_score(labels, said),
            "precision": metrics.precision_score(labels, said, **options),
            "recall": metrics.recall_score(labels, said),
            "F1": metrics.f1_score(labels, said, **options),
            "macro F1": metrics.f1_score(labels, said, average="macro", **options),
            "weighted F1": metrics.f1_score(
                labels, said, average="weighted", **options
            ),
            "MCC": metrics.matthews_corrcoef(labels, said),
        }
    )


@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("auc_by_area", metrics.roc_auc_score),
        ("auc_by_pairs", metrics.roc_auc_score),
        ("average_precision", metrics.average_precision_score),
    ],
)
def test_rankings_equal_the_library_with_ties(drawn, name, library):
    assert taught(name, "sweep")(*drawn) == pytest.approx(library(*drawn))


# Calibration


def test_ece_is_zero_where_promises_come_true_and_the_gap_elsewhere():
    ece = taught("ece", "reliability")
    assert ece(np.array([0, 1, 0, 1]), np.full(4, 0.5)) == pytest.approx(0)
    assert ece(np.array([0, 0, 0, 1]), np.full(4, 0.85)) == pytest.approx(0.6)
    two_bins = ece(np.array([0, 0, 1, 1]), np.array([0.1, 0.1, 0.7, 1.0]))
    assert two_bins == pytest.approx(0.5 * 0.1 + 0.25 * 0.3)


def test_cross_entropy_from_logits_does_not_overflow(drawn):
    cross_entropy = taught("cross_entropy")
    labels, logit = drawn
    expected = metrics.log_loss(labels, 1 / (1 + np.exp(-logit)))
    assert cross_entropy(labels, logit) == pytest.approx(expected)
    assert cross_entropy(np.array([0]), np.array([1000.0])) == pytest.approx(1000)


def test_the_temperature_undoes_a_scaling(drawn):
    random = np.random.default_rng(1)
    logit = random.normal(0, 2, 4000)
    labels = (random.random(4000) < 1 / (1 + np.exp(-logit))).astype(int)
    fit = taught(
        "fit_temperature", "cross_entropy", TEMPERATURES=np.geomspace(0.3, 10, 200)
    )
    assert fit(labels, 3 * logit) == pytest.approx(3, rel=0.1)


# Abstaining, intervals, tests


def test_the_surest_are_answered_first_and_the_target_holds():
    right = np.array([True, True, False, True, False])
    sure = np.array([0.9, 0.95, 0.6, 0.8, 0.7])
    coverage, risk = taught("risk_coverage")(right, sure)
    assert coverage.tolist() == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert risk.tolist() == [0, 0, 0, 0.25, 0.4]
    enough = taught("surest_enough", "risk_coverage")
    assert enough(right, sure, 0.3) == 0.7
    assert enough(right, sure, 0.1) == 0.8


def test_wilson_equals_scipy():
    wilson = taught("wilson")
    for right, n in [(0, 10), (57, 60), (60, 60), (1500, 1800)]:
        expected = stats.binomtest(right, n).proportion_ci(method="wilson")
        assert wilson(right, n) == pytest.approx(tuple(expected), abs=1e-4)


def test_mcnemar_equals_the_binomial_test():
    random = np.random.default_rng(2)
    ours, theirs = random.random(200) < 0.9, random.random(200) < 0.8
    only_ours, only_theirs, p_value = taught("mcnemar")(ours, theirs)
    assert only_ours == np.sum(ours & ~theirs)
    total = only_ours + only_theirs
    assert p_value == pytest.approx(stats.binomtest(int(only_ours), int(total)).pvalue)
    assert taught("mcnemar")(ours, ours) == (0, 0, 1.0)


def test_power_grows_with_rows_and_is_small_without_a_difference():
    class Course:
        seed = 0

    power = taught("power", course=Course)
    assert power(0.05, 0.1, 250) < power(0.05, 0.1, 1000)
    assert power(0.0, 0.1, 1000) < 0.05
