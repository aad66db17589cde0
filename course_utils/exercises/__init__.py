"""Exercises that check themselves, offline, with a hint for each common wrong answer.

Each lesson has a module `lesson_NN` with a list EXERCISES. A check runs the learner's
answer on a few cases. If it is wrong in the way of a listed mistake, the learner gets
that mistake's hint; otherwise the first case that differs.
"""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from course_utils import lessons
from course_utils.errors import InputError, choose_from


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that learners give, and the hint that leads on from it."""

    answer: Any  # a function like the learner's, or a value
    hint: str


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes:
        reference: a correct answer: a function, or a value.
        cases: arguments for a function answer, one tuple per case; empty for a value.
        mistakes: common wrong answers with their hints.
        hint: what to say when the answer is wrong in no listed way.
        same: compares an answer's result with the reference's.
    """

    reference: Any
    cases: Sequence[tuple] = ()
    mistakes: Sequence[Mistake] = field(default_factory=tuple)
    hint: str = ""
    same: Callable[[Any, Any], bool] | None = None


@dataclass(frozen=True)
class Result:
    """The outcome of a check: `state` is "passed", "wrong" or "not attempted".

    It is true in an `if` or `assert` only when the check passed.
    """

    state: str
    message: str

    def __bool__(self) -> bool:
        return self.state == "passed"


def load(lesson: str | int) -> list[Exercise]:
    """Return a lesson's exercises, in order.

    Raises:
        InputError: if the lesson is unknown or has no exercises.
    """
    number = lessons.get(lesson).number
    try:
        module = importlib.import_module(f"course_utils.exercises.lesson_{number}")
    except ModuleNotFoundError as error:
        raise InputError(
            f"Expected a lesson with exercises; got {number}. Write "
            f"course_utils/exercises/lesson_{number}.py."
        ) from error
    return module.EXERCISES


def check(lesson: str | int, number: int, answer: Any) -> Result:
    """Check an answer, print what was found and return it.

    Args:
        lesson: its number.
        number: of the exercise, counted from 1.
        answer: the learner's function or value; None or ... means not attempted.
    """
    known = load(lesson)
    if number not in range(1, len(known) + 1):
        raise InputError(choose_from("an exercise", number, range(1, len(known) + 1)))
    result = _examine(known[number - 1], answer)
    sign = {"passed": "✔", "wrong": "✘", "not attempted": "○"}[result.state]
    print(f"{sign} Exercise {number}: {result.state}. {result.message}".rstrip())
    return result


def _examine(exercise: Exercise, answer: Any) -> Result:
    if exercise.cases and not callable(answer):
        if _blank(answer):
            return Result("not attempted", "Fill in this cell and run it again.")
        return Result("wrong", f"Expected a function; got {type(answer).__name__}.")
    try:
        got = _outcomes(exercise, answer)
    except Exception as error:  # whatever the learner's code raises is an answer
        said = " ".join(f"{type(error).__name__}: {error}".split())
        return Result("wrong", f"Your code raised {said}")
    if all(_blank(value) for value in got):
        return Result("not attempted", "Fill in this cell and run it again.")
    expected = _outcomes(exercise, exercise.reference)
    differs = [not _same(exercise, g, e) for g, e in zip(got, expected, strict=True)]
    if not any(differs):
        return Result("passed", "")
    for mistake in exercise.mistakes:
        wrong = _outcomes(exercise, mistake.answer)
        if all(_same(exercise, g, w) for g, w in zip(got, wrong, strict=True)):
            return Result("wrong", mistake.hint)
    first = differs.index(True)
    if not exercise.cases:
        return Result("wrong", exercise.hint or f"{got[0]!r} is not it.")
    given = ", ".join(_short(argument) for argument in exercise.cases[first])
    return Result(
        "wrong",
        f"For ({given}) expected {_short(expected[first])}, got {_short(got[first])}. "
        + exercise.hint,
    )


def _outcomes(exercise: Exercise, answer: Any) -> list:
    if not exercise.cases:
        return [answer]
    # Copies: an answer that changes a list must not change the case for the next one.
    return [answer(*copy.deepcopy(arguments)) for arguments in exercise.cases]


def _same(exercise: Exercise, got: Any, expected: Any) -> bool:
    if _blank(got) or _blank(expected):
        return _blank(got) and _blank(expected)
    try:
        return bool((exercise.same or _equal)(got, expected))
    except Exception:  # what cannot be compared is not the same
        return False


def _equal(got: Any, expected: Any) -> bool:
    import numpy as np

    try:
        arrays = _array(got), _array(expected)
    except (TypeError, ValueError):
        return bool(got == expected)
    # The shapes, too: else [] or a list of equal numbers would pass for one number.
    return arrays[0].shape == arrays[1].shape and np.allclose(*arrays, atol=1e-6)


def _array(value: Any):
    import numpy as np

    if hasattr(value, "detach"):  # a torch tensor
        value = value.detach().cpu()
    array = np.asarray(value)
    if array.dtype.kind not in "biufc":
        raise TypeError("not numbers")
    return array


def _blank(value: Any) -> bool:
    return value is None or value is ...


def _short(value: Any, limit: int = 70) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
