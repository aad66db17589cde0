"""The class hour of a lesson: which cells its slides show in 45 minutes."""

from __future__ import annotations

import pytest

from course_utils import lessons
from course_utils.classroom import content, deck, hours, slides, sources
from course_utils.classroom.__main__ import main
from course_utils.classroom.content import Block
from course_utils.errors import InputError


def text(cell, heading=0, name=""):
    return Block("prose", f"<p>{cell}</p>", 100, cell, heading, name)


WHOLE = [
    text("title", 1, "A lesson"),
    text("goals"),
    text("a1", 2, "A"),
    text("a2"),
    text("border"),  # the end of A ...
    text("border", 2, "B"),  # ... and the beginning of B
    text("b2"),
    text("c1", 2, "C"),
]


def shown(wanted):
    return [(b.cell, b.name) for b in hours.select(WHOLE, wanted)]


def test_a_section_whose_first_cell_is_left_out_keeps_its_heading():
    assert shown(["title", "a2"])[:3] == [
        ("title", "A lesson"),
        ("a2", "A"),
        ("a2", ""),
    ]


@pytest.mark.parametrize(
    ("others", "names"),
    [
        (["a1"], ["A", ""]),  # with the section it ends
        (["b2"], ["B", ""]),  # with the one that it begins
        (["a1", "b2"], ["A", "", "B", ""]),
        ([], ["A", ""]),
    ],
)
def test_a_cell_on_the_border_goes_with_the_section_that_shows_more(others, names):
    found = shown(["border", *others])
    assert [name for cell, name in found if cell != "c1"] == names


def test_of_a_drawing_the_output_alone_can_be_shown():
    drawn = [Block(kind, "", 50, "b3") for kind in ("code", "output")]
    blocks = [*WHOLE[:-1], *drawn]
    found = hours.select(blocks, ["title", "b2", "b3:output"])
    assert [b.kind for b in found if b.cell == "b3"] == ["output", "prose"]
    found = hours.select(blocks, ["title", "b2", "b3"])
    assert [b.kind for b in found if b.cell == "b3"] == ["code", "output", "prose"]
    with pytest.raises(InputError, match="in its cell b2:output"):
        hours.select(blocks, ["b2:output"])


def test_what_is_left_for_reading_is_named():
    last = hours.select(WHOLE, ["title", "b2"])[-1]
    assert last.name == "Left for reading" and "A; C." in last.html
    assert hours.select(WHOLE, [b.cell for b in WHOLE]) == WHOLE


def test_a_cell_that_the_lesson_lacks_is_named():
    with pytest.raises(InputError, match="in its cell x9; got one without"):
        hours.select(WHOLE, ["title", "x9"])


def test_a_lesson_without_an_hour_is_refused():
    with pytest.raises(InputError, match=r"class hour laid out; got 77\. Leave --hour"):
        hours.cells("77")


def test_every_lesson_has_an_hour():
    assert hours.laid_out() == list(lessons.LESSONS)


@pytest.mark.parametrize("number", hours.laid_out())
def test_the_hour_of_a_lesson(number):
    notebook = sources.read(sources.find([number])[0])
    order = [cell.id for cell in notebook.cells]
    wanted = [name.removesuffix(":output") for name in hours.cells(number)]
    assert wanted == sorted(set(wanted), key=order.index)
    assert wanted[:2] == ["title", "contract"] and "summary" in wanted
    found = slides.blocks(notebook, number, hour=True)
    kinds = [block.kind for block in found]
    # Nearly 45 minutes: one and a half to two a slide.
    assert 20 <= sum(map(len, deck.lay_out(found))) <= 32
    assert kinds.count("code") >= 1 and kinds.count("output") >= 4
    assert "Left for reading" in [block.name for block in found]
    assert len(found) < len(content.blocks(notebook, number)) * 0.6


def test_the_command_writes_the_hour(tmp_path):
    for more, folder in (([], "whole"), (["--hour"], "hour")):
        assert main(["slides", str(tmp_path / folder), "13", *more]) == 0
    whole, hour = (
        (tmp_path / folder / "13_evaluation.html").read_text("utf-8")
        for folder in ("whole", "hour")
    )
    assert "Left for reading" in hour and "Left for reading" not in whole
    assert hour.count("<section>") < 0.6 * whole.count("<section>")
