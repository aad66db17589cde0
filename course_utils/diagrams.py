"""Boxes and arrows drawn with matplotlib: they show in every viewer of a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from course_utils import lessons
from course_utils.errors import InputError

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
    where = "all four stages"
    if here.stage != "all":
        where = f"the stage '{here.stage}' (framed in bold)"
    ax.text(
        5.6,
        0.22,
        f"lesson {here.number}, {here.title}: {where}",
        ha="center",
        fontsize=10,
    )
    return ax


ARCHITECTURE = (
    "input_ids",
    "embeddings",
    "layer",
    "pooled",
    "logits",
    "labels",
    "loss",
)


def architecture(shapes: Mapping[str, str], *, layers: int) -> Axes:
    """Draw an encoder with a classification head; every arrow carries a shape.

    Args:
        shapes: for each of `ARCHITECTURE` the shape as text, e.g. "[32, 24, 384]".
        layers: number of encoder layers.

    Raises:
        InputError: if a shape is missing.

    Source: the document, chapter 7; Devlin et al. 2019.
    """
    _require(shapes, ARCHITECTURE)
    ax = canvas(12.6, 4.6)
    x, top, low = (1.2, 4.4, 7.8, 11.2), 3.3, 1.1
    box(ax, x[0], top, "texts of\na batch", fill=SOFT)
    box(ax, x[1], top, "tokenizer", fill=SOFT)
    box(ax, x[2], top, "token table\n+ positions", fill=QUIET)
    box(ax, x[3], top, f"{layers} layers:\nattention,\nfeed-forward", height=1.3)
    box(ax, x[3], low, "pooler: the\n[CLS] vector")
    box(ax, x[2], low, "head", fill=STRONG)
    box(ax, x[1], low, "loss", fill=SOFT)
    box(ax, x[0], low, "labels", fill=SOFT)
    arrow(ax, (x[0] + 1, top), (x[1] - 1, top))
    arrow(ax, (x[1] + 1, top), (x[2] - 1, top), shapes["input_ids"])
    arrow(ax, (x[2] + 1, top), (x[3] - 1, top), shapes["embeddings"])
    arrow(ax, (x[3], top - 0.65), (x[3], low + 0.45), shapes["layer"], shift=(-0.75, 0))
    arrow(ax, (x[3] - 1, low), (x[2] + 1, low), shapes["pooled"])
    arrow(ax, (x[2] - 1, low), (x[1] + 1, low), shapes["logits"])
    arrow(ax, (x[0] + 1, low), (x[1] - 1, low), shapes["labels"])
    arrow(ax, (x[1], low - 0.45), (x[3] + 0.4, low - 0.45), dashed=True, bend=0.09)
    arrow(ax, (x[3] + 0.8, low + 0.45), (x[3] + 0.8, top - 0.65), dashed=True)
    notes = (
        (x[1], low + 0.6, shapes["loss"]),
        (x[2], 0.08, "gradients flow back"),
        (
            6.3,
            4.35,
            "bold frame: new   blue: pretrained   grey: frozen   green: no weights",
        ),
    )
    for left, height, text in notes:
        ax.text(left, height, text, ha="center", fontsize=9, color="#333333")
    return ax


DATA_FLOW = ("file", "train", "validation", "test", "batches", "steps", "epochs")


def data_flow(counts: Mapping[str, int]) -> Axes:
    """Draw how the rows of a data set flow through fine-tuning, with live counts.

    Args:
        counts: for each of `DATA_FLOW` a number: rows of the file and of the three
            parts, batches per epoch, steps of the run, epochs. `dropped` may be added:
            rows that went to no part.

    Raises:
        InputError: if a count is missing.

    Source: the document, chapter 7.
    """
    _require(counts, DATA_FLOW)
    ax = canvas(12.2, 5.3)
    box(ax, 1.3, 2.5, f"labelled file\n{counts['file']:,} rows", width=2.1)
    if counts.get("dropped"):
        note = f"{counts['dropped']} repeated\nrows dropped"
        ax.text(1.3, 1.7, note, ha="center", fontsize=9, color="#333333")
    box(ax, 4.2, 4.2, f"training part\n{counts['train']:,} rows", width=2.1)
    box(ax, 4.2, 2.5, f"validation part\n{counts['validation']:,} rows", width=2.1)
    box(
        ax,
        4.2,
        0.8,
        f"test part, locked\n{counts['test']:,} rows",
        width=2.1,
        fill=QUIET,
    )
    box(ax, 7.2, 4.2, f"{counts['batches']} batches,\nshuffled", width=2.0)
    box(ax, 10.2, 4.2, "model: forward,\nloss, backward", width=2.3, fill=STRONG)
    box(ax, 10.2, 2.5, "the best weights\nso far", width=2.3, fill=SOFT)
    box(ax, 10.2, 0.8, "score with its\ninterval", width=2.3, fill=SOFT)
    for height in (4.2, 2.5, 0.8):
        arrow(ax, (2.35, 2.5), (3.15, height))
    arrow(ax, (5.25, 4.2), (6.2, 4.2))
    arrow(ax, (8.2, 4.2), (9.05, 4.2))
    arrow(ax, (10.2, 3.75), (10.2, 2.95), "every few steps:\nbetter?", shift=(-0.95, 0))
    arrow(ax, (5.25, 2.5), (9.05, 2.5), "score, keep the best", shift=(-0.75, 0.2))
    arrow(ax, (9.05, 2.25), (7.2, 3.75), dashed=True, bend=-0.35)
    ax.text(
        6.75, 1.75, "choose: epochs, rate, model; try again", ha="center", fontsize=9
    )
    arrow(ax, (5.25, 0.8), (9.05, 0.8), "opened once, at the end", shift=(0, 0.2))
    arrow(ax, (10.2, 2.05), (10.2, 1.25))
    arrow(ax, (11.3, 4.45), (11.3, 3.95), bend=-1.6)
    text = f"{counts['steps']} steps in {counts['epochs']} epochs"
    ax.text(10.2, 4.85, text, ha="center", fontsize=9, color="#333333")
    return ax


def _require(given: Mapping, keys: tuple[str, ...]) -> None:
    missing = [key for key in keys if key not in given]
    if missing:
        raise InputError(
            f"Expected a value for each of {', '.join(keys)}; got none for "
            f"{', '.join(missing)}. Add what is missing."
        )
