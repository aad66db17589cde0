"""Lesson 28: its formulas against the planner's, the widget's line, sharding, halves."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from conftest import cell_of, function_of, lesson, run
from course_utils import costs, planner

WIDGET = "memory_line"
CONFIGS = [
    SimpleNamespace(
        model_type="bert",
        vocab_size=words,
        hidden_size=hidden,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        max_position_embeddings=512,
        type_vocab_size=2,
    )
    for words, hidden, inner, layers, heads in (
        (30522, 384, 1536, 6, 12),
        (30522, 768, 3072, 12, 12),
        (1000, 64, 160, 2, 4),
    )
]
each = pytest.mark.parametrize("config", CONFIGS)


@pytest.fixture(scope="module")
def count():
    return function_of("28", "count")


@pytest.fixture
def memory_line():
    llama = SimpleNamespace(
        model_type="llama",
        vocab_size=32000,
        hidden_size=4096,
        intermediate_size=11008,
        num_hidden_layers=32,
        num_attention_heads=32,
        num_key_value_heads=32,
        tie_word_embeddings=False,
    )
    text = {"lengths": [1024], "batch_size": 1, "precision": "bfloat16", "fused": True}
    stubs = {"planner": planner, "llama": llama, "TEXT": text}
    return function_of("28", "memory_line", CARDS=(8, 16, 24, 48, 80, 141), **stubs)


@each
def test_the_lesson_counts_as_the_planner_does(count, config):
    shape, counted = costs.shape(config, pooler=False), count(config)
    assert (shape.table, shape.matrices, shape.small) == tuple(counted.values())


@each
@pytest.mark.parametrize("precision", ["float32", "mixed"])
def test_the_lesson_keeps_what_the_planner_keeps(count, config, precision):
    per_token = function_of("28", "saved_per_token")
    saved = function_of("28", "saved", saved_per_token=per_token, count=count)
    shape = costs.shape(config)
    for width in (8, 100):
        expected = costs.saved_per_token(shape, width, precision=precision)
        assert per_token(config, width, precision) == expected
        plan = planner.plan(config, [width] * 4, batch_size=4, precision=precision)
        assert saved(config, 4, width, precision) == pytest.approx(plan.saved)


@each
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {}),
        ({"weights": False}, {"strategy": "lora"}),
        ({"again": True}, {"checkpointing": True}),
        ({"inputs": False, "weights": False}, {"strategy": "frozen"}),
    ],
)
def test_the_lesson_counts_the_planners_operations(count, config, ours, theirs):
    operations = function_of("28", "operations", count=count)
    shape = costs.shape(config)
    assert operations(config, 40, **ours) == costs.operations(shape, 40, **theirs)


def test_the_widget_names_a_card_that_holds_the_plan(memory_line):
    assert memory_line("full", 1, 1024, True).endswith("fits a card of 141 GB")
    line = memory_line("qlora", 1, 512, True)
    assert line.startswith("qlora, 1 × 512 tokens, checkpointing: ")
    assert line.endswith("GB, fits a card of 8 GB")


def test_the_widget_says_when_no_card_is_large_enough(memory_line):
    line = memory_line("full", 16, 4096, False)
    assert line.endswith("fits no single card") and "checkpointing" not in line


def test_more_texts_never_need_less(memory_line):
    needs = [
        float(memory_line("lora", texts, 1024, False).split(": ")[1].split(" GB")[0])
        for texts in (1, 2, 4, 8)
    ]
    assert needs == sorted(needs) and needs[-1] > 2 * needs[0]


def test_each_stage_shares_one_part_more():
    per_device = function_of("28", "per_device")
    parts = {"weights": 8192, "gradients": 4096, "optimiser": 16384}
    plan = SimpleNamespace(**parts, saved=1024, working=1024)
    found = [per_device(plan, 4, stage) for stage in range(4)]
    assert found == [30.0, 18.0, 15.0, 9.0]
    assert per_device(plan, 1, 3) == found[0]


def test_bytes_kept_by_a_tiny_network():
    torch = pytest.importorskip("torch")
    kept_bytes = function_of("28", "kept_bytes", torch=torch)
    linear, x = torch.nn.Linear(8, 32), torch.randn(5, 8)
    weights = list(linear.parameters())
    found = kept_bytes(lambda: torch.nn.functional.gelu(linear(x)), weights)
    assert found == (5 * 8 + 5 * 32) * 4
    linear.requires_grad_(False)
    assert kept_bytes(lambda: linear(x), weights) == 0


def test_the_benchmark_measures_the_lessons_settings():
    from benchmarks import compute_costs

    notebook = lesson("28")
    names = run(notebook, cell_of(notebook, "s08-table").source, WIDTH=48)
    theirs = {n: compute_costs.BASE | x for n, x in compute_costs.SETTINGS.items()}
    assert names["SETTINGS"] == theirs
