"""The strategies' switches on tiny models: what is trained, LoRA, groups, errors."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    LlamaConfig,
    LlamaForCausalLM,
    WhisperConfig,
    WhisperForConditionalGeneration,
)

from conftest import cell_of, function_of, lesson, one_sentence, run
from course_utils import strategies
from course_utils.errors import InputError
from course_utils.lessons import get
from course_utils.strategies import LoRALinear
from tools.notebooks import FOLDER

needs_09 = pytest.mark.skipif(
    not (FOLDER / get("09").file).exists(),
    reason="lesson 09, which builds the strategies, is not written yet",
)
SMALL = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16}
TOKENS = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]])


@pytest.fixture
def bert():
    torch.manual_seed(0)
    config = BertConfig(vocab_size=20, num_hidden_layers=12, **SMALL)
    return BertForSequenceClassification(config).eval()


@pytest.fixture
def llama():
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=20, num_hidden_layers=3, **SMALL)
    return LlamaForCausalLM(config).eval()


def names(model):
    return [name for name, p in model.named_parameters() if p.requires_grad]


@torch.no_grad()
def logits(model):
    return model(input_ids=TOKENS).logits


def shake(model):
    """Give every B random numbers, so that the updates do something."""
    torch.manual_seed(3)
    for module in model.modules():
        if isinstance(module, LoRALinear):
            nn.init.normal_(module.B)


# Names


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("layer.1.weight", "layer.1", True),
        ("layer.11.weight", "layer.1", False),
        ("layer.1.weight", "1", False),
        ("layer.1.bias", "*.bias", True),
        ("layer.1.bias", "*bias", True),
        ("bias", "*.bias", False),
        ("head", "head", True),
        ("heads.weight", "head", False),
    ],
)
def test_a_name_fits_a_part_or_the_stars(name, pattern, expected):
    assert strategies.fits(name, pattern) is expected


# Freezing


def test_only_what_fits_is_trained_whatever_was_before(bert):
    bert.requires_grad_(False)
    found = strategies.freeze_all_but(bert, "classifier", "bert.pooler.dense.bias")
    expected = ["bert.pooler.dense.bias", "classifier.weight", "classifier.bias"]
    assert found == names(bert) == expected


def test_layer_1_of_twelve_is_one_layer(bert):
    strategies.freeze_all_but(bert, "bert.encoder.layer.1")
    assert {name.split(".")[3] for name in names(bert)} == {"1"}


def test_without_a_pattern_everything_is_frozen(bert):
    assert strategies.freeze_all_but(bert) == names(bert) == []


def test_the_last_layers_and_the_head_are_trained(bert):
    found = strategies.last_layers(bert, 2, also=["classifier"])
    assert found == names(bert)
    assert {name.split(".")[3] for name in found if "layer" in name} == {"10", "11"}
    assert found[-2:] == ["classifier.weight", "classifier.bias"]


def test_no_layer_and_all_layers(bert):
    assert strategies.last_layers(bert, 0, also=["classifier"]) == [
        "classifier.weight",
        "classifier.bias",
    ]
    found = strategies.last_layers(bert, 12)
    assert len({name.split(".")[3] for name in found}) == 12
    assert not any("embeddings" in name for name in found)


def test_of_two_equal_stacks_one_must_be_named():
    config = WhisperConfig(
        vocab_size=20,
        d_model=8,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    model = WhisperForConditionalGeneration(config)
    with pytest.raises(InputError) as error:
        strategies.last_layers(model, 1)
    one_sentence(error, "model.encoder.layers", "model.decoder.layers", "within=")
    found = strategies.last_layers(model, 1, within="model.decoder")
    assert all(name.startswith("model.decoder.layers.1.") for name in found)


def test_bitfit_trains_biases_and_the_head_only(bert):
    found = strategies.bitfit(bert, also=["classifier"])
    assert "bert.embeddings.LayerNorm.bias" in found
    assert [n for n in found if not n.endswith("bias")] == ["classifier.weight"]
    assert len(found) == sum(n.endswith("bias") for n, _ in bert.named_parameters()) + 1


# LoRA


def test_lora_changes_nothing_at_the_start_and_freezes_the_rest(bert):
    before = logits(bert)
    found = strategies.lora(bert, ["query", "value"], rank=2, also=["classifier"])
    assert torch.equal(logits(bert), before)
    assert found == names(bert) and len(found) == 12 * 2 * 2 + 2
    assert {name.split(".")[-1] for name in found[:-2]} == {"A", "B"}


@pytest.mark.parametrize("rank", [1, 3])
def test_lora_adds_the_scaled_product(rank):
    torch.manual_seed(1)
    base = nn.Linear(5, 4)
    layer = LoRALinear(copy.deepcopy(base), rank, 6)
    nn.init.normal_(layer.B)
    x = torch.randn(2, 7, 5)
    weight = base.weight + 6 / rank * layer.B @ layer.A
    expected = nn.functional.linear(x, weight, base.bias)
    assert layer.A.shape == (rank, 5) and layer.B.shape == (4, rank)
    assert torch.allclose(layer(x), expected, atol=1e-5)


def test_lora_counts_rank_times_inputs_and_outputs(llama):
    strategies.lora(llama, ["q_proj", "down_proj"], rank=3)
    trained = sum(p.numel() for p in llama.parameters() if p.requires_grad)
    assert trained == 3 * 3 * ((8 + 8) + (16 + 8))


def test_the_first_step_moves_only_b(bert):
    strategies.lora(bert, ["query"], rank=2)
    bert(input_ids=TOKENS, labels=torch.tensor([0, 1])).loss.backward()
    layer = bert.bert.encoder.layer[0].attention.self.query
    assert layer.A.grad.abs().max() == 0 < layer.B.grad.abs().max()
    assert layer.base.weight.grad is None


def test_stars_choose_by_place_and_also_is_left_alone(bert):
    strategies.lora(bert, ["bert.encoder.*"], also=["classifier"])
    found = [n for n, m in bert.named_modules() if isinstance(m, LoRALinear)]
    assert len(found) == 12 * 6 and all(n.startswith("bert.encoder") for n in found)
    assert (
        type(bert.classifier) is nn.Linear and type(bert.bert.pooler.dense) is nn.Linear
    )


def test_a_head_named_like_a_target_is_left_alone(bert):
    strategies.lora(bert, ["dense", "classifier"], also=["bert.pooler"])
    assert type(bert.bert.pooler.dense) is nn.Linear
    assert isinstance(bert.classifier, LoRALinear)


def test_attention_that_reads_the_weight_itself_is_left_alone():
    attention = nn.MultiheadAttention(8, 2)
    with pytest.raises(InputError) as error:
        strategies.lora(attention, ["out_proj"])
    one_sentence(error, "'out_proj'")


def test_the_same_random_state_gives_the_same_a(llama):
    twins = []
    for model in (llama, copy.deepcopy(llama)):
        torch.manual_seed(5)
        strategies.lora(model, ["q_proj"])
        twins.append([p for p in model.parameters() if p.requires_grad])
    assert all(torch.equal(one, two) for one, two in zip(*twins, strict=True))


def test_half_precision_keeps_its_type_and_the_update_full_precision(llama):
    llama.bfloat16()
    strategies.lora(llama, ["q_proj", "v_proj"])
    shake(llama)
    assert logits(llama).dtype == torch.bfloat16
    assert llama.model.layers[0].self_attn.q_proj.A.dtype == torch.float32
    assert strategies.merge(llama) == 6
    assert {p.dtype for p in llama.parameters()} == {torch.bfloat16}


def test_merging_keeps_the_output_and_the_layers_names(llama):
    before = set(dict(llama.named_parameters()))
    strategies.lora(llama, ["q_proj", "up_proj"], rank=2, alpha=1)
    shake(llama)
    expected = logits(llama)
    assert strategies.merge(llama) == 6
    assert torch.allclose(logits(llama), expected, atol=1e-5)
    assert set(dict(llama.named_parameters())) == before
    assert strategies.merge(llama) == 0


def test_adapters_can_be_switched_off_also_when_something_fails(bert):
    before = logits(bert)
    strategies.lora(bert, ["query", "dense"])
    shake(bert)
    tuned = logits(bert)
    assert not torch.allclose(tuned, before, atol=1e-3)
    with pytest.raises(RuntimeError), strategies.adapters_off(bert):
        assert torch.equal(logits(bert), before)
        raise RuntimeError
    assert torch.equal(logits(bert), tuned)


# Groups


def test_every_trained_parameter_is_in_the_first_group_that_fits(bert):
    strategies.freeze_all_but(bert, "bert.encoder", "classifier")
    rates = {"classifier": 1e-3, "bert.encoder.layer.11": 1e-4, "bert": 1e-5, "x": 1}
    groups = strategies.parameter_groups(bert, rates)
    assert [(g["name"], g["lr"]) for g in groups] == list(rates.items())[:3]
    sizes = [len(g["params"]) for g in groups]
    assert sizes == [2, 16, 11 * 16] and sum(sizes) == len(names(bert))
    torch.optim.AdamW(groups)  # an optimiser takes them as they are


# Refusing


@pytest.mark.parametrize(
    ("switch", "parts"),
    [
        (lambda m: strategies.freeze_all_but(m, "head"), ["'head'"]),
        (lambda m: strategies.last_layers(m, 4), ["0 to 3", "got 4"]),
        (lambda m: strategies.last_layers(m, -1), ["got -1"]),
        (lambda m: strategies.last_layers(m, 1, within="x"), ["got []", "within="]),
        (lambda m: strategies.bitfit(m), ["*bias"]),
        (lambda m: strategies.lora(m, ["query"]), ["'query'", "q_proj"]),
        (lambda m: strategies.lora(m, ["q_proj"], rank=0), ["got 0"]),
        (lambda m: strategies.lora(m, ["q_proj"], rank=1.5), ["got 1.5"]),
        (lambda m: strategies.parameter_groups(m, {"lm_head": 1}), ["got none for"]),
    ],
)
def test_what_cannot_work_is_refused_in_one_sentence(llama, switch, parts):
    before = [(n, p.requires_grad) for n, p in llama.named_parameters()]
    with pytest.raises(InputError) as error:
        switch(llama)
    one_sentence(error, *parts)
    assert before == [(n, p.requires_grad) for n, p in llama.named_parameters()]


# Lesson 09 builds the same


@pytest.fixture
def taught():
    notebook = lesson("09")
    return run(notebook, cell_of(notebook, "s08-layer").source)["LoRALinear"]


@needs_09
@pytest.mark.parametrize(
    "patterns",
    [
        ["classifier"],
        ["*bias", "classifier"],
        ["bert.encoder.layer.1"],
        ["*"],
        ["bert.encoder.layer.10", "bert.encoder.layer.11", "classifier"],
    ],
)
def test_lesson_09_freezes_what_the_package_freezes(bert, patterns):
    fits = function_of("09", "fits")
    freeze = function_of("09", "freeze_all_but", fits=fits)
    freeze(bert, patterns)
    found = names(bert)
    assert found == strategies.freeze_all_but(bert, *patterns)


@needs_09
@pytest.mark.parametrize("targets", [["query", "value"], ["dense"]])
def test_lesson_09s_lora_is_the_packages(bert, targets, taught):
    fits = function_of("09", "fits")
    freeze = function_of("09", "freeze_all_but", fits=fits)
    add = function_of("09", "add_lora", LoRALinear=taught, freeze_all_but=freeze)
    bert.head, bert.bert.pooler = bert.classifier, None  # as the lesson's model has it
    del bert.classifier
    other = copy.deepcopy(bert)
    torch.manual_seed(4)
    add(bert, targets, rank=3, alpha=5)
    torch.manual_seed(4)
    strategies.lora(other, targets, rank=3, alpha=5, also=["head"])
    assert names(bert) == names(other)
    pairs = zip(bert.named_parameters(), other.named_parameters(), strict=True)
    assert all(a == b and torch.equal(p, q) for (a, p), (b, q) in pairs)


@needs_09
def test_lesson_09s_layer_and_merge_are_the_packages(taught):
    torch.manual_seed(2)
    base = nn.Linear(6, 5)
    ours = taught(copy.deepcopy(base), 2, 6)
    theirs = LoRALinear(copy.deepcopy(base), 2, 6)
    nn.init.normal_(ours.B)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(3, 6)
    assert torch.equal(ours(x), theirs(x))
    merge = function_of("09", "merge", LoRALinear=taught)
    merged = merge(nn.Sequential(ours))[0]
    assert torch.equal(merged.weight, theirs.merged().weight)
    assert isinstance(ours.base, nn.Linear)  # the lesson merges a copy
