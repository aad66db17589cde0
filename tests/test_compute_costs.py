"""The benchmark behind lesson 28: its settings can be planned, its kept result is whole."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from benchmarks import compute_costs
from course_utils import planner

NUMBERS = ("planned_seconds", "seconds", "planned_mib", "held_mib")
CONFIG = SimpleNamespace(
    model_type="bert",
    vocab_size=30522,
    hidden_size=384,
    intermediate_size=1536,
    num_hidden_layers=6,
    num_attention_heads=12,
    max_position_embeddings=512,
    type_vocab_size=2,
)


def check(result):
    """Check that a result has all that lesson 28 reads from it."""
    assert result["device"] and result["versions"]["torch"]
    assert result["rows"]
    for row in result["rows"]:
        assert row.keys() == {"model", "setting", "round", *NUMBERS}
        assert row["planned_seconds"] > 0
        measured = row["seconds"], row["held_mib"]
        assert measured == (None, None) or min(measured) > 0
    settings = {row["setting"] for row in result["rows"] if row["model"] == "encoder"}
    assert settings in (set(), set(compute_costs.SETTINGS))


def test_the_kept_result_is_whole():
    if not compute_costs.RESULT.exists():
        pytest.skip("not measured yet: python -m benchmarks.compute_costs")
    check(json.loads(compute_costs.RESULT.read_text("utf-8")))


@pytest.mark.parametrize("name", compute_costs.SETTINGS)
def test_every_setting_can_be_planned(name):
    setting = compute_costs.BASE | compute_costs.SETTINGS[name]
    speed = planner.Speed(1e11)
    found = planner.plan(CONFIG, [10, 48] * 16, speed=speed, pooler=False, **setting)
    base = planner.plan(
        CONFIG, [10, 48] * 16, speed=speed, pooler=False, **compute_costs.BASE
    )
    assert found.seconds <= base.seconds * 1.4 and found.peak <= base.peak


def test_the_benchmark_writes_such_a_result(monkeypatch, tmp_path):
    pytest.importorskip("torch")
    numbers = dict.fromkeys(NUMBERS, 1.0)
    rows = [
        {"model": "encoder", "setting": name, "round": 0, **numbers}
        for name in compute_costs.SETTINGS
    ]
    monkeypatch.setattr(compute_costs, "savings", lambda options: rows)
    output = tmp_path / "deep" / "result.json"
    arguments = ["--parts", "savings", "--output", str(output)]
    assert compute_costs.main(arguments) == 0
    check(json.loads(output.read_text("utf-8")))
