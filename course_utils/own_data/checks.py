"""Checks of a learner's labelled texts, in plain words and with counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from course_utils.errors import InputError
from course_utils.own_data import duplicates, labels
from course_utils.own_data.columns import Source
from course_utils.own_data.findings import (
    NOTE,
    REFUSAL,
    WARNING,
    Finding,
    counted,
    short,
    some,
)
from course_utils.own_data.leaks import leaks

if TYPE_CHECKING:
    import pandas as pd

GROUP_SHARE = 0.05  # of all rows: a larger group of near-duplicates is a template


@dataclass
class Checked:
    """What can be trained on, and everything that was found.

    Attributes:
        table: `text` and `label` (str), `row` (int, of the file), `group` (int): rows of
            one group go to one part. Only rows that can be used; after a refusal, what
            there was by then.
        findings: in the order of the checks; `findings.refuse_if_needed` stops at one.
    """

    table: pd.DataFrame
    findings: list[Finding]


def check(
    source: Source,
    *,
    group: str | None = None,
    merge_labels: bool = True,
    smallest_class: int = 8,
    near: bool = True,
) -> Checked:
    """Check a file's rows; set aside what cannot be used and say so.

    Args:
        source: what `columns.read` returned.
        group: a column whose equal values stay in one part, such as an author.
        merge_labels: whether labels that differ in case, blanks or a .0 only are one
            class, and such as NaN are none; else they are taken as they are written.
        smallest_class: rows that a class needs; smaller ones are set aside.
        near: whether near-duplicates are looked for, besides equal texts.

    Raises:
        InputError: if the column for the groups does not exist, or the smallest class
            has no row. What is wrong with the rows is a finding with the level "refusal", not an error.

    Taught in: lesson 31.
    """
    if group is not None and group not in source.others.columns:
        others = some(map(repr, source.others.columns), most=8)
        advice = "Name one of these, or leave the group out."
        raise InputError(
            f"Expected a column {group!r} besides text and label; got "
            f"{others or 'no other column'}. {advice if others else 'Leave it out.'}"
        )
    if smallest_class < 1:
        raise InputError(
            f"Expected at least 1 row as the smallest class; got {smallest_class}. Use "
            "for instance 8."
        )
    findings = list(source.findings)
    table = labels.single(source.table, findings)
    if _refused(findings):
        return Checked(table, findings)
    table = _filled(table, findings)
    if merge_labels:
        table = labels.present(table, findings, smallest_class)
    if table.empty:
        what = "Expected rows with a text and a label; got none."
        advice = "Check that the right columns are named with --text and --label."
        findings.append(Finding(REFUSAL, "no rows", what, 0, advice))
        return Checked(table, findings)
    if merge_labels:
        table = labels.one_spelling(table, findings)
    labels.count_classes(table, findings, source)
    if _refused(findings):  # what follows would speak of columns that are not meant
        return Checked(table, findings)
    _looks(table, findings)
    table = _groups(table, findings, near, source.others[group] if group else None)
    table = _sizes(table, findings, smallest_class)
    findings += leaks(table, source.others.loc[table.index].drop(columns=group or []))
    return Checked(table.reset_index(drop=True), findings)


def _refused(findings: list[Finding]) -> bool:
    return any(finding.level == REFUSAL for finding in findings)


def _filled(table: pd.DataFrame, findings: list[Finding]) -> pd.DataFrame:
    """Leave out rows without text or label."""
    filled = {
        name: table[name].notna() & (table[name].str.strip().astype(object) != "")
        for name in ("text", "label")
    }
    for name, there in filled.items():
        if not there.all():
            rows = table.loc[~there, "row"]
            what = f"{counted(len(rows), 'row')} without a {name} (row {some(rows)})."
            advice = "Left out; fill in what matters."
            findings.append(Finding(WARNING, f"no {name}", what, len(rows), advice))
    return table[filled["text"] & filled["label"]].copy()


def _looks(table: pd.DataFrame, findings: list[Finding]) -> None:
    """Notice texts that were decoded wrongly, or hold no letters, or pieces of HTML."""
    wrong = table["text"].str.contains("�|Ã[\x80-\xbf©¨¼¶¤±§³­]|â€", regex=True).sum()
    if wrong:
        what = f"{counted(wrong, 'text')} with signs such as 'Ã©' or '�'."
        advice = (
            "An earlier program read the file in a wrong encoding: export it again."
        )
        findings.append(Finding(WARNING, "damaged letters", what, int(wrong), advice))
    bare = int((~table["text"].str.contains(r"[^\W\d_]", regex=True)).sum())
    if bare > len(table) / 2:
        what = f"{counted(bare, 'text')} without a letter."
        advice = "If they are numbers or ids, name the column of texts with --text."
        findings.append(Finding(WARNING, "no letters", what, bare, advice))
    tags = table["text"].str.contains(r"</?[a-zA-Z][^<>]{0,40}>|&[a-z]{2,6};").sum()
    if tags > len(table) / 20:
        what = f"{counted(tags, 'text')} with pieces of HTML."
        advice = (
            "If they differ between the classes, the model learns them: clean them."
        )
        findings.append(Finding(NOTE, "HTML", what, int(tags), advice))


def _groups(table, findings: list[Finding], near: bool, column) -> pd.DataFrame:
    """Number the rows that have to stay in one part."""
    import pandas as pd

    keys = table["text"].map(duplicates.same)
    copies = int(keys.duplicated().sum())
    if copies:
        what = f"{counted(copies, 'row')} whose text occurs before."
        advice = (
            "Copies stay together in one part, so that none is trained and tested on."
        )
        findings.append(Finding(NOTE, "duplicates", what, copies, advice))
    kinds = table["label"].groupby(keys).nunique()
    conflicting = kinds.index[kinds > 1]
    if len(conflicting):
        rows = int(keys.isin(conflicting).sum())
        what = (
            f"{counted(len(conflicting), 'text')} ({counted(rows, 'row')}) with different "
            f"labels, such as {short(conflicting[0])}."
        )
        advice = "No model can get them all right: decide on one label for each."
        findings.append(
            Finding(WARNING, "conflicting labels", what, len(conflicting), advice)
        )
    exact = pd.Series(pd.factorize(keys)[0], index=table.index)
    number = exact
    if near:
        number = pd.Series(duplicates.groups(table["text"].tolist()), index=table.index)
        size = number.map(number.value_counts())
        texts = number.map(exact.groupby(number).nunique())  # different ones
        template = (size > max(20, GROUP_SHARE * len(table))) & (texts > 1)
        if template.any():
            what = (
                f"{counted(int(template.sum()), 'row')} that look made from a template."
            )
            advice = "Only equal ones stay together: the test is easier than real life."
            findings.append(
                Finding(WARNING, "templates", what, int(template.sum()), advice)
            )
            number = number.where(~template, exact + len(table))
        more = int(number.duplicated().sum() - exact.duplicated().sum())
        if more > 0:
            what = f"{counted(more, 'row')} nearly the same as another text."
            advice = "They stay together in one part. (Paraphrases are not found.)"
            findings.append(Finding(NOTE, "near-duplicates", what, more, advice))
    if column is not None:
        number = _joined(number, column.loc[table.index].fillna(""))
    return table.assign(group=pd.factorize(number)[0])


def _joined(number, column):
    """Return groups in which rows stay together for either reason."""
    import numpy as np
    import pandas as pd
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    left, right = pd.factorize(number)[0], pd.factorize(column)[0]
    right = np.where(
        column == "", right.max(initial=0) + 1 + np.arange(len(right)), right
    )
    size = int(max(left.max(initial=0), right.max(initial=0))) + 1
    links = coo_array((np.ones(len(left)), (left, size + right)), shape=(2 * size,) * 2)
    return pd.Series(connected_components(links, directed=False)[1][left], number.index)


def _sizes(table, findings: list[Finding], smallest: int) -> pd.DataFrame:
    """Set aside classes that are too small for three parts."""
    rows = table["label"].value_counts()
    groups = table.groupby("label")["group"].nunique()
    small = sorted(rows.index[(rows < smallest) | (groups.reindex(rows.index) < 3)])
    kept = table[~table["label"].isin(small)]
    if small:
        shown = some(f"{label!r} ({rows[label]})" for label in small)
        need = f"at least {smallest} rows and 3 different texts"
        left = kept["label"].nunique()
        if left < 2 and table["label"].nunique() > 1:
            what = f"Expected two classes of {need}; got too few in {shown}."
            advice = "Add labelled texts, or lower the limit with --smallest-class."
            findings.append(Finding(REFUSAL, "small classes", what, len(small), advice))
            return table
        lost = len(table) - len(kept)
        what = f"{counted(len(small), 'class', 'classes')} without {need}: {shown}."
        advice = f"Left out with {counted(lost, 'row')}: never given as an answer."
        findings.append(Finding(WARNING, "small classes", what, len(small), advice))
    return kept
