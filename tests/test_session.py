"""The start of a lesson, the import of the package, errors as a learner sees them."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import warnings

import pytest
from index_stand_in import ROOT

from course_utils import session
from course_utils.errors import AssetError, InputError


@pytest.fixture
def start(monkeypatch):
    """`session.start`, with everything put back that it sets for the process."""
    import huggingface_hub.constants as constants
    import matplotlib
    import torch

    for variable in ("SEED", "THREADS", "DEVICE", "HUB"):
        monkeypatch.delenv(f"SFT_COURSE_{variable}", raising=False)
    monkeypatch.setenv("SFT_COURSE_THREADS", "1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", constants.HF_HUB_OFFLINE)
    environment, threads = dict(os.environ), torch.get_num_threads()
    with warnings.catch_warnings(), matplotlib.rc_context():
        yield session.start
    torch.set_num_threads(threads)
    os.environ.clear()
    os.environ.update(environment)


def one_sentence(error, *parts):
    text = str(error.value)
    assert text.startswith("Expected ") and "; got " in text and "\n" not in text
    for part in parts:
        assert part in text


# start


def test_start_prints_exactly_one_line_on_where_it_runs(start, capsys):
    start("07", device="cpu", seed=3)
    output = capsys.readouterr()
    assert output.out.count("\n") == 1 and output.err == ""
    assert output.out.startswith("Lesson 07 on CPU with 1 threads, ")
    assert "seed 3; models: small, from the package index; torch " in output.out


def test_start_returns_what_a_lesson_needs(start):
    import torch

    place = start(1, device="cpu")
    assert (place.lesson, place.seed, place.threads, place.hub) == ("01", 42, 1, False)
    assert place.device == torch.device("cpu")
    assert place.precision in (torch.float32, torch.bfloat16)
    assert torch.get_num_threads() == 1
    assert 0 <= place.elapsed() < 10


def test_autocast_computes_in_the_precision_of_the_session(start):
    import torch

    place = start("01", device="cpu")
    with place.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == place.precision


def test_the_same_seed_gives_the_same_numbers_and_another_others(start):
    import numpy as np
    import torch

    def numbers(seed):
        start("01", seed=seed, device="cpu")
        return torch.rand(3).tolist(), np.random.rand(3).tolist(), random.random()

    first, again, other = numbers(5), numbers(5), numbers(6)
    assert first == again
    assert all(one != two for one, two in zip(first, other, strict=True))


def test_the_seed_comes_from_the_environment_unless_it_is_given(start, monkeypatch):
    monkeypatch.setenv("SFT_COURSE_SEED", "11")
    assert start("01", device="cpu").seed == 11
    assert start("01", device="cpu", seed=12).seed == 12


def test_the_hub_switch_is_shown_and_off_means_offline(start, capsys):
    assert start("01", device="cpu", hub=True).hub is True
    assert os.environ["HF_HUB_OFFLINE"] == "0"
    assert start("01", device="cpu", hub=False).hub is False
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    lines = capsys.readouterr().out.splitlines()
    assert "from the model hub" in lines[0] and "from the package index" in lines[1]


@pytest.mark.parametrize("lesson", ["00", "32", 0, "intro", ""])
def test_an_unknown_lesson_is_refused(lesson):
    with pytest.raises(InputError) as error:
        session.start(lesson)
    one_sentence(error, "a lesson number", f"got {lesson!r}")


@pytest.mark.parametrize(
    ("variable", "value", "minimum"),
    [
        ("SFT_COURSE_SEED", "many", 0),
        ("SFT_COURSE_SEED", "-1", 0),
        ("SFT_COURSE_SEED", "1.5", 0),
        ("SFT_COURSE_THREADS", "0", 1),
        ("SFT_COURSE_THREADS", "two", 1),
    ],
)
def test_a_bad_number_in_the_environment_is_refused(
    start, monkeypatch, variable, value, minimum
):
    monkeypatch.setenv(variable, value)
    with pytest.raises(InputError) as error:
        start("01", device="cpu")
    one_sentence(error, f"{variable} to be a whole number of at least {minimum}", value)


@pytest.mark.parametrize("given", [True, False], ids=["argument", "variable"])
def test_a_device_that_is_not_here_is_refused(start, monkeypatch, given):
    monkeypatch.setenv("SFT_COURSE_DEVICE", "abacus")
    with pytest.raises(InputError) as error:
        start("01", device="abacus" if given else None)
    one_sentence(error, "got 'abacus'", "choose 'cpu'")


def test_cuda_without_a_gpu_is_refused(start):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(InputError) as error:
        start("01", device="cuda")
    one_sentence(error, "got 'cuda'")


# Importing the package

IMPORT = """
import json, os, random, sys, time

touched = []
def watch(event, arguments):
    mode = arguments[1] if event == "open" else ""
    written = isinstance(mode, str) and set(mode) & set("wax+")
    if written or event in ("os.mkdir", "os.rename"):
        touched.append([event, str(arguments[0])])
sys.addaudithook(watch)
state, environment = random.getstate(), dict(os.environ)
began = time.perf_counter()
import course_utils
seconds = time.perf_counter() - began
loaded = {name.split(".")[0] for name in sys.modules}
print(json.dumps({
    "seconds": seconds,
    "loaded": sorted(loaded & {"torch", "numpy", "pandas", "transformers"}),
    "touched": touched,
    "same": state == random.getstate() and environment == dict(os.environ),
}))
"""


@pytest.fixture(scope="module")
def imports():
    """What five fresh Pythons saw when they imported the package."""
    command = [sys.executable, "-B", "-c", IMPORT]
    answers = [
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        for _ in range(5)
    ]
    return [json.loads(answer.stdout) for answer in answers]


def test_importing_the_package_takes_under_a_fifth_of_a_second(imports):
    assert min(seen["seconds"] for seen in imports) < 0.2


def test_importing_the_package_loads_no_library(imports):
    assert imports[0]["loaded"] == []


def test_importing_the_package_sets_no_seed_and_no_variable(imports):
    assert all(seen["same"] for seen in imports)


def test_importing_the_package_writes_no_file(imports):
    assert imports[0]["touched"] == []


# Errors in a notebook


@pytest.fixture
def shell(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    return InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))


@pytest.mark.parametrize("kind", [InputError, AssetError])
def test_a_notebook_shows_an_error_as_one_line(shell, capsys, kind):
    shell.push({"kind": kind})
    shell.run_cell("def deep():\n    raise kind('Expected a; got b. Use c.')\ndeep()")
    assert capsys.readouterr().out == f"{kind.__name__}: Expected a; got b. Use c.\n"


def test_errors_can_be_caught_as_the_usual_kinds():
    assert issubclass(InputError, ValueError) and issubclass(AssetError, RuntimeError)
