"""Writing that leaves a whole file or none, and says in one sentence why it could not."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from course_utils.errors import CourseError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class MachineError(CourseError, RuntimeError):
    """The machine could not do it: a full disk, a folder without rights."""


@contextlib.contextmanager
def whole_file(path: Path, *, advice: str = "") -> Iterator[Path]:
    """Give a place to write to; it becomes `path` only if all went well.

    Raises:
        MachineError: if it could not be written; an older file at `path` is still there.
    """
    draft = path.with_name(f"{path.name}.draft")
    try:
        with machine_errors(path, advice=advice):
            yield draft
            os.replace(draft, path)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


@contextlib.contextmanager
def machine_errors(path: Path, *, advice: str = "") -> Iterator[None]:
    """Turn a failure to write into one sentence."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        number = error.errno if isinstance(error, OSError) else None
        said = " ".join(str(error).split())
        full = ("os error 28)", "os error 122)", "os error 27)", "No space left")
        if number in FULL or any(part in said for part in full):
            reason, remedy = "no room left on the disk", "Make room"
        elif number in (errno.EACCES, errno.EPERM, errno.EROFS):
            reason, remedy = "a refusal of the system", "Choose a folder of your own"
        else:
            reason = getattr(error, "strerror", None) or said[:120] or "an error"
            remedy = "Look at the disk"
        raise MachineError(
            f"Expected to write {path.name} in {path.parent}; got {reason}. "
            f"{remedy}{f' and {advice}' if advice else ''}."
        ) from error
