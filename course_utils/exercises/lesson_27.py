"""Lesson 27: best score so far, rates drawn by factors, successive halving."""

import math

from course_utils.exercises import Exercise, Mistake


def _curve(scores):
    best, found = None, []
    for score in scores:
        if score is not None and (best is None or score > best):
            best = score
        found.append(best)
    return found


def _lowest(scores):
    turned = _curve([None if score is None else -score for score in scores])
    return [None if best is None else -best for best in turned]


def _from_zero(scores):
    return [0 if best is None else best for best in _curve(scores)]


def _zero_is_none(scores):
    best, found = None, []
    for score in scores:
        if score and (best is None or score > best):
            best = score
        found.append(best)
    return found


def _scores_only(scores):
    return _curve([score for score in scores if score is not None])


def _forgets(scores):
    """A pruned trial makes a hole instead of keeping the best so far."""
    return [
        None if score is None else best
        for score, best in zip(scores, _curve(scores), strict=True)
    ]


def _same_list(got, expected):
    got, expected = list(got), list(expected)
    return len(got) == len(expected) and all(
        (a is None) == (b is None) and (a is None or math.isclose(a, b, abs_tol=1e-9))
        for a, b in zip(got, expected, strict=True)
    )


def _rates(u, low, high):
    return [low * (high / low) ** number for number in u]


def _close(got, expected):
    got, expected = list(got), list(expected)
    return len(got) == len(expected) and all(
        math.isclose(a, b, rel_tol=1e-6) for a, b in zip(got, expected, strict=True)
    )


def _halving(
    curves,
    first,
    *,
    anew=False,
    best=False,
    highest=False,
    last=False,
    least=2,
    up=False,
):
    """Successive halving; each option makes one of the learners' mistakes."""
    left, epochs, trained, spent = list(range(len(curves))), first, 0, 0
    while len(left) >= least:
        spent += len(left) * (epochs if anew else epochs - trained)
        if len(left) == 1:
            break
        trained = epochs
        sign = -1 if highest else 1
        at = -1 if last else epochs - 1
        seen = {i: min(curves[i][:epochs]) if best else curves[i][at] for i in left}
        left = sorted(left, key=lambda i, seen=seen, sign=sign: (sign * seen[i], i))
        half = math.ceil(len(left) / 2) if up and len(left) > 2 else len(left) // 2
        left = left[: max(1, half)]
        epochs *= 2
    return left[0], spent


def _no_doubling(curves, first):
    left, trained, spent = list(range(len(curves))), 0, 0
    while len(left) > 1:
        spent += len(left) * first
        trained += first
        left.sort(key=lambda i: (curves[i][trained - 1], i))
        left = left[: max(1, len(left) // 2)]
    return left[0], spent


def _same_pair(got, expected):
    if isinstance(got, int) or isinstance(expected, int):  # one number alone
        return got is expected or got == expected
    return tuple(got) == tuple(expected)


# Curves cross: who leads early does not end best. All have eight epochs.
_CROSSING = [
    [0.50, 0.49, 0.48, 0.47, 0.46, 0.45, 0.45, 0.45],
    [0.60, 0.40, 0.38, 0.35, 0.33, 0.32, 0.31, 0.30],
    [0.40, 0.42, 0.45, 0.50, 0.55, 0.60, 0.65, 0.70],
    [0.70, 0.68, 0.60, 0.50, 0.40, 0.30, 0.20, 0.10],
    [0.55, 0.45, 0.37, 0.34, 0.36, 0.38, 0.39, 0.41],
]
_SIX = [*_CROSSING, [0.52, 0.41, 0.39, 0.31, 0.31, 0.34, 0.35, 0.36]]
_EIGHT = [*_SIX, [0.45, 0.43, 0.40, 0.36, 0.30, 0.28, 0.27, 0.26], [0.8] * 8]

EXERCISES = [
    Exercise(
        reference=_curve,
        cases=[
            ([0.5, 0.7, 0.6, 0.9],),
            ([None, 0.4, None, 0.3, 0.8, None],),
            ([-0.5, None, -0.7, -0.2],),
            ([-0.5, 0.0, None, -0.2],),
        ],
        mistakes=[
            Mistake(_lowest, "That is the lowest so far. Here higher is better."),
            Mistake(
                _from_zero,
                "Before the first score nothing is known: None, not 0. A score may also "
                "be below 0.",
            ),
            Mistake(
                _zero_is_none,
                "A score of 0 is a score: ask `score is not None`, not `if score`.",
            ),
            Mistake(
                _scores_only,
                "A pruned trial counts as a trial: the curve needs a value there, too.",
            ),
            Mistake(
                _forgets,
                "A pruned trial has no score of its own, but the best so far stays.",
            ),
            Mistake(
                lambda scores: list(scores),
                "These are the scores themselves. Keep the best one while you go on.",
            ),
        ],
        same=_same_list,
        hint="Carry the best score along; change it only when a better one comes.",
    ),
    Exercise(
        reference=_rates,
        cases=[
            ([0.0, 0.25, 0.5, 1.0], 1e-4, 1e-1),
            ([0.1, 0.5, 0.9], 1e-5, 1e-3),
            ([1 / 3], 2e-4, 2e-1),
        ],
        mistakes=[
            Mistake(
                lambda u, low, high: [low + (high - low) * n for n in u],
                "This is still the colleague's: equal steps, not equal factors.",
            ),
            Mistake(
                lambda u, low, high: [
                    math.log(low) + (math.log(high) - math.log(low)) * n for n in u
                ],
                "These are the logarithms of the rates. Go back with exp.",
            ),
            Mistake(
                lambda u, low, high: [
                    math.exp(math.log10(low) + math.log10(high / low) * n) for n in u
                ],
                "log10 and exp do not undo each other: exp belongs to log, 10 ** to log10.",
            ),
            Mistake(
                lambda u, low, high: [low + (high - low) * n**2 for n in u],
                "Squaring pushes the draws down, but the powers of ten still get unequal "
                "shares.",
            ),
            Mistake(
                lambda u, low, high: [high * (low / high) ** n for n in u],
                "The factors are right. But u = 0 should give `low`, u = 1 `high`.",
            ),
        ],
        same=_close,
        hint="What must be evenly spread is the exponent.",
    ),
    Exercise(
        reference=_halving,
        cases=[
            (_CROSSING, 1),
            (_SIX, 2),
            (_EIGHT, 1),
            (_EIGHT, 2),
            ([[0.3] * 8, [0.3] * 8, [0.4] * 8, [0.3] * 8], 1),
            ([[0.3] + [0.6] * 7, [0.5] + [0.4] * 7, [0.8] * 8, [0.9] * 8], 1),
        ],
        mistakes=[
            Mistake(
                lambda curves, first: _halving(curves, first, anew=True),
                "Training goes on where it stopped: count only the epochs that are new.",
            ),
            Mistake(
                lambda curves, first: _halving(curves, first, highest=True),
                "You keep the worse half. A lower loss is better.",
            ),
            Mistake(
                lambda curves, first: _halving(curves, first, last=True),
                "You look at the last epoch of each curve, which nobody has trained yet.",
            ),
            Mistake(
                lambda curves, first: _halving(curves, first, best=True),
                "Compare the loss at the current epoch, not the best one so far.",
            ),
            Mistake(
                lambda curves, first: _halving(curves, first, least=1),
                "The last setting trains no further once it is alone.",
            ),
            Mistake(
                lambda curves, first: _halving(curves, first, up=True),
                "Half of five is two here: round down.",
            ),
            Mistake(
                _no_doubling,
                "After each round the epochs trained so far are doubled: 1, 2, 4, 8.",
            ),
            Mistake(
                lambda curves, first: _halving(curves, first)[0],
                "Return two things: the setting left and the epochs spent.",
            ),
        ],
        same=_same_pair,
        hint="Keep a list of the settings left; add up new epochs × settings per round.",
    ),
]
