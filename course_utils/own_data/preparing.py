"""From a file to three parts: read, check, split, and encode."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.errors import InputError
from course_utils.own_data import checks, columns, models, splitting
from course_utils.own_data.encoded import Encoded
from course_utils.own_data.findings import Finding, refuse_if_needed

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Prepared:
    """A checked and split file.

    Attributes:
        table: as `splitting.split` returns it.
        labels: the classes' names; their place is their number.
        source: as `columns.read` returned it.
        findings: of reading and checking.
    """

    table: pd.DataFrame
    labels: list[str]
    source: columns.Source
    findings: list[Finding]

    @property
    def codes(self) -> dict[str, int]:
        """The number of every label."""
        return {label: number for number, label in enumerate(self.labels)}

    def part(self, name: str) -> pd.DataFrame:
        """Return the rows of one part."""
        return self.table[self.table["part"] == name]


def prepare(
    path: str | Path,
    *,
    seed: int,
    read: dict[str, Any] | None = None,
    check: dict[str, Any] | None = None,
    shares=(0.7, 0.15, 0.15),
) -> Prepared:
    """Read, check and split a file.

    Args:
        path: of the file.
        seed: of the split.
        read, check: arguments of `columns.read` and `checks.check`.
        shares: of training, validation and test.

    Raises:
        InputError: if it cannot work.
    """
    source = columns.read(path, **(read or {}))
    checked = checks.check(source, **(check or {}))
    refuse_if_needed(checked.findings)
    table = splitting.split(checked.table, seed=seed, shares=shares)
    labels = sorted(table["label"].unique(), key=_number_first)
    return Prepared(table, labels, source, checked.findings)


@dataclass(frozen=True)
class Parts:
    """The rows that are used, and their tokens, by name of the part."""

    rows: dict[str, pd.DataFrame]
    texts: dict[str, Encoded]


def encode(
    ready: Prepared, tokenizer, most: dict[str, int], *, max_length: int, seed: int
) -> Parts:
    """Thin the parts to at most so many rows and encode their texts."""
    table = splitting.thin(ready.table, most, seed=seed)
    rows = {name: table[table["part"] == name] for name in splitting.PARTS}
    texts = {
        name: models.encode(
            tokenizer,
            part["text"].tolist(),
            part["label"].map(ready.codes).tolist(),
            max_length=max_length,
        )
        for name, part in rows.items()
    }
    return Parts(rows, texts)


def fingerprint(path: str | Path) -> str:
    """Return the SHA-256 of a file.

    Raises:
        InputError: if there is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(
            f"Expected a file of labelled texts at {path}; got "
            f"{'a folder' if path.is_dir() else 'no such file'}. Check the name and the "
            "folder you work in."
        )
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _number_first(label: str) -> tuple:
    """Sort labels that are numbers by their value."""
    try:
        return (0, float(label), label)
    except ValueError:
        return (1, 0.0, label)
