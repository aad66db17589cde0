"""The repository as a whole: pinned versions, ranges, sizes, paths, fresh tables."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import readme, structure
from tools.notebooks import ROOT

LINE = re.compile(r"(?P<name>[\w.-]+)==(?P<version>[\w.]+) +# (?P<reason>\S.*)")
COLAB = {  # what Colab has, so that installing the course there replaces nothing
    "transformers": "5.15.0",
    "datasets": "4.0.0",
    "accelerate": "1.14.0",
    "peft": "0.20.0",
    "numpy": "2.1.3",
    "pandas": "2.2.3",
    "scikit-learn": "1.6.1",
    "matplotlib": "3.10.0",
    "ipywidgets": "7.7.1",
    "torch": "2.11.0",
}


def pinned_lines():
    content = (ROOT / "requirements.txt").read_text("utf-8")
    return [line for line in content.splitlines() if not line.startswith("#")]


def pins():
    matches = [LINE.fullmatch(line) for line in pinned_lines()]
    return {canonicalize_name(match["name"]): match["version"] for match in matches}


def ranges():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    written = [
        *project["dependencies"],
        *(entry for extra in extras for entry in extra),
    ]
    requirements = [Requirement(entry) for entry in written]
    return {canonicalize_name(r.name): r.specifier for r in requirements}


@pytest.fixture(scope="module")
def tracked():
    """Files of the repository: in git, or about to be."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        answer = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in answer.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def words(path):
    """Return a file's text; nothing for a file that is no text."""
    content = path.read_bytes()
    return "" if b"\0" in content else content.decode("utf-8")


# Versions


def test_torch_is_pinned_first():
    assert pinned_lines()[0].startswith("torch==2.13.0 ")


def test_every_line_is_pinned_once_and_has_its_reason():
    assert [line for line in pinned_lines() if not LINE.fullmatch(line)] == []
    assert len(pins()) == len(pinned_lines())


def test_every_dependency_of_the_package_is_pinned_for_the_tests():
    assert sorted(ranges().keys() - pins().keys()) == []


@pytest.mark.parametrize("name", sorted(ranges().keys() & pins().keys()))
def test_the_range_admits_the_pinned_version(name):
    assert ranges()[name].contains(pins()[name])


@pytest.mark.parametrize("name", COLAB)
def test_the_range_admits_colabs_version(name):
    assert ranges()[name].contains(COLAB[name])


def test_an_older_major_version_is_not_admitted():
    assert not ranges()["transformers"].contains("4.57.0")
    assert not ranges()["numpy"].contains("1.26.4")


def test_conda_installs_the_same_versions():
    assert "- -r requirements.txt" in (ROOT / "environment.yml").read_text("utf-8")


def test_no_library_that_drags_another_torch_along(tracked):
    banned = {"torchvision", "torchaudio", "timm"}
    assert not banned & (pins().keys() | ranges().keys())
    imported = re.compile(rf"\b(?:import|from) (?:{'|'.join(banned)})\b")
    assert [path for path in tracked if imported.search(words(path))] == []


# Files


def test_no_file_is_large(tracked):
    limit = {".ipynb": structure.MAX_MEGABYTES}
    large = [
        f"{path.relative_to(ROOT)}: {path.stat().st_size / 1e6:.1f} MB"
        for path in tracked
        if path.stat().st_size > 1e6 * limit.get(path.suffix, 1)
    ]
    assert large == []


def test_no_weights_archives_or_caches_are_in_the_repository(tracked):
    kinds = ".safetensors .gguf .pt .pth .bin .ckpt .onnx .h5 .keras .npz .npy .pkl "
    kinds += ".joblib .whl .zip .gz .pyc"
    assert [path for path in tracked if path.suffix in kinds.split()] == []


def test_no_path_of_one_machine_is_written_anywhere(tracked):
    machine_path = re.compile(r"(?<![\w.:/+-])(?:/(?:home|root|Users)/|[A-Z]:\\+Users)")
    mine = [ROOT / "tests", ROOT / "tools" / "structure.py"]
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked
        if not any(path.is_relative_to(place) for place in mine)
        and (match := machine_path.search(words(path)))
    ]
    assert found == []


def test_no_module_of_the_package_is_long():
    sizes = {
        path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in (ROOT / "course_utils").rglob("*.py")
    }
    assert len(sizes) > 10
    # A lesson's exercises are mostly wrong answers with their hints: a list, not logic.
    limits = {name: 300 if "/exercises/lesson_" in name else 250 for name in sizes}
    assert {n: size for n, size in sizes.items() if size > limits[n]} == {}


def test_every_package_folder_is_installed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    folders = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "course_utils").rglob("__init__.py")
    }
    assert set(project["tool"]["setuptools"]["packages"]) == folders


# Tables and lessons


def test_readmes_tables_are_those_of_the_lessons_as_they_are():
    text = readme.README.read_text("utf-8")
    assert readme.render(text) == text, "run: python -m tools.course readme"


def test_the_check_of_all_lessons_succeeds_on_the_command_line():
    command = [sys.executable, "-m", "tools.course", "check"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (answer.stdout, answer.stderr) == ("No problems found.\n", "")
    assert answer.returncode == 0
