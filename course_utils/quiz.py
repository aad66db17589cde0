"""A quiz at the end of a lesson: every option carries its own explanation.

Questions live in `course_utils/quizzes/lesson_NN.toml`, so that a lesson's page does not
show the answers:

    [[question]]
    text = "…?"
    [[question.option]]
    text = "…"
    correct = true
    why = "…"
"""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass
from importlib import resources

from course_utils import lessons
from course_utils.errors import InputError

# A button shows one line and cuts off what does not fit; options are sentences.
_CLASS = "sft-course-option"
_WRAP = (
    f"<style>.{_CLASS} {{white-space: normal; text-align: left; line-height: 1.5; "
    "padding: 3px 10px}</style>"
)


@dataclass(frozen=True)
class Option:
    """One answer to choose, and what to say when it is chosen."""

    text: str
    correct: bool
    why: str


@dataclass(frozen=True)
class Question:
    """A question with two or more options, one of them correct."""

    text: str
    options: tuple[Option, ...]

    def explain(self, chosen: int) -> str:
        """Return the verdict and the explanation for the option with this index."""
        option = self.options[chosen]
        return f"{'Right' if option.correct else 'Not quite'}: {option.why}"


def load(lesson: str | int) -> list[Question]:
    """Read a lesson's questions.

    Raises:
        InputError: if the lesson is unknown, has no quiz, or a question is malformed.
    """
    number = lessons.get(lesson).number
    source = resources.files("course_utils.quizzes") / f"lesson_{number}.toml"
    if not source.is_file():
        raise InputError(
            f"Expected a lesson with a quiz; got {number}. Write "
            f"course_utils/quizzes/lesson_{number}.toml."
        )
    try:
        entries = tomllib.loads(source.read_text(encoding="utf-8"))["question"]
        questions = [_question(entry) for entry in entries]
    except (KeyError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"Expected questions with text, option and why; got {error!r}. "
            f"Mend {source.name}."
        ) from error
    for question in questions:
        correct = sum(option.correct for option in question.options)
        if correct != 1 or len(question.options) < 2:
            raise InputError(
                f"Expected two or more options with one correct; got {correct} correct "
                f"of {len(question.options)} in {question.text!r}. Mend {source.name}."
            )
    return questions


def _question(entry: dict) -> Question:
    options = [
        Option(o["text"], o.get("correct", False), o["why"]) for o in entry["option"]
    ]
    # Authors put the right answer at the same place again and again: mix, always alike.
    random.Random(entry["text"]).shuffle(options)
    return Question(entry["text"], tuple(options))


def show(lesson: str | int):
    """Return the lesson's quiz as a widget; choosing an option shows its explanation."""
    import ipywidgets as widgets

    return widgets.VBox(
        [_panel(n, question) for n, question in enumerate(load(lesson), start=1)]
    )


def _panel(number: int, question: Question):
    import html

    import ipywidgets as widgets

    heading = widgets.HTML(f"{_WRAP}<b>{number}. {html.escape(question.text)}</b>")
    # Plain buttons below one another: radio buttons cut long texts off in Colab.
    answer = widgets.HTML("<i>Choose an answer.</i>")
    buttons = []
    for index, option in enumerate(question.options):
        button = widgets.Button(
            description=option.text,
            tooltip=option.text,
            layout=widgets.Layout(width="auto", height="auto", max_width="46em"),
        )
        button.add_class(_CLASS)

        def reveal(_button, index=index):
            answer.value = html.escape(question.explain(index))

        button.on_click(reveal)
        buttons.append(button)
    return widgets.VBox([heading, *buttons, answer])
