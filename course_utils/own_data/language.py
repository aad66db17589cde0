"""Whether texts look like a language that the small encoder reads."""

from __future__ import annotations

from collections.abc import Sequence

from course_utils.own_data.findings import WARNING, Finding

PIECES = 2.0  # tokens per word; English texts have about 1.3


def language(texts: Sequence[str], lengths: Sequence[int]) -> list[Finding]:
    """Warn if texts do not look English, for an encoder that reads nothing else.

    Args:
        texts: some of them.
        lengths: their tokens: words that are unknown fall into many pieces.
    """
    letters = [sign for text in texts for sign in text if sign.isalpha()]
    beyond = sum(not sign.isascii() for sign in letters) / max(1, len(letters))
    words = sum(len(text.split()) for text in texts)
    pieces = (sum(lengths) - 2 * len(texts)) / max(1, words)
    if beyond < 0.15 and pieces < PIECES:
        return []
    what = (
        f"The texts do not look English: {beyond:.0%} of the letters are beyond ASCII and "
        f"a word falls into {pieces:.1f} pieces."
    )
    advice = (
        "The small encoder reads English only, so expect little; with SFT_COURSE_HUB=1, "
        "--multilingual takes a model for about a hundred languages. The baseline works "
        "for any language."
    )
    return [Finding(WARNING, "language", what, 0, advice)]
