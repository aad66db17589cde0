"""Lesson 17: reading spans, a label for every piece, the best valid row of tags."""

import itertools

from course_utils.exercises import Exercise, Mistake

_SPANS = {
    ("PER", 0, 2),
    ("PER", 2, 3),
    ("LOC", 4, 6),
    ("ORG", 6, 7),
    ("ORG", 7, 8),
}
_TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def _same_set(got, expected):
    return isinstance(got, set | list | tuple) and set(got) == expected


def _label(word_ids, tags, *, later=lambda tag: tag, special=None, drop=False):
    """Label pieces; `later` turns a word's tag into that of its later pieces."""
    labels, before = [], None
    for word in word_ids:
        if word is None:
            labels += [] if drop else [special]
        else:
            labels.append(tags[word] if word != before else later(tags[word]))
        before = word
    return labels


def _inside(tag):
    return tag if tag == "O" else f"I-{tag[2:]}"


def _may_follow(before, tag):
    return tag[0] != "I" or before[2:] == tag[2:]


def _after_any_entity(before, tag):
    return tag[0] != "I" or before != "O"


def _best(scores, tags, *, may_follow=_may_follow, at_start="O"):
    """Try all rows of tags: slow, and right without any doubt."""
    best, found = None, None
    for row in itertools.product(range(len(tags)), repeat=len(scores)):
        named = [tags[k] for k in row]
        befores = [at_start or named[0], *named]
        if all(may_follow(b, t) for b, t in zip(befores, named, strict=False)):
            total = sum(scores[i][k] for i, k in enumerate(row))
            if best is None or total > best:
                best, found = total, named
    return found


def _greedy(scores, tags):
    return [tags[max(range(len(tags)), key=row.__getitem__)] for row in scores]


def _repaired(scores, tags):
    row, before = [], "O"
    for tag in _greedy(scores, tags):
        before = tag if _may_follow(before, tag) else f"B-{tag[2:]}"
        row.append(before)
    return row


def _dropped(scores, tags):
    row, before = [], "O"
    for tag in _greedy(scores, tags):
        before = tag if _may_follow(before, tag) else "O"
        row.append(before)
    return row


def _left_to_right(scores, tags):
    row, before = [], "O"
    for values in scores:
        open_to = [k for k, tag in enumerate(tags) if _may_follow(before, tag)]
        before = tags[max(open_to, key=values.__getitem__)]
        row.append(before)
    return row


def _same_row(got, expected):
    return list(got) == expected


EXERCISES = [
    Exercise(
        reference=_SPANS,
        mistakes=[
            Mistake(
                {("PER", 0, 1), ("PER", 2, 2), ("LOC", 4, 5), ("ORG", 6, 6)}
                | {("ORG", 7, 7)},
                "Your ends are the last words. Here the end is the word after it.",
            ),
            Mistake(
                {("PER", 0, 2), ("PER", 2, 3), ("ORG", 7, 8)},
                "That is strict reading: by default an I- after O, or of another type, "
                "begins an entity.",
            ),
            Mistake(
                {("PER", 0, 3), ("LOC", 4, 6), ("ORG", 6, 8)},
                "A B- begins a new entity, also right after one of its own type.",
            ),
            Mistake(
                {("PER", 0, 2), ("PER", 2, 3), ("LOC", 4, 6), ("ORG", 6, 8)},
                "Look at the last two words: what does a B- do after an I-?",
            ),
            Mistake(
                {("PER", 0, 2), ("PER", 2, 3), ("LOC", 4, 8)},
                "An entity has one type: where the type changes, another one begins.",
            ),
        ],
        same=_same_set,
        hint="Go from left to right and ask at each word: does it continue the one before?",
    ),
    Exercise(
        reference=lambda word_ids, tags: _label(word_ids, tags, later=_inside),
        cases=[
            ([None, 0, 0, 1, None], ["B-PER", "O"]),
            ([None, 0, 1, 1, 2, 2, 2, None], ["O", "B-LOC", "I-LOC"]),
            ([None, 0, 0, 1, 1, None, None], ["B-PER", "B-PER"]),
            ([0, 0, 0], ["O"]),
        ],
        mistakes=[
            Mistake(
                lambda word_ids, tags: _label(word_ids, tags),
                "A B- on a later piece begins a second entity inside the word.",
            ),
            Mistake(
                lambda word_ids, tags: _label(word_ids, tags, later=lambda tag: None),
                "That is the lesson's custom. Here later pieces are labelled, too.",
            ),
            Mistake(
                lambda word_ids, tags: _label(word_ids, tags, later=lambda tag: "O"),
                "Later pieces belong to the same word: O would end the entity inside it.",
            ),
            Mistake(
                lambda word_ids, tags: _label(
                    word_ids, tags, later=_inside, special="O"
                ),
                "Special tokens and padding are no words: None, not O.",
            ),
            Mistake(
                lambda word_ids, tags: _label(word_ids, tags, later=_inside, drop=True),
                "One label per piece, the special ones too, or all others are shifted.",
            ),
            Mistake(
                lambda word_ids, tags: _label(
                    word_ids, tags, later=lambda tag: f"I-{tag[2:]}"
                ),
                "What does your code make of the later pieces of a word tagged O?",
            ),
            Mistake(
                lambda word_ids, tags: [
                    None if word is None else _inside(tags[word]) for word in word_ids
                ],
                "The first piece keeps the word's own tag, B- included.",
            ),
        ],
        same=_same_row,
        hint="Compare the number of each piece's word with that of the piece before.",
    ),
    Exercise(
        reference=_best,
        cases=[
            ([[-0.5, -0.9, -5, -5, -5], [-3, -4, -0.1, -6, -6]], _TAGS),
            ([[-3, -3, -3, -0.6, -0.1], [-2, -3, -3, -3, -0.2]], _TAGS),
            ([[-3, -0.1, -4, -1.5, -4], [-2.4, -4, -2.5, -4, -0.1]], _TAGS),
            (
                [
                    [-0.2, -1.8, -4, -4, -4],
                    [-1.5, -4, -0.3, -4, -4],
                    [-1.5, -4, -0.3, -4, -4],
                    [-0.1, -4, -4, -4, -4],
                ],
                _TAGS,
            ),
            ([[-0.1, -2, -3, -3, -3]], _TAGS),
        ],
        mistakes=[
            Mistake(
                _greedy,
                "That is the best tag of each word by itself; the row may be nonsense.",
            ),
            Mistake(
                _repaired,
                "To mend the best tags afterwards gives a valid row, but not the one with "
                "the largest sum.",
            ),
            Mistake(
                _dropped,
                "To drop the nonsense gives a valid row, but not the one with the largest "
                "sum.",
            ),
            Mistake(
                _left_to_right,
                "You settle each word before you have seen the next one. Keep the best "
                "row for every tag it may end in.",
            ),
            Mistake(
                lambda scores, tags: _best(scores, tags, at_start=None),
                "Look at your first word: nothing stands before it that an I- could "
                "continue.",
            ),
            Mistake(
                lambda scores, tags: _best(scores, tags, may_follow=_after_any_entity),
                "An I- must continue its own type: I-LOC cannot follow B-PER.",
            ),
        ],
        same=_same_row,
        hint="Write down by hand, for two words, the best valid row that ends in each tag.",
    ),
]
