"""Read, write and fingerprint the lessons."""

from __future__ import annotations

import hashlib
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "notebooks"
PUBLISHED = "# where the course is published"  # ends the stamped line of a set-up cell


def paths(numbers: list[str] | None = None) -> list[Path]:
    """Return the lessons' files in order; only those with these numbers if given."""
    found = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
    if numbers:
        wanted = {number.zfill(2) for number in numbers}
        found = [path for path in found if path.name[:2] in wanted]
        if missing := wanted - {path.name[:2] for path in found}:
            raise SystemExit(f"Expected lessons in notebooks/; got {sorted(missing)}.")
    return found


def read(path: Path) -> nbformat.NotebookNode:
    """Read a notebook as it is, in version 4."""
    return nbformat.read(path, as_version=4)


def write(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Check a notebook against its schema and write it in one step."""
    nbformat.validate(notebook)
    text = nbformat.writes(notebook).rstrip("\n") + "\n"
    scratch = path.with_suffix(".writing")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)


def source_hash(notebook: nbformat.NotebookNode) -> str:
    """Return the sha256 of all code cells: outputs are of this source or they are stale.

    The course's public address is left out: stamping another one changes no output.
    """
    digest = hashlib.sha256()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            lines = [line for line in cell.source.splitlines() if PUBLISHED not in line]
            digest.update("\n".join([cell.id, *lines, ""]).encode())
    return digest.hexdigest()


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """Return a cell's tags."""
    return cell.metadata.get("tags", [])
