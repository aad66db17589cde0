"""Three parts with equal shares of every class, and no group of texts in two of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from course_utils.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

PARTS = ("training", "validation", "test")


def split(
    table: pd.DataFrame, *, seed: int, shares: Sequence[float] = (0.7, 0.15, 0.15)
) -> pd.DataFrame:
    """Say for every row to which part it belongs.

    Groups stay whole. Class by class, the largest group first, each goes to the part that
    lacks most of its share; groups of equal size come in a random order. A class with at
    least three groups is therefore in every part.

    Args:
        table: with `label` and `group`.
        seed: of the random order.
        shares: of training, validation and test; they add up to 1.

    Returns:
        The table with a column `part` more: "training", "validation" or "test".

    Raises:
        InputError: if the shares do not add up to 1, or a part would be empty.

    Taught in: lesson 31 (splits without leaks: lesson 06).
    """
    shares = tuple(shares)
    if len(shares) != 3 or abs(sum(shares) - 1) > 1e-9 or min(shares) <= 0:
        raise InputError(
            f"Expected three positive shares that add up to 1; got {shares}. Use for "
            "instance 0.7 0.15 0.15."
        )
    # A group's class is that of most of its rows; conflicting labels stay together.
    counts = table.groupby(["group", "label"], sort=False).size()
    counts = counts.reset_index(name="rows").sort_values("rows", kind="stable")
    main = counts.drop_duplicates("group", keep="last").set_index("group")["label"]
    sizes = table.groupby("group", sort=True).size()
    main = main.loc[sizes.index]
    random = np.random.default_rng(seed)
    place: dict[int, str] = {}
    for label in sorted(main.unique()):
        members = sizes[main == label]
        members = members.iloc[random.permutation(len(members))]
        members = members.sort_values(ascending=False, kind="stable")
        wanted = [share * members.sum() for share in shares]
        filled = [0.0, 0.0, 0.0]
        for group, size in members.items():
            lacking = [
                1 - have / want for have, want in zip(filled, wanted, strict=True)
            ]
            part = lacking.index(max(lacking))
            filled[part] += size
            place[group] = PARTS[part]
    parts = table["group"].map(place)
    empty = [part for part in PARTS if not (parts == part).any()]
    if empty:
        raise InputError(
            f"Expected enough different texts for three parts; got none for the "
            f"{empty[0]} part. Add texts that are not copies of each other."
        )
    return table.assign(part=parts)


def thin(table: pd.DataFrame, most: dict[str, int], *, seed: int) -> pd.DataFrame:
    """Keep at most so many rows of each part, equal shares of every class.

    Args:
        table: with `part` and `label`.
        most: rows per part; a part that is not named stays whole.
        seed: of the draw.

    Returns:
        The kept rows in the order of the table; every class keeps at least one row in
        every part that it had.
    """
    import pandas as pd

    kept = []
    for part, rows in table.groupby("part", sort=True):
        limit = most.get(part, len(rows))
        if limit >= len(rows):
            kept.append(rows)
            continue
        for _, members in rows.groupby("label", sort=True):
            count = max(1, round(limit * len(members) / len(rows)))
            kept.append(members.sample(count, random_state=seed))
    return pd.concat(kept).sort_index()
