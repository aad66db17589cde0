"""Every lesson has a widget whose handler is a function of its own, tested by itself.

The tests of the handlers are in tests/lessons, one file per lesson.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

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
