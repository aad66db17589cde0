"""The cost planner: counts against real models, plans against arithmetic, clear errors."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from conftest import one_sentence
from course_utils import costs, planner
from course_utils.errors import InputError
from course_utils.planner import MIB, Speed, batches, plan


def encoder(**changes):
    """The configuration of all-MiniLM-L6-v2."""
    sizes = {
        "model_type": "bert",
        "vocab_size": 30522,
        "hidden_size": 384,
        "intermediate_size": 1536,
        "num_hidden_layers": 6,
        "num_attention_heads": 12,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
    }
    return SimpleNamespace(**(sizes | changes))


def decoder(**changes):
    """The configuration of Llama 2 with 7 billion weights."""
    sizes = {
        "model_type": "llama",
        "vocab_size": 32000,
        "hidden_size": 4096,
        "intermediate_size": 11008,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 32,
        "head_dim": None,
        "tie_word_embeddings": False,
    }
    return SimpleNamespace(**(sizes | changes))


SMOL = {"vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536}
SMOL |= {"num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3}
SMOL |= {"tie_word_embeddings": True}
MISTRAL = {
    "model_type": "mistral",
    "intermediate_size": 14336,
    "num_key_value_heads": 8,
}
QWEN = {"model_type": "qwen2", "vocab_size": 152064, "hidden_size": 3584}
QWEN |= {"intermediate_size": 18944, "num_hidden_layers": 28}
QWEN |= {"num_attention_heads": 28, "num_key_value_heads": 4}
BASE = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12}
LLAMA65 = {"hidden_size": 8192, "intermediate_size": 22016, "num_hidden_layers": 80}
LLAMA65 |= {"num_attention_heads": 64, "num_key_value_heads": 64}


# Counting


@pytest.mark.parametrize(
    ("config", "published"),
    [
        (encoder(), 22_713_216),  # all-MiniLM-L6-v2
        (encoder(**BASE), 109_482_240),  # bert-base-uncased
        (decoder(), 6_738_415_616),  # Llama 2 7B
        (decoder(**SMOL), 134_515_008),  # SmolLM2 135M
        (decoder(**MISTRAL), 7_241_732_096),  # Mistral 7B
        (decoder(**QWEN), 7_615_616_512),  # Qwen2.5 7B
    ],
)
def test_parameters_are_those_of_the_published_models(config, published):
    assert costs.shape(config).parameters == published


def test_an_encoder_without_pooler_is_smaller_by_it():
    whole, bare = costs.shape(encoder()), costs.shape(encoder(), pooler=False)
    assert whole.parameters - bare.parameters == 384 * 384 + 384


@pytest.fixture(scope="module")
def tiny():
    """Small random models: an encoder and a decoder with grouped keys."""
    torch = pytest.importorskip("torch")
    from transformers import BertConfig, BertModel, LlamaConfig, LlamaForCausalLM

    sizes = {"hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 4}
    sizes |= {
        "num_attention_heads": 4,
        "vocab_size": 50,
        "attn_implementation": "eager",
    }
    no_dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    torch.manual_seed(0)
    bert = BertModel(BertConfig(**sizes, **no_dropout), add_pooling_layer=False)
    llama = LlamaForCausalLM(
        LlamaConfig(**sizes, num_key_value_heads=2, use_cache=False, bos_token_id=None)
    )
    return {"encoder": bert, "decoder": llama}


def kept(model, texts, width, precision):
    """Return the bytes that torch keeps for a batch with a little padding."""
    import torch

    known = {p.untyped_storage()._cdata for p in model.parameters()}
    found = {}

    def note(tensor):
        storage = tensor.untyped_storage()
        if storage._cdata not in known:
            found[storage._cdata] = storage.nbytes()
        return tensor.detach()  # else a result and its graph hold each other

    ids = torch.zeros(texts, width, dtype=torch.long)
    mask = torch.ones(texts, width, dtype=torch.long)
    mask[0, -1] = 0
    context = torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "mixed")
    with torch.autograd.graph.saved_tensors_hooks(note, lambda t: t), context:
        if hasattr(model, "lm_head"):
            result = model(input_ids=ids, attention_mask=mask, labels=ids).loss
        else:
            result = model(input_ids=ids, attention_mask=mask).last_hidden_state
    assert result.requires_grad
    return sum(found.values())


@pytest.mark.parametrize("kind", ["encoder", "decoder"])
@pytest.mark.parametrize("precision", ["float32", "mixed", "bfloat16"])
@pytest.mark.parametrize(("texts", "width"), [(8, 16), (4, 64)])
def test_what_layers_keep_is_what_torch_keeps(tiny, kind, precision, texts, width):
    import copy

    import torch

    model = copy.deepcopy(tiny[kind]).train()
    if precision == "bfloat16":
        model = model.to(torch.bfloat16)
    planned = plan(
        model.config,
        [width] * texts,
        batch_size=texts,
        precision=precision,
        pooler=False,
    )
    real = kept(model, texts, width, precision)
    assert planned.saved * MIB == pytest.approx(real, rel=0.1)


@pytest.mark.parametrize("kind", ["encoder", "decoder"])
def test_what_lora_adds_and_keeps(tiny, kind):
    import copy

    from course_utils import strategies

    model = copy.deepcopy(tiny[kind]).train()
    stack = "encoder.layer.*" if kind == "encoder" else "model.layers.*"
    trained = strategies.lora(model, [stack], rank=4)
    added = sum(model.get_parameter(name).numel() for name in trained)
    assert costs.shape(model.config).lora(4) == added
    planned = plan(
        model.config,
        [16] * 8,
        batch_size=8,
        precision="float32",
        strategy="lora",
        rank=4,
    )
    assert planned.saved * MIB == pytest.approx(kept(model, 8, 16, "float32"), rel=0.1)


def test_a_fused_attention_grows_with_the_tokens_only():
    shape = costs.shape(encoder())
    wide, narrow = (
        costs.saved_per_token(shape, width, precision="float32", fused=True)
        for width in (512, 16)
    )
    assert wide == narrow
    assert wide < costs.saved_per_token(shape, 16, precision="float32")


def test_operations_are_six_per_weight_and_token_and_lora_saves_a_third():
    shape = costs.shape(encoder(), pooler=False)
    matrices = shape.layers * shape.matrices
    full = costs.operations(shape, 1)
    assert full == pytest.approx(6 * matrices, rel=0.01)
    assert costs.operations(shape, 1, strategy="lora") == pytest.approx(
        full * 2 / 3, rel=0.01
    )
    assert costs.operations(shape, 1, strategy="frozen") == pytest.approx(
        full / 3, rel=0.01
    )
    again = costs.operations(shape, 1, checkpointing=True)
    assert again == pytest.approx(full * 4 / 3, rel=0.01)
    assert costs.operations(shape, 1, strategy="layers") == full


def test_a_decoder_gives_logits_for_every_token():
    small, large = (costs.shape(decoder(vocab_size=v)) for v in (1000, 2000))
    more = costs.operations(large, 8) - costs.operations(small, 8)
    assert more == 6 * 1000 * 4096


# Batches


def test_batches_are_padded_as_asked():
    lengths = [3, 9, 4, 8, 5]
    assert batches(lengths, 2) == [(2, 9), (2, 8), (1, 5)]
    assert batches(lengths, 2, padding="grouped") == [(2, 4), (2, 8), (1, 9)]
    assert batches(lengths, 2, padding=6) == [(2, 6), (2, 6), (1, 6)]


@pytest.mark.parametrize(
    ("lengths", "size", "padding"),
    [([], 2, "longest"), ([3, 0], 2, "longest"), ([3], 0, "longest"), ([3], 1, 0)],
)
def test_batches_that_cannot_be_are_refused(lengths, size, padding):
    with pytest.raises(InputError) as error:
        batches(lengths, size, padding=padding)
    one_sentence(error)


# Plans


def test_full_training_in_32_bits_takes_16_bytes_per_parameter():
    found = plan(encoder(), [8], precision="float32")
    states = found.weights + found.gradients + found.optimiser
    assert states * MIB == 16 * found.parameters == 16 * (22_713_216 + 2 * 385)
    assert found.trained == found.parameters


def test_the_peak_is_the_larger_part_and_the_sum_when_gradients_wait():
    found = plan(encoder(), [32] * 16, precision="float32")
    rest = found.weights + found.optimiser + found.working
    assert found.peak == pytest.approx(rest + max(found.gradients, found.saved))
    waiting = plan(encoder(), [32] * 16, precision="float32", accumulate=2)
    assert waiting.peak == pytest.approx(rest + found.gradients + found.saved)


def test_each_strategy_saves_what_it_says():
    found = {
        name: plan(encoder(), [32] * 16, strategy=name) for name in costs.STRATEGIES
    }
    table = costs.shape(encoder()).table
    assert found["full"].trained - found["layers"].trained == table
    assert found["lora"].gradients < 0.03 * found["full"].gradients
    assert found["lora"].saved == pytest.approx(found["full"].saved)
    assert found["frozen"].gradients == found["frozen"].optimiser == 0
    assert found["frozen"].saved == 0 and found["frozen"].steps == 0
    assert found["qlora"].weights < found["lora"].weights
    peaks = [found[name].peak for name in ("frozen", "lora", "layers", "full")]
    assert peaks == sorted(peaks)


def test_the_peak_is_that_of_the_largest_batch():
    short, mixed = plan(encoder(), [8] * 32), plan(encoder(), [8] * 31 + [64])
    assert mixed.saved > 5 * (short.saved - 2 * 6 * 1_769_472 / MIB)
    alone = plan(encoder(), [64] * 16)
    assert mixed.saved == alone.saved


def test_checkpointing_keeps_inputs_and_one_layer():
    lengths, how = [64] * 16, {"precision": "float32"}
    usual = plan(encoder(), lengths, **how)
    light = plan(encoder(), lengths, checkpointing=True, **how)
    inputs = 6 * 64 * 16 * 384 * 4 / MIB
    assert light.saved == pytest.approx(usual.saved / 6 + inputs)
    assert light.operations > 1.3 * usual.operations


def test_published_memory_of_65_billion_weights():
    """QLoRA's paper: more than 780 GB in 16 bits, under 48 GB with 4."""
    how = {"precision": "bfloat16", "batch_size": 1, "fused": True}
    config = decoder(**LLAMA65)
    full = plan(config, [512], state_bytes=8, **how)
    states = (full.weights + full.gradients + full.optimiser) * MIB / 1e9
    assert 780 < states < 790
    how |= {"strategy": "qlora", "rank": 64, "checkpointing": True}
    small = plan(config, [512], **how)
    assert 35 < small.peak * MIB / 1e9 < 48


def test_tokens_padding_and_steps():
    found = plan(encoder(), [3, 9, 4, 8, 5], batch_size=2, epochs=2, accumulate=2)
    assert found.tokens == 2 * (18 + 16 + 5)
    assert found.padding_share == pytest.approx(1 - 29 / 39)
    assert found.steps == 2 * 2  # three batches: a whole step and what is left over
    cut = plan(encoder(), [3, 9], padding=6)
    assert cut.padding_share == pytest.approx(1 - 9 / 12)


def test_seconds_add_up():
    lengths, speed = [16] * 8, Speed(1e9, per_batch=0.5, per_update=1e-6)
    found = plan(encoder(), lengths, batch_size=4, epochs=3, speed=speed)
    expected = found.operations / 1e9 + 6 * 0.5 + 6 * found.trained * 1e-6
    assert found.seconds == pytest.approx(expected)
    assert found.minutes == pytest.approx(expected / 60)
    each = costs.operations(costs.shape(encoder()), 16)
    assert found.operations == 3 * 8 * 16 * each


def test_frozen_features_are_computed_once_however_many_epochs():
    one, ten = (
        plan(encoder(), [16] * 8, strategy="frozen", epochs=n, speed=Speed(1e9, 0.5, 1))
        for n in (1, 10)
    )
    assert one == ten


def test_without_a_speed_there_are_no_seconds():
    found = plan(encoder(), [16])
    assert found.seconds is None and found.minutes is None


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"strategy": "half"}, "'half'"),
        ({"precision": "float16"}, "'float16'"),
        ({"padding": "none"}, "'none'"),
        ({"epochs": 0}, "got 0"),
        ({"accumulate": 0}, "0"),
    ],
)
def test_what_cannot_be_planned_is_refused(changes, part):
    with pytest.raises(InputError) as error:
        plan(encoder(), [8], **changes)
    one_sentence(error, part)


def test_an_unknown_model_is_refused():
    with pytest.raises(InputError) as error:
        plan(SimpleNamespace(model_type="t5"), [8])
    one_sentence(error, "'t5'", "bert")


def test_planning_loads_no_torch():
    code = "import sys; from course_utils import planner; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n"


def test_a_plan_names_every_part_of_its_peak():
    found = planner.plan(decoder(), [64], batch_size=1)
    assert found.working > 0 and found.saved > 0
