"""What every lesson must have: the skeleton, fresh and quiet outputs, alt texts, links."""

from __future__ import annotations

import re
from pathlib import Path

from course_utils import lessons
from tools import notebooks, stamp

FIXED = (
    "title",
    "contract",
    "setup",
    "map",
    "claims",
    "quiz",
    "summary",
    "sources",
    "next",
)
MAX_MEGABYTES = 1.5
MAX_LINES = 30
MAX_WIDTH = 88
_ID = re.compile(r"^(?:s\d\d-[a-z0-9-]+|ex-\d+(?:-[a-z0-9-]+)?|[a-z]+(?:-[a-z0-9]+)*)$")
_LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)\s]+)\)")
_MACHINE_PATH = re.compile(r"(?:/home/|/Users/|/root/|/tmp/|/work/|[A-Z]:\\Users)")


def problems(notebook, path: Path) -> list[str]:
    """Return what a lesson lacks, one sentence each; nothing if it is complete."""
    return [
        *_skeleton(notebook, path),
        *_cells(notebook),
        *_exercises(notebook),
        *_outputs(notebook),
        *_metadata(notebook),
        *_links(notebook, path),
    ]


def _skeleton(notebook, path: Path) -> list[str]:
    found = []
    ids = [cell.id for cell in notebook.cells]
    order = [name for name in ids if name in FIXED]
    if order != list(FIXED):
        found.append(f"Expected the cells {FIXED} in this order; got {order}.")
    if len(set(ids)) != len(ids):
        found.append("Expected unique cell ids.")
    found += [
        f"The id {name!r} is not of a known form."
        for name in ids
        if not _ID.match(name)
    ]
    if not any(name.startswith("s01") for name in ids):
        found.append("Expected sections s01-…")
    cell = {cell.id: cell for cell in notebook.cells}
    lesson = lessons.get(path.name[:2])
    if "title" in cell:
        if not cell["title"].source.startswith(f"# {lesson.number}"):
            found.append(f"Expected the title to begin with '# {lesson.number}'.")
        if stamp.badge(lesson.file, stamp.address()) not in cell["title"].source:
            found.append("Expected the badge of today's public address (make stamp).")
    if "setup" in cell:
        if stamp.setup_line(stamp.address()) not in cell["setup"].source:
            found.append("Expected the set-up line of today's address (make stamp).")
        if len(cell["setup"].source.splitlines()) > 12:
            found.append("Expected at most 12 lines in the set-up cell.")
        if f'session.start("{lesson.number}")' not in cell["setup"].source:
            found.append(
                f'Expected session.start("{lesson.number}") in the set-up cell.'
            )
    if (
        "contract" in cell
        and not 3
        <= len(
            re.findall(r"^[-*] ", cell["contract"].source.split("**Before")[0], re.M)
        )
        <= 5
    ):
        found.append("Expected 3 to 5 points under 'You will be able to'.")
    if "claims" in cell and "assert" not in cell["claims"].source:
        found.append("Expected asserts in the claims cell.")
    for name, tag in (("setup", "setup"), ("claims", "claims")):
        if name in cell and tag not in notebooks.tags(cell[name]):
            found.append(f"Expected the tag {tag!r} on the cell {name!r}.")
    return found


def _cells(notebook) -> list[str]:
    found = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        lines = cell.source.splitlines()
        if len(lines) > MAX_LINES:
            found.append(
                f"{cell.id}: {len(lines)} lines; split what is over {MAX_LINES}."
            )
        found += [
            f"{cell.id}: a line of {len(line)} characters; at most {MAX_WIDTH}."
            for line in lines
            if len(line) > MAX_WIDTH
        ]
    if "widgets." not in "".join(
        c.source for c in notebook.cells if c.cell_type == "code"
    ):
        found.append("Expected at least one widget.")
    return found


def _exercises(notebook) -> list[str]:
    found = []
    cells = notebook.cells
    given = [i for i, cell in enumerate(cells) if "exercise" in notebooks.tags(cell)]
    if not given:
        found.append("Expected at least one cell tagged 'exercise'.")
    for index in given:
        cell = cells[index]
        after = cells[index + 1] if index + 1 < len(cells) else None
        if after is None or "solution" not in notebooks.tags(after):
            found.append(f"{cell.id}: expected its solution in the next cell.")
            continue
        if after.id != f"{cell.id}-solution":
            found.append(f"{after.id}: expected the id {cell.id}-solution.")
        if not after.metadata.get("jupyter", {}).get("source_hidden"):
            found.append(f"{after.id}: expected its source to be hidden.")
        if "assert exercises.check(" not in after.source:
            found.append(f"{after.id}: expected 'assert exercises.check(…)'.")
        if "not attempted" not in _printed(cell):
            found.append(f"{cell.id}: expected it to say 'not attempted' as given.")
        if "passed" not in _printed(after):
            found.append(f"{after.id}: expected the solution to say 'passed'.")
    return found


def _outputs(notebook) -> list[str]:
    found = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        images = 0
        if cell.execution_count is None:
            found.append(f"{cell.id}: not executed.")
        for output in cell.outputs:
            expected = "raises-exception" in notebooks.tags(cell)
            if output.output_type == "error" and not expected:
                found.append(f"{cell.id}: an error in its output.")
            if output.get("name") == "stderr":
                found.append(f"{cell.id}: output on stderr: {output.text[:80]!r}")
            text = _said(output)
            if "Warning:" in text:  # FutureWarning: and its kin
                found.append(f"{cell.id}: a warning in its output.")
            images += "image/png" in output.get("data", {})
        if images and len(cell.metadata.get("alt", "")) < 20:
            found.append(
                f"{cell.id}: expected an alt text (metadata 'alt') for its figure."
            )
        everything = cell.source + "".join(map(_said, cell.outputs))
        if match := _MACHINE_PATH.search(everything):
            found.append(f"{cell.id}: a path of one machine ({match[0]}…).")
    return found


def _metadata(notebook) -> list[str]:
    course = notebook.metadata.get("course", {})
    if course.get("source_hash") != notebooks.source_hash(notebook):
        return ["The outputs are not of this source: run `make course`."]
    return []


def _links(notebook, path: Path) -> list[str]:
    return [
        f"{cell.id}: the link {link} leads nowhere."
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for link in _LINK.findall(cell.source)
        if not (path.parent / link.split("#")[0]).exists()
    ]


def _printed(cell) -> str:
    return "".join(map(_said, cell.get("outputs", [])))


def _said(output) -> str:
    data = output.get("data", {})
    shown = [data.get("text/plain", ""), data.get("text/html", "")]
    return "".join([output.get("text", ""), *shown, *output.get("traceback", [])])
