"""Lesson 10: class weights, the focal loss of one text, a BCE that does not overflow."""

import math

from course_utils.exercises import Exercise, Mistake


def _weights(counts):
    return [sum(counts) / (len(counts) * count) for count in counts]


def _safe_bce(logit, truth):
    return max(logit, 0) - logit * truth + math.log1p(math.exp(-abs(logit)))


def _close(got, expected):
    got, expected = list(got), list(expected)
    return len(got) == len(expected) and all(
        math.isclose(a, b, rel_tol=1e-6) for a, b in zip(got, expected, strict=True)
    )


def _clipped(logit, truth):
    """The usual patch: keep the probability away from 0 and 1."""
    p = 1 / (1 + math.exp(-max(min(logit, 30), -30)))
    p = min(max(p, 1e-7), 1 - 1e-7)
    return -(truth * math.log(p) + (1 - truth) * math.log(1 - p))


def _overflows(logit, truth):
    """Rearranged, but only safe on one side; the other is cut off."""
    return math.log1p(math.exp(min(-logit, 700))) + (1 - truth) * logit


EXERCISES = [
    Exercise(
        reference=_weights,
        cases=[([90, 10],), ([50, 30, 20],), ([5, 5],)],
        mistakes=[
            Mistake(
                lambda counts: [1 / count for count in counts],
                "The proportions are right, the size is not: the mean weight over "
                "all texts should be 1.",
            ),
            Mistake(
                lambda counts: [sum(counts) / count for count in counts],
                "Each class now counts as much as all texts together: divide by the "
                "number of classes as well.",
            ),
            Mistake(
                lambda counts: [count / sum(counts) for count in counts],
                "These are the shares: the frequent class counts even more. Turn them "
                "round.",
            ),
            Mistake(
                lambda counts: [max(counts) / count for count in counts],
                "The most frequent class has weight 1 here. Asked for is a mean of 1 "
                "over all texts.",
            ),
        ],
        same=_close,
        hint="Texts × weight should be the same for every class.",
    ),
    Exercise(
        reference=lambda p, gamma: -((1 - p) ** gamma) * math.log(p),
        cases=[(0.9, 2), (0.3, 2), (0.5, 0), (0.6, 1)],
        mistakes=[
            Mistake(
                lambda p, gamma: -(p**gamma) * math.log(p),
                "This makes well answered texts count more. The factor is 1 − p.",
            ),
            Mistake(
                lambda p, gamma: -math.log(p),
                "That is cross-entropy: the factor is missing.",
            ),
            Mistake(
                lambda p, gamma: (1 - p) ** gamma * math.log(p),
                "The sign: the logarithm of a probability is negative.",
            ),
            Mistake(
                lambda p, gamma: -gamma * (1 - p) * math.log(p),
                "γ is a power, not a factor.",
            ),
        ],
        hint="Two factors: (1 − p) to the power γ, and cross-entropy, −log p.",
    ),
    Exercise(
        reference=_safe_bce,
        cases=[
            (2.0, 1),
            (-1000.0, 1),
            (1000.0, 0),
            (0.5, 0),
            (-40.0, 1),
            (50.0, 1),
            (1000.0, 1),  # right and sure: costs nothing, and must not overflow either
            (-1000.0, 0),
        ],
        mistakes=[
            Mistake(
                lambda logit, truth: math.log1p(math.exp(-abs(logit))),
                "Without a part that grows with the logit, a surely wrong answer "
                "costs nothing.",
            ),
            Mistake(
                _clipped,
                "Clipping the probability caps the loss: −1000 must cost 1000.",
            ),
            Mistake(
                _overflows,
                "Only one side is safe: the exponential must never see a large "
                "positive number.",
            ),
            Mistake(
                lambda logit, truth: _safe_bce(logit, 1 - truth),
                "Truth and its opposite are swapped.",
            ),
        ],
        hint="log(1 + e^−z) = −z + log(1 + e^z): use the form with the negative power.",
        same=lambda got, expected: math.isclose(
            got, expected, rel_tol=1e-6, abs_tol=1e-12
        ),
    ),
]
