"""The course's training loop, readable and shared by text, image and speech lessons.

Lesson 04 builds it step by step; a test compares that version with this one.
"""

from __future__ import annotations

import contextlib
import math
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    import torch
    from torch import nn


@dataclass
class History:
    """What a training run recorded, one row per validation.

    Columns: step (from 1), epoch (passes over the data so far), train_loss (mean since
    the row before), validation_score (NaN without a validation function), seconds
    (since the start), peak_memory_mib. `best_step` is the step whose weights were kept.
    """

    rows: list[dict[str, float]] = field(default_factory=list)
    best_step: int = 0

    def table(self) -> pd.DataFrame:
        """Return the rows as a table, steps as index."""
        import pandas as pd

        return pd.DataFrame(self.rows).set_index("step")

    def curve(self, column: str) -> list[tuple[float, float]]:
        """Return (step, value) pairs of one column, for `plots.curves`."""
        return [(row["step"], row[column]) for row in self.rows]


def fit(
    model: nn.Module,
    batches: Sequence[dict[str, torch.Tensor]],
    *,
    epochs: int,
    learning_rate: float,
    seed: int,
    warmup: float = 0.1,
    weight_decay: float = 0.01,
    clip: float = 1.0,
    validate: Callable[[nn.Module], float] | None = None,
    validate_every: int | None = None,
    autocast: Callable[[], Any] = contextlib.nullcontext,
) -> History:
    """Train a model in place with AdamW and a linear schedule with warm-up.

    Args:
        model: called as `model(**batch)`, returns an object with `.loss`.
        batches: dicts of tensors with the labels in them, on the model's device; they
            come in another order each epoch.
        epochs: passes over the data.
        learning_rate: the highest rate, reached at the end of the warm-up.
        seed: of the order of the batches.
        warmup: share of all steps over which the rate rises.
        weight_decay: of AdamW.
        clip: gradients with a larger norm are scaled down to it.
        validate: called in evaluation mode, returns a score; higher is better.
        validate_every: steps between validations; None for once per epoch.
        autocast: returns the context of the forward pass, e.g. `course.autocast`.

    Returns:
        The history. The model is left in evaluation mode, with the weights of the best
        validation score, or the last ones without a validation function.

    Raises:
        InputError: if there are no batches or nothing is trainable.

    Taught in: lesson 04.
    """
    import torch

    trainable = {n: p for n, p in model.named_parameters() if p.requires_grad}
    if not batches or not trainable or epochs < 1:
        raise InputError(
            f"Expected batches, trainable parameters and at least one epoch; got "
            f"{len(batches)}, {len(trainable)} and {epochs}. Check the training data "
            "and what was frozen."
        )
    optimizer = torch.optim.AdamW(  # fused: all weights in one pass over memory
        trainable.values(), lr=learning_rate, weight_decay=weight_decay, fused=True
    )
    optimizer.zero_grad()  # what an earlier cell may have left behind
    total, every = epochs * len(batches), validate_every or len(batches)
    order, losses, step = random.Random(seed), [], 0
    history, best_score, best_weights = History(), -math.inf, None
    began = time.perf_counter()
    for _ in range(epochs):
        for batch in order.sample(batches, len(batches)):
            model.train()
            optimizer.param_groups[0]["lr"] = learning_rate * rate_factor(
                step, total, warmup
            )
            with autocast():
                loss = model(**batch).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trainable.values(), clip)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
            step += 1
            if step % every and step != total:
                continue
            model.eval()
            score = validate(model) if validate else math.nan
            history.rows.append(
                {
                    "step": step,
                    "epoch": step / len(batches),
                    "train_loss": sum(losses) / len(losses),
                    "validation_score": score,
                    "seconds": time.perf_counter() - began,
                    "peak_memory_mib": peak_memory_mib(),
                }
            )
            losses = []
            if score > best_score:
                best_score, history.best_step = score, step
                kept = trainable | dict(model.named_buffers())
                best_weights = {n: t.detach().clone() for n, t in kept.items()}
    if best_weights:
        model.load_state_dict(best_weights, strict=False)
    else:
        history.best_step = step
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

    with contextlib.suppress(OSError):  # Linux; getrusage there counts the parent, too
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10  # bytes, KiB


def count_parameters(model: nn.Module) -> tuple[int, int]:
    """Return how many parameters are trained and how many there are."""
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return sum(n for n, trained in sizes if trained), sum(n for n, _ in sizes)
