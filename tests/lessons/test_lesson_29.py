"""Lesson 29: the widget's handler, and each check fails on the fault it is for."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import function_of
from course_utils.exercises import clinic

WIDGET = "counted"

PIECES = ["Review", ":", " good", "\n", "Sentiment", ":", " positive", "<stop>"]


@pytest.mark.parametrize(
    ("shift", "asked"),
    [(0, " positive|<stop>"), (1, "<stop>"), (2, ""), (-1, ":| positive|<stop>")],
)
def test_the_widget_shows_what_the_loss_asks_for(shift, asked):
    line = function_of("29", "counted", PIECES=PIECES, START=6)(shift)
    many = len(asked.split("|")) if asked else 0
    assert line == f"{shift:+d}: asks for {many} of 8 tokens: {asked}"


def test_the_first_token_is_never_asked_for():
    line = function_of("29", "counted", PIECES=PIECES, START=6)(-9)
    assert "asks for 7 of 8 tokens" in line


def test_examine_keeps_the_verdict_and_says_what_was_wrong(capsys):
    verdicts = {}

    def check(number):
        if number != 1:  # no plain assert: pytest would add to its message
            raise AssertionError(f"got {number}")

    examine = function_of("29", "examine", verdicts=verdicts)
    examine("toy", "broken", check, 2)
    examine("toy", "mended", check, 1)
    assert verdicts == {("toy", "broken"): False, ("toy", "mended"): True}
    assert capsys.readouterr().out.splitlines() == [
        "✘ toy, broken: got 2",
        "✔ toy, mended: the check passes",
    ]


def test_examine_does_not_hide_other_errors():
    examine = function_of("29", "examine", verdicts={})
    with pytest.raises(ZeroDivisionError):
        examine("toy", "broken", lambda: 1 / 0)


class Spelling:
    """Stands for the tokenizer: token 9 is the stop token."""

    eos_token = "<stop>"

    def decode(self, ids):
        return "".join("<stop>" if i == 9 else f" w{i}" for i in ids)


WORDS = [None, 0, 0, 1, None]  # of which word each position is a piece
WELL = {
    "check_no_copies": ([0, 0, 1, 2], [3, 4]),
    "check_same_numbers": (["b", "a", "b"], [1, 0, 1], ["a", "new"], [0, 2]),
    "check_only_words": ([-100, 1, -100, 0, -100], WORDS, [1, 0]),
    "check_asks_answer": ([1, 2, 3, 9], [-100, -100, 3, 9], " w3"),
    "check_beats_constant": ([1.0, 0.7, 0.5, 0.3], [0.5, 0.5]),
    "check_repeats": (np.array([0.2, 0.8]), np.array([0.2, 0.8])),
    "check_same_rows": ([0, 1, 2], [0, 1, 2]),
    "check_round_trip": (np.array([0.2, 0.8]), np.array([0.2, 0.8 + 1e-6])),
}
ILL = {
    "check_no_copies": [([0, 1, 2], [2, 3]), ([0, 1], [2, 2])],
    "check_same_numbers": [(["a", "b"], [0, 1], ["b", "a"], [0, 1])],
    "check_only_words": [
        ([0, 1, 1, 0, 0], WORDS, [1, 0]),
        ([-100, 0, -100, 1, -100], WORDS, [1, 0]),
        ([1, -100, -100, -100, 0], WORDS, [1, 0]),  # on the padding
    ],
    "check_asks_answer": [
        ([1, 2, 3, 9], [-100, -100, -100, 9], " w3"),
        ([1, 2, 3, 9], [-100, 2, 3, 9], " w3"),
        ([1, 2, 3, 9], [-100, 3, 9, -100], " w3"),
    ],
    "check_beats_constant": [
        ([1.0, 0.3, 0.3, 0.69], [0.5, 0.5]),
        ([0.5, 0.5, 0.5, np.nan], [0.5, 0.5]),
        ([0.3] * 4, [0.9, 0.1, 0.0]),
    ],
    "check_repeats": [(np.array([0.2, 0.8]), np.array([0.3, 0.7]))],
    "check_same_rows": [([0, 1, 2], [0, 2, 1])],
    "check_round_trip": [(np.array([0.2, 0.8]), np.array([0.4, 0.6]))],
}


def check_of(name):
    return function_of("29", name, np=np, spelling=Spelling())


@pytest.mark.parametrize("name", WELL)
def test_a_check_passes_on_what_is_well(name):
    check_of(name)(*WELL[name])


@pytest.mark.parametrize(
    ("name", "given"), [(name, given) for name in ILL for given in ILL[name]]
)
def test_a_check_fails_on_what_is_ill(name, given):
    with pytest.raises(AssertionError, match=r"."):
        check_of(name)(*given)


def test_balancing_first_puts_copies_on_both_sides_and_the_repair_does_not():
    labels = [0] * 40 + [1] * 5
    balance = function_of("29", "balance")
    rows = balance(range(len(labels)), labels)
    assert len(rows) == 80 and [labels[row] for row in rows].count(1) == 40
    broken = function_of("29", "broken_parts", balance=balance)
    inside, outside = broken(labels, seed=0)
    assert set(inside) & set(outside)
    inside, outside = clinic.parts(labels, {0, 40})
    assert not set(inside) & set(outside) and outside == [0, 40]
    assert [labels[row] for row in inside].count(1) == 39


def test_the_broken_mask_hides_exactly_the_first_token_of_the_answer():
    broken = function_of("29", "broken_answer_labels")
    assert broken([4, 5, 6, 9], 2) == [-100, -100, -100, 9]


def test_the_broken_labels_give_padding_an_answer():
    broken = function_of("29", "broken_labels")
    assert broken([None, 0, 0, 1, None], [1, 0]) == [0, 1, 1, 0, 0]
