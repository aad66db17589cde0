"""`python -m tools.course execute | stamp | readme | check | to-text | from-text`.

execute [NN …]       run lessons, refresh outputs, times and README's tables
stamp [ADDRESS]      write pyproject.toml's address (or this one) into badges and set-up cells
readme               fill README's measured tables
check [NN …]         say what lessons lack
to-text NN FILE      a lesson as text, for reading or editing; from-text FILE NN: back
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nbclient.exceptions import CellExecutionError

from course_utils import lessons
from tools import notebooks, readme, stamp, structure, text
from tools.execute import execute


def main(arguments: list[str] | None = None) -> int:
    """Run one of the tools; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.course",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = ("execute", "stamp", "readme", "check", "to-text", "from-text")
    parser.add_argument("action", choices=actions)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args(arguments)
    return {
        "execute": _execute,
        "stamp": _stamp,
        "readme": _readme,
        "check": _check,
        "to-text": _to_text,
        "from-text": _from_text,
    }[options.action](options.names)


def _execute(names: list[str]) -> int:
    for path in notebooks.paths(names):
        if lacking := lessons.lacking(path.name[:2]):
            print(f"{path.name}: left as it is, no {', '.join(lacking)} here")
            continue
        print(f"{path.name}: running", flush=True)
        attempt = notebooks.ROOT / "build" / path.name
        try:
            measured = execute(path, attempt)
        except CellExecutionError as error:
            print(error, file=sys.stderr)
            print(f"{path.name} is unchanged; outputs so far: build/{path.name}")
            return 1
        print(
            f"{path.name}: {measured['seconds']} s, {measured['peak_memory_mib']} MiB"
        )
    return _readme([]) or _check(names)


def _stamp(names: list[str]) -> int:
    place = names[0].rstrip("/") if names else stamp.address()
    if names:
        project = notebooks.ROOT / "pyproject.toml"
        content = project.read_text(encoding="utf-8")
        project.write_text(content.replace(stamp.address(), place), encoding="utf-8")
    for path in notebooks.paths():
        notebook = notebooks.read(path)
        if stamp.stamp(notebook, path.name, place):
            notebooks.write(notebook, path)
            print(f"{path.name}: stamped with {place}")
    return _readme([])


def _readme(_names: list[str]) -> int:
    before = readme.README.read_text(encoding="utf-8")
    readme.README.write_text(readme.render(before), encoding="utf-8")
    return 0


def _check(names: list[str]) -> int:
    found = [
        f"{path.name}: {problem}"
        for path in notebooks.paths(names)
        for problem in structure.problems(notebooks.read(path), path)
    ]
    print("\n".join(found) or "No problems found.")
    return int(bool(found))


def _to_text(names: list[str]) -> int:
    number, target = names
    (path,) = notebooks.paths([number])
    Path(target).write_text(text.to_text(notebooks.read(path)), encoding="utf-8")
    return 0


def _from_text(names: list[str]) -> int:
    source, number = names
    path = notebooks.FOLDER / lessons.get(number).file
    notebook = text.from_text(Path(source).read_text(encoding="utf-8"))
    notebooks.write(notebook, path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
