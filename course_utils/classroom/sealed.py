"""Solutions that later cells need, packed so that they are not read by accident.

This hides nothing from a learner who wants to look, and is not meant to.
"""

from __future__ import annotations

import base64
import textwrap
import zlib

from course_utils.errors import InputError


def seal(source: str) -> str:
    """Return source as lines of 76 letters and digits that `opened` turns back."""
    packed = base64.b64encode(zlib.compress(source.encode("utf-8"), level=9))
    return "\n".join(textwrap.wrap(packed.decode("ascii"), 76))


def opened(text: str) -> str:
    """Return the source that was sealed.

    Raises:
        InputError: if the text was changed.
    """
    try:
        return zlib.decompress(base64.b64decode(text, validate=False)).decode("utf-8")
    except (ValueError, zlib.error) as error:
        raise InputError(
            "Expected a sealed solution as the teacher handed it out; got one that was "
            "changed. Take the notebook again."
        ) from error
