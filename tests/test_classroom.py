"""What a teacher hands out and shows: the students' edition, the slides, the commands."""

from __future__ import annotations

import copy
import re
from base64 import b64encode
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_utils import assets, lessons, quiz
from course_utils.classroom import content, deck, sealed, slides, sources, students
from course_utils.classroom.__main__ import main
from course_utils.classroom.markdown import to_html
from course_utils.classroom.sources import tags
from course_utils.errors import InputError
from tools import notebooks

NUMBERS = list(lessons.LESSONS)
PNG = b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes([0, 0, 1, 64, 0, 0, 0, 200]))


def lesson(number):
    return sources.read(sources.find([number])[0])


def code(source, cell, *, tag=None, outputs=(), **metadata):
    metadata |= {"tags": [tag]} if tag else {}
    return new_code_cell(source, id=cell, outputs=list(outputs), metadata=metadata)


def printed(text):
    return new_output("stream", name="stdout", text=text)


# Finding and writing


def test_lessons_are_found_by_number_once_and_in_order():
    found = sources.find(["13", "1", "01"])
    assert [path.name[:2] for path in found] == ["13", "01"]
    assert len(sources.find()) == len(NUMBERS)


def test_an_unknown_lesson_and_a_missing_notebook_are_refused(tmp_path):
    with pytest.raises(InputError, match="one of 01, 02, …, 31; got '99'"):
        sources.find(["99"])
    with pytest.raises(InputError, match=r"got no 01_introduction\.ipynb"):
        sources.find(["1"], tmp_path)


def test_what_is_no_notebook_is_refused(tmp_path):
    (tmp_path / "01_introduction.ipynb").write_text("nothing")
    with pytest.raises(InputError, match="Expected a notebook"):
        students.write(["1"], tmp_path / "new", notebooks=tmp_path)


@pytest.mark.parametrize("write", [students.write, slides.write])
def test_a_folder_in_use_stays_as_it_is(write, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds files\. Nothing is overwritten"):
        write(["1"], tmp_path)
    with pytest.raises(InputError, match="Expected a folder that can be written"):
        write(["1"], tmp_path / "mine.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


# The students' edition


@pytest.mark.parametrize("number", NUMBERS)
def test_no_solution_can_be_read_in_the_edition(number):
    whole = lesson(number)
    before = copy.deepcopy(whole)
    edition = students.edit(whole)
    assert whole == before  # the teacher's own is as it was
    nbformat.validate(edition)
    solutions = {c.id: c.source for c in whole.cells if "solution" in tags(c)}
    text = nbformat.writes(edition)
    assert solutions
    for cell, source in solutions.items():
        assert source not in "".join(c.source for c in edition.cells), cell
    assert "passed" not in "".join(
        output.get("text", "") for c in edition.cells for output in c.get("outputs", [])
    )
    assert "colab-badge" not in text and '"outputs": [{' not in text.replace("\n", "")
    taught = [c.source for c in whole.cells if "solution" not in tags(c)][1:]
    kept = [c.source for c in edition.cells if "solution" not in tags(c)][2:]
    assert kept == taught and edition.cells[1].source == students.NOTE


def test_only_what_later_cells_read_stays_and_it_stays_sealed():
    found = {
        (number, cell)
        for number in NUMBERS
        for cell in students.needed_solutions(lesson(number).cells)
    }
    assert ("14", "ex-2-solution") in found and ("14", "ex-1-solution") not in found
    assert {number for number, _ in found} == {"01", "14", "29"}
    whole, edition = lesson("29"), students.edit(lesson("29"))
    source = {cell.id: cell.source for cell in whole.cells}
    stays = [cell for cell in edition.cells if "solution" in tags(cell)]
    assert len(stays) == 9
    for cell in stays:
        text = re.search(r'"""\n(.*?)\n"""', cell.source, re.S)[1]
        assert sealed.opened(text) == source[cell.id]
        assert max(map(len, cell.source.splitlines())) <= 88
        assert cell.metadata["jupyter"]["source_hidden"]


def test_a_sealed_solution_runs_in_the_notebooks_own_names():
    source = "def twice(x):\n    return 2 * x\n\n\nassert twice(2) == 4"
    cell = students.SEALED.format(number=1, text=sealed.seal(source))
    names = {}
    exec(cell, names)
    assert names["twice"](3) == 6


def test_a_sealed_solution_that_was_changed_says_so():
    text = sealed.seal("answer = 42")
    with pytest.raises(InputError, match="Take the notebook again"):
        sealed.opened(text[:-8])


@pytest.mark.parametrize(
    ("later", "needed"),
    [
        ("print(answer)", True),
        ("def f():\n    return answer(1)", True),
        ("[answer(x) for x in range(3)]", True),
        ("%time answer(1)\nanswer(2)", True),
        ("answer = 1\nprint(2)", False),
        ("def f(answer):\n    return answer", False),
        ("other.answer = 1", False),
        ("print(hidden)", False),
    ],
)
def test_which_solutions_are_needed(later, needed):
    cells = [
        code("def answer(x): ...", "ex-1", tag="exercise"),
        code(
            "def answer(x):\n    hidden = x\n    return hidden",
            "ex-1-solution",
            tag="solution",
        ),
        code("print(answer)", "ex-2", tag="exercise"),
        code(later, "later"),
    ]
    assert students.needed_solutions(cells) == ({"ex-1-solution"} if needed else set())


def test_a_name_given_anew_before_it_is_read_needs_no_solution():
    cells = [
        code("rows = 3", "ex-1-solution", tag="solution"),
        code("rows = 4", "s02-rows"),
        code("print(rows)", "s02-print"),
    ]
    assert students.needed_solutions(cells) == set()


def test_kept_outputs_are_those_of_taught_cells(tmp_path):
    whole = lesson("14")
    edition = students.edit(whole, keep_outputs=True)
    outputs = {cell.id: cell.get("outputs") for cell in whole.cells}
    for cell in edition.cells[2:]:
        if {"exercise", "solution"} & set(tags(cell)):
            assert cell.outputs == []
        elif cell.cell_type == "code":
            assert cell.outputs == outputs[cell.id]


@pytest.mark.slow
def test_the_edition_of_a_lesson_that_goes_on_from_solutions_runs(tmp_path):
    from nbclient import NotebookClient

    (path,) = students.write(["1"], tmp_path / "class")
    notebook = notebooks.read(path)
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    said = "".join(
        output.get("text", "")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )
    assert "Exercise 2: passed" in said and "not attempted" in said


# Slides: content


def test_formulas_become_mathml_and_links_to_files_become_words():
    shown = to_html(
        "As $a^2$ in [lesson 3](03_x.ipynb), [there](https://example.org):\n\n$$\\frac{1}{n}$$"
    )
    assert shown.count("<math") == 2 and "$" not in shown
    assert "lesson 3" in shown and "03_x" not in shown
    assert '<a href="https://example.org">there</a>' in shown


def test_the_blocks_of_a_lesson():
    shown = new_output("display_data", data={"image/png": PNG.decode()})
    widget = new_output(
        "display_data", data={"application/vnd.jupyter.widget-view+json": {}}
    )
    cells = [
        new_markdown_cell("# 13 · Title\n\n[![Colab](x.svg)](y)", id="title"),
        code("session.start()", "setup", tag="setup"),
        code("draw_map()", "map", outputs=[shown], alt="Four <boxes>"),
        new_markdown_cell(
            "## First\n\nWhat comes out?\n\n### Then\n\nMore", id="s01-a"
        ),
        code("1 + 1\n\n\n2", "s01-b", outputs=[printed("\x1b[1m2\x1b[0m\n<3>")]),
        code("slider", "s01-c", outputs=[widget]),
        code("check(2)", "ex-1", tag="exercise", outputs=[printed("not attempted")]),
        code("secret", "ex-1-solution", tag="solution", outputs=[printed("passed")]),
        code("table", "claims-list", outputs=[printed("it holds")]),
    ]
    found = content.blocks(new_notebook(cells=cells), "13")
    assert [(block.kind, block.cell) for block in found] == [
        ("prose", "title"),
        ("output", "map"),
        ("prose", "s01-a"),
        ("prose", "s01-a"),
        ("code", "s01-b"),
        ("output", "s01-b"),
        ("code", "s01-c"),
        ("output", "s01-c"),
        ("code", "ex-1"),
        ("output", "claims-list"),
    ]
    title, drawn, first, then, _, text, _, moving, *_ = found
    assert (title.heading, title.name) == (1, "13 · Title") and "img" not in title.html
    assert 'alt="Four &lt;boxes&gt;" width="400" height="250"' in drawn.html
    assert (first.heading, first.leads_on, then.heading) == (2, True, 3)
    assert "&lt;3&gt;" in text.html and "\x1b" not in text.html
    assert "Interactive" in moving.html
    assert "secret" not in "".join(block.html for block in found)


def test_the_quiz_is_asked_first_and_answered_after():
    asked = content.questions("13")
    questions = quiz.load("13")
    assert [block.kind for block in asked] == ["prose", "answer"] * len(questions)
    for question, shown, told in zip(questions, asked[::2], asked[1::2], strict=True):
        (right,) = [i for i, option in enumerate(question.options) if option.correct]
        assert f"<strong>{'ABCDE'[right]} ✔</strong>" in told.html
        assert told.html.count("✔") == 1 and "✔" not in shown.html
        assert shown.html.count("<li>") == len(question.options)


def test_long_prose_is_cut_between_paragraphs_and_not_within_code():
    paragraph = "word " * 150
    fenced = "```\n" + "line\n\n" * 5 + "```"
    parts = content.prose("\n\n".join([paragraph] * 3 + [fenced]), "s01-long")
    assert len(parts) > 1 and all(part.height <= content.ROOM for part in parts)
    assert sum(part.html.count("<pre>") for part in parts) == 1
    assert content.prose("", "s01-empty") == []


# Slides: layout


def block(kind, cell="a", height=100, **more):
    return content.Block(kind, f"<p>{cell}</p>", height, cell, **more)


def shape(blocks):
    return [
        [[(b.kind, waits) for b, waits in slide.blocks] for slide in section]
        for section in deck.lay_out(blocks)
    ]


def test_an_output_waits_below_its_code_and_so_does_what_follows():
    blocks = [block("prose", heading=2), block("code"), block("output"), block("prose")]
    assert shape(blocks) == [
        [[("prose", False), ("code", False), ("output", True), ("prose", True)]]
    ]


def test_sections_slides_and_what_leads_on():
    blocks = [
        block("prose", heading=1, name="Title"),
        block("prose", heading=2, name="First"),
        block("prose", heading=3),
        block("code"),
        block("output"),
        block("prose", leads_on=True),
        block("code", "b"),
        block("code", "c"),
        block("output", "c"),
        block("code", "d"),
    ]
    sizes = [[len(slide.blocks) for slide in part] for part in deck.lay_out(blocks)]
    assert sizes == [[1], [1, 3, 4, 1]]
    assert [part[-1].section for part in deck.lay_out(blocks)] == ["", "First"]


@pytest.mark.parametrize(
    ("prose", "code", "output", "slides"),
    [
        (100, 200, 300, [3]),
        (100, 300, 300, [1, 2]),  # together on a fresh one
        (100, 400, 300, [2, 1]),  # no slide holds both
        (100, 700, 100, [1, 1, 1]),
    ],
)
def test_code_shares_a_slide_with_its_output_if_both_fit(prose, code, output, slides):
    blocks = [
        block("prose", height=prose),
        block("code", "b", code),
        block("output", "b", output),
    ]
    (section,) = deck.lay_out(blocks)
    assert [len(slide.blocks) for slide in section] == slides


def test_what_is_too_long_for_a_slide_is_shown_smaller():
    zooms = [deck.Slide("", [(block("code", height=h), False)]).zoom for h in (9, 700)]
    assert zooms == [1.0, 0.9]
    assert deck.Slide("", [(block("output", height=9999), False)]).zoom == 0.6


def test_an_answer_that_unfolds_stays_with_its_question():
    asked = "<details>\n<summary>{}?</summary>\n\nAn answer.\n\n- {}\n\n</details>\n\n"
    parts = content.prose(
        "".join(asked.format(n, "long " * 150) for n in range(4)), "a"
    )
    assert len(parts) == 4
    assert all(
        p.html.count("<details") == p.html.count("</details>") == 1 for p in parts
    )


# Slides: pages


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slides") / "new"
    return {path.stem[:2]: path.read_text("utf-8") for path in slides.write([], folder)}


@pytest.mark.parametrize("number", NUMBERS)
def test_the_page_stands_alone_and_shows_no_solution(pages, number):
    page = pages[number]
    assert lessons.get(number).title.split("'")[0] in page
    own = page[page.index("<body>") : page.index("</div></div>\n<script>")]
    assert not re.search(r"""<[^>]*\b(?:src|srcset)\s*=\s*["']?(?!["']?data:)""", own)
    assert "<script" not in own and "<link" not in own and "<iframe" not in own
    assert not re.search(r"@import|url\((?!data:)", page[: page.index("</head>")])
    assert own.count("<section>") == own.count("</section>") > 30
    assert "Solution of exercise" not in page and "$$" not in own
    assert own.count("✔</strong>") == len(quiz.load(number))
    assert own.count("<img") == sum(
        "image/png" in output.get("data", {})
        for cell in lesson(number).cells
        if cell.id != "setup" and not {"solution", "exercise"} & set(tags(cell))
        for output in cell.get("outputs", [])
    )


def test_most_outputs_stand_below_their_code_and_wait(pages):
    parts = deck.lay_out(content.blocks(lesson("13"), "13"))
    waits = [
        waiting
        for part in parts
        for slide in part
        for shown, waiting in slide.blocks
        if shown.kind == "output"
    ]
    assert len(waits) > 40 and sum(waits) > len(waits) / 2


def test_no_script_ends_early(tmp_path):
    (tmp_path / "x.js").write_text("say('</script>')")
    assert "</script" not in slides._read(tmp_path, "x.js")


def test_the_player_is_the_pinned_one():
    player = assets.fetch("reveal", quiet=True)
    assert "reveal.js 5.2.0" in (player / "dist" / "reveal.js").read_text("utf-8")[:60]
    assert "Permission is hereby granted" in (player / "LICENSE").read_text("utf-8")


# Commands


def test_the_commands_write_and_say_where(tmp_path, capsys):
    assert main(["students", str(tmp_path / "class"), "1", "31"]) == 0
    assert "2 files, 01_introduction.ipynb" in capsys.readouterr().out
    taken = ["slides", str(tmp_path / "show"), "31"]
    assert main([*taken, "--notebooks", str(tmp_path / "class")]) == 0
    assert (tmp_path / "show" / "31_your_own_data.html").is_file()
    assert main(taken) == 1
    said = capsys.readouterr()
    assert "holds files" in said.err and "Traceback" not in said.err


def test_pack_gets_the_folder_of_notebooks(tmp_path, capsys, monkeypatch):
    from course_utils.classroom import pack

    asked = SimpleNamespace()

    def write(output, *, notebooks, requirements):
        asked.notebooks, asked.requirements = notebooks, requirements
        output.write_bytes(bytes(3 * 2**20))
        return output

    monkeypatch.setattr(pack, "write", write)
    place = tmp_path / "course.zip"
    command = ["pack", str(place), "--notebooks", "class", "--requirements", "own.txt"]
    assert main(command) == 0
    assert (str(asked.notebooks), str(asked.requirements)) == ("class", "own.txt")
    assert "course.zip: 3 MiB" in capsys.readouterr().out
