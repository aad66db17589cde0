"""What the light tests share: lessons as code, errors as sentences."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

# `pytest` alone does not look for tools/ and benchmarks/ in the repository.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import notebooks


def one_sentence(error, *parts):
    """Check that the error is one line: expected, got, what to do, and these parts."""
    text = str(error.value)
    assert re.match(r"Expected .+; got .+\. \S", text) and "\n" not in text, text
    for part in parts:
        assert part in text


def lesson(number):
    """Read the lesson with this number as it lies in notebooks/."""
    found = list(notebooks.FOLDER.glob(f"{number}_*.ipynb"))
    assert len(found) == 1, f"expected one lesson {number} in notebooks/; got {found}"
    return notebooks.read(found[0])


def cell_of(notebook, name):
    """Return the cell with this id."""
    cells = [cell for cell in notebook.cells if cell.id == name]
    assert len(cells) == 1, f"expected one cell {name!r}; got {len(cells)}"
    return cells[0]


def run(notebook, source, **stubs):
    """Run a piece of a lesson on its own, with those imports of the lesson it uses.

    Returns:
        The names that the piece leaves behind; `stubs` are those it finds.
    """
    piece = _parse(source)
    used = {node.id for node in ast.walk(piece) if isinstance(node, ast.Name)}
    names = dict(stubs)
    for statement in _top_level(notebook, ast.Import | ast.ImportFrom):
        bound = {a.asname or a.name.split(".")[0] for a in statement.names}
        if bound & (used - stubs.keys()):
            exec(ast.unparse(statement), names)
    exec(compile(piece, "lesson", "exec"), names)
    return names


def function_of(number, name, **stubs):
    """Return a function that a lesson defines, without running anything else of it."""
    notebook = lesson(number)
    taught = [cell for cell in notebook.cells if not cell.id.startswith("ex-")]
    defined = [
        node
        for node in _top_level({"cells": taught}, ast.FunctionDef)
        if node.name == name
    ]
    if not defined:
        pytest.fail(f"lesson {number} defines no function {name!r}")
    return run(notebook, ast.unparse(defined[-1]), **stubs)[name]


def _top_level(notebook, kinds):
    for cell in notebook["cells"]:
        if cell.cell_type == "code":
            yield from (n for n in _parse(cell.source).body if isinstance(n, kinds))


def _parse(source):
    magic = re.compile(r"^(\s*)[%!].*$", re.M)  # `%pip install …` is no Python
    return ast.parse(magic.sub(r"\1pass", source))
