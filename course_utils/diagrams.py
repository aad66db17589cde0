"""Boxes and arrows drawn with matplotlib: they show in every viewer of a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from course_utils import lessons
from course_utils.errors import InputError, choose_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

STAGES = ("data", "model", "fine-tune", "evaluate")
PLAIN, STRONG, QUIET, SOFT = "#EAF2F8", "#F6C177", "#F4F4F4", "#E3F1E8"


def canvas(width: float, height: float, *, scale: float = 0.8) -> Axes:
    """Return empty axes of `width` by `height` units, one unit being `scale` inches."""
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(width * scale, height * scale), layout="none")
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.axis("off")
    return ax


def box(
    ax: Axes,
    x: float,
    y: float,
    text: str,
    *,
    width: float = 2.0,
    height: float = 0.9,
    fill: str = PLAIN,
    size: float = 10,
    weight: str = "normal",
) -> None:
    """Draw a rounded box with its centre at (x, y)."""
    from matplotlib.patches import FancyBboxPatch

    corner = (x - width / 2 + 0.08, y - height / 2 + 0.08)
    ax.add_patch(
        FancyBboxPatch(
            corner,
            width - 0.16,
            height - 0.16,
            boxstyle="round,pad=0.08",
            facecolor=fill,
            edgecolor="#444444",
            linewidth=2 if fill == STRONG else 1,
        )
    )
    ax.text(x, y, text, ha="center", va="center", fontsize=size, weight=weight)


def arrow(
    ax: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    text: str = "",
    *,
    dashed: bool = False,
    bend: float = 0.0,
    shift: tuple[float, float] = (0, 0.18),
    size: float = 9,
) -> None:
    """Draw an arrow; `text` stands at its middle, moved by `shift`."""
    ax.annotate(
        "",
        xy=end,
        xytext=start,
        arrowprops={
            "arrowstyle": "-|>",
            "color": "#444444",
            "linestyle": "--" if dashed else "-",
            "connectionstyle": f"arc3,rad={bend}",
            "shrinkA": 0,
            "shrinkB": 0,
        },
    )
    if text:
        x, y = (start[0] + end[0]) / 2 + shift[0], (start[1] + end[1]) / 2 + shift[1]
        ax.text(x, y, text, ha="center", va="center", fontsize=size, color="#333333")


def workflow_map(lesson: str | int) -> Axes:
    """Draw the four stages of supervised fine-tuning, with this lesson's place marked.

    Raises:
        InputError: for an unknown lesson.
    """
    here = lessons.get(lesson)
    notes = {
        "data": "collect, clean,\nsplit",
        "model": "choose one that\nis pretrained",
        "fine-tune": "go on training\non your labels",
        "evaluate": "validation to choose,\ntest once",
    }
    ax = canvas(11.2, 2.1)
    for number, stage in enumerate(STAGES):
        x = 1.4 + 2.8 * number
        marked = here.stage in (stage, "all")
        box(
            ax,
            x,
            1.15,
            f"{stage}\n{notes[stage]}",
            width=2.3,
            height=1.15,
            fill=STRONG if marked else QUIET,
            size=9.5,
        )
        if number:
            arrow(ax, (x - 1.65, 1.15), (x - 1.15, 1.15))
    where = "all four stages" if here.stage == "all" else f"the stage '{here.stage}'"
    ax.text(
        5.6,
        0.22,
        f"lesson {here.number}, {here.title}: {where} (framed in bold)",
        ha="center",
        fontsize=10,
    )
    return ax


def _check_shapes(shapes: Mapping[str, str], keys: tuple[str, ...]) -> None:
    for key in keys:
        if key not in shapes:
            raise InputError(choose_from("a label for every arrow", key, shapes))
