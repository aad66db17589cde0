"""Lesson 25: a finder's precision, whom to believe, a finder of wrong labels to repair."""

from course_utils.exercises import Exercise, Mistake


def _precision(wrong, error):
    return wrong * (1 - error) / (wrong * (1 - error) + (1 - wrong) * error)


def _right_among(class_shares, matrix):
    classes = range(len(class_shares))
    found = []
    for label in classes:
        carry = sum(class_shares[true] * matrix[true][label] for true in classes)
        right = class_shares[label] * matrix[label][label]
        found.append(right / carry if carry else 0.0)
    return found


def _joint_shares(class_shares, matrix):
    return [share * matrix[label][label] for label, share in enumerate(class_shares)]


def _without_shares(class_shares, matrix):
    return _right_among([1 / len(class_shares)] * len(class_shares), matrix)


def _turned(class_shares, matrix):
    return _right_among(class_shares, [list(row) for row in zip(*matrix, strict=True)])


def _suspects(labels, p, *, own_class=True, most_probable=True, left_out=True):
    """Confident learning; each switch turned off is one of the colleague's bugs."""
    import numpy as np

    labels, p = np.asarray(labels), np.asarray(p, dtype=float)
    classes = range(p.shape[1])
    thresholds = np.array(
        [p[labels == k, k].mean() if own_class else p[:, k].mean() for k in classes]
    )
    above = p >= thresholds - 1e-6
    if most_probable:
        confident = np.where(above, p, -1).argmax(axis=1)
    else:
        confident = above.argmax(axis=1)
    if not left_out:  # a row above no threshold falls to the first class
        confident = np.where(above.any(axis=1), confident, 0)
    own = p[np.arange(len(labels)), labels]
    named = (confident != labels) & (p.max(axis=1) > own)
    if left_out:
        named &= above.any(axis=1)
    return [int(row) for row in np.flatnonzero(named)]


def _colleague(labels, p):
    import numpy as np

    labels, p = np.asarray(labels), np.asarray(p, dtype=float)
    confident = (p >= p.mean(axis=0)).argmax(axis=1)
    return [int(row) for row in np.flatnonzero(confident != labels)]


def _own_forgotten(labels, p):
    """Confident of another class, though the label is the most probable one."""
    import numpy as np

    labels, p = np.asarray(labels), np.asarray(p, dtype=float)
    classes = range(p.shape[1])
    above = p >= np.array([p[labels == k, k].mean() for k in classes]) - 1e-6
    confident = np.where(above, p, -1).argmax(axis=1)
    named = above.any(axis=1) & (confident != labels)
    return [int(row) for row in np.flatnonzero(named)]


def _differs(labels, p):
    import numpy as np

    said = np.asarray(p, dtype=float).argmax(axis=1)
    return [int(row) for row in np.flatnonzero(said != np.asarray(labels))]


_NOISY = [
    ([0.5, 0.5], [[0.9, 0.1], [0.2, 0.8]]),
    ([0.1, 0.9], [[0.9, 0.1], [0.1, 0.9]]),
    ([0.3, 0.2, 0.5], [[0.8, 0.2, 0.0], [0.0, 1.0, 0.0], [0.0, 0.4, 0.6]]),
    ([0.4, 0.6, 0.0], [[1.0, 0.0, 0.0], [0.3, 0.7, 0.0], [0.0, 1.0, 0.0]]),
]

# Rows 1 and 6 are suspects, and each mistake names other rows.
_THREE = (
    [0, 0, 0, 1, 1, 1, 2, 2, 2],
    [
        [0.05, 0.35, 0.60],
        [0.35, 0.60, 0.05],
        [0.35, 0.25, 0.40],
        [0.20, 0.15, 0.65],
        [0.10, 0.55, 0.35],
        [0.00, 0.80, 0.20],
        [0.55, 0.15, 0.30],
        [0.10, 0.05, 0.85],
        [0.10, 0.05, 0.85],
    ],
)
_TWO = (
    [0, 0, 0, 0, 1, 1, 1, 1],
    [
        [0.9, 0.1],
        [0.8, 0.2],
        [0.45, 0.55],
        [0.1, 0.9],
        [0.2, 0.8],
        [0.3, 0.7],
        [0.55, 0.45],
        [0.9, 0.1],
    ],
)

# Row 4's label is its most probable class, below its threshold: no suspect.
_OWN = (
    [0, 0, 1, 1, 2, 2],
    [
        [0.45, 0.30, 0.25],
        [0.35, 0.40, 0.25],
        [0.10, 0.80, 0.10],
        [0.20, 0.70, 0.10],
        [0.42, 0.08, 0.50],
        [0.05, 0.05, 0.90],
    ],
)

EXERCISES = [
    Exercise(
        reference=_precision,
        cases=[(0.05, 0.3), (0.2, 0.1), (0.4, 0.4), (0.01, 0.02)],
        mistakes=[
            Mistake(
                lambda wrong, error: 1 - error,
                "That is the recall: the share of wrong labels that are named. Precision "
                "asks the other way round: of what is named, how much is wrong?",
            ),
            Mistake(
                lambda wrong, error: wrong * (1 - error),
                "That is the share of all labels that are wrong and named. Divide it by "
                "the share of all labels that are named.",
            ),
            Mistake(
                lambda wrong, error: (
                    wrong * (1 - error) / (wrong * (1 - error) + error)
                ),
                "In the sum below, only the right labels can be named without reason: "
                "which share of all labels is right?",
            ),
            Mistake(
                lambda wrong, error: wrong / (wrong + (1 - wrong) * error),
                "Not every wrong label is named: where the model errs, it agrees with it.",
            ),
            Mistake(
                lambda wrong, error: 1 - _precision(wrong, error),
                "That is the share of named labels that are right.",
            ),
            Mistake(
                lambda wrong, error: _precision(wrong, 1 - error),
                "`error` is the share on which the model is wrong. When does it name a "
                "wrong label?",
            ),
        ],
        hint="Write down two shares of all labels: wrong and named, right and named.",
    ),
    Exercise(
        reference=_right_among,
        cases=_NOISY,
        mistakes=[
            Mistake(
                lambda class_shares, matrix: [
                    row[label] for label, row in enumerate(matrix)
                ],
                "The diagonal says how many of a true class keep their label. Asked is how "
                "many of those that carry a label belong to the class.",
            ),
            Mistake(
                _joint_shares,
                "That is the share of all texts that are of the class and carry its label. "
                "Divide by the share that carries the label.",
            ),
            Mistake(
                _without_shares,
                "You went down the column, and forgot that the classes are not equally "
                "frequent: weigh each row with its class's share.",
            ),
            Mistake(
                _turned,
                "Rows are the truth, columns the label: you went the other way.",
            ),
        ],
        hint="Who carries label k? Add up, over the true classes, share × probability of "
        "getting label k. Which part of that sum is right?",
    ),
    Exercise(
        reference=_suspects,
        cases=[_THREE, _TWO, _OWN],
        mistakes=[
            Mistake(
                _colleague,
                "This is still the colleague's answer. Begin with the thresholds: whose "
                "probabilities of class k make that of class k?",
            ),
            Mistake(
                lambda labels, p: _suspects(labels, p, own_class=False),
                "The threshold of a class is a mean over the rows that carry its label, "
                "not over all rows.",
            ),
            Mistake(
                lambda labels, p: _suspects(labels, p, most_probable=False),
                "`argmax` of True and False gives the first True. Which of the classes "
                "above their thresholds is meant?",
            ),
            Mistake(
                lambda labels, p: _suspects(labels, p, left_out=False),
                "A row above no threshold has no confident class: it cannot be a suspect. "
                "What does `argmax` give for a row of equal values?",
            ),
            Mistake(
                _own_forgotten,
                "A row whose label is among its most probable classes is no suspect, even "
                "if another class is above its threshold and the label is not.",
            ),
            Mistake(
                _differs,
                "That is the simple rule: the model's answer differs. Where are the "
                "thresholds?",
            ),
        ],
        hint="Thresholds from the rows of the class; of the classes above theirs the most "
        "probable; rows above none left out, and rows whose label is most probable.",
    ),
]
