"""Lesson 07: noise at an SNR, copies after the split, a deletion that keeps negations."""

from course_utils.exercises import Exercise, Mistake

_ROWS = ["bad", "good", "fine", "poor"]
_NEGATIONS = {"not", "no", "never", "nothing", "without", "hardly"}


def _noise_factor(signal_power, noise_power, decibels):
    return (signal_power / 10 ** (decibels / 10) / noise_power) ** 0.5


def _split(rows, share, change):
    cut = int(share * len(rows))
    training = [made for row in rows[:cut] for made in (row, change(row))]
    return training, list(rows[cut:])


def _enlarged_first(rows, share, change):
    enlarged = [made for row in rows for made in (row, change(row))]
    cut = int(share * len(enlarged))
    return enlarged[:cut], enlarged[cut:]


def _test_changed(rows, share, change):
    training, test = _split(rows, share, change)
    return training, [made for row in test for made in (row, change(row))]


def _rounded_cut(rows, share, change):
    return _split(rows, round(share * len(rows)) / len(rows), change)


def _copies_only(rows, share, change):
    training, test = _split(rows, share, change)
    return training[1::2], test


def _copies_at_the_end(rows, share, change):
    cut = int(share * len(rows))
    return [*rows[:cut], *map(change, rows[:cut])], list(rows[cut:])


def _is_negation(word):
    return word.lower() in _NEGATIONS or word.lower().endswith("n't")


def _safe_delete(
    words, chances, strength, *, spared=_is_negation, goes=lambda chance, s: chance < s
):
    pairs = zip(words, chances, strict=True)
    stays = [
        word for word, chance in pairs if spared(word) or not goes(chance, strength)
    ]
    return stays or list(words)


def _may_be_empty(words, chances, strength):
    pairs = zip(words, chances, strict=True)
    return [word for word, c in pairs if _is_negation(word) or c >= strength]


def _same_lists(got, expected):
    return list(map(list, got)) == list(map(list, expected))


EXERCISES = [
    Exercise(
        reference=_noise_factor,
        cases=[(1.0, 1.0, 20), (0.2, 0.05, 5), (1.0, 4.0, 0)],
        mistakes=[
            Mistake(
                lambda s, n, d: s / 10 ** (d / 10) / n,
                "That is the factor for the power. Twice the samples mean four times "
                "the power.",
            ),
            Mistake(
                lambda s, n, d: (s * 10 ** (d / 10) / n) ** 0.5,
                "The sign of the exponent: more decibels must mean less noise.",
            ),
            Mistake(
                lambda s, n, d: (s / 10 ** (d / 20) / n) ** 0.5,
                "Powers take d / 10 in the exponent; d / 20 belongs to samples. "
                "Do not take both the 20 and the root.",
            ),
            Mistake(
                lambda s, n, d: (1 / 10 ** (d / 10)) ** 0.5,
                "That is right only for a signal and a noise of equal power.",
            ),
            Mistake(
                lambda s, n, d: (n / 10 ** (d / 10) / s) ** 0.5,
                "Signal and noise have changed places: a louder signal allows more "
                "noise.",
            ),
        ],
        hint="First the power that the noise should have, then the factor to get there.",
    ),
    Exercise(
        reference=_split,
        cases=[(_ROWS, 0.4, str.upper), ([1, 2, 3], 0.7, lambda n: -n)],
        mistakes=[
            Mistake(
                _enlarged_first,
                "A row may now be on one side and its copy on the other: cut first.",
            ),
            Mistake(
                _test_changed,
                "The test rows should stay as they are: no copies there.",
            ),
            Mistake(
                _copies_only,
                "The originals are missing: each row is followed by its copy.",
            ),
            Mistake(
                _copies_at_the_end,
                "The right rows in another order: each row is followed by its own copy.",
            ),
            Mistake(
                lambda rows, share, change: (
                    rows[: int(share * len(rows))],
                    rows[int(share * len(rows)) :],
                ),
                "A clean split, but the training part was not enlarged.",
            ),
            Mistake(
                _rounded_cut,
                "Nearly: the cut is rounded down, with int, not to the nearest row.",
            ),
        ],
        same=_same_lists,
        hint="Cut the rows, then walk through the training part.",
    ),
    Exercise(
        reference=_safe_delete,
        cases=[
            (["It", "is", "Not", "good"], [0.9, 0.05, 0.05, 0.05], 0.1),
            (["I", "didn't", "laugh"], [0.5, 0.01, 0.2], 0.2),
            (["so", "dull"], [0.1, 0.1], 0.5),
            (["nothing", "works", "Hardly", "ever"], [0.1, 0.1, 0.1, 0.9], 0.5),
            (["knots", "and", "nods"], [0.1, 0.9, 0.9], 0.5),
        ],
        mistakes=[
            Mistake(
                lambda w, c, s: _safe_delete(w, c, s, spared=lambda word: False),
                "Negations are dropped like any other word.",
            ),
            Mistake(
                lambda w, c, s: _safe_delete(
                    w,
                    c,
                    s,
                    spared=lambda word: word in _NEGATIONS or word.endswith("n't"),
                ),
                "'Not' at the beginning of a sentence is a negation, too.",
            ),
            Mistake(
                lambda w, c, s: _safe_delete(
                    w, c, s, spared=lambda word: word.lower() in _NEGATIONS
                ),
                "Look at the short forms: didn't, won't, isn't.",
            ),
            Mistake(
                lambda w, c, s: _safe_delete(
                    w,
                    c,
                    s,
                    spared=lambda word: (
                        any(n in word.lower() for n in _NEGATIONS)
                        or word.lower().endswith("n't")
                    ),
                ),
                "Compare whole words: 'knots' has 'not' in it and negates nothing.",
            ),
            Mistake(
                lambda w, c, s: _safe_delete(w, c, s, goes=lambda c, s: c >= s),
                "The wrong way round: a word goes if its number is below the strength.",
            ),
            Mistake(
                lambda w, c, s: _safe_delete(w, c, s, goes=lambda c, s: c <= s),
                "Below means below: a number equal to the strength lets the word stay.",
            ),
            Mistake(
                _may_be_empty,
                "What if every word goes? An empty text has no label.",
            ),
        ],
        same=lambda got, expected: list(got) == list(expected),
        hint="Decide for each word whether it must stay; only then look at its number.",
    ),
]
