"""Rows of a file as text: CSV, TSV, JSON Lines, Parquet, Excel; the file is only read."""

from __future__ import annotations

import json
from pathlib import Path

from course_utils.errors import InputError
from course_utils.own_data import delimited, encodings
from course_utils.own_data.findings import NOTE, WARNING, Finding, Rows, counted, some

KINDS = {
    ".csv": "CSV",
    ".tsv": "CSV",
    ".tab": "CSV",
    ".txt": "CSV",
    ".jsonl": "JSON Lines",
    ".ndjson": "JSON Lines",
    ".json": "JSON Lines",
    ".parquet": "Parquet",
    ".pq": "Parquet",
    ".xlsx": "Excel",
    ".xlsm": "Excel",
}
PACKED = (".gz", ".zip", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".tgz")


def read_rows(
    path: str | Path, *, encoding: str | None = None, delimiter: str | None = None
) -> Rows:
    """Read all rows of a file as text. Its kind is taken from its content and its name.

    Raises:
        InputError: if the file is missing, empty, of another kind, or broken.
    """
    path = Path(path)
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no such file"
        raise InputError(
            f"Expected a file of labelled texts at {path.name or path}; got {what}. "
            "Check the name and the folder you work in."
        )
    try:
        kind = _kind(path)
        if kind == "Parquet":
            return _parquet(path)
        if kind == "Excel":
            return _excel(path)
        if encoding:
            encoding, piece = encodings.checked(path, encoding), ""
        else:
            encoding, piece = encodings.detect(path)
    except PermissionError as error:
        raise InputError(
            f"Expected {path.name} to be readable; got a refusal of the system. Close "
            "the program that holds it, or change its rights."
        ) from error
    if kind == "CSV":
        rows = delimited.read(path, encoding, delimiter)
    else:
        rows = _json(path, encoding)
    rows.how["encoding"] = encoding
    if piece:
        what = (
            f"The file is not UTF-8; it was read as {encoding}, for instance {piece}."
        )
        advice = "If letters look wrong, name the encoding or save it as CSV UTF-8."
        rows.findings.insert(0, Finding(WARNING, "encoding", what, 0, advice))
    return rows


def as_text(value: object) -> str | None:
    """Return a cell as text: 1.0 as "1", nothing for a missing value."""
    if hasattr(value, "tolist"):  # of NumPy
        value = value.tolist()
    if value is None or value != value:  # only NaN differs from itself
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, (list, dict)):
        value = json.dumps(value, ensure_ascii=False, default=str)
    # JSON can hold halves of a sign, which no encoding can write.
    return str(value).encode("utf-8", "replace").decode("utf-8")


def _kind(path: Path) -> str:
    with open(path, "rb") as file:
        head = file.read(8)
    if not head:
        raise InputError(
            f"Expected rows in {path.name}; got an empty file. Add a line with the "
            "names of the columns and labelled texts below it."
        )
    suffix = path.suffix.lower()
    if head.startswith(b"PAR1"):
        return "Parquet"
    if head.startswith(b"PK\x03\x04") and suffix not in (".zip", ".docx", ".ods"):
        return "Excel"
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise InputError(
            f"Expected an Excel file in today's form; got an old or locked one in "
            f"{path.name}. Save it as .xlsx without a password, or as CSV UTF-8."
        )
    kind = KINDS.get(suffix)
    if suffix in PACKED:
        raise InputError(
            f"Expected an unpacked file; got {path.name}, a packed one. Unpack it and "
            "give the file that was in it."
        )
    if kind is None:
        names = [name for name in KINDS if name not in (".tab", ".pq", ".xlsm")]
        raise InputError(
            f"Expected a file that ends in {', '.join(names)}; got "
            f"{path.suffix or path.name!r}. Export it as one of these, or rename it if "
            "it is one."
        )
    if kind in ("Parquet", "Excel"):
        raise InputError(
            f"Expected {path.name} to hold {kind}, as its name says; got something "
            "else. Give it the ending of what it is, such as .csv."
        )
    return kind


def _json(path: Path, encoding: str) -> Rows:
    content = path.read_text(encoding=encoding).lstrip("\ufeff")
    bad: list[int] = []
    records: list[tuple[int, dict]] = []
    if content.lstrip().startswith("["):
        try:
            found = enumerate(json.loads(content), 1)
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"Expected a list of records in {path.name}; got broken JSON "
                f"({' '.join(str(error).split())}). Export it again as JSON Lines."
            ) from error
    else:
        found = _json_lines(content)
    for number, record in found:
        (
            records.append((number, record))
            if isinstance(record, dict)
            else bad.append(number)
        )
    if not records or len(bad) > len(records):
        raise InputError(
            f"Expected one JSON object a line in {path.name}; got {len(records)} and "
            f"{counted(len(bad), 'other line')}. Export it again as JSON Lines."
        )
    names = list(dict.fromkeys(name for _, record in records for name in record))
    alone = records[0][1].values() if len(records) == 1 else ()
    if alone and all(isinstance(value, (list, dict)) for value in alone):
        raise InputError(
            f"Expected a record for every text in {path.name}; got a single one with "
            f"{some(map(repr, names))}. Export it as JSON Lines, one record a line."
        )
    cells = [[as_text(record.get(name)) for name in names] for _, record in records]
    rows = Rows("JSON Lines", names, cells, [number for number, _ in records])
    if bad:
        what = (
            f"{counted(len(bad), 'line is', 'lines are')} no JSON object ({some(bad)})."
        )
        finding = Finding(WARNING, "broken lines", what, len(bad), "Left out.")
        rows.findings.append(finding)
    return rows


def _json_lines(content: str):
    for number, line in enumerate(content.split("\n"), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError):
                yield number, None


def _parquet(path: Path) -> Rows:
    import pandas as pd

    try:
        table = pd.read_parquet(path)
    except Exception as error:  # whatever the library says about a broken file
        raise _broken(path, "Parquet", error) from error
    return _from_table(table, "Parquet", first=1)


def _excel(path: Path) -> Rows:
    import pandas as pd

    try:
        with pd.ExcelFile(path, engine="openpyxl") as book:
            sheets = book.sheet_names
            table = pd.read_excel(book, dtype=object, keep_default_na=False)
    except ImportError as error:
        raise InputError(
            f"Expected the package openpyxl for {path.name}; got none. Install it with "
            "pip install openpyxl, or save the file as CSV UTF-8."
        ) from error
    except Exception as error:  # whatever the library says about a broken file
        raise _broken(path, "Excel", error) from error
    rows = _from_table(table, "Excel", first=2)
    rows.how["sheet"] = str(sheets[0])
    if len(sheets) > 1:
        what = f"Of {len(sheets)} sheets the first was read, {sheets[0]!r}."
        advice = "To read another, save it as a file of its own."
        rows.findings.append(Finding(NOTE, "sheets", what, len(sheets) - 1, advice))
    return rows


def _broken(path: Path, kind: str, error: Exception) -> InputError:
    said = " ".join(str(error).split())[:120] or type(error).__name__
    return InputError(
        f"Expected {path.name} to be a whole {kind} file; got one that cannot be read "
        f"({said}). Export it again."
    )


def _from_table(table, kind: str, *, first: int) -> Rows:
    names = [str(name) for name in table.columns]
    columns = []
    for number in range(len(names)):
        column = table.iloc[:, number].astype(object)
        column = column.where(column.notna(), None)
        columns.append([as_text(value) or None for value in column])
    cells = [list(row) for row in zip(*columns, strict=True)]
    return Rows(kind, names, cells, list(range(first, first + len(cells))))
