"""Test scores with intervals, calibration, abstention, mistakes and slices: plain data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from course_utils.evaluation import Interval, bootstrap

REPEATS = 500


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return shares that add up to 1, float64 [texts, classes]."""
    from scipy.special import softmax as share

    return share(logits.astype(np.float64), axis=1)


def temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the number that logits are divided by for the lowest cross-entropy.

    With few validation texts and hardly a mistake among them, the lowest would be a model
    that is certain of everything. So each label counts as right in n + 1 of n + 2 cases
    only: with one mistake more than was seen.

    Args:
        logits: float [texts, classes].
        labels: int [texts].

    Returns:
        The temperature, between 0.2 and 5.

    Taught in: lesson 13. Sources: Guo et al., On Calibration, ICML 2017; the softened
    labels: Platt, Probabilistic Outputs for Support Vector Machines, 1999.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    rows, classes = logits.shape
    wanted = np.full((rows, classes), 1 / (rows + 2) / (classes - 1))
    wanted[np.arange(rows), labels] = (rows + 1) / (rows + 2)

    def loss(log: float) -> float:
        shares = log_softmax(logits.astype(np.float64) / np.exp(log), axis=1)
        return -(wanted * shares).sum(axis=1).mean()

    found = minimize_scalar(loss, bounds=(np.log(0.2), np.log(5)), method="bounded")
    return float(np.exp(found.x))


def confusion(labels, predictions, classes: int, weights=None) -> np.ndarray:
    """Return counts, float [classes, classes]: rows are true classes."""
    pairs = np.asarray(labels) * classes + np.asarray(predictions)
    return np.bincount(pairs, weights, classes**2).reshape(classes, classes)


def macro_f1(matrix: np.ndarray) -> float:
    """Return the mean F1 of the classes that occur."""
    right, sums = np.diag(matrix), matrix.sum(axis=0) + matrix.sum(axis=1)
    occur = matrix.sum(axis=1) > 0
    return float((2 * right[occur] / np.maximum(sums[occur], 1e-12)).mean())


def compare(
    labels: np.ndarray,
    answers: dict[str, np.ndarray],
    groups: np.ndarray,
    *,
    classes: int,
    seed: int,
) -> dict[str, dict]:
    """Score several answers on the same test texts, with 95 % intervals.

    Whole groups of texts are drawn again, since near-duplicates are right or wrong
    together.

    Args:
        labels: int [texts].
        answers: int [texts] per name; the first is the model.
        groups: int [texts].
        classes: number of labels.
        seed: of the draws.

    Returns:
        Per name `accuracy`, `macro_f1`, and for all but the first `lead`: by how much the
        model's macro F1 is higher. Each is {"value", "low", "high"}.

    Taught in: lesson 13.
    """
    _, of = np.unique(groups, return_inverse=True)

    def weights(drawn):
        return np.bincount(drawn, minlength=of.max() + 1)[of].astype(float)

    def accuracy(found):
        def metric(drawn):
            weight = weights(drawn)
            return float((weight * (found == labels)).sum() / weight.sum())

        return metric

    def f1(found):
        def metric(drawn):
            return macro_f1(confusion(labels, found, classes, weights(drawn)))

        return metric

    def interval(metric) -> dict:
        found = bootstrap(metric, np.arange(of.max() + 1), seed=seed, repeats=REPEATS)
        return as_dict(found)

    first = next(iter(answers))
    result = {}
    for name, found in answers.items():
        result[name] = {
            "accuracy": interval(accuracy(found)),
            "macro_f1": interval(f1(found)),
        }
        if name != first:
            mine, theirs = f1(answers[first]), f1(found)
            lead = interval(lambda d, mine=mine, theirs=theirs: mine(d) - theirs(d))
            result[name]["lead"] = lead
    return result


def verdict(lead: dict) -> str:
    """Say who wins by the interval of the model's lead over the baseline."""
    if lead["low"] > 0:
        return "The fine-tuned model is better than the baseline on this test set."
    if lead["high"] < 0:
        return (
            "The baseline is better than the fine-tuned model on this test set: use the "
            "baseline, or give the model more texts."
        )
    ahead = "ahead" if lead["value"] > 0 else "behind" if lead["value"] < 0 else "level"
    return (
        f"The fine-tuned model is {ahead}, but this test set is too small to tell it from "
        "the baseline, which is far cheaper to run."
    )


def per_class(matrix: np.ndarray, names: Sequence[str]) -> list[dict]:
    """Return precision, recall, F1 and test rows of every class."""
    right, said, true = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
    return [
        {
            "label": name,
            "rows": int(true[i]),
            "precision": float(right[i] / said[i]) if said[i] else 0.0,
            "recall": float(right[i] / true[i]) if true[i] else 0.0,
            "f1": float(2 * right[i] / max(said[i] + true[i], 1)),
        }
        for i, name in enumerate(names)
    ]


def calibration(shares: np.ndarray, labels: np.ndarray, *, bins: int = 10) -> dict:
    """Compare confidence with accuracy in bins of equally many texts.

    Returns:
        `error`: the mean gap, weighted by texts; `bins`: confidence, accuracy with its
        95 % interval (low, high), and rows; fewer bins where there are few texts.

    Taught in: lesson 13.
    """
    confidence, right = shares.max(axis=1), shares.argmax(axis=1) == labels
    order = np.argsort(confidence, kind="stable")
    found = []
    for part in np.array_split(order, min(bins, max(1, len(labels) // 50))):
        share = float(right[part].mean())
        row = {"confidence": float(confidence[part].mean()), "accuracy": share}
        found.append(row | wilson(share, len(part)) | {"rows": len(part)})
    gap = sum(b["rows"] * abs(b["confidence"] - b["accuracy"]) for b in found)
    return {"error": gap / len(labels), "bins": found}


def abstention(shares: np.ndarray, labels: np.ndarray) -> list[dict]:
    """Return what is answered, and how well, if answers below a confidence are held back."""
    confidence, right = shares.max(axis=1), shares.argmax(axis=1) == labels
    rows = []
    for level in (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99):
        kept = confidence >= level
        accuracy = float(right[kept].mean()) if kept.any() else None
        rows.append(
            {"at_least": level, "answered": float(kept.mean()), "accuracy": accuracy}
        )
    return rows


def by_length(lengths: np.ndarray, right: np.ndarray, *, most: int = 4) -> list[dict]:
    """Return the accuracy in slices of about equally many texts, short ones first."""
    edges = np.unique(np.quantile(lengths, np.linspace(0, 1, most + 1)))
    slices = []
    for place, low in enumerate(edges[:-1] if len(edges) > 1 else edges):
        high = edges[min(place + 1, len(edges) - 1)]
        last = place >= len(edges) - 2
        part = (lengths >= low) & ((lengths <= high) if last else (lengths < high))
        if part.any():
            value, rows = float(right[part].mean()), int(part.sum())
            row = {"from": int(lengths[part].min()), "to": int(lengths[part].max())}
            slices.append(row | {"rows": rows, "accuracy": value} | wilson(value, rows))
    return slices


def wilson(share: float, rows: int) -> dict:
    """Return the 95 % interval of a share as {"low", "high"} (Wilson 1927)."""
    z = 1.96
    middle = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z * np.sqrt(share * (1 - share) / rows + z * z / (4 * rows**2))
    half /= 1 + z * z / rows
    return {"low": float(max(0, middle - half)), "high": float(min(1, middle + half))}


def as_dict(interval: Interval) -> dict:
    """Return an interval for JSON."""
    return {"value": interval.value, "low": interval.low, "high": interval.high}
