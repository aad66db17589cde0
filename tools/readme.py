"""Write the tables of README.md that are measured, between their markers."""

from __future__ import annotations

import json
import re
import statistics

from course_utils import lessons
from tools import notebooks, stamp

NOT_RUN = {"seconds": 0.0, "peak_memory_mib": 0.0}
README = notebooks.ROOT / "README.md"
BENCHMARK = notebooks.ROOT / "benchmarks" / "results" / "document_example.json"


def render(text: str) -> str:
    """Return the README's text with its measured tables filled in."""
    for name, table in (("lessons", lesson_table()), ("benchmark", benchmark_table())):
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        if begin not in text or end not in text:
            raise SystemExit(f"Expected the markers {begin} and {end} in README.md.")
        pattern = re.compile(f"{begin}.*?{end}", re.S)
        text = pattern.sub(lambda _, b=begin, t=table, e=end: f"{b}\n{t}\n{e}", text)
    return text


def lesson_table() -> str:
    """Return the table of lessons: those that exist with what was measured."""
    rows = [
        "| | Lesson | The question it answers | Minutes | Memory | |",
        "|---|---|---|---|---|---|",
    ]
    for lesson in lessons.LESSONS.values():
        path = notebooks.FOLDER / lesson.file
        if path.exists():
            course = notebooks.read(path).metadata.get("course", NOT_RUN)
            rows.append(
                f"| {lesson.number} | [{lesson.title}](notebooks/{lesson.file}) | "
                f"{lesson.question} | {course['seconds'] / 60:.1f} | "
                f"{course['peak_memory_mib'] / 1024:.1f} GB | "
                f"{stamp.badge(lesson.file, stamp.address())} |"
            )
        else:
            rows.append(
                f"| {lesson.number} | {lesson.title} | {lesson.question} | planned | | |"
            )
    return "\n".join(rows)


def benchmark_table() -> str:
    """Return the benchmark's table: means over the seeds, smallest to largest."""
    if not BENCHMARK.exists():
        return "Not measured yet: `python -m benchmarks.document_example`."
    result = json.loads(BENCHMARK.read_text(encoding="utf-8"))
    lines = [
        "| Data | Listing | Improved | Faster | Weighted F1, listing | Weighted F1, improved | Peak memory |",
        "|---|---|---|---|---|---|---|",
    ]
    for dataset in dict.fromkeys(row["dataset"] for row in result["rows"]):
        rows = {
            variant: [
                row
                for row in result["rows"]
                if row["dataset"] == dataset and row["variant"] == variant
            ]
            for variant in ("listing", "improved")
        }

        def mean(variant: str, key: str, rows=rows) -> float:
            return statistics.mean(row[key] for row in rows[variant])

        def spread(variant: str, rows=rows) -> str:
            scores = [row["weighted_f1"] for row in rows[variant]]
            return (
                f"{statistics.mean(scores):.3f} ({min(scores):.3f}–{max(scores):.3f})"
            )

        lines.append(
            f"| {dataset} | {mean('listing', 'seconds'):.0f} s | "
            f"{mean('improved', 'seconds'):.1f} s | "
            f"{mean('listing', 'seconds') / mean('improved', 'seconds'):.1f}× | "
            f"{spread('listing')} | {spread('improved')} | "
            f"{mean('listing', 'peak_memory_mib') / 1024:.1f} → "
            f"{mean('improved', 'peak_memory_mib') / 1024:.1f} GB |"
        )
    seeds = sorted({row["seed"] for row in result["rows"]})
    lines.append("")
    lines.append(
        f"Means over the seeds {', '.join(map(str, seeds))} with smallest and largest; "
        f"{result['machine']['cores']} cores of {result['machine']['processor']}, "
        f"torch {result['versions']['torch']}, transformers "
        f"{result['versions']['transformers']}."
    )
    return "\n".join(lines)
