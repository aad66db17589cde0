"""Lessons as slides: one page each that opens in a browser, without any network.

reveal.js shows them (arrow keys; S for the speaker's window, F for the whole screen, O for
an overview; `?print-pdf` at the end of the address prints them). It comes out of a pinned
package, as models and data do, and is written into each page.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from course_utils import assets, lessons
from course_utils.classroom import content, deck, hours, sources


def write(
    numbers, output: Path, *, notebooks: Path | None = None, hour: bool = False
) -> list[Path]:
    """Write one page of slides per lesson and return their paths.

    Args:
        numbers: the lessons, e.g. ["1", "13"]; all if empty (that have an hour).
        output: a new or empty folder.
        notebooks: folder of the executed lessons; the repository's if None.
        hour: show what fits into 45 minutes, not the whole lesson.

    Raises:
        InputError: for an unknown lesson, a missing notebook, or a folder in use.
        AssetError: if reveal.js is not in the cache and cannot be fetched.
    """
    paths = sources.find(numbers or (hours.laid_out() if hour else ()), notebooks)
    player = assets.fetch("reveal")
    folder = sources.new_folder(output)
    written = []
    for path in paths:
        page = folder / f"{path.stem}.html"
        shown = blocks(sources.read(path), path.name[:2], hour=hour)
        page.write_text(render(shown, path.name[:2], player), "utf-8")
        written.append(page)
    return written


def blocks(notebook, number: str, *, hour: bool = False) -> list[content.Block]:
    """Return what the slides of an executed lesson show, in order.

    Raises:
        InputError: if an hour is wanted of a lesson that lacks one of its cells.
    """
    whole = content.blocks(notebook, number)
    return hours.select(whole, hours.cells(number)) if hour else whole


def render(shown: list[content.Block], number: str, player: Path) -> str:
    """Return a lesson's slides as one HTML page.

    Args:
        shown: the lesson's blocks.
        number: the lesson's, e.g. "13".
        player: folder with reveal.js's files.
    """
    from jinja2 import Environment
    from pygments.formatters import HtmlFormatter

    template = resources.files("course_utils.classroom") / "slides.html.j2"
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["cells"] = _cells
    return environment.from_string(template.read_text("utf-8")).render(
        lesson=lessons.get(number),
        sections=deck.lay_out(shown),
        width=content.WIDTH,
        height=content.HEIGHT,
        colours=HtmlFormatter(style="xcode").get_style_defs(".code"),
        styles=[_read(player, f"dist/{name}.css") for name in ("reset", "reveal")],
        scripts=[
            _read(player, f"{name}.js")
            for name in ("dist/reveal", "plugin/notes/notes")
        ],
    )


def _cells(slide: deck.Slide) -> str:
    """Name a slide's cells, for the speaker who wants to run them."""
    return ", ".join(dict.fromkeys(block.cell for block, _ in slide.blocks))


def _read(folder: Path, file: str) -> str:
    # A script's end within a script would end the page's script.
    return (folder / file).read_text("utf-8").replace("</script", r"<\/script")
