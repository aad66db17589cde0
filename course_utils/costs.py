"""What training a transformer costs, from its configuration: parameters, bytes, operations.

Counted without weights and without torch. Lesson 28 builds the formulas and compares them
with what torch really keeps; `planner` adds them up for a run.
"""

from __future__ import annotations

from dataclasses import dataclass

from course_utils.errors import InputError, choose_from

ENCODERS = ("bert", "roberta", "xlm-roberta")
DECODERS = ("llama", "mistral", "qwen2")
STRATEGIES = ("frozen", "lora", "qlora", "layers", "full")
BYTES = {"float32": 4, "mixed": 4, "bfloat16": 2}  # of a stored weight
NF4 = 0.5 + (8 / 64 + 32 / (64 * 256)) / 8  # bytes: 4 bits and two levels of scales


@dataclass(frozen=True)
class Shape:
    """The numbers of a transformer that its cost depends on.

    Attributes:
        decoder: whether every token gets logits over the vocabulary.
        layers, hidden, inner, heads: of the configuration.
        query, value: width of all queries, and of all keys (or values), together.
        table: parameters of the embeddings: words, positions, types, and their norm.
        matrices: parameters of one layer's matrices.
        small: parameters of one layer's biases and norms.
        top: parameters between the layers and the answer: pooler or last norm, and an
            output matrix that is not the token table.
        vocabulary: number of tokens the model knows.
    """

    decoder: bool
    layers: int
    hidden: int
    inner: int
    heads: int
    query: int
    value: int
    table: int
    matrices: int
    small: int
    top: int
    vocabulary: int

    @property
    def parameters(self) -> int:
        """All parameters, without a classification head."""
        return self.table + self.layers * (self.matrices + self.small) + self.top

    def lora(self, rank: int) -> int:
        """Return the parameters of LoRA beside every matrix of the layers."""
        h, q, v, f = self.hidden, self.query, self.value, self.inner
        attention = 2 * (h + q) + 2 * (h + v)  # query and output; key and value
        return rank * self.layers * (attention + (3 if self.decoder else 2) * (h + f))


def shape(config, *, pooler: bool = True) -> Shape:
    """Read a shape out of a transformers configuration.

    Args:
        config: of a BERT, RoBERTa, Llama, Mistral or Qwen2 model.
        pooler: whether an encoder has one, as Auto…ForSequenceClassification has.

    Raises:
        InputError: for another kind of model.

    Taught in: lesson 28. Source: Vaswani et al. 2017; Touvron et al., Llama 2, 2023.
    """
    kind = getattr(config, "model_type", None)
    if kind not in ENCODERS + DECODERS:
        raise InputError(choose_from("a model type", kind, ENCODERS + DECODERS))
    h, f, words = config.hidden_size, config.intermediate_size, config.vocab_size
    heads = config.num_attention_heads
    if kind in ENCODERS:
        q = v = h
        table = (words + config.max_position_embeddings + config.type_vocab_size) * h
        table += 2 * h  # the norm after it
        matrices, small = 4 * h * h + 2 * h * f, 9 * h + f
        top = h * h + h if pooler else 0
    else:
        size = getattr(config, "head_dim", None) or h // heads
        q = heads * size
        v = (getattr(config, "num_key_value_heads", None) or heads) * size
        table, small = words * h, 2 * h
        matrices = 2 * h * q + 2 * h * v + 3 * h * f
        if kind == "qwen2":  # biases at queries, keys and values only
            small += q + 2 * v
        elif getattr(config, "attention_bias", False):
            small += q + 2 * v + h
        small += (2 * f + h) if getattr(config, "mlp_bias", False) else 0
        top = h + (0 if config.tie_word_embeddings else words * h)
    layers, decoder = config.num_hidden_layers, kind in DECODERS
    return Shape(decoder, layers, h, f, heads, q, v, table, matrices, small, top, words)


def saved_per_token(
    of: Shape, width: int, *, precision: str, lora: bool = False, fused: bool = False
) -> float:
    """Return the bytes that one layer keeps for the backward pass, per token.

    Args:
        of: the model's shape.
        width: tokens of a padded text: the attention's weights grow with it.
        precision: "float32", "mixed" (autocast to 16 bits) or "bfloat16" (all in it).
        lora: whether the matrices are frozen and get their inputs copied for LoRA.
        fused: whether the attention keeps no weights (FlashAttention and its kin).

    Raises:
        InputError: for an unknown precision.

    Without dropout. Taught in: lesson 28. Source: Korthikanti et al. 2022.
    """
    known("a precision", precision, BYTES)
    h, f, q = of.hidden, of.inner, of.query
    full = precision == "float32"
    unit = 4 if full else 2  # of what matrix products see
    stream = 2 if precision == "bfloat16" and not of.decoder else 4  # what norms keep
    # Autocast makes a 16-bit copy for every product; else the products share their input.
    apart = precision == "mixed" or (lora and not full)
    inputs = (3 if apart else 1) * h * unit  # of query, key and value
    attention = (q * 3 + q) * unit  # queries, keys, values; what comes out
    if fused:
        weights = 4 * of.heads
    elif full:
        weights = 4 * of.heads * width
    elif precision == "bfloat16" and not of.decoder:
        weights = 2 * of.heads * width
    else:
        weights = (4 + 2) * of.heads * width  # softmax in 32 bits, then a copy in 16
    norms = 2 * h * stream
    if (
        of.decoder
    ):  # RMS norms keep the scaled input, too, while their weight is trained
        norms += 0 if lora else 2 * h * BYTES[precision]
        feed_forward = (2 if apart else 1) * h * unit + 4 * f * unit
    else:
        feed_forward = h * unit + 2 * f * unit
    return inputs + attention + weights + norms + feed_forward


def operations(
    of: Shape, width: int, *, strategy: str = "full", checkpointing: bool = False
) -> float:
    """Return the floating-point operations of training on one token.

    A product with a matrix costs 2 per weight; the backward pass costs as much again for
    the gradient of the input and as much again for that of the weight, if it is trained.
    LoRA's own products, a few per cent, are left out. "frozen" is one forward pass.

    Raises:
        InputError: for an unknown strategy.

    Taught in: lesson 28. Source: Kaplan et al. 2020.
    """
    known("a strategy", strategy, STRATEGIES)
    layers = 2 * of.layers * of.matrices
    attention = 4 * of.layers * width * of.query
    top = 2 * of.vocabulary * of.hidden if of.decoder else 0
    forward = layers + attention + top
    if strategy == "frozen":
        return forward
    weights = layers + top if strategy in ("layers", "full") else 0  # their gradients
    again = layers + attention if checkpointing else 0
    return forward + layers + 2 * attention + top + weights + again


def known(what: str, name: str, options) -> None:
    """Raise InputError if a name is not among the options."""
    if name not in options:
        raise InputError(choose_from(what, name, options))
