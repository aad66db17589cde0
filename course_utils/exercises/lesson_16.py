"""Lesson 16: a rater and the others, two thresholds, one number for several domains."""

import math

import numpy as np

from course_utils.exercises import Exercise, Mistake


def _one_and_others(ratings, place):
    rest = [rating for number, rating in enumerate(ratings) if number != place]
    return ratings[place], sum(rest) / len(rest)


def _without_equals(ratings, place):
    rest = [rating for rating in ratings if rating != ratings[place]]
    return ratings[place], sum(rest) / max(len(rest), 1)


def _two_thresholds(
    ham_scores, spam_scores, ration, *, number=lambda share, of: int(share * of)
):
    high = sorted(ham_scores, reverse=True)[number(ration, len(ham_scores))]
    low = sorted(spam_scores)[number(ration, len(spam_scores))]
    return low, high


def _other_ends(ham_scores, spam_scores, ration):
    high = sorted(ham_scores)[int(ration * len(ham_scores))]
    low = sorted(spam_scores, reverse=True)[int(ration * len(spam_scores))]
    return low, high


def _within(said, target, domain, *, fewest=3, constant_is_zero=False, by_size=False):
    """Return the mean r over the domains, with the ways to get it wrong."""
    said, target, domain = map(np.asarray, (said, target, domain))
    found, sizes = [], []
    for name in np.unique(domain):
        a, b = said[domain == name], target[domain == name]
        if len(a) < fewest:
            continue
        if np.ptp(a) > 0 and np.ptp(b) > 0:
            found.append(np.corrcoef(a, b)[0, 1])
        elif constant_is_zero:
            found.append(0.0)
        else:
            continue
        sizes.append(len(a))
    return np.average(found, weights=sizes if by_size else None)


def _centred(said, target, domain):
    """Take each domain's mean off, then pool."""
    said, target, domain = map(np.asarray, (said, target, domain))
    said, target = said.astype(float), target.astype(float)
    for name in np.unique(domain):
        said[domain == name] -= said[domain == name].mean()
        target[domain == name] -= target[domain == name].mean()
    return np.corrcoef(said, target)[0, 1]


_HAM = [0.05, 0.9, 0.12, 0.2, 0.6, 0.3, 0.35, 0.4, 0.22, 0.1]
_SPAM = [0.15, 0.99, 0.5, 0.55, 0.65, 0.7, 0.8, 0.85, 0.95, 0.45]
_MORE = [0.31, 0.77, 0.35, 0.37, 0.41, 0.43, 0.45, 0.47, 0.51, 0.53]
_MORE += [0.55, 0.57, 0.61, 0.63, 0.65, 0.67, 0.71, 0.73, 0.75, 0.33]

EXERCISES = [
    Exercise(
        reference=_one_and_others,
        cases=[([1, 2, 3], 0), ([4, 4, -2, 0], 2), ([2, 2, 2, 5], 1)],
        mistakes=[
            Mistake(
                lambda ratings, place: (ratings[place], sum(ratings) / len(ratings)),
                "That mean still contains the rater.",
            ),
            Mistake(
                _without_equals,
                "You dropped everybody who gave the same number. Drop the place, "
                "not the value.",
            ),
            Mistake(
                lambda ratings, place: (
                    ratings[place],
                    (sum(ratings) - ratings[place]) / len(ratings),
                ),
                "The rater is gone from the sum, but is still counted below the line.",
            ),
            Mistake(
                lambda ratings, place: _one_and_others(ratings, place)[::-1],
                "First the rating, then the mean of the others.",
            ),
        ],
    ),
    Exercise(
        reference=_two_thresholds,
        cases=[
            (_HAM, _SPAM, 0.1),
            ([0.1, 0.8, 0.3, 0.2, 0.7], _MORE, 0.1),
            ([0.2, 0.5, 0.4], [0.6, 0.45, 0.9], 0.0),
        ],
        mistakes=[
            Mistake(
                lambda h, s, r: _two_thresholds(h, s, r)[::-1],
                "First the low threshold, then the high one.",
            ),
            Mistake(
                lambda h, s, r: _two_thresholds(s, h, r),
                "The high threshold protects ham, so it comes from the ham scores; "
                "the low one from the spam scores.",
            ),
            Mistake(
                lambda h, s, r: _two_thresholds(
                    h, s, r, number=lambda share, of: int(share * of) + 1
                ),
                "One message too many gets through: count how many ham scores lie "
                "above your high threshold.",
            ),
            Mistake(
                lambda h, s, r: _two_thresholds(
                    h, s, r, number=lambda share, of: max(int(share * of) - 1, 0)
                ),
                "The ration is not used up: the high threshold can be lower.",
            ),
            Mistake(
                lambda h, s, r: _two_thresholds(
                    h, s, r, number=lambda share, of: math.ceil(share * of)
                ),
                "If the ration allows half a message, it allows none: round down.",
            ),
            Mistake(
                lambda h, s, r: (np.quantile(s, r), np.quantile(h, 1 - r)),
                "A quantile is put between two scores. Take scores that occurred, "
                "and count.",
            ),
            Mistake(
                _other_ends,
                "You counted from the other end: the ration is for the highest ham "
                "and for the lowest spam.",
            ),
        ],
    ),
    Exercise(
        reference=_within,
        cases=[
            (
                np.array([3.1, 2.9, 3.0, 3.2, -1.0, -0.9, -1.1, -1.2]),
                np.array([2.0, 3.0, 3.5, 2.5, -1.5, -0.5, -1.0, 0.0]),
                np.array(["amazon"] * 4 + ["nyt"] * 4),
            ),
            (
                np.array([1.0, 2, 3, 4, 5, 6, 0.5, 0.1, 0.9, 2, -2]),
                np.array([1.0, 3, 2, 5, 4, 6, -1, -0.8, -1.4, 3, 1]),
                np.array(["films"] * 6 + ["nyt"] * 3 + ["sms"] * 2),
            ),
            (
                np.array([1.0, 1, 1, 2, 3, 5, 1, 2, 4]),
                np.array([0.0, 1, 2, 1, 2, 2.5, 2, 2, 2]),
                np.array(["tweets"] * 3 + ["nyt"] * 3 + ["films"] * 3),
            ),
        ],
        mistakes=[
            Mistake(
                lambda said, target, domain: np.corrcoef(said, target)[0, 1],
                "That is the colleague's number: it rewards knowing the domain.",
            ),
            Mistake(
                _centred,
                "Without the domains' means it is still one pot, in which the domain "
                "with the widest ratings decides. Compute one r for each domain.",
            ),
            Mistake(
                lambda said, target, domain: _within(
                    said, target, domain, by_size=True
                ),
                "A plain mean: every domain counts the same, large or small.",
            ),
            Mistake(
                lambda said, target, domain: _within(said, target, domain, fewest=2),
                "Two texts always lie on a line: leave out domains with fewer "
                "than three.",
            ),
            Mistake(
                lambda said, target, domain: _within(
                    said, target, domain, constant_is_zero=True
                ),
                "Equal answers have no r, not an r of 0: leave that domain out.",
            ),
        ],
    ),
]
