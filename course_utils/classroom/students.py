"""The lessons for a class: without solutions, outputs cleared.

A solution goes, unless a later cell goes on from it: then it stays sealed, so that the
lesson runs from top to bottom whether or not the exercise was solved.
"""

from __future__ import annotations

import symtable
from pathlib import Path

import nbformat

from course_utils.classroom import content, sources
from course_utils.classroom.sealed import seal
from course_utils.classroom.sources import tags

NOTE = """\
*Edition for a class.* Outputs are cleared: say what you expect, then run the cell. The
solutions are with your teacher. Where the lesson goes on from one, it stays in its place as a
sealed cell. Run that, too; it does not touch what you wrote above it, but later cells use its
answer."""
SEALED = '''\
# @title Solution of exercise {number}, sealed: later cells go on from it
from course_utils.classroom import sealed

exec(
    sealed.opened("""
{text}
""")
)'''


def write(
    numbers, output: Path, *, notebooks: Path | None = None, keep_outputs: bool = False
) -> list[Path]:
    """Write the students' edition of lessons and return the files' paths.

    Args:
        numbers: the lessons, e.g. ["1", "13"]; all if empty.
        output: a new or empty folder.
        notebooks: folder of the lessons; the repository's if None.
        keep_outputs: keep what the taught cells printed and drew.

    Raises:
        InputError: for an unknown lesson, a missing notebook, or a folder in use.
    """
    paths = sources.find(numbers, notebooks)
    folder = sources.new_folder(output)
    written = []
    for path in paths:
        edition = edit(sources.read(path), keep_outputs=keep_outputs)
        nbformat.validate(edition)
        written.append(folder / path.name)
        written[-1].write_text(nbformat.writes(edition) + "\n", encoding="utf-8")
    return written


def edit(notebook, *, keep_outputs: bool = False) -> nbformat.NotebookNode:
    """Return a lesson's edition for students; the notebook itself stays as it is."""
    edition = nbformat.from_dict(notebook)
    needed = needed_solutions(edition.cells)
    cells = []
    for cell in edition.cells:
        if "solution" in tags(cell):
            if cell.id not in needed:
                continue
            number = cell.id.split("-")[1]
            cell.source = SEALED.format(number=number, text=seal(cell.source))
        if cell.id == "title":  # the badge opens the edition with solutions
            cell.source = content.without_badges(cell.source)
        kept = keep_outputs and not {"solution", "exercise"} & set(tags(cell))
        if cell.cell_type == "code" and not kept:
            cell.outputs, cell.execution_count = [], None
        cells.append(cell)
        if cell.id == "title":
            cells.append(nbformat.v4.new_markdown_cell(NOTE, id="edition"))
    edition.cells = cells
    edition.metadata.pop("widgets", None)  # states of widgets that are cleared
    edition.metadata.pop("course", None)  # the mark of outputs made by this source
    return edition


def needed_solutions(cells) -> set[str]:
    """Return the ids of solutions that define a name which a later cell reads.

    Exercises and other solutions do not count as readers: they bring their own.
    """
    made_by: dict[str, str] = {}  # name → the solution that gave it its last value
    needed = set()
    for cell in cells:
        if cell.cell_type != "code" or "exercise" in tags(cell):
            continue
        made, read = _names(cell.source)
        if "solution" in tags(cell):
            made_by |= dict.fromkeys(made, cell.id)
            continue
        needed |= {made_by[name] for name in read if name in made_by}
        for name in made:
            made_by.pop(name, None)
    return needed


def _names(source: str) -> tuple[set[str], set[str]]:
    """Return the notebook's names that a cell gives a value, and those it reads."""
    lines = [
        "pass" if line.lstrip().startswith(("%", "!")) else line
        for line in source.splitlines()
    ]
    top = symtable.symtable("\n".join(lines), "cell", "exec")
    made = {
        symbol.get_name()
        for symbol in top.get_symbols()
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()
    }
    read = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced()}
    inner = list(top.get_children())
    while inner:
        table = inner.pop()
        inner += table.get_children()
        read |= {s.get_name() for s in table.get_symbols() if s.is_global()}
    return made, read
