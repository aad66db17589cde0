"""Lesson 12: the widget's handler, smoothing and suggestion, early stopping."""

from __future__ import annotations

import math

import numpy as np
import pytest

from conftest import function_of

WIDGET = "suggestion"


def smooth(values, keep=0.8):
    return function_of("12", "smooth")(values, keep)


def suggest(rates, losses, keep=0.8):
    return function_of("12", "suggest", smooth=smooth)(rates, losses, keep)


def test_the_first_smoothed_value_is_the_first_value():
    assert smooth([3.0, 3.0, 3.0]) == pytest.approx([3.0, 3.0, 3.0])
    assert smooth([2.0, 0.0])[0] == pytest.approx(2.0)


def test_without_smoothing_the_values_stay():
    assert smooth([3.0, 1.0, 2.0], keep=0.0) == pytest.approx([3.0, 1.0, 2.0])


def test_the_suggestion_is_a_tenth_of_the_rate_at_the_lowest_point():
    rates = np.array([1e-5, 1e-4, 1e-3, 1e-2])
    assert suggest(rates, [1.0, 0.8, 0.3, 5.0], 0.0) == pytest.approx(1e-4)


def test_the_widget_says_what_it_suggests():
    suggestion = function_of(
        "12",
        "suggestion",
        suggest=suggest,
        smooth=smooth,
        rates=np.array([1e-4, 1e-3, 1e-2]),
        losses=np.array([1.0, 0.5, 4.0]),
    )
    assert suggestion(0.0) == ("keeping 0.00: lowest loss 0.50, suggested rate 1.0e-04")


@pytest.mark.parametrize(
    ("scores", "patience", "expected"),
    [
        ([0.5, 0.6, 0.6, 0.59, 0.9], 2, (3, 1)),
        ([0.1, 0.2, 0.3], 2, (2, 2)),
        ([0.3, 0.2], 1, (1, 0)),
    ],
)
def test_patience_counts_evaluations(scores, patience, expected):
    assert function_of("12", "early_stop")(scores, patience) == expected


def test_steps_count_the_smaller_last_batch():
    steps = function_of("12", "steps", math=math)
    assert steps(100, 32, 2) == 8
