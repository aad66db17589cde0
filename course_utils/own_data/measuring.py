"""From a trained model to what is reported: calibrated, scored, its mistakes picked out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils.own_data import scores, splitting, training
from course_utils.own_data.encoded import Encoded
from course_utils.own_data.encoded import logits as logits_of

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

MISTAKES = 20
SIGNS = 300  # of a text that are shown


def outcome(network, parts, ready, settings, simple, pad: int) -> dict[str, Any]:
    """Merge LoRA, calibrate and score the model.

    Args:
        network: trained.
        parts, ready: of `preparing`.
        settings: of the run.
        simple: the baseline.
        pad: token id that fills up a batch.

    Returns:
        `metrics` (JSON can hold them), `matrix`, `mistakes` and `labels`.
    """
    from course_utils import strategies

    strategies.merge(network)
    device = next(network.parameters()).device

    def answers(name: str) -> np.ndarray:
        def context():
            return training.autocast(settings, device)

        return logits_of(network, parts.texts[name], pad=pad, context=context)

    validation, learnt = parts.texts["validation"], parts.texts["training"]
    heat = calibrate(network, answers("validation"), validation.labels)
    rows, logits = parts.rows["test"], answers("test")
    metrics, matrix = measure(
        rows,
        parts.texts["test"],
        logits,
        simple.predictions,
        ready.labels,
        majority=int(np.bincount(learnt.labels).argmax()),
        seed=settings.seed,
    )
    counts = {name: part["label"].value_counts() for name, part in parts.rows.items()}
    metrics["temperature"] = heat
    metrics["rows"] = {name: len(part) for name, part in parts.rows.items()}
    metrics["classes"] = [
        {"label": label, **{p: int(counts[p].get(label, 0)) for p in splitting.PARTS}}
        for label in ready.labels
    ]
    wrong = mistakes(rows, scores.softmax(logits), ready.labels)
    return {
        "metrics": metrics,
        "matrix": matrix,
        "mistakes": wrong,
        "labels": ready.labels,
    }


def of_run(run, simple, plan: dict) -> dict[str, Any]:
    """Return what a run and its plan add to the metrics."""
    from course_utils.training import peak_memory_mib

    return {
        "baseline_rows": simple.rows,
        "run": run.rows,
        "best_step": run.best_step,
        "steps": run.steps,
        "stopped_early": run.stopped_early,
        "resumed_from": run.resumed_from,
        "cost": plan | {"seconds": run.seconds, "peak_mib": peak_memory_mib()},
    }


def calibrate(model: nn.Module, logits: np.ndarray, labels: np.ndarray) -> float:
    """Divide a model's logits by the temperature that fits, within its last layer.

    Any program that loads the model then gets calibrated shares. Its answers stay.

    Args:
        model: a classifier whose last linear layer gives the logits.
        logits: of the validation texts, float [texts, classes].
        labels: of the same, int [texts].

    Returns:
        The temperature.
    """
    import torch

    found = scores.temperature(logits, labels)
    classes = logits.shape[1]
    last = [
        module
        for module in model.modules()
        if isinstance(module, torch.nn.Linear) and module.out_features == classes
    ][-1]
    with torch.no_grad():
        last.weight /= found
        if last.bias is not None:
            last.bias /= found
    return found


def measure(
    test: pd.DataFrame,
    encoded: Encoded,
    logits: np.ndarray,
    baseline: np.ndarray,
    names: Sequence[str],
    *,
    majority: int,
    seed: int,
) -> tuple[dict[str, Any], np.ndarray]:
    """Return the metrics on the test part (JSON can hold them), and the confusion matrix.

    Args:
        test: `group` of every text.
        encoded: the same texts, with labels.
        logits: the model's answers, float [texts, classes].
        baseline: the baseline's answers, int [texts].
        names: of the labels, in the order of their numbers.
        majority: the commonest class of the training texts.
        seed: of the intervals.
    """
    labels, shares = encoded.labels, scores.softmax(logits)
    answers = {
        "fine-tuned model": shares.argmax(axis=1),
        "TF-IDF + logistic regression": baseline,
        "always the commonest class": np.full(len(labels), majority),
    }
    classes = len(names)
    compared = scores.compare(
        labels, answers, test["group"].to_numpy(), classes=classes, seed=seed
    )
    matrix = scores.confusion(labels, answers["fine-tuned model"], classes)
    lengths = np.array([len(ids) for ids in encoded.ids])
    metrics = {
        "verdict": scores.verdict(compared["TF-IDF + logistic regression"]["lead"]),
        "scores": compared,
        "per_class": scores.per_class(matrix, names),
        "calibration": scores.calibration(shares, labels),
        "abstention": scores.abstention(shares, labels),
        "by_length": scores.by_length(lengths, shares.argmax(axis=1) == labels),
    }
    return metrics, matrix


def mistakes(
    test: pd.DataFrame, shares: np.ndarray, names: Sequence[str]
) -> list[dict]:
    """Return the mistakes that the model was surest of, with the rows of the file."""
    said = shares.argmax(axis=1)
    true = test["label"].map({name: i for i, name in enumerate(names)}).to_numpy()
    wrong = np.flatnonzero(said != true)
    wrong = wrong[np.argsort(-shares[wrong, said[wrong]], kind="stable")][:MISTAKES]
    rows = test.iloc[wrong]
    return [
        {
            "row": int(row),
            "label": label,
            "prediction": names[said[place]],
            "confidence": float(shares[place, said[place]]),
            "text": text if len(text) <= SIGNS else text[:SIGNS] + "…",
        }
        for place, row, label, text in zip(
            wrong, rows["row"], rows["label"], rows["text"], strict=True
        )
    ]
