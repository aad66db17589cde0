"""Lesson 21: IoU of a moved box, NMS within classes, a threshold for a customer."""

import numpy as np

from course_utils.exercises import Exercise, Mistake


def _overlap(boxes):
    a, b = np.array(boxes, float)[:, None], np.array(boxes, float)[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    common = np.clip(sides, 0, None).prod(axis=-1)
    area_a, area_b = ((c[..., 2:] - c[..., :2]).prod(axis=-1) for c in (a, b))
    return common / (area_a + area_b - common)


def _nms(
    overlap,
    scores,
    labels,
    limit,
    *,
    ordered=True,
    by_class=True,
    at_limit=True,
    removed_count=False,
):
    """NMS whose options are the listed mistakes; as given it is right."""
    order = (
        np.argsort(-np.asarray(scores), kind="stable")
        if ordered
        else range(len(scores))
    )
    kept, seen = [], []
    for number in order:
        rivals = seen if removed_count else kept
        rivals = [k for k in rivals if not by_class or labels[k] == labels[number]]
        shares = [overlap[number, k] for k in rivals]
        if all(share <= limit if at_limit else share < limit for share in shares):
            kept.append(int(number))
        seen.append(number)
    return kept


def _by_class_in_turn(overlap, scores, labels, limit):
    kept = _nms(overlap, scores, labels, limit)
    return sorted(kept, key=lambda number: labels[number])


def _threshold(
    scores,
    hits,
    positives,
    precision,
    *,
    shown=lambda score, threshold: score >= threshold,
    enough=lambda found, wanted: found >= wanted,
    of_found=False,
    reverse=False,
    stop=False,
):
    best = (None, 0.0)
    for threshold in sorted(set(scores), reverse=reverse or stop):
        chosen = [h for s, h in zip(scores, hits, strict=True) if shown(s, threshold)]
        if not chosen or not enough(sum(chosen) / len(chosen), precision):
            if stop:
                return best
            continue
        total = sum(hits) if of_found else positives
        best = threshold, sum(chosen) / total
        if not stop:
            return best
    return best


def _box_by_box(scores, hits, positives, precision):
    """Count box after box, as if those of one score could be parted."""
    best, right = (None, 0.0), 0
    order = sorted(zip(scores, hits, strict=True), key=lambda pair: -pair[0])
    for shown, (score, hit) in enumerate(order, start=1):
        right += hit
        if right / shown >= precision:
            best = score, right / positives
    return best


def _same_boxes(got, expected):
    return [int(number) for number in got] == list(expected)


def _same_pair(got, expected):
    threshold, recall = got
    if threshold is None or expected[0] is None:
        return threshold is None and expected[0] is None and recall == expected[1]
    return bool(np.allclose([threshold, recall], expected))


# Two doubles of class 0 (the better one second), a card under a coin of another class,
# three boxes in a row of which the middle one overlaps both, and one exactly at the limit.
_DOUBLES = (
    _overlap([[0, 0, 10, 10], [1, 0, 11, 10], [0, 0, 10, 10], [30, 0, 40, 10]]),
    np.array([0.6, 0.9, 0.8, 0.5]),
    np.array([0, 0, 1, 0]),
    0.5,
)
_ROW = (
    _overlap([[0, 0, 12, 10], [4, 0, 16, 10], [8, 0, 20, 10]]),
    np.array([0.9, 0.8, 0.7]),
    np.array([2, 2, 2]),
    0.4,
)
_AT_LIMIT = (
    _overlap([[0, 0, 12, 10], [4, 0, 16, 10]]),
    np.array([0.3, 0.4]),
    np.array([0, 0]),
    0.5,
)
_TWO_CLASSES = (
    _overlap([[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]]),
    np.array([0.2, 0.9, 0.5]),
    np.array([0, 1, 0]),
    0.5,
)

EXERCISES = [
    Exercise(
        reference={12: 4, 48: 16},
        mistakes=[
            Mistake(
                {12: 6, 48: 24},
                "Half a side off leaves half of the box in common, but together they "
                "then cover one and a half boxes: the IoU is a third.",
            ),
            Mistake(
                {12: 3, 48: 12},
                "That is safe, but not the most: compute the IoU for one pixel more.",
            ),
            Mistake(
                {12: 4, 48: 4},
                "The large box can be off further: what counts is the share of its side.",
            ),
        ],
        same=lambda got, expected: isinstance(got, dict) and dict(got) == expected,
        hint="Write the common area and the area of both together for a shift of d "
        "pixels; the height cancels out.",
    ),
    Exercise(
        reference=_nms,
        cases=[_DOUBLES, _ROW, _AT_LIMIT, _TWO_CLASSES],
        mistakes=[
            Mistake(
                lambda o, s, k, limit: _nms(
                    o, s, k, limit, ordered=False, by_class=False
                ),
                "Those are both faults of the broken one: it takes boxes as they come, "
                "and lets classes remove each other.",
            ),
            Mistake(
                lambda o, s, k, limit: _nms(o, s, k, limit, by_class=False),
                "A coin that lies on a card must not remove it: compare boxes of one "
                "class only.",
            ),
            Mistake(
                lambda o, s, k, limit: _nms(o, s, k, limit, ordered=False),
                "The boxes do not come sorted: begin with the highest score.",
            ),
            Mistake(
                lambda o, s, k, limit: _nms(o, s, k, limit, at_limit=False),
                "At exactly the limit both boxes stay; only more overlap removes one.",
            ),
            Mistake(
                lambda o, s, k, limit: _nms(o, s, k, limit, removed_count=True),
                "A box that was removed must not remove others: compare with those "
                "that were kept.",
            ),
            Mistake(
                _by_class_in_turn,
                "The right boxes stay, but the order is by class. Best first over all "
                "classes was asked.",
            ),
        ],
        same=_same_boxes,
    ),
    Exercise(
        reference=_threshold,
        cases=[
            ([0.9, 0.8, 0.7, 0.6, 0.5], [True, True, False, True, False], 5, 0.75),
            ([0.9, 0.8, 0.7, 0.6, 0.5], [True, False, True, True, True], 8, 0.8),
            ([0.9, 0.8, 0.7, 0.6, 0.5], [True, False, True, True, True], 8, 0.7),
            ([0.3, 0.9, 0.6], [False, True, True], 4, 0.9),
            ([0.9, 0.5], [False, False], 3, 0.5),
            ([0.9, 0.5, 0.5], [True, True, False], 3, 0.9),  # two boxes, one score
        ],
        mistakes=[
            Mistake(
                lambda s, h, n, p: _threshold(s, h, n, p, of_found=True),
                "Recall is a share of all objects that exist, not only of those that "
                "some box found: use positives.",
            ),
            Mistake(
                lambda s, h, n, p: _threshold(s, h, n, p, shown=lambda a, t: a > t),
                "A box whose score equals the threshold is shown, too.",
            ),
            Mistake(
                lambda s, h, n, p: _threshold(s, h, n, p, enough=lambda a, b: a > b),
                "Precision that is exactly as wanted is enough.",
            ),
            Mistake(
                lambda s, h, n, p: _threshold(s, h, n, p, reverse=True),
                "That is the highest threshold that reaches it; a lower one may find "
                "more objects.",
            ),
            Mistake(
                lambda s, h, n, p: _threshold(s, h, n, p, stop=True),
                "Precision does not fall steadily: after a dip it can rise again. Do not "
                "stop at the first threshold that fails.",
            ),
            Mistake(
                _box_by_box,
                "Boxes of the same score are shown together or not at all: do not stop "
                "between them.",
            ),
        ],
        same=_same_pair,
    ),
]
