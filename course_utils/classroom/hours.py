"""One class hour of a lesson: which of its cells the slides show in 45 minutes.

A lesson is written to be worked through alone and makes 60 to 130 slides. `hours.toml` names
the cells that carry its question from the prediction to the answer; the others are left for
reading.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

from course_utils.classroom.content import Block, prose
from course_utils.errors import InputError


@cache
def _hours() -> dict[str, list[str]]:
    file = resources.files("course_utils.classroom") / "hours.toml"
    return tomllib.loads(file.read_text("utf-8"))


def laid_out() -> list[str]:
    """Return the numbers of the lessons that have a class hour."""
    return list(_hours())


def cells(number: str) -> list[str]:
    """Return what a class hour shows of a lesson, e.g. "09": ids of cells.

    Of an id followed by ":output" the code is left out, as of most code that only draws.

    Raises:
        InputError: if no hour is laid out for the lesson.
    """
    if number not in _hours():
        raise InputError(
            f"Expected a lesson with a class hour laid out; got {number}. Leave --hour "
            "away for all of its slides."
        )
    return _hours()[number]


def select(blocks: list[Block], wanted: list[str]) -> list[Block]:
    """Return the blocks of the wanted cells, under the headings of their sections.

    A cell that ends one section and begins the next goes with the one that shows more, or
    the first. The last block names the sections of which nothing is shown.

    Args:
        blocks: a whole lesson's, in order.
        wanted: as `cells` returns them.

    Raises:
        InputError: if the lesson has no block of one of the cells.
    """
    asked, there = set(wanted), {name for block in blocks for name in _names(block)}
    if missing := [name for name in wanted if name not in there]:
        raise InputError(
            f"Expected the lesson with something to show in its cell {missing[0]}; got "
            "one without. Take the course's own lesson, or leave --hour away."
        )
    sections = _sections(blocks)
    shown = [[b for b in part if asked & set(_names(b))] for part in sections]
    sizes = [len({b.cell for b in part}) for part in shown]
    for place, part in enumerate(shown):
        if sizes[place] == 1 and any(
            (size > 1 or other < place) and part[0].cell in {b.cell for b in rival}
            for other, (size, rival) in enumerate(zip(sizes, shown, strict=True))
            if other != place
        ):
            part.clear()
    kept, left = [], []
    for section, part in zip(sections, shown, strict=True):
        name = section[0].name if section[0].heading == 2 else ""
        if part and name and part[0] is not section[0]:
            kept += prose(f"## {name}", part[0].cell)
        kept += part
        if name and not part:
            left.append(name)
    if left:
        text = f"## Left for reading\n\nThe notebook also has: {'; '.join(left)}."
        kept += prose(text, blocks[-1].cell)
    return kept


def _names(block: Block) -> list[str]:
    return [block.cell, *([f"{block.cell}:output"] if block.kind == "output" else [])]


def _sections(blocks: list[Block]) -> list[list[Block]]:
    sections: list[list[Block]] = [[]]
    for block in blocks:
        if block.heading == 2 and sections[-1]:
            sections.append([])
        sections[-1].append(block)
    return sections
