"""Quizzes: one right answer each, every option explained, a click shows it."""

from __future__ import annotations

from importlib import resources

import pytest

from conftest import cell_of, one_sentence, run
from course_utils import quiz
from course_utils.errors import InputError
from tools import notebooks

LESSONS = sorted(
    entry.name[len("lesson_") : -len(".toml")]
    for entry in resources.files("course_utils.quizzes").iterdir()
    if entry.name.endswith(".toml")
)
every_quiz = pytest.mark.parametrize("number", LESSONS)


@every_quiz
def test_a_quiz_has_three_to_six_different_questions(number):
    texts = [question.text for question in quiz.load(number)]
    assert 3 <= len(texts) <= 6 and len(set(texts)) == len(texts)
    assert all(text.strip().endswith(("?", ".")) for text in texts)


@every_quiz
def test_every_option_is_explained_and_one_is_right(number):
    for question in quiz.load(number):
        options = question.options
        assert sum(option.correct for option in options) == 1
        assert 2 <= len(options) <= 5
        assert len({option.text for option in options}) == len(options)
        assert len({option.why for option in options}) == len(options)
        assert all(len(option.why) > 10 and option.text.strip() for option in options)


@every_quiz
def test_the_right_answer_is_not_always_at_the_same_place(number):
    places = {
        [option.correct for option in question.options].index(True)
        for question in quiz.load(number)
    }
    assert len(places) > 1


@every_quiz
def test_a_quiz_is_the_same_each_time(number):
    assert quiz.load(number) == quiz.load(int(number))


@pytest.mark.parametrize("path", notebooks.paths(), ids=lambda path: path.stem)
def test_a_lesson_shows_its_own_quiz(path, monkeypatch):
    shown = []
    monkeypatch.setattr(quiz, "show", shown.append)
    notebook = notebooks.read(path)
    run(notebook, cell_of(notebook, "quiz").source)
    assert shown == [path.name[:2]] and shown[0] in LESSONS


@every_quiz
def test_a_click_on_an_option_shows_its_explanation(number):
    box = quiz.show(number)
    questions = quiz.load(number)
    assert len(box.children) == len(questions)
    for panel, question in zip(box.children, questions, strict=True):
        _heading, *buttons, answer = panel.children
        assert answer.value == "<i>Choose an answer.</i>"
        for index, (button, option) in enumerate(
            zip(buttons, question.options, strict=True)
        ):
            assert button.description == option.text
            button.click()
            verdict = "Right: " if option.correct else "Not quite: "
            assert question.explain(index) == verdict + option.why
            assert answer.value.startswith(verdict)


# Malformed quizzes

GOOD = """
[[question]]
text = "1 < 2 & 2 < 3?"
[[question.option]]
text = "yes"
correct = true
why = "<Count> it."
[[question.option]]
text = "no"
why = "Look again."
"""


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write lesson 02's quiz into a folder that stands in for the package's."""
    monkeypatch.setattr(quiz.resources, "files", lambda _package: tmp_path)
    return (tmp_path / "lesson_02.toml").write_text


def test_signs_of_html_are_shown_as_they_are(written):
    written(GOOD)
    (panel,) = quiz.show("02").children
    heading, *buttons, answer = panel.children
    assert "1 &lt; 2 &amp; 2 &lt; 3?" in heading.value
    for button in buttons:  # a long option is wrapped, not cut off
        assert button.layout.height == "auto"
        (name,) = button._dom_classes
        assert f"<style>.{name} {{white-space: normal;" in heading.value
    (right,) = [button for button in buttons if button.description == "yes"]
    right.click()
    assert answer.value == "Right: &lt;Count&gt; it."


BROKEN = {
    "no right option": GOOD.replace("correct = true", ""),
    "two right options": GOOD + "correct = true",
    "one option": GOOD.split('[[question.option]]\ntext = "no"')[0],
    "no explanation": GOOD.replace('why = "Look again."', ""),
    "no option text": GOOD.replace('text = "no"', ""),
    "no question text": GOOD.replace('text = "1 < 2 & 2 < 3?"', ""),
    "no options": '[[question]]\ntext = "Why?"',
    "no questions": "",
    "no TOML": GOOD + "why",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_malformed_quiz_is_said_in_one_sentence(written, name):
    written(BROKEN[name])
    with pytest.raises(InputError) as error:
        quiz.load("02")
    one_sentence(error, "Mend lesson_02.toml.")


def test_a_lesson_without_a_quiz_says_what_to_write(written):
    written(GOOD)
    with pytest.raises(InputError) as error:
        quiz.load("03")
    one_sentence(error, "got 03", "course_utils/quizzes/lesson_03.toml")


def test_an_unknown_lesson_is_answered_with_the_known_ones():
    with pytest.raises(InputError) as error:
        quiz.show("77")
    one_sentence(error, "a lesson number", "'77'")
