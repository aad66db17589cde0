"""Lesson 08: names behind wrappers, the loss by a shortlist, the Pareto front."""

from course_utils.exercises import Exercise, Mistake

_WRAPPERS = ("module.", "_orig_mod.")


def _unwrap(name):
    while name.startswith(_WRAPPERS):
        for wrapper in _WRAPPERS:
            name = name.removeprefix(wrapper)
    return name


def _once(name):
    for wrapper in _WRAPPERS:
        if name.startswith(wrapper):
            return name.removeprefix(wrapper)
    return name


def _in_one_order(name):
    for wrapper in _WRAPPERS:
        name = name.removeprefix(wrapper)
    return name


def _everywhere(name):
    return name.replace("module.", "").replace("_orig_mod.", "")


def _shortlist(predicted, size, *, highest=True):
    order = sorted(range(len(predicted)), key=lambda one: predicted[one])
    return (order[::-1] if highest else order)[:size]


def _points_lost(predicted, real, size):
    return max(real) - max(real[one] for one in _shortlist(predicted, size))


def _last_on_list(predicted, real, size):
    return max(real) - real[_shortlist(predicted, size)[-1]]


def _mean_of_list(predicted, real, size):
    return max(real) - sum(real[one] for one in _shortlist(predicted, size)) / size


def _lowest_predicted(predicted, real, size):
    short = _shortlist(predicted, size, highest=False)
    return max(real) - max(real[one] for one in short)


def _only_first(predicted, real, size):
    return max(real) - real[_shortlist(predicted, 1)[0]]


def _front(seconds, scores, beats):
    everyone = range(len(seconds))
    return [
        b
        for b in everyone
        if not any(
            beats(seconds[a], scores[a], seconds[b], scores[b]) for a in everyone
        )
    ]


def _beats(s, p, t, q):
    return s <= t and p >= q and (s < t or p > q)


def _strict_beats(s, p, t, q):
    return s < t and p > q


def _slow_beats(s, p, t, q):
    return s >= t and p >= q and (s > t or p > q)


def _pareto(seconds, scores):
    return _front(seconds, scores, _beats)


def _best_so_far(seconds, scores):
    """Walk from fast to slow and keep what is better: one of two equals is lost."""
    found, best = [], float("-inf")
    for one in sorted(range(len(seconds)), key=lambda k: (seconds[k], -scores[k])):
        if scores[one] > best:
            found, best = [*found, one], scores[one]
    return sorted(found)


def _by_speed(seconds, scores):
    return sorted(_pareto(seconds, scores), key=lambda one: seconds[one])


EXERCISES = [
    Exercise(
        reference=_unwrap,
        cases=[
            ("_orig_mod.encoder.layer.0.output",),
            ("module.dense.weight",),
            ("_orig_mod.module.dropout.bias",),
            ("module._orig_mod.module.mlp.weight",),
            ("encoder.module.weight",),
            ("dense.bias",),
            ("module.layer.module.0",),
            ("modules.0.weight",),
        ],
        mistakes=[
            Mistake(
                lambda name: name.lstrip("".join(_WRAPPERS)),
                "lstrip takes *characters* off, any of those listed, not a word. Look "
                "for the method that removes a prefix as a whole.",
            ),
            Mistake(
                _once,
                "A model can be wrapped twice. Go on as long as there is a prefix.",
            ),
            Mistake(
                _in_one_order,
                "You try each wrapper once, in one order. They may come in the other "
                "order, or again.",
            ),
            Mistake(
                _everywhere,
                "Names may hold these words further inside, where they belong. Only the "
                "beginning counts.",
            ),
            Mistake(
                lambda name: name.split(".", 1)[-1],
                "That drops the first part of every name, also of those without a "
                "wrapper.",
            ),
        ],
        hint="Only a wrapper at the beginning goes, as often as there is one.",
    ),
    Exercise(
        reference=_points_lost,
        cases=[
            ([0.9, 0.5, 0.7, 0.2], [0.70, 0.90, 0.80, 0.60], 1),
            ([0.9, 0.5, 0.7, 0.2], [0.70, 0.90, 0.80, 0.60], 2),
            ([0.9, 0.5, 0.7, 0.2], [0.70, 0.90, 0.80, 0.60], 3),
            ([-1.2, -0.4, -0.8], [0.65, 0.60, 0.75], 2),
            ([0.9, 0.5, 0.7], [0.80, 0.90, 0.70], 2),
        ],
        mistakes=[
            Mistake(
                _last_on_list,
                "All candidates on the shortlist are trained, and the best of them is "
                "kept; you took the last one.",
            ),
            Mistake(
                _mean_of_list,
                "You keep one model, the best of the shortlist, not the mean of them.",
            ),
            Mistake(
                _lowest_predicted,
                "Those are the candidates with the lowest predicted scores. Higher is "
                "better.",
            ),
            Mistake(
                _only_first,
                "That is the first choice alone. Let `size` candidates compete.",
            ),
            Mistake(
                lambda p, r, n: -_points_lost(p, r, n),
                "The sign: how much *worse* than the best of all, so 0 or more.",
            ),
            Mistake(
                lambda p, r, n: max(r) - max(sorted(p, reverse=True)[:n]),
                "You subtract a predicted score. Use it to choose, and the real score "
                "to judge.",
            ),
        ],
        hint="Sort positions by the predicted score, cut the list, look up real scores.",
    ),
    Exercise(
        reference=_pareto,
        cases=[
            ([1.0, 2.0, 3.0, 2.5], [70.0, 80.0, 90.0, 75.0]),
            ([3.0, 1.0, 2.0], [90.0, 70.0, 80.0]),
            ([1.0, 1.0, 2.0], [70.0, 70.0, 70.0]),
            ([1.0, 1.0], [60.0, 70.0]),
            ([2.0, 1.0, 3.0], [80.0, 80.0, 95.0]),
        ],
        mistakes=[
            Mistake(
                lambda s, p: _front(s, p, _strict_beats),
                "Equal speed with a better score beats, too: strictly better in *one* "
                "of the two is enough.",
            ),
            Mistake(
                _best_so_far,
                "Two candidates that are equal in both do not beat each other: both "
                "stay.",
            ),
            Mistake(
                lambda s, p: _front(s, p, _slow_beats),
                "Fewer seconds are better; you kept the slow ones.",
            ),
            Mistake(
                _by_speed,
                "The right candidates; return the positions in increasing order.",
            ),
            Mistake(
                lambda s, p: [p.index(max(p))],
                "That is the best score alone. A faster one that is worse may stay.",
            ),
        ],
        same=lambda got, expected: list(got) == list(expected),
        hint="For each candidate, look for another that beats it.",
    ),
]
