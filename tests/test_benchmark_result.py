"""The benchmark's kept result is whole, and the benchmark writes such a result."""

from __future__ import annotations

import json
import math
import re
import statistics
from types import SimpleNamespace

import pytest

from benchmarks import document_example
from tools import readme

KEYS = {
    "dataset": str,
    "variant": str,
    "seed": int,
    "seconds": float,
    "peak_memory_mib": int,
    "weighted_f1": float,
    "validation_accuracy": float,
    "precision": str,
    "steps": int,
    "torch_threads": int,
}
STEPS = {"listing": math.ceil(2100 / 16), "improved": math.ceil(2100 / 32)}


def check(result):
    """Check that a result has all that README and lesson 14 read from it."""
    assert result.keys() == {"machine", "versions", "rows"}
    machine, versions, rows = result["machine"], result["versions"], result["rows"]
    assert machine.keys() == {"processor", "cores", "memory_gib", "system"}
    assert machine["processor"] and machine["cores"] >= 1 and machine["memory_gib"] > 0
    assert versions.keys() >= {"python", "torch", "transformers"}
    assert all(re.fullmatch(r"\d+(\.\w+)+", version) for version in versions.values())
    for row in rows:
        assert {name: type(value) for name, value in row.items()} == KEYS
        assert 0 <= row["weighted_f1"] <= 1 and 0 <= row["validation_accuracy"] <= 1
        assert row["seconds"] > 0 and row["peak_memory_mib"] > 100
        assert row["steps"] == STEPS[row["variant"]]
        assert row["variant"] == "improved" or row["precision"] == "float32"
        assert row["precision"] in ("float32", "torch.float32", "torch.bfloat16")
        assert row["torch_threads"] <= machine["cores"]
    runs = [(row["dataset"], row["variant"], row["seed"]) for row in rows]
    assert sorted(runs) == sorted(
        (dataset, variant, seed)
        for dataset in ("sms_spam", "movies")
        for variant in ("listing", "improved")
        for seed in (0, 1, 2)
    )


@pytest.fixture
def result():
    """The kept result."""
    block = readme.README.read_text("utf-8").split("<!-- benchmark: begin -->")[1]
    claimed = "Not measured yet" not in block.split("<!-- benchmark: end -->")[0]
    if not readme.BENCHMARK.exists():
        if claimed:
            pytest.fail(
                f"README shows the benchmark's result; {readme.BENCHMARK} lacks"
            )
        pytest.skip("README says that the benchmark was not measured yet")
    assert claimed, "README does not show the result: python -m tools.course readme"
    return json.loads(readme.BENCHMARK.read_text("utf-8"))


def test_the_kept_result_is_whole(result):
    check(result)


def test_in_the_kept_result_improved_is_faster(result):
    def mean(dataset, variant):
        return statistics.mean(
            row["seconds"]
            for row in result["rows"]
            if (row["dataset"], row["variant"]) == (dataset, variant)
        )

    for dataset in document_example.DATASETS:
        assert mean(dataset, "improved") < mean(dataset, "listing")


@pytest.fixture
def stand_in(monkeypatch):
    """Answer the benchmark's processes without running them; note what was asked."""
    asked = []

    def run(command, **_options):
        dataset, variant, seed = command[command.index("--one") + 1 :]
        asked.append((dataset, int(seed), variant))
        row = {
            "dataset": dataset,
            "variant": variant,
            "seed": int(seed),
            "seconds": 12.5,
            "peak_memory_mib": 900,
            "weighted_f1": 0.75,
            "validation_accuracy": 0.8,
            "precision": "float32",
            "steps": STEPS[variant],
            "torch_threads": 1,
        }
        said = f"Lesson 14 on CPU\n{{'loss': 1}}\nROW {json.dumps(row)}\n"
        return SimpleNamespace(stdout=said)

    processes = SimpleNamespace(run=run, PIPE=None)
    monkeypatch.setattr(document_example, "subprocess", processes)
    return asked


def test_the_benchmark_writes_such_a_result_and_lets_variants_take_turns(
    stand_in, tmp_path, capsys
):
    output = tmp_path / "deep" / "result.json"
    assert document_example.main(["--output", str(output)]) == 0
    check(json.loads(output.read_text("utf-8")))
    assert [variant for _, _, variant in stand_in] == ["listing", "improved"] * 6
    assert capsys.readouterr().out.count("\n") == 12  # one line per run


def test_a_part_of_the_benchmark_can_be_run(stand_in, tmp_path):
    output = tmp_path / "result.json"
    arguments = ["--datasets", "movies", "--seeds", "5", "--output", str(output)]
    assert document_example.main(arguments) == 0
    assert stand_in == [("movies", 5, "listing"), ("movies", 5, "improved")]
