"""Lesson 25: the widget's handler, made-up noise, confident learning by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from conftest import function_of

WIDGET = "reading_line"

COURSE = SimpleNamespace(seed=42)
SHARES = np.array([0.3, 0.2, 0.5])


def random_opinions(seed, rows=300):
    """Return labels and probabilities that agree with them more often than not."""
    random = np.random.default_rng(seed)
    truth = random.choice(3, rows, p=SHARES)
    labels = np.where(random.random(rows) < 0.3, random.integers(3, size=rows), truth)
    return labels, random.dirichlet(np.ones(3), rows) * 0.5 + 0.5 * np.eye(3)[truth]


def finder():
    confident_classes = function_of("25", "confident_classes", np=np)
    stubs = {"confident_classes": confident_classes, "np": np}
    return confident_classes, function_of("25", "suspects", **stubs), stubs


def test_the_widget_counts_what_is_found_and_what_chance_finds():
    ranked = {"rater": np.array([True, True, False, False, True, False, False, False])}
    line = function_of("25", "reading_line", ranked=ranked)
    assert line(4) == "4 labels read. rater: 2 wrong (67% of all; at random 2)"
    assert "3 wrong (100% of all; at random 3)" in line(8)


@pytest.mark.parametrize(
    ("rating", "expected"),
    [(-4, 0), (-0.5, 0), (-0.49, 1), (0, 1), (0.5, 1), (0.51, 2)],
)
def test_classes_are_cut_at_half_a_point(rating, expected):
    assert function_of("25", "to_class")(np.array([rating])).tolist() == [expected]


def test_macro_f1_is_that_of_scikit_learn():
    macro_f1 = function_of("25", "macro_f1")
    random = np.random.default_rng(0)
    labels, predicted = random.integers(3, size=(2, 200))
    expected = f1_score(labels, predicted, average="macro")
    assert macro_f1(labels, predicted) == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["symmetric", "default"])
@pytest.mark.parametrize("wrong", [0, 0.2, 0.4])
def test_noise_has_the_share_of_wrong_labels_that_was_asked_for(kind, wrong):
    transition = function_of("25", "transition", shares=SHARES)
    corrupt = function_of("25", "corrupt", course=COURSE)
    matrix = transition(kind, wrong)
    assert np.allclose(matrix.sum(axis=1), 1)
    assert matrix.min() >= 0
    assert SHARES @ (1 - np.diag(matrix)) == pytest.approx(wrong)
    labels = np.random.default_rng(0).choice(3, 20_000, p=SHARES)
    noisy = corrupt(labels, matrix, 0)
    assert (noisy != labels).mean() == pytest.approx(wrong, abs=0.02)
    if kind == "default":
        assert set(noisy[noisy != labels]) <= {1}


def test_no_row_is_judged_by_a_model_that_saw_it_or_its_twin():
    groups = np.repeat(np.arange(20), 3)
    seen = []

    def line(x, labels, strength):
        trained = set(x[:, 0])
        return SimpleNamespace(
            predict_proba=lambda new: (
                seen.append(trained & set(new[:, 0])) or np.full((len(new), 3), 1 / 3)
            )
        )

    out_of_fold = function_of("25", "out_of_fold", line=line, course=COURSE, STRENGTH=1)
    p = out_of_fold(groups[:, None].astype(float), np.zeros(60, int), 0, groups)
    assert len(seen) == 5
    assert not any(seen)
    assert np.allclose(p, 1 / 3)


def test_confident_classes_are_those_of_the_papers_definition():
    confident_classes, _, _ = finder()
    labels, p = random_opinions(0)
    thresholds = [p[labels == k, k].mean() for k in range(3)]
    expected = []
    for row in p:
        above = [k for k in range(3) if row[k] >= thresholds[k]]
        expected.append(max(above, key=lambda k: row[k]) if above else -1)
    assert confident_classes(labels, p).tolist() == expected


@pytest.mark.parametrize("seed", range(5))
def test_suspects_are_cleanlabs(seed):
    pytest.importorskip("cleanlab")
    from cleanlab.count import compute_confident_joint
    from cleanlab.filter import find_label_issues

    _, suspects, stubs = finder()
    labels, p = random_opinions(seed)
    theirs = find_label_issues(labels, p, filter_by="confident_learning", n_jobs=1)
    assert suspects(labels, p).tolist() == theirs.tolist()
    joint_of = function_of("25", "joint_of", **stubs)
    counts = compute_confident_joint(labels, p, calibrate=False)
    assert joint_of(labels, p).tolist() == counts.tolist()


def test_the_share_of_wrong_labels_is_found_by_a_model_that_knows_the_truth():
    _, _, stubs = finder()
    joint_of = function_of("25", "joint_of", **stubs)
    estimated = function_of("25", "estimated_wrong", joint_of=joint_of, np=np)
    random = np.random.default_rng(0)
    truth = random.choice(3, 500, p=SHARES)
    labels = np.where(random.random(500) < 0.3, (truth + 1) % 3, truth)
    assert estimated(labels, np.eye(3)[truth]) == pytest.approx(
        (labels != truth).mean()
    )


def test_the_robust_line_without_robustness_is_logistic_regression():
    robust_line = function_of("25", "robust_line")
    random = np.random.default_rng(0)
    labels = random.choice(3, 200, p=SHARES)
    x = np.eye(3)[labels] @ random.normal(size=(3, 5)) + random.normal(size=(200, 5))
    model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000)
    expected = model.fit(x, labels).predict(x)
    found = robust_line(x, labels, 1 / (2 * 0.1 * 200), q=0)(x)
    assert (found == expected).mean() > 0.98


def test_paired_gives_the_t_interval():
    paired = function_of("25", "paired", np=np, stats=stats)
    one, other = np.random.default_rng(0).normal(size=(2, 8))
    mean, low, high = paired(one, other)
    expected = stats.ttest_rel(one, other).confidence_interval(0.95)
    assert (low, high) == pytest.approx((expected.low, expected.high))
    assert mean == pytest.approx((one - other).mean())


def test_a_small_edit_changes_a_little():
    small_edit = function_of("25", "small_edit")
    random = np.random.default_rng(0)
    text = "what a fine day in the park"
    for _ in range(20):
        edited = small_edit(text, random)
        assert edited != text
        assert abs(len(edited) - len(text)) <= 6


def test_near_joins_chains_of_similar_vectors():
    near = function_of("25", "near", np=np)
    angles = np.deg2rad([0, 20, 40, 90, 180])  # neighbours up to 31 degrees are joined
    groups = near(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    assert groups[0] == groups[1] == groups[2]
    assert len(set(groups)) == 3
