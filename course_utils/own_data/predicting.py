"""Answers of a saved folder, with shares for every label and abstention."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils.errors import InputError
from course_utils.own_data import encoded, models, scores
from course_utils.own_data.folder import RECORD

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 2000  # texts that are encoded at once


@dataclass
class Predictor:
    """A saved folder, ready to answer: model, tokenizer, the labels' names in order."""

    model: Any
    tokenizer: Any
    labels: list[str]
    max_length: int


def load(folder: str | Path, *, device: str = "cpu") -> Predictor:
    """Load a folder that `finetune` wrote.

    Raises:
        InputError: if it is none, or not whole.
    """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = Path(folder)
    needed = ("config.json", "model.safetensors", RECORD)
    missing = [name for name in needed if not (folder / name).is_file()]
    if missing:
        what = f"no {missing[0]} in it" if folder.is_dir() else "no such folder"
        raise InputError(
            f"Expected a folder written by course_utils.finetune at {folder}; got {what}. "
            "Check the name, or train first."
        )
    try:
        record = json.loads((folder / RECORD).read_text("utf-8"))
        longest = int(record["settings"]["max_length"])
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, attn_implementation="eager"
        )
    except Exception as error:  # whatever the libraries say about a damaged file
        said = " ".join(str(error).split())[:120]
        raise InputError(
            f"Expected a whole folder at {folder}; got a damaged one ({said}). Copy it "
            "again, or train again."
        ) from error
    names = [model.config.id2label[i] for i in range(model.config.num_labels)]
    return Predictor(model.to(device).eval(), tokenizer, names, longest)


def predict(
    predictor: Predictor,
    texts: Sequence[str | None],
    *,
    abstain_below: float = 0.0,
    progress=None,
) -> pd.DataFrame:
    """Return the answers to some texts, in their order.

    Args:
        predictor: see `load`.
        texts: None or blanks get no answer.
        abstain_below: confidence from 0 to 1 below which an answer is held back.
        progress: called with the number of texts done.

    Returns:
        `prediction` (str, empty if held back), `confidence` (share of the likeliest
        label), `held_back` (bool), and a column "share of …" per label.

    Raises:
        InputError: if the confidence is not from 0 to 1.
    """
    import pandas as pd

    if not 0 <= abstain_below <= 1:
        raise InputError(
            f"Expected a confidence from 0 to 1; got {abstain_below}. Use for instance 0.9."
        )
    there = [i for i, text in enumerate(texts) if text and text.strip()]
    shares = np.full((len(texts), len(predictor.labels)), np.nan)
    pad = predictor.tokenizer.pad_token_id or 0
    for start in range(0, len(there), CHUNK):
        part = there[start : start + CHUNK]
        inputs = models.encode(
            predictor.tokenizer,
            [texts[i] for i in part],
            [0] * len(part),
            max_length=predictor.max_length,
        )
        logits = encoded.logits(predictor.model, inputs, pad=pad)
        shares[part] = scores.softmax(logits)
        if progress:
            progress(start + len(part))
    blank = np.isnan(shares[:, 0])
    best = np.where(blank, 0, np.nan_to_num(shares).argmax(axis=1))
    confidence = shares[np.arange(len(texts)), best]
    held = ~(confidence >= abstain_below)
    names = np.array(predictor.labels, dtype=object)[best]
    table = pd.DataFrame({"prediction": np.where(held, "", names)})
    table["confidence"], table["held_back"] = confidence, held
    columns = [f"share of {label}" for label in predictor.labels]
    return pd.concat([table, pd.DataFrame(shares, columns=columns)], axis=1)
