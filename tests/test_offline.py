"""Without a network: what is refused, and what an empty cache says.

That a filled cache is enough is seen with every lesson: conftest.py in the repository's
root refuses the network to each kernel in which nbval runs one. Here, a lesson runs with
an empty cache in another process whose sockets, and those of its kernel and of pip, are
refused in the same way.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from nbformat import NotebookNode

from tools import notebooks

pytestmark = pytest.mark.slow

LESSON = notebooks.FOLDER / "01_introduction.ipynb"  # the first one that is opened
GUARD = Path(__file__).resolve().parent / "no_network"  # holds a sitecustomize.py

# Runs a notebook up to its first error and writes it back with its outputs.
RUN = """
import sys
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

notebook = nbformat.read(sys.argv[1], as_version=4)
try:
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
except CellExecutionError:
    pass
nbformat.write(notebook, sys.argv[1])
"""


@dataclass(frozen=True)
class Offline:
    """A place for processes whose network is refused."""

    folder: Path
    cache: Path

    @property
    def attempts(self) -> list[str]:
        """Hosts beyond this machine that were asked for."""
        log = self.folder / "attempts.log"
        return log.read_text().splitlines() if log.exists() else []

    def run(self, *arguments: object) -> subprocess.CompletedProcess:
        """Run Python there to its end; return what it said."""
        ours = ("PIP_", "HF_", "TRANSFORMERS_", "SFT_COURSE_")
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(ours) and not name.lower().endswith("_proxy")
        }
        path = [str(GUARD), str(notebooks.ROOT), os.environ.get("PYTHONPATH", "")]
        environment |= {
            "PYTHONPATH": os.pathsep.join(filter(None, path)),
            "COURSE_NETWORK_LOG": str(self.folder / "attempts.log"),
            "SFT_COURSE_CACHE": str(self.cache),
            "IPYTHONDIR": str(self.folder / "ipython"),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": "https://index.invalid/simple",
            "HF_HUB_OFFLINE": "0",  # the course has to refuse the hub by itself
        }
        command = [sys.executable, *(str(argument) for argument in arguments)]
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        return subprocess.run(
            command, cwd=work, env=environment, capture_output=True, text=True
        )

    def execute(self, notebook: NotebookNode) -> NotebookNode:
        """Run a notebook there up to its first error; return it with its outputs."""
        path = self.folder / "lesson.ipynb"
        notebooks.write(notebook, path)
        done = self.run("-c", RUN, path)
        assert done.returncode == 0, done.stderr
        return notebooks.read(path)


def lesson() -> NotebookNode:
    """Read the lesson and drop its outputs."""
    notebook = notebooks.read(LESSON)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def errors(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """The error of each cell that raised one."""
    return {
        cell.id: output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    }


# The refusal itself


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('192.0.2.1', 80))",
        "socket.socket().connect(('192.0.2.1', 80))",
        "urllib.request.urlopen('http://host.invalid')",
        "asyncio.run(asyncio.open_connection('192.0.2.1', 80))",
    ],
)
def test_the_network_is_refused_and_the_attempt_noted(tmp_path, attempt):
    offline = Offline(tmp_path, tmp_path / "cache")
    done = offline.run("-c", f"import asyncio, socket, urllib.request\n{attempt}")
    assert done.returncode == 1
    assert re.search("Network is unreachable|failure in name resolution", done.stderr)
    assert offline.attempts and set(offline.attempts) <= {"192.0.2.1", "host.invalid"}


def test_the_machine_itself_can_be_reached(tmp_path):
    offline = Offline(tmp_path, tmp_path / "cache")
    server = "s = socket.create_server(('127.0.0.1', 0))"
    client = "socket.create_connection(('localhost', s.getsockname()[1])).close()"
    done = offline.run("-c", f"import socket\n{server}\n{client}")
    assert done.returncode == 0, done.stderr
    assert offline.attempts == []


# With an empty cache


def test_an_empty_cache_ends_in_one_clear_sentence(tmp_path):
    offline = Offline(tmp_path, tmp_path / "cache")
    began = time.perf_counter()
    notebook = offline.execute(lesson())
    assert time.perf_counter() - began < 60
    ((name, error),) = errors(notebook).items()
    (failed,) = (cell for cell in notebook.cells if cell.id == name)
    assert "corpora." in failed.source  # the first cell that needs data
    assert error.ename == "AssetError"
    assert re.fullmatch(r"Expected .+; got .+\. Connect and run .+", error.evalue)
    assert (
        "no connection (offline?)" in error.evalue
        and "SFT_COURSE_CACHE" in error.evalue
    )
    assert error.traceback == [f"AssetError: {error.evalue}"]  # and no stack of frames
    assert "stderr" not in {output.get("name") for output in failed.outputs}
    assert set(offline.attempts) == {"index.invalid"}
    assert [p for p in offline.cache.iterdir() if p.suffix != ".lock"] == []
