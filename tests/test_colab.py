"""The Colab path: a lone notebook, the runtime's versions, nothing of the course there.

The runtime's stand-in (colab_requirements.txt) is built once into .colab-venv and never
changed afterwards: each test gets an empty environment on top of it, as Colab gives each
notebook a fresh machine. Its kernel has a stub of google.colab loaded and cannot see
this repository; the course comes out of a git repository made of the working tree.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from filelock import FileLock
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbformat import NotebookNode

from tools import notebooks, stamp

pytestmark = pytest.mark.slow

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "colab_requirements.txt"
FOLDER = notebooks.ROOT / ".colab-venv"
LESSON = notebooks.FOLDER / "01_introduction.ipynb"

# A cell that is run after the notebook's own.
PROBE = """
import json, os, sys, course_utils, ipywidgets, numpy, pandas, torch, transformers
from course_utils.training import peak_memory_mib

modules = [course_utils, ipywidgets, numpy, pandas, torch, transformers]
print(json.dumps({
    "course": course_utils.__file__,
    "path": sys.path,
    "colab": "google.colab" in sys.modules,
    "hub_offline": os.environ["HF_HUB_OFFLINE"],
    "peak_memory_mib": peak_memory_mib(),
    "versions": {module.__name__: module.__version__ for module in modules},
}))
"""


@dataclass(frozen=True)
class Environment:
    """An empty environment on top of the runtime, and its packages."""

    folder: Path

    @property
    def python(self) -> Path:
        return python_of(self.folder)

    @property
    def packages(self) -> Path:
        """The folder that holds only what was installed on top of the runtime."""
        return packages_of(self.folder)

    def versions(self) -> dict[str, str]:
        """Name and version of all that is installed, the runtime's packages included."""
        listed = call(self.python, "-m", "pip", "list", "--format=json").stdout
        return {row["name"]: row["version"] for row in json.loads(listed)}


@dataclass(frozen=True)
class Run:
    """What was seen when a notebook was run on the stand-in of Colab."""

    environment: Environment
    notebook: NotebookNode
    folder: Path
    before: dict[str, str]
    after: dict[str, str]
    seen: dict


def call(*command: object, **options) -> subprocess.CompletedProcess:
    """Run a command away from this repository; fail with all it said."""
    options = {"cwd": FOLDER.anchor, "env": environment_variables(), **options}
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, **options
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


def environment_variables() -> dict[str, str]:
    """The variables of this process without those that would lead to this repository."""
    ours = ("PYTHON", "VIRTUAL_ENV", "HF_", "TRANSFORMERS_", "JUPYTER", "SFT_COURSE_")
    kept = {"SFT_COURSE_CACHE"}  # so that nothing is downloaded twice
    return {
        name: value
        for name, value in os.environ.items()
        if name in kept or not name.startswith(ours)
    }


def python_of(folder: Path) -> Path:
    windows = folder / "Scripts" / "python.exe"
    return windows if windows.exists() else folder / "bin" / "python"


def packages_of(folder: Path) -> Path:
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(call(python_of(folder), "-c", code).stdout.strip())


@pytest.fixture(scope="module", autouse=True)
def index(tmp_path_factory):
    """Skip these tests where pip reaches no index: Colab is never offline."""
    target = tmp_path_factory.mktemp("probe")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--retries", "1", "--timeout", "15", "--dest", str(target), "gguf"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode and "from versions: none" in done.stderr:
        pytest.skip("pip reaches no package index, and a Colab set-up needs one")


@pytest.fixture(scope="module")
def runtime(index):
    """Colab's packages in an environment that is kept while the pins stay the same."""
    FOLDER.mkdir(exist_ok=True)
    folder, ready = FOLDER / "runtime", FOLDER / "ready"
    key = hashlib.sha256(f"{sys.version}{REQUIREMENTS.read_text()}".encode())
    with FileLock(FOLDER / "lock"):
        if not ready.exists() or ready.read_text() != key.hexdigest():
            ready.unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
            call(sys.executable, "-m", "venv", folder)
            pip = [python_of(folder), "-m", "pip", "install", "--quiet"]
            call(
                *pip, "--no-compile", "-r", REQUIREMENTS
            )  # imports compile what they need
            ready.write_text(key.hexdigest())
    return folder


@pytest.fixture
def environment(runtime, tmp_path):
    return layered(runtime, tmp_path / "environment")


def layered(runtime: Path, folder: Path) -> Environment:
    """Make an empty environment that sees the runtime's packages and cannot change them."""
    call(python_of(runtime), "-m", "venv", "--without-pip", folder)
    link = packages_of(folder) / "runtime.pth"
    link.write_text(f"{packages_of(runtime)}\n", encoding="utf-8")
    return Environment(folder)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The working tree as a git repository of its own: what Colab would install from."""
    if shutil.which("git") is None or not (notebooks.ROOT / ".git").exists():
        pytest.skip("not a git repository, so there is nothing to publish")
    folder = tmp_path_factory.mktemp("published")
    listing = ["git", "ls-files", "-z", "-co", "--exclude-standard"]
    for name in call(*listing, cwd=notebooks.ROOT).stdout.split("\0"):
        if name and (notebooks.ROOT / name).is_file():  # not one just deleted
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(notebooks.ROOT / name, folder / name)
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    call("git", "init", "--quiet", cwd=folder)
    call("git", "add", "--all", cwd=folder)
    commit = ["commit", "--quiet", "--no-verify", "--no-gpg-sign", "-m", "Publish"]
    call("git", *author, *commit, cwd=folder)
    return folder


def lone_notebook(folder: Path, address: str | None = None) -> NotebookNode:
    """Put lesson 01, and nothing else, into a folder; return it without its outputs."""
    folder.mkdir()
    notebook = notebooks.read(LESSON)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    if address:
        stamp.stamp(notebook, LESSON.name, address)
    notebooks.write(notebook, folder / LESSON.name)
    return notebook


def execute(notebook: NotebookNode, environment: Environment, folder: Path) -> Run:
    """Run a notebook with a kernel of the environment, as a front end does."""
    kernel = environment.folder / "kernels" / "colab"
    kernel.mkdir(parents=True)
    command = [str(environment.python), "-m", "ipykernel_launcher"]
    command += ["-f", "{connection_file}"]
    command += ["--InteractiveShellApp.exec_lines=import google.colab"]
    spec = {"argv": command, "display_name": "Colab", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    manager = AsyncKernelManager(
        kernel_name="colab",
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(kernel.parent)]),
    )
    variables = environment_variables() | {
        "PYTHONPATH": str(HERE / "colab_stub"),
        "IPYTHONDIR": str(environment.folder / "ipython"),
    }
    before = environment.versions()
    notebook.cells.append(nbformat.v4.new_code_cell(PROBE))
    client = NotebookClient(
        notebook,
        manager,
        timeout=600,
        allow_errors=True,  # a test says which cells failed; the others say the rest
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env=variables)
    probe = notebook.cells.pop()
    seen = json.loads("".join(output.text for output in probe.outputs))
    return Run(environment, notebook, folder, before, environment.versions(), seen)


@pytest.fixture(scope="module")
def lesson(runtime, published, tmp_path_factory):
    """Lesson 01 alone in a folder, run from its first cell to its last."""
    scratch = tmp_path_factory.mktemp("colab")
    notebook = lone_notebook(scratch / "content", published.as_uri())
    environment = layered(runtime, scratch / "environment")
    return execute(notebook, environment, scratch / "content")


def test_the_runtime_has_nothing_of_the_course(environment):
    installed = environment.versions()
    assert not {"sft-course", "gguf", "nbval", "trl", "optuna"} & set(installed)
    pins = [line.split() for line in REQUIREMENTS.read_text().splitlines()]
    pins = dict(pin[0].split("==") for pin in pins if pin and pin[0] != "#")
    found = {name: installed.get(name, "").split("+")[0] for name in pins}
    assert found == pins and len(pins) > 20


def outputs(notebook: NotebookNode) -> list[tuple[str, NotebookNode]]:
    """All outputs of a notebook, each with the id of its cell."""
    return [
        (cell.id, output)
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    ]


def test_the_lone_lesson_runs_to_its_end(lesson):
    errors = {
        name: f"{output.ename}: {output.evalue}"
        for name, output in outputs(lesson.notebook)
        if output.output_type == "error"
    }
    assert errors == {}
    code = [cell for cell in lesson.notebook.cells if cell.cell_type == "code"]
    assert len(code) > 20 and all(cell.execution_count for cell in code)


def test_its_claims_hold(lesson):
    (claims,) = (cell for cell in lesson.notebook.cells if cell.id == "claims")
    table = claims.outputs[-1].get("data", {}).get("text/plain", "")
    assert "True" in table and "False" not in table


def test_it_is_quiet(lesson):
    said = [(name, output.get("text", "")) for name, output in outputs(lesson.notebook)]
    assert [(name, text) for name, text in said if "Warning" in text] == []
    streams = {output.get("name") for _, output in outputs(lesson.notebook)}
    assert "stderr" not in streams


def test_its_figures_and_widgets_are_shown(lesson):
    kinds = {
        kind
        for _, output in outputs(lesson.notebook)
        for kind in output.get("data", {})
    }
    assert {"image/png", "application/vnd.jupyter.widget-view+json"} <= kinds


def test_no_package_of_the_runtime_is_changed(lesson):
    changed = {
        name: (version, lesson.after.get(name))
        for name, version in lesson.before.items()
        if lesson.after.get(name) != version
    }
    assert changed == {}
    for name, version in lesson.seen["versions"].items():
        assert name == "course_utils" or version == lesson.before[name], name


def test_only_what_is_missing_is_added_and_it_is_pure_python(lesson):
    assert set(lesson.after) - set(lesson.before) == {
        "sft-course",
        "gguf",
        "krippendorff",
    }
    compiled = (".so", ".pyd", ".dylib")
    files = lesson.environment.packages.rglob("*")
    assert [file for file in files if file.suffix in compiled] == []


def test_the_course_comes_from_the_environment_not_from_here(lesson):
    imported = Path(lesson.seen["course"])
    assert imported.is_relative_to(lesson.environment.packages)
    assert not [path for path in lesson.seen["path"] if path == str(notebooks.ROOT)]
    assert lesson.seen["colab"]


def test_the_hub_is_switched_off(lesson):
    assert lesson.seen["hub_offline"] == "1"


def test_its_memory_is_within_the_promise(lesson):
    assert lesson.seen["peak_memory_mib"] < 4096


def test_nothing_is_written_beside_the_notebook(lesson):
    assert [path.name for path in lesson.folder.rglob("*")] == [LESSON.name]


def test_an_uploaded_wheel_is_installed_instead(published, environment, tmp_path):
    """While the course has no public address, its wheel is put beside the notebook."""
    folder = tmp_path / "content"
    notebook = lone_notebook(folder, "https://course.invalid/not/reached")
    pip = [environment.python, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    call(*pip, "--wheel-dir", folder, published)
    (wheel,) = folder.glob("*.whl")
    notebook.cells = [cell for cell in notebook.cells if cell.id == "setup"]
    run = execute(notebook, environment, folder)
    assert "Lesson 01 on " in str(run.notebook.cells[0].outputs)
    assert Path(run.seen["course"]).is_relative_to(environment.packages)
    assert run.after["sft-course"] == wheel.name.split("-")[1]
    assert run.before.items() <= run.after.items()
