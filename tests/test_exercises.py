"""Exercises: blanks are not attempts, answers pass, every mistake gets its own hint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conftest import cell_of, lesson, one_sentence, run
from course_utils import exercises
from course_utils.errors import InputError
from course_utils.exercises import Exercise, Mistake, Result
from tools import notebooks

LESSONS = sorted(
    path.stem.removeprefix("lesson_")
    for path in Path(exercises.__file__).parent.glob("lesson_*.py")
)
EACH = [(n, i) for n in LESSONS for i in range(1, len(exercises.load(n)) + 1)]
MISTAKES = [
    (number, index, at)
    for number, index in EACH
    for at in range(len(exercises.load(number)[index - 1].mistakes))
]
each = pytest.mark.parametrize(("number", "index"), EACH)


def of(number, index):
    return exercises.load(number)[index - 1]


@pytest.fixture
def checks(monkeypatch):
    """The (lesson, exercise) pairs that a cell checks, in order."""
    asked, check = [], exercises.check

    def note(number, index, answer):
        asked.append((number, index))
        return check(number, index, answer)

    monkeypatch.setattr(exercises, "check", note)
    return asked


# Each exercise of each lesson


@pytest.mark.parametrize("number", [p.name[:2] for p in notebooks.paths()])
def test_a_lesson_has_a_cell_for_each_of_its_exercises(number):
    given = [c for c in lesson(number).cells if "exercise" in notebooks.tags(c)]
    expected = [f"ex-{n}" for n in range(1, len(exercises.load(number)) + 1)]
    assert [cell.id for cell in given] == expected


@each
def test_a_blank_is_not_attempted(number, index):
    blanks = [None, ...]
    if of(number, index).cases:
        blanks += [lambda *_: None, lambda *_: ...]
    states = [exercises.check(number, index, blank).state for blank in blanks]
    assert set(states) == {"not attempted"}


@each
def test_the_cell_as_given_runs_and_is_not_attempted(number, index, checks, capsys):
    notebook = lesson(number)
    run(notebook, cell_of(notebook, f"ex-{index}").source)
    assert checks == [(number, index)]
    said = capsys.readouterr().out
    assert said.startswith(f"○ Exercise {index}: not attempted.")


@each
def test_the_solution_in_the_lesson_passes(number, index, checks, capsys):
    notebook = lesson(number)
    run(notebook, cell_of(notebook, f"ex-{index}-solution").source)
    assert checks == [(number, index)]
    assert capsys.readouterr().out == f"✔ Exercise {index}: passed.\n"


@each
def test_the_reference_passes(number, index):
    result = exercises.check(number, index, of(number, index).reference)
    assert result.state == "passed"


@pytest.mark.parametrize(("number", "index", "at"), MISTAKES)
def test_a_listed_mistake_gets_its_own_hint(number, index, at):
    mistake = of(number, index).mistakes[at]
    result = exercises.check(number, index, mistake.answer)
    assert (result.state, result.message) == ("wrong", mistake.hint)


@each
def test_no_two_mistakes_share_a_hint_and_a_hint_is_one_line(number, index):
    hints = [mistake.hint for mistake in of(number, index).mistakes]
    assert len(hints) >= 2 and len(set(hints)) == len(hints)
    assert all(hint.endswith((".", "?")) and "\n" not in hint for hint in hints)


@each
def test_an_unlisted_wrong_answer_is_told_where_to_look(number, index):
    exercise = of(number, index)
    for odd in (7.25, [], "what", {"a": 1}, np.zeros((2, 2)), object()):
        answer = (lambda *_, value=odd: value) if exercise.cases else odd
        result = exercises.check(number, index, answer)
        assert result.state == "wrong"
        if exercise.cases:
            assert result.message.startswith("For (") and "expected" in result.message
        assert result.message.strip().endswith(exercise.hint)


@each
def test_an_answer_that_raises_is_reported(number, index):
    def answer(*_):
        raise KeyError("oh")

    result = exercises.check(number, index, answer)
    assert result.state == "wrong"
    if of(number, index).cases:
        assert result.message == "Your code raised KeyError: 'oh'"


@each
def test_an_answer_that_takes_other_arguments_is_reported(number, index):
    if of(number, index).cases:
        result = exercises.check(number, index, lambda: 1)
        assert result.message.startswith("Your code raised TypeError: ")


# The machinery


@pytest.fixture
def toy(monkeypatch):
    """Put one exercise in the place of lesson 02's; return a function that checks it."""

    def put(**options):
        exercise = Exercise(**options)
        monkeypatch.setattr(exercises, "load", lambda _lesson: [exercise])
        return lambda answer: exercises.check("02", 1, answer)

    return put


def double(numbers):
    return [2 * n for n in numbers]


CASES = [([1, 2],), ([0],), ([5, 5, 5],)]


def test_the_first_case_that_differs_is_named(toy):
    check = toy(reference=double, cases=CASES, hint="Twice!")
    result = check(lambda n: double(n) if len(n) == 2 else [9])
    assert result.message == "For ([0]) expected [0], got [9]. Twice!"


def test_one_blank_case_of_several_is_wrong_and_not_unattempted(toy):
    check = toy(reference=double, cases=CASES)
    result = check(lambda n: None if n == [0] else double(n))
    assert result.message.startswith("For ([0]) expected [0], got None")


def test_a_wrong_answer_is_not_a_listed_mistake_when_one_case_differs(toy):
    mistake = Mistake(lambda n: n, "Not doubled.")
    check = toy(reference=double, cases=CASES, mistakes=[mistake], hint="Twice!")
    assert check(lambda n: n).message == "Not doubled."
    assert check(lambda n: n if len(n) < 3 else []).message.endswith("Twice!")


@pytest.mark.parametrize("got", [[], [10], [10, 10], [[10, 10, 10]], 10, "10"])
def test_a_result_of_another_shape_is_wrong(toy, got):
    check = toy(reference=double, cases=[([5, 5, 5],)])
    assert check(lambda _: got).state == "wrong"


def test_one_number_is_not_an_empty_or_a_longer_list(toy):
    check = toy(reference=sum, cases=[([1, 2],), ([3],)])
    assert check(sum)
    assert not check(lambda _: [])
    assert not check(lambda _: [3])


def test_arrays_tensors_and_lists_of_the_same_numbers_are_the_same(toy):
    import torch

    check = toy(reference=double, cases=CASES)
    assert check(lambda n: 2 * np.array(n))
    assert check(lambda n: tuple(2.0 * x + 1e-9 for x in n))
    assert check(lambda n: 2 * torch.tensor(n, dtype=torch.float, requires_grad=True))


def test_words_are_compared_too(toy):
    check = toy(reference=str.split, cases=[("a b",), ("",)])
    assert check(lambda text: [word for word in text.split(" ") if word])
    assert not check(lambda text: np.array(["a", "c"]))


def test_a_comparison_that_fails_means_another_answer(toy):
    check = toy(reference=double, cases=CASES, same=lambda a, b: list(a) == list(b))
    assert check(lambda _: 3).message.startswith("For ([1, 2]) expected [2, 4], got 3")


def test_an_answer_that_changes_its_arguments_changes_no_case(toy):
    cases = [([1, 2],), ([0],)]
    check = toy(reference=double, cases=cases)

    def answer(numbers):
        for row, number in enumerate(numbers):
            numbers[row] = 2 * number
        return numbers

    assert check(answer)
    assert check(answer)
    assert cases == [([1, 2],), ([0],)]


def test_a_value_where_a_function_belongs_is_said(toy):
    result = toy(reference=double, cases=CASES)([2, 4])
    assert result == Result("wrong", "Expected a function; got list.")


def test_a_value_can_be_the_answer(toy):
    check = toy(reference=0.25, mistakes=[Mistake(0.75, "The other side.")], hint="Hm.")
    assert check(1 / 4)
    assert check(0.75).message == "The other side."
    assert check(0.5).message == "Hm."
    assert check(None).state == "not attempted"


def raising(_):
    raise ValueError("first line\n  second line")


@pytest.mark.parametrize("answer", [None, double, lambda n: n, 3, raising])
def test_a_check_prints_one_line(toy, answer, capsys):
    result = toy(reference=double, cases=CASES)(answer)
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and said.endswith("\n")
    assert f"Exercise 1: {result.state}." in said and said[0] in "✔✘○"


def test_a_long_value_is_cut_short(toy):
    result = toy(reference=double, cases=[(list(range(500)),)])(lambda _: 1)
    assert result.state == "wrong" and len(result.message) < 250


def test_only_a_passed_check_is_true():
    assert Result("passed", "")
    assert not Result("wrong", "") and not Result("not attempted", "")


@pytest.mark.parametrize("number", [0, len(exercises.load("01")) + 1, -1, "1", None])
def test_an_unknown_exercise_is_answered_with_the_known_ones(number):
    with pytest.raises(InputError) as error:
        exercises.check("01", number, None)
    one_sentence(error, "an exercise: one of 1, 2, 3", repr(number))


def test_an_unknown_lesson_is_answered_with_the_known_ones():
    with pytest.raises(InputError) as error:
        exercises.check("77", 1, None)
    one_sentence(error, "a lesson number", "'77'")


def test_a_lesson_without_exercises_says_so():
    (number, *_) = sorted({f"{n:02}" for n in range(1, 32)} - set(LESSONS)) or [None]
    if number is None:
        pytest.skip("every lesson has exercises")
    with pytest.raises(InputError) as error:
        exercises.check(number, 1, None)
    one_sentence(error, f"lesson_{number}.py")
