"""The pretrained model of a run: which one, how it is loaded and what of it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from course_utils import pretrained
from course_utils.assets import ASSETS, hub
from course_utils.errors import InputError, choose_from
from course_utils.own_data.encoded import Encoded
from course_utils.own_data.training import Settings

if TYPE_CHECKING:
    from torch import nn

STRATEGIES = ("frozen", "lora", "layers", "full")
RATES = {"frozen": 1e-3, "lora": 1e-3, "layers": 1e-4, "full": 1e-4}
LONGEST = 512  # tokens, for tokenizers that know no limit


@dataclass(frozen=True)
class Chosen:
    """A pretrained model: where it is, what to call it, what is known about it."""

    place: pretrained.Checkpoint
    name: str
    licence: str
    english: bool


def choose(model: str | None = None, *, multilingual: bool = False) -> Chosen:
    """Return the encoder of the course, the hub's multilingual one, or a named one.

    Args:
        model: a folder that `transformers` can load, or with the hub switch on the name
            of a repository.
        multilingual: take the hub's encoder for about a hundred languages.

    Raises:
        InputError: if the model is no folder and the hub switch is off.
        AssetError: if the course's encoder cannot be fetched.
    """
    if model is not None:
        if (Path(model) / "config.json").is_file() or hub.is_on():
            place = pretrained.Checkpoint(model)
        else:
            raise InputError(
                f"Expected the folder of a model, or the hub switch on; got {model!r}. "
                "Check the folder, or set SFT_COURSE_HUB=1 where the hub can be reached."
            )
        return Chosen(place, Path(model).name, "see the model's own card", False)
    if multilingual:
        if not hub.is_on():
            raise InputError(
                "Expected the hub switch to be on for the multilingual model; got it "
                "off. Set SFT_COURSE_HUB=1 where the model hub can be reached."
            )
        found = hub.model("multilingual")
        place = pretrained.Checkpoint(found.repository, {"revision": found.revision})
        return Chosen(place, found.repository, "Apache-2.0", False)
    place = pretrained.checkpoint("encoder")
    if hub.is_on():
        return Chosen(place, place.path, "Apache-2.0", True)
    asset = ASSETS["encoder"]
    return Chosen(place, asset.title, asset.licence, True)


def tokenizer(chosen: Chosen):
    """Load the tokenizer; raise InputError if the folder holds none."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(chosen.place.path, **chosen.place.options)
    except (OSError, ValueError) as error:
        raise _broken(chosen, error) from error


def config(chosen: Chosen):
    """Load the configuration; raise InputError if the folder holds none."""
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(chosen.place.path, **chosen.place.options)
    except (OSError, ValueError) as error:
        raise _broken(chosen, error) from error


def longest(tokenizer, config) -> int:
    """Return how many tokens the model can read at most."""
    known = [getattr(config, "max_position_embeddings", None) or LONGEST]
    known.append(tokenizer.model_max_length)
    return int(min(*known, LONGEST * 16))


def load(chosen: Chosen, labels: Sequence[str], *, seed: int) -> nn.Module:
    """Load a classifier with a new head that knows the labels' names, float32, CPU."""
    import torch
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(seed)
    try:
        return AutoModelForSequenceClassification.from_pretrained(
            chosen.place.path,
            num_labels=len(labels),
            id2label=dict(enumerate(labels)),
            label2id={label: number for number, label in enumerate(labels)},
            dtype=torch.float32,
            attn_implementation="eager",  # faster than the default on short texts
            ignore_mismatched_sizes=True,
            **chosen.place.options,
        )
    except (OSError, ValueError) as error:
        raise _broken(chosen, error) from error


def prepare(model: nn.Module, settings: Settings) -> int:
    """Freeze and adapt a model as the strategy says; return how many weights are trained.

    Raises:
        InputError: for an unknown strategy.
    """
    import torch

    from course_utils import strategies
    from course_utils.training import count_parameters

    if settings.strategy not in STRATEGIES:
        raise InputError(choose_from("a strategy", settings.strategy, STRATEGIES))
    body = model.base_model_prefix
    parts = [(name, part) for name, part in model.named_children() if name != body]
    head = [name for name, part in parts if any(True for _ in part.parameters())]
    if getattr(model.base_model, "pooler", None) is not None:
        head.append(f"{body}.pooler")
    if settings.strategy == "frozen":
        strategies.freeze_all_but(model, *head)
    elif settings.strategy == "lora":
        layers, _ = strategies.stack(model)
        torch.manual_seed(settings.seed)
        strategies.lora(
            model,
            [f"{layers}.*"],
            rank=settings.rank,
            alpha=2 * settings.rank,
            also=head,
        )
    else:
        model.requires_grad_(True)
        if settings.strategy == "layers":
            model.get_input_embeddings().requires_grad_(False)
            embeddings = getattr(model.base_model, "embeddings", None)
            if embeddings is not None:
                embeddings.requires_grad_(False)
    return count_parameters(model)[0]


def encode(
    tokenizer, texts: Sequence[str], labels: Sequence[int], *, max_length: int
) -> Encoded:
    """Return texts as token ids, cut after `max_length` tokens, with their labels."""
    ids: list[list[int]] = []
    for start in range(0, len(texts), 1000):
        part = list(texts[start : start + 1000])
        found = tokenizer(part, truncation=True, max_length=max_length)
        ids += found["input_ids"]
    return Encoded(ids, np.asarray(labels, dtype=np.int64))


def _broken(chosen: Chosen, error: Exception) -> InputError:
    said = " ".join(str(error).split())[:120]
    return InputError(
        f"Expected a whole model at {chosen.place.path}; got one that cannot be loaded "
        f"({said}). Check the folder or the name."
    )
