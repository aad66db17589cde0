"""Install the course from this folder and start it, without a network.

    python install_offline.py            installs into the folder .venv, once
    python install_offline.py start      opens lesson 01 in JupyterLab
    python install_offline.py start 09   opens lesson 09

Further words after the lesson go to JupyterLab, such as --no-browser. The script needs
nothing but Python; `course_utils.classroom.pack` copies it into the offline pack.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

HERE = Path(__file__).absolute().parent
MARK = "made_by_install_offline.txt"  # in .venv: what this script has done so far
NEXT = "Next: python install_offline.py start (lesson 01), or start 09 (lesson 09)."
CHECK = """
import sys
from course_utils.assets import verify
found = {name: verify(name) for name in sys.argv[1:]}
wrong = [f"{name}: {flaws[0]}" for name, flaws in found.items() if flaws]
sys.exit("; ".join(wrong) or None)
"""
NEWS = "@jupyterlab/apputils-extension:announcements"


class PackError(Exception):
    """One sentence for the learner: expected, got, what to do."""


def this_machine() -> str:
    """Name what wheels depend on, for instance "Python 3.11 on Linux x86_64"."""
    python = sys.implementation.name.replace("cpython", "Python")
    version = ".".join(str(number) for number in sys.version_info[:2])
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        version += "t"  # the build without a global lock has wheels of its own
    system = platform.system().replace("Darwin", "macOS")
    if system == "Linux" and platform.libc_ver()[0] != "glibc":
        system = "Linux (no glibc)"
    bits = "" if sys.maxsize > 2**32 else " (32 bits)"
    return f"{python} {version} on {system} {platform.machine()}{bits}"


def install(here: Path = HERE) -> None:
    """Make `.venv` in the pack's folder and install `wheels/` there, if not yet done.

    Args:
        here: the unpacked folder; only its `.venv` is written.

    Raises:
        PackError: on another machine than the pack's, without room, for a `.venv` that
            this script did not make, or for a damaged copy of the pack.
    """
    pack = _read(here)
    if pack["made_for"] != this_machine():
        raise PackError(
            f"Expected {pack['made_for']}; got {this_machine()}. Start the script with "
            "that Python, or make the pack on a machine like this one: "
            "python -m course_utils.classroom pack pack.zip"
        )
    environment = here / ".venv"
    if _state(environment) == "ready":
        print("Installed already.", NEXT, sep="\n")
        return
    if environment.exists():
        if not _state(environment):
            raise PackError(
                f"Expected no environment at {environment}; got one that this script "
                "did not make. Rename or delete it."
            )
        shutil.rmtree(environment)  # half made: an earlier run was interrupted
    free, needed = shutil.disk_usage(here).free / 1e6, pack["unpacked_mb"]
    if free < needed:
        raise PackError(
            f"Expected {needed} MB of free disk space at {here}; got {free:.0f} MB. "
            "Free some, or unpack the pack on another disk."
        )
    print(f"Installing {pack['packages']} packages into .venv: some minutes.")
    try:
        _fill(here, environment)
    except OSError as error:
        raise PackError(
            f"Expected a folder of this machine's own disk that can be written; got "
            f"{error}. Unpack the pack into a short path there."
        ) from error
    if pack["assets"]:
        print("Checking models and data.")
        if wrong := _wrong(here, _python(environment), "-c", CHECK, *pack["assets"]):
            raise PackError(
                f"Expected whole files in {here / 'cache'}; got {wrong}. Copy the pack "
                "and unpack it again."
            )
    (environment / MARK).write_text("ready", encoding="utf-8")
    print(NEXT)


def start(here: Path = HERE, lesson: str = "01", options: tuple[str, ...] = ()) -> int:
    """Open a lesson in JupyterLab; return its exit status when it is closed.

    Raises:
        PackError: if the pack is not installed or has no such lesson.
    """
    command, settings = [*launch(here, lesson), *options], surroundings(here)
    if os.name != "nt":
        os.chdir(here)
        os.execve(command[0], command, settings)  # becomes JupyterLab
    process = subprocess.Popen(command, cwd=here, env=settings)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # JupyterLab got the Ctrl-C as well, and ends


def launch(here: Path, lesson: str) -> list[str]:
    """Return the command that opens a lesson; `start` says what can be wrong."""
    if _state(here / ".venv") != "ready":
        raise PackError(
            "Expected an installed course; got a pack without a complete .venv. "
            "Run: python install_offline.py"
        )
    paths = sorted((here / "notebooks").glob(f"{lesson.zfill(2)}_*.ipynb"))
    if len(paths) != 1:
        files = (here / "notebooks").glob("[0-9][0-9]_*.ipynb")
        known = ", ".join(sorted(path.name[:2] for path in files))
        raise PackError(
            f"Expected a lesson of this pack: one of {known}; got {lesson!r}. Use one "
            "of these numbers."
        )
    return [
        *(str(_python(here / ".venv")), "-m", "jupyterlab"),
        "--ServerApp.root_dir=.",
        f"--LabApp.default_url=/lab/tree/notebooks/{paths[0].name}",
        "--LabApp.extension_manager=readonly",  # the other asks an index
    ]


def surroundings(here: Path) -> dict[str, str]:
    """Return the environment variables: the packed cache, no network for anything."""
    return {
        **os.environ,
        "SFT_COURSE_CACHE": str(here / "cache"),
        "SFT_COURSE_HUB": "0",
        "HF_HUB_OFFLINE": "1",
        "PIP_NO_INDEX": "1",  # pip then says at once that it finds nothing
    }


def _fill(here: Path, environment: Path) -> None:
    """Make the environment; the pack's pip fills it, for not every Python has one."""
    import venv

    environment.mkdir()
    (environment / MARK).write_text("not complete", "utf-8")
    venv.EnvBuilder(symlinks=os.name != "nt").create(environment)
    wheels = here / "wheels"
    pip = next(wheels.glob("pip-*.whl"), wheels / "pip.whl") / "pip"
    wrong = _wrong(
        *(here, _python(environment), pip, "--isolated", "--disable-pip-version-check"),
        *("install", "--quiet", "--no-cache-dir", "--no-index", "--no-deps"),
        *("--find-links", wheels, "--require-hashes", "-r", here / "packages.txt"),
    )
    if wrong:
        raise PackError(
            f"Expected pip to install what is in {wheels}; got {wrong}. Copy the pack "
            "and unpack it again, into a short path; if that does not help, make the "
            "pack on a machine like this one."
        )
    if (here / "benchmarks").is_dir():
        # Some lessons show kept results, which they look for beside the package.
        (package,) = environment.rglob("site-packages/course_utils")
        shutil.copytree(here / "benchmarks", package.parent / "benchmarks")
    # JupyterLab asks at its first start whether it may fetch news from the network.
    settings = environment / "etc" / "jupyter" / "labconfig" / "page_config.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps({"disabledExtensions": {NEWS: True}}), "utf-8")
    # Only trusted notebooks show saved quizzes and sounds before their cells are run.
    lessons = sorted((here / "notebooks").glob("*.ipynb"))
    _wrong(here, _python(environment), "-m", "jupyter", "trust", *lessons)


def _read(here: Path) -> dict:
    try:
        return json.loads((here / "pack.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PackError(
            f"Expected an unpacked offline pack in {here}; got no pack.json that can "
            "be read. Unpack the zip file whole and start the script in its folder."
        ) from error


def _wrong(here: Path, *command: object) -> str:
    """Run a command; return what it complained of in one line, or nothing."""
    settings = surroundings(here) | {"PIP_CONFIG_FILE": os.devnull}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=here,
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode == 0:
        return ""
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    if damaged := [line.split()[0] for line in lines if " from file:" in line]:
        return f"a damaged {damaged[0]}"  # so pip names a file of another hash
    errors = [line for line in lines if line.startswith("ERROR")] or lines[-1:]
    return " ".join(errors)[:300] or f"exit status {done.returncode}"


def _state(environment: Path) -> str:
    mark = environment / MARK
    return mark.read_text("utf-8") if mark.is_file() else ""


def _python(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def main(arguments: list[str] | None = None) -> int:
    """Install or start; return 0 if all is well."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("action", nargs="?", choices=["install", "start"])
    parser.add_argument("lesson", nargs="?", default="01", help="such as 09")
    chosen, options = parser.parse_known_args(arguments)
    try:
        if chosen.action == "start":
            return start(lesson=chosen.lesson, options=tuple(options))
        install()
        return 0
    except PackError as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        print("Interrupted. The same command begins again.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
