"""The run: early stopping, checkpoints, and going on to the same weights after a kill."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification

from conftest import one_sentence
from course_utils.errors import InputError
from course_utils.own_data import checkpoints, encoded, models, training
from course_utils.own_data.writing import MachineError, whole_file

SETTINGS = training.Settings(
    learning_rate=3e-3, epochs=4, batch_size=8, validate_every=5, patience=9
)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so small a model only waits for a second one
    yield
    torch.set_num_threads(threads)


def tiny(labels=2):
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig(
        vocab_size=40, num_hidden_layers=2, max_position_embeddings=32, **sizes
    )
    config.num_labels = labels
    return BertForSequenceClassification(config)


def texts(count, seed):
    """Texts whose label is whether they begin with a token below 20."""
    random = np.random.default_rng(seed)
    ids = [
        random.integers(5, 40, random.integers(3, 12)).tolist() for _ in range(count)
    ]
    return encoded.Encoded(ids, np.array([int(i[0] < 20) for i in ids]))


def fit(checkpoint=None, settings=SETTINGS, **options):
    model = tiny()
    models.prepare(model, settings)
    run = training.train(
        model,
        texts(60, 1),
        texts(30, 2),
        settings,
        pad=0,
        checkpoint=checkpoint,
        **options,
    )
    return model, run


def same(one, other):
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@contextlib.contextmanager
def no_file_over(size):
    """Let the system refuse to write more than so many bytes into a file: a full disk."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)


# Batches


def test_the_order_depends_on_seed_and_epoch_alone_and_has_every_text_once():
    lengths = np.random.default_rng(0).integers(1, 90, 500)
    one = encoded.order(lengths, 8, seed=1, epoch=2)
    again = encoded.order(lengths, 8, seed=1, epoch=2)
    other = encoded.order(lengths, 8, seed=1, epoch=3)
    assert all((a == b).all() for a, b in zip(one, again, strict=True))
    assert any(
        len(a) != len(b) or (a != b).any() for a, b in zip(one, other, strict=True)
    )
    assert sorted(np.concatenate(one)) == list(range(500)) and len(one) == 63
    padded = sum(len(rows) * lengths[rows].max() for rows in one)
    assert padded < 1.15 * lengths.sum()


def test_a_batch_is_padded_and_masked():
    both = encoded.Encoded([[1, 2, 3], [4]], np.array([0, 1]))
    found = encoded.batch(both, np.array([1, 0]), pad=9, device="cpu")
    assert found["input_ids"].tolist() == [[4, 9, 9], [1, 2, 3]]
    assert found["attention_mask"].tolist() == [[1, 0, 0], [1, 1, 1]]
    assert found["labels"].tolist() == [1, 0]


def test_answers_come_in_the_order_of_the_texts():
    model, some = tiny().eval(), texts(150, 3)
    found = encoded.logits(model, some, pad=0)
    for row in (0, 77, 149):
        alone = model(torch.tensor([some.ids[row]])).logits[0].detach().numpy()
        assert found[row] == pytest.approx(alone, abs=1e-5)


def test_the_score_is_macro_f1_over_all_classes():
    answers = np.log(np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1]]))
    loss, f1 = encoded.judge(answers, np.array([0, 1, 1]))
    assert loss == pytest.approx(-np.log([0.7, 0.3, 0.8]).mean())
    assert f1 == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)


# The run


def test_it_learns_and_keeps_the_best_validation():
    model, run = fit()
    assert [row["step"] for row in run.rows] == [5, 10, 15, 20, 25, 30, 32]
    best = max(
        run.rows, key=lambda row: (row["validation_f1"], -row["validation_loss"])
    )
    assert run.best_step == best["step"] and not model.training
    validation = texts(30, 2)
    loss, f1 = encoded.judge(
        encoded.logits(model, validation, pad=0), validation.labels
    )
    assert (f1, loss) == pytest.approx((best["validation_f1"], best["validation_loss"]))


def test_it_learns():
    _, run = fit(settings=training.Settings(learning_rate=1e-2, epochs=15, patience=99))
    assert run.rows[-1]["training_loss"] < run.rows[0]["training_loss"] - 0.1


def test_it_stops_when_validation_stays_without_gain():
    settings = training.Settings(
        learning_rate=0.0, epochs=9, patience=2, validate_every=2
    )
    _, run = fit(settings=settings)
    assert run.stopped_early and run.steps == 6 and run.best_step == 2


@pytest.mark.parametrize("strategy", models.STRATEGIES)
def test_every_strategy_moves_what_it_says_and_only_that(strategy):
    settings = training.Settings(strategy=strategy, epochs=1, learning_rate=1e-2)
    model = tiny()
    count = models.prepare(model, settings)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    training.train(model, texts(40, 1), texts(20, 2), settings, pad=0)
    moved = {n for n, p in model.named_parameters() if not torch.equal(p, before[n])}
    assert moved <= set(checkpoints.trained(model))
    assert count == sum(p.numel() for p in checkpoints.trained(model).values())
    assert any(name.startswith("classifier") for name in moved)
    inside = {n for n in moved if ".layer." in n}
    assert {n.split(".")[-1] for n in inside} <= (
        {"A", "B"} if strategy == "lora" else {"weight", "bias"}
    )
    assert bool(inside) is (strategy != "frozen")
    assert any("embeddings" in name for name in moved) is (strategy == "full")


def test_an_unknown_strategy_is_refused():
    with pytest.raises(InputError) as error:
        models.prepare(tiny(), training.Settings(strategy="magic"))
    one_sentence(error, "frozen, lora, layers, full")


class Stop(Exception):
    pass


@pytest.mark.parametrize("strategy", ["layers", "lora"])
@pytest.mark.parametrize("at", [1, 7, 13, 32])
def test_interrupted_and_gone_on_it_ends_with_the_same_weights(tmp_path, at, strategy):
    settings = training.Settings(**{**vars(SETTINGS), "strategy": strategy})
    whole, expected = fit(settings=settings)

    def stop(step, total, row):
        if step == at:
            raise Stop

    file = tmp_path / "checkpoint"
    with pytest.raises(Stop):
        fit(file, settings, checkpoint_seconds=0, progress=stop)
    torch.manual_seed(99)  # what another process would have drawn
    model, run = fit(file, settings)
    assert run.resumed_from == at and same(model, whole)

    def without_seconds(run):
        return [{k: v for k, v in row.items() if k != "seconds"} for row in run.rows]

    assert without_seconds(run) == without_seconds(expected)
    assert (run.best_step, run.steps) == (expected.best_step, expected.steps)


def test_a_run_that_stopped_early_is_not_gone_on_with(tmp_path):
    settings = training.Settings(
        learning_rate=0.0, epochs=9, patience=2, validate_every=2
    )
    file = tmp_path / "checkpoint"
    _, first = fit(file, settings)
    _, second = fit(file, settings)
    assert second.stopped_early and second.steps == first.steps == 6


def test_patience_is_counted_across_an_interruption(tmp_path):
    settings = training.Settings(
        learning_rate=0.0, epochs=9, patience=2, validate_every=2
    )

    def stop(step, total, row):
        if step == 5:  # one validation without gain has been
            raise Stop

    with pytest.raises(Stop):
        fit(tmp_path / "x", settings, progress=stop)
    _, run = fit(tmp_path / "x", settings)
    assert (run.resumed_from, run.steps, run.stopped_early) == (4, 6, True)


KILLED = """
import os, signal, sys
sys.path.insert(0, {tests!r})
import test_own_data_training as test
from pathlib import Path
test.torch.set_num_threads(1)

def kill(step, total, row):
    if step == {at}:
        os.kill(os.getpid(), signal.SIGKILL)

model, run = test.fit(Path({file!r}), progress=kill)
print(run.resumed_from)
test.torch.save(model.state_dict(), {weights!r})
"""


@pytest.mark.slow
def test_killed_without_warning_and_started_again_it_ends_the_same(tmp_path):
    weights = tmp_path / "weights"
    values = {"tests": str(Path(__file__).parent), "file": str(tmp_path / "checkpoint")}

    def start(at):
        code = KILLED.format(at=at, weights=str(weights), **values)
        command = [sys.executable, "-c", code]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    assert start(18).returncode == -signal.SIGKILL  # the last checkpoint is of step 15
    assert not weights.exists()
    answer = start(-1)
    assert answer.returncode == 0 and answer.stdout == "15\n", answer.stderr
    whole, _ = fit()
    found = torch.load(weights, weights_only=True)
    assert all(
        torch.equal(tensor, found[n]) for n, tensor in whole.state_dict().items()
    )


# Checkpoints that cannot be written or read


def test_a_damaged_checkpoint_is_refused(tmp_path):
    file = tmp_path / "checkpoint"
    fit(file)
    content = file.read_bytes()
    for damaged in (b"", content[: len(content) // 2], b"x" * 100):
        file.write_bytes(damaged)
        with pytest.raises(InputError) as error:
            fit(file)
        one_sentence(error, "--restart")


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "no room left"), (errno.EROFS, "a refusal"), (errno.EIO, "error")],
)
def test_a_write_that_fails_leaves_the_older_file(tmp_path, number, said):
    path = tmp_path / "file"
    path.write_text("old")

    def write():
        with whole_file(path, advice="try again") as draft:
            draft.write_text("half of the new")
            raise OSError(number, os.strerror(number))

    with pytest.raises(MachineError) as error:
        write()
    one_sentence(error, said, "file in")
    assert [p.name for p in tmp_path.iterdir()] == [
        "file"
    ] and path.read_text() == "old"


def test_a_disk_that_fills_up_while_a_checkpoint_is_written(tmp_path):
    """The system refuses files over 100 kB: the library's own write fails half-way."""
    file = tmp_path / "checkpoint"
    with no_file_over(100_000), pytest.raises(MachineError) as error:
        fit(file)
    one_sentence(error, "no room left on the disk", "give the same command again")
    assert list(tmp_path.iterdir()) == []


def test_checkpoints_are_written_by_the_clock_too(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(
        checkpoints, "save", lambda kept, path: written.append(kept.state)
    )
    fit(tmp_path / "x", checkpoint_seconds=0)
    assert len(written) == 32
