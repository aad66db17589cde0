"""Rows of a file of delimited cells (CSV, TSV), with the line number of each."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

from course_utils.errors import InputError
from course_utils.own_data import encodings
from course_utils.own_data.findings import (
    NOTE,
    REFUSAL,
    WARNING,
    Finding,
    Rows,
    counted,
    some,
)

SAMPLE = 500  # lines from which the delimiter is recognised
MANY_LINES = 50  # a row with more of them is pointed at


def read(path: Path, encoding: str, delimiter: str | None = None) -> Rows:
    """Read the rows of a delimited file, in spite of odd quotes and broken rows.

    Raises:
        InputError: if the file holds blank lines only or the delimiter is no single sign.
    """
    with open(path, encoding=encoding, newline="") as file:
        sample = list(itertools.islice(file, SAMPLE))
    skipped = 0
    if sample and sample[0].lower().startswith("sep=") and len(sample[0].strip()) == 5:
        delimiter, skipped = delimiter or sample[0][4], 1  # Excel's own hint
    if delimiter is None:
        delimiter = encodings.delimiter(sample[skipped:]) or ","
    elif len(delimiter) != 1 or delimiter in '"\r\n':
        raise InputError(
            f"Expected one sign as delimiter, such as ';'; got {delimiter!r}. Leave it "
            "out to have it recognised."
        )
    findings = []
    try:
        lines = _cells(path, encoding, delimiter, skipped, strict=True)
        longest = max(lines, key=_most_lines, default=(0, [""]))
        if _most_lines(longest) > MANY_LINES:
            what = f"The longest row spans {_most_lines(longest)} lines, from line "
            advice = "Fine for long texts; else a quotation mark is missing."
            findings.append(
                Finding(NOTE, "long row", f"{what}{longest[0]}.", 1, advice)
            )
    except csv.Error:
        lines, finding = _with_odd_quotes(path, encoding, delimiter, skipped)
        findings.append(finding)
    if not lines:
        raise InputError(
            f"Expected rows in {path.name}; got blank lines only. Add a line with the "
            "names of the columns and labelled texts below it."
        )
    (_, names), *rest = lines
    for _, line in rest:
        while len(line) > len(names) and not line[-1].strip():
            line.pop()  # spreadsheets leave empty cells at the end
    good = [(n, line) for n, line in rest if len(line) <= len(names)]
    wide = [n for n, line in rest if len(line) > len(names)]
    if wide:
        sign = encodings.DELIMITERS.get(delimiter, repr(delimiter))
        many, where = counted(len(wide), "row"), f"line {some(wide)}"
        advice = f"A {sign} in a text? Put such texts into double quotes."
        if len(wide) > len(good):
            level = REFUSAL
            what = f"Expected {counted(len(names), 'cell')} in every row, as in the "
            what += f"first line; got more in {many} ({where})."
        else:
            level, advice = WARNING, f"They are left out. {advice}"
            what = f"{many} with more cells than the first line ({where})."
        findings.append(Finding(level, "too many cells", what, len(wide), advice))
    if delimiter != "," or skipped:
        sign = encodings.DELIMITERS.get(delimiter, repr(delimiter))
        what = f"The columns are separated by a {sign}."
        findings.insert(0, Finding(NOTE, "delimiter", what))
    cells = [
        [cell or None for cell in line] + [None] * (len(names) - len(line))
        for _, line in good
    ]
    how = {"delimiter": delimiter}
    return Rows("CSV", names, cells, [n for n, _ in good], findings, how)


def _cells(path, encoding, delimiter, skipped, *, strict=False, quotes=True):
    """Return (line number, cells) of every row that is not blank."""
    quoting = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    rows = []
    with encodings.wide_cells(), open(path, encoding=encoding, newline="") as file:
        for _ in range(skipped):
            next(file, "")
        reader = csv.reader(file, delimiter=delimiter, quoting=quoting, strict=strict)
        began = skipped + 1
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((began, row))
            began = skipped + reader.line_num + 1
    return rows


def _most_lines(row) -> int:
    return 1 + max(cell.count("\n") for cell in row[1])


def _with_odd_quotes(path, encoding, delimiter, skipped):
    """Read a file whose quotes do not pair: as plain signs if that fits, else loosely."""
    plain = _cells(path, encoding, delimiter, skipped, quotes=False)
    loose = _cells(path, encoding, delimiter, skipped)
    width = len(plain[0][1])
    fitting = sum(len(row) == width for _, row in plain) / len(plain)
    if width > 1 and fitting >= 0.98:
        what = "Quotation marks do not pair up; they were read as ordinary signs."
        return plain, Finding(NOTE, "quotes", what)
    longest = max(loose, key=_most_lines)
    what = (
        f"Quotation marks do not pair up; the longest row begins in line {longest[0]} "
        f"and spans {counted(_most_lines(longest), 'line')}."
    )
    advice = "Look there: a quotation mark inside a quoted text has to be doubled."
    return loose, Finding(WARNING, "quotes", what, 1, advice)
