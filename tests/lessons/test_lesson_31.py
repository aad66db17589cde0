"""Lesson 31: the widget's handler; the tool itself is tested in test_own_data_* and test_finetune."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from conftest import function_of

WIDGET = "plan_line"


@pytest.fixture
def plan_line():
    def advise(lengths, *, minutes, **known):
        assert len(lengths) == 20_000 and known == {"machine": "this"}
        settings = SimpleNamespace(epochs=2)
        rows = {"training": int(1000 * minutes)}
        return SimpleNamespace(rows=rows, settings=settings, minutes=minutes)

    return function_of(
        "31",
        "plan_line",
        np=np,
        lengths=[5, 6, 7],
        known={"machine": "this"},
        advice=SimpleNamespace(advise=advise),
    )


def test_the_widget_says_what_the_minutes_buy(plan_line):
    line = plan_line(5)
    assert line == "5 min: 5,000 of 20,000 texts, 2 passes, planned 5.0 min"


def test_the_lessons_verdict_is_a_refusal_warnings_or_that_all_is_well(tmp_path):
    verdict = function_of("31", "verdict")
    path = tmp_path / "a.csv"
    path.write_text("text,label\nhello there,ham\n")
    assert verdict(path).startswith("Expected at least two classes; got only 'ham'")
    words = ["oak", "elm", "ash", "fir", "yew", "box", "bay", "fig"]
    lines = [
        f"{a} {b} {c} is fine,{c}" for a in words for b in words for c in words[:2]
    ]
    path.write_text("text,label\n" + "\n".join(lines))
    assert verdict(path) == "can be used, without a warning"
    path.write_text("text,label\n" + "\n".join([*lines, "well, well,oak"]))
    assert verdict(path).startswith("warning: ")
