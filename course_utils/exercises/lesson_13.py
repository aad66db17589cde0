"""Lesson 13: scores from four counts, a leaking threshold, abstaining with a margin."""

import math

from course_utils.exercises import Exercise, Mistake

_HITS, _ALARMS, _MISSES, _SILENCES = 30, 20, 10, 940
_PRECISION, _RECALL = 30 / 50, 30 / 40
_OTHER = _SILENCES / 950, _SILENCES / 960  # precision and recall of "no complaint"
_SCORES = {
    "accuracy": 970 / 1000,
    "precision": _PRECISION,
    "recall": _RECALL,
    "F1": 2 * 30 / (2 * 30 + 20 + 10),
}


def _same_scores(got, expected):
    return (
        isinstance(got, dict)
        and got.keys() == expected.keys()
        and all(abs(float(got[name]) - expected[name]) < 1e-3 for name in expected)
    )


def _price(labels, p, threshold, *, rings=lambda p, t: p >= t, miss=10, alarm=1):
    """Return the price of all mistakes, in the two unit prices."""
    pairs = list(zip(labels, p, strict=True))
    missed = sum(label == 1 and not rings(value, threshold) for label, value in pairs)
    in_vain = sum(label == 0 and rings(value, threshold) for label, value in pairs)
    return miss * missed + alarm * in_vain


def _report(
    validation_labels, validation_p, test_labels, test_p, *, price=_price, tried=None
):
    costs = {
        t: price(validation_labels, validation_p, t)
        for t in sorted(set(tried or validation_p))
    }
    best = min(costs, key=costs.get)
    return best, price(test_labels, test_p, best)


def _chosen_on_test(_labels, _p, test_labels, test_p):
    return _report(test_labels, test_p, test_labels, test_p)


def _cost_on_validation(labels, p, test_labels, test_p):
    return _report(labels, p, labels, p)


def _candidates_of_test(labels, p, test_labels, test_p):
    return _report(labels, p, test_labels, test_p, tried=test_p)


def _prices_swapped(labels, p, test_labels, test_p):
    def swapped(labels, p, t):
        return _price(labels, p, t, miss=1, alarm=10)

    return _report(labels, p, test_labels, test_p, price=swapped)


def _strictly_above(labels, p, test_labels, test_p):
    def strict(labels, p, t):
        return _price(labels, p, t, rings=lambda value, t: value > t)

    return _report(labels, p, test_labels, test_p, price=strict)


def _threshold_only(labels, p, test_labels, test_p):
    return _report(labels, p, test_labels, test_p)[0]


def _highest_of_ties(labels, p, test_labels, test_p):
    costs = {t: _price(labels, p, t) for t in sorted(set(p), reverse=True)}
    best = min(costs, key=costs.get)
    return best, _price(test_labels, test_p, best)


def _same_report(got, expected):
    if isinstance(got, tuple | list) and isinstance(expected, tuple | list):
        return len(got) == len(expected) and all(
            abs(g - e) < 1e-9 for g, e in zip(got, expected, strict=True)
        )
    return got == expected


def _upper(wrong, n, z=1.96):
    """Return the upper limit of Wilson's interval of an error rate."""
    share = wrong / n
    centre = share + z**2 / (2 * n)
    half_width = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return (centre + half_width) / (1 + z**2 / n)


def _guarded(
    right,
    confidence,
    target,
    *,
    limit=_upper,
    above=lambda c, t: c >= t,
    stop=False,
    give=lambda t, answered, n: t,
):
    best = math.inf
    for threshold in sorted(set(confidence), reverse=True):
        answered = [
            r for r, c in zip(right, confidence, strict=True) if above(c, threshold)
        ]
        if not answered:
            continue
        wrong = len(answered) - sum(answered)
        if limit(wrong, len(answered)) <= target:
            best = give(threshold, len(answered), len(right))
        elif stop and math.isfinite(best):
            break
    return best


def _highest_allowed(right, confidence, target):
    for threshold in sorted(set(confidence), reverse=True):
        answered = [r for r, c in zip(right, confidence, strict=True) if c >= threshold]
        if _upper(len(answered) - sum(answered), len(answered)) <= target:
            return threshold
    return math.inf


def _rows(spoilt, n=120):
    """Return right answers and confidences of n rows, the rows in `spoilt` wrong."""
    confidence = [round(1 - 0.004 * (row // 2), 3) for row in range(n)]  # pairs of ties
    return [row not in spoilt for row in range(n)], confidence


EXERCISES = [
    Exercise(
        reference=_SCORES,
        mistakes=[
            Mistake(
                _SCORES | {"precision": _RECALL, "recall": _PRECISION},
                "Precision and recall are swapped: precision divides by what was said, "
                "recall by what there was.",
            ),
            Mistake(
                _SCORES | {"F1": (_PRECISION + _RECALL) / 2},
                "F1 is the harmonic mean: 2PR / (P + R), nearer to the smaller one.",
            ),
            Mistake(
                _SCORES | {"accuracy": _HITS / 1000},
                "Silence where there was nothing to say is right, too.",
            ),
            Mistake(
                _SCORES | dict.fromkeys(("precision", "recall", "F1"), _HITS / 1000),
                "Not all rows: precision divides by the alarms, recall by the "
                "complaints.",
            ),
            Mistake(
                _SCORES
                | {"precision": _OTHER[0], "recall": _OTHER[1]}
                | {"F1": 2 * _SILENCES / (950 + 960)},
                "Those are the scores of the other class. Positive means: complaint.",
            ),
        ],
        same=_same_scores,
        hint="Write the four counts down first: how many of the 50 were false alarms, "
        "and how many of the 1,000 were rightly left alone? Then give all four scores, "
        "under the names in the comment.",
    ),
    Exercise(
        reference=_report,
        cases=[
            (
                [1, 0, 0, 1, 0, 0],
                [0.9, 0.8, 0.3, 0.35, 0.2, 0.1],
                [1, 0, 1, 0, 0],
                [0.35, 0.34, 0.2, 0.6, 0.05],
            ),
            (
                [0, 0, 1, 0, 1, 0, 0],
                [0.7, 0.5, 0.6, 0.4, 0.8, 0.3, 0.2],
                [1, 1, 0, 0],
                [0.6, 0.9, 0.65, 0.1],
            ),
            ([0, 1, 0], [0.5, 0.4, 0.1], [1, 0, 1], [0.3, 0.9, 0.45]),
            (  # ten false alarms cost as much as one miss
                [1, *[0] * 10, 1],
                [0.1, *[0.2] * 10, 0.9],
                [1, 0, 1],
                [0.15, 0.3, 0.95],
            ),
        ],
        mistakes=[
            Mistake(
                _chosen_on_test,
                "The threshold still comes from the test rows: they may only be scored.",
            ),
            Mistake(
                _cost_on_validation,
                "Report the price on the test rows; on validation it is too good.",
            ),
            Mistake(
                _candidates_of_test,
                "The thresholds to try must come from validation, too.",
            ),
            Mistake(
                _prices_swapped,
                "The prices are swapped: a miss costs 10, a false alarm 1.",
            ),
            Mistake(
                _strictly_above,
                "The alarm rings from the threshold on: p >= threshold.",
            ),
            Mistake(
                _highest_of_ties,
                "Several thresholds can be equally cheap: take the lowest of them.",
            ),
            Mistake(
                _threshold_only, "Return both: the threshold and its price on the test."
            ),
        ],
        same=_same_report,
        hint="Two steps: the cheapest threshold from the two validation lists alone; "
        "then, with that threshold, the price of the two test lists.",
    ),
    Exercise(
        reference=_guarded,
        cases=[
            (*_rows({70, 90, 95, 100, 110}), 0.08),
            (*_rows({3, 50, 99, 101, 103, 105, 107}), 0.09),
            (*_rows({1, 4, 7, 10, 13}, n=20), 0.05),
            (*_rows({74, 75, 76, 77, 78, 79}, n=200), 0.075),
        ],
        mistakes=[
            Mistake(
                lambda r, c, t: _guarded(r, c, t, limit=lambda wrong, n: wrong / n),
                "That is the risk itself. Compare the upper limit of its interval.",
            ),
            Mistake(
                lambda r, c, t: _guarded(r, c, t, above=lambda c, t: c > t),
                "A sentence whose confidence equals the threshold is answered.",
            ),
            Mistake(
                _highest_allowed,
                "That is the highest threshold that is allowed. Which one answers most?",
            ),
            Mistake(
                lambda r, c, t: _guarded(r, c, t, stop=True),
                "You stop at the first threshold that fails. A lower one may pass again.",
            ),
            Mistake(
                lambda r, c, t: _guarded(
                    r, c, t, limit=lambda wrong, n: _upper(n - wrong, n)
                ),
                "That is the limit of the share of right answers. The target is on "
                "errors.",
            ),
            Mistake(
                lambda r, c, t: _guarded(
                    r, c, t, limit=lambda wrong, n: _upper(wrong, len(r))
                ),
                "Divide by the sentences that are answered, not by all.",
            ),
            Mistake(
                lambda r, c, t: _guarded(r, c, t, give=lambda t, k, n: k / n),
                "That is the coverage. Return the confidence from which it answers.",
            ),
        ],
        hint="For each confidence that occurs: count the answered sentences and the "
        "wrong ones among them, and look at the upper limit for these two numbers.",
    ),
]
