"""Figures and diagrams: titles, labels, the given axes, styles that survive a print."""

from __future__ import annotations

import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from matplotlib.colors import same_color
from matplotlib.patches import FancyBboxPatch

from conftest import one_sentence
from course_utils import diagrams, lessons, plots
from course_utils.errors import InputError


@pytest.fixture(autouse=True)
def paper():
    """Draw in memory, in the course's style, and put both back."""
    backend = mpl.get_backend()
    plt.switch_backend("agg")
    with mpl.rc_context():
        plots.use_style()
        yield
    plt.close("all")
    plt.switch_backend(backend)


def texts(ax):
    return [text.get_text() for text in ax.texts if text.get_text()]


def drawn(ax):
    """Draw everything, as a notebook does, and return the axes."""
    ax.figure.canvas.draw()
    return ax


LINES = {"train": [(1, 0.7), (2, 0.4)], "validation": [(1, 0.6), (2, 0.5)]}
SCORES = {"majority": (0.5, 0.45, 0.55), "tuned": (0.8, 0.75, 0.85)}
MATRIX = [[30, 10], [0, 5]]
FIGURES = {
    "curves": lambda ax=None: plots.curves(
        LINES, title="Does it learn?", xlabel="step", ylabel="loss (nats)", ax=ax
    ),
    "intervals": lambda ax=None: plots.intervals(
        SCORES, title="How good?", xlabel="accuracy", ax=ax
    ),
    "confusion": lambda ax=None: plots.confusion(
        MATRIX, ["ham", "spam"], title="Which for which?", ax=ax
    ),
}
every_figure = pytest.mark.parametrize("name", FIGURES)


@every_figure
def test_a_figure_has_a_question_as_title_and_a_label_on_its_axis(name):
    ax = drawn(FIGURES[name]())
    assert ax.get_title(loc="left").endswith("?")
    assert ax.get_xlabel()


@every_figure
def test_a_figure_is_drawn_on_the_axes_it_is_given(name):
    figure, (left, right) = plt.subplots(1, 2)
    assert FIGURES[name](right) is right
    assert plt.get_fignums() == [figure.number]
    assert right.has_data() and not left.has_data()


@every_figure
def test_a_figure_makes_its_own_axes_otherwise(name):
    other = plt.subplots()[1]
    assert FIGURES[name]().figure is not other.figure
    assert not other.has_data()


def test_curves_label_both_axes_and_every_line():
    ax = FIGURES["curves"]()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "loss (nats)")
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == list(LINES)
    assert ax.lines[0].get_xydata().tolist() == [[1, 0.7], [2, 0.4]]


@pytest.mark.parametrize("number", [2, 6, 9, 12])
def test_curves_differ_in_colour_and_line_style_and_none_is_left_out(number):
    series = {f"run {n}": [(0, n), (1, n)] for n in range(number)}
    ax = plots.curves(series, title="?", xlabel="x", ylabel="y")
    styles = [(line.get_color(), line.get_linestyle()) for line in ax.lines]
    dashes = [line._dash_pattern for line in ax.lines]
    assert len(ax.lines) == number and len(set(styles)) > 1
    for one, two in itertools.combinations(range(number), 2):
        assert styles[one][0] != styles[two][0] or dashes[one] != dashes[two]
        if number <= len(plots.COLOURS):
            assert styles[one][0] != styles[two][0] and dashes[one] != dashes[two]


@pytest.mark.parametrize("number", [1, 2, 8])
def test_intervals_show_every_row_with_its_figures_inside_the_axes(number):
    scores = {f"model {n}": (0.5 + n / 50, 0.4, 0.7) for n in range(number)}
    ax = drawn(plots.intervals(scores, title="?", xlabel="accuracy"))
    assert [label.get_text() for label in ax.get_yticklabels()] == list(scores)
    assert len(ax.lines) == 2 * number
    wanted = [f"{0.5 + n / 50:.3f}  [0.400, 0.700]" for n in range(number)]
    assert texts(ax) == wanted
    bottom, top = ax.get_ylim()
    assert bottom > top  # the first row is on top
    edge = ax.bbox.x1
    assert all(text.get_window_extent().x1 <= edge for text in ax.texts)


def test_the_axis_of_intervals_ends_where_the_scores_do():
    scores = {"a": (0.55, 0.5, 0.6), "b": (0.97, 0.95, 0.99)}
    ax = drawn(plots.intervals(scores, title="?", xlabel="accuracy"))
    assert len(ax.get_xticks()) >= 2 and max(ax.get_xticks()) <= 1.02
    ax.set_xlim(left=0)  # a lesson that shows where nothing lies still has its tick
    assert min(abs(ax.get_xticks())) < 1e-9 and max(ax.get_xticks()) <= 1.02


def test_intervals_take_the_course_interval():
    from course_utils.evaluation import Interval

    ax = plots.intervals({"a": Interval(0.5, 0.4, 0.6)}, title="?", xlabel="score")
    assert texts(ax) == ["0.500  [0.400, 0.600]"]


def test_confusion_writes_counts_and_the_share_of_the_true_class():
    ax = FIGURES["confusion"]()
    assert texts(ax) == ["30\n75%", "10\n25%", "0\n0%", "5\n100%"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("the model's answer", "true class")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["ham", "spam"]


def test_confusion_bears_a_class_without_rows():
    ax = plots.confusion([[0, 0], [1, 3]], ["a", "b"], title="?")
    assert texts(ax)[:2] == ["0\n0%", "0\n0%"]


def test_numbers_on_dark_squares_are_white():
    colours = [text.get_color() for text in FIGURES["confusion"]().texts]
    assert colours == ["white", "black", "black", "white"]


def test_the_style_tells_series_apart_by_colour_and_by_line():
    cycle = list(mpl.rcParams["axes.prop_cycle"])
    assert len(cycle) >= 6
    for key in ("color", "linestyle"):
        assert len({str(entry[key]) for entry in cycle}) == len(cycle)


# Diagrams


def filled(ax, colour):
    boxes = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    return [box for box in boxes if same_color(box.get_facecolor(), colour)]


@pytest.mark.parametrize("number", lessons.LESSONS)
def test_the_workflow_map_marks_the_place_of_every_lesson(number):
    ax = diagrams.workflow_map(number)
    lesson = lessons.get(number)
    marked = filled(ax, diagrams.STRONG)
    assert len(marked) == (4 if lesson.stage == "all" else 1)
    assert len(marked) + len(filled(ax, diagrams.QUIET)) == 4
    assert all(box.get_linewidth() == 2 for box in marked)  # not by colour alone
    assert texts(ax)[-1].startswith(f"lesson {number}, {lesson.title}: ")
    if lesson.stage != "all":
        (box,) = marked
        at = [text.get_text().split("\n")[0] for text in ax.texts[:-1]]
        stage = [name for name in at if name in diagrams.STAGES]
        boxes = [p for p in ax.patches if isinstance(p, FancyBboxPatch)]
        assert stage[boxes.index(box)] == lesson.stage


def test_every_lessons_stage_is_one_of_the_map():
    stages = {lesson.stage for lesson in lessons.LESSONS.values()}
    assert stages == {*diagrams.STAGES, "all"}


def test_the_workflow_map_refuses_an_unknown_lesson():
    with pytest.raises(InputError) as error:
        diagrams.workflow_map(77)
    one_sentence(error, "a lesson number", "77")


SHAPES = {name: f"[{n}, 384]" for n, name in enumerate(diagrams.ARCHITECTURE)}
COUNTS = {name: 1000 + n for n, name in enumerate(diagrams.DATA_FLOW)}


def test_the_architecture_shows_every_shape_and_the_number_of_layers():
    ax = drawn(diagrams.architecture(SHAPES, layers=12))
    assert set(SHAPES.values()) <= set(texts(ax))
    assert any(text.startswith("12 layers") for text in texts(ax))


def test_the_data_flow_shows_every_count():
    said = " ".join(texts(drawn(diagrams.data_flow(COUNTS))))
    for name, count in COUNTS.items():
        assert f"{count:,}" in said or f"{count}" in said, name


@pytest.mark.parametrize(
    ("draw", "given"),
    [
        (lambda given: diagrams.architecture(given, layers=6), SHAPES),
        (diagrams.data_flow, COUNTS),
    ],
    ids=["architecture", "data_flow"],
)
def test_a_diagram_refuses_missing_values_and_names_them(draw, given):
    names = list(given)
    for missing in (names[:1], names[2:4], names):
        rest = {name: given[name] for name in names if name not in missing}
        with pytest.raises(InputError) as error:
            draw(rest)
        one_sentence(error, f"got none for {', '.join(missing)}. ")
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    "draw",
    [
        lambda: diagrams.workflow_map("09"),
        lambda: diagrams.architecture(SHAPES, layers=6),
        lambda: diagrams.data_flow(COUNTS),
    ],
    ids=["workflow_map", "architecture", "data_flow"],
)
def test_a_diagram_keeps_its_words_on_the_page(draw):
    ax = drawn(draw())
    page = ax.figure.bbox
    for text in ax.texts:
        if text.get_text():
            box = text.get_window_extent()
            assert box.x0 >= page.x0 and box.x1 <= page.x1, text.get_text()
            assert box.y0 >= page.y0 - 1 and box.y1 <= page.y1, text.get_text()


def test_an_arrow_can_carry_a_word_and_be_dashed():
    ax = diagrams.canvas(4, 2)
    diagrams.arrow(ax, (0, 1), (2, 1), "step", dashed=True)
    arrow, word = ax.texts
    assert arrow.arrow_patch.get_linestyle() == "--"
    assert word.get_text() == "step" and word.get_position()[0] == 1
