"""A training run that stops early, can be interrupted, and goes on to the same result.

The step is that of `course_utils.training.fit`; new here are checkpoints and patience.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils import training as course_training
from course_utils.own_data import checkpoints
from course_utils.own_data.encoded import Encoded, batch, judge, logits, order

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Settings:
    """Everything that decides a run's result, besides texts and model.

    Attributes:
        strategy: "frozen" (the head only), "lora", "layers" (all but the token table) or
            "full".
        learning_rate: the highest rate, reached at the end of the warm-up.
        batch_size: texts per step.
        epochs: passes over the training texts, at most.
        max_length: tokens after which a text is cut.
        patience: validations without a better score after which the run stops.
        validate_every: steps between validations; None for once per epoch.
        rank: of LoRA.
        precision: "float32" or "bfloat16" (autocast).
        threads: of the processor.
        seed: of head, order and dropout.
    """

    strategy: str = "layers"
    learning_rate: float = 1e-4
    batch_size: int = 16
    epochs: int = 3
    max_length: int = 128
    patience: int = 3
    validate_every: int | None = None
    rank: int = 8
    precision: str = "float32"
    threads: int = 1
    seed: int = 42


@dataclass
class Run:
    """What a run recorded: a row per validation, the best step, whether it went on.

    Columns of `rows`: step, epoch, training_loss, validation_loss, validation_f1 (macro),
    seconds (of training, interruptions left out).
    """

    rows: list[dict[str, float]] = field(default_factory=list)
    best_step: int = 0
    steps: int = 0
    stopped_early: bool = False
    resumed_from: int = 0

    @property
    def seconds(self) -> float:
        """Seconds until the last validation."""
        return self.rows[-1]["seconds"] if self.rows else 0.0


def autocast(settings: Settings, device):
    """Return the context of a forward pass in the run's precision."""
    import torch

    kind = torch.device(device).type
    enabled = settings.precision == "bfloat16"
    return torch.autocast(kind, dtype=torch.bfloat16, enabled=enabled)


def train(
    model: nn.Module,
    texts: Encoded,
    validation: Encoded,
    settings: Settings,
    *,
    pad: int,
    checkpoint: Path | None = None,
    checkpoint_seconds: float = 60,
    progress: Callable[[int, int, dict[str, Any]], None] | None = None,
) -> Run:
    """Train a model in place; go on from the checkpoint if there is one.

    Run again after an interruption with the same model, texts and settings, it ends with
    the same weights as without one: order and random numbers are part of the state.

    Args:
        model: with `requires_grad` as the strategy wants it; see `models.prepare`.
        texts, validation: to learn from, and to choose the step that is kept.
        settings: see there.
        pad: token id that fills up a batch.
        checkpoint: the file of the run's state; None keeps none.
        checkpoint_seconds: how often it is written, besides at every validation.
        progress: called after each step with step, all steps and the newest row.

    Returns:
        The run. The model has the weights of its best validation (macro F1; of two equal
        ones that with the lower loss) and is in evaluation mode.

    Raises:
        MachineError: if a checkpoint cannot be written.
        InputError: if the checkpoint is damaged.

    Taught in: lesson 31 (the loop in lesson 04, early stopping in lesson 12).
    """
    import torch

    device = next(model.parameters()).device
    weights = checkpoints.trained(model)
    optimizer = torch.optim.AdamW(
        weights.values(), lr=settings.learning_rate, weight_decay=0.01, fused=True
    )
    lengths = [len(ids) for ids in texts.ids]
    per_epoch = -(-len(texts) // settings.batch_size)
    total, every = settings.epochs * per_epoch, settings.validate_every or per_epoch

    def context():
        return autocast(settings, device)

    torch.manual_seed(settings.seed)
    run, best = Run(), {}
    score, stale, losses, before = (-1.0, 0.0), 0, [], 0.0
    if checkpoint and (found := checkpoints.load(checkpoint)):
        checkpoints.put_back(found, model, optimizer)
        state, best = found.state, found.best
        run = Run(**state["run"])
        score, stale, losses = tuple(state["score"]), state["stale"], state["losses"]
        before, run.resumed_from = state["seconds"], run.steps
    began = saved = time.perf_counter()

    def keep() -> None:
        nonlocal saved
        seconds = before + time.perf_counter() - began
        state = {"run": vars(run), "score": score, "stale": stale, "losses": losses}
        state["seconds"] = seconds
        checkpoints.save(checkpoints.take(model, optimizer, best, state), checkpoint)
        saved = time.perf_counter()

    for epoch in range(run.steps // per_epoch, settings.epochs):
        if run.stopped_early:
            break
        cut = order(lengths, settings.batch_size, seed=settings.seed, epoch=epoch)
        for rows in cut[run.steps - epoch * per_epoch :]:
            model.train()
            rate = course_training.rate_factor(run.steps, total, 0.1)
            optimizer.param_groups[0]["lr"] = settings.learning_rate * rate
            with context():
                loss = model(**batch(texts, rows, pad=pad, device=device)).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights.values(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
            run.steps += 1
            if run.steps % every == 0 or run.steps == total:
                answers = logits(model, validation, pad=pad, context=context)
                loss, f1 = judge(answers, validation.labels)
                row = {"step": run.steps, "epoch": run.steps / per_epoch}
                row |= {
                    "training_loss": float(np.mean(losses)),
                    "validation_loss": loss,
                }
                row |= {"validation_f1": f1}
                row["seconds"] = before + time.perf_counter() - began
                run.rows.append(row)
                losses, stale = [], stale + 1
                if (f1, -loss) > score:
                    score, stale, run.best_step = (f1, -loss), 0, run.steps
                    best = {n: p.detach().cpu().clone() for n, p in weights.items()}
                run.stopped_early = stale >= settings.patience and run.steps < total
            validated = bool(run.rows) and run.rows[-1]["step"] == run.steps
            due = time.perf_counter() - saved > checkpoint_seconds
            if checkpoint and (validated or due):
                keep()
            if progress:
                progress(run.steps, total, run.rows[-1] if run.rows else {})
            if run.stopped_early:
                break
    with torch.no_grad():
        for name, parameter in weights.items():
            parameter.copy_(best[name])
    model.eval()
    return run
