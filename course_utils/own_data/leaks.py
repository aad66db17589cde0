"""What gives the label away: other columns, and the label's name or a sign in the text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from course_utils.own_data.findings import NOTE, WARNING, Finding, counted

if TYPE_CHECKING:
    import pandas as pd

SAMPLE = 20_000  # rows that are looked at
SURE = 0.98  # share of rows that one clue gets right


def leaks(table: pd.DataFrame, others: pd.DataFrame) -> list[Finding]:
    """Look for columns and words that nearly decide the label.

    Args:
        table: `text` and `label`, without gaps.
        others: the file's other columns, same rows.

    Returns:
        Findings; none of them is a refusal, for a clue may also be honest.

    Taught in: lesson 31 (what a leak costs: lesson 06).
    """
    if table["label"].nunique() < 2:
        return []
    if len(table) > SAMPLE:
        table = table.sample(SAMPLE, random_state=0)
        others = others.loc[table.index]
    return [*_columns(table["label"], others), *_names(table), *_words(table)]


def _columns(labels: pd.Series, others: pd.DataFrame) -> list[Finding]:
    chance = labels.value_counts(normalize=True).iloc[0]
    found = []
    for name in others.columns:
        values = others[name].fillna("")
        if not 2 <= values.nunique() <= len(values) / 4:
            continue
        right = labels.groupby(values).agg(lambda part: part.value_counts().iloc[0])
        share = right.sum() / len(labels)
        if share >= SURE and share > chance + (1 - chance) / 2:
            what = f"The column {name!r} alone tells {share:.0%} of the labels."
            advice = "It is not given to the model; do not put it into the text either."
            found.append(Finding(NOTE, "leaking column", what, 1, advice))
    return found


def _names(table: pd.DataFrame) -> list[Finding]:
    """Find classes whose name stands in most of their texts and in few others."""
    given = []
    for label in table["label"].unique()[:50]:
        if len(label) < 3 or label.isdecimal():
            continue
        pattern = rf"(?i)(?<!\w){re.escape(label)}(?!\w)"
        there = table["text"].str.contains(pattern, regex=True)
        own = table["label"] == label
        if there[own].mean() > 0.5 and there[~own].mean() < 0.1:
            given.append(label)
    if not given:
        return []
    names = ", ".join(map(repr, given[:3]))
    what = f"The name of {counted(len(given), 'class', 'classes')} ({names}) stands in its texts."
    advice = "If it will not stand in new texts, take it out: the score is too good."
    return [Finding(WARNING, "label in the text", what, len(given), advice)]


def _words(table: pd.DataFrame) -> list[Finding]:
    """Find one word that tells nearly all labels."""
    import numpy as np
    from sklearn.feature_extraction.text import CountVectorizer

    try:
        counter = CountVectorizer(
            binary=True, min_df=0.05, token_pattern=r"(?u)\S+", max_features=5000
        )
        present = counter.fit_transform(table["text"]).tocsc()
    except ValueError:  # no word is common enough
        return []
    codes, classes = table["label"].factorize()
    chance = np.bincount(codes).max() / len(codes)
    one_hot = np.eye(len(classes), dtype=np.float32)[codes]  # [rows, classes]
    with_word = present.T.astype(np.float32) @ one_hot  # [words, classes]
    without = one_hot.sum(axis=0) - with_word
    right = (with_word.max(axis=1) + without.max(axis=1)) / len(codes)
    best = int(right.argmax())
    if right[best] < SURE or right[best] <= chance + (1 - chance) / 2:
        return []
    word = counter.get_feature_names_out()[best]
    what = f"The single word {word!r} tells {right[best]:.0%} of the labels."
    advice = "If it comes from how the texts were collected, take it out."
    return [Finding(WARNING, "telling word", what, 1, advice)]
