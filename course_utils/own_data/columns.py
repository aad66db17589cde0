"""Which column holds the texts, which the labels; recognised ones are named."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.errors import InputError
from course_utils.own_data.files import read_rows
from course_utils.own_data.findings import (
    NOTE,
    WARNING,
    Finding,
    Rows,
    counted,
    refuse_if_needed,
    some,
)

if TYPE_CHECKING:
    import pandas as pd

# In the order of preference, folded; more languages are welcome.
TEXT_NAMES = (
    "text texts sentence message review comment tweet content body document question "
    "description sms utterance abstract texte texto testo nachricht satz kommentar "
    "mensaje commentaire comentario 文本 内容 句子"
)
LABEL_NAMES = (
    "label labels class category target sentiment y tag topic intent rating stars kind "
    "polarity emotion klasse kategorie étiquette etiqueta classe categoria 标签 类别"
)
SAMPLE = 2000


@dataclass
class Source:
    """A learner's file, read: texts, labels and what was said on the way.

    Attributes:
        name: of the file.
        table: `text` (str or None), `label` (the same; absent if none was asked for),
            `row` (int, line or row of the file), in the order of the file.
        others: the other columns, same rows, for the search for leaks and groups.
        columns: names of the two columns in the file.
        kind: of the file; `how` says how it was read.
        findings: what there was to say.
    """

    name: str
    table: pd.DataFrame
    others: pd.DataFrame
    columns: dict[str, str]
    kind: str
    how: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def read(
    path: str | Path,
    *,
    text: str | None = None,
    label: str | None = None,
    labelled: bool = True,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> Source:
    """Read a file of texts, with labels unless `labelled` is False; never change it.

    Args:
        path: CSV, TSV, JSON Lines, Parquet or Excel.
        text, label: names of the columns; None to have them recognised by name, else
            by what they hold. In a file without names they are "column 1", "column 2".
        labelled: whether there are labels to look for.
        encoding, delimiter: of a text file; None to have them recognised.

    Raises:
        InputError: if the file cannot be read or the columns cannot be told.

    Taught in: lesson 31.
    """
    import pandas as pd

    plain = Path(path).suffix.lower() == ".txt" and not (labelled or text or delimiter)
    if plain:  # texts for prediction, one a line
        delimiter = "\x1f"  # a sign that no text has
    rows = read_rows(path, encoding=encoding, delimiter=delimiter)
    refuse_if_needed(rows.findings)
    name = Path(path).name
    findings = list(rows.findings)
    _name_columns(rows, findings, known=[text, label], lines=plain)
    if not rows.cells:
        raise InputError(
            f"Expected rows below the first line of {name}; got none. Add labelled "
            "texts, at least 8 per class."
        )
    table = pd.DataFrame(rows.cells, columns=rows.names, dtype=object)
    found = {"text": _named(table, text, TEXT_NAMES, "text", name)}
    if labelled:
        found["label"] = _named(table, label, LABEL_NAMES, "label", name)
        if found["text"] == found["label"] is not None:
            raise InputError(
                f"Expected two columns for text and label; got {found['text']!r} for "
                "both. Name the right ones with --text and --label."
            )
    for role, column in found.items():
        if column is None:
            taken = [other for other in found.values() if other]
            found[role] = _by_content(table, role, taken, rows, name)
            what = f"No column is called {role}; {found[role]!r} looks like it."
            advice = f"If it is not, name the right one with --{role}."
            findings.append(Finding(WARNING, f"{role} column", what, 0, advice))
        elif (text, label)[role == "label"] is None:
            what = f"The {role}s are taken from the column {column!r}."
            findings.append(Finding(NOTE, f"{role} column", what))
    picked = table[list(found.values())].set_axis(list(found), axis=1)
    picked = picked.assign(row=rows.numbers)
    others = table.drop(columns=list(found.values()))
    return Source(name, picked, others, found, rows.kind, rows.how, findings)


def _name_columns(
    rows: Rows, findings: list[Finding], known: list, lines: bool = False
) -> None:
    """Give every column a name of its own; notice a first line that is a row."""
    named = {*TEXT_NAMES.split(), *LABEL_NAMES.split()}
    headless = lines and rows.names[0].strip().casefold() not in named
    if rows.kind == "CSV" and (headless or _is_a_row(rows, known)):
        rows.cells.insert(0, [name or None for name in rows.names])
        rows.numbers.insert(0, rows.numbers[0] - 1 if rows.numbers else 1)
        rows.names = [f"column {number}" for number in range(1, len(rows.names) + 1)]
        what = "The first line looks like a row, not like names of columns."
        advice = f"It is used as a row; the columns are called {some(rows.names)}."
        findings.append(Finding(WARNING, "no names", what, 1, advice))
    names: list[str] = []
    for number, name in enumerate(rows.names, 1):
        name = (name or "").strip().strip("\ufeff") or f"column {number}"
        if name in names:
            what = f"A second column is called {name!r}; it is now '{name} (again)'."
            advice = "If the first is the wrong one, name the other."
            findings.append(Finding(WARNING, "doubled name", what, 1, advice))
        while name in names:
            name += " (again)"
        names.append(name)
    rows.names = names


def _is_a_row(rows: Rows, known: list) -> bool:
    """Say whether the first line repeats a value that its column has further down."""
    names = [(name or "").strip() for name in rows.names]
    folded = {name.casefold() for name in names}
    if any(names) and folded & {*TEXT_NAMES.split(), *LABEL_NAMES.split()}:
        return False
    if any(name in names for name in known if name):
        return False
    sample = rows.cells[:SAMPLE]
    for place, name in enumerate(names):
        values = Counter((line[place] or "").strip() for line in sample)
        if name and values[name] and len(values) <= max(20, len(sample) / 10):
            return True
    return False


def _named(table, given: str | None, usual: str, role: str, name: str) -> str | None:
    if given is not None:
        if given in table.columns:
            return given
        raise InputError(
            f"Expected a column {given!r} in {name}; got "
            f"{some(map(repr, table.columns), most=8)}. Use one of these with --{role}."
        )
    folded = {column.casefold().strip(): column for column in reversed(table.columns)}
    return next((folded[word] for word in usual.split() if word in folded), None)


def _by_content(table, role: str, taken: list[str], rows: Rows, name: str) -> str:
    """Choose the column that looks like texts, or like labels; refuse to guess blindly."""
    scores = {}
    for column in table.columns.difference(taken, sort=False):
        values = table[column].iloc[:SAMPLE].dropna().str.strip()
        values = values[values != ""]
        if values.empty:
            continue
        kinds, length = values.nunique(), values.str.len().mean()
        letters = values.str.contains(r"[^\W\d_]", regex=True).mean()
        blanks = values.str.contains(r"\s|[^\x00-\x7f]{3}", regex=True).mean()
        if role == "text" and letters > 0.5 and (blanks > 0.3 or length > 20):
            scores[column] = length
        few = 2 <= kinds <= max(2, min(50, len(values) / 4))
        if role == "label" and few and length < 40:
            scores[column] = -kinds
    best = sorted(scores, key=scores.__getitem__, reverse=True)
    alone = len(best) == 1
    if alone or (best and role == "text" and scores[best[0]] > 2 * scores[best[1]]):
        return best[0]
    left = [column for column in table.columns if column not in taken]
    shown = some(map(repr, best or left), most=8)
    if best:
        got = f"several that could be: {shown}"
    else:
        got = f"none that looks like it among {shown}" if left else "no other column"
    advice = f"Name it with --{role}."
    if not left:
        advice = "Add one; if it is there, name the sign between cells by --delimiter."
        if rows.kind != "CSV":
            got += f" than {taken[0]!r}"
            advice = "Add one."
    for finding in rows.findings:
        if finding.name == "sheets":  # the right one may not have been read
            advice += f" {finding.what} {finding.advice}"
    raise InputError(f"Expected a column of {role}s in {name}; got {got}. {advice}")


def describe(source: Source) -> str:
    """Return one sentence on what was read."""
    how = ", ".join(
        value for key, value in source.how.items() if key in ("encoding", "sheet")
    )
    return (
        f"{source.name}: {counted(len(source.table), 'row')}, {source.kind}"
        f"{f' ({how})' if how else ''}, texts in {source.columns['text']!r}."
    )
