"""Lesson 19: the widget's handler, and what the lesson writes out by hand."""

from __future__ import annotations

import html
import json
import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from conftest import function_of
from course_utils import evaluation

WIDGET = "token_line"
KINDS = ["person", "location", "organisation"]


# The widget


@pytest.fixture
def token_line():
    words = {1: "<|im_start|>", 5: "London", 2: "<|im_end|>"}
    return function_of(
        "19",
        "token_line",
        tokenizer=SimpleNamespace(decode=lambda ids: words[ids[0]]),
        peek_ids=[1, 5, 2],
        peek_labels=[-100, -100, 2],
        cost_before=[3.0, 2.5],
        cost_after=[1.0, 0.25],
    )


@pytest.mark.parametrize(
    ("place", "use", "costs"),
    [(1, "read only", "3.00 before, 1.00"), (2, "in the loss", "2.50 before, 0.25")],
)
def test_the_slider_says_what_a_token_costs(token_line, place, use, costs):
    line = token_line(place)
    assert use in line and costs in line and line.startswith(f"token {place}:")


# The form of an answer


def as_json(names):
    return function_of("19", "as_json", json=json)(names)


def test_noise_goes_and_names_stay():
    tidy = function_of("19", "tidy", is_noise=is_noise(), html=html)
    tokens = ["RT", "@tim", ":", ":", "A", "&amp;", "@Field", "http://x.y", "@"]
    tags = ["O"] * 6 + ["B-facility", "O", "O"]
    assert tidy(tokens, tags) == (["A", "&", "@Field", "@"], [*"OO", "B-facility", "O"])


def is_noise():
    return function_of("19", "is_noise")


def test_names_of_joins_tokens_and_folds_kinds():
    fold = {"person": "person", "geo-loc": "location"}
    names_of = function_of("19", "names_of", FOLD=fold)
    tags = ["B-person", "I-person", "O", "B-geo-loc", "B-movie", "I-movie"]
    found = names_of(["Tim", "Cook", "in", "Rome", "Star", "Wars"], tags)
    assert found == [("Tim Cook", "person"), ("Rome", "location")]


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("{}", True),
        ('{"Tim": "person", "Rome": "location"}', True),
        (r'{"A \"B\"": "organisation"}', True),
        ('{"Tim": "person"} Bye.', False),
        ('{"Tim": "boss"}', False),
        ('{"Tim": ["person"]}', False),
        ('{"Tim": 1}', False),
        ('["person"]', False),
        ("", False),
    ],
)
def test_only_strict_answers_are_valid(text, valid):
    assert function_of("19", "is_valid", json=json, KINDS=KINDS)(text) is valid


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('Sure! {"A": "person"} {"B": "person"}', {("A", "person")}),
        ('{"A": "boss", "B": ["person"], "C": "location"}', {("C", "location")}),
        ('{"A": "person"', set()),
        ("no names", set()),
    ],
)
def test_names_are_read_from_the_first_object(text, found):
    assert function_of("19", "names_in", json=json, KINDS=KINDS)(text) == found


# Scores


def test_f1_counts_pairs():
    count = function_of("19", "count")
    entity_f1 = function_of("19", "entity_f1", np=np)
    assert count({("a", "x"), ("a", "y")}, {("a", "x"), ("b", "z")}) == (1, 1, 1)
    assert entity_f1([(1, 1, 1), (2, 0, 0)]) == pytest.approx(2 * 3 / (2 * 3 + 2))
    assert entity_f1([(0, 0, 0)]) == 0


@pytest.mark.parametrize(("hits", "rows"), [(60, 60), (0, 12), (57, 60), (5, 12)])
def test_the_interval_is_wilsons(hits, rows):
    stats = pytest.importorskip("scipy.stats")
    wilson = function_of("19", "wilson", math=math, evaluation=evaluation)
    theirs = stats.binomtest(hits, rows).proportion_ci(method="wilson")
    assert tuple(wilson(hits, rows))[1:] == pytest.approx(tuple(theirs), abs=1e-4)


# Packing, constraint, DPO


@pytest.fixture
def pack():
    return function_of(
        "19", "pack", torch=torch, shared_start=function_of("19", "shared_start")
    )


def test_packed_examples_see_the_beginning_and_themselves(pack):
    ids, places, wanted, look = pack(
        [([1, 5, 6, 2], [-100, -100, 6, 2]), ([1, 7, 2], [-100, -100, 2])]
    )
    assert ids.tolist() == [1, 5, 6, 2, 7, 2]
    assert places.tolist() == [0, 1, 2, 3, 1, 2]
    assert wanted.tolist() == [-100, -100, 6, 2, -100, 2]
    assert look.int().tolist() == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [1, 0, 0, 0, 1, 0],
        [1, 0, 0, 0, 1, 1],
    ]


def test_packing_never_shares_what_is_guessed_from(pack):
    same = ([1, 5, 6], [-100, -100, 6])
    ids, _, wanted, _ = pack([same, same])
    assert ids.tolist() == [1, 5, 6, 5, 6]
    assert wanted.tolist() == [-100, -100, 6, -100, 6]
    assert pack([([1, 5], [-100, 5])])[0].tolist() == [1, 5]


def test_the_shared_beginning_has_a_limit():
    shared_start = function_of("19", "shared_start")
    assert shared_start([[1, 2, 3], [1, 2, 4]], 3) == 2
    assert shared_start([[1, 2, 3], [1, 2, 3]], 2) == 2
    assert shared_start([[1], [2]], 1) == 0


LETTERS = {chr(number): number for number in range(32, 127)}
TOKENS = LETTERS | {'{"': 1, '": "': 2, "person": 3, "Tim": 4, "}": 5}
SAID = {number: text for text, number in TOKENS.items()}
TWEET = "Tim Cook and Tim are in New York"


@pytest.fixture
def spans_of():
    return function_of("19", "spans_of", spelled=TOKENS)


@pytest.fixture
def ways_on():
    return function_of("19", "ways_on", re=re, KINDS=KINDS)


def test_names_are_runs_of_words_that_can_be_written(spans_of):
    assert spans_of("Tim Cook") == {"Tim", "Cook", "Tim Cook"}
    assert spans_of('a "b" c{ \u00e9') == {"a"}
    assert max(map(len, spans_of("longlonglong " * 5))) <= 30
    assert max(span.count(" ") for span in spans_of(TWEET)) == 2


@pytest.mark.parametrize(
    "names",
    [
        [],
        [("Tim Cook", "person"), ("Tim", "person"), ("New York", "location")],
        [("in", "organisation")],
    ],
)
def test_a_valid_answer_is_never_left(ways_on, spans_of, names):
    whole, spans = as_json(names), spans_of(TWEET)
    for end in range(len(whole)):
        rest = whole[end:]
        ways = ways_on(whole[:end], spans)
        assert any(rest.startswith(way) or way.startswith(rest) for way in ways)


@pytest.mark.parametrize(
    "text",
    [
        "Sure",
        " {",
        "{}",
        "{}x",
        "{T",
        '{"Bob',
        '{"tim',
        '{"Tim": "b',
        '{"Tim": "person", }',
        '{"Tim": "person", "Tim"',
    ],
)
def test_what_is_no_beginning_leads_nowhere(ways_on, spans_of, text):
    assert not any(ways_on(text, spans_of(TWEET)))


def test_one_word_gives_one_name_at_the_most(ways_on):
    assert {way[-1] for way in ways_on("{", {"Tim"})} == {"}"}


@pytest.mark.parametrize("seed", range(5))
def test_whatever_the_model_wants_the_answer_is_valid(ways_on, spans_of, seed):
    def text_of(ids):
        return "".join(SAID[i] for i in ids)

    best = function_of(
        "19", "best_allowed", text_of=text_of, ways_on=ways_on, spelled=TOKENS, STOP=0
    )
    is_valid = function_of("19", "is_valid", json=json, KINDS=KINDS)
    draw, said, spans = torch.Generator().manual_seed(seed), [], spans_of(TWEET)
    while (token := int(best(torch.rand(200, generator=draw), said, spans))) != 0:
        said.append(token)
        assert len(said) < 160
    assert is_valid(text_of(said))
    assert spans.issuperset(json.loads(text_of(said)))


def test_dpo_starts_at_log_2_and_rewards_the_distance():
    dpo_loss = function_of("19", "dpo_loss", torch=torch)
    zero, one = torch.zeros(3), torch.ones(3)
    assert dpo_loss(one, zero, one, zero).item() == pytest.approx(math.log(2))
    better = dpo_loss(one, zero, zero, zero).item()
    worse = dpo_loss(zero, one, zero, zero).item()
    assert better == pytest.approx(-math.log(1 / (1 + math.exp(-0.1))))
    assert better < math.log(2) < worse
