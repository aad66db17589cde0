"""The report's figures, drawn without a display and kept as PNG in the page itself."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Sequence

import numpy as np

from course_utils import plots

MOST_CLASSES = 12


def curves(rows: Sequence[dict]):
    """Draw loss and macro F1 by step."""
    figure, (left, right) = _figure(9, 3.2, columns=2)
    series = {
        name: [(row["step"], row[f"{name}_loss"]) for row in rows]
        for name in ("training", "validation")
    }
    plots.curves(
        series, title="Does the loss fall?", xlabel="step", ylabel="loss", ax=left
    )
    score = {"validation": [(row["step"], row["validation_f1"]) for row in rows]}
    title = "Does the score rise?"
    plots.curves(score, title=title, xlabel="step", ylabel="macro F1", ax=right)
    return figure


def confusion(matrix: np.ndarray, names: Sequence[str]):
    """Draw which class is taken for which; beyond 12 classes, the most mistaken ones."""
    wrong = matrix.sum(axis=0) + matrix.sum(axis=1) - 2 * np.diag(matrix)
    shown = np.sort(np.argsort(-wrong, kind="stable")[:MOST_CLASSES])
    matrix = matrix[np.ix_(shown, shown)].astype(int)
    names = [plain(names[i], 14) for i in shown]
    size = len(names)
    figure, ax = _figure(max(4.5, 1.1 * size + 2.2), max(3, 0.75 * size + 1.6))
    plots.confusion(matrix, names, title="Which class is taken for which?", ax=ax)
    ax.tick_params(axis="x", rotation=40 if size > 4 else 0)
    return figure


def calibration(bins: Sequence[dict]):
    """Draw accuracy with its intervals against confidence, near the points only."""
    figure, ax = _figure(5, 3.6)
    points = [(row["confidence"], row["accuracy"]) for row in bins]
    low = min(min(row["confidence"], row["low"]) for row in bins)
    places, lows, highs = zip(
        *((row["confidence"], row["low"], row["high"]) for row in bins), strict=True
    )
    ax.vlines(places, lows, highs, color="0.6", lw=1.5, label="95 % interval")
    series = {"this model": points, "as sure as it is right": [(low, low), (1, 1)]}
    title = "Is it right as often as it is sure?"
    plots.curves(
        series, title=title, xlabel="mean confidence", ylabel="share correct", ax=ax
    )
    return figure


def slices(rows: Sequence[dict]):
    """Draw accuracy by length of the text, with intervals."""
    figure, ax = _figure(7, 0.9 + 0.55 * len(rows))
    found = {
        f"{row['from']}–{row['to']} tokens ({row['rows']} texts)": (
            row["accuracy"],
            row["low"],
            row["high"],
        )
        for row in rows
    }
    plots.intervals(
        found, title="Are long texts harder?", xlabel="share correct", ax=ax
    )
    return figure


def comparison(scores: dict[str, dict]):
    """Draw macro F1 of model and baselines, with intervals."""
    figure, ax = _figure(7, 0.9 + 0.55 * len(scores))
    found = {name: tuple(row["macro_f1"].values()) for name, row in scores.items()}
    title = "Does fine-tuning beat the baselines?"
    plots.intervals(found, title=title, xlabel="macro F1 on the test set", ax=ax)
    _up_to_one(ax)
    return figure


def _up_to_one(ax) -> None:
    """Leave out the ticks beyond 1, where there is only room for the figures."""
    ax.set_xticks([tick for tick in ax.get_xticks() if tick < 1.001])


def plain(label: str, width: int) -> str:
    """Return a label that matplotlib draws as it is, cut to a width."""
    label = "".join(sign if sign.isprintable() else " " for sign in label)
    return (label if len(label) <= width else label[: width - 1] + "…").replace(
        "$", r"\$"
    )


def png(figure) -> str:
    """Return a figure as the text of an image address (data:image/png;base64,…)."""
    file = io.BytesIO()
    with warnings.catch_warnings():  # letters that the font lacks are drawn as boxes
        warnings.filterwarnings("ignore", message=".*[Gg]lyph.*")
        warnings.filterwarnings("ignore", message=".*[Ll]ayout.*")
        figure.savefig(file, format="png", dpi=90)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _figure(width: float, height: float, *, columns: int = 1):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns)
