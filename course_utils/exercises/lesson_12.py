"""Lesson 12: steps under accumulation, factors of uneven pieces, a paired interval."""

import math

from course_utils.exercises import Exercise, Mistake

# 97.5 % points of the t-distribution by degrees of freedom, so that no library is needed
_T = {2: 4.302652729749464, 3: 3.1824463052837086, 4: 2.7764451051977934}


def _steps(texts, batch_size, accumulate, epochs):
    return epochs * math.ceil(math.ceil(texts / batch_size) / accumulate)


def _paired(ours, theirs, *, less=1, points=_T, root=True, half_width=True):
    gains = [a - b for a, b in zip(ours, theirs, strict=True)]
    n = len(gains)
    mean = sum(gains) / n
    deviation = math.sqrt(sum((g - mean) ** 2 for g in gains) / (n - less))
    error = deviation / math.sqrt(n) if root else deviation
    half = (points[n - 1] if points else 1.96) * error
    return (mean, mean - half, mean + half) if half_width else (mean, half, half)


def _unpaired(ours, theirs):
    n = len(ours)
    means = [sum(scores) / n for scores in (ours, theirs)]
    squares = [
        sum((s - mean) ** 2 for s in scores) / (n - 1)
        for scores, mean in zip((ours, theirs), means, strict=True)
    ]
    half = _T[n - 1] * math.sqrt(sum(squares) / n)
    gain = means[0] - means[1]
    return gain, gain - half, gain + half


def _close(got, expected):
    got, expected = list(got), list(expected)
    return len(got) == len(expected) and all(
        math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)
        for a, b in zip(got, expected, strict=True)
    )


EXERCISES = [
    Exercise(
        reference=_steps,
        cases=[(320, 8, 4, 2), (100, 8, 4, 3), (1000, 32, 1, 1), (90, 16, 4, 5)],
        mistakes=[
            Mistake(
                lambda n, b, a, e: e * math.ceil(n / b),
                "Those are batches. A step comes only after `accumulate` of them.",
            ),
            Mistake(
                lambda n, b, a, e: e * (n // (b * a)),
                "What is left over at the end of an epoch is dropped here; it gets a "
                "step, too.",
            ),
            Mistake(
                lambda n, b, a, e: math.ceil(e * math.ceil(n / b) / a),
                "Leftovers do not wait for the next epoch: round up within each epoch.",
            ),
            Mistake(
                lambda n, b, a, e: math.ceil(math.ceil(n / b) / a),
                "That is one epoch.",
            ),
        ],
        hint="Count the batches of one epoch first, then the steps they give.",
    ),
    Exercise(
        reference=lambda tokens: [count / sum(tokens) for count in tokens],
        cases=[([10, 30, 60],), ([5, 5],), ([0, 7, 1],)],
        mistakes=[
            Mistake(
                lambda tokens: [1 / len(tokens) for _ in tokens],
                "This gives a piece with few tokens as much say as one with many.",
            ),
            Mistake(
                lambda tokens: [1 / sum(tokens) for _ in tokens],
                "Each loss is already a mean over its own tokens; undo that first.",
            ),
            Mistake(
                lambda tokens: list(tokens),
                "These add up the losses of all tokens. You need their mean.",
            ),
            Mistake(
                lambda tokens: [count / max(tokens) for count in tokens],
                "The factors must add up to 1, or the step grows with the pieces.",
            ),
        ],
        same=_close,
        hint="Write the mean over all tokens as a sum over the pieces.",
    ),
    Exercise(
        reference=_paired,
        cases=[
            ([0.80, 0.83, 0.81], [0.78, 0.80, 0.80]),
            ([0.70, 0.75, 0.72, 0.74], [0.71, 0.73, 0.70, 0.74]),
            ([0.5, 0.6, 0.7, 0.8, 0.9], [0.4, 0.6, 0.6, 0.7, 0.9]),
        ],
        mistakes=[
            Mistake(
                lambda a, b: _paired(a, b, less=0),
                "The standard deviation divides by n − 1 here (ddof=1).",
            ),
            Mistake(
                lambda a, b: _paired(a, b, points=None),
                "1.96 is for many runs. With few, the t-distribution is wider.",
            ),
            Mistake(
                lambda a, b: _paired(a, b, root=False),
                "That is the spread of single runs. A mean of n runs is surer: √n.",
            ),
            Mistake(
                lambda a, b: _paired(a, b, half_width=False),
                "Return the two ends of the interval, not its half width.",
            ),
            Mistake(
                _unpaired,
                "Take the differences seed by seed first, then their spread.",
            ),
            Mistake(
                lambda a, b: _paired(b, a),
                "The other way round: ours minus theirs.",
            ),
        ],
        same=_close,
        hint="First one list of differences; then its mean, spread and √n.",
    ),
]
