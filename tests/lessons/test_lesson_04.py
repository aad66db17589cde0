"""Lesson 04: the widget's handler."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import function_of

WIDGET = "confidence_line"


@pytest.fixture
def confidence_line():
    shares = [[0.9, 0.05, 0.05], [0.2, 0.6, 0.2], [0.3, 0.3, 0.4], [0.1, 0.1, 0.8]]
    return function_of(
        "04",
        "confidence_line",
        np=np,
        validation_shares=np.array(shares),
        validation_labels=np.array([0, 0, 2, 2]),
    )


@pytest.mark.parametrize(
    ("threshold", "answered", "right"),
    [(0.35, "100%", "75%"), (0.6, "75%", "67%"), (0.7, "50%", "100%")],
)
def test_a_higher_threshold_answers_less(confidence_line, threshold, answered, right):
    line = confidence_line(threshold)
    assert line == f"at {threshold:.2f}: {answered} answered, {right} of them right"


def test_a_threshold_that_nothing_reaches_is_said(confidence_line):
    assert confidence_line(0.95) == "at 0.95: no sentence is answered"
