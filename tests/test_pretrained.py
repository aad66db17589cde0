"""The short functions that load the pretrained models."""

from __future__ import annotations

import pytest
import torch

from course_utils import pretrained


@pytest.fixture
def tiny(monkeypatch):
    """Put a tiny random Llama in the place of the small language model."""
    from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=40, num_hidden_layers=1, **sizes)
    model = LlamaForCausalLM(config).eval()
    place = pretrained.Checkpoint("nowhere")
    monkeypatch.setattr(pretrained, "checkpoint", lambda _name: place)
    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", lambda *_, **__: model)
    return model


def test_the_output_matrix_is_not_copied_for_every_row_of_a_batch(tiny):
    model = pretrained.language_model().requires_grad_(False)
    in_one_piece = []

    def note(_module, given):
        in_one_piece.append(given[0].is_contiguous())

    model.lm_head.register_forward_pre_hook(note)
    ids = torch.randint(3, 40, (4, 6))
    model.generate(ids, max_new_tokens=3, do_sample=False, pad_token_id=0)
    assert in_one_piece and all(in_one_piece)
