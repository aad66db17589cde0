"""Lesson 22: Dice from IoU, a mean IoU to repair, counting patches."""

import numpy as np

from course_utils.exercises import Exercise, Mistake


def _mean_iou(matrices):
    total = np.asarray(matrices).sum(axis=0)
    common = np.diagonal(total)
    together = total.sum(axis=0) + total.sum(axis=1) - common
    return float((common[together > 0] / together[together > 0]).mean())


def _per_scene(matrices, *, absent):
    """The mean over scenes, with absent classes as 0 or left out."""
    found = []
    for matrix in np.asarray(matrices):
        common = np.diagonal(matrix)
        together = matrix.sum(axis=0) + matrix.sum(axis=1) - common
        share = common / np.maximum(together, 1)
        found.append(share.mean() if absent == "0" else share[together > 0].mean())
    return float(np.mean(found))


def _absent_as_zero(matrices):
    total = np.asarray(matrices).sum(axis=0)
    common = np.diagonal(total)
    together = total.sum(axis=0) + total.sum(axis=1) - common
    return float((common / np.maximum(together, 1)).mean())


def _twice_common(matrices):
    """Forget to take the common pixels off the sum."""
    total = np.asarray(matrices).sum(axis=0)
    common, sums = np.diagonal(total), total.sum(axis=0) + total.sum(axis=1)
    return float((common[sums > 0] / sums[sums > 0]).mean())


def _recall(matrices):
    total = np.asarray(matrices).sum(axis=0)
    rows = total.sum(axis=1)
    return float((np.diagonal(total)[rows > 0] / rows[rows > 0]).mean())


def _accuracy(matrices):
    total = np.asarray(matrices).sum(axis=0)
    return float(np.trace(total) / total.sum())


def _patches(mask, label, *, corners=False, any_label=False):
    mask = np.asarray(mask)
    wanted = mask != 0 if any_label else mask == label
    left, patches = {(int(y), int(x)) for y, x in np.argwhere(wanted)}, 0
    sides = [(-1, 0), (1, 0), (0, -1), (0, 1)]
    if corners:
        sides += [(-1, -1), (-1, 1), (1, -1), (1, 1)]
    while left:
        patches, queue = patches + 1, [left.pop()]
        while queue:
            y, x = queue.pop()
            for near in {(y + dy, x + dx) for dy, dx in sides} & left:
                left.remove(near)
                queue.append(near)
    return patches


def _rows_only(mask, label):
    """Count the starts of runs in rows: a patch of two rows counts twice."""
    own = np.asarray(mask) == label
    before = np.pad(own, ((0, 0), (1, 0)))[:, :-1]
    return int((own & ~before).sum())


_SCENES = np.array(
    [
        [[90, 2, 0], [1, 7, 0], [0, 0, 0]],
        [[80, 0, 0], [0, 0, 0], [0, 0, 20]],
    ]
)
_ONE_MISSING = np.array([[[50, 5, 0], [10, 35, 0], [0, 0, 0]]])
_MASKS = [
    np.array([[1, 1, 0, 1], [1, 0, 0, 1], [0, 0, 1, 0]]),
    np.array([[2, 2, 1], [0, 2, 1], [1, 0, 0]]),
    np.zeros((3, 3), dtype=int),
    np.array([[1, 0, 1], [1, 1, 1]]),
]

EXERCISES = [
    Exercise(
        reference=lambda iou: 2 * iou / (1 + iou),
        cases=[(0.5,), (0.75,), (0.0,), (1.0,)],
        mistakes=[
            Mistake(
                lambda iou: iou / (2 - iou),
                "That is the way back, IoU from Dice. Dice is the larger of the two.",
            ),
            Mistake(
                lambda iou: 2 * iou,
                "Then a perfect mask would have a Dice of 2. Both sizes together count "
                "the common part twice.",
            ),
            Mistake(
                lambda iou: iou,
                "They agree at 0 and 1 only. Call the common part 1 and write the sum "
                "of both sizes with the IoU.",
            ),
            Mistake(
                lambda iou: iou / (1 + iou),
                "The two in front is missing: twice the common part.",
            ),
        ],
    ),
    Exercise(
        reference=_mean_iou,
        cases=[(_SCENES,), (_ONE_MISSING,)],
        mistakes=[
            Mistake(
                lambda m: _per_scene(m, absent="0"),
                "That is the broken one: absent classes count as 0, and scenes are "
                "averaged.",
            ),
            Mistake(
                lambda m: _per_scene(m, absent="left out"),
                "Absent classes are handled now. But add the matrices of all scenes "
                "first, then divide.",
            ),
            Mistake(
                _absent_as_zero,
                "A class that occurs in neither mask has no IoU: leave it out of the "
                "mean.",
            ),
            Mistake(
                _twice_common,
                "Rows plus columns count the common pixels twice: take them off once.",
            ),
            Mistake(
                _recall,
                "That divides by the true pixels alone: recall. False pixels of the "
                "class belong below the line as well.",
            ),
            Mistake(
                _accuracy,
                "That is pixel accuracy, in which the background has most votes.",
            ),
        ],
    ),
    Exercise(
        reference=_patches,
        cases=[(mask, 1) for mask in _MASKS] + [(_MASKS[1], 2)],
        mistakes=[
            Mistake(
                lambda mask, label: _patches(mask, label, corners=True),
                "Pixels that share only a corner are not connected here.",
            ),
            Mistake(
                lambda mask, label: _patches(mask, label, any_label=True),
                "Look at the pixels of this label only; the others belong to other "
                "classes.",
            ),
            Mistake(
                _rows_only,
                "That counts runs in rows. Pixels above and below belong together, too.",
            ),
            Mistake(
                lambda mask, label: int((np.asarray(mask) == label).any()),
                "That says whether the class occurs. Count its separate patches.",
            ),
            Mistake(
                lambda mask, label: int((np.asarray(mask) == label).sum()),
                "Those are pixels. Follow each patch to its end and count it once.",
            ),
        ],
    ),
]
