"""Blocks laid out as slides: sections side by side, their slides below one another."""

from __future__ import annotations

from dataclasses import dataclass, field

from course_utils.classroom.content import ROOM, Block


@dataclass
class Slide:
    """What is on the screen at once.

    Attributes:
        section: name of the section it belongs to; empty before the first.
        blocks: what it shows, each with whether it waits for the next key.
    """

    section: str
    blocks: list[tuple[Block, bool]] = field(default_factory=list)

    @property
    def height(self) -> int:
        """Height of its blocks in px, estimated."""
        return sum(block.height for block, _ in self.blocks)

    @property
    def zoom(self) -> float:
        """How much smaller its blocks are shown, for one alone that would not fit."""
        return max(0.6, min(1.0, round(ROOM / max(self.height, 1), 2)))

    def shows(self, kind: str) -> bool:
        """Say whether a block of this kind is on the slide."""
        return any(block.kind == kind for block, _ in self.blocks)

    def add(self, block: Block) -> None:
        """Put a block below the others.

        An output below its code waits for a key, and so does all below it: the class
        can say first what it expects.
        """
        waits = bool(self.blocks) and (
            block.kind in ("output", "answer") or self.blocks[-1][1]
        )
        self.blocks.append((block, waits))


def lay_out(blocks: list[Block]) -> list[list[Slide]]:
    """Return the deck: a list of sections, each a list of slides.

    A title or a heading of the second level begins a section, a lower heading a slide.
    Code shares a slide with its output if both fit on one; else the output has its own.
    """
    deck: list[list[Slide]] = []
    for place, block in enumerate(blocks):
        following = blocks[place + 1] if place + 1 < len(blocks) else None
        if not deck or block.heading in (1, 2):
            deck.append([Slide("" if block.heading == 1 else block.name)])
        elif _begins_a_slide(block, deck[-1][-1], following):
            deck[-1].append(Slide(deck[-1][-1].section))
        deck[-1][-1].add(block)
    return deck


def _begins_a_slide(block: Block, slide: Slide, following: Block | None) -> bool:
    if not slide.blocks:
        return False
    if block.heading or slide.height + block.height > ROOM:
        return True
    shown = slide.shows("output") or slide.shows("answer")
    if block.kind == "code":
        # With its output on the same slide if a fresh one can hold both.
        pair = block.height
        if following and following.cell == block.cell:
            pair += following.height
        return shown or (slide.height + pair > ROOM >= pair)
    return block.kind == "prose" and shown and block.leads_on
