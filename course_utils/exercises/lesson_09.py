"""Lesson 09: LoRA's parameters, choosing by name, a decision from intervals."""

from course_utils.exercises import Exercise, Mistake

_NAMES = [
    "layer.1.weight",
    "layer.1.bias",
    "layer.10.weight",
    "layer.11.bias",
    "old_layer.1.weight",
    "head.weight",
    "scale",
]


def _rows(*rows):
    keys = ("name", "price", "behind")
    return [dict(zip(keys, row, strict=True)) for row in rows]


_CASES = [
    _rows(
        ("full", 90, (0, 0)),
        ("LoRA", 8, (-0.02, 0.01)),
        ("last layers", 5, (-0.05, 0.01)),
        ("frozen", 1, (-0.09, -0.04)),
    ),
    _rows(
        ("LoRA", 8, (0, 0)),
        ("full", 90, (-0.01, 0.02)),
        ("BitFit", 2, (-0.03, 0.0)),
    ),
    _rows(
        ("frozen", 1, (-0.02, -0.005)),
        ("full", 90, (0, 0)),
        ("LoRA", 8, (-0.03, 0.03)),
    ),
    _rows(
        ("frozen", 1, (-0.2, -0.1)),
        ("full", 90, (0, 0)),
        ("LP-FT", 95, (-0.01, 0.01)),
    ),
]


def _decide(rows, most, *, safe=None):
    safe = safe or (lambda low, high: high >= 0 and low >= -most)
    rows = [row for row in rows if safe(*row["behind"])]
    return min(rows, key=lambda row: row["price"])["name"]


EXERCISES = [
    Exercise(
        reference=lambda shapes, rank: sum(rank * (out + into) for out, into in shapes),
        cases=[
            ([(384, 384)], 8),
            ([(384, 384), (1536, 384), (384, 1536)], 4),
            ([(10, 20)], 1),
        ],
        mistakes=[
            Mistake(
                lambda shapes, rank: sum(rank * out * into for out, into in shapes),
                "A has rank · inputs numbers and B outputs · rank: they add up.",
            ),
            Mistake(
                lambda shapes, rank: sum(out * into for out, into in shapes),
                "That is the size of the whole update. LoRA trains A and B instead.",
            ),
            Mistake(
                lambda shapes, rank: sum(rank * into for _, into in shapes),
                "You counted A only; B has rank numbers for each output.",
            ),
            Mistake(
                lambda shapes, rank: sum(rank * out for out, _ in shapes),
                "You counted B only; A has rank numbers for each input.",
            ),
            Mistake(
                lambda shapes, rank: rank * (shapes[0][0] + shapes[0][1]),
                "That is right for the first matrix. There may be more of them.",
            ),
        ],
    ),
    Exercise(
        reference=lambda names, part: [
            name for name in names if name == part or name.startswith(part + ".")
        ],
        cases=[(_NAMES, "layer.1"), (_NAMES, "head"), (_NAMES, "scale")],
        mistakes=[
            Mistake(
                lambda names, part: [n for n in names if n.startswith(part)],
                "Which layers of twelve have a name that begins with 'layer.1'?",
            ),
            Mistake(
                lambda names, part: [n for n in names if part in n],
                "That finds the part's name anywhere, also in the middle of another.",
            ),
            Mistake(
                lambda names, part: [n for n in names if n == part],
                "A part contains parameters: their names go on after a dot.",
            ),
            Mistake(
                lambda names, part: [n for n in names if n.startswith(part + ".")],
                "Nearly. What if the part is itself a parameter, such as 'scale'?",
            ),
            Mistake(
                lambda names, part: [n for n in names if part + "." in n],
                "'old_layer.1.weight' also contains the part's name and a dot.",
            ),
        ],
        same=lambda got, expected: list(got) == expected,
    ),
    Exercise(
        reference=_decide,
        cases=[(_CASES[0], 0.03), (_CASES[1], 0.05), (_CASES[2], 0.03), (_CASES[3], 1)],
        mistakes=[
            Mistake(
                lambda rows, most: min(rows, key=lambda row: row["price"])["name"],
                "That is the cheapest of all. First drop the rows that are not safe.",
            ),
            Mistake(
                lambda rows, most: next(
                    row["name"] for row in rows if row["behind"] == (0, 0)
                ),
                "That is the best one. A cheaper one may be safe to take.",
            ),
            Mistake(
                lambda rows, most: _decide(
                    rows, most, safe=lambda low, high: high >= 0
                ),
                "Not told apart is not enough: a wide interval can hide a large loss. "
                "Use `most`.",
            ),
            Mistake(
                lambda rows, most: _decide(
                    rows, most, safe=lambda low, high: low >= -most
                ),
                "A small loss that is certain is still a loss: look at the high end, "
                "too.",
            ),
            Mistake(
                lambda rows, most: _decide(
                    rows, most, safe=lambda low, high: high > 0 and low >= -most
                ),
                "The best one is (0, 0) behind itself, and it is safe: 0 counts.",
            ),
            Mistake(
                lambda rows, most: _decide(
                    rows, most, safe=lambda low, high: high >= 0 and low > -most
                ),
                "Nearly. A loss of exactly `most` is not larger than `most`.",
            ),
        ],
        hint="A row is safe if its high end is at least 0 and its low end at least "
        "−most.",
    ),
]
