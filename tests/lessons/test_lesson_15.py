"""Lesson 15: the widget's handler, and the rows that are those of lesson 14."""

from __future__ import annotations

import ast

from conftest import cell_of, function_of, lesson

WIDGET = "width_line"


def test_a_short_width_cuts_and_a_long_one_wastes():
    line = function_of("15", "width_line", lengths=[10, 20, 30])
    assert line(8, [4, 8, 12]) == "8: 33% cut, 17% padding"
    assert line(16, [4, 8, 12]) == "16: 0% cut, 50% padding"
    assert line(4, [4, 8]) == "4: 50% cut, 0% padding"


def assignments(source: str) -> dict[str, str]:
    return {
        ast.unparse(node.targets[0]): ast.unparse(node.value)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Assign)
    }


def test_the_rows_are_those_of_lesson_14():
    here = assignments(cell_of(lesson("15"), "s02-split").source)
    written = assignments(cell_of(lesson("14"), "s01-write").source)
    listing = assignments(cell_of(lesson("14"), "s02-parts").source)
    for name in ("reviews", "reviews['label']"):
        assert here[name] == written[name]
    split = assignments(ast.literal_eval(listing["DATA"]))
    for name in ("(train_data, temp_data)", "(valid_data, test_data)"):
        assert here[name] == split[name]
