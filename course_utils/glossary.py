"""The terms of the course: what each means in plain words, and where it is taught.

The entries live in `course_utils/glossary.toml`, sorted by name; a test finds words that
a lesson marks as new and that are missing there:

    [[term]]
    name = "attention mask"
    also = ["attention masks"]   # other spellings; optional
    lesson = "04"                # where it is explained first
    also_in = ["06"]             # lessons that go deeper; optional
    words = "…"
"""

from __future__ import annotations

import difflib
import html
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from course_utils import lessons
from course_utils.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Term:
    """One entry: a name, its other spellings, what it means, and its lessons."""

    name: str
    lesson: str
    words: str
    also: tuple[str, ...] = ()
    also_in: tuple[str, ...] = ()

    @property
    def spellings(self) -> tuple[str, ...]:
        """The name and its other spellings, folded for comparison."""
        return tuple(fold(spelling) for spelling in (self.name, *self.also))

    def __str__(self) -> str:
        return f"{self.name} (lesson {self.lesson}): {self.words}"


def fold(text: str) -> str:
    """Drop what makes no other word: case, hyphens, quotes, blanks in a row."""
    text = text.casefold().replace("’", "'").replace("`", "")
    return " ".join(re.sub(r"[-‐‑–/]", " ", text).strip(" .,:;").split())


@cache
def load() -> tuple[Term, ...]:
    """Read all terms, in the order of their names.

    Raises:
        InputError: if an entry is malformed or names a lesson that does not exist.
    """
    source = resources.files("course_utils") / "glossary.toml"
    try:
        entries = tomllib.loads(source.read_text(encoding="utf-8"))["term"]
        terms = [
            Term(
                name=entry["name"],
                lesson=lessons.get(entry["lesson"]).number,
                words=entry["words"],
                also=tuple(entry.get("also", ())),
                also_in=tuple(lessons.get(n).number for n in entry.get("also_in", ())),
            )
            for entry in entries
        ]
    except (KeyError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"Expected terms with name, lesson and words; got {error!r}. "
            f"Mend {source.name}."
        ) from error
    return tuple(sorted(terms, key=lambda term: (fold(term.name), term.name)))


def find(word: str) -> list[Term]:
    """Return the terms that a word stands for, the closest kind of match only.

    An exact name or spelling comes first; then names that contain the word, at the
    beginning of one of their words; then explanations that do.

    Raises:
        InputError: if nothing matches; the sentence names terms that look alike.
    """
    wanted, terms = fold(word), load()
    if not wanted:
        raise InputError("Expected a word; got none. Type for instance 'padding'.")
    forms = {wanted, wanted.removesuffix("s"), wanted + "s"}
    if exact := [term for term in terms if forms & set(term.spellings)]:
        return exact
    begins = re.compile(rf"\b{re.escape(wanted)}")
    if named := [t for t in terms if any(begins.search(s) for s in t.spellings)]:
        return named
    if told := [term for term in terms if begins.search(fold(term.words))]:
        return told
    names = {spelling: t.name for t in terms for spelling in t.spellings}
    close = [names[s] for s in difflib.get_close_matches(wanted, names, n=4)]
    hint = f"Is it one of: {', '.join(dict.fromkeys(close))}?" if close else ""
    raise InputError(
        f"Expected a term of the course; got {word.strip()!r}. "
        + (hint or "Try a shorter piece of the word.")
    )


def table(terms: Sequence[Term] | None = None, *, letters: bool = False) -> str:
    """Return terms as an HTML table; each lesson's number is a link to its file.

    Args:
        terms: those to show; else all.
        letters: put a heading row before each first letter.
    """
    rows, last = [], None
    for term in load() if terms is None else terms:
        letter = fold(term.name)[:1].upper()
        letter = letter if letter.isalpha() else "0–9 and signs"
        if letters and letter != last:
            rows.append(f'<tr><th colspan="3" {_LEFT}>{letter}</th></tr>')
            last = letter
        links = ", ".join(_link(number) for number in (term.lesson, *term.also_in))
        rows.append(
            f"<tr><td {_LEFT}><b>{html.escape(term.name)}</b></td>"
            f"<td {_LEFT}>{html.escape(term.words)}</td><td {_LEFT}>{links}</td></tr>"
        )
    head = (
        f"<tr><th {_LEFT}>term</th><th {_LEFT}>in plain words</th><th>lesson</th></tr>"
    )
    return f"<table>{head}{''.join(rows)}</table>"


_LEFT = 'style="text-align:left"'


def _link(number: str) -> str:
    return f'<a href="{lessons.get(number).file}">{number}</a>'
