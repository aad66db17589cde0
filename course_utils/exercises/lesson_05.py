"""Lesson 05: twelve border cases, raters needed, an alpha with gaps to repair."""

from itertools import permutations

from course_utils.exercises import Exercise, Mistake

# What most of the twenty raters said about the lesson's twelve product sentences:
# what is over (0-2), a fault denied (3-5), no verdict (6-8), a verdict implied (9-11).
_MAJORITY = [-1, -1, -1, 1, 1, 1, 0, 0, 0, -1, -1, 1]
_ENOUGH = 0.7


class _Kind(list):
    """A wrong answer that stands for any wrong labels at the same sentences."""


def _instead(start, *wrong):
    return _Kind([*_MAJORITY[:start], *wrong, *_MAJORITY[start + len(wrong) :]])


def _kappa(one, other):
    agreed = sum(a == b for a, b in zip(one, other, strict=True)) / len(one)
    chance = (
        sum(
            sum(a == label for a in one) * sum(b == label for b in other)
            for label in (-1, 0, 1)
        )
        / len(one) ** 2
    )
    return (agreed - chance) / (1 - chance)


def _like(got, expected):
    got = list(got)
    if len(got) != len(_MAJORITY) or any(label not in (-1, 0, 1) for label in got):
        return False
    if expected is _MAJORITY:
        return _kappa(got, _MAJORITY) >= _ENOUGH
    if isinstance(expected, _Kind):
        rows = [n for n, label in enumerate(_MAJORITY) if expected[n] != label]
        return all(got[row] != _MAJORITY[row] for row in rows)
    return got == expected


def _raters_needed(alpha, target, *, least=1, enough=lambda got, want: got >= want):
    raters = least
    while not enough(raters * alpha / (1 + (raters - 1) * alpha), target):
        raters += 1
    return raters


def _needed_exactly(alpha, target):
    return target * (1 - alpha) / (alpha * (1 - target))


def _alpha(texts, *, answered=True, paired=True, less=1, pairs=True):
    if answered:
        texts = [[label for label in text if label is not None] for text in texts]
    if paired:
        texts = [text for text in texts if len(text) > 1]
    pool = [label for text in texts for label in text]
    observed = sum(
        sum(a != b for a, b in permutations(text, 2)) / (max(len(text) - 1, 1))
        for text in texts
    )
    expected = sum(a != b for a, b in permutations(pool, 2)) / (len(pool) - less)
    return 1 - observed / (expected if pairs else len(pool))


_GAPS = [
    ([[1, 1, None], [0, 0, 0], [1, 0, None], [None, 1, None], [0, 0, 1]],),
    ([["a", None, "a"], ["b", "b", None], ["a", None, "b"], ["c", None, None]],),
    ([[1, 1, 1, None], [1, 1, None, None], [0, 1, 1, 1], [0, 0, None, 0]],),
]

EXERCISES = [
    Exercise(
        reference=_MAJORITY,
        mistakes=[
            Mistake(
                [0] * 12,
                "All neutral is safe and says nothing: a buyer learns something from most "
                "of them. When is a sentence without a verdict?",
            ),
            Mistake(
                [-label for label in _MAJORITY],
                "The scale is turned round: 1 is what makes a buyer want the product.",
            ),
            Mistake(
                _instead(0, 1, 1, 1),
                "A rule seems to be missing for praise of what is over (0 to 2): what does "
                "the buyer learn about the product as it is now?",
            ),
            Mistake(
                _instead(3, -1, -1, -1),
                "A rule seems to be missing for faults that are denied (3 to 5): read to "
                "the end, is there a fault?",
            ),
            Mistake(
                _instead(6, -1, -1, 1),
                "A rule seems to be missing for sentences about the writer or about other "
                "reviews (6 to 8): what do they say about the product?",
            ),
            Mistake(
                _instead(9, 0, 0, -1),
                "A rule seems to be missing for advice, wishes and 'would have' (9 to 11): "
                "why does somebody write that?",
            ),
        ],
        same=_like,
        hint="Twelve labels, each −1, 0 or 1, with a kappa of at least 0.7. Think of what "
        "is over, what is denied, what is no verdict and what is only implied.",
    ),
    Exercise(
        reference=_raters_needed,
        # 0.5 to 0.75 and 0.25 to 0.5 need exactly 3, in floating point, too: counting
        # up and rounding up give the same (for 0.5 to 0.8 they would not).
        cases=[(0.5, 0.75), (0.25, 0.5), (0.8, 0.75), (0.53, 0.95), (0.82, 0.95)],
        mistakes=[
            Mistake(
                _needed_exactly,
                "The formula is turned round rightly, but raters come whole: which way do "
                "you round, and can it be less than one?",
            ),
            Mistake(
                lambda alpha, target: max(1, int(_needed_exactly(alpha, target))),
                "Rounded down, the target is missed by a little.",
            ),
            Mistake(
                lambda alpha, target: _raters_needed(alpha, target, least=2),
                "Sometimes one rater is enough: begin with 1.",
            ),
            Mistake(
                lambda alpha, target: _raters_needed(
                    alpha, target, enough=lambda got, want: got > want
                ),
                "'At least' includes the target itself.",
            ),
            Mistake(
                lambda alpha, target: _raters_needed(alpha, target) - 1,
                "One too few: return the number that reaches the target, not the last "
                "that missed it.",
            ),
        ],
        hint="Try 1, 2, 3, … raters in the Spearman-Brown formula, or solve it for k and "
        "round up.",
    ),
    Exercise(
        reference=_alpha,
        cases=_GAPS,
        mistakes=[
            Mistake(
                lambda texts: _alpha(texts, answered=False),
                "None still counts as an answer, and two gaps as agreement.",
            ),
            Mistake(
                lambda texts: _alpha(texts, paired=False),
                "A text with one answer has no pair, so its answer must not be in the "
                "pool either.",
            ),
            Mistake(
                lambda texts: _alpha(texts, less=0),
                "In the pool, too, each answer has one partner less than there are answers.",
            ),
            Mistake(
                lambda texts: 1 - _alpha(texts),
                "That is the ratio of the two disagreements; alpha is 1 minus it.",
            ),
            Mistake(
                lambda texts: _alpha(texts, pairs=False),
                "That is the share of agreement. Divide by what chance would give.",
            ),
        ],
        hint="Take out the gaps first, then the texts with fewer than two answers; then "
        "count with how many others an answer of the pool is paired.",
    ),
]
