"""Without a network: a filled cache is enough, and an empty one says what to do.

The lesson runs in another process whose sockets, and those of its kernel and of pip,
refuse everything but this machine itself and note each attempt to reach further.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from course_utils import assets
from tools import notebooks

pytestmark = pytest.mark.slow

LESSON = notebooks.FOLDER / "01_introduction.ipynb"  # the quickest with a real training
ASSETS = ("sentiment", "encoder")  # all that this lesson takes from the cache

# As sitecustomize.py on PYTHONPATH it is loaded by every Python that is started.
REFUSE = """
import errno, os, socket

HERE = (None, "", "localhost", "::1", "0.0.0.0", "::", socket.gethostname())


def is_here(host):
    host = host.decode() if isinstance(host, bytes) else host
    if host in HERE or host.startswith("127."):
        return True
    with open(os.environ["COURSE_NETWORK_LOG"], "a") as log:
        log.write(f"{host}\\n")
    return False


class Socket(socket.socket):
    def _check(self, address):
        if isinstance(address, tuple) and not is_here(address[0]):
            raise OSError(errno.ENETUNREACH, "Network is unreachable")

    def connect(self, address):
        self._check(address)
        return super().connect(address)

    def connect_ex(self, address):
        self._check(address)
        return super().connect_ex(address)

    def sendto(self, data, *rest):
        self._check(rest[-1])
        return super().sendto(data, *rest)


def only_here(look_up):
    def checked(host, *arguments, **options):
        if not is_here(host):
            text = "Temporary failure in name resolution"
            raise socket.gaierror(socket.EAI_AGAIN, text)
        return look_up(host, *arguments, **options)

    return checked


socket.socket = Socket  # create_connection makes one of these, too
for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
    setattr(socket, name, only_here(getattr(socket, name)))
"""

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

# A cell that is run after the lesson's own.
PROBE = """
import json, os
from huggingface_hub import constants
from course_utils.training import peak_memory_mib

print(json.dumps({
    "variable": os.environ["HF_HUB_OFFLINE"],
    "constant": constants.HF_HUB_OFFLINE,
    "peak_memory_mib": peak_memory_mib(),
}))
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
        guard = self.folder / "guard"
        guard.mkdir(exist_ok=True)
        (guard / "sitecustomize.py").write_text(REFUSE, encoding="utf-8")
        ours = ("PIP_", "HF_", "TRANSFORMERS_", "SFT_COURSE_")
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(ours) and not name.lower().endswith("_proxy")
        }
        path = [str(guard), str(notebooks.ROOT), os.environ.get("PYTHONPATH", "")]
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


# With a filled cache


@dataclass(frozen=True)
class Filled:
    """What was seen when the lesson ran with its assets in the cache."""

    notebook: NotebookNode
    attempts: list[str]


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    for name in ASSETS:
        assets.fetch(name, quiet=True)
    offline = Offline(tmp_path_factory.mktemp("filled"), assets.cache_folder())
    notebook = lesson()
    notebook.cells.append(nbformat.v4.new_code_cell(PROBE, id="probe"))
    return Filled(offline.execute(notebook), offline.attempts)


@pytest.fixture
def probe(filled):
    return json.loads(filled.notebook.cells[-1].outputs[0].text)


def test_the_lesson_runs_to_its_end(filled):
    assert {name: e.evalue for name, e in errors(filled.notebook).items()} == {}
    code = [cell for cell in filled.notebook.cells if cell.cell_type == "code"]
    assert len(code) > 20 and all(cell.execution_count for cell in code)


def test_no_connection_is_attempted(filled):
    assert filled.attempts == []


def test_the_hub_is_told_to_stay_offline(probe):
    assert probe["variable"] == "1" and probe["constant"] is True


def test_the_memory_is_within_the_promise(probe):
    assert probe["peak_memory_mib"] < 4096


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
