"""A stand-in for the model hub: tiny models of the real kinds, served on this machine.

It answers what `from_pretrained` asks of the hub (files, listings, model information)
and knows each repository at one revision only, so that a load that is not pinned fails.
Every path that was asked for is kept in `requests`.
"""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from course_utils.assets.hub import HubModel


class HubStandIn:
    """Serve folders as repositories while used as a context manager."""

    def __init__(self, repositories: dict[HubModel, Path]) -> None:
        self.folders = {model.repository: path for model, path in repositories.items()}
        self.revisions = {model.repository: model.revision for model in repositories}
        self.requests: list[str] = []

    def __enter__(self) -> HubStandIn:
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()

    def asked(self, repository: str, part: str) -> list[str]:
        """Paths asked for in a repository that hold `part`, such as "/resolve/"."""
        return [path for path in self.requests if repository in path and part in path]


class _Handler(BaseHTTPRequestHandler):
    hub: HubStandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, *_) -> None:
        """Keep the tests' output clean."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path).strip("/")
        self.hub.requests.append(f"/{path}")
        parts = path.removeprefix("api/models/").split("/")
        repository, rest = "/".join(parts[:2]), parts[2:]
        if repository not in self.hub.folders:
            return self._refuse("RepoNotFound")
        revision = self.hub.revisions[repository]
        if rest[1:2] not in ([], [revision]):
            return self._refuse("RevisionNotFound")
        self.headers_of_repository = {"X-Repo-Commit": revision}
        folder = self.hub.folders[repository]
        inside = folder.joinpath(*rest[2:])
        if rest[:1] == ["resolve"]:
            return (
                self._send(inside.read_bytes()) if inside.is_file() else self._refuse()
            )
        if rest[:1] == ["tree"]:
            listing = [_entry(p, folder) for p in sorted(inside.glob("*"))]
            return self._send_json(listing) if inside.is_dir() else self._refuse()
        names = [{"rfilename": p.name} for p in sorted(folder.glob("*"))]
        about = {"id": repository, "sha": revision, "private": False, "tags": []}
        return self._send_json(about | {"siblings": names})

    def _send_json(self, answer: object) -> None:
        self._send(json.dumps(answer).encode(), kind="application/json")

    def _send(self, content: bytes, *, kind: str = "application/octet-stream") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self._send_repository_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _refuse(self, code: str = "EntryNotFound") -> None:
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.send_header("X-Error-Code", code)
        self._send_repository_headers()

    def _send_repository_headers(self) -> None:
        for name, value in getattr(self, "headers_of_repository", {}).items():
            self.send_header(name, value)
        self.end_headers()


def _entry(path: Path, folder: Path) -> dict:
    oid = hashlib.sha1(path.read_bytes() if path.is_file() else b"").hexdigest()
    kind = "file" if path.is_file() else "directory"
    size = path.stat().st_size if path.is_file() else 0
    name = path.relative_to(folder).as_posix()
    return {"type": kind, "path": name, "size": size, "oid": oid}


def tiny_encoder(folder: Path) -> Path:
    """Save a random BERT of one layer with its tokenizer, as `bert-base-uncased` is."""
    import torch
    from transformers import BertConfig, BertForMaskedLM, BertTokenizer

    folder.mkdir(parents=True)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "from", "the", "hub"]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=32,
    )
    BertForMaskedLM(config).save_pretrained(folder)
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def tiny_decoder(folder: Path) -> Path:
    """Save a random Llama of one layer with its tokenizer and chat template."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = ["<unk>", "<s>", "</s>", "from", "the", "hub"]
    words_to_ids = {word: number for number, word in enumerate(words)}
    raw = Tokenizer(models.WordLevel(words_to_ids, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )
    tokenizer.chat_template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=32,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
