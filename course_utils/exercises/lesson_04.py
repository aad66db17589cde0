"""Lesson 04: shapes on their way, the loss of one text, early stopping."""

import math

from course_utils.exercises import Exercise, Mistake

_SHAPES = {
    "input_ids": (16, 30),
    "layer": (16, 30, 384),
    "pooled": (16, 384),
    "logits": (16, 5),
}


def _shares(logits):
    exponentials = [math.exp(logit) for logit in logits]
    return [e / sum(exponentials) for e in exponentials]


def _early_stop(
    scores, patience, *, enough=lambda waited, patience: waited >= patience
):
    best = 0
    for look, score in enumerate(scores):
        if score > scores[best]:
            best = look
        if enough(look - best, patience):
            return look, best
    return len(scores) - 1, best


def _equal_is_better(scores, patience):
    best = 0
    for look, score in enumerate(scores):
        if score >= scores[best]:
            best = look
        if look - best >= patience:
            return look, best
    return len(scores) - 1, best


def _best_of_all(scores, patience):
    return _early_stop(scores, patience)[0], scores.index(max(scores))


def _drops_in_a_row(scores, patience):
    """Count drops against the look before, not against the best."""
    best = waited = 0
    for look in range(1, len(scores)):
        best = look if scores[look] > scores[best] else best
        waited = 0 if scores[look] > scores[look - 1] else waited + 1
        if waited >= patience:
            return look, best
    return len(scores) - 1, best


def _same_shapes(got, expected):
    return isinstance(got, dict) and {k: tuple(v) for k, v in got.items()} == expected


EXERCISES = [
    Exercise(
        reference=_SHAPES,
        mistakes=[
            Mistake(
                _SHAPES | {"pooled": (16, 30, 384)},
                "The pooler keeps one vector per text: the length drops out.",
            ),
            Mistake(
                _SHAPES | {"logits": (16, 3)},
                "This head has five classes, so five logits per text.",
            ),
            Mistake(
                _SHAPES | {"layer": (16, 384)},
                "A layer keeps a vector for every token, not only one per text.",
            ),
            Mistake(
                _SHAPES | {"input_ids": (16, 30, 384)},
                "Token numbers are single numbers; the vectors come after the table.",
            ),
        ],
        same=_same_shapes,
        hint="Compare with the arrows of the architecture diagram, one by one.",
    ),
    Exercise(
        reference=lambda logits, label: -math.log(_shares(logits)[label]),
        cases=[([1.0, 2.0, 0.5], 1), ([0.0, 0.0], 0), ([3.0, -1.0, 0.2], 2)],
        mistakes=[
            Mistake(
                lambda logits, label: math.log(_shares(logits)[label]),
                "The sign is missing: the logarithm of a share is negative.",
            ),
            Mistake(
                lambda logits, label: _shares(logits)[label],
                "That is the right class's share. The loss is minus its logarithm.",
            ),
            Mistake(
                lambda logits, label: -logits[label],
                "Turn the logits into shares first: exponentials that add up to 1.",
            ),
            Mistake(
                lambda logits, label: -math.log(max(_shares(logits))),
                "Take the share of the right class, not the largest one.",
            ),
            Mistake(
                lambda logits, label: 1 - _shares(logits)[label],
                "Cross-entropy uses the logarithm: it punishes sure mistakes harder.",
            ),
        ],
    ),
    Exercise(
        reference=_early_stop,
        cases=[
            ([0.5, 0.6, 0.6, 0.59, 0.9], 2),
            ([0.1, 0.2, 0.3], 2),
            ([0.5, 0.4, 0.45, 0.44, 0.43, 0.42], 3),
            ([0.7, 0.6, 0.8, 0.75, 0.74], 1),
        ],
        mistakes=[
            Mistake(
                lambda s, p: _early_stop(s, p, enough=lambda w, p: w > p),
                "One look too late: with patience 2, stop at the second look "
                "without a rise.",
            ),
            Mistake(
                _equal_is_better,
                "An equal score is no rise: it must not reset the waiting.",
            ),
            Mistake(
                _best_of_all,
                "You looked at scores after the stop. Training never got there.",
            ),
            Mistake(
                lambda s, p: (len(s) - 1, s.index(max(s))),
                "That never stops early. Count the looks since the best one.",
            ),
            Mistake(
                _drops_in_a_row,
                "Compare with the best score so far, not with the look before.",
            ),
            Mistake(
                lambda s, p: tuple(reversed(_early_stop(s, p))),
                "First the look at which training stops, then the best one.",
            ),
        ],
        same=lambda got, expected: tuple(got) == tuple(expected),
    ),
]
