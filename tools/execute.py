"""Execute lessons from a fresh kernel and keep outputs, time and memory."""

from __future__ import annotations

import datetime
import re
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tools import notebooks

MEASURED = re.compile(r"^\*\*Measured:\*\*.*$", re.M)


def execute(path: Path, attempt: Path | None = None) -> dict[str, float]:
    """Run one lesson and write it back with its outputs and what was measured.

    The file is changed only when every cell ran. If one raises, what the cells before it
    printed and drew, and its error, are written to `attempt`, where one is named.

    Returns:
        seconds (from the kernel's start to its last cell) and peak_memory_mib.
    """
    notebook = notebooks.read(path)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata.pop("widgets", None)
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
    )
    began = time.perf_counter()
    with client.setup_kernel():
        try:
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
        except CellExecutionError:
            if attempt:
                attempt.parent.mkdir(parents=True, exist_ok=True)
                notebooks.write(notebook, attempt)
            raise
        seconds = time.perf_counter() - began
        memory = _peak_memory_mib(client)
        client.set_widgets_metadata()
    _tidy(notebook)
    measured = {"seconds": round(seconds, 1), "peak_memory_mib": round(memory)}
    _say_what_was_measured(notebook, measured)
    notebook.metadata["course"] = {
        "source_hash": notebooks.source_hash(notebook),
        **measured,
        "executed": datetime.date.today().isoformat(),
    }
    notebooks.write(notebook, path)
    return measured


def _peak_memory_mib(client: NotebookClient) -> float:
    code = (
        "from course_utils.training import peak_memory_mib as _peak; "
        "print('PEAK', _peak())"
    )
    cell = nbformat.v4.new_code_cell(code)
    client.nb.cells.append(cell)  # nbclient writes to the cell at the index it is given
    client.execute_cell(cell, len(client.nb.cells) - 1, store_history=False)
    return float(client.nb.cells.pop().outputs[0].text.split()[1])


def _tidy(notebook: nbformat.NotebookNode) -> None:
    """Join neighbouring pieces of printed text; drop what differs from run to run."""
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.metadata.pop("execution", None)
        outputs: list = []
        for output in cell.outputs:
            last = outputs[-1] if outputs else None
            if (
                output.output_type == "stream"
                and last is not None
                and last.output_type == "stream"
                and last.name == output.name
            ):
                last.text += output.text
            else:
                outputs.append(output)
        cell.outputs = outputs


def _say_what_was_measured(notebook, measured: dict[str, float]) -> None:
    text = (
        f"**Measured:** {measured['seconds'] / 60:.1f} minutes and "
        f"{measured['peak_memory_mib'] / 1024:.1f} GB of memory on two CPU cores "
        f"({datetime.date.today().isoformat()}; written by `make course`)."
    )
    for cell in notebook.cells:
        if cell.id == "contract":
            cell.source, found = MEASURED.subn(text, cell.source)
            if not found:
                raise SystemExit(
                    "Expected a line '**Measured:**' in the contract cell."
                )
