"""What a check found in a learner's file: plain data, printed by others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from course_utils.errors import InputError

NOTE, WARNING, REFUSAL = "note", "warning", "refusal"


@dataclass(frozen=True)
class Finding:
    """One thing that a check has to say.

    Attributes:
        level: "note" (good to know), "warning" (may cost quality) or "refusal" (cannot
            work).
        name: short name of the check, the same in every version.
        what: one sentence: what was found.
        count: how many rows, texts, columns or classes it concerns; 0 if not countable.
        advice: what to do, or what is done about it; may be empty.
    """

    level: str
    name: str
    what: str
    count: int = 0
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.level}: {self.what} {self.advice}".rstrip()

    def as_dict(self) -> dict:
        """Return the attributes as a dict, for JSON."""
        return asdict(self)


@dataclass
class Rows:
    """What a file holds, before anything is known about its columns.

    Attributes:
        kind: "CSV", "JSON Lines", "Parquet" or "Excel".
        names: of the columns; of a CSV file its first line, whatever that holds.
        cells: one list per row, as long as `names`; a cell is a str, or None if empty.
        numbers: line or row of the file that each row comes from, counted from 1.
        findings: what there was to say.
        how: encoding, delimiter, sheet: what is needed to read the file again.
    """

    kind: str
    names: list[str]
    cells: list[list[str | None]]
    numbers: list[int]
    findings: list[Finding] = field(default_factory=list)
    how: dict[str, str] = field(default_factory=dict)


def refuse_if_needed(findings: Iterable[Finding]) -> None:
    """Raise InputError with the first refusal among the findings, if there is one."""
    for finding in findings:
        if finding.level == REFUSAL:
            raise InputError(f"{finding.what} {finding.advice}".strip())


def some(values: Iterable, *, most: int = 3) -> str:
    """Return the first few values as words: "2, 5, 9 and 4 more"."""
    values = [str(value) for value in values]
    shown, more = values[:most], len(values) - most
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def short(text: str, width: int = 40) -> str:
    """Return the beginning of a text on one line, in quotes."""
    line = " ".join(str(text).split())
    return repr(line if len(line) <= width else line[: width - 1] + "…")


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """Return "1 row" or "1,234 rows"."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def classes(labels) -> str:
    """Return a line with the classes and their rows, the commonest first."""
    rows = labels.value_counts()
    shown = some((f"{label!r} ({count:,})" for label, count in rows.items()), most=8)
    return f"{counted(len(rows), 'class', 'classes')}: {shown}."
