"""Lesson 09: the widget's handler, its formulas, and the benchmark behind it."""

from __future__ import annotations

import json
import math
import mmap
import platform
import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from benchmarks import strategies as benchmark
from conftest import function_of
from course_utils.evaluation import Interval

WIDGET = "rank_line"


# The widget


@pytest.fixture
def rank_line():
    return function_of(
        "09",
        "rank_line",
        shapes=[(384, 384), (1536, 384)],  # (outputs, inputs)
        held={0: 0.0, 8: 0.51234, 384: 1.0},
        cut_scores={0: 0.5, 8: 0.81234, 384: 0.825},
    )


def test_the_widget_counts_rank_times_inputs_and_outputs(rank_line):
    line = rank_line(8)
    assert line.startswith(f"rank 8: {8 * (768 + 1920):,} trained, 2.9% of")
    assert line.endswith("keeps 51% and scores 0.812")


def test_the_widget_shows_that_the_largest_rank_trains_more_than_there_is(rank_line):
    assert "0 trained, 0.0%" in rank_line(0)
    assert "140.0%" in rank_line(384)


# Formulas that the lesson writes out


def test_the_share_of_an_update_that_directions_hold():
    share_held = function_of("09", "share_held")
    singular = torch.tensor([3.0, 2.0, 1.0])
    found = [share_held(singular, rank) for rank in range(4)]
    assert found == pytest.approx([0, 9 / 14, 13 / 14, 1])


@pytest.fixture
def interval():
    course = SimpleNamespace(seed=0)
    return function_of("09", "interval", np=np, Interval=Interval, course=course)


def test_the_interval_redraws_texts(interval):
    right = np.tile(np.random.default_rng(1).random(400) < 0.8, (3, 1))
    found = interval(right)
    width = 1.96 * math.sqrt(0.8 * 0.2 / 400)
    assert found.value == right.mean()
    assert found.high - found.low == pytest.approx(2 * width, rel=0.15)


def test_the_interval_redraws_seeds_too(interval):
    right = np.repeat([[True], [False], [True]], 400, axis=1)  # only the seed matters
    found = interval(right)
    assert (found.low, found.high) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.01, 0.05, "better"),
        (-0.05, -0.01, "worse"),
        (-0.01, 0.05, "not told apart"),
        (0.0, 0.05, "not told apart"),
        (-0.05, 0.0, "not told apart"),
    ],
)
def test_the_verdict_on_a_difference(low, high, said):
    verdict = function_of("09", "verdict")
    assert verdict(Interval((low + high) / 2, low, high)) == said


def test_the_cheapest_is_chosen_among_those_not_told_apart_from_the_best():
    score = {"a": 0.9, "b": 0.89, "c": 0.5}
    gaps = {"a": (0, 0), "b": (-0.02, 0.0), "c": (-0.5, -0.3)}
    by_answers = {float(number): name for number, name in enumerate(score)}
    not_worse = function_of(
        "09",
        "not_worse",
        NAMES=list(score),
        scores={n: {"movies": Interval(s, 0, 1)} for n, s in score.items()},
        right={n: {"movies": x} for x, n in by_answers.items()},
        interval=lambda gap: Interval(0, *gaps[by_answers[gap]]),  # "a" is 0
    )
    assert not_worse("movies") == ["a", "b"]
    prices = {"MiB": {"a": 9, "b": 5, "c": 1}, "seconds": {"a": 1, "b": 2, "c": 0}}
    cheapest = function_of("09", "cheapest", table=prices)
    assert cheapest(["a", "b"], "MiB") == "b" and cheapest(["a", "b"], "seconds") == "a"


def test_saved_outputs_are_counted_once_and_without_the_weights():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(10, 20), nn.Linear(20, 1)

        def forward(self, x):
            return SimpleNamespace(loss=self.second(self.first(x).relu()).sum())

    course = SimpleNamespace(autocast=lambda: torch.autocast("cpu", enabled=False))
    saved_bytes = function_of("09", "saved_bytes", torch=torch, course=course)
    model, batch = Model(), {"x": torch.ones(5, 10)}
    both = 5 * 10 + 5 * 20  # the input for one weight's gradient; relu's output, once
    assert saved_bytes(model, batch) == 4 * both
    model.first.requires_grad_(False)
    assert saved_bytes(model, batch) == 4 * 5 * 20
    model.requires_grad_(False)
    assert saved_bytes(model, batch) == 0


# The benchmark


@pytest.fixture
def stand_in(monkeypatch):
    """Answer the benchmark's runs without running them; note what was asked."""
    asked = []

    def run(part, strategy, rate, rank, seed, options, course):
        asked.append((part, strategy, rate, rank, seed))
        score = 0.9 if rate == 1e-3 else 0.8
        rank = rank if strategy in benchmark.LORA else None
        row = {"part": part, "strategy": strategy, "rate": rate, "rank": rank}
        return row | {"seed": seed, "validation": score}

    def peak(strategy, rate):
        asked.append(("peak", strategy, rate, None, 0))
        return {"part": "peak", "strategy": strategy, "rate": rate, "seed": 0}

    monkeypatch.setattr(benchmark, "run", run)
    monkeypatch.setattr(benchmark, "_in_a_process", peak)
    return asked


def test_the_benchmark_sweeps_first_and_uses_the_best_rates(stand_in, tmp_path, capsys):
    output = tmp_path / "deep" / "result.json"
    assert benchmark.main(["--output", str(output)]) == 0
    parts = [asked[0] for asked in stand_in]
    assert parts == sorted(parts, key=benchmark.PARTS.index)
    main = [asked for asked in stand_in if asked[0] == "main"]
    assert len(main) == len(benchmark.RATES) * len(benchmark.SEEDS)
    for _, strategy, rate, rank, _ in main:
        rates = benchmark.RATES[strategy]
        assert rate == (1e-3 if 1e-3 in rates else rates[0] if rates else None)
        assert rank == benchmark.RANK
    result = json.loads(output.read_text("utf-8"))
    assert result.keys() == {"machine", "versions", "device", "settings", "rows"}
    assert len(result["rows"]) == len(stand_in) == len(set(stand_in))


def test_started_again_the_benchmark_goes_on_where_it_was(
    stand_in, tmp_path, monkeypatch, capsys
):
    output = ["--output", str(tmp_path / "result.json"), "--seeds", "0", "1"]
    whole, run = benchmark.run, benchmark.run

    def dies(part, *rest):
        if part == "main" and len(stand_in) > 60:
            raise KeyboardInterrupt
        return whole(part, *rest)

    monkeypatch.setattr(benchmark, "run", dies)
    with pytest.raises(KeyboardInterrupt):
        benchmark.main(output)
    before = len(stand_in)
    monkeypatch.setattr(benchmark, "run", run)
    assert benchmark.main(output) == 0
    assert len(set(stand_in)) == len(stand_in) > before > 60
    done = len(stand_in)
    assert benchmark.main(output) == 0 and len(stand_in) == done  # nothing is left


def test_a_result_of_other_settings_is_not_mixed_in(stand_in, tmp_path, capsys):
    output = ["--output", str(tmp_path / "result.json"), "--parts", "ranks"]
    assert benchmark.main(output) == 0
    with pytest.raises(SystemExit):
        benchmark.main([*output, "--train", "64"])
    assert "other settings" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["machine", "device", "versions"])
def test_seconds_of_two_machines_are_not_mixed(stand_in, tmp_path, capsys, what):
    place = tmp_path / "result.json"
    output = ["--output", str(place), "--parts", "ranks"]
    assert benchmark.main(output) == 0
    place.write_text(json.dumps(json.loads(place.read_text()) | {what: {"other": 1}}))
    with pytest.raises(SystemExit):
        benchmark.main(output)
    assert f"other {what}: expected" in capsys.readouterr().err


def pages(mib: int) -> mmap.mmap:
    """Take memory straight from the system: what lies freed in this process is no part."""
    block = mmap.mmap(-1, mib * 2**20)
    block[:: mmap.PAGESIZE] = b"1" * (len(block) // mmap.PAGESIZE)
    return block


def hold_until_seen(grown):
    """Take 64 MiB and give them back, until seen: on a busy machine watchers wait."""
    patience = time.monotonic() + 30
    while grown.mib < 48 and time.monotonic() < patience:
        held = pages(64)
        time.sleep(0.01)
        held.close()


def test_growth_sees_memory_that_is_given_back_before_the_end():
    with benchmark.growth() as grown:
        hold_until_seen(grown)
    assert 48 < grown.mib < 128


def test_memory_given_back_meanwhile_does_not_hide_growth():
    left, ring = pages(256), [pages(256)]
    ring.append(ring)  # goes when rings are collected, not before
    del ring
    with benchmark.growth() as grown:
        left.close()
        hold_until_seen(grown)
    assert 48 < grown.mib < 128


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="glibc keeps freed memory"
)
def test_memory_freed_before_does_not_hide_growth():
    """The heap of a process that has run for long has room below what is still used."""
    raises_the_threshold = np.ones(31 * 2**20 // 8)  # when freed: then blocks up to it
    del raises_the_threshold  # come from the heap
    blocks = [np.ones(16 * 2**20 // 8) for _ in range(12)]
    above = [bytearray(100_000) for _ in range(10)]
    del blocks
    with benchmark.growth() as grown:
        held = np.ones(64 * 2**20 // 8)  # fits where the blocks were
        patience = time.monotonic() + 30
        while grown.mib < 48 and time.monotonic() < patience:
            time.sleep(0.01)
    assert 48 < grown.mib < 128
    assert len(above) == 10 and len(held) == 2**23


def test_a_part_of_the_benchmark_can_be_run(stand_in, tmp_path, capsys):
    output = ["--output", str(tmp_path / "result.json"), "--parts", "main"]
    benchmark.main([*output, "--seeds", "7", "--strategies", "full", "BitFit"])
    assert [(asked[1], asked[4]) for asked in stand_in] == [("BitFit", 7), ("full", 7)]


def test_the_nearest_neighbour_of_the_same_article():
    vectors = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9], [0.5, 0.6]])
    groups = np.array(["a", "a", "b", "b", "a"])
    assert benchmark.same_article(vectors, groups) == 0.8


@pytest.fixture
def tiny(monkeypatch):
    """Put random tokens and a tiny random encoder in the place of data and model."""
    from transformers import BertConfig, BertModel

    def texts(rows):
        groups = [str(row // 2) for row in range(rows)]
        labels = [row % 2 for row in range(rows)]
        return pd.DataFrame({"label": labels, "group": groups, "tokens": 5})

    def batches(table, size):
        torch.manual_seed(len(table))
        cuts = [table[i : i + size] for i in range(0, len(table), size)]
        return [
            {
                "input_ids": torch.randint(1, 20, (len(cut), 5)),
                "attention_mask": torch.ones(len(cut), 5, dtype=torch.long),
                "labels": torch.tensor(cut["label"].tolist()),
            }
            for cut in cuts
        ]

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so small a model only waits for a second one
    sizes = {"hidden_size": 12, "num_attention_heads": 2, "intermediate_size": 16}
    config = BertConfig(vocab_size=20, num_hidden_layers=6, **sizes)
    encoder = BertModel(config, add_pooling_layer=False)
    tests = {domain: texts(20) for domain in benchmark.DOMAINS}
    parts = {"pool": texts(800), "validation": texts(20), "old": texts(8)}
    data = SimpleNamespace(tests=tests, **parts)
    monkeypatch.setattr(benchmark, "_pretrained", lambda: encoder)
    monkeypatch.setattr(benchmark, "data", lambda: data)
    monkeypatch.setattr(benchmark, "batches", batches)
    monkeypatch.setattr(
        benchmark,
        "_fixed_batches",
        lambda: (batches(data.validation, 10), batches(data.old, 4)),
    )
    yield SimpleNamespace(
        options=SimpleNamespace(train=32, epochs=2),
        course=SimpleNamespace(autocast=lambda: torch.autocast("cpu", enabled=False)),
    )
    torch.set_num_threads(threads)


@pytest.mark.parametrize(
    "strategy", ["frozen features", "LoRA all linear", "gradual unfreezing", "LP-FT"]
)
def test_a_run_of_the_benchmark_gives_a_whole_row(tiny, strategy):
    rate = benchmark.plan("main", [3], benchmark.best_rates([]))
    rate = {name: found for name, found, _, _ in rate}[strategy]
    arguments = ("main", strategy, rate, 8, 3, tiny.options, tiny.course)
    row = json.loads(json.dumps(benchmark.run(*arguments)))  # JSON can hold it
    assert (row["strategy"], row["seed"], row["train_texts"]) == (strategy, 3, 32)
    for domain in benchmark.DOMAINS:
        right = row[f"right_{domain}"]
        assert len(right) == 20 and set(right) <= {"0", "1"}
        assert row[domain] == pytest.approx(right.count("1") / 20)
    frozen = strategy == "frozen features"
    assert row["steps"] == (0 if frozen else 4)
    assert [step for step, _, _ in row["curve"]] == ([] if frozen else [0, 1, 2, 3, 4])
    assert row["trained"] > 0 and row["seconds"] > 0
    parts = row["memory_parts_mib"]
    assert (parts["gradients"] == 0) is frozen or parts["gradients"] < 0.1
    assert row["memory_mib"] == pytest.approx(sum(parts.values()), abs=0.3)


def test_a_sweeps_row_looks_at_validation_texts_only(tiny):
    arguments = ("rates", "full", 1e-3, 8, 100, tiny.options, tiny.course)
    row = benchmark.run(*arguments)
    assert 0 <= row["validation"] <= 1
    assert not row.keys() & {"movies", "tweets", "nyt", "old_skill", "curve"}


def test_the_peaks_row_compares_growth_with_the_count(tiny):
    row = benchmark.peak("full", 1e-3, tiny.course)
    assert row["part"] == "peak" and row["counted_mib"] >= 0
