"""Lesson 03: kinds of learning, the baseline of REINFORCE, the loss on an answer."""

import math

from course_utils.exercises import Exercise, Mistake

_KINDS = [
    "self-supervised",
    "supervised",
    "unsupervised",
    "reinforcement",
    "supervised",
]


def _kinds(**changed):
    return [changed.get(f"at{place}", kind) for place, kind in enumerate(_KINDS)]


def _expected_gradient(shares, rewards, baseline, *, weigh=True):
    gradient = [0.0] * len(shares)
    for drawn, share in enumerate(shares):
        for answer in range(len(shares)):
            towards = (answer == drawn) - shares[answer]
            factor = share if weigh else 1
            gradient[answer] += factor * (rewards[drawn] - baseline) * towards
    return gradient


def _close(got, expected):
    got, expected = list(got), list(expected)
    return len(got) == len(expected) and all(
        math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-6)  # 32-bit numbers, too
        for a, b in zip(got, expected, strict=True)
    )


def _mean_loss(shares):
    return -sum(math.log(share) for share in shares) / len(shares)


EXERCISES = [
    Exercise(
        reference=_KINDS,
        mistakes=[
            Mistake(
                _kinds(at0="unsupervised"),
                "The first: a hidden word is an answer to compare with. The text "
                "provides its own labels.",
            ),
            Mistake(
                _kinds(at0="supervised"),
                "The first: nobody wrote these answers down; they are cut out of the "
                "letters.",
            ),
            Mistake(
                _kinds(at1="reinforcement"),
                "The second: the tray is the answer itself, not praise for one that was "
                "tried.",
            ),
            Mistake(
                _kinds(at2="supervised"),
                "The third: the names came after the learning; the network never saw "
                "them.",
            ),
            Mistake(
                _kinds(at2="self-supervised"),
                "The third: nothing was hidden and guessed; there was no answer to "
                "compare with.",
            ),
            Mistake(
                _kinds(at3="supervised"),
                "The fourth: a thumb says how good this reply was, not which reply "
                "would have been right.",
            ),
            Mistake(
                _kinds(at4="reinforcement"),
                "The fifth: the answers are there to compare with, word by word.",
            ),
            Mistake(
                _kinds(at4="self-supervised"),
                "The fifth: the loss looks like pretraining's, but people wrote the "
                "answers for this.",
            ),
        ],
        same=lambda got, expected: (
            not isinstance(got, str)
            and [str(kind).strip().lower() for kind in got] == expected
        ),
        hint="Expected a list of five words. Ask for each case what the model hears "
        "while it learns: nothing, a piece of its own text, praise or blame for what it "
        "tried, or the right answer from a person?",
    ),
    Exercise(
        reference=_expected_gradient,
        cases=[
            ([0.5, 0.3, 0.2], [1, 0, 0], 0.0),
            ([0.5, 0.3, 0.2], [1, 0, 0], 0.4),
            ([0.1, 0.9], [0, 1], 0.5),
            ([0.25, 0.25, 0.4, 0.1], [0, 0.5, 1, 0], 1.0),
        ],
        mistakes=[
            Mistake(
                lambda s, r, b: _expected_gradient(s, r, b, weigh=False),
                "Each answer counts as often as it is drawn: times its share.",
            ),
            Mistake(
                lambda s, r, b: _expected_gradient(s, r, b)[::-1],
                "The numbers are in the wrong order: one per answer, first to last.",
            ),
            Mistake(
                lambda s, r, b: [p * (x - b) for p, x in zip(s, r, strict=True)],
                "Each draw pushes all answers, not only its own: the gradient of the "
                "log share is one-hot minus shares.",
            ),
            Mistake(
                lambda s, r, b: [-g for g in _expected_gradient(s, r, b)],
                "The sign: this is the gradient of the reward, which is to rise.",
            ),
            Mistake(
                lambda s, r, b: [
                    p * (x - b) * (1 - p) for p, x in zip(s, r, strict=True)
                ],
                "Only the drawn answer's own score is pushed here. The others are pushed, "
                "too: by minus their share.",
            ),
        ],
        same=_close,
        hint="Two loops: over the answer that is drawn, and over the scores it pushes.",
    ),
    Exercise(
        reference=lambda shares, question: _mean_loss(shares[question:]),
        cases=[
            ([0.1, 0.2, 0.9, 0.5], 2),
            ([0.5, 0.5, 0.25], 1),
            ([0.3, 0.8, 0.6, 0.7, 0.2], 3),
        ],
        mistakes=[
            Mistake(
                lambda shares, question: _mean_loss(shares),
                "This counts the question's tokens, too. They are given, not answered.",
            ),
            Mistake(
                lambda shares, question: _mean_loss(shares[:question]),
                "This is the loss on the question; the answer comes after it.",
            ),
            Mistake(
                lambda shares, question: _mean_loss(shares[question + 1 :]),
                "Off by one: the first token of the answer is missing.",
            ),
            Mistake(
                lambda shares, question: (
                    _mean_loss(shares[question:]) * len(shares[question:]) / len(shares)
                ),
                "Divide by the answer's tokens only, or long questions look easy.",
            ),
            Mistake(
                lambda shares, question: -_mean_loss(shares[question:]),
                "The sign: a logarithm of a share is negative, the loss is positive.",
            ),
            Mistake(
                lambda shares, question: (
                    _mean_loss(shares[question:]) * len(shares[question:])
                ),
                "This is the sum. The mean makes long and short answers comparable.",
            ),
            Mistake(
                lambda shares, question: (
                    -math.log(sum(shares[question:]) / len(shares[question:]))
                ),
                "First the logarithm of each share, then the mean.",
            ),
        ],
        hint="Cut off the question's tokens, take minus the logarithm of each share that "
        "is left, then their mean.",
    ),
]
