"""Labels as people and programs write them: lists, gaps, spellings, numbers."""

from __future__ import annotations

import ast
import json
import re
import warnings
from typing import TYPE_CHECKING

from course_utils.own_data.duplicates import same
from course_utils.own_data.files import as_text
from course_utils.own_data.findings import (
    REFUSAL,
    WARNING,
    Finding,
    counted,
    short,
    some,
)

if TYPE_CHECKING:
    import pandas as pd

    from course_utils.own_data.columns import Source

MANY_CLASSES = 50
# What programs write into a cell that holds nothing; nobody calls a class so. (Folded;
# after pandas' own list, with the errors of spreadsheets and the \N of databases.)
MARKS = {"nan", "-nan", "null", "<na>", "#na", "#n/a", "#n/a n/a", r"\n"}
MARKS |= {"#ref!", "#value!", "#div/0!", "#name?", "#null!", "#num!"}
# What people write for "no label", but also call a class.
WORDS = {"none", "na", "n/a", "n.a.", "-", "?"}
WHOLE = re.compile(r"(-?(?:0|[1-9][0-9]*))(?:\.0+)?")  # 7 and 7.0, but not 07


def single(table: pd.DataFrame, findings: list[Finding]) -> pd.DataFrame:
    """Take a label out of a list of one; refuse lists of several, and objects."""
    labels = table["label"]
    opening = labels.str.strip().str.startswith(("[", "{", "("), na=False).astype(bool)
    opened = {label: _opened(label) for label in labels[opening].unique()}
    opened = {label: items for label, items in opened.items() if items is not None}
    several = [label for label, items in opened.items() if len(items) > 1]
    if several:
        rows = table.loc[labels.isin(several), "row"]
        what = (
            f"Expected one label per text; got lists or objects in "
            f"{counted(len(rows), 'row')} (row {some(rows)}), such as "
            f"{short(several[0])}."
        )
        advice = (
            "This tool trains one label per text: keep one of each list, or make a "
        )
        advice += "file with yes and no for every label."
        findings.append(Finding(REFUSAL, "several labels", what, len(rows), advice))
        return table
    if not opened:
        return table
    taken = {label: items[0] if items else None for label, items in opened.items()}
    return table.assign(
        label=[taken.get(label, label) for label in labels]  # map would lose None
    ).astype({"label": object})


def present(table: pd.DataFrame, findings: list[Finding], smallest: int):
    """Leave out rows whose label only says that there is none.

    A word that may be either is a class if it has at least half as many rows as the
    smallest other class. Which way it was taken is said.
    """
    folded = table["label"].map(same)
    counts = folded.value_counts()
    gaps = {key for key in counts.index if key in MARKS}
    words = [key for key in counts.index if key in WORDS]
    others = counts.drop([*gaps, *words])
    limit = max(smallest, others[others >= smallest].min() / 2)  # of NaN: smallest
    gaps |= {key for key in words if counts[key] < limit}

    def shown(keys) -> str:
        found = table.loc[folded.isin(keys), "label"].value_counts()
        return some(f"{label!r} ({rows:,})" for label, rows in found.items())

    missing = folded.isin(gaps)
    if missing.any():
        count = int(missing.sum())
        what = f"{counted(count, 'label')} written as missing: {shown(gaps)}."
        advice = "Left out. If one is a class, rename it or use --keep-spelling."
        findings.append(Finding(WARNING, "missing labels", what, count, advice))
    kept = [key for key in words if key not in gaps]
    if kept:
        count = int(counts[kept].sum())
        what = f"{shown(kept)} may mean that there is no label; with so many rows "
        what += "it is taken as a class."
        advice = "If there is none, empty these cells."
        findings.append(Finding(WARNING, "class or gap", what, count, advice))
    return table[~missing]


def one_spelling(table: pd.DataFrame, findings: list[Finding]) -> pd.DataFrame:
    """Give labels that differ in blanks or case only, or in a .0, one spelling."""
    labels = table["label"]
    keys = labels.map(same)
    counts = labels.groupby(keys).value_counts()
    spelling = {key: rest.idxmax()[1].strip() for key, rest in counts.groupby(level=0)}
    found = {key: WHOLE.fullmatch(key) for key in spelling}
    plain = {key: match[1] for key, match in found.items() if match}
    twice = len(set(plain.values())) < len(plain)  # else 1.0 is this file's way
    numbers = keys.map(lambda key: twice and plain.get(key, key) != key).astype(bool)
    if twice:
        spelling |= plain
    table = table.assign(label=keys.map(spelling))
    changed = labels[(labels != table["label"]) & ~numbers]
    if len(changed):
        what = (
            f"{counted(len(changed), 'label')} with stray blanks or other capitals, "
            f"such as {some(map(repr, changed.unique()))}."
        )
        advice = "Read as the commonest spelling; the file stays as it is."
        findings.append(Finding(WARNING, "label spelling", what, len(changed), advice))
    if numbers.any():
        count = int(numbers.sum())
        one = labels[numbers].iloc[0]
        what = f"{counted(count, 'label')} with a .0 that others do without, such as "
        what += f"{one!r} for {table.loc[numbers, 'label'].iloc[0]!r}."
        advice = "Read as the same number; the file stays as it is."
        findings.append(Finding(WARNING, "label numbers", what, count, advice))
    return table


def count_classes(table: pd.DataFrame, findings: list[Finding], source: Source) -> None:
    """Refuse labels that are no classes: only one, nearly as many as rows, or texts."""
    labels, rows = table["label"], len(table)
    kinds, texts = labels.nunique(), table["text"].map(same).nunique()
    few = texts <= max(2, min(50, rows / 4))
    longer = labels.str.len().mean() > table["text"].str.len().mean()
    if kinds == 1:
        what = f"Expected at least two classes; got only {labels.iloc[0]!r}."
        advice = "Add rows of another class, or name another column with --label."
        findings.append(Finding(REFUSAL, "one class", what, 1, advice))
    elif few and longer and kinds > texts:
        text, label = source.columns["text"], source.columns["label"]
        what = (
            f"Expected texts in {text!r} and labels in {label!r}; got {texts:,} "
            f"different texts and {kinds:,} different labels, as if they were swapped."
        )
        advice = f"Use --text {_typed(label)} --label {_typed(text)}."
        findings.append(Finding(REFUSAL, "swapped columns", what, kinds, advice))
    elif kinds > 20 and kinds > rows / 2:
        what = f"Expected classes that repeat; got {kinds:,} labels in {rows:,} rows."
        advice = "Measurements have to be put into ranges first; an id is no label."
        words = labels.str.contains(r"[^\W\d_]{2}\s+\S+\s", regex=True)
        if words.mean() > 0.5:
            others = some(map(repr, source.others.columns), most=8)
            advice = f"{source.columns['label']!r} looks like texts. "
            advice += "Name the column of labels with --label"
            advice += f": {others}." if others else ", or add one."
        findings.append(Finding(REFUSAL, "too many classes", what, kinds, advice))
    elif kinds > MANY_CLASSES:
        what = f"{kinds} classes: some will have few rows to learn from."
        findings.append(Finding(WARNING, "many classes", what, kinds))
    _joined(labels, findings)


def _joined(labels: pd.Series, findings: list[Finding]) -> None:
    """Notice labels that are others of the file, joined by a comma or the like."""
    known = set(labels)
    parts = {label: re.split(r"\s*[,;|+/]\s*", label) for label in known}
    joined = [
        label
        for label in labels.unique()
        if len(parts[label]) > 1 and known.issuperset(parts[label])
    ]
    if joined:
        count = int(labels.isin(joined).sum())
        what = f"{counted(count, 'label looks', 'labels look')} like several in one, "
        what += f"such as {some(map(repr, joined))}."
        advice = (
            "Each such mixture is a class of its own: one label per text is learnt."
        )
        findings.append(Finding(WARNING, "joined labels", what, count, advice))


def _opened(label: str) -> list[str | None] | None:
    """Return what a list holds, written by JSON, Python or NumPy; None for a word."""
    label = label.strip()
    if re.fullmatch(r"\[[0-9.\s]+\]", label):  # NumPy: [0 1 0]
        return label[1:-1].split()
    try:
        value = json.loads(label)
    except (ValueError, RecursionError):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # on odd backslashes
                value = ast.literal_eval(label)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            return None
        if re.search(r"""['"]\s+['"]""", label):  # NumPy: ['a' 'b'], for Python 'ab'
            return re.split(r"""(?<=['"])\s+(?=['"])""", label)
    if isinstance(value, dict) or any(
        isinstance(item, (list, dict)) for item in value if isinstance(value, list)
    ):
        return [label, label]  # nested: more than a label
    if isinstance(value, (list, tuple, set)):
        return [as_text(item) for item in value]
    return None


def _typed(name: str) -> str:
    """Return a column's name as it is typed in a shell."""
    return name if re.fullmatch(r"[\w.-]+", name) else f'"{name}"'
