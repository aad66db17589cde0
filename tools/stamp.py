"""Write the course's public address, stated in pyproject.toml, into every lesson."""

from __future__ import annotations

import re
import tomllib

import nbformat

from tools.notebooks import PUBLISHED, ROOT

BRANCH = "main"
SETUP_LINE = re.compile(rf'^COURSE = ".*"  {PUBLISHED}$', re.M)
BADGE = re.compile(r"^\[!\[Open in Colab\]\(.*\)\]\(.*\)$", re.M)


def address() -> str:
    """Return the repository's public address."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return project["project"]["urls"]["Repository"].rstrip("/")


def badge(file: str, place: str) -> str:
    """Return the Markdown of the badge that opens a lesson in Colab."""
    opened = place.replace(
        "https://github.com", "https://colab.research.google.com/github"
    )
    image = "https://colab.research.google.com/assets/colab-badge.svg"
    return f"[![Open in Colab]({image})]({opened}/blob/{BRANCH}/notebooks/{file})"


def setup_line(place: str) -> str:
    """Return the line of the set-up cell that says where to install the course from."""
    return f'COURSE = "git+{place}"  {PUBLISHED}'


def stamp(notebook: nbformat.NotebookNode, file: str, place: str) -> bool:
    """Put the address into a lesson's badge and set-up cell; say whether it changed.

    Raises:
        SystemExit: if the lesson has no badge or no set-up line.
    """
    before = [cell.source for cell in notebook.cells]
    done = 0
    for cell in notebook.cells:
        # A function as replacement: an address may hold what re reads as a reference.
        if cell.id == "title":
            cell.source, found = BADGE.subn(lambda _: badge(file, place), cell.source)
            done += found
        if cell.id == "setup":
            cell.source, found = SETUP_LINE.subn(
                lambda _: setup_line(place), cell.source
            )
            done += found
    if done != 2:
        raise SystemExit(
            f"Expected a badge and a COURSE line in {file}; got {done} of 2."
        )
    return before != [cell.source for cell in notebook.cells]
