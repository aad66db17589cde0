"""Bytes to text to cells: which encoding, which delimiter, what the quotes mean."""

from __future__ import annotations

import codecs
import contextlib
import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from course_utils.errors import InputError
from course_utils.own_data.findings import counted, short

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
MARKS = {  # byte order marks; the longer ones first
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
CHUNK = 2**20


def detect(path: Path) -> tuple[str, str]:
    """Return the encoding of a text file, and a piece of it that proves or shows it.

    A byte order mark decides; else UTF-8 if every byte of the file fits it. Only then is
    it guessed, from the lines that are not ASCII; Windows-1252 wins if it is possible.
    The piece is empty unless it was guessed.

    Raises:
        InputError: if the file is no text.
    """
    with open(path, "rb") as file:
        head = file.read(4)
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            _decodes(path, encoding, insist=True)
            return encoding, ""
    if _has_zero(path):
        raise InputError(
            f"Expected {path.name} to be a text file or one of the known formats; got "
            "bytes that no text has. Export it as CSV UTF-8."
        )
    if _decodes(path, "utf-8"):
        return "utf-8", ""
    lines = _not_ascii(path)
    _one_encoding(path, lines)
    encoding = _guess(b"\n".join(lines))
    if not _decodes(path, encoding):
        encoding = "latin-1"  # takes every byte
    return encoding, short(lines[0].decode(encoding, "replace"), 60)


def checked(path: Path, encoding: str) -> str:
    """Return an encoding that the user named, or refuse it.

    Raises:
        InputError: if Python does not know it or the file does not fit it.
    """
    try:
        codecs.lookup(encoding)
        if not codecs.lookup(encoding)._is_text_encoding:
            raise LookupError
    except (LookupError, ValueError) as error:
        raise InputError(
            f"Expected the name of a text encoding such as utf-8 or cp1252; got "
            f"{encoding!r}. Leave it out to have it recognised."
        ) from error
    advice = "Leave the encoding out to have it recognised."
    _decodes(path, encoding, insist=True, advice=advice)
    return encoding


def _has_zero(path: Path) -> bool:
    with open(path, "rb") as file:
        return any(b"\0" in chunk for chunk in iter(lambda: file.read(CHUNK), b""))


def _one_encoding(path: Path, lines: list[bytes]) -> None:
    """Refuse a file in which most lines beyond ASCII are UTF-8 and some are not."""
    others = []
    for line in lines:
        try:  # a line that was cut within a letter is no mistake
            codecs.getincrementaldecoder("utf-8")().decode(line)
        except UnicodeDecodeError:
            others.append(line)
    if 2 * len(others) < len(lines):
        rest = "something else further down"
        if others:
            seen = short(others[0].decode("cp1252", "replace"), 40)
            rest = f"{counted(len(others), 'other line')} (the first: {seen})"
        raise InputError(
            f"Expected {path.name} to be in one encoding; got UTF-8 and {rest}. Save the "
            "parts as CSV UTF-8 before you join them, or name an encoding."
        )


def _decodes(
    path: Path,
    encoding: str,
    *,
    insist: bool = False,
    advice: str = "Save it again as CSV UTF-8, or name its encoding.",
) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with open(path, "rb") as file:
            while chunk := file.read(CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeError as error:
        if insist:
            raise InputError(
                f"Expected {path.name} to be text in {encoding}; got bytes that are not. "
                f"{advice}"
            ) from error
        return False
    return True


def _not_ascii(path: Path, *, enough: int = 2**16) -> list[bytes]:
    lines, size = [], 0
    with open(path, "rb") as file:
        for line in file:
            if not line.isascii():
                lines.append(line[:2000].strip())
                size += len(lines[-1])
            if size > enough:
                break
    return lines


def _guess(sample: bytes) -> str:
    """Name the likeliest encoding of bytes that are not UTF-8.

    Most such files come from Windows in the West; there, letters beyond ASCII stand
    alone between plain ones. Anything else is left to charset-normalizer.
    """
    with contextlib.suppress(UnicodeDecodeError):
        letters = sample.decode("cp1252")
        odd = re.findall(r"[^\x00-\x7f]", letters)
        usual = [sign for sign in odd if sign.isalpha() or sign in "€£§°«»“”‘’…–—¿¡"]
        alone = re.findall(r"(?<![^\x00-\x7f])[^\x00-\x7f](?![^\x00-\x7f])", letters)
        if min(len(usual), len(alone)) > 0.8 * len(odd):
            return "cp1252"
    try:
        from charset_normalizer import from_bytes
    except ImportError:
        return "cp1252"
    best = from_bytes(sample).best()
    return best.encoding if best else "cp1252"


def delimiter(lines: list[str]) -> str | None:
    """Return the delimiter that cuts the most lines into as many cells as the first.

    `csv.Sniffer` is not used: it takes a frequent letter or blank of the texts for one.
    Returns None if every line is a single cell.
    """
    best, best_score = None, 0.0
    for candidate in DELIMITERS:
        rows = [row for row in _loosely(lines, candidate) if row]
        if not rows or len(rows[0]) < 2:
            continue
        widths = Counter(len(row) for row in rows)
        score = widths[len(rows[0])] / len(rows) + 0.001 * min(len(rows[0]), 50)
        if score > best_score:
            best, best_score = candidate, score
    return best


def _loosely(lines: list[str], delimiter: str) -> list[list[str]]:
    with wide_cells():
        try:
            return list(csv.reader(lines, delimiter=delimiter))
        except csv.Error:
            return list(csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE))


@contextlib.contextmanager
def wide_cells() -> Iterator[None]:
    """Let the csv module take cells of any length while the context lasts."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)
