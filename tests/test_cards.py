"""What the data cards say was measured is what their snippets print."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

CARDS = Path(__file__).resolve().parents[1] / "data"
MEASURED = re.compile(r"^```python\n(.*?)^```\n+```text\n(.*?)^```$", re.M | re.S)
SLOW = {"decoder", "image_cnn", "speech_model"}  # a minute or more: by hand
MEASURABLE = [
    pytest.param(code, printed, id=f"{path.stem} {place}")
    for path in sorted(CARDS.glob("*.md"))
    if path.stem not in SLOW
    for place, (code, printed) in enumerate(MEASURED.findall(path.read_text("utf-8")))
]


def test_every_card_measures_something():
    without = [p.stem for p in CARDS.glob("*.md") if not MEASURED.search(p.read_text())]
    assert without == ["README"] and len(MEASURABLE) > 8


@pytest.mark.parametrize(("code", "printed"), MEASURABLE)
def test_a_card_prints_what_it_says(code, printed):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(code, {"__name__": "card"})
    assert said.getvalue().splitlines() == printed.splitlines()
