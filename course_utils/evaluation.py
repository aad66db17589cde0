"""Intervals, paired comparisons, and a test set that opens once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from course_utils.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class Interval:
    """A score, or a difference of two, with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def __iter__(self):
        return iter((self.value, self.low, self.high))


def bootstrap(
    metric: Callable[..., float],
    *columns: np.ndarray,
    seed: int,
    repeats: int = 1000,
    level: float = 0.95,
) -> Interval:
    """Estimate how far a score would move with another test set of the same size.

    Rows are drawn with replacement, all columns together; so a metric that is the
    difference of two models' scores gives a paired comparison.

    Args:
        metric: takes the columns, returns a number.
        columns: arrays of equal length, e.g. labels and predictions.
        seed: of the draws.
        repeats: how often to draw.
        level: share of draws inside the interval.

    Raises:
        InputError: if the columns are empty or differ in length.

    Taught in: lesson 01, in full in lesson 13. Source: Efron & Tibshirani 1993.
    """
    import numpy as np

    arrays = [np.asarray(column) for column in columns]
    sizes = {len(array) for array in arrays}
    if len(sizes) != 1 or sizes == {0}:
        raise InputError(
            f"Expected columns of one length, at least 1; got lengths "
            f"{[len(array) for array in arrays]}. Pass labels and predictions of the "
            "same rows."
        )
    (size,) = sizes
    random = np.random.default_rng(seed)
    scores = []
    for _ in range(repeats):
        rows = random.integers(size, size=size)
        scores.append(metric(*(array[rows] for array in arrays)))
    low, high = np.quantile(scores, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(metric(*arrays)), float(low), float(high))


class LockedTestSet:
    """A test set that can be opened once.

    A score on rows that were used to choose something is too good; the lock makes the
    second look impossible by accident, and visible.
    """

    def __init__(self, table: pd.DataFrame, *, name: str = "test set") -> None:
        """Lock a copy of a table's rows away."""
        self._table = table.copy()
        self._name = name
        self._opened_for: str | None = None

    def __len__(self) -> int:
        return len(self._table)

    def __repr__(self) -> str:
        state = f"opened for: {self._opened_for}" if self._opened_for else "locked"
        return f"LockedTestSet({self._name}, {len(self)} rows, {state})"

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):  # Python and Jupyter probe for these
            raise AttributeError(attribute)
        raise self._locked(f".{attribute}")

    def __getitem__(self, key: Any) -> Any:
        raise self._locked(f"[{key!r}]")

    def _locked(self, look: str) -> InputError:
        if self._opened_for:
            return InputError(
                f"Expected a look at the table that .open() returned; got one at {look} "
                f"of the {self._name} itself. Use that table."
            )
        return InputError(
            f"Expected the {self._name} to be opened first; got a look at {look}. "
            "Choose on the validation set, then call .open('why')."
        )

    def open(self, reason: str) -> pd.DataFrame:
        """Return the rows, the first time; say why it is opened.

        Raises:
            InputError: the second time, or without a reason.
        """
        if self._opened_for:
            raise InputError(
                f"Expected the {self._name} to be opened once; got a second call after "
                f"{self._opened_for!r}. Choose on the validation set instead."
            )
        if not reason.strip():
            raise InputError("Expected a reason; got none. Say what the test decides.")
        self._opened_for = reason
        print(f"The {self._name} ({len(self)} rows) is open now, once: {reason}.")
        return self._table
