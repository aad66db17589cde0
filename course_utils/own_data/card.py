"""README.md of the saved folder: a model card that says what the model is good for."""

from __future__ import annotations

import json
from typing import Any

from course_utils.own_data.findings import counted


def render(result: dict[str, Any]) -> str:
    """Return the card as Markdown for what `pipeline.finetune` measured."""
    record, metrics = result["record"], result["metrics"]
    ours, *others = metrics["scores"].items()
    rows = metrics["rows"]
    table = [
        f"| {name} | {_interval(row['macro_f1'])} | {_interval(row['accuracy'])} |"
        for name, row in (ours, *others)
    ]
    warned = [f for f in result["findings"] if f["level"] == "warning"]
    found = [f"- {_(f['what'])} {_(f['advice'])}" for f in warned] or ["- none"]
    licence = record["licence"]
    lines = [
        "---",
        "library_name: transformers",
        "pipeline_tag: text-classification",
        f"base_model_name: {json.dumps(record['model'])}",
        "---",
        "",
        f"# A classifier fine-tuned on {_(record['data'])}",
        "",
        f"It gives a text one of {counted(len(result['labels']), 'label')}: "
        + ", ".join(f"`{_(label)}`" for label in result["labels"][:50])
        + (" …" if len(result["labels"]) > 50 else "")
        + ".",
        "",
        "```python",
        "from transformers import pipeline",
        'classify = pipeline("text-classification", model="this folder")',
        "```",
        "",
        "## What it was made from",
        "",
        f"- Pretrained model: {_(record['model'])}; licence: {_(licence)}.",
        f"- Data: {_(record['data'])}, SHA-256 {record['sha256']}; the file's licence and "
        "where its labels come from are known to its owner only: write them here.",
        f"- {rows['training']:,} texts to learn from, {rows['validation']:,} to choose the "
        f"best step, {rows['test']:,} to test, no copies or near-copies in two of them.",
        *(f"- {_(reason)}" for reason in result["reasons"]),
        "",
        "## How good it is",
        "",
        "| | macro F1 | accuracy |",
        "|---|---|---|",
        *table,
        "",
        f"With 95 % intervals, on the test texts. {metrics['verdict']}",
        f"Its confidence is off by {metrics['calibration']['error']:.3f} on average "
        f"(logits divided by {metrics['temperature']:.2f}; the weights contain this).",
        "",
        "## What was odd in the data",
        "",
        *found,
        "",
        "## Limits",
        "",
        "- Measured on texts of the same file; texts of another time, place or kind are "
        "harder. Test again before relying on it.",
        "- It answers with one of its labels even to a text that has nothing to do with "
        "them; hold back unsure answers with `--abstain-below`.",
        f"- It reads the first {record['settings']['max_length']} tokens of a text."
        + (" It was pretrained on English only." if record["english"] else ""),
        "- It may have learnt the prejudices of those who labelled, and may give away "
        "pieces of its texts: do not pass it on if they are private.",
        "",
        "## The same again",
        "",
        "```",
        record["command"],
        "```",
        "",
        "Versions: "
        + ", ".join(f"{k} {v}" for k, v in record["versions"].items())
        + ".",
        "",
    ]
    return "\n".join(lines)


def _interval(value: dict) -> str:
    return f"{value['value']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"


def _(text: object) -> str:
    """Return text that is one line of Markdown, without tags, tables or code of its own."""
    line = " ".join(str(text).split())
    for sign, safe in (("<", "&lt;"), ("|", "\\|"), ("`", "'")):
        line = line.replace(sign, safe)
    return line
