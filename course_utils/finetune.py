"""Fine-tune a classifier on a file of labelled texts, from the shell.

    python -m course_utils.finetune data.csv
    python -m course_utils.finetune data.csv --label stars --minutes 5 --output stars_model

The file is checked, settings are advised, a model and a baseline are trained, and a folder
with model, report and metrics is written. Lesson 31 walks through the same functions.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from course_utils.own_data import shell


def parser() -> argparse.ArgumentParser:
    """Return the command line's description."""
    p = argparse.ArgumentParser(
        prog="python -m course_utils.finetune",
        description="Fine-tune a text classifier on your own file.",
        epilog=shell.HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("data", help="CSV, TSV, JSON Lines, Parquet or Excel")
    p.add_argument(
        "--output", help="the new folder (default: the file's name + _model)"
    )
    p.add_argument("--overwrite", action="store_true", help="replace an earlier result")
    p.add_argument("--restart", action="store_true", help="drop an interrupted run")
    p.add_argument("--check-only", action="store_true", help="check the file and stop")
    p.add_argument(
        "--no-texts", action="store_true", help="show no texts in the report"
    )
    file = p.add_argument_group("the file (else recognised)")
    file.add_argument("--text", help="name of the column of texts")
    file.add_argument("--label", help="name of the column of labels")
    file.add_argument("--encoding", help="such as utf-8 or cp1252")
    file.add_argument("--delimiter", help="such as ; (for a tab: tab)")
    file.add_argument("--group", help="column whose equal values stay in one part")
    file.add_argument(
        "--keep-spelling",
        action="store_true",
        help="labels exactly as written: Spam is not spam",
    )
    file.add_argument(
        "--no-near-duplicates", action="store_true", help="equal texts only"
    )
    file.add_argument("--smallest-class", type=int, default=8, help="rows (default: 8)")
    file.add_argument(
        "--shares",
        type=float,
        nargs=3,
        default=(0.7, 0.15, 0.15),
        metavar=("TRAINING", "VALIDATION", "TEST"),
    )
    run = p.add_argument_group("the run (else advised)")
    run.add_argument(
        "--minutes", type=float, default=10, help="of training (default: 10)"
    )
    run.add_argument("--strategy", choices=("frozen", "lora", "layers", "full"))
    run.add_argument("--rows", type=int, help="training rows at most")
    run.add_argument("--epochs", type=int)
    run.add_argument("--batch-size", type=int)
    run.add_argument("--learning-rate", type=float)
    run.add_argument("--max-length", type=int, help="tokens of a text")
    run.add_argument("--patience", type=int, help="validations without gain")
    run.add_argument("--rank", type=int, help="of LoRA")
    run.add_argument("--precision", choices=("float32", "bfloat16"))
    run.add_argument("--seed", type=int)
    run.add_argument("--device", help="cpu, cuda or mps")
    run.add_argument(
        "--model", help="folder of another encoder, or with the hub its name"
    )
    run.add_argument(
        "--multilingual",
        action="store_true",
        help="the hub's encoder for many languages",
    )
    return p


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code (see --help)."""
    given = parser().parse_args(arguments)
    typed = list(sys.argv[1:] if arguments is None else arguments)
    output = given.output or f"{Path(given.data).stem}_model"
    interrupted = "Interrupted. The same command goes on from the last checkpoint."
    return shell.run(lambda: _command(given, output, typed), interrupted=interrupted)


def _command(given: argparse.Namespace, output: str, typed: list[str]) -> None:
    delimiter = "\t" if given.delimiter in ("tab", "\\t") else given.delimiter
    read = {"text": given.text, "label": given.label, "encoding": given.encoding}
    read["delimiter"] = delimiter
    check = {"group": given.group, "merge_labels": not given.keep_spelling}
    check |= {
        "smallest_class": given.smallest_class,
        "near": not given.no_near_duplicates,
    }
    if given.check_only:
        _check(given, read, check)
        return
    course = shell.start(seed=given.seed, device=given.device)
    from course_utils.own_data import pipeline, report  # once the switches are set

    names = "strategy rows epochs batch_size learning_rate max_length patience rank "
    names += "precision"
    chosen = {name: getattr(given, name) for name in names.split()}
    with shell.bar() as progress:
        metrics = pipeline.finetune(
            given.data,
            output,
            course,
            read=read,
            check=check,
            chosen={name: value for name, value in chosen.items() if value is not None},
            model=given.model,
            multilingual=given.multilingual,
            minutes=given.minutes,
            shares=given.shares,
            overwrite=given.overwrite,
            restart=given.restart,
            show_texts=not given.no_texts,
            command=f"python -m course_utils.finetune {shlex.join(typed)}",
            say=lambda line: print(line, flush=True),
            progress=progress,
        )
    print("\n".join(report.summary(metrics)))
    print(f"Written: {output} (open {Path(output) / 'report.html'} in a browser).")


def _check(given: argparse.Namespace, read: dict, check: dict) -> None:
    from course_utils.own_data import checks, columns
    from course_utils.own_data.findings import REFUSAL, classes, refuse_if_needed

    source = columns.read(given.data, **read)
    checked = checks.check(source, **check)
    print(columns.describe(source))
    for finding in checked.findings:
        if finding.level != REFUSAL:  # that one ends the command, below
            print(finding)
    refuse_if_needed(checked.findings)
    print(classes(checked.table["label"]))
    print(f"{len(checked.table):,} rows can be used.")


if __name__ == "__main__":
    sys.exit(main())
