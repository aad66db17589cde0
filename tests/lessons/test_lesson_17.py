"""Lesson 17: the reader, spans and scores, labels of pieces, error kinds, the widget."""

from __future__ import annotations

import html
import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from conftest import function_of, one_sentence

WIDGET = "show_tweet"


@pytest.fixture
def spans():
    return function_of("17", "spans")


@pytest.fixture
def read_conll():
    parse = function_of("17", "parse", re=re)
    return function_of("17", "read_conll", parse=parse)


# The reader


def test_a_line_of_blanks_or_tabs_ends_a_text(read_conll):
    lines = ["", "A\tB-x", "b\tI-x", "\t", "  ", "c\tO"]
    assert read_conll(lines) == [(["A", "b"], ["B-x", "I-x"]), (["c"], ["O"])]


@pytest.mark.parametrize(
    ("lines", "part"),
    [
        (["a\tO", "b O"], "line 2"),
        (["a\tNN\tO"], "line 1"),
        (["a\tO", "", "b\tX-per"], "line 3"),
        (["a\tB-per", "b\tI-loc"], "line 2"),
        (["a\tB-per", "", "b\tI-per"], "line 3"),
        (["\tO"], "line 1"),
        (["a\t"], "line 1"),
    ],
)
def test_a_broken_line_is_refused_in_one_sentence(read_conll, lines, part):
    with pytest.raises(ValueError) as error:
        read_conll(lines)
    one_sentence(error, part)


# Spans and F1


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ([], set()),
        (["O", "O"], set()),
        (["B-P", "I-P", "B-P"], {("P", 0, 2), ("P", 2, 3)}),
        (["O", "I-P", "I-P"], {("P", 1, 3)}),
        (["B-P", "I-L", "O"], {("P", 0, 1), ("L", 1, 2)}),
    ],
)
def test_spans(spans, tags, expected):
    assert spans(tags) == expected


def test_spans_and_f1_are_seqevals_on_random_rows(spans):
    seqeval = pytest.importorskip("seqeval.metrics")
    tally = function_of("17", "tally", spans=spans, np=np)
    f1 = function_of("17", "f1")
    draw = np.random.default_rng(3)
    names = ["O", "B-P", "I-P", "B-L", "I-L"]
    truth, said = (
        [[names[k] for k in draw.integers(5, size=9)] for _ in range(50)]
        for _ in range(2)
    )
    assert f1(tally(truth, said)) == pytest.approx(seqeval.f1_score(truth, said))


def test_f1_of_nothing_said_is_0():
    assert function_of("17", "f1")(np.array([[0, 0, 3], [0, 0, 0]])) == 0


# Pieces


def test_only_the_first_piece_of_a_word_is_labelled():
    label_pieces = function_of("17", "label_pieces", TAGS=["O", "B-x", "I-x"])
    labels = label_pieces([None, 0, 0, 1, 2, 2, None], ["B-x", "I-x", "O"])
    assert labels == [-100, 1, -100, 2, 0, -100, -100]


@pytest.mark.parametrize(
    ("word", "case"),
    [
        ("5", 0),
        ("pope", 1),
        ("#nyc", 1),
        ("Pope", 2),
        ("I", 2),
        ("NYC", 3),
        ("iPad", 4),
    ],
)
def test_case(word, case):
    assert function_of("17", "case_of")(word) == case


def test_user_names_and_links_are_hidden_and_nothing_is_lost():
    hide = function_of("17", "hide", re=re)
    tokens = ["RT", "@paul", ":", "hi", "@", "http://x.y", "HTTPS://z", "here"]
    expected = ["RT", "@user", ":", "hi", "@", "http", "http", "here"]
    assert hide(tokens) == expected


# Near-copies


def test_jaccard():
    jaccard = function_of("17", "jaccard")
    assert jaccard({1, 2, 3}, {2, 3, 4}) == 0.5
    assert jaccard(set(), set()) == 0


# Errors and the widget


@pytest.fixture
def error_kinds(spans):
    touch = function_of("17", "touch")
    kind_of = function_of("17", "kind_of", touch=touch)
    stubs = {"spans": spans, "touch": touch, "kind_of": kind_of, "Counter": Counter}
    return function_of("17", "error_kinds", **stubs)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (["O", "B-P", "I-P", "O"], "right"),
        (["O", "B-P", "O", "O"], "boundary"),
        (["O", "B-L", "I-L", "O"], "type"),
        (["O", "B-L", "O", "O"], "both"),
        (["O", "O", "O", "O"], "missed"),
    ],
)
def test_each_true_name_has_one_kind(error_kinds, said, kind):
    found = error_kinds([["O", "B-P", "I-P", "O"]], [said])
    assert +found == {kind: 1}


def test_what_touches_no_true_name_is_invented(error_kinds):
    found = error_kinds([["B-P", "O", "O"]], [["B-P", "O", "B-L"]])
    assert +found == {"right": 1, "invented": 1}


def test_the_widget_frames_truth_and_answer(spans, error_kinds):
    frames = {"PER": "solid", "LOC": "dashed"}
    marked = function_of("17", "marked", spans=spans, html=html, FRAMES=frames)
    show_tweet = function_of(
        "17",
        "show_tweet",
        gallery=[1],
        test=pd.DataFrame({"tokens": [["x"], ["<b>", "New", "York"]]}),
        test_truth=[["O"], ["O", "B-LOC", "I-LOC"]],
        test_said=[[["O"], ["O", "O", "B-PER"]]],
        marked=marked,
        error_kinds=error_kinds,
        KINDS=["right", "both", "invented"],
    )
    shown = show_tweet(0)
    assert "&lt;b&gt;" in shown and "<b>truth</b>" in shown
    assert "dashed" in shown and ">New York <sub>LOC</sub>" in shown
    assert "solid" in shown and ">York <sub>PER</sub>" in shown
    assert "1 both" in shown and "right" not in shown
