"""Lesson 01: accuracy, answering only when sure, one person against the mean."""

from course_utils.exercises import Exercise, Mistake


def _accuracy(predictions, labels):
    right = [p == label for p, label in zip(predictions, labels, strict=True)]
    return sum(right) / len(right)


def _choose(probabilities, threshold):
    def answer(p):
        if p >= threshold:
            return 1
        return 0 if p <= 1 - threshold else None

    return [answer(p) for p in probabilities]


def _rater_accuracy(ratings, labels, zero=0.5):
    points = [
        zero if rating == 0 else float((rating > 0) == (label == 1))
        for given, label in zip(ratings, labels, strict=True)
        for rating in given
    ]
    return sum(points) / len(points)


def _mean_of_sentence_means(ratings, labels):
    means = [_rater_accuracy([g], [y]) for g, y in zip(ratings, labels, strict=True)]
    return sum(means) / len(means)


EXERCISES = [
    Exercise(
        reference=_accuracy,
        cases=[
            ([1, 0, 1, 1], [1, 0, 0, 1]),
            ([0, 0], [1, 1]),
            ([1, 0, 0], [1, 0, 1]),
        ],
        mistakes=[
            Mistake(
                lambda p, y: sum(a == b for a, b in zip(p, y, strict=True)),
                "That is the number of right answers. Divide by how many there are.",
            ),
            Mistake(
                lambda p, y: 1 - _accuracy(p, y),
                "That is the share of wrong answers, the error rate.",
            ),
            Mistake(
                lambda p, y: sum(p) / len(p),
                "That is the share of positive predictions. Compare with the labels.",
            ),
            Mistake(
                lambda p, y: (
                    sum(a == b == 1 for a, b in zip(p, y, strict=True)) / len(p)
                ),
                "A prediction of 0 that equals its label is right, too.",
            ),
        ],
    ),
    Exercise(
        reference=_choose,
        cases=[
            ([0.9, 0.5, 0.1, 0.75], 0.75),
            ([0.25, 0.26, 0.5], 0.75),
            ([0.5, 0.2, 0.6], 0.5),
        ],
        mistakes=[
            Mistake(
                lambda p, t: [1 if x >= t else 0 for x in p],
                "Between the two limits the model should not answer: return None.",
            ),
            Mistake(
                lambda p, t: [1 if x >= t else None for x in p],
                "A probability near 0 is a sure answer, too: the answer 0.",
            ),
            Mistake(
                lambda p, t: [1 if x > t else 0 if x < 1 - t else None for x in p],
                "A probability exactly at the limit counts as sure: use >= and <=.",
            ),
            Mistake(
                lambda p, t: [1 if x >= t else 0 if x < 0.5 else None for x in p],
                "Below one half is not yet sure: the lower limit is 1 - threshold.",
            ),
        ],
        same=lambda got, expected: list(got) == list(expected),
        hint="Three answers are possible: 1, 0 and None.",
    ),
    Exercise(
        reference=_rater_accuracy,
        cases=[
            ([[3, -1, 0], [-2, -2]], [1, 0]),
            ([[0, 0, 1, 2]], [0]),
            ([[4], [-4, 1, 1]], [1, 0]),
        ],
        mistakes=[
            Mistake(
                lambda r, y: _rater_accuracy(r, y, zero=0.0),
                "A rating of 0 has no sign: count it as half right, not as wrong.",
            ),
            Mistake(
                lambda r, y: _rater_accuracy(r, y, zero=1.0),
                "A rating of 0 has no sign: count it as half right, not as right.",
            ),
            Mistake(
                _mean_of_sentence_means,
                "Every rating weighs the same: add up over all ratings, divide once. "
                "You averaged per sentence first.",
            ),
            Mistake(
                lambda r, y: [
                    _rater_accuracy([g], [t]) for g, t in zip(r, y, strict=True)
                ],
                "Return one number over all sentences, not one per sentence.",
            ),
        ],
    ),
]
