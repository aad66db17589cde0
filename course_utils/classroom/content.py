"""A lesson's cells as blocks of HTML for slides, each with an estimated height.

Markdown and code are rendered by nbconvert's filters and Pygments, formulas by
latex2mathml: the page needs no script and no network to show them.
"""

from __future__ import annotations

import html
import math
import re
import struct
from base64 import b64decode
from dataclasses import dataclass, replace

from course_utils import quiz
from course_utils.classroom.sources import tags

WIDTH, HEIGHT = 1280, 720  # of a slide, in its own pixels
ROOM = 630  # px left for blocks below the line with the section's name
ZOOM = 1.25  # figures are drawn for a page; a slide is seen from afar
_BADGE = re.compile(r"\[!\[[^\]]*\]\([^)]*\)\]\([^)]*\)")
_SENTENCE_LEADS_ON = re.compile(r"[:?]\**\s*$")


@dataclass(frozen=True)
class Block:
    """One piece of a slide.

    Attributes:
        kind: "prose", "code", "output" or "answer".
        html: what is shown.
        height: px it takes on the slide, estimated.
        cell: id of the notebook's cell it comes from.
        heading: level of the heading it begins with, 0 for none.
        name: that heading's text.
        leads_on: whether it announces what follows it.
    """

    kind: str
    html: str
    height: int
    cell: str
    heading: int = 0
    name: str = ""
    leads_on: bool = False


def blocks(notebook, number: str) -> list[Block]:
    """Return the blocks of a lesson in order.

    Left out: the set-up, solutions, and the code of the map and of the claims, whose
    outputs stay. The quiz becomes questions with their answers.
    """
    found: list[Block] = []
    for cell in notebook.cells:
        if cell.id == "setup" or "solution" in tags(cell):
            continue
        if cell.id == "quiz":
            found += questions(number)
        elif cell.cell_type == "markdown":
            found += prose(cell.source, cell.id)
        elif cell.cell_type == "code":
            hidden = cell.metadata.get("jupyter", {}).get("source_hidden", False)
            if not (hidden or cell.id == "map" or cell.id.startswith("claims")):
                found.append(code(cell.source, cell.id))
            if "exercise" not in tags(cell):
                found += outputs(cell)
    return found


def without_badges(source: str) -> str:
    """Return Markdown without its badges: pictures that are links."""
    return _BADGE.sub("", source).strip()


def prose(source: str, cell: str) -> list[Block]:
    """Return Markdown as blocks, cut before headings and where it is too long."""
    text = without_badges(source)
    parts, part = [], ""
    for paragraph in _paragraphs(text):
        longer = f"{part}\n\n{paragraph}".strip()
        if part and (paragraph.startswith("#") or _prose_height(longer) > ROOM):
            parts.append(part)
            part = paragraph
        else:
            part = longer
    parts += [part] if part else []
    made = []
    for part in parts:
        first = re.match(r"(#+)\s+(.*)", part)
        made.append(
            Block(
                kind="prose",
                html=_markdown(part),
                height=_prose_height(part),
                cell=cell,
                heading=len(first[1]) if first else 0,
                name=_plain(first[2]) if first else "",
                leads_on=bool(_SENTENCE_LEADS_ON.search(part)),
            )
        )
    return made


def _paragraphs(text: str) -> list[str]:
    """Cut at blank lines, but not within fenced code or what unfolds."""
    found, fenced, folded = [[]], False, 0
    for line in text.splitlines():
        fenced ^= line.startswith(("```", "~~~"))
        if not (line.strip() or fenced or folded):
            found.append([])
        else:
            found[-1].append(line)
        folded += line.count("<details") - line.count("</details>")
    return ["\n".join(lines) for lines in found if lines]


def _prose_height(text: str) -> int:
    height = 0
    for paragraph in _paragraphs(text):
        lines = paragraph.splitlines()
        if lines[0].startswith("#"):
            height += 70
            lines = lines[1:]
        if lines and lines[0].startswith(("|", "```", "$$")):
            height += sum(36 * math.ceil(len(line) / 105) for line in lines) + 20
            continue
        # A list's item begins a new line; the other lines are filled.
        items = "\n".join(lines)
        items = re.split(r"\n(?=\s*(?:[-*]|\d+\.)\s|\|)", items) if items else []
        height += sum(36 * math.ceil(len(_plain(item)) / 94) for item in items) + 16
    return height


def _plain(text: str) -> str:
    return re.sub(r"\]\([^)]*\)|[*`\[\]]", "", text)


def code(source: str, cell: str) -> Block:
    """Return code, coloured."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers.python import Python3Lexer

    source = re.sub(r"\n{3,}", "\n\n", source)  # a slide has no room to waste
    shown = highlight(source, Python3Lexer(), HtmlFormatter(cssclass="code"))
    return Block("code", shown, 26 * len(source.splitlines()) + 26, cell)


def outputs(cell) -> list[Block]:
    """Return what a cell printed and showed as one block; nothing if it was silent."""
    shown, height = [], 0
    for output in cell.get("outputs", []):
        if piece := _output(output, cell.metadata.get("alt", "")):
            shown.append(piece[0])
            height += piece[1]
    if not shown:
        return []
    return [Block("output", "\n".join(shown), height, cell.id)]


def _output(output, alt: str) -> tuple[str, int] | None:
    """Return the HTML of one output and its height in px."""
    if output.output_type == "stream":
        return _text(output.text)
    data = output.get("data", {})
    if "application/vnd.jupyter.widget-view+json" in data:
        # Its scripts come from the network, and without a kernel nothing would move.
        return '<p class="live">▶ Interactive: open this cell in the notebook.</p>', 60
    if "image/png" in data:
        return _image(data["image/png"], alt)
    if "text/html" in data:
        rich = data["text/html"]
        return f'<div class="rich">{rich}</div>', _rich_height(rich)
    if "text/markdown" in data:
        text = data["text/markdown"]
        return f'<div class="rich">{_markdown(text)}</div>', _prose_height(text)
    return _text(data["text/plain"]) if "text/plain" in data else None


def _rich_height(rich: str) -> int:
    rows = re.findall(r"<tr.*?</tr>", rich, re.S) or re.split(r"<br|</p>|</li>", rich)
    texts = [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in rows]
    return sum(32 * max(1, math.ceil(len(text) / 105)) for text in texts) + 30


def _text(text: str) -> tuple[str, int]:
    from nbconvert.filters.ansi import ansi2html

    text = text.rstrip("\n")
    return f"<pre>{ansi2html(text)}</pre>", 25 * len(text.splitlines()) + 10


def _image(data: str, alt: str) -> tuple[str, int]:
    # Width and height stand in the first bytes of every PNG.
    width, height = struct.unpack(">II", b64decode(data[:44])[16:24])
    scale = min(ZOOM, (WIDTH - 60) / width, ROOM / height)
    width, height = round(width * scale), round(height * scale)
    source = "".join(data.split())
    return (
        f'<img src="data:image/png;base64,{source}" alt="{html.escape(alt)}" '
        f'width="{width}" height="{height}">'
    ), height + 12


def questions(number: str) -> list[Block]:
    """Return the quiz: each question with its options, then why each is right or not."""
    found = []
    for n, question in enumerate(quiz.load(number), start=1):
        asked = f"### Quiz {n}\n\n{html.escape(question.text)}\n\n" + "\n".join(
            f"- **{letter}** {html.escape(option.text)}"
            for letter, option in zip("ABCDEFGH", question.options, strict=False)
        )
        told = "\n\n".join(
            f"**{letter} {'✔' if option.correct else '✘'}** {html.escape(option.why)}"
            for letter, option in zip("ABCDEFGH", question.options, strict=False)
        )
        (block,) = prose(asked, "quiz")
        found.append(replace(block, heading=2, name="Quiz") if n == 1 else block)
        found.append(
            Block(
                "answer",
                f'<div class="answer">{_markdown(told)}</div>',
                _prose_height(told),
                "quiz",
            )
        )
    return found


def _markdown(text: str) -> str:
    from course_utils.classroom.markdown import to_html

    return to_html(text)
