"""The offline pack: what is in it, what is refused, its installation without a network.

The light tests pack toy wheels and a toy asset. The slow ones let pip build the pack
out of a folder of wheels, unpack it into a path with a blank, and install it with the
network refused; a stand-in for JupyterLab there tells how it was started.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from index_stand_in import ROOT, Index, wheel_bytes

from conftest import one_sentence
from course_utils import assets, lessons
from course_utils.assets.catalogue import ASSETS
from course_utils.classroom import install_offline, pack, wheels
from course_utils.classroom.install_offline import PackError
from course_utils.errors import AssetError, InputError

TOP = "sft-course/"
GUARD = ROOT / "tests" / "no_network"  # holds a sitecustomize.py
ASSET, OTHER = "sms_spam", "entities"  # small real ones
# Says how it was started, in place of JupyterLab.
LAB = """
import json, os, sys
from pathlib import Path

names = ("SFT_COURSE_CACHE", "SFT_COURSE_HUB", "HF_HUB_OFFLINE", "PIP_NO_INDEX")
told = {name: os.environ[name] for name in names}
print(json.dumps({"words": sys.argv[1:], "folder": str(Path.cwd()), **told}))
sys.exit(7)
"""


def toy_asset(index):
    files = {"toy/a.txt": "first\n" * 999, "toy/w.safetensors": bytes(9999)}
    package = index.wheel("toy-asset", files, members=("toy/*",), strip="toy/")
    index.add("toy", package)


@pytest.fixture(scope="module")
def fetched_once(tmp_path_factory):
    """The toy asset's folder, for copies: its wheel always has the same hash."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        index = Index(tmp_path_factory.mktemp("fetched"), monkeypatch)
        toy_asset(index)
        return assets.fetch("toy", quiet=True)


@pytest.fixture
def index(tmp_path, monkeypatch, fetched_once):
    """A cache with one toy asset in it, and a folder of packages for pip."""
    index = Index(tmp_path / "index", monkeypatch)
    toy_asset(index)
    shutil.copytree(fetched_once, index.cache / "toy")
    return index


@pytest.fixture
def collected(monkeypatch):
    """Toy wheels in place of those that pip collects; returns their bytes."""
    made = {name: wheel_bytes(name, {f"{name}.py": "x" * 999}) for name in ("b", "pip")}

    def collect(requirements, scratch):
        folder = scratch / "wheels"
        folder.mkdir()
        for name, content in made.items():
            (folder / f"{name}-1.0-py3-none-any.whl").write_bytes(content)
        return sorted(folder.iterdir())

    monkeypatch.setattr(wheels, "collect", collect)
    return made


@pytest.fixture
def output(tmp_path):
    """Where the pack goes: a folder with nothing in it."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "pack.zip"


def members(path):
    with zipfile.ZipFile(path) as zipped:
        return {info.filename.removeprefix(TOP): info for info in zipped.infolist()}


def text_of(path, name):
    with zipfile.ZipFile(path) as zipped:
        return zipped.read(TOP + name).decode()


# What is in it


def test_the_pack_holds_lessons_wheels_and_cache(index, collected, output):
    assert pack.write(output, assets=["toy"]) == output
    names = members(output).keys()
    written = {row.file for row in lessons.LESSONS.values()}
    there = {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    packed = {name.split("/")[1] for name in names if name.startswith("notebooks/")}
    assert packed == written & there and len(packed) > 20
    assert {
        *("README.txt", "README.md", "LICENSE", "requirements.txt", "packages.txt"),
        *("install_offline.py", "pack.json", "data/encoder.md", "data/README.md"),
        *("scaling/train.py", "benchmarks/results/strategies.json"),
        *("wheels/b-1.0-py3-none-any.whl", "wheels/pip-1.0-py3-none-any.whl"),
    } <= names
    cache = {name for name in names if name.startswith("cache/")}
    files = ("a.txt", "w.safetensors", "manifest.json")
    assert cache == {f"cache/toy/{file}" for file in files}


def test_every_file_that_a_lesson_links_to_is_packed(index, collected, output):
    names = members(pack.write(output, assets=[])).keys()
    linked = set()
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        text = "".join(line for cell in cells for line in cell["source"])
        linked |= {part.split(")")[0].split("#")[0] for part in text.split("](../")[1:]}
    assert len(linked) > 9 and linked - names == set()


def test_locks_and_converted_copies_stay_at_home(index, collected, output):
    copy = index.cache / "toy-float32"
    copy.mkdir()
    (copy / "model.safetensors").write_bytes(bytes(9))
    (index.cache / "toy" / "stray.lock").write_text("")
    (index.cache / "toy.lock").write_text("")
    names = members(pack.write(output, assets=["toy"]))
    assert [name for name in names if "lock" in name or "float32" in name] == []


def test_only_what_is_not_compressed_yet_is_compressed(index, collected, output):
    found = members(pack.write(output, assets=["toy"]))
    stored = {name for name, m in found.items() if m.compress_type == 0}
    assert {"cache/toy/w.safetensors", "wheels/b-1.0-py3-none-any.whl"} <= stored
    assert (
        not {"cache/toy/a.txt", "README.md", "notebooks/01_introduction.ipynb"} & stored
    )


def test_each_wheel_is_pinned_with_its_hash(index, collected, output):
    pack.write(output, assets=[])
    digests = {n: hashlib.sha256(data).hexdigest() for n, data in collected.items()}
    lines = [f"{name}==1.0 --hash=sha256:{digests[name]}" for name in ("b", "pip")]
    assert text_of(output, "packages.txt").splitlines() == lines


def test_the_readme_says_for_whom_how_and_what_is_missing(index, collected, output):
    pack.write(output, assets=["toy"])
    text = text_of(output, "README.txt")
    assert install_offline.this_machine() in text
    python = "python{}.{}".format(*sys.version_info)
    assert (
        f"    {python} install_offline.py\n    {python} install_offline.py start\n"
        in text
    )
    assert "Lesson 15 can be read but not run" in text and "data/" in text
    assert len(text.splitlines()) <= 12 and "{" not in text


def test_what_is_left_out_is_said(index, collected, output, capsys):
    pack.write(output, assets=[])
    said = capsys.readouterr().out
    assert "Lesson 15 can be read but not run" in said
    assert f"Made for {install_offline.this_machine()}" in said


def test_with_tensorflow_lesson_15_is_not_called_left_out(index, collected, output):
    collected["tensorflow_cpu"] = wheel_bytes("tensorflow-cpu", {})
    pack.write(output, assets=[])
    text = text_of(output, "README.txt")
    assert "so lesson 15 runs as well" in text and "not run" not in text


def test_another_folder_of_notebooks_takes_the_lessons_place(
    index, collected, output, tmp_path
):
    folder = tmp_path / "students"
    for name in (
        "01_introduction.ipynb",
        "pictures/a.png",
        ".ipynb_checkpoints/b.ipynb",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"of the students: {name}")
    names = members(pack.write(output, notebooks=folder, assets=[]))
    packed = {name for name in names if name.startswith("notebooks/")}
    assert packed == {"notebooks/01_introduction.ipynb", "notebooks/pictures/a.png"}
    assert text_of(output, "notebooks/01_introduction.ipynb").startswith(
        "of the students"
    )


# What is refused, before anything is fetched


@pytest.fixture
def untouched(monkeypatch):
    """Fail if anything is fetched."""

    def refuse(*_, **__):
        pytest.fail("something was fetched")

    monkeypatch.setattr(wheels, "collect", refuse)
    monkeypatch.setattr(pack, "fetch", refuse)


def test_an_existing_file_is_not_replaced(index, untouched, output):
    output.write_text("mine")
    with pytest.raises(InputError) as error:
        pack.write(output)
    one_sentence(error, "which exists")
    assert output.read_text() == "mine"


def test_a_file_that_appears_meanwhile_is_not_replaced(
    index, collected, output, monkeypatch
):
    plain = wheels.collect

    def collect(*arguments):
        output.write_text("mine")
        return plain(*arguments)

    monkeypatch.setattr(wheels, "collect", collect)
    with pytest.raises(InputError, match="which exists"):
        pack.write(output, assets=[])
    assert output.read_text() == "mine" and len(list(output.parent.iterdir())) == 1


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"output": "missing/pack.zip"}, "missing, which is none"),
        ({"output": "pack.tar"}, "'pack.tar'"),
        ({"assets": ["toys"]}, "'toys'"),
        ({"requirements": "none.txt"}, "none.txt"),
        ({"notebooks": "."}, "without any"),
    ],
)
def test_wrong_arguments_are_refused_in_one_sentence(
    index, untouched, output, changes, part
):
    for name in changes.keys() - {"assets"}:
        changes = changes | {name: output.parent / changes[name]}
    with pytest.raises(InputError) as error:
        pack.write(**{"output": output, **changes})
    one_sentence(error, part)
    assert list(output.parent.iterdir()) == []


def test_a_folder_of_ones_own_is_not_packed_unseen(
    index, untouched, output, monkeypatch
):
    monkeypatch.setenv("SFT_COURSE_ASSET_TOY", str(index.cache / "toy"))
    with pytest.raises(InputError) as error:
        pack.write(output, assets=["toy"])
    one_sentence(error, "SFT_COURSE_ASSET_TOY")


def test_too_little_space_is_said_before_the_download(
    index, untouched, output, monkeypatch
):
    free = SimpleNamespace(free=999e6)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: free)
    with pytest.raises(InputError) as error:
        pack.write(output, assets=[])
    one_sentence(error, "1000 MB of free disk space", "got 999 MB")


def test_an_installed_package_without_lessons_cannot_pack(
    index, untouched, output, monkeypatch
):
    monkeypatch.setattr(pack, "ROOT", output.parent)
    with pytest.raises(InputError) as error:
        pack.write(output)
    one_sentence(error, "an installed package")


# What goes wrong on the way


def test_a_package_that_pip_does_not_find_is_named(index, output, tmp_path):
    repacked("pip", index.packages)
    (tmp_path / "list.txt").write_text("no-such-package==1.0\n")
    with pytest.raises(AssetError) as error:
        pack.write(output, requirements=tmp_path / "list.txt", assets=[])
    one_sentence(error, "no-such-package==1.0")
    assert list(output.parent.iterdir()) == []


def test_interrupted_in_pip_nothing_is_left(index, output, tmp_path, monkeypatch):
    (tmp_path / "list.txt").write_text("toy-asset==1.0\n")
    monkeypatch.setenv("COURSE_PIP_HANGS", "1")
    processes, plain = [], subprocess.Popen

    def noted(*arguments, **options):
        processes.append(plain(*arguments, **options))
        return processes[-1]

    def interrupt(seconds):
        time.sleep(seconds)
        if any(output.parent.rglob("half.whl")):
            raise KeyboardInterrupt

    monkeypatch.setattr(wheels.subprocess, "Popen", noted)
    monkeypatch.setattr(wheels, "time", SimpleNamespace(sleep=interrupt))
    with pytest.raises(KeyboardInterrupt):
        pack.write(output, requirements=tmp_path / "list.txt", assets=[])
    assert list(output.parent.iterdir()) == []
    killed = 1 if os.name == "nt" else -signal.SIGKILL
    assert [process.poll() for process in processes] == [killed]


def test_a_full_disk_is_one_sentence_and_nothing_is_left(
    index, collected, output, monkeypatch
):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "write", full)
    with pytest.raises(InputError) as error:
        pack.write(output, assets=[])
    one_sentence(error, "No space left on device")
    assert list(output.parent.iterdir()) == []


# Installing: what is refused


@pytest.fixture
def unpacked(index, collected, output):
    """The toy pack, unpacked into a path with a blank."""
    pack.write(output, assets=["toy"])
    folder = output.parent / "a room"
    shutil.unpack_archive(output, folder)
    return folder / TOP


def test_another_python_or_system_is_refused(unpacked):
    about = json.loads((unpacked / "pack.json").read_text())
    assert about["made_for"] == install_offline.this_machine()
    about["made_for"] = "Python 3.99 on Linux x86_64"
    (unpacked / "pack.json").write_text(json.dumps(about))
    with pytest.raises(PackError) as error:
        install_offline.install(unpacked)
    one_sentence(error, "Expected Python 3.99 on Linux x86_64; got Python 3.")
    assert not (unpacked / ".venv").exists()


def test_the_machine_is_named_by_what_wheels_depend_on(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 12, 4))
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    monkeypatch.setattr("sysconfig.get_config_var", lambda name: 0)
    assert install_offline.this_machine() == "Python 3.12 on macOS arm64"
    monkeypatch.setattr("sysconfig.get_config_var", lambda name: 1)
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.libc_ver", lambda: ("", ""))
    assert install_offline.this_machine() == "Python 3.12t on Linux (no glibc) arm64"


def test_a_folder_that_is_no_pack_is_refused(tmp_path):
    with pytest.raises(PackError) as error:
        install_offline.install(tmp_path)
    one_sentence(error, "pack.json")


def test_an_environment_of_ones_own_is_left_alone(unpacked):
    (unpacked / ".venv").mkdir()
    (unpacked / ".venv" / "mine.txt").write_text("mine")
    with pytest.raises(PackError) as error:
        install_offline.install(unpacked)
    one_sentence(error, "did not make")
    assert (unpacked / ".venv" / "mine.txt").read_text() == "mine"


def test_too_little_space_is_said_before_the_installation(unpacked, monkeypatch):
    about = json.loads((unpacked / "pack.json").read_text())
    (unpacked / "pack.json").write_text(json.dumps(about | {"unpacked_mb": 2200}))
    free = SimpleNamespace(free=2199e6)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: free)
    with pytest.raises(PackError) as error:
        install_offline.install(unpacked)
    one_sentence(error, "2200 MB of free disk space", "got 2199 MB")
    assert not (unpacked / ".venv").exists()


def test_a_start_before_the_installation_says_what_to_run(unpacked):
    with pytest.raises(PackError) as error:
        install_offline.start(unpacked)
    one_sentence(error, "python install_offline.py")


def test_an_unknown_lesson_is_answered_with_those_there(unpacked):
    (unpacked / ".venv").mkdir()
    (unpacked / ".venv" / install_offline.MARK).write_text("ready")
    with pytest.raises(PackError) as error:
        install_offline.start(unpacked, "77")
    one_sentence(error, "01, 02, ", "'77'")


# The whole way, without a network


def repacked(name, folder):
    """Make a wheel out of an installed pure package, for pip to find in a folder."""
    distribution = importlib.metadata.distribution(name)
    path = folder / f"{name}-{distribution.version}-py3-none-any.whl"
    made_here = {"INSTALLER", "REQUESTED", "RECORD", "direct_url.json"}
    with zipfile.ZipFile(path, "w") as zipped:
        for file in distribution.files:
            inside = ".." not in file.parts and "__pycache__" not in file.parts
            if inside and not (".dist-info" in str(file) and file.name in made_here):
                zipped.write(distribution.locate_file(file), file.as_posix())
        (info,) = (
            f.parent
            for f in distribution.files
            if f.match("*.dist-info/WHEEL") and len(f.parts) == 2
        )
        zipped.writestr(f"{info}/RECORD", "")


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A pack that pip really collected, with the course's wheel and two real assets."""
    if not (assets.is_cached(ASSET) and assets.is_cached(OTHER)):
        pytest.skip("the cache is not filled: make fetch")
    home, folder = assets.cache_folder(), tmp_path_factory.mktemp("pack")
    with pytest.MonkeyPatch.context() as monkeypatch:
        index = Index(folder, monkeypatch)
        for name in (ASSET, OTHER):
            shutil.copytree(home / name, index.cache / name)
        index.wheel("tiny-package", {"tiny_package.py": "answer = 42\n"})
        index.wheel("jupyterlab", {"jupyterlab/__main__.py": LAB})
        for name in ("pip", "setuptools"):
            repacked(name, index.packages)
        (folder / "list.txt").write_text("tiny-package==1.0\njupyterlab==1.0\n")
        path = folder / "pack.zip"
        pack.write(path, requirements=folder / "list.txt", assets=[ASSET, OTHER])
    return path


class Room:
    """An unpacked pack in a place whose network is refused."""

    def __init__(self, path, folder):
        self.log = folder / "attempts.log"
        shutil.unpack_archive(path, folder / "a room")
        self.course = folder / "a room" / "sft-course"

    def run(self, python, *arguments):
        """Run Python from another working directory; return what it said."""
        ours = ("PIP_", "HF_", "SFT_COURSE_", "PYTHONPATH")
        kept = {n: v for n, v in os.environ.items() if not n.startswith(ours)}
        guard = {"PYTHONPATH": str(GUARD), "COURSE_NETWORK_LOG": str(self.log)}
        command = [str(part) for part in (python, *arguments)]
        place = self.log.parent
        return subprocess.run(
            command, cwd=place, env=kept | guard, capture_output=True, text=True
        )

    def script(self, *arguments):
        return self.run(sys.executable, self.course / "install_offline.py", *arguments)

    def ask(self, code):
        """Run code in the installed environment as a lesson's kernel would."""
        python = install_offline._python(self.course / ".venv")
        cache = f"os.environ['SFT_COURSE_CACHE'] = {str(self.course / 'cache')!r}"
        done = self.run(python, "-c", f"import os\n{cache}\n{code}")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="module")
def room(real, tmp_path_factory):
    room = Room(real, tmp_path_factory.mktemp("school"))
    done = room.script()
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.splitlines()[-1].startswith("Next: ")
    return room


@pytest.mark.slow
def test_pip_collects_the_packages_pip_itself_and_the_course(real):
    found = {n.split("-")[0] for n in members(real) if n.startswith("wheels/")}
    names = ("tiny_package", "jupyterlab", "pip", "sft_course")
    assert found == {f"wheels/{name}" for name in names}
    with zipfile.ZipFile(real) as zipped:
        (wheel,) = (n for n in zipped.namelist() if "/sft_course-" in n)
        with zipped.open(wheel) as file, zipfile.ZipFile(file) as course:
            inside = course.namelist()
    assert {"course_utils/session.py", "course_utils/quizzes/lesson_01.toml"} <= {
        *inside
    }


@pytest.mark.slow
def test_the_course_is_installed_without_a_network(room):
    assert room.ask("import tiny_package; print(tiny_package.answer)") == "42"
    where = Path(room.ask("import course_utils; print(course_utils.__file__)"))
    assert where.is_relative_to(room.course / ".venv")
    assert not room.log.exists()


@pytest.mark.slow
def test_the_installed_course_finds_the_packed_asset(room):
    code = f"from course_utils import assets; print(assets.fetch({ASSET!r}))"
    folder = Path(room.ask(code))
    assert folder == room.course / "cache" / ASSET
    assert [(folder / name).is_file() for name in ASSETS[ASSET].required] == [True]
    assert not room.log.exists()


@pytest.mark.slow
def test_lessons_find_the_kept_results_beside_the_package(room):
    where = Path(room.ask("import course_utils; print(course_utils.__file__)"))
    kept = where.parents[1] / "benchmarks" / "results" / "strategies.json"
    original = ROOT / "benchmarks" / "results" / "strategies.json"
    assert kept.read_bytes() == original.read_bytes()


@pytest.mark.slow
def test_start_opens_the_lesson_with_the_packed_cache_and_no_network(room):
    done = room.script("start", "9", "--no-browser")
    assert done.returncode == 7, done.stderr
    said = json.loads(done.stdout)
    url = f"--LabApp.default_url=/lab/tree/notebooks/{lessons.get(9).file}"
    assert url in said["words"] and "--no-browser" in said["words"]
    assert "--LabApp.extension_manager=readonly" in said["words"]
    assert Path(said["folder"]) == room.course
    assert said["SFT_COURSE_CACHE"] == str(room.course / "cache")
    flags = [said[n] for n in ("SFT_COURSE_HUB", "HF_HUB_OFFLINE", "PIP_NO_INDEX")]
    assert flags == ["0", "1", "1"]


@pytest.mark.slow
def test_jupyterlabs_news_are_off(room):
    settings = room.course / ".venv/etc/jupyter/labconfig/page_config.json"
    disabled = json.loads(settings.read_text())["disabledExtensions"]
    assert disabled == {"@jupyterlab/apputils-extension:announcements": True}


@pytest.mark.slow
def test_a_second_installation_has_nothing_to_do(room):
    done = room.script()
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "Installed already.")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "named"),
    [
        ("wheels/tiny_package*.whl", "got a damaged tiny_package==1.0."),
        (f"cache/{ASSET}/*.csv", f"{ASSET}: spam_collection.csv changed"),
    ],
)
def test_a_damaged_copy_is_noticed_and_can_be_mended(real, tmp_path, part, named):
    room = Room(real, tmp_path)
    (file,) = room.course.glob(part)
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + b"?")
    done = room.script()
    assert done.returncode == 1 and done.stderr.startswith("Expected ")
    assert len(done.stderr.splitlines()) == 1 and "and unpack it again" in done.stderr
    assert named in done.stderr
    assert room.script("start").returncode == 1
    file.write_bytes(whole)
    assert room.script().returncode == 0
