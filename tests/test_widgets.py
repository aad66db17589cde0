"""Every lesson has a widget whose handler is a function of its own, tested by itself.

The tests of the handlers are in tests/lessons, one file per lesson.
"""

from __future__ import annotations

import ast
import importlib.util
import symtable
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from conftest import lesson
from tools import notebooks

TESTS = Path(__file__).parent / "lessons"


@pytest.mark.parametrize("number", [path.name[:2] for path in notebooks.paths()])
def test_every_lesson_has_a_widget_with_a_handler_that_is_tested(number):
    file = TESTS / f"test_lesson_{number}.py"
    assert file.exists(), f"expected {file.name} in tests/lessons; got none"
    spec = importlib.util.spec_from_file_location(f"lesson_{number}_tests", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    cells = [c.source for c in lesson(number).cells if "widgets." in c.source]
    assert any(f"def {module.WIDGET}(" in c and ".observe(" in c for c in cells)
    assert file.read_text(encoding="utf-8").count(f'"{module.WIDGET}"') > 1


# A handler runs when the reader moves something, perhaps after all cells: what it reads from
# the notebook must still be what it was in its own cell.


def plain(source):
    """Return the source with its magics taken out."""
    lines = source.splitlines()
    return "\n".join(
        line[: len(line) - len(line.lstrip())] + "pass"
        if line.lstrip().startswith(("%", "!"))
        else line
        for line in lines
    )


def table(source):
    return symtable.symtable(plain(source), "cell", "exec")


def inner(scope):
    return [scope, *(one for child in scope.get_children() for one in inner(child))]


def functions(source):
    """Return each function with the names that it reads from the notebook."""
    return {
        child.get_name(): {
            symbol.get_name()
            for scope in inner(child)
            for symbol in scope.get_symbols()
            if symbol.is_global() and symbol.is_referenced()
        }
        for child in table(source).get_children()
        if child.get_type() == "function"
    }


class GivenAnew(ast.NodeVisitor):
    """Collect the names that a cell gives to something, outside of functions."""

    def __init__(self):
        self.names = set()

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Store):
            self.names.add(node.id)

    def visit_alias(self, node):
        self.names.add((node.asname or node.name).split(".")[0])

    def visit_FunctionDef(self, node):
        self.names.add(node.name)

    def own_scope(self, node):
        """Names within are of no other concern."""

    visit_ClassDef = visit_FunctionDef
    visit_ListComp = visit_SetComp = visit_DictComp = own_scope
    visit_GeneratorExp = visit_Lambda = own_scope


def given_anew(source):
    visitor = GivenAnew()
    visitor.visit(ast.parse(plain(source)))
    return visitor.names


def changed_behind_a_widget(notebook):
    """Return (widget's cell, name, later cell that gives the name to something else)."""
    cells = [(c.id, c.source) for c in notebook.cells if c.cell_type == "code"]
    known, found = {}, []
    for place, (cell, source) in enumerate(cells):
        known |= functions(source)
        if ".observe(" not in source:
            continue
        called, reads = list(functions(source)), set()
        while called:
            name = called.pop()
            new = known.get(name, set()) - reads
            reads |= new
            called += new
        found += [
            (cell, name, later)
            for later, text in cells[place + 1 :]
            for name in sorted((reads | set(functions(source))) & given_anew(text))
        ]
    return found


@pytest.mark.parametrize("number", [path.name[:2] for path in notebooks.paths()])
def test_a_widget_still_works_when_all_cells_have_run(number):
    assert changed_behind_a_widget(lesson(number)) == []


@pytest.mark.parametrize(
    ("later", "found"),
    [
        ("rows = [3]", [("w", "rows", "z")]),
        ("for rows in [[1], [2]]:\n    print(rows)", [("w", "rows", "z")]),
        ("def total():\n    return 0", [("w", "total", "z")]),
        ("import math as slider", [("w", "slider", "z")]),
        ("print([rows for rows in 'ab'])\ndef f(rows):\n    slider = rows", []),
        ("%time print(rows)\ntotals = 1", []),
    ],
)
def test_what_changes_behind_a_widget_is_found(later, found):
    widget = (
        "def update(change):\n    print(slider.value, total())\n"
        "slider.observe(update, 'value')"
    )
    cells = {"a": "def total():\n    return sum(rows)", "w": widget, "z": later}
    notebook = new_notebook(cells=[new_code_cell(v, id=k) for k, v in cells.items()])
    assert changed_behind_a_widget(notebook) == found
