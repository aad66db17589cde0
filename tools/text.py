"""Write a notebook as a text file and back: for reviews, and for writing lessons.

    # %% [markdown] id=title
    # %% id=setup tags=setup
    # %% id=ex-1-solution tags=solution hidden
    # %% id=s02-curve alt="What the figure shows"

Outputs are not kept: `execute` makes them anew.
"""

from __future__ import annotations

import json
import re

import nbformat

from tools.notebooks import tags

_HEAD = re.compile(r"^# %%(?P<markdown> \[markdown\])? id=(?P<id>\S+)(?P<rest>.*)$")


def to_text(notebook: nbformat.NotebookNode) -> str:
    """Return the cells as text, without outputs."""
    parts = []
    for cell in notebook.cells:
        head = "# %%" + (" [markdown]" if cell.cell_type == "markdown" else "")
        head += f" id={cell.id}"
        if names := tags(cell):
            head += f" tags={','.join(names)}"
        if cell.metadata.get("jupyter", {}).get("source_hidden"):
            head += " hidden"
        if alt := cell.metadata.get("alt"):
            head += f" alt={json.dumps(alt, ensure_ascii=False)}"
        parts.append(f"{head}\n{cell.source}\n")
    return "\n".join(parts)


def from_text(text: str) -> nbformat.NotebookNode:
    """Build a notebook, without outputs, from what `to_text` returns."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {
                "display_name": "Python 3 (ipykernel)",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
        }
    )
    head, lines = None, []

    def finish() -> None:
        if head is None:
            return
        source = "\n".join(lines).strip("\n")
        if head["markdown"]:
            cell = nbformat.v4.new_markdown_cell(source, id=head["id"])
        else:
            cell = nbformat.v4.new_code_cell(source, id=head["id"])
        flags, _, alt = head["rest"].partition(" alt=")  # alt, a free text, comes last
        if match := re.search(r" tags=(\S+)", flags):
            cell.metadata["tags"] = match[1].split(",")
        if alt:
            cell.metadata["alt"] = json.loads(alt)
        if re.search(r" hidden\b", flags):
            # JupyterLab folds the source; Colab does so for a cell with @title.
            cell.metadata["jupyter"] = {"source_hidden": True}
            cell.metadata["cellView"] = "form"
        notebook.cells.append(cell)

    for line in text.splitlines():
        if match := _HEAD.match(line):
            finish()
            head, lines = match.groupdict(), []
        else:
            lines.append(line)
    finish()
    return notebook
