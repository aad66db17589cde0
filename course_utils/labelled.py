"""Read a learner's own CSV file of labelled texts, or say in one sentence what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def read_csv(
    path: str | Path, *, text: str = "text", label: str = "label"
) -> pd.DataFrame:
    """Read a CSV file with a text and a label column, and check that it can be used.

    The file is only read, never changed.

    Args:
        path: the file; UTF-8, columns separated by commas.
        text: name of the column of texts.
        label: name of the column of labels.

    Returns:
        A table with the two columns, in the order of the file.

    Raises:
        InputError: if the file is missing, empty or no CSV, lacks a column, has rows
            without text or label, or knows only one label.
    """
    import pandas as pd

    path = Path(path)
    if not path.is_file():
        raise InputError(
            f"Expected a CSV file at {path.name}; got no such file. Check the name and "
            "the folder you work in."
        )
    try:
        table = pd.read_csv(path, index_col=False)
    except pd.errors.EmptyDataError:
        table = pd.DataFrame()
    except UnicodeDecodeError as error:
        raise InputError(
            f"Expected {path.name} in UTF-8; got bytes that are not (at {error.start}). "
            "Save it again as 'CSV UTF-8'."
        ) from error
    except pd.errors.ParserError as error:
        raise InputError(
            f"Expected {path.name} to have the same number of columns in every line; "
            f"got {' '.join(str(error).split())}. Put texts that hold commas into double quotes."
        ) from error
    missing = [name for name in (text, label) if name not in table.columns]
    if missing:
        raise InputError(
            f"Expected the columns {text!r} and {label!r} in {path.name}; got "
            f"{', '.join(map(repr, table.columns)) or 'an empty file'}. Name the columns "
            "so in the first line of the file."
        )
    if table.empty:
        raise InputError(
            f"Expected rows below the first line of {path.name}; got none. Add labelled "
            "texts, at least a few per class."
        )
    blank = table[text].isna() | (table[text].astype(str).str.strip() == "")
    broken = table.index[blank | table[label].isna()]
    if len(broken):
        raise InputError(
            f"Expected a text and a label in every row of {path.name}; got {len(broken)} "
            f"without, the first is row {broken[0] + 1}. Fill them in or delete the rows."
        )
    if table[label].nunique() < 2:
        raise InputError(
            f"Expected at least two different labels in {path.name}; got only "
            f"{table[label].iloc[0]!r}. Add rows of another class."
        )
    return table[[text, label]]
