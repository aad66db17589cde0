"""The output folder: whole at the end or not there; what a run needs to go on beside it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from course_utils.errors import InputError
from course_utils.own_data.writing import machine_errors, whole_file

RECORD = "run.json"
MARKS = ("metrics.json", RECORD)  # a folder with these was written by us


@dataclass
class Work:
    """A run's place while it works.

    Attributes:
        output: the folder that will be there at the end.
        partial: beside it; holds the checkpoint, and the result until it is whole.
        started: what an interrupted run of the same file and options had decided; empty
            at a first start.
    """

    output: Path
    partial: Path
    wanted: dict[str, Any]
    lock: FileLock
    started: dict[str, Any] = field(default_factory=dict)

    @property
    def checkpoint(self) -> Path:
        """The file that a run goes on from."""
        return self.partial / "checkpoint.safetensors"

    @property
    def result(self) -> Path:
        """The folder that becomes the output."""
        return self.partial / "result"


def claim(
    output: str | Path,
    wanted: dict[str, Any],
    *,
    overwrite: bool = False,
    restart: bool = False,
) -> Work:
    """Make sure that the output can be written, and take its place.

    Args:
        output: a folder that is not there yet.
        wanted: what decides the result; an interrupted run goes on only if it is equal.
        overwrite: whether a folder of an earlier run may be replaced, at the end.
        restart: whether an interrupted run is dropped.

    Raises:
        InputError: if the folder exists, another run works on it, or an interrupted run
            had other options.
        MachineError: if nothing can be written there.
    """
    output = Path(output)
    if output.name in ("", ".."):
        raise InputError(
            f"Expected the name of a new folder; got {str(output)!r}. Use for instance "
            "my_model."
        )
    _may_replace(output, overwrite)
    partial = output.with_name(f"{output.name}.partial")
    with machine_errors(partial):
        partial.mkdir(parents=True, exist_ok=True)
        lock = FileLock(partial / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise InputError(
                f"Expected no other run that writes {output.name}; got one at work. Wait "
                "for it, or choose another folder."
            ) from error
        record = partial / "started.json"
        wanted = json.loads(json.dumps(wanted))
        work = Work(output, partial, wanted, lock)
        if restart:
            empty(work)
        if work.checkpoint.exists() and record.exists():
            started = json.loads(record.read_text("utf-8"))
            changed = _changed(started.pop("wanted"), wanted)
            if changed:
                lock.release()
                raise InputError(
                    f"Expected the options of the interrupted run in {partial.name}; got "
                    f"another {changed}. Use the same, or start anew with --restart."
                )
            work.started = started
    return work


def remember(work: Work, decided: dict[str, Any]) -> None:
    """Write down what a run decided, so that it can go on after an interruption."""
    with whole_file(work.partial / "started.json") as draft:
        content = {"wanted": work.wanted, **decided}
        draft.write_text(json.dumps(content, indent=1), "utf-8")


def finish(
    work: Work, write: Callable[[Path], None], *, overwrite: bool = False
) -> Path:
    """Write the result beside the output, then put it there in one step.

    Raises:
        MachineError: if it cannot be written; then the run can still go on.
    """
    advice = "give the same command again, it goes on from its last checkpoint"
    _may_replace(work.output, overwrite)
    shutil.rmtree(work.result, ignore_errors=True)
    try:
        with machine_errors(work.output, advice=advice):
            work.result.mkdir()
            write(work.result)
            old = work.partial / "old"
            if work.output.exists():
                work.output.rename(old)
            work.result.rename(work.output)
    except BaseException:
        shutil.rmtree(work.result, ignore_errors=True)
        raise
    work.lock.release()
    shutil.rmtree(work.partial, ignore_errors=True)
    return work.output


def leave(work: Work) -> None:
    """Release the place; delete it unless there is a checkpoint to go on from."""
    work.lock.release()
    if not work.checkpoint.exists():
        shutil.rmtree(work.partial, ignore_errors=True)


def empty(work: Work) -> None:
    """Drop what an interrupted run left."""
    for path in work.partial.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "lock":
            path.unlink()


def _may_replace(output: Path, overwrite: bool) -> None:
    if not output.exists() and not output.is_symlink():
        return
    ours = output.is_dir() and all((output / mark).is_file() for mark in MARKS)
    if overwrite and not ours:
        raise InputError(
            f"Expected {output.name} to be a folder of an earlier run; got something else "
            "that --overwrite will not delete. Choose another name with --output."
        )
    if not overwrite:
        raise InputError(
            f"Expected a new folder; got {output.name}, which exists. Choose another name "
            "with --output, or replace it with --overwrite."
        )


def _changed(before: dict, now: dict) -> str:
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return ", ".join(sorted(names)).replace("_", " ")
