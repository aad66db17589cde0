"""Lesson 06: the widgets' handlers and the formulas that the lesson writes out."""

from __future__ import annotations

import random
import string
import zlib
from collections import Counter

import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from conftest import function_of, lesson
from course_utils.exercises import lesson_06

WIDGET = "length_line"


@pytest.fixture
def computed():
    return function_of("06", "computed")


@pytest.fixture
def length_line(computed):
    sms = np.array([10, 20, 200, 40])
    return function_of(
        "06",
        "length_line",
        sms=sms,
        np=np,
        computed=computed,
        lost=function_of("06", "lost"),
    )


def test_the_length_widget_counts_what_is_lost_and_computed(length_line):
    line = length_line(50)
    assert line.startswith("25.0% of the texts cut, 55.6% of the tokens lost")
    assert line.endswith("0 padded to the longest, 0 sorted")


def test_a_limit_that_no_text_reaches_cuts_nothing(length_line):
    assert length_line(240).startswith("0.0% of the texts cut, 0.0% of the tokens lost")


@pytest.mark.parametrize(
    ("size", "lengths", "expected"),
    [
        (2, [5, 9, 30, 7], 78),
        (2, [5, 7, 9, 30], 74),
        (4, [5, 9, 30, 7], 120),
        (3, [4] * 7, 28),
    ],
)
def test_a_batch_is_as_wide_as_its_longest_text(computed, size, lengths, expected):
    assert computed(lengths, size) == expected


def test_the_warm_up_is_what_the_lesson_computes(computed):
    lengths = [5, 9, 30, 7]
    answer = lesson_06.EXERCISES[0].reference
    assert answer["batch"] == computed(lengths, 2)
    assert answer["sorted"] == computed(sorted(lengths), 2)
    assert answer["set"] == computed(lengths, 4)


# Cutting into pieces


def library(vocabulary):
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def our_tokenizer(vocabulary):
    """Take the lesson's pieces of the tokenizer and put them together."""
    names = {}
    for name in ("is_punctuation", "words_of", "fold", "wordpiece", "pieces_of_word"):
        names[name] = function_of("06", name, vocabulary=vocabulary, **names)
    for name in ("tokenize", "visible", "is_chinese", "tokenize_all"):
        names[name] = function_of("06", name, **names)
    return names["tokenize_all"]


def some_vocabulary(seed):
    draw = random.Random(seed)
    parts = {"[UNK]"} | set("abcde,.!好") | {f"##{letter}" for letter in "abcd"}
    for _ in range(60):
        piece = "".join(draw.choices("abcde", k=draw.randint(2, 4)))
        parts.add(piece if draw.random() < 0.5 else f"##{piece}")
    return {piece: number for number, piece in enumerate(sorted(parts))}


@pytest.mark.parametrize("seed", range(3))
def test_the_tokenizer_cuts_as_the_library_does(seed):
    vocabulary, draw = some_vocabulary(seed), random.Random(seed)
    ours, theirs = our_tokenizer(vocabulary), library(vocabulary)
    signs = "aaabbbcccdddeeeÁéABC,.!  \t\u00ad\u200b好很\x00"
    for _ in range(300):
        text = "".join(draw.choices(signs, k=draw.randint(1, 25)))
        assert ours(text) == theirs.encode(text).tokens, repr(text)
    assert ours("a" * 101) == theirs.encode("a" * 101).tokens == ["[UNK]"]


def test_punctuation_is_berts():
    ours = function_of("06", "is_punctuation")
    theirs = pre_tokenizers.BertPreTokenizer()
    for sign in {*string.printable, *"«»…–’·¿§€£½²好"} - set(string.whitespace):
        alone = len(theirs.pre_tokenize_str(f"a{sign}a")) == 3
        assert ours(sign) == alone, sign


def test_the_pieces_widget_shows_words_and_tokens():
    line = function_of("06", "pieces_line", tokenize_all=str.split)
    assert line("so silly") == "2 words, 2 tokens: so · silly"


# Learning pieces


def test_learning_by_count_is_the_librarys_trainer():
    counts = {"film": 9, "films": 7, "filming": 5, "milk": 3, "silk": 2}
    letters = function_of("06", "letters")
    names = {"letters": letters, "count_pairs": function_of("06", "count_pairs")}
    learn = function_of("06", "learn", **names)
    ours = learn(counts, 4, lambda pair, a, b: pair)
    alphabet = {letter for word in counts for letter in [*word, *letters(word)]}
    trained = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    trained.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordPieceTrainer(
        vocab_size=len(alphabet) + 5, special_tokens=["[UNK]"], show_progress=False
    )
    trained.train_from_iterator((f"{w} " * n for w, n in counts.items()), trainer)
    assert set(ours) == set(trained.get_vocab()) - alphabet - {"[UNK]"}


def test_pairs_are_counted_with_their_words():
    count_pairs = function_of("06", "count_pairs")
    pairs, singles = count_pairs({"aa": ["a", "##a"], "a": ["a"]}, {"aa": 3, "a": 2})
    assert pairs == Counter({("a", "##a"): 3})
    assert singles == Counter({"a": 5, "##a": 3})


# Near-duplicates


@pytest.fixture
def shingles():
    return function_of("06", "shingles", normalise=function_of("06", "normalise"))


def hashing(seed=0):
    draw, size = np.random.default_rng(seed), (128, 1)
    return {
        "np": np,
        "zlib": zlib,
        "PRIME": 4_294_967_311,
        "factors": draw.integers(1, 2**31, size, dtype=np.uint64),
        "shifts": draw.integers(0, 2**31, size, dtype=np.uint64),
    }


def test_shingles_fold_case_and_blanks(shingles):
    assert shingles("Ab  cdE") == shingles("ab cde") == {"ab cd", "b cde"}
    assert shingles("Ok") == {"ok"}


def test_the_prime_is_the_next_above_the_hashes():
    cell = next(c.source for c in lesson("06").cells if "PRIME =" in c.source)
    prime = 4_294_967_311
    assert f"{prime:_}" in cell
    assert all(prime % k for k in range(2, 65537))


@pytest.mark.parametrize("shared", [0, 30, 60, 90, 100])
def test_a_signature_estimates_the_similarity(shared):
    signature = function_of("06", "signature", **hashing())
    a = {f"gram {k}" for k in range(100)}
    b = {f"gram {k}" for k in range(100 - shared, 200 - shared)}
    similarity = len(a & b) / len(a | b)
    agree = np.mean(signature(a) == signature(b))
    assert agree == pytest.approx(similarity, abs=4 * np.sqrt(0.25 / 128))


def test_candidates_share_one_whole_band():
    candidates = function_of("06", "candidates")
    signatures = np.arange(24).reshape(3, 8)
    signatures[1, :4] = signatures[0, :4]  # a whole band
    signatures[2, 3:7] = signatures[0, 3:7]  # four in a row, but over two bands
    assert candidates(signatures) == {(0, 1)}


def test_near_pairs_are_checked_exactly(shingles):
    near_pairs = function_of(
        "06",
        "near_pairs",
        np=np,
        shingles=shingles,
        jaccard=function_of("06", "jaccard"),
        candidates=function_of("06", "candidates"),
        signature=function_of("06", "signature", **hashing()),
    )
    texts = ["win a prize, call now", "lunch at one", "Win a prize, call now!", "lunch"]
    assert near_pairs(texts) == [(0, 2)]


def test_families_follow_chains():
    families = function_of("06", "families")
    exercise = lesson_06.EXERCISES[2]
    for pairs, count in exercise.cases:
        assert exercise.same(families(pairs, count), exercise.reference(pairs, count))


# Cleaning and planting


def test_cleaning_unescapes_to_the_end_and_keeps_what_means_something():
    names = {n: function_of("06", n) for n in ("unescape", "visible")}
    clean = function_of("06", "clean", **names)
    assert clean("Lord  &amp;amp;amp; Taylor\t&lt;3") == "Lord & Taylor <3"
    assert clean("cafe\u0301 fr\u00adee\x00 m²") == "café free m²"


def test_a_small_edit_changes_a_text_a_little():
    small_edit = function_of("06", "small_edit")
    draw = np.random.default_rng(0)
    text = "a glorious comedy that works"
    edits = {small_edit(text, draw) for _ in range(200)}
    assert len(edits) > 20 and text not in edits
    assert all(abs(len(edit) - len(text)) <= 11 for edit in edits)
