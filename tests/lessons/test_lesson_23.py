"""Lesson 23: the widget's handler, the edit distance, the alignment, the mel scale."""

from __future__ import annotations

import re
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from conftest import function_of

WIDGET = "counted"


@pytest.fixture
def distances():
    return function_of("23", "distances", np=np)


@pytest.fixture
def align(distances):
    return function_of("23", "align", distances=distances)


@pytest.fixture
def error_rate(align):
    edits = function_of("23", "edits")
    return function_of("23", "error_rate", align=align, edits=edits)


@pytest.mark.parametrize(
    ("capitals", "marks", "rate"),
    [(True, True, "0.000"), (False, True, "0.200"), (True, False, "0.200")],
)
def test_what_is_not_folded_counts(error_rate, capitals, marks, rate):
    counted = function_of(
        "23",
        "counted",
        re=re,
        error_rate=error_rate,
        validation={"text": ["Take Zolvamir, please.", "It's late"]},
        TEXTS={"a": ["Take zolvamir please.", "It's late"]},
    )
    assert counted("a", capitals, marks) == f"a: WER {rate}"


@pytest.mark.parametrize(
    ("said", "heard", "edits"),
    [
        ("a b c", "a b c", 0),
        ("a b c", "a c", 1),
        ("a c", "a b c", 1),
        ("a b c", "a x c", 1),
        ("", "a b", 2),
        ("a b", "", 2),
        ("a b c d", "b c d e", 2),
    ],
)
def test_the_distance_is_the_least_number_of_edits(distances, said, heard, edits):
    assert distances(said.split(), heard.split())[-1, -1] == edits


def test_the_distance_is_that_of_a_search_over_all_ways(distances):
    def shortest(a, b):
        if not a or not b:
            return len(a) + len(b)
        return min(
            shortest(a[1:], b) + 1,
            shortest(a, b[1:]) + 1,
            shortest(a[1:], b[1:]) + (a[0] != b[0]),
        )

    texts = ["".join(t) for n in range(5) for t in product("ab", repeat=n)]
    for a, b in product(texts[::3], texts):
        assert distances(list(a), list(b))[-1, -1] == shortest(a, b), (a, b)


def test_an_alignment_holds_all_words_and_has_as_many_edits(distances, align):
    random = np.random.default_rng(0)
    for _ in range(50):
        said, heard = (list(random.choice(list("abc"), size=n)) for n in (5, 6))
        pairs = align(said, heard)
        assert [a for a, _ in pairs if a is not None] == said
        assert [b for _, b in pairs if b is not None] == heard
        assert sum(a != b for a, b in pairs) == distances(said, heard)[-1, -1]


def test_the_rate_sums_up_before_it_divides(error_rate):
    said = [["a"], ["b", "c", "d", "e", "f", "g", "h", "i", "j"]]
    assert error_rate(said, [["x"], said[1]]) == pytest.approx(0.1)
    assert error_rate([["a"]], [["b", "a", "b"]]) == 2


def test_normalising_keeps_letters_digits_and_apostrophes():
    normalise = function_of("23", "normalise")
    assert normalise("It's Zolvamir, 5 Times-a day!") == [
        "it's",
        "zolvamir",
        "5",
        "times",
        "a",
        "day",
    ]


def test_edits_of_names_and_of_other_words_are_kept_apart(align):
    import pandas as pd

    stubs = {
        "align": align,
        "normalise": lambda text: text.lower().split(),
        "edits": function_of("23", "edits"),
        "pd": pd,
    }
    score = function_of("23", "score", **stubs)
    table = pd.DataFrame(
        {"text": ["take Xyl now", "take Xyl", "so it is"], "name": ["Xyl", "Xyl", ""]}
    )
    found = score(table, ["take sill now now", "fake xyl", "so it"])
    assert found["words"].tolist() == [3, 2, 3]
    assert found["edits"].tolist() == [2, 1, 1]
    assert found["ordinary words"].tolist() == [2, 1, 3]
    assert found["ordinary edits"].tolist() == [1, 1, 1]
    assert found["name right"].tolist() == [0, 1, 0]


def test_the_mel_scale_turns_back_and_bends_at_1000_hertz():
    to_mel, to_hertz = (function_of("23", n, np=np) for n in ("to_mel", "to_hertz"))
    hertz = np.array([0.0, 300.0, 1000.0, 4000.0, 8000.0])
    assert np.allclose(to_hertz(to_mel(hertz)), hertz)
    assert to_mel(np.array([1000.0])) == pytest.approx(15)


def test_masking_leaves_the_input_alone_and_fills_with_the_mean():
    spec_augment = function_of("23", "spec_augment")
    pictures = torch.rand(3, 80, 100, generator=torch.Generator().manual_seed(0))
    before = pictures.clone()
    masked = spec_augment(pictures, np.random.default_rng(0))
    assert torch.equal(pictures, before)
    changed = masked != before
    assert 0 < changed.float().mean() < 0.9
    for picture, old, where in zip(masked, before, changed, strict=True):
        assert torch.allclose(picture[where], old.mean())


def test_stretches_of_time_are_masked_within_the_sound():
    spec_augment = function_of("23", "spec_augment")
    pictures = torch.rand(3, 80, 100, generator=torch.Generator().manual_seed(0))
    pictures[..., 50:] = -1  # silence
    masked = spec_augment(pictures, np.random.default_rng(0), widest=(0, 16))
    changed = (masked != pictures).any(dim=1)  # [3, 100]
    assert changed[:, :50].any()
    assert not changed[:, 50:].any()


def test_the_window_cuts_the_positions():
    positions = torch.rand(1500, 4)
    set_window = function_of("23", "set_window", POSITIONS=positions, torch=torch)
    encoder = SimpleNamespace(config=SimpleNamespace())
    model = SimpleNamespace(
        model=SimpleNamespace(encoder=encoder), config=SimpleNamespace()
    )
    assert set_window(model, 5) is model
    assert model.config.max_source_positions == 250
    assert encoder.config.max_source_positions == 250
    assert torch.equal(encoder.embed_positions.weight, positions[:250])
