"""Plan a fine-tuning run before it starts: memory and minutes.

Needs no weights and no torch: a transformers configuration and the texts' lengths in
tokens are enough. The formulas are in `costs`; lesson 28 compares plans with runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from course_utils.costs import (
    BYTES,
    NF4,
    STRATEGIES,
    known,
    operations,
    saved_per_token,
    shape,
)
from course_utils.errors import InputError, choose_from

MIB = 2**20


def batches(
    lengths: Sequence[int], size: int, *, padding: str | int = "longest"
) -> list[tuple[int, int]]:
    """Return (texts, width in tokens) of every batch.

    Args:
        lengths: tokens of each text, in the order of the file.
        size: texts in a batch.
        padding: "longest" pads to the longest text of a batch, "grouped" does so after
            sorting by length, a number pads and cuts every text to that width.

    Raises:
        InputError: for no texts, a length or size below 1, or unknown padding.

    Taught in: lesson 28 (padding first in lesson 14).
    """
    width = 1 if isinstance(padding, str) else padding
    if not len(lengths) or min(*lengths, size, width) < 1:
        raise InputError(
            f"Expected texts of at least one token, batches of at least one text and a "
            f"width of at least 1; got {len(lengths)} texts, size {size} and padding "
            f"{padding!r}. Pass the lengths in tokens."
        )
    if isinstance(padding, str) and padding not in ("longest", "grouped"):
        known = ["longest", "grouped", "a whole number"]
        raise InputError(choose_from("a kind of padding", padding, known))
    lengths = sorted(lengths) if padding == "grouped" else list(lengths)
    groups = [lengths[i : i + size] for i in range(0, len(lengths), size)]
    if isinstance(padding, str):
        return [(len(group), max(group)) for group in groups]
    return [(len(group), padding) for group in groups]


@dataclass(frozen=True)
class Speed:
    """What a machine was measured to do.

    Attributes:
        per_second: floating-point operations per second in a training step.
        per_batch: seconds that a batch costs besides, however small it is.
        per_update: seconds of the optimiser per trained parameter and step.
    """

    per_second: float
    per_batch: float = 0.0
    per_update: float = 0.0


@dataclass(frozen=True)
class Plan:
    """What a run will need.

    Memory in MiB: `weights`, `gradients`, `optimiser`, `saved` (outputs kept for the
    backward pass of the largest batch) and `working` (held for a moment beside them).
    `peak` is the most that is alive at once. `operations`: of the whole run. `seconds`:
    None without a measured speed.
    """

    parameters: int
    trained: int
    weights: float
    gradients: float
    optimiser: float
    saved: float
    working: float
    peak: float
    tokens: int
    padding_share: float
    steps: int
    operations: float
    seconds: float | None

    @property
    def minutes(self) -> float | None:
        """The planned seconds in minutes."""
        return None if self.seconds is None else self.seconds / 60


def plan(
    config,
    lengths: Sequence[int],
    *,
    strategy: str = "full",
    precision: str = "mixed",
    batch_size: int = 16,
    epochs: int = 1,
    accumulate: int = 1,
    padding: str | int = "longest",
    rank: int = 8,
    labels: int = 2,
    pooler: bool = True,
    checkpointing: bool = False,
    fused: bool = False,
    state_bytes: float | None = None,
    speed: Speed | None = None,
) -> Plan:
    """Predict memory and time of fine-tuning a model on texts of these lengths.

    Args:
        config: see `shape`.
        lengths: tokens of each training text, special tokens and truncation included.
        strategy: "frozen" (vectors computed once, a line through them), "lora" (beside
            all matrices of the layers), "qlora" (the same on weights of 4 bits),
            "layers" (all but the token table) or "full".
        precision: of weights and products, see `saved_per_token`; adapters are float32.
        batch_size: texts that go through the model at once.
        epochs: passes over the data.
        accumulate: batches whose gradients are added up before a step.
        padding: see `batches`.
        rank: of LoRA.
        labels: classes of a new head; an encoder's only.
        pooler: see `shape`.
        checkpointing: keep only the layers' inputs, compute the rest again.
        fused: see `saved_per_token`.
        state_bytes: of the optimiser per trained parameter; None for AdamW, which keeps
            two numbers of the trained parameter's own kind.
        speed: measured; None leaves `seconds` open.

    Raises:
        InputError: for a model, strategy, precision or number that cannot be planned.

    Taught in: lesson 28. Source: Rajbhandari et al., ZeRO, 2020; Dettmers et al. 2023.
    """
    known("a strategy", strategy, STRATEGIES)
    known("a precision", precision, BYTES)
    if min(epochs, accumulate, rank) < 1:
        raise InputError(
            f"Expected epochs, accumulate and rank of at least 1; got {epochs}, "
            f"{accumulate} and {rank}. Use whole numbers from 1."
        )
    of, adapted = shape(config, pooler=pooler), strategy in ("lora", "qlora")
    head = 0 if of.decoder else labels * (of.hidden + 1)
    moving = {
        "frozen": head,
        "lora": of.lora(rank) + head,
        "qlora": of.lora(rank) + head,
        "layers": of.parameters - of.table + head,
        "full": of.parameters + head,
    }[strategy]
    unit = 4 if adapted or strategy == "frozen" else BYTES[precision]
    base = BYTES["bfloat16" if strategy == "qlora" else precision]
    matrices = of.layers * of.matrices
    weights = matrices * (NF4 if strategy == "qlora" else base)
    weights += (of.parameters - matrices) * base + head * unit
    weights += of.lora(rank) * 4 if adapted else 0
    gradients = moving * unit
    state = moving * (2 * unit if state_bytes is None else state_bytes)
    if strategy == "qlora":
        precision = "bfloat16"

    cut = batches(lengths, batch_size, padding=padding)
    saved, working = max(
        (_activations(of, texts, width, precision, adapted, checkpointing, fused))
        for texts, width in cut
    )
    if strategy == "frozen":  # no backward pass through the model, no optimiser
        working += saved / of.layers  # what one layer has in hand
        gradients, state, saved = 0, 0, 0
    if strategy == "qlora":
        working += 2 * of.hidden * of.inner  # one matrix, unpacked to 16 bits
    # Saved outputs go while gradients come, unless these wait from the batch before.
    together = gradients + saved if accumulate > 1 else max(gradients, saved)

    computed = sum(texts * width for texts, width in cut)
    most = max(lengths) if isinstance(padding, str) else padding
    real = sum(min(length, most) for length in lengths)
    steps, passes = epochs * -(-len(cut) // accumulate), epochs
    if strategy == "frozen":
        steps, passes = 0, 1
    work = passes * sum(
        texts
        * width
        * operations(of, width, strategy=strategy, checkpointing=checkpointing)
        for texts, width in cut
    )
    seconds = None
    if speed:
        seconds = work / speed.per_second + passes * len(cut) * speed.per_batch
        seconds += steps * moving * speed.per_update
    parts = (weights, gradients, state, saved, working)
    return Plan(
        of.parameters + head,
        moving,
        *(part / MIB for part in parts),
        peak=(weights + state + together + working) / MIB,
        tokens=computed * passes,
        padding_share=1 - real / computed,
        steps=steps,
        operations=work,
        seconds=seconds,
    )


def _activations(of, texts, width, precision, adapted, checkpointing, fused):
    """Return the bytes that a batch keeps, and those it holds for a moment."""
    tokens, unit = texts * width, 4 if precision == "float32" else 2
    layer = tokens * saved_per_token(
        of, width, precision=precision, lora=adapted, fused=fused
    )
    saved = layer * of.layers
    if checkpointing:  # every layer's input, and one layer computed again
        saved = layer + of.layers * tokens * of.hidden * BYTES[precision]
    if precision == "mixed":  # the weights in 16 bits; checkpointing forgets them, too
        saved += 2 * of.matrices * (1 if checkpointing else of.layers)
    working = 0
    if of.decoder:  # log-shares in 32 bits; the logits and their gradient beside them
        saved += tokens * of.vocabulary * 4
        working = tokens * of.vocabulary * (4 + unit)
    return saved, working
