"""Markdown as HTML that needs neither scripts nor neighbouring files."""

from __future__ import annotations

import re

from latex2mathml.converter import convert
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath


class SlideRenderer(IPythonRenderer):
    """nbconvert's renderer with formulas as MathML and without links to other files."""

    def inline_math(self, body: str) -> str:
        """Return a formula within a line as MathML."""
        return convert(body)

    def block_math(self, body: str) -> str:
        """Return a formula on lines of its own as MathML."""
        return convert(body, display="block")

    def heading(self, text: str, level: int, **attrs) -> str:
        """Return a heading without the mark that links to it."""
        return f"<h{level}>{text}</h{level}>\n"

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Return a link to the web, or the bare words: slides lie somewhere else."""
        if re.match(r"https?://", url):
            return super().link(text, url, title)
        return text


def to_html(text: str) -> str:
    """Return Markdown, with LaTeX between dollar signs, as HTML."""
    return MarkdownWithMath(renderer=SlideRenderer(escape=False)).render(text)
