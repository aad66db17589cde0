"""Lesson 26: states from curves, a fair comparison of runs, a pull to the start."""

import math

from course_utils.exercises import Exercise, Mistake


def _fair(plain_validation, plain_test, remedy_validation, remedy_test):
    plain = plain_validation.index(min(plain_validation))
    remedy = remedy_validation.index(min(remedy_validation))
    return plain_test[plain] - remedy_test[remedy]


def _last_equal(plain_validation, plain_test, remedy_validation, remedy_test):
    def look(losses):
        return max(i for i, loss in enumerate(losses) if loss == min(losses))

    return plain_test[look(plain_validation)] - remedy_test[look(remedy_validation)]


def _one_look(plain_validation, plain_test, remedy_validation, remedy_test):
    look = plain_validation.index(min(plain_validation))
    return plain_test[look] - remedy_test[min(look, len(remedy_test) - 1)]


def _step(weights, start, gradient, rate, decay):
    return [
        w - rate * (g + decay * (w - s))
        for w, s, g in zip(weights, start, gradient, strict=True)
    ]


def _close(got, expected):
    got, expected = list(got), list(expected)
    return len(got) == len(expected) and all(
        math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)
        for a, b in zip(got, expected, strict=True)
    )


def _same_names(got, expected):
    return [str(name).strip().lower() for name in got] == list(expected)


EXERCISES = [
    Exercise(
        reference=["over", "under", "neither", "neither"],
        mistakes=[
            Mistake(
                ["over", "under", "over", "over"],
                "A gap is not enough, and neither is a risen validation loss alone: what "
                "does the rule ask of both losses? Read C and D again.",
            ),
            Mistake(
                ["over", "under", "over", "neither"],
                "C has a gap. By how much is its validation loss above its lowest look?",
            ),
            Mistake(
                ["over", "under", "neither", "over"],
                "Did D's training loss go on falling after its best look?",
            ),
            Mistake(
                ["over", "under", "neither", "under"],
                "D is poor now, but compare its training accuracy with the baseline's.",
            ),
            Mistake(
                ["over", "neither", "neither", "neither"],
                "B has no gap. Is it good? Ask the first line of the rule.",
            ),
        ],
        same=_same_names,
        hint="Take the three lines of the rule in order, run by run; four names.",
    ),
    Exercise(
        reference=_fair,
        cases=[
            ([0.6, 0.4, 0.7], [0.62, 0.45, 0.75], [0.6, 0.5, 0.42], [0.64, 0.41, 0.46]),
            (
                [0.5, 0.5, 0.9],
                [0.58, 0.52, 0.88],
                [0.55, 0.44, 0.44, 0.6],
                [0.5, 0.49, 0.47, 0.61],
            ),
            ([0.7, 0.3], [0.66, 0.37], [0.4, 0.31, 0.35], [0.43, 0.36, 0.33]),
        ],
        mistakes=[
            Mistake(
                lambda a, b, c, d: b[-1] - min(d),
                "That is the colleague's: the plain run's last look against the remedy's "
                "luckiest. Both may choose, and both only on validation rows.",
            ),
            Mistake(
                lambda a, b, c, d: min(b) - min(d),
                "The same for both, but chosen on the test rows: each number is too good.",
            ),
            Mistake(
                lambda a, b, c, d: b[-1] - d[c.index(min(c))],
                "The plain run may choose its look as well.",
            ),
            Mistake(
                lambda a, b, c, d: b[-1] - d[-1],
                "Two last looks: fair, but nobody who has validation rows would stop there.",
            ),
            Mistake(
                lambda a, b, c, d: min(a) - min(c),
                "These are validation losses, and each is the best of several: flattered. "
                "Choose there, report the test loss.",
            ),
            Mistake(
                lambda a, b, c, d: -_fair(a, b, c, d),
                "The other way round: plain minus remedied, so that a gain is positive.",
            ),
            Mistake(_one_look, "Each run has a best look of its own."),
            Mistake(
                _last_equal, "Of equally low looks take the first: it was cheaper."
            ),
        ],
        hint="First the index of the lowest validation loss, once for each run.",
    ),
    Exercise(
        reference=_step,
        cases=[
            ([1.0, -2.0], [0.5, -2.0], [0.1, 0.3], 0.1, 2.0),
            ([0.0, 3.0, 1.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0], 0.5, 0.4),
            ([0.7], [0.2], [-1.0], 0.01, 0.0),
        ],
        mistakes=[
            Mistake(
                lambda w, s, g, r, d: _step(w, [0.0] * len(w), g, r, d),
                "That is the ordinary decay: it pulls to zero. Where should it pull to?",
            ),
            Mistake(
                lambda w, s, g, r, d: _step(w, s, g, r, -d),
                "This pushes away from the start. With no gradient the weights should "
                "come nearer to it.",
            ),
            Mistake(
                lambda w, s, g, r, d: [
                    a - r * c - d * (a - b) for a, b, c in zip(w, s, g, strict=True)
                ],
                "The pull is not times the rate here.",
            ),
            Mistake(
                lambda w, s, g, r, d: _step(w, s, [-x for x in g], r, d),
                "Against the gradient: it points to where the loss rises.",
            ),
            Mistake(
                lambda w, s, g, r, d: _step(s, s, g, r, d),
                "The step starts at the present weights, not at the pretrained ones.",
            ),
            Mistake(
                lambda w, s, g, r, d: _step(w, s, [0.0] * len(w), r, d),
                "The gradient is missing.",
            ),
        ],
        same=_close,
        hint="With a gradient of zero, a weight at its start must stay where it is.",
    ),
]
