"""Lesson 14: the rate that is reached, the share of padding, the order of predictions."""

import math

from course_utils.exercises import Exercise, Mistake


def _peak_rate(texts, batch_size, epochs, rate, warmup):
    steps = epochs * math.ceil(texts / batch_size)
    return rate * min(1, (steps - 1) / warmup)


def _padding_share(lengths, batch_size):
    batches = [lengths[i : i + batch_size] for i in range(0, len(lengths), batch_size)]
    return 1 - sum(lengths) / sum(max(b) * len(b) for b in batches)


def _file_order(predicted, lengths):
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    restored = [None] * len(lengths)
    for row, answer in zip(order, predicted, strict=True):
        restored[row] = answer
    return restored


def _longest_of_all(lengths, batch_size):
    return 1 - sum(lengths) / (max(lengths) * len(lengths))


def _last_batch_full(lengths, batch_size):
    batches = [lengths[i : i + batch_size] for i in range(0, len(lengths), batch_size)]
    return 1 - sum(lengths) / sum(max(b) * batch_size for b in batches)


def _wrong_way(predicted, lengths):
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    return [predicted[row] for row in order]


def _shortest_first(predicted, lengths):
    order = sorted(range(len(lengths)), key=lambda row: lengths[row])
    restored = [None] * len(lengths)
    for row, answer in zip(order, predicted, strict=True):
        restored[row] = answer
    return restored


EXERCISES = [
    Exercise(
        reference=_peak_rate,
        cases=[
            (840, 16, 1, 5e-5, 500),
            (1000, 32, 3, 2e-4, 50),
            (100, 30, 2, 1e-3, 100),
        ],
        mistakes=[
            Mistake(
                lambda n, b, e, r, w: r * min(1, (e * (n // b) - 1) / w),
                "The last, smaller batch of an epoch is a step, too: round up.",
            ),
            Mistake(
                lambda n, b, e, r, w: r * min(1, e * math.ceil(n / b) / w),
                "Steps are counted from 0: the last one has the number steps - 1.",
            ),
            Mistake(
                lambda n, b, e, r, w: r * (e * math.ceil(n / b) - 1) / w,
                "After the warm-up the rate rises no further: at most `rate`.",
            ),
            Mistake(
                lambda n, b, e, r, w: r * min(1, (math.ceil(n / b) - 1) / w),
                "Every epoch has its own steps: multiply by the epochs.",
            ),
        ],
        # Rates are tiny numbers: compare them relative to their size.
        same=lambda got, expected: math.isclose(float(got), expected, rel_tol=1e-6),
    ),
    Exercise(
        reference=_padding_share,
        cases=[([3, 10, 4, 4, 9], 2), ([5, 5, 5], 2), ([1, 2, 3, 4, 50, 60], 3)],
        mistakes=[
            Mistake(
                _longest_of_all,
                "That pads every text to the longest of all. Pad each batch by itself.",
            ),
            Mistake(
                lambda n, b: _padding_share(sorted(n), b),
                "Cut the lengths in the order given; sorting is what you compare with.",
            ),
            Mistake(
                lambda n, b: 1 - _padding_share(n, b),
                "That is the share of real tokens; the padding is the rest.",
            ),
            Mistake(
                _last_batch_full,
                "The last batch may hold fewer texts: count those it has.",
            ),
        ],
    ),
    Exercise(
        reference=_file_order,
        cases=[
            ([1, 0, 2, 3], [5, 9, 2, 7]),
            ([1, 2, 3], [4, 4, 8]),
            ([1, 0, 0, 1, 1], [3, 1, 4, 1, 5]),
        ],
        mistakes=[
            Mistake(
                _wrong_way,
                "That takes the predictions in length order once more. The first one "
                "belongs to the longest text: put it at that text's row.",
            ),
            Mistake(_shortest_first, "The trainer's order has the longest text first."),
            Mistake(
                lambda p, n: list(p),
                "That is still the trainer's order. Where does the longest text stand?",
            ),
            Mistake(
                lambda p, n: list(reversed(p)),
                "Turning the list round is not enough: use the lengths.",
            ),
        ],
        same=lambda got, expected: list(got) == list(expected),
    ),
]
