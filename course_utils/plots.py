"""The course's plot style and its recurring figures.

Every series differs in line style or hatch as well as in colour, so that a figure
survives a black-and-white print. Each function draws on `ax` and returns it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

# Okabe & Ito's palette: told apart by readers with any kind of colour vision.
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
PINK, SKY, GREY = "#CC79A7", "#56B4E9", "#666666"
COLOURS = (BLUE, ORANGE, GREEN, PINK, SKY, GREY)
LINES = ("-", "--", ":", "-.", (0, (5, 1)), (0, (1, 1)))
HATCHES = ("", "//", "..", "xx", "\\\\", "++")


def use_style() -> None:
    """Set the course's style for all figures that follow."""
    import matplotlib as mpl
    from cycler import cycler

    mpl.rcParams.update(
        {
            "figure.dpi": 80,
            "savefig.dpi": 80,
            "figure.figsize": (7, 3.4),
            "figure.constrained_layout.use": True,
            "font.size": 11,
            "axes.titlesize": 12,
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.alpha": 0.3,
            "legend.frameon": False,
            "lines.linewidth": 2,
            "axes.prop_cycle": cycler(color=COLOURS) + cycler(linestyle=LINES),
            "svg.hashsalt": "sft-course",
        }
    )


def curves(
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw one line per name through its (x, y) points."""
    ax = ax or _new_axes()
    for number, (name, points) in enumerate(series.items()):
        turn, colour = divmod(
            number, len(COLOURS)
        )  # after six, another line style each
        line = LINES[(colour + turn) % len(LINES)]
        x, y = zip(*points, strict=True)
        ax.plot(x, y, color=COLOURS[colour], ls=line, marker="o", ms=4, label=name)
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    ax.legend()
    return ax


def intervals(
    scores: Mapping[str, tuple[float, float, float]],
    *,
    title: str,
    xlabel: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw one row per name: a point with its interval, the figures written beside it.

    Args:
        scores: name -> (score, low, high), first row on top.
    """
    from matplotlib.ticker import AutoLocator

    ax = ax or _new_axes(height=0.9 + 0.55 * len(scores))
    for row, (score, low, high) in enumerate(scores.values()):
        colour = COLOURS[row % len(COLOURS)]
        ax.plot([low, high], [row, row], color=colour, linestyle="-", lw=3)
        ax.plot(score, row, "o", color=colour, ms=9, mec="white")
        ax.annotate(
            f"{score:.3f}  [{low:.3f}, {high:.3f}]",
            (high, row),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=9.5,
        )
    ax.set_yticks(range(len(scores)), list(scores))
    ax.set_ylim(len(scores) - 0.5, -0.5)
    low, high = ax.get_xlim()
    ax.set_xlim(low, high + 0.45 * (high - low))  # room for the figures

    class ScoresOnly(AutoLocator):
        """Ticks as ever, but none in the room of the figures: no share is over 1."""

        def tick_values(self, vmin, vmax):
            ticks = super().tick_values(vmin, vmax)
            return ticks[ticks <= high]

    ax.xaxis.set_major_locator(ScoresOnly())
    ax.set(title=title, xlabel=xlabel)
    ax.grid(axis="y", visible=False)
    return ax


def confusion(
    matrix: Sequence[Sequence[int]],
    names: Sequence[str],
    *,
    title: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw a confusion matrix: rows are true classes, columns what the model said.

    The shade is the share of the row; the number is the count.
    """
    import numpy as np

    ax = ax or _new_axes(width=1.2 * len(names) + 2.2, height=0.8 * len(names) + 1.6)
    counts = np.asarray(matrix)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        dark = shares[row, column] > 0.5
        ax.text(
            column,
            row,
            f"{count}\n{shares[row, column]:.0%}",
            ha="center",
            va="center",
            color="white" if dark else "black",
        )
    ax.set_xticks(range(len(names)), names)
    ax.set_yticks(range(len(names)), names)
    ax.set(title=title, xlabel="the model's answer", ylabel="true class")
    ax.grid(visible=False)
    return ax


def _new_axes(*, width: float = 7, height: float = 3.4) -> Axes:
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(width, height))[1]
