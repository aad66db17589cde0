"""What a run needs to go on, in one safetensors file: tensors, and the rest as JSON.

No pickle, so a checkpoint of unknown origin can hold wrong numbers but no code.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.errors import InputError
from course_utils.own_data.writing import whole_file

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass
class Checkpoint:
    """A run between two steps.

    Attributes:
        weights: of the trained parameters, by name.
        best: the same at the best validation so far; empty before the first.
        optimizer: AdamW's three tensors per parameter, by "name|tensor".
        random: the state of torch's random numbers, by kind of device.
        state: step, history and the like; JSON can hold it.
    """

    weights: dict[str, torch.Tensor]
    best: dict[str, torch.Tensor]
    optimizer: dict[str, torch.Tensor]
    random: dict[str, torch.Tensor]
    state: dict[str, Any]


def take(model: nn.Module, optimizer, best: dict, state: dict) -> Checkpoint:
    """Take a run's checkpoint; tensors are not copied."""
    import torch

    named = trained(model)
    tensors = {
        f"{name}|{key}": torch.as_tensor(value)
        for name, parameter in named.items()
        for key, value in optimizer.state.get(parameter, {}).items()
    }
    random = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        random["cuda"] = torch.cuda.get_rng_state()
    weights = {name: parameter.detach() for name, parameter in named.items()}
    return Checkpoint(weights, best, tensors, random, state)


def put_back(checkpoint: Checkpoint, model: nn.Module, optimizer) -> None:
    """Give model, optimiser and torch's random numbers the state of a checkpoint."""
    import torch

    named = trained(model)
    with torch.no_grad():
        for name, parameter in named.items():
            parameter.copy_(checkpoint.weights[name])
    for name, parameter in named.items():
        found = {
            key.split("|")[1]: value.to(parameter.device)
            for key, value in checkpoint.optimizer.items()
            if key.split("|")[0] == name
        }
        if found:
            optimizer.state[parameter] = found
    torch.set_rng_state(checkpoint.random["cpu"])
    if "cuda" in checkpoint.random and torch.cuda.is_available():
        torch.cuda.set_rng_state(checkpoint.random["cuda"])


def trained(model: nn.Module) -> dict[str, nn.Parameter]:
    """Return the trained parameters by name."""
    return {n: p for n, p in model.named_parameters() if p.requires_grad}


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint; the one before stays until this one is whole.

    Raises:
        MachineError: if it cannot be written.
    """
    from safetensors.torch import save_file

    parts = ("weights", "best", "optimizer", "random")
    tensors = {
        f"{part}/{name}": tensor.contiguous()
        for part in parts
        for name, tensor in getattr(checkpoint, part).items()
    }
    metadata = {"state": json.dumps(checkpoint.state)}
    with whole_file(path, advice="give the same command again") as draft:
        save_file(tensors, str(draft), metadata=metadata)


def load(path: Path) -> Checkpoint | None:
    """Read a checkpoint; None if there is none.

    Raises:
        InputError: if the file is damaged.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        return None
    parts: dict[str, dict] = {"weights": {}, "best": {}, "optimizer": {}, "random": {}}
    try:
        with safe_open(str(path), "pt") as file:
            state = json.loads(file.metadata()["state"])
            for key in file.keys():  # noqa: SIM118 (it is no dict)
                part, name = key.split("/", 1)
                parts[part][name] = file.get_tensor(key)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"Expected a whole checkpoint at {path}; got a damaged one. Give the "
            "command again with --restart."
        ) from error
    return Checkpoint(**parts, state=state)


def remove(path: Path) -> None:
    """Delete a checkpoint that is no longer needed, if it is there."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
