"""Lesson 01: the widget's handler."""

from __future__ import annotations

import pytest

from conftest import function_of

WIDGET = "judge"


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
