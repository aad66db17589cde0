"""The maintainers' tools: text and back, stamping, README's tables, executing."""

from __future__ import annotations

import copy
import datetime
import json
import re
import shutil

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from course_utils import lessons
from tools import course, notebooks, readme, stamp, text
from tools import execute as execute_module
from tools.execute import execute

FILE = lessons.get("02").file
HERE = stamp.address()
BADGE = stamp.badge(FILE, HERE)
every_lesson = pytest.mark.parametrize(
    "path", notebooks.paths(), ids=lambda path: path.stem
)

TOY = f"""
# %% [markdown] id=title
# 02 · Toy
{BADGE}

# %% [markdown] id=contract
**You will be able to**

**Measured:** not yet.

Below.

# %% id=setup tags=setup
import pathlib
{stamp.setup_line(HERE)}
source = [COURSE]

# %% id=s01-print alt="Two words, tags=none hidden."
print("one")
print("two")
pathlib.Path("{FILE}").exists()

# %% id=s01-slide tags=a,b alt="A \\"slider\\" – hidden, from 0 to 9"
import ipywidgets as widgets

widgets.IntSlider()

# %% id=ex-1-solution tags=solution hidden
assert source
"""


@pytest.fixture
def toy():
    return text.from_text(TOY)


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A stand-in for the repository: README, pyproject.toml and one lesson."""
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(notebooks.ROOT / name, tmp_path)
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path / "notebooks")
    monkeypatch.setattr(stamp, "ROOT", tmp_path)
    monkeypatch.setattr(readme, "README", tmp_path / "README.md")
    monkeypatch.setattr(readme, "BENCHMARK", tmp_path / "result.json")
    notebooks.write(text.from_text(TOY), tmp_path / "notebooks" / FILE)
    return tmp_path


def cells(notebook):
    return {cell.id: cell for cell in notebook.cells}


# Text and back


def essence(notebook):
    return [
        (
            cell.cell_type,
            cell.id,
            cell.source,
            notebooks.tags(cell),
            cell.metadata.get("alt"),
            cell.metadata.get("jupyter", {}).get("source_hidden"),
            cell.metadata.get("cellView"),
        )
        for cell in notebook.cells
    ]


@every_lesson
def test_a_lesson_survives_the_way_to_text_and_back(path):
    notebook = notebooks.read(path)
    as_text = text.to_text(notebook)
    back = text.from_text(as_text)
    nbformat.validate(back)
    assert essence(back) == essence(notebook)
    assert text.to_text(back) == as_text


def test_text_names_ids_tags_alt_texts_and_hidden_sources(toy):
    as_text = text.to_text(toy)
    assert "– hidden, from" in as_text  # as written, for readers
    toy = text.from_text(as_text)
    assert [cell.id for cell in toy.cells] == re.findall(r"id=(\S+)", TOY)
    found = cells(toy)
    assert found["title"].cell_type == "markdown"
    assert found["setup"].metadata.tags == ["setup"]
    assert found["s01-slide"].metadata.tags == ["a", "b"]
    assert notebooks.tags(found["s01-print"]) == []
    alt = 'A "slider" – hidden, from 0 to 9'
    assert found["s01-slide"].metadata.alt == alt
    assert "jupyter" not in found["s01-slide"].metadata
    assert found["ex-1-solution"].metadata.jupyter.source_hidden is True
    assert found["ex-1-solution"].metadata.cellView == "form"  # folded on Colab, too
    assert found["ex-1-solution"].source == "assert source"


def test_the_command_line_writes_text_and_reads_it_back(house, tmp_path):
    place = tmp_path / "notebooks" / FILE
    before = place.read_bytes()
    assert course.main(["to-text", "2", str(tmp_path / "toy.txt")]) == 0
    place.unlink()
    assert course.main(["from-text", str(tmp_path / "toy.txt"), "02"]) == 0
    assert place.read_bytes() == before
    assert list((tmp_path / "notebooks").iterdir()) == [place]  # no scratch file


# Lessons' files


def test_lessons_are_found_by_number_in_order(house):
    (house / "notebooks" / "01_introduction.ipynb").touch()
    (house / "notebooks" / "draft.ipynb").touch()
    names = ["01_introduction.ipynb", FILE]
    assert [path.name for path in notebooks.paths()] == names
    assert [path.name for path in notebooks.paths(["2"])] == names[1:]
    with pytest.raises(SystemExit, match=r"got \['09'\]"):
        notebooks.paths(["02", "9"])


def test_an_invalid_notebook_is_not_written(toy, tmp_path):
    toy.cells[0].cell_type = "poem"
    with pytest.raises(nbformat.ValidationError):
        notebooks.write(toy, tmp_path / FILE)
    assert list(tmp_path.iterdir()) == []


# The fingerprint of the source


def hash_after(notebook, change):
    changed = copy.deepcopy(notebook)
    change(changed, cells(changed))
    return notebooks.source_hash(changed)


UNCHANGED = {
    "an output": lambda n, c: c["setup"].update(
        outputs=[nbformat.v4.new_output("stream", text="x")]
    ),
    "a markdown cell": lambda n, c: c["title"].update(source="# Other"),
    "an alt text": lambda n, c: c["setup"].metadata.update(alt="other"),
    "a stamp": lambda n, c: stamp.stamp(n, FILE, "https://example.org/x"),
}
CHANGED = {
    "a character": lambda n, c: c["s01-print"].update(source='print("One")'),
    "a blank": lambda n, c: c["setup"].update(source=c["setup"].source + "\n\n1"),
    "an id": lambda n, c: c["setup"].update(id="set-up"),
    "the order": lambda n, c: n.cells.reverse(),
    "a cell less": lambda n, c: n.cells.pop(),
    "a cell more": lambda n, c: n.cells.append(nbformat.v4.new_code_cell("")),
    "a line beside the stamped one": lambda n, c: c["setup"].update(
        source=c["setup"].source.replace("source = ", "place = ")
    ),
}


@pytest.mark.parametrize("name", UNCHANGED)
def test_the_hash_stays_when_no_code_changes(toy, name):
    assert hash_after(toy, UNCHANGED[name]) == notebooks.source_hash(toy)


@pytest.mark.parametrize("name", CHANGED)
def test_the_hash_changes_with_the_code(toy, name):
    assert hash_after(toy, CHANGED[name]) != notebooks.source_hash(toy)


# Stamping

PLACES = [
    "https://github.com/someone/a-course",
    "https://gitlab.com/group/course",
    r"https://example.org/\1/\g<0>",
]


@pytest.mark.parametrize("place", PLACES)
def test_stamping_changes_the_badge_and_the_set_up_line_and_no_more(toy, place):
    before = cells(copy.deepcopy(toy))
    assert stamp.stamp(toy, FILE, place)
    found = cells(toy)
    assert found["title"].source == f"# 02 · Toy\n{stamp.badge(FILE, place)}"
    lines = found["setup"].source.splitlines()
    expected = f'COURSE = "git+{place}"  {notebooks.PUBLISHED}'
    assert lines == ["import pathlib", expected, "source = [COURSE]"]
    rest = before.keys() - {"title", "setup"}
    assert all(found[name] == before[name] for name in rest)


def test_a_second_stamp_changes_nothing(toy):
    assert not stamp.stamp(toy, FILE, HERE)


def test_the_badge_opens_a_github_lesson_in_colab():
    badge = stamp.badge(FILE, "https://github.com/someone/a-course")
    base = "https://colab.research.google.com/github/someone/a-course/blob/main/"
    assert badge.endswith(f"]({base}notebooks/{FILE})")
    assert badge.startswith("[![Open in Colab](https://colab.research.google.com/")


@pytest.mark.parametrize("name", ["title", "setup"])
def test_a_lesson_without_the_line_to_stamp_is_refused(toy, name):
    cells(toy)[name].source = "nothing here"
    with pytest.raises(SystemExit, match=f"in {FILE}; got 1 of 2"):
        stamp.stamp(toy, FILE, HERE)


def test_stamping_a_new_address_reaches_pyproject_lessons_and_readme(house, capsys):
    place = "https://github.com/someone/a-course"
    assert course.main(["stamp", place + "/"]) == 0
    assert stamp.address() == place
    notebook = notebooks.read(house / "notebooks" / FILE)
    assert stamp.badge(FILE, place) in cells(notebook)["title"].source
    assert stamp.badge(FILE, place) in (house / "README.md").read_text("utf-8")
    assert capsys.readouterr().out == f"{FILE}: stamped with {place}\n"
    assert course.main(["stamp"]) == 0
    assert capsys.readouterr().out == ""


# README's tables

MARKERS = """Before.
<!-- lessons: begin -->
old
<!-- lessons: end -->
Between.
<!-- benchmark: begin -->
<!-- benchmark: end -->
After."""


def test_the_markers_are_filled_and_the_rest_stays(house):
    filled = readme.render(MARKERS)
    assert "old" not in filled
    table = filled.split("<!-- lessons: begin -->\n")[1].split("\n<!-- lessons: end")[0]
    assert table == readme.lesson_table()
    assert filled.startswith("Before.\n<!--") and filled.endswith("-->\nAfter.")
    assert "<!-- lessons: end -->\nBetween.\n<!-- benchmark: begin -->" in filled
    assert readme.render(filled) == filled


@pytest.mark.parametrize("marker", re.findall("<!--.*?-->", MARKERS))
def test_a_missing_marker_is_refused(house, marker):
    with pytest.raises(SystemExit, match="Expected the markers"):
        readme.render(MARKERS.replace(marker, ""))


def test_a_lesson_without_a_file_is_planned_and_others_have_their_figures(house):
    place = house / "notebooks" / FILE
    notebook = notebooks.read(place)
    notebook.metadata["course"] = {"seconds": 93.0, "peak_memory_mib": 1843}
    notebooks.write(notebook, place)
    rows = readme.lesson_table().splitlines()[2:]
    assert len(rows) == len(lessons.LESSONS)
    assert [row for row in rows if "planned" not in row] == [rows[1]]
    assert f"[{lessons.get(2).title}](notebooks/{FILE})" in rows[1]
    assert rows[1].endswith(f"| 1.6 | 1.8 GB | {BADGE} |")
    for row, lesson in zip(rows, lessons.LESSONS.values(), strict=True):
        assert row.startswith(f"| {lesson.number} | ") and lesson.question in row


def test_a_lesson_that_was_not_run_has_no_figures_yet(house):
    assert "| 0.0 | 0.0 GB |" in readme.lesson_table()


def test_a_benchmark_not_yet_run_says_how_to_run_it(house):
    assert "python -m benchmarks.document_example" in readme.benchmark_table()


def test_the_benchmark_table_has_means_ranges_and_the_ratio(house):
    common = {"dataset": "movies", "peak_memory_mib": 1024}
    rows = [
        common | {"variant": variant, "seed": seed, "seconds": s, "weighted_f1": f1}
        for variant, seed, s, f1 in [
            ("listing", 0, 90.0, 0.5),
            ("listing", 1, 110.0, 0.6),
            ("improved", 0, 10.0, 0.7),
            ("improved", 1, 10.0, 0.8),
        ]
    ]
    result = {
        "machine": {"cores": 2, "processor": "Toy"},
        "versions": {"torch": "2.13.0", "transformers": "5.23.0"},
        "rows": rows,
    }
    readme.BENCHMARK.write_text(json.dumps(result))
    table = readme.benchmark_table()
    assert (
        "| movies | 100 s | 10.0 s | 10.0× | 0.550 (0.500–0.600) | "
        "0.750 (0.700–0.800) | 1.0 → 1.0 GB |"
    ) in table
    assert "seeds 0, 1 " in table and "2 cores of Toy, torch 2.13.0" in table


# Checking on the command line


def test_check_names_what_a_lesson_lacks_and_fails(house, capsys):
    assert course.main(["check", "02"]) == 1
    said = capsys.readouterr().out
    assert f"{FILE}: Expected the cells " in said
    assert f"{FILE}: setup: not executed.\n" in said


def test_check_succeeds_when_nothing_is_lacking(house, monkeypatch, capsys):
    monkeypatch.setattr(course.structure, "problems", lambda _notebook, _path: [])
    assert course.main(["check"]) == 0
    assert capsys.readouterr().out == "No problems found.\n"


# Executing


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The toy lesson after one execution, and what was measured."""
    path = tmp_path_factory.mktemp("executed") / FILE
    notebook = text.from_text(TOY)
    old = nbformat.v4.new_output("stream", text="of an older source")
    cells(notebook)["s01-print"].outputs = [old]
    notebooks.write(notebook, path)
    measured = execute(path)
    return notebooks.read(path), measured, path


def test_every_cell_survives_executing_the_title_first_of_all(executed):
    before, after = text.from_text(TOY), executed[0]
    assert [cell.id for cell in after.cells] == [cell.id for cell in before.cells]
    assert after.cells[0].source == before.cells[0].source
    assert [c for c in essence(after) if c[1] != "contract"] == [
        c for c in essence(before) if c[1] != "contract"
    ]


def test_outputs_are_written_and_old_ones_go(executed):
    found = cells(executed[0])
    stream, result = found["s01-print"].outputs
    assert stream.text == "one\ntwo\n"  # pieces joined
    assert result.data["text/plain"] == "True"  # runs in the lesson's own folder
    code = [cell for cell in executed[0].cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2, 3, 4]
    assert all("execution" not in cell.metadata for cell in code)


def test_pieces_of_printed_text_are_joined_and_times_dropped(toy):
    cell = cells(toy)["s01-print"]
    new = nbformat.v4.new_output
    cell.outputs = [
        new("stream", name="stdout", text="1"),
        new("stream", name="stdout", text="2\n"),
        new("stream", name="stderr", text="oh"),
        new("display_data", data={"text/plain": "x"}),
        new("stream", name="stderr", text="no"),
    ]
    cell.metadata["execution"] = {"iopub.execute_input": "2026-01-01"}
    execute_module._tidy(toy)
    assert [output.get("text") for output in cell.outputs] == ["12\n", "oh", None, "no"]
    assert "execution" not in cell.metadata


def test_the_state_of_widgets_is_kept_for_viewers_without_a_kernel(executed):
    notebook = executed[0]
    (output,) = cells(notebook)["s01-slide"].outputs
    view = output.data["application/vnd.jupyter.widget-view+json"]
    (state,) = notebook.metadata.widgets.values()
    assert view["model_id"] in state["state"]


def test_the_hash_time_and_memory_are_written(executed):
    notebook, measured, _ = executed
    kept = notebook.metadata.course
    assert kept.source_hash == notebooks.source_hash(notebook)
    assert kept.executed == datetime.date.today().isoformat()
    assert {name: kept[name] for name in measured} == measured
    assert 0 < measured["seconds"] < 60 and 20 < measured["peak_memory_mib"] < 1000


def test_the_measured_line_is_rewritten_and_its_neighbours_stay(executed):
    notebook, measured, _ = executed
    lines = cells(notebook)["contract"].source.splitlines()
    assert (lines[0], lines[-1]) == ("**You will be able to**", "Below.")
    minutes = f"{measured['seconds'] / 60:.1f} minutes"
    memory = f"{measured['peak_memory_mib'] / 1024:.1f} GB of memory"
    assert lines[2].startswith(f"**Measured:** {minutes} and {memory} on two CPU cores")
    assert len(lines) == 5


def test_nothing_but_the_lesson_lies_in_its_folder(executed):
    assert [p.name for p in executed[2].parent.glob("*.*")] == [FILE]


def test_a_contract_without_the_measured_line_is_refused(toy):
    cells(toy)["contract"].source = "**Measured** loosely"
    measured = {"seconds": 1.0, "peak_memory_mib": 1.0}
    with pytest.raises(SystemExit, match=r"'\*\*Measured:\*\*'"):
        execute_module._say_what_was_measured(toy, measured)


def test_a_lesson_whose_cell_raises_is_left_untouched(toy, tmp_path):
    cells(toy)["s01-slide"].source = "1 / 0"
    path = tmp_path / FILE
    notebooks.write(toy, path)
    before = path.read_bytes()
    attempt = tmp_path / "build" / FILE
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        execute(path, attempt)
    assert path.read_bytes() == before
    assert list(tmp_path.glob("*.*")) == [path]
    found = cells(notebooks.read(attempt))  # what there was to see is not lost
    assert "one\ntwo\n" in "".join(o.text for o in found["s01-print"].outputs[:-1])
    assert found["s01-slide"].outputs[-1].ename == "ZeroDivisionError"


def test_the_command_line_says_where_the_outputs_of_a_failed_run_lie(
    house, monkeypatch, capsys
):
    def fail(_path, attempt):
        assert attempt.parent.name == "build"
        raise CellExecutionError("division by zero", "ZeroDivisionError", "")

    monkeypatch.setattr(course, "execute", fail)
    assert course.main(["execute", FILE[:2]]) == 1
    said = capsys.readouterr()
    assert f"{FILE} is unchanged; outputs so far: build/{FILE}" in said.out
    assert "division by zero" in said.err


def test_the_command_line_executes_refreshes_readme_and_checks(
    house, monkeypatch, capsys
):
    measured = {"seconds": 1.5, "peak_memory_mib": 99}
    monkeypatch.setattr(course, "execute", lambda _path, _attempt: measured)
    assert course.main(["execute", "02"]) == 1  # the toy lesson lacks much
    said = capsys.readouterr().out
    assert said.startswith(f"{FILE}: running\n{FILE}: 1.5 s, 99 MiB\n")
    assert f"[{lessons.get(2).title}]" in (house / "README.md").read_text("utf-8")
