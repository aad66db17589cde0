"""Every lesson has the skeleton, and the checker notices whatever is missing."""

from __future__ import annotations

import copy

import nbformat
import pytest

from course_utils import lessons
from tools import notebooks, stamp, structure
from tools.notebooks import FOLDER

LESSON = lessons.get("02")
PATH = FOLDER / LESSON.file  # where the valid lesson below would lie


@pytest.mark.parametrize("path", notebooks.paths(), ids=lambda path: path.stem)
def test_a_lesson_lacks_nothing(path):
    found = structure.problems(notebooks.read(path), path)
    assert found == [], "\n".join(found)


def test_every_notebook_is_a_lesson_of_the_table():
    known = {row.file for row in lessons.LESSONS.values()}
    assert notebooks.paths()
    assert {path.name for path in FOLDER.glob("*.ipynb")} <= known


# A valid lesson, broken in one way at a time


def markdown(name, source):
    return nbformat.v4.new_markdown_cell(source, id=name)


def code(name, source, *outputs, **metadata):
    return nbformat.v4.new_code_cell(
        source,
        id=name,
        execution_count=1,
        outputs=[nbformat.from_dict(output) for output in outputs],
        metadata=metadata,
    )


def printed(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def shown(**data):
    kind = {"png": "image/png", "html": "text/html"}
    data = {kind[name]: value for name, value in data.items()}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def fresh(notebook):
    """Note that the outputs are of the code as it is now."""
    notebook.metadata["course"] = {"source_hash": notebooks.source_hash(notebook)}
    return notebook


def valid():
    place = stamp.address()
    setup = f'{stamp.setup_line(place)}\ncourse = session.start("{LESSON.number}")'
    figure = shown(png="iVBORw0KGgo=")
    answer = 'assert exercises.check("02", 1, half)'
    promise = "**You will be able to**\n\n- see\n- do\n- say\n\n**Before you start:** -"
    return fresh(
        nbformat.v4.new_notebook(
            cells=[
                markdown("title", f"# 02 · Toy\n\n{stamp.badge(LESSON.file, place)}"),
                markdown("contract", promise),
                code("setup", setup, tags=["setup"]),
                code("map", "plot()", figure, alt="Four boxes joined by arrows."),
                markdown("s01-read", "See [the package](../course_utils/quiz.py#top)."),
                code("s01-slide", "widgets.IntSlider()", printed("7\n")),
                code("claims", "assert 1 < 2", tags=["claims"]),
                code("ex-1", "...", printed("not attempted"), tags=["exercise"]),
                code(
                    "ex-1-solution",
                    answer,
                    printed("passed"),
                    tags=["solution"],
                    jupyter={"source_hidden": True},
                ),
                code("quiz", 'quiz.show("02")'),
                markdown("summary", "## Summary"),
                markdown("sources", "## Sources"),
                markdown("next", "**Next:** more"),
            ]
        )
    )


def test_the_valid_lesson_lacks_nothing():
    notebook = valid()
    nbformat.validate(notebook)
    assert structure.problems(notebook, PATH) == []


def without(name):
    def change(notebook, _cells):
        notebook.cells = [cell for cell in notebook.cells if cell.id != name]

    return change


def source(name, text):
    def change(_notebook, cells):
        cells[name].source = text

    return change


def replaced(name, old, new):
    def change(_notebook, cells):
        assert old in cells[name].source
        cells[name].source = cells[name].source.replace(old, new)

    return change


def output(name, *outputs):
    def change(_notebook, cells):
        cells[name].outputs = [nbformat.from_dict(output) for output in outputs]

    return change


def metadata(name, key, value):
    def change(_notebook, cells):
        cells[name].metadata[key] = value

    return change


def renamed(name, new):
    def change(_notebook, cells):
        cells[name].id = new

    return change


def swapped(name, other):
    def change(notebook, cells):
        one, two = (notebook.cells.index(cells[n]) for n in (name, other))
        notebook.cells[one], notebook.cells[two] = cells[other], cells[name]

    return change


def not_executed(_notebook, cells):
    cells["s01-slide"].execution_count = None


ERROR = {
    "output_type": "error",
    "ename": "ValueError",
    "evalue": "no",
    "traceback": ["ValueError: no"],
}
LIBRARY_ERROR = ERROR | {"traceback": ['File "/home/me/lib/toy.py", line 1']}

MUTATIONS = {
    "no claims cell": (without("claims"), "in this order; got"),
    "cells in another order": (swapped("summary", "sources"), "in this order; got"),
    "a duplicate id": (renamed("s01-read", "s01-slide"), "Expected unique cell ids."),
    "an unreadable id": (
        renamed("s01-read", "303fc7e5"),
        "The id '303fc7e5' is not of a known form.",
    ),
    "no sections": (
        lambda notebook, cells: [
            renamed(name, name.replace("s01", "s02"))(notebook, cells)
            for name in ("s01-read", "s01-slide")
        ],
        "Expected sections s01-…",
    ),
    "the title of another lesson": (
        replaced("title", "# 02", "# 03"),
        "Expected the title to begin with '# 02'.",
    ),
    "the badge of another lesson": (
        replaced("title", "02_", "03_"),
        "Expected the badge of today's public address (make stamp).",
    ),
    "the badge of another address": (
        replaced("title", "OWNER", "SOMEONE")
        if "OWNER" in stamp.address()
        else replaced("title", "/blob/", "-copy/blob/"),
        "Expected the badge of today's public address (make stamp).",
    ),
    "the set-up line of another address": (
        replaced("setup", "git+https", "git+http"),
        "Expected the set-up line of today's address (make stamp).",
    ),
    "a long set-up cell": (
        replaced("setup", "course =", "\n" * 11 + "course ="),
        "Expected at most 12 lines in the set-up cell.",
    ),
    "the start of another lesson": (
        replaced("setup", '("02")', '("03")'),
        'Expected session.start("02") in the set-up cell.',
    ),
    "too few promises": (
        replaced("contract", "- see\n", ""),
        "Expected 3 to 5 points under 'You will be able to'.",
    ),
    "claims that check nothing": (
        source("claims", "print('true')"),
        "Expected asserts in the claims cell.",
    ),
    "no tag on the claims": (
        metadata("claims", "tags", []),
        "Expected the tag 'claims' on the cell 'claims'.",
    ),
    "no tag on the set-up": (
        metadata("setup", "tags", []),
        "Expected the tag 'setup' on the cell 'setup'.",
    ),
    "a long cell": (
        source("s01-slide", "widgets.IntSlider()\n" * 31),
        "s01-slide: 31 lines; split what is over 30.",
    ),
    "a wide line": (
        source("s01-slide", "widgets.IntSlider()".ljust(89, "#")),
        "s01-slide: a line of 89 characters; at most 88.",
    ),
    "no widget": (source("s01-slide", "slide()"), "Expected at least one widget."),
    "no exercise": (
        metadata("ex-1", "tags", []),
        "Expected at least one cell tagged 'exercise'.",
    ),
    "an exercise without its solution": (
        without("ex-1-solution"),
        "ex-1: expected its solution in the next cell.",
    ),
    "a cell between exercise and solution": (
        swapped("ex-1-solution", "quiz"),
        "ex-1: expected its solution in the next cell.",
    ),
    "the solution of another exercise": (
        renamed("ex-1-solution", "ex-2-solution"),
        "ex-2-solution: expected the id ex-1-solution.",
    ),
    "a solution that shows": (
        metadata("ex-1-solution", "jupyter", {}),
        "ex-1-solution: expected its source to be hidden.",
    ),
    "a solution that checks nothing": (
        replaced("ex-1-solution", "assert ", ""),
        "ex-1-solution: expected 'assert exercises.check(…)'.",
    ),
    "an exercise solved as given": (
        output("ex-1", printed("passed")),
        "ex-1: expected it to say 'not attempted' as given.",
    ),
    "a solution that fails": (
        output("ex-1-solution", printed("wrong")),
        "ex-1-solution: expected the solution to say 'passed'.",
    ),
    "a cell that was not executed": (not_executed, "s01-slide: not executed."),
    "an error": (output("s01-slide", ERROR), "s01-slide: an error in its output."),
    "output on stderr": (
        output("s01-slide", printed("oh", "stderr")),
        "s01-slide: output on stderr: 'oh'",
    ),
    "a printed warning": (
        output("s01-slide", printed("toy.py:7: FutureWarning: soon")),
        "s01-slide: a warning in its output.",
    ),
    "a warning shown as HTML": (
        output("s01-slide", shown(html="<b>Warning:</b> slow")),
        "s01-slide: a warning in its output.",
    ),
    "a figure without alt text": (
        metadata("map", "alt", ""),
        "map: expected an alt text (metadata 'alt') for its figure.",
    ),
    "a figure with a short alt text": (
        metadata("map", "alt", "boxes"),
        "map: expected an alt text (metadata 'alt') for its figure.",
    ),
    "a machine's path in the source": (
        source("s01-slide", "widgets.open('/Users/me/data.csv')"),
        "s01-slide: a path of one machine (/Users/…).",
    ),
    "a machine's path in an output": (
        output("s01-slide", printed("read /home/me/data.csv")),
        "s01-slide: a path of one machine (/home/…).",
    ),
    "a machine's path in a shown table": (
        output("s01-slide", shown(html="<td>/tmp/x</td>")),
        "s01-slide: a path of one machine (/tmp/…).",
    ),
    "a machine's path in a traceback": (
        output("s01-slide", LIBRARY_ERROR),
        "s01-slide: a path of one machine (/home/…).",
    ),
    "a dead link": (
        source("s01-read", "[card](../data/nowhere.md)"),
        "s01-read: the link ../data/nowhere.md leads nowhere.",
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_what_is_broken_is_said(name):
    change, expected = MUTATIONS[name]
    notebook = valid()
    change(notebook, {cell.id: cell for cell in notebook.cells})
    found = structure.problems(fresh(notebook), PATH)
    assert any(expected in problem for problem in found), found


def test_a_mutation_of_the_text_alone_breaks_one_thing():
    for name in ("a dead link", "an error", "no widget", "a wide line"):
        change, expected = MUTATIONS[name]
        notebook = valid()
        change(notebook, {cell.id: cell for cell in notebook.cells})
        assert structure.problems(fresh(notebook), PATH) == [expected]


@pytest.mark.parametrize("name", ["claims", "s01-slide", "ex-1-solution"])
def test_outputs_of_an_older_source_are_noticed(name):
    notebook = valid()
    for cell in notebook.cells:
        if cell.id == name:
            cell.source += "  # changed since"
    found = structure.problems(notebook, PATH)
    assert found == ["The outputs are not of this source: run `make course`."]


def test_an_expected_error_is_no_problem():
    notebook = valid()
    cells = {cell.id: cell for cell in notebook.cells}
    output("s01-slide", ERROR)(notebook, cells)
    metadata("s01-slide", "tags", ["raises-exception"])(notebook, cells)
    assert structure.problems(notebook, PATH) == []


@pytest.mark.parametrize(
    "link", ["https://example.org/x", "#s01-read", "mailto:a@example.org"]
)
def test_links_out_of_the_repository_are_not_followed(link):
    notebook = valid()
    cells = {cell.id: cell for cell in notebook.cells}
    source("s01-read", f"[there]({link})")(notebook, cells)
    assert structure.problems(notebook, PATH) == []


def test_checking_changes_nothing():
    notebook = valid()
    before = copy.deepcopy(notebook)
    structure.problems(notebook, PATH)
    assert notebook == before
