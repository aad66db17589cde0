"""Lesson 11: the first step of each rule, a broken AdamW, a schedule with a plateau."""

import math

from course_utils.exercises import Exercise, Mistake

_FIRST_MOVES = {
    "sgd": 4e-6,
    "momentum": 4e-6,
    "adam": 1e-3,
    "uncorrected": 0.1 / math.sqrt(0.001) * 1e-3,
}


def _same_moves(got, expected):
    """Compare sizes of moves to 2 %: 3.16e-3 may be written with three digits."""
    return got.keys() == expected.keys() and all(
        math.isclose(abs(got[name]), expected[name], rel_tol=0.02) for name in expected
    )


def _adamw(weight, gradient, average, square, step, rate, decay, **change):
    """One step of AdamW on a single number; `change` puts a mistake in."""
    if change.get("penalty"):
        gradient = gradient + decay * weight
    average = 0.9 * average + 0.1 * gradient
    square = 0.999 * square + 0.001 * gradient**2
    count = step + change.get("late", 0)
    top = average / (1 - 0.9**count) if not change.get("bare") else average
    share = 1 - change.get("second", 0.999) ** count
    below = square / share if not change.get("bare") else square
    move = rate * top / (math.sqrt(below) + 1e-8)
    if change.get("penalty") or change.get("no_decay"):
        return weight - move, average, square
    if change.get("without_rate"):
        return weight * (1 - decay) - move, average, square
    if change.get("afterwards"):
        return (weight - move) * (1 - rate * decay), average, square
    return weight * (1 - rate * decay) - move, average, square


def _with(**change):
    return lambda *arguments: _adamw(*arguments, **change)


def _close(got, expected):
    return len(got) == 3 and all(
        math.isclose(g, e, rel_tol=1e-7, abs_tol=1e-12)
        for g, e in zip(got, expected, strict=True)
    )


def _plateau(step, total, warmup, cooldown):
    if step < warmup:
        return (step + 1) / warmup
    return min(1.0, (total - step) / cooldown)


def _from_zero(step, total, warmup, cooldown):
    if step < warmup:
        return step / warmup
    return min(1.0, (total - step) / cooldown)


def _no_plateau(step, total, warmup, cooldown):
    if step < warmup:
        return (step + 1) / warmup
    return (total - step) / (total - warmup)


def _ends_early(step, total, warmup, cooldown):
    if step < warmup:
        return (step + 1) / warmup
    return min(1.0, (total - 1 - step) / cooldown)


def _never_falls(step, total, warmup, cooldown):
    return min(1.0, (step + 1) / warmup) if warmup else 1.0


EXERCISES = [
    Exercise(
        reference=_FIRST_MOVES,
        mistakes=[
            Mistake(
                _FIRST_MOVES | {"adam": 4e-6},
                "Adam divides by the gradient's usual size, which after one step is "
                "the gradient itself. What is left of it?",
            ),
            Mistake(
                _FIRST_MOVES | {"momentum": 4e-5},
                "The velocity begins at 0, so nothing has added up yet: tenfold is "
                "what many equal gradients lead to.",
            ),
            Mistake(
                _FIRST_MOVES | {"momentum": 4e-7},
                "A tenth of the gradient goes into Adam's average. The velocity of "
                "`momentum` takes the whole gradient: look at its line again.",
            ),
            Mistake(
                _FIRST_MOVES | {"uncorrected": 1e-3},
                "Without the correction, average and square hold different shares "
                "of what they should: a tenth, and a thousandth under a root.",
            ),
            Mistake(
                _FIRST_MOVES | {"uncorrected": 1e-4},
                "You took a tenth of the gradient above the fraction line. Below it "
                "stands the square, which is too small as well.",
            ),
            Mistake(
                _FIRST_MOVES | {"uncorrected": 0.1},
                "A tenth over a thousandth; but the square stands under a root.",
            ),
        ],
        same=_same_moves,
        hint="Go through each rule's lines with 0.004 as the only gradient so far. For "
        "the last: what share of the gradient is in `average`, of its square in `square`?",
    ),
    Exercise(
        reference=_adamw,
        cases=[
            (2.0, 0.5, 0.0, 0.0, 1, 0.1, 0.2),
            (2.0, 0.3, 0.05, 0.00025, 2, 0.1, 0.2),
            (-1.0, 0.01, 0.2, 0.09, 50, 0.01, 0.5),
        ],
        mistakes=[
            Mistake(
                _with(penalty=True, second=0.9),
                "Nothing has changed yet. Look at where `decay` goes in, and at each "
                "number in the two corrections.",
            ),
            Mistake(
                _with(penalty=True),
                "The corrections are right now. The decay still joins the gradient "
                "and is divided by its size: that is Adam with L2.",
            ),
            Mistake(
                _with(second=0.9),
                "The decay is right now. Which share does each of the two averages "
                "keep, and which one belongs in its correction?",
            ),
            Mistake(
                _with(without_rate=True),
                "The weight shrinks far too fast: the shrinking goes with the rate.",
            ),
            Mistake(
                _with(no_decay=True),
                "Now there is no decay at all. Shrink the weight itself.",
            ),
            Mistake(
                _with(afterwards=True),
                "Very near. Shrink the old weight, and take Adam's step from there: "
                "the step itself must not be shrunk.",
            ),
            Mistake(
                _with(late=1),
                "`step` counts from 1 already: the first call has step 1.",
            ),
            Mistake(
                _with(bare=True),
                "The corrections are gone: the first steps are several times too "
                "far. Mend them instead.",
            ),
        ],
        same=_close,
        hint="Compare with `adamw` and `adam` of this lesson: which gradient enters the "
        "two averages, and by what is each of them corrected?",
    ),
    Exercise(
        reference=_plateau,
        cases=[(step, 20, 4, 6) for step in (0, 1, 3, 4, 10, 14, 15, 17, 19)]
        + [(0, 10, 0, 5), (4, 10, 0, 5), (9, 10, 0, 5)],
        mistakes=[
            Mistake(
                lambda step, total, warmup, cooldown: _from_zero(
                    step, total, warmup, cooldown
                ),
                "Step 0 has rate 0: its batch moves no weight. The first of "
                "`warmup` steps should have the share 1 / warmup.",
            ),
            Mistake(
                _no_plateau,
                "That falls from the end of the warm-up on. Stay at 1 until only "
                "`cooldown` steps are left.",
            ),
            Mistake(
                _ends_early,
                "The last step has rate 0 and does nothing: at step total − 1 one "
                "step is left, so the share is 1 / cooldown.",
            ),
            Mistake(
                _never_falls,
                "The rise is right. What happens in the last `cooldown` steps?",
            ),
        ],
        hint="Three parts: a rise, a plateau, a fall. Steps count from 0, so at `step` "
        "there are total − step steps left, this one included.",
    ),
]
