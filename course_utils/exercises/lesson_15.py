"""Lesson 15: KerasHub's inputs, and the losses behind a running mean."""

from course_utils.exercises import Exercise, Mistake


def _inputs(ids, width, *, cut=True, mask=1, fill=0, left=False, tail=False):
    texts = [(text[-width:] if tail else text[:width]) if cut else text for text in ids]

    def filled(values, size):
        rest = [fill] * (width - size)
        return [*rest, *values] if left else [*values, *rest]

    return {
        "token_ids": [filled(text, len(text)) for text in texts],
        "padding_mask": [
            [1 - mask] * (width - len(t)) + [mask] * len(t)
            if left
            else [mask] * len(t) + [1 - mask] * (width - len(t))
            for t in texts
        ],
        "segment_ids": [[0] * width for _ in texts],
    }


def _own_names(ids, width):
    found = _inputs(ids, width)
    names = ("input_ids", "attention_mask", "token_type_ids")
    return dict(zip(names, found.values(), strict=True))


def _short_segments(ids, width):
    found = _inputs(ids, width)
    return found | {"segment_ids": [[0] * len(text[:width]) for text in ids]}


def _batch_losses(means):
    sums = [mean * count for count, mean in enumerate(means, 1)]
    return [now - before for now, before in zip(sums, [0, *sums[:-1]], strict=True)]


def _differences(means):
    return [now - before for now, before in zip(means, [0, *means[:-1]], strict=True)]


def _without_the_first(means):
    return _batch_losses(means)[1:]


def _counts_from_zero(means):
    sums = [mean * count for count, mean in enumerate(means)]
    return [now - before for now, before in zip(sums, [0, *sums[:-1]], strict=True)]


def _mean_of_all(means):
    return [mean * len(means) for mean in means]


EXERCISES = [
    Exercise(
        reference=_inputs,
        cases=[
            ([[101, 7, 102], [101, 7, 8, 9, 102]], 5),
            ([[101, 7, 8, 9, 102], [101, 102]], 3),
            ([[101, 5, 102]], 6),
        ],
        mistakes=[
            Mistake(_own_names, "KerasHub's names are needed: see the cell s04-names."),
            Mistake(
                lambda ids, width: _inputs(ids, width, cut=False),
                "A text longer than the width has to be cut first.",
            ),
            Mistake(
                lambda ids, width: _inputs(ids, width, tail=True),
                "Keep the beginning of a long text: [CLS] stands there.",
            ),
            Mistake(
                lambda ids, width: _inputs(ids, width, mask=0),
                "The mask is 1 where there is text and 0 where there is padding.",
            ),
            Mistake(
                lambda ids, width: _inputs(ids, width, left=True),
                "Fill up behind the text: an encoder reads [CLS] at the first place.",
            ),
            Mistake(
                _short_segments,
                "All three have the same width: segment_ids are filled up as well.",
            ),
        ],
    ),
    Exercise(
        reference=_batch_losses,
        cases=[
            ([1.0, 0.75, 0.5],),
            ([0.5, 0.5, 0.5, 2.0],),
            ([0.25],),
        ],
        mistakes=[
            Mistake(
                _differences,
                "The third mean is a third of three losses: get the sums back first.",
            ),
            Mistake(_without_the_first, "The first batch has a loss, too: its mean."),
            Mistake(
                _counts_from_zero,
                "After the first batch one loss has been counted, not none.",
            ),
            Mistake(
                _mean_of_all,
                "A mean times all batches is no sum: at batch k, k losses were counted.",
            ),
        ],
    ),
]
