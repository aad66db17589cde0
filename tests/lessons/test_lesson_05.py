"""Lesson 05: the widget's handler, and the formulas the lesson writes out."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from conftest import function_of
from course_utils import exercises

WIDGET = "best_plan"
VALUES = np.arange(-4, 5)
NOMINAL = (VALUES[:, None] != VALUES).astype(int)
INTERVAL = (VALUES[:, None] - VALUES) ** 2


@pytest.fixture
def best_plan():
    """Texts help a little, a second rater helps much."""
    grid = np.array([[[0.1, 0.5]], [[0.3, 0.6]], [[0.5, 0.7]]]).reshape(1, 3, 2)
    return function_of(
        "05",
        "best_plan",
        np=np,
        grids={"toy": grid},
        SIZES=(100, 200, 400),
        RATERS=(1, 2),
    )


def test_free_texts_are_bought_with_the_whole_budget(best_plan):
    said, best = best_plan("toy", 0, budget=400)
    assert said.splitlines() == [
        "   400 texts ×  1 ratings: r = 0.500",
        "   200 texts ×  2 ratings: r = 0.600",
        "best of these: 2 per text",
    ]
    assert best == 2


def test_a_price_leaves_fewer_texts(best_plan):
    assert "   200 texts ×  1 ratings: r = 0.300" in best_plan("toy", 1, budget=400)[0]


def test_between_two_sizes_the_score_is_read_off_in_doublings(best_plan):
    halfway = 100 * 2**0.5
    assert "r = 0.200" in best_plan("toy", 0, budget=halfway)[0]


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
def test_kappa_is_that_of_scikit_learn(weights):
    kappa = function_of("05", "kappa", np=np)
    random = np.random.default_rng(0)
    one = random.integers(-1, 2, 200)
    other = np.where(random.random(200) < 0.6, one, random.integers(-1, 2, 200))
    labels = np.array([-1, 0, 1])
    apart = abs(labels[:, None] - labels)
    distance = {None: apart > 0, "linear": apart, "quadratic": apart**2}[weights]
    table = np.array(
        [[np.sum((one == a) & (other == b)) for b in labels] for a in labels]
    )
    expected = cohen_kappa_score(one, other, weights=weights)
    assert kappa(table, distance) == pytest.approx(expected)


def alpha_of(counts, distance):
    disagreement = function_of("05", "disagreement")
    alpha = function_of("05", "alpha")
    stubs = {"alpha": alpha, "disagreement": disagreement}
    return function_of("05", "alpha_of", **stubs)(np.array(counts), distance)


@pytest.mark.parametrize("distance", [NOMINAL, INTERVAL], ids=["nominal", "interval"])
def test_alpha_by_tables_is_alpha_by_pairs(distance):
    texts = [[-4, 3, 3], [0, 0], [1, 2, 1, 4], [2], [-1, -1, 0, 0, 0]]
    draft = function_of("05", "alpha_draft")
    counts = [np.bincount(np.add(text, 4), minlength=9) for text in texts]
    by_pairs = draft(texts, lambda a, b: distance[a + 4, b + 4])
    assert alpha_of(counts, distance) == pytest.approx(by_pairs)


def test_alpha_is_1_for_full_agreement_and_near_0_for_chance():
    assert alpha_of([[0, 3, 0], [3, 0, 0], [0, 0, 3]], NOMINAL[:3, :3]) == 1
    chance = np.random.default_rng(0).multinomial(20, [0.2, 0.5, 0.3], size=2000)
    assert abs(alpha_of(chance, INTERVAL[:3, :3])) < 0.01


def test_two_people_agree_as_often_as_pairs_do():
    same_answer = function_of("05", "same_answer")
    text = [1, 1, 2, 2, 2]
    pairs = [a == b for a, b in combinations(text, 2)]
    assert same_answer(np.array([np.bincount(text)])) == pytest.approx(np.mean(pairs))


def test_signs_folds_nine_columns_into_three():
    signs = function_of("05", "signs", np=np)
    assert signs(np.arange(1, 10)[None]).tolist() == [[1 + 2 + 3 + 4, 5, 6 + 7 + 8 + 9]]


def test_pearson_is_that_of_numpy():
    pearson = function_of("05", "pearson", np=np)
    a, b = np.random.default_rng(0).normal(size=(2, 50))
    assert pearson(a, b) == pytest.approx(np.corrcoef(a, b)[0, 1])


def test_reliability_of_means_of_made_up_raters():
    reliability = function_of("05", "reliability")
    random = np.random.default_rng(0)
    ratings = random.normal(size=(20_000, 1)) + random.normal(size=(20_000, 8))
    one, other = ratings[:, :4].mean(axis=1), ratings[:, 4:].mean(axis=1)
    assert reliability(0.5, 4) == pytest.approx(np.corrcoef(one, other)[0, 1], abs=0.01)
    assert reliability(0.3, 1) == pytest.approx(0.3)


def test_a_place_that_belongs_to_a_person_shows():
    deviations = function_of("05", "deviations", np=np)
    habit = function_of("05", "habit")
    random = np.random.default_rng(0)
    people = random.normal(size=15)
    rows = [list(people + random.normal(size=15)) for _ in range(300)]
    above = deviations({"ratings": rows})
    assert habit(above, 1) > 0.3
    mixed = deviations({"ratings": [list(random.permutation(row)) for row in rows]})
    assert abs(habit(mixed, 1)) < 0.05


@pytest.mark.parametrize("law", ["log_line", "power_law"])
def test_a_law_finds_its_own_curve(law):
    sizes = np.array([50, 100, 200, 400, 800])
    curves = {
        "log_line": 0.1 + 0.08 * np.log(sizes),
        "power_law": np.sqrt(1 - 1.2 * sizes**-0.15),
    }
    fitted = function_of("05", law, np=np)(sizes[:3], curves[law][:3])
    assert np.allclose(fitted(sizes), curves[law])


@pytest.mark.parametrize(
    ("text", "score"),
    [("Great screen, GREAT price", 2), ("not terrible", -1), ("it is blue", 0)],
)
def test_the_word_rule_counts_words(text, score):
    stubs = {"UP": "great good", "DOWN": "terrible"}
    assert function_of("05", "count_words", **stubs)(text) == score


@pytest.mark.parametrize(
    ("change", "state"),
    [({0: 1, 6: 1}, "passed"), ({0: 1, 3: 0, 6: 1}, "wrong"), ({0: "1"}, "wrong")],
)
def test_two_of_the_twelve_may_differ(change, state, capsys):
    labels = list(exercises.load("05")[0].reference)
    for row, label in change.items():
        labels[row] = label
    assert exercises.check("05", 1, labels).state == state


def test_solving_the_formula_and_rounding_up_passes_too(capsys):
    def raters_needed(alpha, target):
        return max(1, math.ceil(target * (1 - alpha) / (alpha * (1 - target))))

    assert exercises.check("05", 2, raters_needed).state == "passed"
