"""The hub switch: on, full-size models at pinned revisions; off, no request."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
from hub_stand_in import HubStandIn, tiny_decoder, tiny_encoder
from index_stand_in import ROOT

from course_utils import pretrained, session
from course_utils.assets import hub
from course_utils.errors import InputError

ENCODER, DECODER = hub.MODELS["encoder"], hub.MODELS["decoder"]

LOAD_ENCODER = """
import json
from course_utils import pretrained, session
session.start("01"{arguments})
model = pretrained.classifier(2, seed=0)
words = pretrained.tokenizer()("from the hub").input_ids
print(json.dumps([type(model).__name__, model.config.hidden_size, len(words)]))
"""
LOAD_DECODER = """
model = pretrained.language_model()
tokenizer = pretrained.tokenizer("decoder")
words = tokenizer("from the hub").input_ids
print(json.dumps([type(model).__name__, model.config.hidden_size, len(words)]))
messages = [{"role": "user", "content": "hi"}]
print(tokenizer.apply_chat_template(messages, tokenize=False))
"""
# A request of the test's own, to tell what was asked before it from what came after.
MARK = """
import os, urllib.error, urllib.request
try:
    urllib.request.urlopen(os.environ["HF_ENDPOINT"] + "/mark")
except urllib.error.HTTPError:
    pass
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub")
    return {
        ENCODER: tiny_encoder(folder / "encoder"),
        DECODER: tiny_decoder(folder / "decoder"),
    }


@pytest.fixture
def server(folders):
    with HubStandIn(folders) as server:
        yield server


def run(code, server, tmp_path, **variables):
    """Run code in a fresh Python that knows only the stand-in; return its output."""
    hidden = ("HF_", "HUGGINGFACE_", "TRANSFORMERS_", "SFT_COURSE_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    environment = kept | {
        "HF_ENDPOINT": server.address,
        "HF_HOME": str(tmp_path / "hf"),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "PYTHONPATH": str(ROOT),
        "SFT_COURSE_CACHE": str(tmp_path / "cache"),
        "SFT_COURSE_THREADS": "1",
    }
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.splitlines()


def assert_pinned(server, model):
    files = server.asked(model.repository, "/resolve/")
    assert files and all(f"/resolve/{model.revision}/" in path for path in files)
    listings = server.asked(model.repository, "/tree/")
    assert all(f"/tree/{model.revision}" in path for path in listings)
    assert any(path.endswith("/model.safetensors") for path in files)
    assert any(path.endswith("/tokenizer.json") for path in files)


def test_with_the_switch_on_the_models_come_from_the_hub_pinned(server, tmp_path):
    code = LOAD_ENCODER.format(arguments="") + LOAD_DECODER
    said = run(code, server, tmp_path, SFT_COURSE_HUB="1")
    assert "models: from the model hub" in said[0]
    assert json.loads(said[1]) == ["BertForSequenceClassification", 32, 5]
    assert json.loads(said[2]) == ["LlamaForCausalLM", 32, 3]
    assert said[3:] == ["hi"]
    assert_pinned(server, ENCODER)
    assert_pinned(server, DECODER)
    assert not (tmp_path / "cache").exists()


def test_off_the_hub_is_never_asked_and_on_works_in_the_same_process(
    server, folders, tmp_path
):
    off = LOAD_ENCODER.format(arguments="")  # imports transformers, told to be offline
    on = LOAD_ENCODER.format(arguments=", hub=True")
    own = {"SFT_COURSE_ASSET_ENCODER": str(folders[ENCODER])}
    said = run(off + MARK + on, server, tmp_path, **own)
    assert server.requests[0] == "/mark"
    assert "models: small, from the package index" in said[0]
    assert "models: from the model hub" in said[2]
    expected = ["BertForSequenceClassification", 32, 5]
    assert json.loads(said[1]) == expected and json.loads(said[3]) == expected
    assert_pinned(server, ENCODER)


def test_every_model_on_the_hub_is_pinned_to_a_commit():
    for model in hub.MODELS.values():
        assert re.fullmatch(r"[0-9a-f]{40}", model.revision)
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", model.repository)


def test_the_checkpoint_names_the_repository_and_its_revision(monkeypatch):
    monkeypatch.setenv("SFT_COURSE_HUB", "1")
    place = pretrained.checkpoint("decoder")
    assert place.path == DECODER.repository
    assert place.options == {"revision": DECODER.revision}


@pytest.mark.parametrize("ask", [hub.is_on, lambda: session.start("01")])
@pytest.mark.parametrize("value", ["yes", "2"])
def test_a_bad_value_of_the_switch_gives_one_sentence(monkeypatch, ask, value):
    monkeypatch.setenv("SFT_COURSE_HUB", value)
    with pytest.raises(InputError) as error:
        ask()
    expected = f"Expected SFT_COURSE_HUB: one of 0, 1; got {value!r}."
    assert str(error.value).startswith(expected)


@pytest.mark.parametrize("value", ["", "0", " 0 "])
def test_the_switch_is_off_by_default(monkeypatch, value):
    monkeypatch.setenv("SFT_COURSE_HUB", value)
    assert hub.is_on() is False


def test_a_model_the_course_does_not_know_is_answered_with_the_known_ones():
    with pytest.raises(InputError, match=r"got 'enkoder'\. Use one of these"):
        hub.model("enkoder")


# The translation model of lesson 18

TRANSLATOR = hub.MODELS["translator"]
# Marian's tokenizer cuts texts with sentencepiece, which the course does not install: a
# stand-in that cuts at blanks takes its place, and the rest of the tokenizer is the real one.
SENTENCEPIECE = """
class SentencePieceProcessor:
    def __init__(self, **_): pass
    def Load(self, file): assert open(file).read() == "pieces"
    def encode(self, text, out_type=str): return ["▁" + word for word in text.split()]
    def decode_pieces(self, pieces): return "".join(pieces)
    def IdToPiece(self, index): return "<unk>"
"""
LOAD_TRANSLATOR = """
import json, sys, torch
sys.path.insert(0, "tests")
from conftest import function_of
from course_utils import pretrained, session, training
import pandas as pd
session.start("18")
tokenizer, model = pretrained.translation_model()
print(json.dumps([type(model).__name__, model.config.d_model, model.training]))
print(json.dumps(tokenizer("from the hub").input_ids))
translate = function_of("18", "translate_marian", torch=torch, MOST=6)
print(json.dumps(translate(model, tokenizer, ["from the hub", "the", "hub"], size=2)))
make_batches = function_of("18", "marian_batches")
rows = pd.DataFrame({"english": ["from the hub", "hub"], "translation": ["du hub", "du"]})
batches = make_batches(model, tokenizer, rows)
print(json.dumps(batches[0]["labels"].tolist()))
fitted = training.fit(model, batches, epochs=200, learning_rate=1e-2, seed=0)
print(json.dumps(translate(model, tokenizer, ["from the hub", "hub"])))
"""


def tiny_translator(folder):
    """Save a random Marian with the files that its repository has: no safetensors."""
    import torch
    from transformers import MarianConfig, MarianMTModel

    words = ["</s>", "<unk>", "▁from", "▁the", "▁hub", "▁du", "<pad>"]
    sizes = {"vocab_size": len(words), "d_model": 32, "max_position_embeddings": 16}
    for side in ("encoder", "decoder"):
        sizes |= {f"{side}_layers": 1, f"{side}_attention_heads": 2}
        sizes |= {f"{side}_ffn_dim": 64}
    pad = len(words) - 1
    config = MarianConfig(**sizes, pad_token_id=pad, decoder_start_token_id=pad)
    torch.manual_seed(0)
    model = MarianMTModel(config)
    model.save_pretrained(folder)
    (folder / "model.safetensors").unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    numbers = {word: number for number, word in enumerate(words)}
    (folder / "vocab.json").write_text(json.dumps(numbers))
    (folder / "tokenizer_config.json").write_text('{"target_lang": "fr"}')
    for name in ("source.spm", "target.spm"):
        (folder / name).write_text("pieces")
    return folder


@pytest.fixture(scope="module")
def translator(tmp_path_factory):
    return tiny_translator(tmp_path_factory.mktemp("translator"))


def test_the_translator_comes_from_the_hub_pinned_and_the_lessons_code_runs_on_it(
    translator, tmp_path
):
    (tmp_path / "sentencepiece.py").write_text(SENTENCEPIECE)
    path = os.pathsep.join(map(str, (tmp_path, ROOT, ROOT / "tests")))
    with HubStandIn({TRANSLATOR: translator}) as server:
        on = {"SFT_COURSE_HUB": "1", "PYTHONPATH": path}
        said = run(LOAD_TRANSLATOR, server, tmp_path, **on)
        asked = server.asked(TRANSLATOR.repository, "/resolve/")
        everything = list(server.requests)
    assert "models: from the model hub" in said[0]
    assert json.loads(said[1]) == ["MarianMTModel", 32, False]
    assert json.loads(said[2]) == [2, 3, 4, 0]
    assert len(json.loads(said[3])) == 3
    assert json.loads(said[4]) == [[5, 4, 0], [5, 0, -100]]
    assert json.loads(said[5]) == ["du hub", "du"]
    assert asked and all(f"/resolve/{TRANSLATOR.revision}/" in path for path in asked)
    names = {path.rsplit("/", 1)[1] for path in asked}
    assert {"pytorch_model.bin", "source.spm", "target.spm", "vocab.json"} <= names
    assert not [path for path in everything if "discussions" in path]  # no conversion


def test_with_the_switch_off_the_translator_is_refused(monkeypatch):
    monkeypatch.setenv("SFT_COURSE_HUB", "0")
    with pytest.raises(InputError, match=r"got it off\. Set SFT_COURSE_HUB=1"):
        pretrained.translation_model()


def test_without_sentencepiece_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setenv("SFT_COURSE_HUB", "1")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"Install it with pip install sentencepiece"):
        pretrained.translation_model()
