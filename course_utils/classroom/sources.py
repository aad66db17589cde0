"""Which lessons are meant, where they lie, and where the new files may go."""

from __future__ import annotations

from pathlib import Path

import nbformat

from course_utils import lessons
from course_utils.errors import InputError

REPOSITORY = Path(__file__).resolve().parents[2]


def find(numbers=(), folder: Path | None = None) -> list[Path]:
    """Return the files of the lessons with these numbers, of all if none is named.

    Args:
        numbers: e.g. ["1", "09"].
        folder: where the notebooks lie; the repository's `notebooks` if None.

    Raises:
        InputError: for an unknown number, or where the folder lacks a lesson.
    """
    folder = REPOSITORY / "notebooks" if folder is None else Path(folder)
    wanted = [lessons.get(number) for number in numbers] or lessons.LESSONS.values()
    paths = [folder / lesson.file for lesson in wanted]
    if missing := [path.name for path in paths if not path.is_file()]:
        raise InputError(
            f"Expected the lessons in {folder}; got no {missing[0]}. Run this in the "
            "course's repository, or name the folder of the notebooks."
        )
    return list(dict.fromkeys(paths))


def read(path: Path) -> nbformat.NotebookNode:
    """Read a notebook in version 4.

    Raises:
        InputError: if the file is not a notebook.
    """
    try:
        return nbformat.read(path, as_version=4)
    except (ValueError, nbformat.ValidationError) as error:
        raise InputError(
            f"Expected a notebook; got {path.name}, which cannot be read as one. "
            "Open it in JupyterLab, or take the course's own again."
        ) from error


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """Return a cell's tags."""
    return cell.metadata.get("tags", [])


def new_folder(output: Path) -> Path:
    """Return `output` as an empty folder, made if need be.

    Raises:
        InputError: if it holds something, is a file, or cannot be made.
    """
    output = Path(output)
    try:
        output.mkdir(parents=True, exist_ok=True)
        taken = any(output.iterdir())
    except OSError as error:
        raise InputError(
            f"Expected a folder that can be written; got {error.strerror} at {output}. "
            "Name another one."
        ) from error
    if taken:
        raise InputError(
            f"Expected a new or empty folder; got {output}, which holds files. Nothing "
            "is overwritten: name another one."
        )
    return output
