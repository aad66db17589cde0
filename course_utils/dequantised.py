"""A quantised checkpoint, unpacked once and kept in the cache as a plain one.

Unpacking takes about twenty seconds each time. The kept copy loads in one or two, and
trains, saves and goes into `Trainer` as any other checkpoint does; its tensors are equal.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from unittest import mock

from course_utils.assets import cache_folder

MANIFEST = "manifest.json"
_checked: set[tuple[Path, str]] = set()  # (copy, its source) verified in this process


def kept_copy(folder: Path, file: str) -> Path | None:
    """Return the folder of a float32 copy of a GGUF checkpoint, made at first use.

    Args:
        folder: where the GGUF file lies; nothing is written there.
        file: its name.

    Returns:
        A folder that `from_pretrained` reads without further arguments: config, weights
        (safetensors, 4 bytes a parameter), tokenizer. None if the cache cannot hold it.
    """
    from filelock import FileLock

    source = _sha256(folder / file)
    target = cache_folder() / f"{Path(file).stem}-float32"
    if _is_whole(target, source):
        return target
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        with FileLock(cache_folder() / f"{target.name}.lock"):
            if not _is_whole(target, source):  # another notebook may have been first
                _make(folder, file, source, target)
    except OSError:  # read-only or full: what a copy saves is time, nothing else
        return None
    return target


def load(place: Path | str, file: str, **options):
    """Unpack a GGUF language model into an ordinary one, in evaluation mode."""
    from transformers import AutoModelForCausalLM

    # Unpacking shows a progress bar that transformers' own switch leaves on.
    bar = "transformers.modeling_gguf_pytorch_utils.tqdm"
    with mock.patch(bar, lambda rows, **_: rows, create=True):
        model = AutoModelForCausalLM.from_pretrained(place, gguf_file=file, **options)
    # The file was quantised, the weights in memory are not. As long as the model says so,
    # Trainer will not train it and save_pretrained will not save it.
    model.hf_quantizer, model.is_quantized = None, False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    return model


def _make(folder: Path, file: str, source: str, target: Path) -> None:
    """Unpack beside the target, then swap it in with one rename. The lock is held."""
    import torch
    from transformers import AutoTokenizer

    for leftover in target.parent.glob(f".{target.name}-*"):  # of a killed process
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(
        dir=target.parent, prefix=f".{target.name}-", ignore_cleanup_errors=True
    ) as scratch:
        staged = Path(scratch) / "files"
        model = load(folder, file, dtype=torch.float32)
        model.save_pretrained(staged)
        AutoTokenizer.from_pretrained(folder, gguf_file=file).save_pretrained(staged)
        files = {path.name: _sha256(path) for path in staged.iterdir()}
        text = json.dumps({"source_sha256": source, "files": files}, indent=1)
        (staged / MANIFEST).write_text(text, encoding="utf-8")
        if target.exists():
            target.rename(Path(scratch) / "damaged")
        staged.rename(target)


def _is_whole(target: Path, source: str) -> bool:
    """Say whether the copy is of this source, with every file unchanged."""
    if (target, source) in _checked and (target / MANIFEST).is_file():
        return True
    try:
        manifest = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
        files = dict(manifest["files"])
        whole = manifest["source_sha256"] == source and all(
            _sha256(target / name) == digest for name, digest in files.items()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False
    if whole:
        _checked.add((target, source))
    return whole


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
