"""Answer the texts of a file with a folder that course_utils.finetune wrote.

    python -m course_utils.predict data_model texts.csv --output answers.csv
    python -m course_utils.predict data_model texts.csv --abstain-below 0.9

The answers come as CSV, one row per row of the file, on standard output or in a new file.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from course_utils.own_data import shell


def parser() -> argparse.ArgumentParser:
    """Return the command line's description."""
    p = argparse.ArgumentParser(
        prog="python -m course_utils.predict",
        description="Answer the texts of a file with your fine-tuned model.",
        epilog=shell.HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("folder", help="written by python -m course_utils.finetune")
    p.add_argument("texts", help="CSV, TSV, JSON Lines, Parquet or Excel")
    p.add_argument("--output", help="a new CSV file (default: standard output)")
    p.add_argument("--overwrite", action="store_true", help="replace that file")
    p.add_argument(
        "--abstain-below",
        type=float,
        default=0.0,
        metavar="CONFIDENCE",
        help="hold back answers below it, from 0 to 1",
    )
    p.add_argument("--text", help="name of the column of texts (else recognised)")
    p.add_argument("--encoding", help="of the file (else recognised)")
    p.add_argument("--delimiter", help="of the file (else recognised)")
    p.add_argument("--device", help="cpu, cuda or mps")
    return p


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code (see --help)."""
    given = parser().parse_args(arguments)
    return shell.run(lambda: _command(given))


def _command(given: argparse.Namespace) -> None:
    from course_utils.errors import InputError
    from course_utils.own_data import columns, predicting
    from course_utils.own_data.writing import whole_file

    output = Path(given.output) if given.output else None
    if output and output.exists() and not given.overwrite:
        raise InputError(
            f"Expected a new file; got {output.name}, which exists. Choose another name "
            "with --output, or replace it with --overwrite."
        )
    if output and output.exists() and output.samefile(given.texts):
        raise InputError(
            f"Expected another file for the answers; got {output.name}, the texts "
            "themselves. Choose another name with --output."
        )
    source = columns.read(
        given.texts,
        text=given.text,
        labelled=False,
        encoding=given.encoding,
        delimiter="\t" if given.delimiter == "tab" else given.delimiter,
    )
    for finding in source.findings:
        if finding.level == "warning":
            print(finding, file=sys.stderr)
    course = shell.start(device=given.device)
    predictor = predicting.load(given.folder, device=course.device)
    texts = source.table["text"].tolist()
    answers = predicting.predict(predictor, texts, abstain_below=given.abstain_below)
    answers.insert(0, "row", source.table["row"])
    answers.insert(1, "text", source.table["text"])
    if output is None:
        answers.to_csv(sys.stdout, index=False, float_format="%.4f")
    else:
        with whole_file(output) as draft:
            answers.to_csv(draft, index=False, float_format="%.4f")
    blank = int(answers["confidence"].isna().sum())
    held = int(answers["held_back"].sum()) - blank
    print(
        f"{len(answers):,} rows: {len(answers) - held - blank:,} answered, {held:,} held "
        f"back, {blank:,} without text.",
        file=sys.stderr,
    )


if __name__ == "__main__":
    sys.exit(main())
