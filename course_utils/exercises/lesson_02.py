"""Lesson 02: a step of gradient descent, a chain rule to repair, causal attention."""

import math

from course_utils.exercises import Exercise, Mistake


def _one_step(w, rate, xs, ys, *, slope=lambda w, x, y: 2 * (w * x - y) * x, sign=-1):
    slopes = [slope(w, x, y) for x, y in zip(xs, ys, strict=True)]
    return w + sign * rate * sum(slopes) / len(slopes)


def _with_sum(w, rate, xs, ys):
    return w - rate * sum(2 * (w * x - y) * x for x, y in zip(xs, ys, strict=True))


def _one_by_one(w, rate, xs, ys):
    """Step after every single example: stochastic gradient descent."""
    for x, y in zip(xs, ys, strict=True):
        w -= rate * 2 * (w * x - y) * x
    return w


def _slopes(a, c, x, y, *, bend=True, inside=True, through=True, factor=2):
    h = math.tanh(a * x)
    at_output = factor * (c * h - y)
    along_a = at_output * (c if through else 1) * (1 - h**2 if bend else 1)
    return along_a * (x if inside else 1), at_output * h


def _shares(row):
    exponentials = [math.exp(score) for score in row]
    return [e / sum(exponentials) for e in exponentials]


def _causal(scores, *, seen=lambda looks, looked_at: looked_at <= looks):
    rows = []
    for looks, row in enumerate(scores):
        kept = [
            math.exp(score) if seen(looks, place) else 0.0
            for place, score in enumerate(row)
        ]
        rows.append([k / (sum(kept) or 1) for k in kept])
    return rows


def _masked_afterwards(scores):
    rows = []
    for looks, row in enumerate(scores):
        rows.append([s if n <= looks else 0.0 for n, s in enumerate(_shares(row))])
    return rows


def _zero_scores(scores):
    return [
        _shares([score if place <= looks else 0.0 for place, score in enumerate(row)])
        for looks, row in enumerate(scores)
    ]


def _down_the_columns(scores):
    """Let each column, not each row, add up to 1."""
    turned = [list(column) for column in zip(*scores, strict=True)]
    turned = _causal(turned, seen=lambda column, row: row >= column)
    return [list(row) for row in zip(*turned, strict=True)]


def _no_softmax(scores):
    rows = []
    for looks, row in enumerate(scores):
        total = sum(row[: looks + 1])
        rows.append([s / total if n <= looks else 0.0 for n, s in enumerate(row)])
    return rows


EXERCISES = [
    Exercise(
        reference=_one_step,
        cases=[
            (0.5, 0.1, [1.0, 2.0, -1.0], [2.0, 1.0, 0.5]),
            (-1.0, 0.05, [3.0, 1.0], [1.0, 4.0]),
            (2.0, 0.2, [1.5], [1.0]),
        ],
        mistakes=[
            Mistake(
                lambda w, rate, xs, ys: _one_step(w, rate, xs, ys, sign=1),
                "That climbs. Go against the slope, not along it.",
            ),
            Mistake(
                _with_sum,
                "The loss is a mean, so its slope is a mean, too: what about the "
                "number of examples?",
            ),
            Mistake(
                lambda w, rate, xs, ys: _one_step(
                    w, rate, xs, ys, slope=lambda w, x, y: (w * x - y) * x
                ),
                "The derivative of a square brings a factor down in front.",
            ),
            Mistake(
                lambda w, rate, xs, ys: _one_step(
                    w, rate, xs, ys, slope=lambda w, x, y: 2 * (w * x - y)
                ),
                "Chain rule: the slope of the inside, w * x, along w is missing.",
            ),
            Mistake(
                lambda w, rate, xs, ys: w - _one_step(w, rate, xs, ys),
                "That is how far the weight moves. Where does it arrive?",
            ),
            Mistake(
                _one_by_one,
                "You moved after every example. One step: first all slopes at the "
                "same weight, then one move.",
            ),
        ],
    ),
    Exercise(
        reference=_slopes,
        cases=[(0.5, 2.0, 1.5, 1.0), (-1.0, 0.7, 0.4, 0.2), (0.3, -1.2, 2.0, -1.0)],
        mistakes=[
            Mistake(
                lambda *given: _slopes(*given, bend=False),
                "On the way back to a you pass the bend. What is the slope of tanh?",
            ),
            Mistake(
                lambda *given: _slopes(*given, inside=False),
                "Inside tanh stands a times x. How does that change with a?",
            ),
            Mistake(
                lambda *given: _slopes(*given, through=False),
                "From the output back to h you pass the weight c.",
            ),
            Mistake(
                lambda *given: _slopes(*given, factor=1),
                "Both slopes are off by the same factor: look at the square.",
            ),
            Mistake(
                lambda *given: _slopes(*given)[::-1],
                "First the slope along a, then the one along c.",
            ),
            Mistake(
                lambda a, c, x, y: (
                    2 * (c * math.tanh(a * x) - y) * c * (1 - math.tanh(x) ** 2) * x,
                    2 * (c * math.tanh(a * x) - y) * math.tanh(a * x),
                ),
                "Take the slope of tanh where the network is: at a times x, not at x.",
            ),
        ],
        same=lambda got, expected: (
            len(got) == len(expected)
            and all(
                math.isclose(g, e, abs_tol=1e-9)
                for g, e in zip(got, expected, strict=True)
            )
        ),
    ),
    Exercise(
        reference=_causal,
        cases=[
            ([[1.0, 2.0, 0.5], [0.2, 1.5, 3.0], [2.0, 1.0, 0.7]],),
            ([[0.3]],),
            ([[2.0, 1.0], [0.5, 1.5]],),
        ],
        mistakes=[
            Mistake(
                lambda scores: [_shares(row) for row in scores],
                "Nothing is hidden yet: the first token must see only itself.",
            ),
            Mistake(
                _masked_afterwards,
                "Your rows do not add up to 1. Hide first, then make shares of "
                "what is left.",
            ),
            Mistake(
                _zero_scores,
                "A score of 0 still gets a share, since exp(0) is 1.",
            ),
            Mistake(
                lambda scores: _causal(scores, seen=lambda row, n: n >= row),
                "That looks to the right. A decoder guesses what comes next, so it "
                "sees what came before.",
            ),
            Mistake(
                lambda scores: _causal(scores, seen=lambda row, n: n < row),
                "A token sees itself, too: the first one would have nothing otherwise.",
            ),
            Mistake(
                _down_the_columns,
                "A row is the token that looks: its shares add up to 1, not the "
                "column's.",
            ),
            Mistake(
                _no_softmax,
                "Shares come from exponentials: a score may be negative, a share not.",
            ),
        ],
        same=lambda got, expected: (
            len(got) == len(expected)
            and all(len(g) == len(e) for g, e in zip(got, expected, strict=True))
            and all(
                math.isclose(a, b, abs_tol=1e-9)
                for g, e in zip(got, expected, strict=True)
                for a, b in zip(g, e, strict=True)
            )
        ),
        hint="Check three things: which places are 0, do rows add up to 1, and do "
        "the shares come from exponentials?",
    ),
]
