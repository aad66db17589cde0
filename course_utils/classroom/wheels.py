"""All packages of a pack as wheels: pip fetches them, and builds what has no wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from course_utils.classroom.sources import REPOSITORY as ROOT
from course_utils.errors import AssetError


def collect(requirements: Path, scratch: Path) -> list[Path]:
    """Fetch the packages of a file, pip and the course itself for this very Python.

    pip comes along because a system's Python may have none, and no way to make one.

    Args:
        requirements: a file of packages, as pip reads it.
        scratch: an empty folder; pip's temporary files lie there, too.

    Returns:
        The wheels, in the order of their names, in scratch/wheels.

    Raises:
        AssetError: if pip cannot fetch or build one of them.
    """
    _pip("packages", scratch, "-r", requirements, "pip")
    # From a copy: setuptools would write into the repository, and reuse what is there.
    source = scratch / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "course_utils", source / "course_utils", ignore=unwanted)
    _pip("the course", scratch, "--no-deps", source)
    return sorted((scratch / "wheels").glob("*.whl"))


def _pip(what: str, scratch: Path, *arguments: object) -> None:
    """Let pip put wheels into scratch/wheels, with a meter of what it has fetched."""
    from tqdm.auto import tqdm

    temporary, log = scratch / "pip", scratch / "pip.log"
    temporary.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel"]
    command += ["--quiet", "--no-input", "--wheel-dir", str(scratch / "wheels")]
    places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
    with (
        open(log, "wb") as output,
        tqdm(unit="B", unit_scale=True, desc=what, file=sys.stdout) as bar,
        subprocess.Popen(
            [*command, *map(str, arguments)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | places,
        ) as process,
    ):
        try:
            while process.poll() is None:
                time.sleep(0.2)
                bar.update(max(0, _size(temporary) - bar.n))
        except BaseException:  # interrupted by the user
            process.kill()
            process.wait()  # it holds files in scratch, which is removed now
            raise
    if process.returncode:
        text = log.read_text(encoding="utf-8", errors="replace")
        lines = [line for line in text.splitlines() if line.startswith("ERROR")]
        reason = (lines or text.strip().splitlines() or ["no answer"])[0][:300]
        raise AssetError(
            f"Expected pip to fetch {what}; got {reason.removeprefix('ERROR: ')}. "
            "Connect to the network, or mend the file of packages, and try again."
        )


def _size(folder: Path) -> int:
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(root, name)).st_size
            except OSError:  # pip has just removed it
                continue
    return total
