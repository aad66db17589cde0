"""nbval as set up in pyproject.toml: it fails when it should, and only then.

One run of pytest, with the options of pyproject.toml, over a small notebook whose stored
outputs are those of an earlier run; then the verdict on each cell is looked at.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from xml.etree import ElementTree

import nbformat
import pytest

from tools import notebooks

PROJECT = notebooks.ROOT / "pyproject.toml"
SECONDS_ALLOWED = (
    4  # for a cell of this notebook; pyproject.toml has the lessons' limit
)
CHECKED = ["nbval-check-output"]
ASKS = """
import contextlib, urllib.request
with contextlib.suppress(OSError):
    urllib.request.urlopen("http://host.invalid")
print("ready")
"""
WARNS = "import sys\nprint('ready')\nprint('a warning', file=sys.stderr)"

# The cells in their order: what they run, what is stored as their output, their tags.
PASS = {
    "runs": ("print(6 * 7)", "42", []),
    "raises where it may": ("1 / 0", "", ["raises-exception"]),
    "unchecked, other score": ("print('F1 0.81')", "F1 0.79", []),
    "same score": ("print('F1 0.81')", "F1 0.81", CHECKED),
    "other seconds": ("print('in 61 s, F1 0.81')", "in 12.5 s, F1 0.81", CHECKED),
    "other object": ("print(object())", "<object object at 0x7f1e5c0b1230>", CHECKED),
}
FAIL = {
    "asks for another machine": (ASKS, "ready", []),
    "raises": ("1 / 0", "", []),
    "other score": ("print('F1 0.81')", "F1 0.79", CHECKED),
    "other score and seconds": ("print('F1 0.81, 3 s')", "F1 0.79, 4 s", CHECKED),
    "warns": (WARNS, "ready", CHECKED),
    "prints nothing any more": ("pass", "ready", CHECKED),
    "takes too long": (
        "import time\ntime.sleep(60)",
        "",
        [],
    ),  # nbval runs no more then
}
CELLS = PASS | FAIL


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """Why each cell failed; nothing for one that passed."""
    folder = tmp_path_factory.mktemp("nbval")
    notebooks.write(notebook_of(CELLS.values()), folder / "cells.ipynb")
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    command += ["-p", "conftest", "-c", str(PROJECT), "--rootdir", str(notebooks.ROOT)]
    command += [f"--nbval-cell-timeout={SECONDS_ALLOWED}", f"--junit-xml={report}"]
    done = subprocess.run(
        [*command, str(folder / "cells.ipynb")],
        cwd=notebooks.ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    cases = list(ElementTree.parse(report).iter("testcase"))
    assert len(cases) == len(CELLS)
    return {
        name: "".join(f"{trouble.get('message')} {trouble.text}" for trouble in case)
        for name, case in zip(CELLS, cases, strict=True)
    }


def notebook_of(cells):
    """Make a notebook that was executed before, with these outputs."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    for number, (source, output, tags) in enumerate(cells, start=1):
        cell = nbformat.v4.new_code_cell(source, execution_count=number)
        cell.metadata["tags"] = tags
        if output:
            cell.outputs = [nbformat.v4.new_output("stream", text=f"{output}\n")]
        notebook.cells.append(cell)
    return notebook


@pytest.mark.parametrize("name", PASS)
def test_a_cell_passes_that(verdicts, name):
    assert verdicts[name] == ""


@pytest.mark.parametrize("name", FAIL)
def test_a_cell_fails_that(verdicts, name):
    assert verdicts[name] != ""


def test_each_fails_for_its_own_reason(verdicts):
    assert "ZeroDivisionError" in verdicts["raises"]
    assert "it asked for ['host.invalid']" in verdicts["asks for another machine"]
    assert "0.79" in verdicts["other score"]
    assert "stderr" in verdicts["warns"]
    assert "Timeout of 4 seconds" in verdicts["takes too long"]


# The patterns of nbval_sanitize.cfg, applied as nbval applies them


def sanitised(text):
    from nbval.plugin import get_sanitize_patterns

    place = notebooks.ROOT / "tests" / "nbval_sanitize.cfg"
    for regex, replacement in get_sanitize_patterns(place.read_text("utf-8")):
        text = re.sub(regex, replacement, text)
    return text


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("fine-tuned in 9 seconds, 64 steps", "fine-tuned in 1.5 seconds, 64 steps"),
        ("0.123 s", "1.2e-05 s"),
        ("12ms", "3.5 µs"),
        ("1 minute", "2.5 minutes"),
        ("1,871 MiB", "902.5 MiB"),
        ("1.8 GiB", "2 GiB"),
        ("executed 2026-11-22", "executed 2027-01-02"),
        ("at 2026-11-22 07:36:01.5", "at 2027-01-02 17:00:00.25"),
        ("10/10 [00:12<00:00,  1.20it/s]", "10/10 [01:02<00:00,  0.16it/s]"),
        ("1,200 texts per second", "87.5 texts per second"),
        ("<Linear at 0x7f00aa12bb30>", "<Linear at 0x55d0c4e1f2a0>"),
        ("#T_0a1b2_row0_col1", "#T_f9e8d_row0_col1"),
    ],
)
def test_what_differs_from_run_to_run_is_replaced(one, another):
    assert sanitised(one) == sanitised(another)


@pytest.mark.parametrize(
    "text",
    [
        "accuracy 0.813, interval [0.790, 0.836]",
        "1,000 training texts, 5 sentences, 3 seeds, 2 minima, 4 msgs",
        "22,713,986 parameters: 11,720,448 frozen",
        "torch.Size([32, 57])",
        "a file of 83.5 MB",
        "T_max=10, 0x1f, seed 42",
    ],
)
def test_all_else_stays(text):
    assert sanitised(text) == text


def test_the_lessons_have_a_time_limit_and_these_patterns():
    options = tomllib.loads(PROJECT.read_text("utf-8"))["tool"]["pytest"]["ini_options"]
    limits = [o for o in options["addopts"] if o.startswith("--nbval-cell-timeout=")]
    assert len(limits) == 1 and 0 < int(limits[0].partition("=")[2]) <= 600
    assert "--nbval-sanitize-with=tests/nbval_sanitize.cfg" in options["addopts"]
    assert "--nbval-lax" in options["addopts"]
