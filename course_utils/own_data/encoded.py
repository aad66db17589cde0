"""Encoded texts: batches in an order that can be repeated, answers, and their score."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import nn

BLOCK = 32  # batches: texts are sorted by length within so many, to pad little


@dataclass
class Encoded:
    """Texts as token ids (one list per text) and labels as numbers (int64 [texts])."""

    ids: list[list[int]]
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)


def order(
    lengths: Sequence[int], size: int, *, seed: int, epoch: int
) -> list[np.ndarray]:
    """Return the rows of every batch of an epoch; seed and epoch alone decide them."""
    random = np.random.default_rng([seed, epoch])
    lengths = np.asarray(lengths)
    shuffled = random.permutation(len(lengths))
    cut = []
    for start in range(0, len(shuffled), size * BLOCK):
        block = shuffled[start : start + size * BLOCK]
        block = block[np.argsort(lengths[block], kind="stable")]
        cut += [block[i : i + size] for i in range(0, len(block), size)]
    return [cut[i] for i in random.permutation(len(cut))]


def batch(
    texts: Encoded, rows: np.ndarray, *, pad: int, device
) -> dict[str, torch.Tensor]:
    """Return padded input_ids and attention_mask, int64 [rows, width], and labels."""
    import torch

    width = max(len(texts.ids[row]) for row in rows)
    ids = np.full((len(rows), width), pad, dtype=np.int64)
    mask = np.zeros((len(rows), width), dtype=np.int64)
    for place, row in enumerate(rows):
        found = texts.ids[row]
        ids[place, : len(found)], mask[place, : len(found)] = found, 1
    arrays = {"input_ids": ids, "attention_mask": mask, "labels": texts.labels[rows]}
    return {name: torch.from_numpy(a).to(device) for name, a in arrays.items()}


def logits(
    model: nn.Module, texts: Encoded, *, pad: int, context=contextlib.nullcontext
) -> np.ndarray:
    """Return the model's answers, float32 [texts, classes], in the order of the texts."""
    import torch

    device = next(model.parameters()).device
    model.eval()
    found = np.zeros((len(texts), model.config.num_labels), np.float32)
    rows = np.argsort([len(ids) for ids in texts.ids], kind="stable")
    with torch.no_grad():
        for start in range(0, len(rows), 64):
            part = rows[start : start + 64]
            inputs = batch(texts, part, pad=pad, device=device)
            inputs.pop("labels")
            with context():
                found[part] = model(**inputs).logits.float().cpu().numpy()
    return found


def judge(answers: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Return mean cross-entropy and macro F1 of answers, float [texts, classes]."""
    from scipy.special import log_softmax
    from sklearn.metrics import f1_score

    loss = -log_softmax(answers, axis=1)[np.arange(len(labels)), labels].mean()
    classes = np.arange(answers.shape[1])
    f1 = f1_score(
        labels, answers.argmax(1), labels=classes, average="macro", zero_division=0
    )
    return float(loss), float(f1)
