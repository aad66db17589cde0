"""Exit codes, and errors as one sentence on stderr instead of a stack trace."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterator

from course_utils.errors import AssetError, InputError
from course_utils.own_data.writing import MachineError

DONE, BUG, USAGE, MACHINE, INTERRUPTED = 0, 1, 2, 3, 130
HELP = """exit codes:
  0    done
  2    the command or the file cannot work; one sentence says why and what to do
  3    the machine could not do it: disk full, no rights, no memory, model not fetched
  130  interrupted; finetune goes on with the same command
  1    anything else: a bug of this program, with its stack trace"""

MEMORY = (
    "Expected enough memory; got none left. Use a smaller batch (--batch-size), shorter "
    "texts (--max-length) or fewer rows (--rows)."
)


def run(command: Callable[[], None], *, interrupted: str = "Interrupted.") -> int:
    """Run a command; return its exit code and print one sentence if it failed."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(
            stream, "reconfigure"
        ):  # a shell that knows fewer letters than the file
            stream.reconfigure(errors="backslashreplace")
    try:
        command()
        sys.stdout.flush()
    except InputError as error:
        return _say(error, USAGE)
    except (MachineError, AssetError) as error:
        return _say(error, MACHINE)
    except (MemoryError, RuntimeError) as error:
        if not _is_memory(error):
            raise
        return _say(MEMORY, MACHINE)
    except KeyboardInterrupt:
        return _say(interrupted, INTERRUPTED)
    except BrokenPipeError:  # the reader of our output has gone, e.g. `| head`
        sys.stderr.close()
        return DONE
    return DONE


def _is_memory(error: Exception) -> bool:
    """Say whether memory ran out; torch reports that as a RuntimeError."""
    words = ("allocate memory", "out of memory")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)


def _say(sentence: object, code: int) -> int:
    print(f"{sentence}", file=sys.stderr)
    return code


def start(*, seed: int | None = None, device: str | None = None):
    """Return `session.start`'s session, without its line for a lesson."""
    from course_utils import session

    with contextlib.redirect_stdout(io.StringIO()):
        return session.start("31", seed=seed, device=device)


@contextlib.contextmanager
def bar() -> Iterator[Callable[[int, int, dict], None]]:
    """Give a function that draws a progress bar on stderr, for `training.train`."""
    from tqdm import tqdm

    line = tqdm(unit="step", dynamic_ncols=True, leave=False, delay=1)

    def show(step: int, total: int, row: dict) -> None:
        line.total = total
        if row:
            line.set_postfix_str(
                f"validation F1 {row['validation_f1']:.3f}", refresh=False
            )
        line.update(step - line.n)

    try:
        yield show
    finally:
        line.close()
