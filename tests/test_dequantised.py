"""The small language model's plain copy: made once, checked always, never in the way."""

from __future__ import annotations

import json
import os

import pytest
import torch
from hub_stand_in import tiny_decoder
from transformers import AutoModelForCausalLM, AutoTokenizer

from course_utils import assets, dequantised, pretrained

FILE = assets.ASSETS["decoder"].required[0]


@pytest.fixture
def made(monkeypatch, tmp_path):
    """Let a tiny model stand for the unpacked one; return the list of unpackings."""
    made = []
    tiny = tiny_decoder(tmp_path / "tiny")
    tokenizer = AutoTokenizer.from_pretrained(tiny)

    def load(place, file, **_options):
        made.append(file)
        return AutoModelForCausalLM.from_pretrained(tiny)

    monkeypatch.setattr(dequantised, "load", load)
    monkeypatch.setattr(AutoTokenizer, "from_pretrained", lambda *_, **__: tokenizer)
    monkeypatch.setattr(dequantised, "_checked", set())
    monkeypatch.setenv("SFT_COURSE_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / FILE).write_bytes(b"quantised weights")
    return made, folder


def test_the_copy_is_made_once_and_loads_without_the_quantised_file(made):
    unpacked, folder = made
    copy = dequantised.kept_copy(folder, FILE)
    assert dequantised.kept_copy(folder, FILE) == copy and unpacked == [FILE]
    assert sorted(os.listdir(folder)) == [FILE]  # nothing is written beside it
    model = AutoModelForCausalLM.from_pretrained(copy)
    tiny = AutoModelForCausalLM.from_pretrained(folder.parent / "tiny")
    for name, tensor in tiny.state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor)
    assert not [
        path for path in copy.parent.iterdir() if path.is_dir() and path != copy
    ]


@pytest.mark.parametrize("harm", ["changed", "missing", "other source", "no manifest"])
def test_a_copy_that_does_not_fit_is_made_anew(made, harm, monkeypatch):
    unpacked, folder = made
    copy = dequantised.kept_copy(folder, FILE)
    weights = (copy / "model.safetensors").read_bytes()
    if harm == "changed":
        (copy / "model.safetensors").write_bytes(weights[:-1] + b"\0\0")
    elif harm == "missing":
        (copy / "config.json").unlink()
    elif harm == "other source":
        (folder / FILE).write_bytes(b"other weights")
    else:
        (copy / dequantised.MANIFEST).unlink()
    monkeypatch.setattr(dequantised, "_checked", set())  # as in a new process
    assert dequantised.kept_copy(folder, FILE) == copy
    assert len(unpacked) == 2
    assert (copy / "model.safetensors").read_bytes() == weights
    files = json.loads((copy / dequantised.MANIFEST).read_text())["files"]
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(files)


def test_without_room_for_a_copy_the_quantised_file_is_read_itself(made, monkeypatch):
    unpacked, folder = made

    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(dequantised.tempfile, "TemporaryDirectory", full)
    monkeypatch.setattr(assets, "fetch", lambda _name: folder)
    assert dequantised.kept_copy(folder, FILE) is None
    place = pretrained.checkpoint("decoder")
    assert place == pretrained.Checkpoint(str(folder), {"gguf_file": FILE})
    model = pretrained.language_model()  # goes through `load` then
    assert unpacked == [FILE] and model.num_parameters() > 0


@pytest.mark.slow
def test_the_copy_equals_what_the_file_holds(tmp_path):
    folder = assets.fetch("decoder")
    direct = dequantised.load(folder, FILE, dtype=torch.float32)
    kept = pretrained.language_model()
    assert "gguf_file" not in pretrained.checkpoint("decoder").options
    for name, tensor in direct.state_dict().items():
        assert torch.equal(kept.state_dict()[name], tensor), name
    assert direct.generation_config.to_dict() == kept.generation_config.to_dict()
    direct.save_pretrained(tmp_path)  # refused as long as it counts as quantised
    assert (tmp_path / "model.safetensors").is_file()
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=FILE)
    same = pretrained.tokenizer("decoder")
    text = "<|im_start|>user\nHé 你好  %1 {name} 12345 it's 😀<|im_end|>\n"
    assert tokenizer(text)["input_ids"] == same(text)["input_ids"]
    assert tokenizer.chat_template == same.chat_template
    assert tokenizer.special_tokens_map == same.special_tokens_map
