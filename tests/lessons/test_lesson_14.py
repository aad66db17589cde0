"""Lesson 14: the widget's handler."""

from __future__ import annotations

from conftest import function_of

WIDGET = "plan"


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
