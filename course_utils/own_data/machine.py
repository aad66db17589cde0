"""What the machine has, and how fast it trains this model: measured, not assumed."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils import costs, planner

if TYPE_CHECKING:
    import torch
    from torch import nn

    from course_utils.session import Session

ENOUGH = 5_000_000  # weights on which an update is timed
WIDTHS = ((4, 16), (16, 64))  # texts and tokens of the two batches that are timed


@dataclass(frozen=True)
class Machine:
    """What a run can use: threads, memory that is free (MiB), device, precision."""

    threads: int
    memory: float
    device: str
    precision: str


def look(session: Session) -> Machine:
    """Return what a session may use; a container's limit counts."""
    import psutil
    import torch

    free = psutil.virtual_memory().available / 2**20
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.is_file() and limit.read_text().strip().isdecimal():
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        free = min(free, (int(limit.read_text()) - used) / 2**20)
    if session.device.type == "cuda":
        free = torch.cuda.mem_get_info(session.device)[0] / 2**20
    precision = str(session.precision).split(".")[1]
    return Machine(session.threads, free, session.device.type, precision)


def speed(model: nn.Module, context) -> planner.Speed | None:
    """Measure how fast a model trains, in a few seconds; it is left as it was.

    Two batches, a small and a large one, give the operations per second and what a batch
    costs besides; one update of the optimiser gives the rest.

    Args:
        model: on its device.
        context: returns the context of the forward pass, such as autocast.

    Returns:
        The speed, or None for a kind of model that the planner does not know.

    Taught in: lesson 28.
    """
    import torch

    from course_utils.errors import InputError

    try:
        shape = costs.shape(model.config)
    except InputError:
        return None
    device = next(model.parameters()).device
    frozen = {name: p.requires_grad for name, p in model.named_parameters()}
    embeddings = {id(p) for p in model.get_input_embeddings().parameters()}
    for parameter in model.parameters():  # as the strategy "layers" has it
        parameter.requires_grad_(id(parameter) not in embeddings)
    state = torch.get_rng_state()

    def step(texts: int, width: int) -> None:
        ids = torch.randint(5, model.config.vocab_size, (texts, width), device=device)
        labels = torch.zeros(texts, dtype=torch.long, device=device)
        with context():
            loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        model.zero_grad()
        loss.item()

    model.train()
    longest = getattr(model.config, "max_position_embeddings", WIDTHS[1][1])
    sizes = [(texts, min(width, longest // 2)) for texts, width in WIDTHS]
    work = [n * w * costs.operations(shape, w, strategy="layers") for n, w in sizes]
    short, long = (_seconds(lambda size=size: step(*size)) for size in sizes)
    per_operation = max((long - short) / (work[1] - work[0]), 1e-15)
    copies: list[torch.Tensor] = []
    for parameter in model.parameters():  # some are enough, and spare memory
        if parameter.requires_grad and sum(map(torch.numel, copies)) < ENOUGH:
            copies.append(torch.zeros_like(parameter))
    for copy in copies:
        copy.grad = torch.zeros_like(copy)
    optimizer = torch.optim.AdamW(copies, lr=1e-9, fused=True)
    update = _seconds(optimizer.step) / sum(copy.numel() for copy in copies)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(frozen[name])
    model.eval()
    torch.set_rng_state(state)
    fixed = max(0.0, short - per_operation * work[0])
    return planner.Speed(1 / per_operation, fixed, update)


def _seconds(compute, repeats: int = 5) -> float:
    found = []
    for _ in range(repeats):
        began = time.perf_counter()
        compute()
        found.append(time.perf_counter() - began)
    return statistics.median(found[1:])  # the first one warms the machine up
