"""report.html: what was found, trained and measured, in one page without links out."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any

from course_utils.own_data import figures
from course_utils.own_data.findings import counted

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:.5rem 0}td,th{padding:.2rem .7rem;text-align:left;
border-bottom:1px solid #ccc;vertical-align:top}img{max-width:100%}code,pre{background:#f3f3f3;
padding:.1rem .3rem;white-space:pre-wrap;overflow-wrap:anywhere}.warning{color:#a33b00}
.verdict{border-left:4px solid #0072B2;padding-left:1rem;font-size:1.1rem}
"""


def render(result: dict[str, Any]) -> str:
    """Return the page for what `pipeline.finetune` measured; every text is escaped.

    Args:
        result: the content of metrics.json, with `record` (of run.json) and `mistakes`.
    """
    record, metrics = result["record"], result["metrics"]
    parts = [
        f"<p class='verdict'>{_(metrics['verdict'])}</p>",
        _image(
            figures.comparison(metrics["scores"]),
            "macro F1 of model and baselines with 95 % intervals",
        ),
        _scores(metrics["scores"]),
        f"<p>The model learnt from {counted(metrics['rows']['training'], 'text')}, the "
        f"baseline from {metrics['baseline_rows']:,}. Measured once on "
        f"{counted(metrics['rows']['test'], 'test text')} that took no part in training or "
        "in choosing. New texts from elsewhere will be harder.</p>",
        "<h2>What was found in the file</h2>",
        _findings(result["findings"]),
        _table(["label", "training", "validation", "test"], metrics["classes"]),
        "<h2>Training</h2>",
        _list(result["reasons"]),
        _cost(metrics),
        _image(figures.curves(metrics["run"]), "loss and macro F1 by training step"),
        "<h2>Classes</h2>",
        _table(["label", "rows", "precision", "recall", "f1"], metrics["per_class"]),
        _image(
            figures.confusion(result["matrix"], result["labels"]),
            "confusion matrix, true classes in rows",
        ),
        "<h2>Confidence</h2>",
        f"<p>Mean gap between confidence and accuracy: {metrics['calibration']['error']:.3f} "
        f"(its logits were divided by {metrics['temperature']:.2f}, fitted on the "
        "validation texts; the saved model contains this).</p>",
        _image(
            figures.calibration(metrics["calibration"]["bins"]),
            "share correct against mean confidence",
        ),
        "<p>Hold back answers below a confidence (<code>--abstain-below</code>), and this is "
        "what remains:</p>",
        _table(["at_least", "answered", "accuracy"], metrics["abstention"]),
        "<h2>Where it is wrong</h2>",
        _image(
            figures.slices(metrics["by_length"]), "share correct by length of the text"
        ),
        _mistakes(result["mistakes"]),
        "<h2>The same again</h2>",
        f"<pre>{_(record['command'])}</pre>",
        _table(["", " "], [{"": k, " ": v} for k, v in record["versions"].items()]),
        _table(["", " "], [{"": k, " ": v} for k, v in record["settings"].items()]),
        f"<p>Data: {_(record['data'])}, SHA-256 <code>{_(record['sha256'])}</code>. "
        f"Model: {_(record['model'])} ({_(record['licence'])}).</p>",
    ]
    title = f"Fine-tuned on {_(record['data'])}"
    return (
        "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
        f"<title>{title}</title><style>{STYLE}</style></head>\n"
        f"<body><h1>{title}</h1>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _(value: object) -> str:
    """Return a value as escaped text; shares with three digits."""
    if value is None:
        return "–"
    return html.escape(f"{value:.3f}" if isinstance(value, float) else str(value))


def _table(columns: Sequence[str], rows: Iterable[dict]) -> str:
    head = "".join(f"<th>{_(name.replace('_', ' '))}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{_(row[name])}</td>" for name in columns) + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _list(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{_(line)}</li>" for line in lines) + "</ul>"


def _image(figure, alt: str) -> str:
    return f"<p><img src='{figures.png(figure)}' alt='{_(alt)}'></p>"


def _scores(found: dict[str, dict]) -> str:
    def words(value: dict | None) -> str:
        if value is None:
            return "–"
        return f"{value['value']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"

    rows = [
        {"": name, **{k: words(row.get(k)) for k in ("macro_f1", "accuracy", "lead")}}
        for name, row in found.items()
    ]
    columns = ["", "macro_f1", "accuracy", "lead"]
    return (
        _table(columns, rows)
        + "<p>Lead: of the model, in macro F1, on the same texts.</p>"
    )


def _findings(found: list[dict]) -> str:
    if not found:
        return "<p>Nothing: a clean file.</p>"
    return (
        "<ul>"
        + "".join(
            f"<li class='{_(f['level'])}'><b>{_(f['level'])}:</b> {_(f['what'])} "
            f"{_(f['advice'])}</li>"
            for f in found
        )
        + "</ul>"
    )


def _cost(metrics: dict) -> str:
    cost = metrics["cost"]
    planned = ""
    if cost["planned_seconds"] is not None:
        planned = f", planned at most {cost['planned_seconds'] / 60:.1f}"
    memory = ""
    if cost["planned_mib"] is not None:
        memory = (
            f" Planned memory of the training itself: {cost['planned_mib']:,.0f} MiB;"
        )
    early = " It stopped early." if metrics["stopped_early"] else ""
    return (
        f"<p>{cost['seconds'] / 60:.1f} minutes{planned}.{early}{memory} peak of the whole "
        f"process with its libraries: {cost['peak_mib']:,.0f} MiB. Kept: step "
        f"{metrics['best_step']} of {metrics['steps']}.</p>"
    )


def _mistakes(rows: list[dict]) -> str:
    if not rows:
        return "<p>No mistakes to show (or texts were not to be shown).</p>"
    columns = ["row", "label", "prediction", "confidence", "text"]
    return (
        "<p>The mistakes it was surest of. Some may be wrong labels: look.</p>"
        + _table(columns, rows)
    )


def summary(metrics: dict) -> list[str]:
    """Return a few lines for the shell: scores, verdict, minutes."""
    lines = []
    for name, row in metrics["scores"].items():
        f1, accuracy = row["macro_f1"], row["accuracy"]["value"]
        lines.append(
            f"{name:32} macro F1 {f1['value']:.3f} [{f1['low']:.3f}, {f1['high']:.3f}], "
            f"accuracy {accuracy:.3f}"
        )
    return [*lines, metrics["verdict"]]
