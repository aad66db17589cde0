"""Lesson 23: counting edits, the label mask that keeps the end, character error rate."""

from course_utils.exercises import Exercise, Mistake

_COUNTS = {"exchanged": 1, "deleted": 1, "inserted": 2, "WER": 4 / 7}


def _same_counts(got, expected):
    close = abs(got["WER"] - expected["WER"]) < 0.005
    kinds = ("exchanged", "deleted", "inserted")
    return close and all(got[kind] == expected[kind] for kind in kinds)


def _mask_after(rows, end, *, keep=1):
    masked = []
    for row in rows:
        length = row.index(end) + keep
        masked.append([*row[:length], *[-100] * (len(row) - length)])
    return masked


def _edits(a, b):
    row = list(range(len(b) + 1))
    for i, one in enumerate(a, start=1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(b, start=1):
            cheapest = min(row[j] + 1, row[j - 1] + 1, diagonal + (one != other))
            diagonal, row[j] = row[j], cheapest
    return row[-1]


def _rate(references, heard, *, prepare=str.lower, count=_edits, length=lambda a, b: a):
    pairs = [(prepare(a), prepare(b)) for a, b in zip(references, heard, strict=True)]
    wrong = sum(count(a, b) for a, b in pairs)
    return wrong / sum(len(length(a, b)) for a, b in pairs)


def _mean_of_rates(references, heard):
    rates = [_rate([a], [b]) for a, b in zip(references, heard, strict=True)]
    return sum(rates) / len(rates)


def _place_by_place(a, b):
    return sum(x != y for x, y in zip(a, b, strict=False)) + abs(len(a) - len(b))


EXERCISES = [
    Exercise(
        reference=_COUNTS,
        mistakes=[
            Mistake(
                _COUNTS | {"WER": 4 / 8},
                "Divide by the words that were said, not by those that were heard.",
            ),
            Mistake(
                _COUNTS | {"WER": 1 / 7},
                "All three kinds of edits count, not only exchanged words.",
            ),
            Mistake(
                _COUNTS | {"WER": 2 / 7},
                "All three kinds of edits count, inserted words as well.",
            ),
            Mistake(
                _COUNTS | {"WER": 4},
                "That is the number of edits. The rate is a share of the words said.",
            ),
            Mistake(
                _COUNTS | {"deleted": 2, "inserted": 1},
                "Deleted words were said and not heard, inserted ones the reverse.",
            ),
            Mistake(
                {"exchanged": 5, "deleted": 0, "inserted": 1, "WER": 6 / 7},
                "You compared place by place. Let a missing word shift the rest.",
            ),
        ],
        same=_same_counts,
        hint="Write both below each other, with gaps, so that most words stand alike.",
    ),
    Exercise(
        reference=_mask_after,
        cases=[
            ([[5, 7, 9, 9, 9], [5, 6, 7, 8, 9]], 9),
            ([[50362, 11, 50256, 50256], [50362, 50256, 50256, 50256]], 50256),
        ],
        mistakes=[
            Mistake(
                lambda rows, end: [[-100 if t == end else t for t in r] for r in rows],
                "Every end is masked, as in the broken one: the first belongs to the label.",
            ),
            Mistake(
                lambda rows, end: rows,
                "Nothing is masked: the model would learn to write end signs for ever.",
            ),
            Mistake(
                lambda rows, end: [r[: r.index(end) + 1] for r in rows],
                "The rows have to stay equally long: put −100 where the fillers were.",
            ),
            Mistake(
                lambda rows, end: _mask_after(rows, end, keep=2),
                "One filler too many is kept: only the first end sign is a label.",
            ),
        ],
        hint="Where does a row's text end? Everything after that place is a filler.",
        same=lambda got, expected: (
            [list(map(int, row)) for row in got]
            == [list(map(int, row)) for row in expected]
        ),
    ),
    Exercise(
        reference=_rate,
        cases=[
            (["Zolvamir", "yes"], ["zolvamere", "yes"]),
            (["take it", "a"], ["take a bit", "ab"]),
            (["Two drops of Tamuvex", "No."], ["two drop off Tamu vex", "Oh no."]),
            (["abcd"], ["bcd"]),
        ],
        mistakes=[
            Mistake(
                _mean_of_rates,
                "Sum up edits and characters over all texts, then divide once.",
            ),
            Mistake(
                lambda r, h: _rate(r, h, prepare=str),
                "Capitals should count as equal: fold both texts.",
            ),
            Mistake(
                lambda r, h: _rate(r, h, length=lambda a, b: b),
                "Divide by the characters that were said.",
            ),
            Mistake(
                lambda r, h: _rate(r, h, length=lambda a, b: max(a, b, key=len)),
                "Divide by the characters that were said, even if more were heard.",
            ),
            Mistake(
                lambda r, h: _rate(r, h, count=_place_by_place),
                "Comparing place by place: one missing letter makes all others wrong.",
            ),
            Mistake(
                lambda r, h: _rate(r, h, prepare=lambda text: text.lower().split()),
                "Those are words. The table of edits works on letters just as well.",
            ),
            Mistake(
                lambda r, h: _rate(
                    r, h, prepare=lambda text: text.lower().replace(" ", "")
                ),
                "Blanks are characters here: 'tamu vex' is not 'tamuvex'.",
            ),
            Mistake(
                lambda r, h: _rate(r, h) * sum(map(len, r)),
                "That is the number of edits; divide by the characters said.",
            ),
        ],
        hint="Fill the table of `distances` with letters, not words, then add up.",
    ),
]
