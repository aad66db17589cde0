"""Intervals cover the truth, comparisons are paired, the test set opens once."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest

from conftest import one_sentence
from course_utils.errors import InputError
from course_utils.evaluation import Interval, LockedTestSet, bootstrap

# Intervals


def accuracy(labels, predictions):
    return (labels == predictions).mean()


@pytest.fixture
def judged():
    """Labels, a model that is right in 80 % and one that is right in 70 % of rows."""
    random = np.random.default_rng(0)
    labels = random.integers(2, size=400)
    better = np.where(random.random(400) < 0.8, labels, 1 - labels)
    worse = np.where(random.random(400) < 0.7, labels, 1 - labels)
    return labels, better, worse


def test_the_95_percent_interval_covers_the_truth_about_as_often():
    random, truth, covered = np.random.default_rng(3), 0.8, 0
    for seed in range(200):
        right = random.random(150) < truth
        _, low, high = bootstrap(np.mean, right, seed=seed, repeats=300)
        covered += low <= truth <= high
    assert 0.90 <= covered / 200 <= 0.99


def test_a_lower_level_gives_a_narrower_interval_with_the_same_score(judged):
    wide = bootstrap(accuracy, *judged[:2], seed=1)
    narrow = bootstrap(accuracy, *judged[:2], seed=1, level=0.5)
    assert wide.low < narrow.low < narrow.value == wide.value < narrow.high < wide.high


def test_more_rows_give_a_narrower_interval():
    few = np.arange(50) % 2
    widths = [
        bootstrap(np.mean, np.tile(few, times), seed=1, repeats=400)
        for times in (1, 16)
    ]
    short, long = (interval.high - interval.low for interval in widths)
    assert short == pytest.approx(4 * long, rel=0.3)


def test_the_score_is_that_of_the_rows_as_they_are(judged):
    interval = bootstrap(accuracy, *judged[:2], seed=1)
    assert interval.value == accuracy(*judged[:2])
    assert interval.low < interval.value < interval.high


def test_the_same_seed_gives_the_same_interval_and_another_seed_another(judged):
    one, again, other = (bootstrap(accuracy, *judged[:2], seed=s) for s in (1, 1, 2))
    assert one == again and one != other
    assert one.low == pytest.approx(other.low, abs=0.02)


def test_rows_are_drawn_together():
    numbers = np.arange(100.0)
    difference = bootstrap(
        lambda a, b: (a - b).mean(), numbers, numbers - 1, seed=1, repeats=50
    )
    assert tuple(difference) == (1.0, 1.0, 1.0)


def test_a_paired_difference_is_surer_than_two_intervals(judged):
    labels, better, _ = judged
    slightly = better.copy()
    wrong = np.flatnonzero(better != labels)[:20]
    slightly[wrong] = labels[wrong]  # the same answers but for twenty repaired ones

    def gain(labels, ours, theirs):
        return accuracy(labels, ours) - accuracy(labels, theirs)

    paired = bootstrap(gain, labels, slightly, better, seed=1)
    one = bootstrap(accuracy, labels, slightly, seed=1)
    two = bootstrap(accuracy, labels, better, seed=1)
    assert one.low < two.high  # the two intervals overlap
    assert paired.low > 0
    assert paired.value == pytest.approx(0.05)


def test_series_and_lists_are_columns_too():
    series = pd.Series([1, 0, 1], index=[7, 8, 9])
    interval = bootstrap(accuracy, series, [1, 0, 0], seed=1, repeats=20)
    assert interval.value == pytest.approx(2 / 3)


def test_metric_is_called_once_per_draw_and_once_for_the_score():
    sizes = []
    bootstrap(lambda x: sizes.append(len(x)) or 0.0, np.ones(9), seed=1, repeats=30)
    assert sizes == [9] * 31


@pytest.mark.parametrize(
    ("columns", "got"),
    [
        (([1, 0], [1]), "[2, 1]"),
        (([], []), "[0, 0]"),
        ((), "[]"),
    ],
)
def test_columns_that_do_not_fit_are_refused(columns, got):
    with pytest.raises(InputError) as error:
        bootstrap(accuracy, *columns, seed=1)
    one_sentence(error, f"got lengths {got}", "labels and predictions")


def test_an_interval_reads_well_and_unpacks():
    interval = Interval(0.8125, 0.75, 0.9)
    assert str(interval) == "0.812 [0.750, 0.900]"
    score, low, high = interval
    assert (score, low, high) == (0.8125, 0.75, 0.9)


# The locked test set


@pytest.fixture
def table():
    return pd.DataFrame({"text": ["a", "b", "c"], "label": [0, 1, 1]})


@pytest.fixture
def locked(table):
    return LockedTestSet(table, name="review test set")


def test_length_and_state_can_be_seen(locked):
    assert len(locked) == 3
    assert repr(locked) == "LockedTestSet(review test set, 3 rows, locked)"


LOOKS = {
    ".columns": lambda locked: locked.columns,
    ".text": lambda locked: locked.text,
    ".sample": lambda locked: locked.sample(2),
    "['text']": lambda locked: locked["text"],
    "[0]": lambda locked: list(locked),
}


@pytest.mark.parametrize("look", LOOKS)
def test_a_look_at_a_locked_test_set_is_refused(locked, look):
    with pytest.raises(InputError) as error:
        LOOKS[look](locked)
    one_sentence(error, "review test set to be opened first", f"look at {look}.")
    assert "locked" in repr(locked)


def test_python_and_jupyter_may_probe(locked):
    assert not hasattr(locked, "_repr_html_")
    assert not hasattr(locked, "_ipython_display_")
    assert len(copy.copy(locked)) == 3


def test_it_opens_once_and_says_so(locked, table, capsys):
    opened = locked.open("compare two models")
    assert opened.equals(table)
    assert capsys.readouterr().out == (
        "The review test set (3 rows) is open now, once: compare two models.\n"
    )
    assert repr(locked).endswith("3 rows, opened for: compare two models)")


def test_the_second_opening_is_refused_with_the_first_reason(locked):
    locked.open("compare two models")
    with pytest.raises(InputError) as error:
        locked.open("try another rate")
    one_sentence(error, "opened once", "'compare two models'", "validation set")
    assert repr(locked).endswith("opened for: compare two models)")


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_opening_needs_a_reason_and_stays_locked_without(locked, reason):
    with pytest.raises(InputError) as error:
        locked.open(reason)
    one_sentence(error, "a reason")
    assert "locked" in repr(locked) and len(locked.open("the end")) == 3


@pytest.mark.parametrize("look", LOOKS)
def test_after_opening_a_look_is_sent_to_the_table_that_was_returned(locked, look):
    locked.open("the end")
    with pytest.raises(InputError) as error:
        LOOKS[look](locked)
    one_sentence(error, "table that .open() returned", look, "Use that table.")


def test_what_is_done_to_the_opened_table_does_not_reach_the_original(locked, table):
    opened = locked.open("the end")
    opened.loc[0, "label"] = 9
    opened["new"] = 1
    assert table["label"].tolist() == [0, 1, 1] and "new" not in table


def test_what_is_done_to_the_original_does_not_reach_the_test_set(locked, table):
    table.loc[0, "label"] = 9
    table.loc[3] = ["d", 1]
    assert locked.open("the end")["label"].tolist() == [0, 1, 1]
