"""Lesson 06: the price of padding, a leak finder to repair, families of copies."""

from course_utils.exercises import Exercise, Mistake

_TOKENS = {"set": 120, "batch": 78, "sorted": 74}


def _grams(text):
    return {text[i : i + 3] for i in range(len(text) - 2)}


def _leaked(
    train,
    test,
    threshold=0.5,
    *,
    fold_train=str.lower,
    fold_test=str.lower,
    whole=lambda a, b: len(a | b),
    enough=lambda share, threshold: share >= threshold,
    once=True,
):
    found = []
    for place, text in enumerate(test):
        grams = _grams(fold_test(text))
        for other in train:
            others = _grams(fold_train(other))
            if enough(len(grams & others) / whole(grams, others), threshold):
                found.append(place)
    return sorted(set(found)) if once else found


def _leaked_but(**changes):
    return lambda *given: _leaked(*given, **changes)


def _equal_only(train, test, threshold=0.5):
    return [k for k, text in enumerate(test) if text.lower() in map(str.lower, train)]


def _training_side(train, test, threshold=0.5):
    return _leaked(test, train, threshold)


def _half_always(train, test, threshold=0.5):
    return _leaked(train, test)


def _families(pairs, count):
    family = list(range(count))
    for i, j in pairs:
        old, new = family[j], family[i]
        family = [new if number == old else number for number in family]
    return family


def _only_the_second_moves(pairs, count):
    family = list(range(count))
    for i, j in pairs:
        family[j] = family[i]
    return family


def _direct_links_only(pairs, count):
    """Each text joins its smallest direct neighbour; chains stay torn."""
    return [
        min(
            [
                text,
                *(i for i, j in pairs if j == text),
                *(j for i, j in pairs if i == text),
            ]
        )
        for text in range(count)
    ]


def _linked_or_not(pairs, count):
    linked = {text for pair in pairs for text in pair}
    return [0 if text in linked else text + 1 for text in range(count)]


def _singles_together(pairs, count):
    linked = {text for pair in pairs for text in pair}
    return [
        number if text in linked else -1
        for text, number in enumerate(_families(pairs, count))
    ]


def _same_partition(got, expected):
    """Any numbers will do, as long as the same texts are together."""
    got, expected = list(got), list(expected)
    links = set(zip(got, expected, strict=True))
    return len(links) == len(set(got)) == len(set(expected))


EXERCISES = [
    Exercise(
        reference=_TOKENS,
        mistakes=[
            Mistake(
                {"set": 51, "batch": 51, "sorted": 51},
                "That counts the real tokens. The computer works on the padding, too.",
            ),
            Mistake(
                {"set": 30, "batch": 39, "sorted": 37},
                "Those are the widths. Each row of a batch is as wide as its longest.",
            ),
            Mistake(
                _TOKENS | {"batch": 74},
                "'batch' takes the texts as they come: 5 with 9, then 30 with 7.",
            ),
            Mistake(
                _TOKENS | {"sorted": 78},
                "'sorted' puts the two shortest together, then the two longest.",
            ),
            Mistake(
                _TOKENS | {"set": 60},
                "All four texts are padded to the longest of the set, not two of them.",
            ),
        ],
        hint="Draw each batch as a rectangle: texts times the longest of them.",
    ),
    Exercise(
        reference=lambda *given: _leaked(*given),
        cases=[
            (["Free prize, CALL now!"], ["FREE PRIZE, call now", "see you at lunch"]),
            (["call me"], ["call me when the train has left the station, please"]),
            (
                ["win cash now", "win cash now!"],
                ["hello there, friend", "Win cash now"],
            ),
            (["there is no need to hurry, we have time"], ["no need to hurry"]),
            (["abc"], ["xyz", "abcd"]),
            (["lunch at one", "meet me at noon", "ok then, bye"], ["OK then, bye!"]),
            (["win cash now"], ["win cash soon", "Win cash now"], 0.9),
        ],
        mistakes=[
            Mistake(
                _leaked_but(
                    fold_test=str,
                    whole=lambda a, b: max(1, len(b)),
                    once=False,
                ),
                "That is the function as it was given. Start with the case of letters.",
            ),
            Mistake(
                _leaked_but(fold_test=str),
                "Fold the case on both sides: the test text is still as it was written.",
            ),
            Mistake(
                _leaked_but(whole=lambda a, b: max(1, len(b))),
                "You divide by the training text's shingles alone: a short training "
                "text that lies inside a long one would count as its copy.",
            ),
            Mistake(
                _leaked_but(whole=lambda a, b: max(1, len(a))),
                "You divide by the test text's shingles alone. Jaccard divides by the "
                "shingles that occur in either text.",
            ),
            Mistake(
                _leaked_but(once=False),
                "A test text with two copies in training is listed twice.",
            ),
            Mistake(
                _leaked_but(enough=lambda share, threshold: share > threshold),
                "A similarity of exactly the threshold counts, too.",
            ),
            Mistake(
                _half_always,
                "Your function compares with one fixed number. Use the `threshold` that "
                "it is given.",
            ),
            Mistake(
                _equal_only,
                "That finds equal texts only. Compare the shingles.",
            ),
            Mistake(
                _training_side,
                "Those are positions in the training list. Wanted: in the test list.",
            ),
        ],
        hint="Work through one pair by hand: shingles shared, shingles in either one.",
        same=lambda got, expected: list(got) == list(expected),
    ),
    Exercise(
        reference=_families,
        cases=[
            ([(0, 1), (1, 2)], 4),
            ([(0, 1), (2, 3), (1, 3)], 5),
            ([(4, 1), (3, 4), (0, 2)], 6),
            ([], 3),
            ([(2, 3), (0, 3)], 4),
        ],
        mistakes=[
            Mistake(
                _only_the_second_moves,
                "When two families meet, all members of one must move, not one text.",
            ),
            Mistake(
                _direct_links_only,
                "You joined direct pairs only. Follow the chain: 0–1 and 1–2 make one "
                "family of three.",
            ),
            Mistake(
                _linked_or_not,
                "All linked texts got one number. There may be several families.",
            ),
            Mistake(
                _singles_together,
                "Texts without a pair are no copies of each other: each is a family "
                "of its own.",
            ),
        ],
        hint="Start with every text alone; let each pair join two whole families.",
        same=_same_partition,
    ),
]
