"""Lesson 20: weights of a convolution, moving statistics, a Grad-CAM to repair."""

import numpy as np

from course_utils.exercises import Exercise, Mistake


def _cam(maps, gradient):
    weights = gradient.mean(axis=(1, 2))
    return np.maximum((weights[:, None, None] * maps).sum(axis=0), 0)


def _weights_from_maps(maps, gradient):
    weights = maps.mean(axis=(1, 2))
    return np.maximum((weights[:, None, None] * maps).sum(axis=0), 0)


def _clipped_before(maps, gradient):
    weights = gradient.mean(axis=(1, 2))
    return (weights[:, None, None] * np.maximum(maps, 0)).sum(axis=0)


def _each_channel_clipped(maps, gradient):
    weights = gradient.mean(axis=(1, 2))
    return np.maximum(weights[:, None, None] * maps, 0).sum(axis=0)


def _not_clipped(maps, gradient):
    weights = gradient.mean(axis=(1, 2))
    return (weights[:, None, None] * maps).sum(axis=0)


def _place_by_place(maps, gradient):
    return np.maximum((gradient * maps).sum(axis=0), 0)


def _broken(maps, gradient):
    weights = maps.mean(axis=(1, 2))
    return (weights[:, None, None] * np.maximum(maps, 0)).sum(axis=0)


def _one_number(maps, gradient):
    weights = gradient.mean(axis=(1, 2))
    return np.maximum((weights[:, None, None] * maps).mean(axis=0), 0)


_MAPS = np.array(
    [
        [[1.0, -2.0], [0.5, 3.0]],
        [[0.0, 2.0], [-1.0, 1.0]],
        [[2.0, 1.0], [1.0, -1.0]],
    ]
)
_FOR_ONE_CLASS = np.array(
    [
        [[0.4, 0.2], [0.6, 0.0]],
        [[-0.5, -0.1], [-0.2, -0.4]],
        [[0.1, 0.3], [-0.1, 0.1]],
    ]
)
_FOR_ANOTHER = -_FOR_ONE_CLASS[::-1]

EXERCISES = [
    Exercise(
        reference=lambda inputs, outputs, kernel, groups: (
            outputs * (inputs // groups) * kernel**2
        ),
        cases=[(24, 144, 1, 1), (144, 144, 3, 144), (3, 32, 3, 1), (8, 16, 5, 4)],
        mistakes=[
            Mistake(
                lambda inputs, outputs, kernel, groups: outputs * inputs * kernel**2,
                "That is right for one group. With more, an output channel sees only "
                "the input channels of its own group.",
            ),
            Mistake(
                lambda inputs, outputs, kernel, groups: (
                    outputs * (inputs // groups) * kernel
                ),
                "A filter is a square: count both of its sides.",
            ),
            Mistake(
                lambda inputs, outputs, kernel, groups: (
                    (outputs // groups) * (inputs // groups) * kernel**2
                ),
                "That is one group's share of the weights. All groups have some.",
            ),
            Mistake(
                lambda inputs, outputs, kernel, groups: (inputs // groups) * kernel**2,
                "That is a single filter. Every output channel has its own.",
            ),
            Mistake(
                lambda inputs, outputs, kernel, groups: (
                    outputs * (inputs // groups) * kernel**2 + outputs
                ),
                "Without bias: batch normalisation, which follows, has a shift itself.",
            ),
        ],
        hint="How many numbers does one output channel look at? How many channels?",
    ),
    Exercise(
        reference=lambda momentum, steps: 1 - (1 - momentum) ** steps,
        cases=[(0.01, 40), (0.1, 40), (0.5, 2), (0.1, 0), (0.01, 1)],
        mistakes=[
            Mistake(
                lambda momentum, steps: (1 - momentum) ** steps,
                "That is what is left of the old value, the rest of the way.",
            ),
            Mistake(
                lambda momentum, steps: momentum * steps,
                "Only the first pass goes that far. The later ones take a share of "
                "what is left.",
            ),
            Mistake(
                lambda momentum, steps: min(1, momentum * steps),
                "Only the first pass goes that far. The later ones take a share of "
                "what is left, and never quite arrive.",
            ),
            Mistake(
                lambda momentum, steps: 1 - momentum**steps,
                "In each pass a share of 1 − momentum stays; you let the momentum stay.",
            ),
        ],
        hint="Start at 0 with batches of mean 1, and follow two passes on paper.",
    ),
    Exercise(
        reference=_cam,
        cases=[(_MAPS, _FOR_ONE_CLASS), (_MAPS, _FOR_ANOTHER)],
        mistakes=[
            Mistake(
                _broken,
                "Nothing is repaired yet. Ask where the class comes in.",
            ),
            Mistake(
                _weights_from_maps,
                "The class still does not come in: which array knows about it?",
            ),
            Mistake(
                _clipped_before,
                "The weights are right. Look at what is clipped, and when: a channel "
                "may speak against the class.",
            ),
            Mistake(
                _each_channel_clipped,
                "Clipped channel by channel, those that speak against the class are "
                "lost. Add up first.",
            ),
            Mistake(
                _not_clipped,
                "One step is missing: only places that speak for the class are shown.",
            ),
            Mistake(
                _place_by_place,
                "A useful map as well, but not Grad-CAM: it has one weight per channel.",
            ),
            Mistake(
                _one_number,
                "The channels are added up, not averaged.",
            ),
        ],
        hint="Hold it against the cell that computed `heat` for the cat, line by line: "
        "which array gives the weights, and what is clipped?",
    ),
]
