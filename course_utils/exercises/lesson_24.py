"""Lesson 24: a file name taken apart, folds by speaker, live normalisation."""

from course_utils.exercises import Exercise, Mistake

_GERMAN = {"W": "anger", "L": "boredom", "E": "disgust", "A": "fear"}
_GERMAN |= {"F": "happiness", "T": "sadness", "N": "neutral"}
# What the letters look like to someone who thinks in English.
_ENGLISH = _GERMAN | {"A": "anger", "F": "fear"}


def _folds(speakers, count, *, order=None):
    order = order or list(dict.fromkeys(speakers))
    return [order.index(name) % count for name in speakers]


def _runs(speakers, count):
    """Deal stretches of one speaker: who comes back gets another fold."""
    found, number = [], -1
    for row, name in enumerate(speakers):
        number += row == 0 or name != speakers[row - 1]
        found.append(number % count)
    return found


def _blocks(speakers, count):
    """Deal the speakers in blocks of equal size, not in turn."""
    order = list(dict.fromkeys(speakers))
    return [order.index(name) * count // len(order) for name in speakers]


def _live(values, speakers, *, upto=0, rest=None, own_only=False):
    """Take off the mean of the same speaker's values before `now + upto`."""
    found = []
    for now, (value, speaker) in enumerate(zip(values, speakers, strict=True)):
        end = len(values) if upto is None else now + upto
        pairs = list(zip(values[:end], speakers[:end], strict=True))
        own = [v for v, s in pairs if s == speaker]
        others = [v for v, _ in pairs]
        known = own or ([] if own_only else others) or [0]
        if rest == "everyone":
            known = others or [0]
        found.append(value - sum(known) / len(known))
    return found


def _of_normalised(values, speakers):
    """Average what was already normalised instead of the original values."""
    found = []
    for now, (value, speaker) in enumerate(zip(values, speakers, strict=True)):
        pairs = zip(found, speakers[:now], strict=True)
        known = [v for v, s in pairs if s == speaker] or found or [0]
        found.append(value - sum(known) / len(known))
    return found


EXERCISES = [
    Exercise(
        reference=lambda name: (name[:2], _GERMAN[name[5]]),
        cases=[
            ("03a01Fa.wav",),
            ("16b10Wb.wav",),
            ("08a04Ac.wav",),
            ("11a02Na.wav",),
            ("14a05Eb.wav",),
            ("09b01La.wav",),
            ("13b03Td.wav",),
        ],
        mistakes=[
            Mistake(
                lambda name: (name[:2], _ENGLISH[name[5]]),
                "A stands for Angst and F for Freude: the letters are German words.",
            ),
            Mistake(
                lambda name: (name[:2], name[5]),
                "The letter is right; turn it into the English word.",
            ),
            Mistake(
                lambda name: (int(name[:2]), _GERMAN[name[5]]),
                "Keep the speaker as text: 03 is a name, not a quantity.",
            ),
            Mistake(
                lambda name: (_GERMAN[name[5]], name[:2]),
                "First the speaker, then the emotion.",
            ),
            Mistake(
                lambda name: (name[:5], _GERMAN[name[5]]),
                "The first two digits are the speaker; the next three signs are the text.",
            ),
        ],
        same=lambda got, expected: tuple(got) == tuple(expected),
        hint="Count the signs from 0: two for the speaker, three for the text, then one.",
    ),
    Exercise(
        reference=_folds,
        cases=[
            (["b", "b", "a", "c", "a", "d"], 2),
            (["x", "y", "x", "z", "w", "v", "y"], 3),
            (["one", "one", "one"], 4),
        ],
        mistakes=[
            Mistake(
                lambda speakers, count: [row % count for row in range(len(speakers))],
                "That deals the rows, as the colleague did: a speaker is on both sides.",
            ),
            Mistake(
                lambda speakers, count: _folds(
                    speakers, count, order=sorted(set(speakers))
                ),
                "You numbered the speakers in order of their names; take the order in "
                "which they appear.",
            ),
            Mistake(
                _runs,
                "A speaker who comes back got a new number; remember the first one.",
            ),
            Mistake(
                _blocks,
                "You dealt the speakers in blocks; deal them in turn: 0, 1, …, then 0 again.",
            ),
            Mistake(
                lambda speakers, count: _folds(speakers, len(speakers)),
                "Every speaker got a fold to itself; there are only `count` folds.",
            ),
        ],
        same=lambda got, expected: [int(g) for g in got] == list(expected),
        hint="Give each speaker a number at first sight; the fold follows from it.",
    ),
    Exercise(
        reference=_live,
        cases=[
            ([4.0, 6.0, 1.0, 9.0, 3.0], ["a", "a", "b", "a", "b"]),
            ([2.0, 8.0, 5.0], ["a", "b", "c"]),
            ([7.0, 3.0, 3.0, 8.0], ["a", "b", "a", "b"]),
        ],
        mistakes=[
            Mistake(
                lambda v, s: _live(v, s, upto=None),
                "You used later clips, too: in a live service they have not come yet.",
            ),
            Mistake(
                lambda v, s: _live(v, s, upto=1),
                "You let the clip itself into the mean; only earlier clips count.",
            ),
            Mistake(
                lambda v, s: _live(v, s, own_only=True),
                "For a speaker's first clip, take off the mean of all earlier values.",
            ),
            Mistake(
                lambda v, s: _live(v, s, rest="everyone"),
                "You took the mean over everyone; where the speaker has earlier clips, "
                "only these count.",
            ),
            Mistake(
                _of_normalised,
                "You averaged normalised values; average the original ones.",
            ),
        ],
        hint="For clip i, which values with a smaller index are of the same speaker?",
    ),
]
