"""Fine-tuning strategies as switches: which parameters of a model are trained, and how.

They work on any torch module: encoder, language model, image network, recogniser.
Lesson 09 builds them step by step; a test compares that version with this one.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from course_utils.errors import InputError


def freeze_all_but(model: nn.Module, *patterns: str) -> list[str]:
    """Train only the parameters that fit a pattern; freeze all others, in place.

    A pattern is the name of a part ("head" stands for all that is in it), of a
    parameter, or a name with stars ("*.bias"). Returns the names of the trained
    parameters. Raises InputError if a pattern fits none. Taught in: lesson 09.
    """
    names = [name for name, _ in model.named_parameters()]
    for pattern in patterns:
        if not any(fits(name, pattern) for name in names):
            raise InputError(
                f"Expected a pattern that fits a parameter; got {pattern!r}. Look at "
                f"model.named_parameters(); the last is {names[-1] if names else None}."
            )
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(any(fits(name, pattern) for pattern in patterns))
    return [name for name, p in model.named_parameters() if p.requires_grad]


def fits(name: str, pattern: str) -> bool:
    """Say whether a name is the pattern, lies in that part, or fits its stars."""
    return fnmatchcase(name, pattern) or f"{name}.".startswith(f"{pattern}.")


def stack(model: nn.Module, *, within: str = "") -> tuple[str, nn.ModuleList]:
    """Return name and modules of the longest `nn.ModuleList`: the model's layers.

    `within` names the part to look in, e.g. "model.decoder". Raises InputError if there
    is no list of layers, or if two are equally long.
    """
    stacks = sorted(
        (len(module), name)
        for name, module in model.named_modules()
        if isinstance(module, nn.ModuleList) and name.startswith(within)
    )
    if not stacks or (len(stacks) > 1 and stacks[-1][0] == stacks[-2][0]):
        raise InputError(
            f"Expected one longest list of layers; got {[n for _, n in stacks[-2:]]}. "
            "Name the part that holds it: within='…'."
        )
    return stacks[-1][1], model.get_submodule(stacks[-1][1])


def last_layers(
    model: nn.Module, count: int, *, also: Sequence[str] = (), within: str = ""
) -> list[str]:
    """Train the last `count` layers and `also`, e.g. the head; return what is trained.

    Raises InputError for a wrong count. Taught in: lesson 09.
    """
    name, layers = stack(model, within=within)
    if not 0 <= count <= len(layers):
        raise InputError(
            f"Expected 0 to {len(layers)} layers of {name}; got {count}. Take fewer."
        )
    last = range(len(layers) - count, len(layers))
    return freeze_all_but(model, *(f"{name}.{number}" for number in last), *also)


def bitfit(model: nn.Module, *, also: Sequence[str] = ()) -> list[str]:
    """Train the biases and the parts in `also`; return the names of what is trained.

    Raises InputError if there are no biases: many language models have none.
    Taught in: lesson 09. Source: Ben Zaken et al., BitFit, ACL 2022.
    """
    return freeze_all_but(model, "*bias", *also)


class LoRALinear(nn.Module):
    """A frozen linear layer plus a trained update of low rank.

    `base` is the layer that was there, weight [outputs, inputs]; `A` float32
    [rank, inputs] is drawn at random; `B` float32 [outputs, rank] is zero, so that the
    layer starts with its old answers; `scale` is alpha / rank; `on` switches the update.

    Taught in: lesson 09. Source: Hu et al., LoRA, ICLR 2022.
    """

    def __init__(self, base: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        self.base, self.scale, self.on = base.requires_grad_(False), alpha / rank, True
        device = base.weight.device
        self.A = nn.Parameter(torch.empty(rank, base.in_features, device=device))
        self.B = nn.Parameter(torch.zeros(base.out_features, rank, device=device))
        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        """Take [..., inputs] to [..., outputs]."""
        said = self.base(x)
        if not self.on:
            return said
        if not torch.is_autocast_enabled(x.device.type):  # autocast chooses itself
            x = x.to(self.A.dtype)
        narrow = nn.functional.linear(x, self.A)  # [..., rank]
        update = nn.functional.linear(narrow, self.B) * self.scale  # [..., outputs]
        return (said + update).to(said.dtype)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """Return the base layer with the update added to its weight."""
        self.base.weight += (self.scale * self.B @ self.A).to(self.base.weight.dtype)
        return self.base


def lora(
    model: nn.Module,
    targets: Sequence[str],
    *,
    rank: int = 8,
    alpha: float = 16,
    also: Sequence[str] = (),
) -> list[str]:
    """Put a `LoRALinear` in the place of every target; freeze all else but `also`.

    Args:
        model: any module, changed in place. torch's random state sets the new A.
        targets: last parts of names ("query", "q_proj") or names with stars
            ("encoder.*"); only plain `nn.Linear` layers are replaced.
        rank: of the updates, which are scaled by alpha / rank.
        also: parts that are trained as they are, such as a new head.

    Returns the names of the trained parameters. Raises InputError if a target fits no
    linear layer or the rank is below 1.
    Taught in: lesson 09. Source: Hu et al., LoRA, ICLR 2022.
    """
    if type(rank) is not int or rank < 1:
        raise InputError(f"Expected a rank of at least 1; got {rank!r}. Use e.g. 8.")
    linear = [n for n, m in model.named_modules() if type(m) is nn.Linear]
    linear = [n for n in linear if not any(fits(n, part) for part in also)]
    places = set()
    for target in targets:
        found = {n for n in linear if fits(n, target) or fits(n, f"*.{target}")}
        if not found:
            raise InputError(
                f"Expected targets among the linear layers; got {target!r}. They end in "
                f"{', '.join(sorted({n.split('.')[-1] for n in linear}))}."
            )
        places |= found
    for name in (places := [n for n in linear if n in places]):
        model.set_submodule(name, LoRALinear(model.get_submodule(name), rank, alpha))
    return freeze_all_but(model, *(f"{n}.{x}" for n in places for x in "AB"), *also)


def merge(model: nn.Module) -> int:
    """Turn every `LoRALinear` into a plain layer of equal output; return how many."""
    places = [n for n, m in model.named_modules() if isinstance(m, LoRALinear)]
    for name in places:
        model.set_submodule(name, model.get_submodule(name).merged())
    return len(places)


@contextlib.contextmanager
def adapters_off(model: nn.Module) -> Iterator[None]:
    """Leave out the updates of all `LoRALinear` layers while the context lasts."""
    layers = [(m, m.on) for m in model.modules() if isinstance(m, LoRALinear)]
    for layer, _ in layers:
        layer.on = False
    try:
        yield
    finally:
        for layer, on in layers:
            layer.on = on


def parameter_groups(model: nn.Module, rates: Mapping[str, float]) -> list[dict]:
    """Sort the trained parameters into groups for an optimiser, each with its rate.

    `rates` maps patterns (see `freeze_all_but`) to rates; the first that fits counts.
    Returns dicts with `params`, `lr` and `name`. Raises InputError if a trained
    parameter fits no pattern.
    Taught in: lesson 09. Source: Howard & Ruder, ULMFiT, ACL 2018.
    """
    groups = {name: {"params": [], "lr": r, "name": name} for name, r in rates.items()}
    for name, parameter in model.named_parameters():
        fitting = [pattern for pattern in rates if fits(name, pattern)]
        if parameter.requires_grad and not fitting:
            raise InputError(
                f"Expected a rate for every trained parameter; got none for {name}. "
                "Add a pattern that fits it, such as '*'."
            )
        if parameter.requires_grad:
            groups[fitting[0]]["params"].append(parameter)
    return [group for group in groups.values() if group["params"]]
