"""Lesson 18: the widget's handler, chrF, placeholders, keys, who may look at whom."""

from __future__ import annotations

import random
import re

import numpy as np
import pandas as pd
import pytest

from conftest import function_of

WIDGET = "similarity_line"
MARK = re.compile(r"%\d|%[sd]|\{\w+\}")


def taught(name, **stubs):
    return function_of("18", name, **stubs)


@pytest.fixture
def marks():
    return taught("marks", MARK=MARK)


@pytest.fixture
def kept(marks):
    return taught("kept", marks=marks)


@pytest.fixture
def chrf_counts():
    return taught("chrf_counts", ngrams=taught("ngrams"), np=np)


@pytest.fixture
def chrf():
    return taught("chrf", chrf_score=taught("chrf_score"))


@pytest.fixture
def counts_of(chrf_counts):
    return taught("counts_of", chrf_counts=chrf_counts, np=np)


# The widget


@pytest.fixture
def similarity_line(counts_of, chrf):
    references = ["Enregistrer", "Ouvrir %1"]
    return function_of(
        "18",
        "similarity_line",
        looks=pd.DataFrame({"similarity": [0.4, 0.9]}),
        memory_counts=counts_of(["Enregistrer", "xyz"], references),
        model_counts=counts_of(["xyz", "Ouvrir %1"], references),
        chrf=chrf,
    )


def test_only_texts_up_to_the_limit_are_compared(similarity_line):
    assert similarity_line(0.5) == "up to 0.50: 1 texts, memory 100.0, model 0.0"
    assert similarity_line(0.9).startswith("up to 0.90: 2 texts, memory ")
    assert not similarity_line(0.9).endswith("model 0.0")


def test_a_limit_below_all_is_said(similarity_line):
    assert similarity_line(0.3) == "up to 0.30: no text"


# What the lesson writes out


def test_the_rule_falls_back_on_the_memory_and_then_on_the_source(kept):
    guarded = taught("guarded", kept=kept)
    sources = ["Open %1", "Open %1", "Open %1", "Save"]
    model = ["Ouvrir %1", "Ouvrir", "Ouvrir", "Enregistrer"]
    memory = ["Ouvre %1", "Ouvre %1", "Ouvre", "Sauver"]
    right = ["Ouvrir %1", "Ouvre %1", "Open %1", "Enregistrer"]
    assert guarded(sources, model, memory) == right


def test_chrf_is_sacrebleus(counts_of, chrf):
    metrics = pytest.importorskip("sacrebleu.metrics")
    draw = random.Random(0)
    texts = ["".join(draw.choices("abc é%1", k=draw.randint(1, 12))) for _ in range(80)]
    answers, references = texts[:40], texts[40:]
    theirs = metrics.CHRF().corpus_score(answers, [references]).score
    assert chrf(counts_of(answers, references)) == pytest.approx(theirs, abs=1e-9)
    for answer, reference in zip(answers, references, strict=True):
        theirs = metrics.CHRF().corpus_score([answer], [[reference]]).score
        ours = chrf(counts_of([answer], [reference]))
        assert ours == pytest.approx(theirs, abs=1e-9)


def test_chrf_by_hand_on_a_text_of_two_letters(chrf_counts, counts_of, chrf):
    assert chrf_counts("ab", "a b").tolist()[:3] == [[2, 2, 2], [1, 1, 1], [0, 0, 0]]
    # one of two letters shared, no pair: precision and recall (1/2 + 0) / 2
    assert chrf(counts_of(["ac"], ["ab"])) == pytest.approx(25)
    assert chrf(counts_of(["ab"], ["ab"])) == pytest.approx(100)
    assert chrf(counts_of(["xy"], ["ab"])) == 0


@pytest.mark.parametrize(
    ("answer", "right"),
    [("%2 de %1", True), ("%1", False), ("%1 %2 %2", False), ("% 1 %2", False)],
)
def test_placeholders_are_kept_as_a_multiset(kept, answer, right):
    assert kept("%1 of %2", answer) is right


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Abort the rebase", "Abort the Rebase…"),
        ("&Open %1", "open:"),
        ("S&ave", "save"),
    ],
)
def test_near_repeats_share_a_key(one, other):
    key = taught("key", MARK=MARK)
    assert key(one) == key(other) != key("Close")


def test_the_builds_differ_only_in_the_source_looking_right():
    may_look = taught("may_look", np=np)
    both = may_look(2, 2, "encoder–decoder"), may_look(2, 2, "decoder-only")
    assert np.argwhere(both[0] != both[1]).tolist() == [[0, 1]]
    assert both[1].tolist() == np.tril(np.ones((4, 4), dtype=bool)).tolist()


def test_rows_are_filled_on_the_right():
    fill = taught("fill")
    rows = fill([[1, 2], [3]], -100).tolist()
    assert rows == [[1, 2] + [-100] * 6, [3] + [-100] * 7]
