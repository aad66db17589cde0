"""Lesson 19: labels of a conversation, padding, and what may come next."""

from course_utils.exercises import Exercise, Mistake

_TALK = [("system", [9]), ("user", [5, 6]), ("assistant", [7, 2]), ("user", [8])]


def _labels(turns, *, counts=lambda role: role == "assistant", skip=-100):
    return [i if counts(role) else skip for role, ids in turns for i in ids]


def _without_last(turns):
    """Leave each answer's last token, the stop token, out of the loss."""
    labels = []
    for role, ids in turns:
        kept = len(ids) - 1 if role == "assistant" else 0
        labels += ids[:kept] + [-100] * (len(ids) - kept)
    return labels


def _last_answer_only(turns):
    last = max(place for place, (role, _) in enumerate(turns) if role == "assistant")
    return [
        i if place == last else -100
        for place, (_, ids) in enumerate(turns)
        for i in ids
    ]


def _pad(rows, starts, pad, *, fill=-100, hide=lambda i, pad, padding: padding):
    longest = max(len(row) for row in rows)
    ids, labels = [], []
    for row, start in zip(rows, starts, strict=True):
        full = row + [pad] * (longest - len(row))
        ids.append(full)
        labels.append(
            [
                -100
                if place < start
                else fill
                if hide(i, pad, place >= len(row))
                else i
                for place, i in enumerate(full)
            ]
        )
    return ids, labels


def _pad_left(rows, starts, pad):
    longest = max(len(row) for row in rows)
    gaps = [longest - len(row) for row in rows]
    ids = [[pad] * gap + row for gap, row in zip(gaps, rows, strict=True)]
    labels = [
        [-100] * (gap + start) + row[start:]
        for gap, start, row in zip(gaps, starts, rows, strict=True)
    ]
    return ids, labels


def _keep_first_padding(rows, starts, pad):
    """Add a stop token to every row that is filled up, instead of keeping its own."""
    ids, labels = _pad(rows, starts, pad)
    for row, label in zip(rows, labels, strict=True):
        if len(row) < len(label):
            label[len(row)] = pad
    return ids, labels


def _allowed(
    text, vocabulary, valid, *, fits=str.startswith, stop=lambda t, valid, a: t in valid
):
    allowed = [t for t in vocabulary if any(fits(a, text + t) for a in valid)]
    return allowed + ["<stop>"] * stop(text, valid, allowed)


def _same_pair(got, expected):
    return [[list(row) for row in part] for part in got] == [
        list(part) for part in expected
    ]


EXERCISES = [
    Exercise(
        reference=_labels,
        cases=[
            (_TALK,),
            ([("user", [1, 3]), ("assistant", [4, 4, 2])],),
            (
                [
                    ("user", [3]),
                    ("assistant", [5, 2]),
                    ("user", [6]),
                    ("assistant", [7, 2]),
                ],
            ),
        ],
        mistakes=[
            Mistake(
                lambda turns: _labels(turns, counts=lambda role: role != "assistant"),
                "That trains on the questions and masks the answers.",
            ),
            Mistake(
                lambda turns: _labels(turns, counts=lambda role: role != "user"),
                "A system turn is read, not written: mask it, too.",
            ),
            Mistake(
                lambda turns: _labels(turns, skip=0),
                "0 is a token like any other. Which number does the loss skip?",
            ),
            Mistake(
                _without_last,
                "The last token of each answer is missing. What would a model trained "
                "like this do at the end of an answer?",
            ),
            Mistake(
                _last_answer_only,
                "There may be several answers, and each is something to learn from.",
            ),
            Mistake(
                lambda turns: _labels(turns)[1:],
                "Do not shift here: labels stand at the place of their token, and the "
                "loss moves them by one.",
            ),
        ],
        hint="One label per token: the token itself in an assistant turn, else −100.",
    ),
    Exercise(
        reference=_pad,
        cases=[
            ([[1, 5, 6, 2], [1, 7, 2]], [2, 1], 2),
            ([[1, 2, 4, 4, 2], [1, 3, 2], [1, 1, 9, 2]], [3, 1, 2], 2),
            ([[4, 5], [6, 7]], [1, 0], 0),
            ([[1, 5, 2, 3], [1, 2]], [1, 1], 2),
        ],
        mistakes=[
            Mistake(
                lambda rows, starts, pad: _pad(
                    rows, starts, pad, hide=lambda i, pad, padding: i == pad
                ),
                "That still masks by the token's number, so the stop token goes with "
                "the padding. Which places are padding, whatever stands there?",
            ),
            Mistake(
                lambda rows, starts, pad: _pad(rows, starts, pad, fill=pad),
                "The padding is in the loss now: the model learns to say the padding "
                "token again and again.",
            ),
            Mistake(
                _pad_left,
                "Fill up on the right, as the given function does; on the left is for "
                "writing answers.",
            ),
            Mistake(
                lambda rows, starts, pad: _pad(rows, [0] * len(rows), pad),
                "The prompt is in the loss: what stands before `starts` is read only.",
            ),
            Mistake(
                _keep_first_padding,
                "Rows have their own stop token; one place of the padding is trained "
                "on besides.",
            ),
        ],
        same=_same_pair,
        hint="Build each row's labels from its length and its start, before you pad.",
    ),
    Exercise(
        reference=_allowed,
        cases=[
            ("", ["y", "yes", "es", "no", "n", "o"], ["yes", "no", "yes please"]),
            (
                "yes",
                ["es", " please", "please", " p", "o"],
                ["yes", "no", "yes please"],
            ),
            ("n", ["o", "y", "ot"], ["yes", "no"]),
            ("no", ["no", "o"], ["yes", "no"]),
            ("e", ["s", "ye"], ["yes", "no"]),
        ],
        mistakes=[
            Mistake(
                lambda text, vocabulary, valid: _allowed(
                    text, vocabulary, valid, fits=lambda answer, begun: begun in answer
                ),
                "A text that stands in the *middle* of an answer is no beginning.",
            ),
            Mistake(
                lambda text, vocabulary, valid: (
                    [t for t in vocabulary if any(a.startswith(t) for a in valid)]
                    + ["<stop>"] * (text in valid)
                ),
                "You test the token alone. It comes after what was said so far.",
            ),
            Mistake(
                lambda text, vocabulary, valid: _allowed(
                    text, vocabulary, valid, stop=lambda t, valid, a: False
                ),
                "A whole valid answer may end: without a stop, nothing ever does.",
            ),
            Mistake(
                lambda text, vocabulary, valid: _allowed(
                    text, vocabulary, valid, stop=lambda t, valid, a: not a
                ),
                "An answer may stop although a longer one begins with it, and a dead "
                "end is no answer.",
            ),
            Mistake(
                lambda text, vocabulary, valid: _allowed(
                    text, vocabulary, valid, fits=lambda answer, begun: answer == begun
                ),
                "A token need not finish the answer; it must only lead on to one.",
            ),
            Mistake(
                lambda text, vocabulary, valid: (
                    ["<stop>"] if text in valid else _allowed(text, vocabulary, valid)
                ),
                "A whole answer may also be the beginning of a longer one: then both "
                "are allowed.",
            ),
        ],
        hint="Which valid answers begin with text + token?",
    ),
]
