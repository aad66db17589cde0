"""`python -m course_utils.classroom students | slides | pack …`: `--help` tells more."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from course_utils.errors import CourseError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.classroom",
        description="What a teacher hands out and shows. Nothing that exists is replaced.",
    )
    commands = parser.add_subparsers(dest="command", required=True)

    one = commands.add_parser("students", help="notebooks without solutions")
    one.add_argument("--keep-outputs", action="store_true", help="else all are cleared")
    two = commands.add_parser("slides", help="one page of slides per lesson")
    two.add_argument(
        "--hour", action="store_true", help="what fits into a class hour of 45 minutes"
    )
    for command in (one, two):
        command.add_argument("output", type=Path, help="a new or empty folder")
        command.add_argument("lessons", nargs="*", help="numbers, e.g. 01 13; else all")

    three = commands.add_parser("pack", help="one .zip that needs no network")
    three.add_argument("output", type=Path, help="a .zip that does not exist yet")
    three.add_argument(
        "--requirements",
        type=Path,
        metavar="FILE",
        help="packages, e.g. requirements-tensorflow.txt for lesson 15",
    )

    for command in (one, two, three):
        command.add_argument(
            "--notebooks",
            type=Path,
            metavar="FOLDER",
            help="take the lessons from here, e.g. a students' edition",
        )
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Do what the command says; return 0, or 1 after saying why it cannot be done."""
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace) -> None:
    if options.command == "pack":
        from course_utils.classroom import pack

        path = pack.write(
            options.output,
            notebooks=options.notebooks,
            requirements=options.requirements,
        )
        print(f"{path}: {path.stat().st_size / 2**20:,.0f} MiB")
        return
    if options.command == "students":
        from course_utils.classroom import students

        written = students.write(
            options.lessons,
            options.output,
            notebooks=options.notebooks,
            keep_outputs=options.keep_outputs,
        )
    else:
        from course_utils.classroom import slides

        written = slides.write(
            options.lessons,
            options.output,
            notebooks=options.notebooks,
            hour=options.hour,
        )
    print(f"{options.output}: {len(written)} files, {written[0].name} the first")


if __name__ == "__main__":
    sys.exit(main())
