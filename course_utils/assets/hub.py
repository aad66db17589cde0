"""The switch that takes full-size models from the model hub instead of the cache.

Off by default: then the hub is never asked. `SFT_COURSE_HUB=1`, or `start(…, hub=True)`,
turns it on; the same lessons then load the models named here, each at a fixed revision.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from course_utils.errors import InputError, choose_from


@dataclass(frozen=True)
class HubModel:
    """A model on the hub, pinned to a revision so that it cannot change unseen."""

    repository: str
    revision: str


MODELS: dict[str, HubModel] = {
    "encoder": HubModel(
        "google-bert/bert-base-uncased", "86b5e0934494bd15c9632b12f734a8a67f723594"
    ),
    "decoder": HubModel(
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        "12fd25f77366fa6b3b4b768ec3050bf629380bac",
    ),
    # Lesson 31: an encoder for about a hundred languages, for a learner's own texts.
    "multilingual": HubModel(
        "google-bert/bert-base-multilingual-cased",
        "3f076fdb1ab68d5b2880cb87a0886f315b8146f8",
    ),
    # Lesson 18: English into French. Only on the hub, so no asset of the course is like it.
    "translator": HubModel(
        "Helsinki-NLP/opus-mt-en-fr", "dd7f6540a7a48a7f4db59e5c0b9c42c8eea67f18"
    ),
    # No lesson takes these yet: the switch leaves vision and speech alone.
    "image_cnn": HubModel(
        "microsoft/resnet-18", "65a5785d9156231087c481e0c7dd33a5ff6f7e3e"
    ),
    "speech_model": HubModel(
        "openai/whisper-tiny.en", "87c7102498dcde7456f24cfd30239ca606ed9063"
    ),
}


def is_on() -> bool:
    """Say whether the hub switch is on (environment variable SFT_COURSE_HUB).

    Raises:
        InputError: if the variable is neither 0 nor 1.
    """
    value = os.environ.get("SFT_COURSE_HUB", "").strip() or "0"
    if value not in ("0", "1"):
        raise InputError(choose_from("SFT_COURSE_HUB", value, ["0", "1"]))
    return value == "1"


def switch(on: bool | None = None) -> bool:
    """Turn the hub on or off for this process (None: as the environment says).

    Hugging Face's libraries read their offline flag when they are imported, so this is
    called before; where they are already loaded, their constant is set as well.
    """
    if on is not None:
        os.environ["SFT_COURSE_HUB"] = "1" if on else "0"
    on = is_on()
    os.environ["HF_HUB_OFFLINE"] = "0" if on else "1"
    if constants := sys.modules.get("huggingface_hub.constants"):
        constants.HF_HUB_OFFLINE = not on
    return on


def model(name: str) -> HubModel:
    """Return the full-size model that stands in for an asset.

    Raises:
        InputError: if the course knows no full-size model for this asset.
    """
    if name not in MODELS:
        raise InputError(choose_from("an asset with a model on the hub", name, MODELS))
    return MODELS[name]
