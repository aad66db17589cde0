"""The course's training loop, readable and shared by text, image and speech lessons.

Lesson 04 builds it step by step; a test compares that version with this one.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import torch
    from torch import nn


@dataclass
class History:
    """What a training run recorded, one row per epoch.

    Columns: epoch (from 1), train_loss (mean over its batches), validation_score (NaN
    without a validation function), seconds (since the start), peak_memory_mib.
    """

    rows: list[dict[str, float]] = field(default_factory=list)

    def table(self) -> pd.DataFrame:
        """Return the rows as a table, epochs as index."""
        import pandas as pd

        return pd.DataFrame(self.rows).set_index("epoch")

    def curve(self, column: str) -> list[tuple[float, float]]:
        """Return (epoch, value) pairs of one column, for `plots.curves`."""
        return [(row["epoch"], row[column]) for row in self.rows]


def fit(
    model: nn.Module,
    batches: Iterable[dict[str, torch.Tensor]],
    *,
    epochs: int,
    learning_rate: float,
    warmup: float = 0.1,
    weight_decay: float = 0.01,
    clip: float = 1.0,
    validate: Callable[[nn.Module], float] | None = None,
    autocast: Callable[[], Any] = contextlib.nullcontext,
) -> History:
    """Train a model in place with AdamW and a linear schedule with warm-up.

    Args:
        model: called as `model(**batch)`, returns an object with `.loss`.
        batches: a DataLoader; each batch a dict of tensors with the labels in it.
        epochs: passes over the data.
        learning_rate: the highest rate, reached at the end of the warm-up.
        warmup: share of all steps over which the rate rises from 0.
        weight_decay: of AdamW.
        clip: gradients with a larger norm are scaled down to it.
        validate: called after each epoch in evaluation mode, returns a score.
        autocast: returns the context of the forward pass, e.g. `course.autocast`.

    Returns:
        The history; the model holds the last epoch's weights, in evaluation mode.

    Taught in: lesson 04.
    """
    import torch

    trainable = [p for p in model.parameters() if p.requires_grad]
    device = next(model.parameters()).device
    optimizer = torch.optim.AdamW(
        trainable, lr=learning_rate, weight_decay=weight_decay
    )
    total = epochs * len(batches)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: rate_factor(step, total, warmup)
    )
    history, began = History(), time.perf_counter()
    for epoch in range(1, epochs + 1):
        model.train()
        losses = []
        for batch in batches:
            batch = {name: tensor.to(device) for name, tensor in batch.items()}
            with autocast():
                loss = model(**batch).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trainable, clip)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            losses.append(loss.item())
        model.eval()
        history.rows.append(
            {
                "epoch": epoch,
                "train_loss": sum(losses) / len(losses),
                "validation_score": validate(model) if validate else float("nan"),
                "seconds": time.perf_counter() - began,
                "peak_memory_mib": peak_memory_mib(),
            }
        )
    return history


def rate_factor(step: int, total: int, warmup: float) -> float:
    """Return the share of the highest rate at a step: a rise, then a fall to 0.

    Taught in: lesson 04.
    """
    rising = max(1, round(warmup * total))
    if step < rising:
        return (step + 1) / rising
    return max(0.0, (total - step) / max(1, total - rising))


def peak_memory_mib() -> float:
    """Return the most memory this process has held so far, in MiB."""
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset / 2**20
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10  # bytes, KiB


def count_parameters(model: nn.Module) -> tuple[int, int]:
    """Return how many parameters are trained and how many there are."""
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return sum(n for n, trained in sizes if trained), sum(n for n, _ in sizes)
