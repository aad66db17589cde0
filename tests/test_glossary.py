"""The glossary: complete, true to the lessons, tolerant in its search."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from pathlib import Path

import nbformat.v4 as cells
import pytest

from conftest import one_sentence
from course_utils import glossary, lessons
from course_utils.errors import InputError
from course_utils.glossary import Term, fold
from tools import notebooks

EMPHASIS = Path(__file__).parent / "data" / "emphasis.txt"
SKIPPED = ("title", "sources")  # titles of books and papers are in italics there


def marked(notebook) -> dict[str, str]:
    """Return every phrase in single-asterisk italics, and the cell that has it first."""
    found: dict[str, str] = {}
    for cell in notebook.cells:
        if cell.cell_type != "markdown" or cell.id in SKIPPED:
            continue
        text = re.sub(r"```.*?```|\$\$.*?\$\$", " ", cell.source, flags=re.S)
        text = re.sub(r"`[^`\n]*`", "CODE", text)
        text = re.sub(r"\$[^$\n]*\$", "FORMULA", text)
        text = re.sub(r"^#+ .*$", " ", text, flags=re.M)  # headings
        text = re.sub(r"^(\s*)\* ", r"\1- ", text.replace(r"\*", ""), flags=re.M)
        # Paragraphs, items and rows of tables: an asterisk pairs with none outside its own.
        for block in re.split(r"\n\s*\n|\n(?=\s*(?:[-|>]|\d+\.) )|\|", text):
            block = block.replace("**", "\0")
            for match in re.finditer(
                r"(?<![*\w])\*(?=\S)([^*]+?)(?<=\S)\*(?!\w)", block
            ):
                phrase = fold(match[1].replace("\0", ""))
                found.setdefault(phrase, cell.id)
    return found


def emphases() -> set[str]:
    return {fold(line) for line in EMPHASIS.read_text(encoding="utf-8").splitlines()}


def missing(notebook) -> list[str]:
    """Return what a lesson marks that is neither a term nor listed as mere emphasis."""
    known = {s for term in glossary.load() for s in term.spellings} | emphases()
    return [
        f"{phrase!r} in {cell}"
        for phrase, cell in marked(notebook).items()
        if phrase not in known and not phrase.replace(" ", "").isnumeric()
    ]


def prose(notebook) -> str:
    """Return all a lesson's cells as one folded text, sources left out."""
    kept = [cell.source for cell in notebook.cells if cell.id != "sources"]
    return fold(" ".join(kept).replace("*", "").replace("_", " "))


LESSONS = {path.name[:2]: path for path in notebooks.paths()}
every_lesson = pytest.mark.parametrize("number", LESSONS)


@pytest.fixture(scope="module")
def texts():
    return {number: prose(notebooks.read(path)) for number, path in LESSONS.items()}


@every_lesson
def test_every_word_that_a_lesson_marks_as_new_is_in_the_glossary(number):
    found = missing(notebooks.read(LESSONS[number]))
    assert not found, (
        "Expected each phrase in *italics* to be a term; got unknown ones. Add them to "
        f"course_utils/glossary.toml, or to {EMPHASIS.name} if merely stressed: {found}"
    )


def test_a_planted_word_is_found():
    text = (
        "A *flurble* is new, **bold** is not, `*code*` and $a*b*c$ are none; see *F1*."
    )
    planted = cells.new_notebook(
        cells=[
            cells.new_markdown_cell("# 99 · *Title*", id="title"),
            cells.new_markdown_cell(text, id="s01-new"),
            cells.new_markdown_cell(
                "- *zorp\n  gap*: over two lines\n\n2 * 3 * 4", id="x"
            ),
            cells.new_code_cell("a *b* c", id="s01-code"),
        ]
    )
    assert set(marked(planted)) == {"flurble", "f1", "zorp gap"}
    assert missing(planted) == ["'flurble' in s01-new", "'zorp gap' in x"]


def test_no_listed_emphasis_is_a_term_or_unused():
    spellings = {s for term in glossary.load() for s in term.spellings}
    assert not emphases() & spellings
    used = set().union(*(marked(notebooks.read(path)) for path in LESSONS.values()))
    assert not emphases() - used, "these phrases stand in no lesson any more"


def test_names_are_unique_and_sorted():
    source = resources.files("course_utils") / "glossary.toml"
    entries = tomllib.loads(source.read_text(encoding="utf-8"))["term"]
    names = [fold(entry["name"]) for entry in entries]
    assert names == sorted(names) and len(set(names)) == len(names)
    assert len(names) > 300
    for (
        term
    ) in glossary.load():  # another spelling that says the same as the name is noise
        assert len(set(term.spellings)) == len(term.spellings), term.name


@pytest.mark.parametrize("term", glossary.load(), ids=lambda term: term.name)
def test_an_entry_is_plain_and_its_lessons_have_the_word(term, texts):
    assert 20 <= len(term.words) <= 240 and term.words.endswith((".", "?", ")"))
    assert term.lesson not in term.also_in
    assert len(set(term.also_in)) == len(term.also_in)
    for number in (term.lesson, *term.also_in):
        if number in texts:  # lesson 15 needs TensorFlow and may be absent
            assert _mentions(texts[number], term), f"{term.name} is not in {number}"


def _mentions(text: str, term: Term) -> bool:
    """Say whether a text has one of the spellings, or all the longer words of one.

    "bias (of a layer)" is found as "bias", "padding per batch" as "padding" and "batch".
    """
    for spelling in term.spellings:
        form = re.sub(r" \(.*\)", "", spelling)
        stems = [word[:-1] for word in re.findall(r"\w{5,}", form)]
        pieces = [form] if len(form.split()) == 1 or not stems else stems
        if all(re.search(rf"(?<!\w){re.escape(piece)}", text) for piece in pieces):
            return True
    return False


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("attention mask", "attention mask"),
        ("  Attention-Masks ", "attention mask"),
        ("LP-FT", "LP-FT"),
        ("lp ft", "LP-FT"),
        ("epochs", "epoch"),
    ],
)
def test_the_search_forgives_case_hyphens_and_plurals(word, name):
    assert [term.name for term in glossary.find(word)] == [name]


def test_the_search_goes_from_names_to_pieces_to_explanations(monkeypatch):
    terms = (
        Term("batch", "01", "Some rows."),
        Term("batch size", "12", "How many rows."),
        Term("step", "01", "One update, after a batch."),
        Term("minibatch", "11", "The same as the first."),
    )
    monkeypatch.setattr(glossary, "load", lambda: terms)
    assert [t.name for t in glossary.find("batch")] == ["batch"]
    assert [t.name for t in glossary.find("bat")] == ["batch", "batch size"]
    assert [t.name for t in glossary.find("update")] == ["step"]


def test_an_unknown_word_gets_one_sentence_with_what_looks_alike():
    with pytest.raises(InputError) as error:
        glossary.find("atention msk")
    one_sentence(error, "atention msk", "attention mask")
    for nothing in ("", "   ", "xqzzy"):
        with pytest.raises(InputError) as error:
            glossary.find(nothing)
        one_sentence(error)


def test_the_table_links_to_the_lessons_and_escapes(monkeypatch):
    shown = glossary.table([Term("a < b", "04", "Less & more.", also_in=("09",))])
    assert "a &lt; b" in shown and "Less &amp; more." in shown
    for number in ("04", "09"):
        assert f'<a href="{lessons.get(number).file}">{number}</a>' in shown
    whole = glossary.table(letters=True)
    assert all(f"<b>{name}</b>" in whole for name in ("LP-FT", "padding"))
    assert whole.count("<table>") == 1 and ">P</th>" in whole


@pytest.mark.parametrize(
    "text", ["[[term]]\nname = 'x'\n", "[[term]", "[[term]]\nname='x'\nwords='y'\n"]
)
def test_a_malformed_file_is_said_in_one_sentence(tmp_path, monkeypatch, text):
    (tmp_path / "glossary.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(glossary.resources, "files", lambda _: tmp_path)
    glossary.load.cache_clear()
    with pytest.raises(InputError) as error:
        glossary.load()
    glossary.load.cache_clear()
    one_sentence(error, "glossary.toml")
