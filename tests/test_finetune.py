"""`python -m course_utils.finetune` and `predict` with a tiny model: files in, folder out."""

from __future__ import annotations

import errno
import io
import json
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from test_own_data_training import no_file_over

from conftest import one_sentence
from course_utils import finetune, predict
from course_utils.errors import InputError
from course_utils.own_data import advice, folder, language, machine, pipeline, scores
from course_utils.own_data.writing import MachineError
from course_utils.planner import Speed

ENDS = [
    "ast",
    "elm",
    "irk",
    "oft",
    "ump",
    "yawn",
    "arc",
    "eve",
    "ink",
    "orb",
    "urn",
    "yes",
]
WORDS = {label: [label + end for end in ENDS] for label in ("good", "bad", "so")}
SPEED = Speed(2e10, 0.01, 1e-9)
ROOT = str(Path(finetune.__file__).resolve().parent.parent)
FILES = {"model.safetensors", "config.json", "tokenizer.json", "labels.json"}
FILES |= {"metrics.json", "run.json", "README.md", "report.html"}


def rows(count=90, seed=0, labels=("good", "bad")):
    draw = random.Random(seed)
    for number in range(count):
        label = labels[number % len(labels)]
        yield " ".join(draw.choices(WORDS[label] * 2 + WORDS["so"], k=9)), label


def write(path, count=90, **options):
    pd.DataFrame(rows(count, **options), columns=["text", "label"]).to_csv(
        path, index=False
    )
    return str(path)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A folder with a random encoder and a tokenizer of whole words."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, BertTokenizerFast

    place = tmp_path_factory.mktemp("tiny")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words += [word for some in WORDS.values() for word in some]
    known = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(known, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    fast = BertTokenizerFast(tokenizer_object=tokenizer, model_max_length=32)
    fast.save_pretrained(place)
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig(
        vocab_size=len(words), num_hidden_layers=2, max_position_embeddings=32, **sizes
    )
    BertModel(config).save_pretrained(place)
    return str(place)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    monkeypatch.setenv("SFT_COURSE_THREADS", "1")
    yield tmp_path
    torch.set_num_threads(threads)


QUICK = ["--learning-rate", "0.01", "--epochs", "6", "--strategy", "full"]
QUICK += ["--precision", "float32"]  # else measured, and chosen, anew by every process


def run(tiny, *arguments, data="data.csv"):
    return finetune.main([data, "--model", tiny, *QUICK, *arguments])


def names(place):
    return sorted(path.name for path in Path(place).iterdir())


# A whole run


@pytest.fixture(scope="module")
def trained(tiny, tmp_path_factory):
    """The folder of a run on a file with odd texts and labels, and what was printed."""
    place = tmp_path_factory.mktemp("trained")
    table = pd.DataFrame(rows(120), columns=["text", "label"])
    table.loc[0, "text"] += " <script>alert(1)</script> $x"
    table["label"] = table["label"].replace({"good": "<b>$good|1</b>"})
    path = place / "my file.csv"
    table.to_csv(path, index=False)
    before = path.read_bytes()
    command = [sys.executable, "-m", "course_utils.finetune", path.name]
    environment = os.environ | {"SFT_COURSE_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [ROOT, os.environ.get("PYTHONPATH")])
    )
    answer = subprocess.run(
        [*command, "--model", tiny, *QUICK],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert answer.returncode == 0, answer.stderr
    assert path.read_bytes() == before
    return place, answer


def test_the_folder_is_whole_and_nothing_else_is_left(trained):
    place, answer = trained
    assert names(place) == ["my file.csv", "my file_model"]
    assert set(names(place / "my file_model")) >= FILES
    assert "Traceback" not in answer.stderr and "Warning" not in answer.stderr
    assert "Planned: about" in answer.stdout and "baseline" in answer.stdout


def test_plain_transformers_loads_it_and_answers_as_measured(trained):
    from transformers import pipeline as ready_made

    folder = trained[0] / "my file_model"
    classify = ready_made("text-classification", model=str(folder), device="cpu")
    texts = [text for text, _ in rows(60, seed=5)]
    labels = [label for _, label in rows(60, seed=5)]
    answers = [found["label"] for found in classify(texts)]
    right = [
        ("good" in a) == (b == "good") for a, b in zip(answers, labels, strict=True)
    ]
    metrics = json.loads((folder / "metrics.json").read_text())
    assert np.mean(right) > 0.8
    assert metrics["scores"]["fine-tuned model"]["accuracy"]["value"] > 0.8
    assert json.loads((folder / "labels.json").read_text()) == {
        "<b>$good|1</b>": 0,
        "bad": 1,
    }


def test_the_report_escapes_what_the_user_wrote(trained):
    page = (trained[0] / "my file_model" / "report.html").read_text("utf-8")
    assert "<script" not in page and "<b>$good" not in page
    assert "&lt;b&gt;$good|1&lt;/b&gt;" in page
    assert page.count("data:image/png;base64,") == 5 and page.count("alt='") == 5
    assert re.findall(r"(?:src|href)='(?!data:)|@import|url\(", page) == []
    assert "The model learnt from 84 texts, the baseline from 84." in page
    card = (trained[0] / "my file_model" / "README.md").read_text("utf-8")
    assert "<b>" not in card and "&lt;b>$good\\|1" in card
    assert "--strategy full" in card and "torch 2" in card


def test_the_same_command_again_gives_the_same_weights(tiny, here):
    write("data.csv")
    found = []
    for name in ("one", "two"):
        assert run(tiny, "--output", name) == 0
        found.append(load_file(f"{name}/model.safetensors"))
    assert all(torch.equal(found[0][key], found[1][key]) for key in found[0])


@pytest.mark.parametrize("options", [["--strategy", "lora"], ["--strategy", "frozen"]])
def test_other_strategies_are_saved_as_a_plain_model(tiny, here, options):
    write("data.csv")
    assert run(tiny, *options, "--epochs", "2", "--rank", "2") == 0
    keys = load_file("data_model/model.safetensors").keys()
    assert "bert.encoder.layer.0.attention.self.query.weight" in keys
    assert not any(key.endswith(".A") for key in keys)


# Refusals and exit codes


@pytest.mark.parametrize(
    ("content", "arguments", "part"),
    [
        (None, [], "no such file"),
        ("", [], "an empty file"),
        ("text,label\na,1\nb,1\n", [], "at least two classes"),
        ("text,label\na,1\nb,2\n", [], "at least 8 rows"),
        ("text,label\na,1\nb,2\n", ["--label", "stars"], "Expected a column 'stars'"),
        ("good", ["--epochs", "0"], "epochs of at least 1"),
        ("good", ["--minutes", "0"], "more than 0 minutes"),
        ("good", ["--max-length", "99"], "at most 32 tokens"),
        ("good", ["--learning-rate", "5"], "learning rate between"),
        ("good", ["--model", "nowhere"], "the folder of a model"),
        ("good", ["--multilingual", "--model", ""], "hub switch"),
        ("good", ["--shares", "0.5", "0.5", "0.5"], "add up to 1"),
        ("good", ["--output", "."], "the name of a new folder"),
        ("good", ["--output", "data.csv"], "which exists"),
        ("good", ["--group", "author"], "Expected a column 'author'"),
    ],
)
def test_a_users_mistake_ends_with_one_sentence_and_code_2(
    tiny, here, capsys, content, arguments, part
):
    if content == "good":
        write("data.csv")
    elif content is not None:
        Path("data.csv").write_text(content)
    before = names(".")
    assert run(tiny, *arguments) == 2
    said = capsys.readouterr().err
    assert part in said and said.count("\n") == 1 and said.startswith("Expected ")
    assert names(".") == before


def test_a_wrong_option_ends_with_code_2(capsys):
    with pytest.raises(SystemExit) as error:
        finetune.main(["data.csv", "--no-such-option"])
    assert error.value.code == 2


def test_a_refusal_is_said_once(here, capsys):
    Path("one.csv").write_text("text,label\nhello there,ham\nsee you,ham\n")
    assert finetune.main(["one.csv", "--check-only"]) == 2
    told = capsys.readouterr()
    assert (told.out + told.err).count("at least two classes") == 1


def test_check_only_trains_nothing(here, capsys):
    write("data.csv")
    assert finetune.main(["data.csv", "--check-only"]) == 0
    told = capsys.readouterr().out
    assert "90 rows can be used." in told and re.search(
        r"\d classes: '\w+' \(\d+\)", told
    )
    assert names(".") == ["data.csv"]


@pytest.mark.parametrize("ending", ["jsonl", "parquet", "csv", "xlsx"])
def test_lists_of_labels_are_refused_or_opened_in_every_format(here, capsys, ending):
    table = pd.DataFrame(rows(), columns=["text", "label"])
    name = f"data.{ending}"
    for several in (False, True):
        labels = [[label, "so"] if several else [label] for label in table["label"]]
        listed = table.assign(label=labels)
        if ending == "jsonl":
            listed.to_json(name, orient="records", lines=True)
        elif ending == "parquet":
            listed.to_parquet(name)
        elif ending == "csv":
            listed.to_csv(name, index=False)
        else:
            listed.to_excel(name, index=False)
        assert finetune.main([name, "--check-only"]) == 2 * several
        told = capsys.readouterr()
        if several:
            assert re.fullmatch(
                r"Expected one label per text; got lists .* in 90 rows .*\n", told.err
            )
        else:
            assert "2 classes: 'good' (45), 'bad' (45)" in told.out


@pytest.mark.parametrize("header", [True, False])
def test_the_options_of_a_refusal_of_swapped_columns_mend_it(here, capsys, header):
    table = pd.DataFrame(rows(), columns=["what was said", "kind"])
    table.to_csv("data.csv", index=False, header=header)
    swapped = ["column 1", "column 2"] if not header else list(table)
    wrong = ["--text", swapped[1], "--label", swapped[0]]
    assert finetune.main(["data.csv", "--check-only", *wrong]) == 2
    told = capsys.readouterr().err
    options = re.search(r"Use (--text .* --label .*)\.\n", told)[1]
    assert finetune.main(["data.csv", "--check-only", *shlex.split(options)]) == 0
    assert "2 classes" in capsys.readouterr().out


def test_spellings_are_kept_when_told(here, capsys):
    table = pd.DataFrame(rows(), columns=["text", "label"])
    table["label"] = table["label"].replace({"good": "1", "bad": "N/A"})
    table.loc[:19, "label"] = table.loc[:19, "label"].replace({"1": "1.0"})
    table.to_csv("data.csv", index=False)
    assert finetune.main(["data.csv", "--check-only"]) == 0
    told = capsys.readouterr().out
    assert "2 classes: '1' (45), 'N/A' (45)" in told and "may mean" in told
    assert finetune.main(["data.csv", "--check-only", "--keep-spelling"]) == 0
    assert "3 classes: 'N/A' (45), '1' (35), '1.0' (10)" in capsys.readouterr().out


def test_a_shell_that_knows_only_ascii(here):
    lines = [f"好的 {i * 7919} 文本 {i},{'是否'[i % 2]}" for i in range(40)]
    Path("data.csv").write_text(
        "text,label\n" + "\n".join([*lines, "文,其他"]), "utf-8"
    )
    environment = os.environ | {"PYTHONPATH": ROOT, "PYTHONIOENCODING": "ascii"}
    command = [
        sys.executable,
        "-m",
        "course_utils.finetune",
        "data.csv",
        "--check-only",
    ]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert r"\u5176\u4ed6" in answer.stdout


def test_an_existing_folder_is_kept_unless_told_and_ours(tiny, here, capsys):
    write("data.csv")
    Path("data_model").mkdir()
    Path("data_model/thesis.txt").write_text("precious")
    assert run(tiny) == 2
    assert "which exists" in capsys.readouterr().err
    assert run(tiny, "--overwrite") == 2
    assert "something else" in capsys.readouterr().err
    assert names("data_model") == ["thesis.txt"]
    shutil.rmtree("data_model")
    assert run(tiny, "--epochs", "1") == 0
    old = Path("data_model/metrics.json").read_text()
    assert run(tiny, "--overwrite", "--epochs", "2") == 0
    assert Path("data_model/metrics.json").read_text() != old
    assert names(".") == ["data.csv", "data_model"]


# The disk


def test_a_folder_without_rights_is_refused_before_training(
    tiny, here, capsys, monkeypatch
):
    write("data.csv")
    make = Path.mkdir

    def refuse(self, *arguments, **options):
        if self.name == "data_model.partial":
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return make(self, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", refuse)
    monkeypatch.setattr(pipeline.training, "train", None)  # is not reached
    assert run(tiny) == 3
    said = capsys.readouterr().err
    assert "got a refusal of the system" in said and said.count("\n") == 1
    assert names(".") == ["data.csv"]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may all"
)
def test_a_read_only_folder_is_refused(tiny, here, capsys):
    write("data.csv")
    os.chmod(here, 0o500)
    try:
        assert run(tiny) == 3
    finally:
        os.chmod(here, 0o700)
    assert "a refusal of the system" in capsys.readouterr().err


def test_a_disk_that_fills_up_at_the_end_leaves_no_half_folder(tiny, here, capsys):
    write("data.csv")
    real = folder.finish

    def full(*arguments, **options):
        with no_file_over(10_000):
            return real(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder, "finish", full)
        assert run(tiny) == 3
    said = capsys.readouterr().err
    assert "no room left on the disk" in said and "same command" in said
    assert names(".") == ["data.csv", "data_model.partial"]
    assert "result" not in names("data_model.partial")
    assert run(tiny) == 0  # goes on and finishes
    assert "Going on with the interrupted run" in capsys.readouterr().out
    assert names(".") == ["data.csv", "data_model"]


# Interruptions


def stop_at(step, monkeypatch, error=KeyboardInterrupt):
    real = pipeline.training.train

    def train(*arguments, **options):
        def progress(done, total, row):
            if done == step:
                raise error

        options |= {"progress": progress}
        return real(*arguments, **options)

    monkeypatch.setattr(pipeline.training, "train", train)


def test_interrupted_it_goes_on_to_the_same_weights(tiny, here, capsys):
    write("data.csv")
    assert run(tiny, "--output", "whole") == 0
    with pytest.MonkeyPatch.context() as patch:
        stop_at(10, patch)
        assert run(tiny) == 130
    assert "goes on" in capsys.readouterr().err
    assert "data_model.partial" in names(".") and "data_model" not in names(".")
    assert run(tiny, "--epochs", "5") == 2
    assert "another settings" in capsys.readouterr().err
    assert run(tiny) == 0
    one, other = (load_file(f"{n}/model.safetensors") for n in ("whole", "data_model"))
    assert all(torch.equal(one[key], other[key]) for key in one)
    metrics = json.loads(Path("data_model/metrics.json").read_text())
    assert metrics["resumed_from"] > 0
    assert names(".") == ["data.csv", "data_model", "whole"]


def test_restart_drops_an_interrupted_run(tiny, here):
    write("data.csv")
    with pytest.MonkeyPatch.context() as patch:
        stop_at(10, patch)
        assert run(tiny) == 130
    assert run(tiny, "--restart", "--epochs", "1") == 0
    assert json.loads(Path("data_model/metrics.json").read_text())["resumed_from"] == 0


def test_another_file_is_not_gone_on_with(tiny, here, capsys):
    write("data.csv")
    with pytest.MonkeyPatch.context() as patch:
        stop_at(10, patch)
        run(tiny)
    write("data.csv", seed=3)
    assert run(tiny) == 2
    assert "another file" in capsys.readouterr().err


def test_memory_that_runs_out_is_one_sentence(tiny, here, capsys, monkeypatch):
    write("data.csv")
    stop_at(2, monkeypatch, RuntimeError("DefaultCPUAllocator: can't allocate memory"))
    assert run(tiny) == 3
    assert "smaller batch" in capsys.readouterr().err


def test_two_runs_do_not_share_a_folder(tmp_path):
    work = folder.claim(tmp_path / "out", {})
    with pytest.raises(InputError) as error:
        folder.claim(tmp_path / "out", {})
    one_sentence(error, "at work")
    folder.leave(work)
    assert names(tmp_path) == []


@pytest.mark.slow
def test_killed_while_training_it_goes_on_to_the_same_weights(tiny, here):
    """SIGKILL, which no program sees coming, once the first checkpoint is there."""
    import time

    write("data.csv", 400)
    environment = os.environ | {"PYTHONPATH": ROOT, "SFT_COURSE_THREADS": "1"}
    command = [sys.executable, "-m", "course_utils.finetune", "data.csv"]
    command += ["--model", tiny, *QUICK, "--epochs", "40", "--patience", "99"]
    checkpoint = Path("data_model.partial/checkpoint.safetensors")
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    patience = time.monotonic() + 100
    while not checkpoint.exists() and time.monotonic() < patience:
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL and not Path("data_model").exists()
    answer = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert finetune.main([*command[3:], "--output", "whole"]) == 0
    one, other = (load_file(f"{n}/model.safetensors") for n in ("whole", "data_model"))
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert json.loads(Path("data_model/metrics.json").read_text())["resumed_from"] > 0


@pytest.mark.slow
def test_a_file_of_200_000_rows_stays_within_4_gb(tiny, here):
    from test_own_data_checks import sentence

    lines = ["text,label", *(f"{sentence(i, 15)},{i % 3}" for i in range(200_000))]
    Path("data.csv").write_text("\n".join(lines))
    environment = os.environ | {"PYTHONPATH": ROOT, "SFT_COURSE_THREADS": "1"}
    command = [sys.executable, "-m", "course_utils.finetune", "data.csv"]
    command += ["--model", tiny, "--rows", "500", "--epochs", "1"]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    metrics = json.loads(Path("data_model/metrics.json").read_text())
    assert metrics["cost"]["peak_mib"] < 4096
    assert metrics["rows"] == pytest.approx(
        {"training": 500, "validation": 2000, "test": 5000}, abs=2
    )
    assert metrics["baseline_rows"] == 50_000


# Advice


MACHINE = machine.Machine(2, 8000, "cpu", "float32")


@pytest.fixture(scope="module")
def mini():
    from transformers import BertConfig

    sizes = {"hidden_size": 384, "num_attention_heads": 12, "intermediate_size": 1536}
    return BertConfig(num_hidden_layers=6, **sizes)


def advised(mini, lengths, speed=SPEED, **options):
    given = {"config": mini, "longest": 512, "machine": MACHINE, "speed": speed}
    return advice.advise(lengths, **(given | options))


def test_few_texts_get_more_passes(mini):
    few, many = advised(mini, [20] * 100), advised(mini, [20] * 5000, minutes=1000)
    assert few.settings.epochs > many.settings.epochs == 3
    assert few.settings.strategy == "layers" and few.rows["training"] == 100


def test_the_time_is_kept_by_leaving_rows_out_and_that_is_said(mini):
    found = advised(mini, [40] * 100_000, minutes=5)
    assert found.minutes <= 5.1 and 500 <= found.rows["training"] < 100_000
    assert any("would take over 5 minutes" in reason for reason in found.reasons)
    assert advised(mini, [40] * 100_000, minutes=10).rows["training"] > (
        1.5 * found.rows["training"]
    )


def test_what_is_given_is_kept_and_a_long_run_is_said(mini):
    given = {"rows": 50_000, "epochs": 4, "strategy": "full", "max_length": 64}
    found = advised(mini, [40] * 100_000, minutes=5, **given)
    settings = found.settings
    assert (settings.epochs, settings.strategy, settings.max_length) == (4, "full", 64)
    assert found.rows["training"] == 50_000 and found.minutes > 6
    assert [f.name for f in found.findings] == ["long run"]


def test_little_memory_asks_for_lora_and_smaller_batches(mini):
    small = machine.Machine(2, 600, "cpu", "float32")
    found = advised(mini, [200] * 1000, machine=small)
    assert found.settings.strategy == "lora" and found.settings.learning_rate == 1e-3
    assert found.settings.batch_size < 16 and len(found.reasons) >= 4
    kept = advised(mini, [200] * 1000, machine=small, strategy="layers", batch_size=16)
    assert (kept.settings.strategy, kept.settings.batch_size) == ("layers", 16)


def test_texts_beyond_the_model_are_counted(mini):
    (finding,) = advised(mini, [600] * 10 + [20] * 90, minutes=1000).findings
    assert finding.count == 10 and finding.level == "warning"
    assert "10 beyond the 512" in finding.what


def test_an_unknown_kind_of_model_is_not_planned():
    class Other:
        model_type = "distilbert"

    found = advised(Other(), [20] * 100)
    assert found.plan is None and found.minutes is None
    assert pipeline.deciding.planned(None).startswith("Planned: unknown")


def test_texts_in_another_language_are_said():
    def warned(text, tokens):
        return [f.name for f in language.language([text] * 5, [tokens] * 5)]

    assert warned("this is a plain English text", 8) == []
    assert warned("это простой русский текст", 12) == ["language"]
    assert warned("ein Donaudampfschiffahrtskapitaen", 14) == ["language"]


# Scores


def test_a_baseline_that_wins_is_said():
    labels = np.array([0, 1] * 100)
    wrong = np.where(np.arange(200) % 5 == 0, 1 - labels, labels)
    groups = np.arange(200)
    answers = {"fine-tuned model": wrong, "TF-IDF": labels}
    found = scores.compare(labels, answers, groups, classes=2, seed=0)
    assert found["TF-IDF"]["lead"]["high"] < 0
    assert "baseline is better" in scores.verdict(found["TF-IDF"]["lead"])
    answers = {"fine-tuned model": labels, "TF-IDF": wrong}
    found = scores.compare(labels, answers, groups, classes=2, seed=0)
    assert "model is better" in scores.verdict(found["TF-IDF"]["lead"])
    assert "too small" in scores.verdict({"value": 0.1, "low": -0.1, "high": 0.2})


def test_scores_agree_with_scikit_learn():
    from sklearn.metrics import f1_score

    random = np.random.default_rng(0)
    labels, said = random.integers(0, 4, 300), random.integers(0, 4, 300)
    matrix = scores.confusion(labels, said, 4)
    assert scores.macro_f1(matrix) == pytest.approx(
        f1_score(labels, said, average="macro")
    )
    by_hand = f1_score(labels, said, average=None)
    assert [
        row["f1"] for row in scores.per_class(matrix, list("abcd"))
    ] == pytest.approx(by_hand)


def test_copies_widen_the_interval():
    labels = np.zeros(400, int)
    said = (np.arange(400) // 20 % 4 == 0).astype(int)  # 20 groups of 20 copies
    alone = scores.compare(labels, {"m": said}, np.arange(400), classes=2, seed=0)["m"]
    groups = scores.compare(
        labels, {"m": said}, np.arange(400) // 20, classes=2, seed=0
    )["m"]

    def width(found):
        return found["accuracy"]["high"] - found["accuracy"]["low"]

    assert width(groups) > 3 * width(alone)


def test_the_temperature_is_found_and_folded_into_the_model():
    from course_utils.own_data import measuring

    random = np.random.default_rng(0)
    true = random.normal(size=(4000, 3))
    labels = np.array([random.choice(3, p=p) for p in scores.softmax(true)])
    assert scores.temperature(3 * true, labels) == pytest.approx(3, rel=0.1)
    model = torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.Linear(8, 3))
    x = torch.randn(7, 5)
    before = model(x).detach()
    heat = measuring.calibrate(model, 3 * true, labels)
    assert torch.allclose(model(x) * heat, before, atol=1e-5)


@pytest.mark.parametrize(("rows", "classes"), [(20, 2), (200, 2), (200, 5)])
def test_few_texts_without_a_mistake_do_not_make_the_model_certain(rows, classes):
    labels = np.arange(rows) % classes
    logits = 3 * np.eye(classes)[labels] + np.random.default_rng(0).normal(
        0, 0.3, (rows, classes)
    )
    assert (logits.argmax(axis=1) == labels).all()
    shares = scores.softmax(logits / scores.temperature(logits, labels))
    sure = shares.max(axis=1).mean()
    assert 1 - 3 / rows < sure < 1 - 0.5 / rows


def test_calibration_and_abstention():
    shares = np.array([[0.9, 0.1]] * 50 + [[0.6, 0.4]] * 50)
    labels = np.array([0] * 45 + [1] * 5 + [0] * 30 + [1] * 20)
    found = scores.calibration(shares, labels, bins=2)
    assert found["error"] == pytest.approx(0)
    assert [(b["rows"], b["accuracy"]) for b in found["bins"]] == [(50, 0.6), (50, 0.9)]
    assert all(b["low"] < b["accuracy"] < b["high"] for b in found["bins"])
    assert len(scores.calibration(shares[:60], labels[:60])["bins"]) == 1
    held = {row["at_least"]: row for row in scores.abstention(shares, labels)}
    assert (held[0.0]["answered"], held[0.8]["answered"]) == (1, 0.5)
    assert held[0.8]["accuracy"] == 0.9 and held[0.95]["accuracy"] is None


# Models


def test_the_multilingual_model_comes_from_the_hub_pinned(tiny, here):
    from hub_stand_in import HubStandIn

    from course_utils.assets import hub

    write("data.csv")
    wanted = hub.MODELS["multilingual"]
    hidden = ("HF_", "HUGGINGFACE_", "TRANSFORMERS_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    with HubStandIn({wanted: Path(tiny)}) as server:
        environment = kept | {
            "HF_ENDPOINT": server.address,
            "HF_HOME": str(here / "hf"),
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "PYTHONPATH": ROOT,
            "SFT_COURSE_HUB": "1",
        }
        command = [sys.executable, "-m", "course_utils.finetune", "data.csv", *QUICK]
        answer = subprocess.run(
            [*command, "--epochs", "1", "--multilingual"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert answer.returncode == 0, answer.stderr
        files = server.asked(wanted.repository, "/resolve/")
        assert files and all(f"/resolve/{wanted.revision}/" in path for path in files)
    record = json.loads(Path("data_model/run.json").read_text())
    assert record["model"] == wanted.repository and record["english"] is False


# Predictions


def answers(*arguments, capsys):
    assert predict.main(list(map(str, arguments))) == 0
    said = capsys.readouterr()
    return said.out, said.err


def test_predictions_keep_the_order_and_blank_rows(trained, here, capsys):
    model = trained[0] / "my file_model"
    texts = [text for text, _ in rows(40, seed=9)]
    table = pd.DataFrame(
        {"id": range(42), "text": [*texts[:20], "", None, *texts[20:]]}
    )
    table.to_csv("texts.csv", index=False)
    _, said = answers(model, "texts.csv", "--output", "a.csv", capsys=capsys)
    found = pd.read_csv("a.csv", keep_default_na=False)
    assert len(found) == 42 and found["row"].tolist() == list(range(2, 44))
    assert found["prediction"][20] == found["prediction"][21] == ""
    assert "40 answered, 0 held back, 2 without text" in said
    shares = found.filter(like="share of").drop([20, 21]).astype(float)
    assert shares.sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-3)
    assert (
        shares.max(axis=1) == found["confidence"].drop([20, 21]).astype(float)
    ).all()


def test_unsure_answers_are_held_back(trained, here, capsys):
    model = trained[0] / "my file_model"
    write("texts.csv", 60, seed=7)
    out, _ = answers(model, "texts.csv", capsys=capsys)
    whole = pd.read_csv(io.StringIO(out), keep_default_na=False)
    limit = whole["confidence"].sort_values().iloc[29:31].mean()
    out, said = answers(model, "texts.csv", "--abstain-below", limit, capsys=capsys)
    found = pd.read_csv(io.StringIO(out), keep_default_na=False)
    sure = found["confidence"] >= limit
    assert 0 < sure.sum() < 60 and f"{sure.sum()} answered" in said
    assert (found["prediction"] != "").equals(sure)
    assert (found["held_back"] != sure).all()
    assert found["confidence"].equals(whole["confidence"])


def test_a_plain_list_of_texts_needs_no_columns(trained, here, capsys):
    Path("texts.txt").write_text("goodast, goodelm goodirk\nbadast badelm, badirk\n")
    model = trained[0] / "my file_model"
    out, _ = answers(model, "texts.txt", capsys=capsys)
    found = pd.read_csv(io.StringIO(out))
    assert found["text"].tolist() == [
        "goodast, goodelm goodirk",
        "badast badelm, badirk",
    ]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["nowhere", "texts.csv"], "no such folder"),
        ([".", "texts.csv"], "no config.json in it"),
        (["MODEL", "none.csv"], "no such file"),
        (["MODEL", "texts.csv", "--abstain-below", "90"], "from 0 to 1"),
        (["MODEL", "texts.csv", "--output", "texts.csv"], "which exists"),
        (["MODEL", "texts.csv", "--output", "texts.csv", "--overwrite"], "themselves"),
        (["MODEL", "texts.csv", "--text", "words"], "'words'"),
        (["DAMAGED", "texts.csv"], "a damaged one"),
    ],
)
def test_predicts_refusals(trained, here, capsys, arguments, part):
    model = trained[0] / "my file_model"
    shutil.copytree(model, "damaged")
    Path("damaged/model.safetensors").write_bytes(b"x")
    write("texts.csv", 10)
    places = {"MODEL": str(model), "DAMAGED": "damaged"}
    assert predict.main([places.get(a, a) for a in arguments]) == 2
    said = capsys.readouterr().err
    assert part in said and re.match(r"Expected .*; got .*\n$", said)


def test_errors_of_the_machine_are_not_of_the_user():
    assert not issubclass(MachineError, InputError)
