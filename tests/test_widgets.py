"""The widgets' handlers are functions of their own: they answer without a widget."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import function_of, lesson

from tools import notebooks

HANDLERS = {"01": "judge", "04": "confidence_line", "14": "plan"}


@pytest.mark.parametrize("number", [path.name[:2] for path in notebooks.paths()])
def test_every_lesson_has_a_widget_with_a_handler_tested_here(number):
    assert number in HANDLERS, f"add lesson {number}'s handler and its tests here"
    name = HANDLERS[number]
    cells = [c.source for c in lesson(number).cells if "widgets." in c.source]
    assert any(f"def {name}(" in cell and ".observe(" in cell for cell in cells)


# Lesson 01


@pytest.mark.parametrize(
    ("share", "verdict"),
    [(0.93, "positive (93% positive)"), (0.08, "negative (8% positive)")],
)
def test_judge_says_the_verdict_on_one_sentence(share, verdict):
    asked = []

    def predict(model, texts):
        asked.append((model, list(texts)))
        return [share]

    judge = function_of("01", "judge", predict=predict, model="a model")
    assert judge("Not bad.") == verdict
    assert asked == [("a model", ["Not bad."])]


# Lesson 04


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


# Lesson 14


def test_plan_says_that_a_warm_up_is_too_long():
    plan = function_of("14", "plan")
    line = plan(100, 10, 1, 500)  # texts, batch size, epochs, warm-up
    assert line == ("10 steps; the rate reaches 2%; warm-up 500: too long: use 1")


def test_plan_counts_the_last_smaller_batch_and_every_epoch():
    plan = function_of("14", "plan")
    assert plan(101, 10, 3, 500).startswith("33 steps; ")
    assert plan(5, 10, 1, 500).endswith("too long: use 1")


def test_plan_praises_a_short_warm_up():
    line = function_of("14", "plan")(1000, 10, 5, 50)
    assert line == "500 steps; the rate reaches 100%; warm-up 50: fine"
