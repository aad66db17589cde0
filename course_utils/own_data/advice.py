"""Strategy and settings for a learner's texts, with reasons and a planned cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from course_utils import planner
from course_utils.errors import InputError
from course_utils.own_data.findings import NOTE, WARNING, Finding, counted
from course_utils.own_data.machine import Machine
from course_utils.own_data.models import RATES
from course_utils.own_data.training import Settings

VALIDATION, TEST = (
    2000,
    5000,
)  # rows are enough for an interval of about ±2 and ±1 points
FEWEST = 500  # rows below which time is not saved by leaving rows out
UPDATES = 300  # steps that a small file should give at least
MEMORY_SHARE = 0.6  # of the free memory that a run may plan to take


@dataclass(frozen=True)
class Advice:
    """What a run is going to do, and why.

    Attributes:
        settings: of the run.
        rows: how many rows of each part are used at most.
        plan: planned memory and time of the training; None for an unknown kind of model.
        reasons: a sentence per choice.
        findings: what the lengths gave rise to.
    """

    settings: Settings
    rows: dict[str, int]
    plan: planner.Plan | None
    reasons: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def minutes(self) -> float | None:
        """Planned minutes of training if it does not stop early; None if unknown."""
        return None if self.plan is None else self.plan.minutes


def advise(
    lengths: Sequence[int],
    *,
    config,
    longest: int,
    machine: Machine,
    classes: int = 2,
    minutes: float = 10.0,
    speed: planner.Speed | None = None,
    seed: int = 42,
    **chosen,
) -> Advice:
    """Advise strategy and settings; what is given in `chosen` is kept as it is.

    Args:
        lengths: tokens of each training text, not cut.
        config: of the pretrained model.
        longest: tokens that the model can read.
        machine: what there is.
        classes: number of labels.
        minutes: of training that are aimed at (at least 500 rows and two passes all the same).
        speed: measured; None leaves the minutes open.
        seed: of the run.
        chosen: fields of `Settings` and `rows` (of the training part).

    Raises:
        InputError: for a setting that does not exist or cannot work.

    Taught in: lesson 31 (strategies: lesson 09, settings: 12, planner: 28).
    """
    lengths, rows = np.asarray(lengths), chosen.pop("rows", None)
    chosen = {name: value for name, value in chosen.items() if value is not None}
    _possible(chosen, rows, longest, minutes)
    reasons: list[str] = []
    count = min(rows or len(lengths), len(lengths))
    wide = int(min(longest, max(16, -(-int(np.quantile(lengths, 0.99)) // 8) * 8)))
    epochs = int(np.clip(-(-UPDATES * 16 // count), 3, 20))
    first = {"max_length": wide, "epochs": epochs, "strategy": "layers", "seed": seed}
    first |= {"precision": machine.precision, "threads": machine.threads}
    settings = Settings(**(first | chosen))
    if "learning_rate" not in chosen:
        settings = replace(settings, learning_rate=RATES.get(settings.strategy, 1e-4))

    def plan(settings: Settings, count: int):
        return _plan(settings, lengths, count, config, classes, speed)

    planned = plan(settings, count)
    room = MEMORY_SHARE * machine.memory
    for change in ({"strategy": "lora"}, {"batch_size": 8}, {"batch_size": 4}):
        if planned and planned.peak > room and not change.keys() & chosen.keys():
            settings = replace(settings, **change)
            if "strategy" in change and "learning_rate" not in chosen:
                settings = replace(settings, learning_rate=RATES["lora"])
            planned = plan(settings, count)
            why = " ".join(f"{name} {value}" for name, value in change.items())
            reasons.append(
                f"{why.replace('_', ' ')}: less memory, {room:,.0f} MiB can be used."
            )
    while (
        _too_long(planned, minutes) and settings.epochs > 2 and "epochs" not in chosen
    ):
        settings = replace(settings, epochs=settings.epochs - 1)
        planned = plan(settings, count)
    if _too_long(planned, minutes) and rows is None and count > FEWEST:
        for _ in range(10):  # the validations' part does not shrink with the rows
            count = max(FEWEST, int(count * min(1, 60 * minutes / planned.seconds)))
            planned = plan(settings, count)
        reasons.append(
            f"{counted(count, 'row')} of {len(lengths):,} training rows, drawn so that "
            f"every class keeps its share: more would take over {minutes:g} minutes."
        )
    per_epoch = -(-count // settings.batch_size)
    if "validate_every" not in chosen and per_epoch > 1000:
        validate_every = -(-per_epoch // (per_epoch // 500))
        settings = replace(settings, validate_every=validate_every)
        planned = plan(settings, count)
    reasons = [*_reasons(settings, count), *reasons]
    found = [*_cut(lengths, settings.max_length, longest), *_slow(planned, minutes)]
    used = {"training": count, "validation": VALIDATION, "test": TEST}
    return Advice(settings, used, planned, reasons, found)


def _plan(settings, lengths, count, config, classes, speed):
    """Return the planner's answer for so many of the texts; None if it knows none.

    The seconds of the validations are added: forward passes over the validation texts.
    """
    drawn = np.minimum(
        np.random.default_rng(0).permutation(lengths), settings.max_length
    )
    judged = min(VALIDATION, max(1, round(len(lengths) * 0.15 / 0.7)))
    given = {
        "precision": "mixed" if settings.precision == "bfloat16" else "float32",
        "padding": "grouped",
        "rank": settings.rank,
        "labels": classes,
        "speed": speed,
    }
    try:
        planned = planner.plan(
            config,
            drawn[:count].tolist(),
            strategy=settings.strategy,
            batch_size=settings.batch_size,
            epochs=settings.epochs,
            **given,
        )
        forward = planner.plan(
            config, drawn[:judged].tolist(), strategy="frozen", batch_size=64, **given
        )
    except InputError:
        return None
    if planned.seconds is None:
        return planned
    steps = settings.epochs * -(-count // settings.batch_size)
    each = settings.validate_every or -(-count // settings.batch_size)
    # A frozen model's vectors are not kept here: every pass goes through it again.
    passes = settings.epochs if settings.strategy == "frozen" else 1
    seconds = planned.seconds * passes + forward.seconds * -(-steps // each)
    return replace(planned, seconds=seconds)


def _too_long(planned, minutes: float) -> bool:
    return bool(planned and planned.seconds and planned.seconds > 60 * minutes)


def _possible(chosen: dict, rows: int | None, longest: int, minutes: float) -> None:
    if not minutes > 0:
        raise InputError(
            f"Expected more than 0 minutes; got {minutes:g}. Use for instance 10."
        )
    fields = Settings.__dataclass_fields__
    unknown = chosen.keys() - fields.keys()
    if unknown:
        known = ", ".join(fields)
        raise InputError(
            f"Expected settings among {known}; got {sorted(unknown)[0]!r}. Use one of "
            "these names."
        )
    lowest = {"batch_size": 1, "epochs": 1, "patience": 1, "max_length": 4, "rank": 1}
    for name, least in (lowest | {"rows": 16}).items():
        value = rows if name == "rows" else chosen.get(name)
        if value is not None and value < least:
            raise InputError(
                f"Expected {name.replace('_', ' ')} of at least {least}; got {value}. "
                "Choose a larger number, or leave it out."
            )
    rate = chosen.get("learning_rate", 1e-4)
    if not 0 < rate < 1:
        raise InputError(
            f"Expected a learning rate between 0 and 1; got {rate}. Use for instance "
            "0.0001, or leave it out."
        )
    if chosen.get("max_length", 4) > longest:
        raise InputError(
            f"Expected at most {longest} tokens, the model's limit; got "
            f"{chosen['max_length']}. Choose a smaller number, or leave it out."
        )


def _reasons(settings: Settings, count: int) -> list[str]:
    why = {
        "frozen": "only the head is trained, fast, and little to go wrong",
        "lora": "small updates beside frozen weights, little memory",
        "layers": "all layers but the token table are trained, the course's usual choice",
        "full": "everything is trained, the token table too",
    }
    return [
        f"Strategy {settings.strategy!r}: {why.get(settings.strategy, 'as chosen')} "
        f"(lesson 09); learning rate {settings.learning_rate:g}.",
        f"At most {counted(settings.epochs, 'pass', 'passes')} over "
        f"{counted(count, 'text')} in batches of {settings.batch_size}; it stops after "
        f"{counted(settings.patience, 'validation')} without gain and keeps the best.",
    ]


def _cut(lengths: np.ndarray, max_length: int, longest: int) -> list[Finding]:
    cut = int((lengths > max_length).sum())
    if not cut:
        return []
    share = cut / len(lengths)
    beyond = int((lengths > longest).sum())
    what = f"{counted(cut, 'text')} ({share:.1%}) longer than {max_length} tokens."
    if beyond:
        what = f"{what[:-1]}, {beyond:,} beyond the {longest} that the model can read."
    advice = "Their ends are cut off; if the point comes late, cut the texts yourself."
    return [Finding(WARNING if share > 0.05 else NOTE, "long texts", what, cut, advice)]


def _slow(planned, minutes: float) -> list[Finding]:
    if not _too_long(planned, 1.2 * minutes):
        return []
    what = f"The run is planned to take up to {planned.minutes:.1f} minutes."
    advice = "Fewer passes, shorter texts or fewer rows save time: see --help."
    return [Finding(WARNING, "long run", what, 0, advice)]
