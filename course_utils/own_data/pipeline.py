"""All of it in order: read, check, split, advise, train, measure, write."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.own_data import (
    baseline,
    card,
    columns,
    deciding,
    folder,
    measuring,
    models,
    preparing,
    report,
    training,
)
from course_utils.own_data.findings import counted

if TYPE_CHECKING:
    from course_utils.session import Session

PACKAGES = (
    "torch",
    "transformers",
    "tokenizers",
    "safetensors",
    "numpy",
    "scikit-learn",
)


def finetune(
    data: str | Path,
    output: str | Path,
    session: Session,
    *,
    read: dict[str, Any] | None = None,
    check: dict[str, Any] | None = None,
    chosen: dict[str, Any] | None = None,
    model: str | None = None,
    multilingual: bool = False,
    minutes: float = 10.0,
    shares=(0.7, 0.15, 0.15),
    overwrite: bool = False,
    restart: bool = False,
    show_texts: bool = True,
    command: str = "",
    say: Callable[[str], None] = lambda line: None,
    progress: Callable | None = None,
    checkpoint_seconds: float = 60,
) -> dict[str, Any]:
    """Fine-tune a classifier on a file and write the folder `output`.

    Started again after an interruption with the same arguments, it goes on from its last
    checkpoint to the same weights.

    Args:
        data: the file; it is only read.
        output: the new folder.
        session: of `session.start`: device, precision, threads, seed.
        read, check: arguments of `columns.read` and `checks.check`.
        chosen: settings that are not left to the advice; see `advice.advise`.
        model, multilingual: see `models.choose`.
        minutes: of training that are aimed at (at least 500 rows and two passes all the same).
        shares: of training, validation and test.
        overwrite, restart: see `folder.claim`.
        show_texts: whether the report shows test texts that were answered wrongly.
        command: what was typed, for the record.
        say: called with a line for the reader now and then.
        progress, checkpoint_seconds: see `training.train`.

    Returns:
        metrics.json's content, with `findings` and `reasons`.

    Raises:
        InputError: for what the user can mend.
        MachineError: for a disk or a folder that cannot be written.

    Taught in: lesson 31.
    """
    import torch

    read, check, chosen = dict(read or {}), dict(check or {}), dict(chosen or {})
    picked = models.choose(model, multilingual=multilingual)
    wanted = {"file": preparing.fingerprint(data), "read": read, "check": check}
    wanted |= {"settings": chosen, "model": picked.name, "minutes": minutes}
    wanted |= {"shares": list(shares), "seed": session.seed, "versions": versions()}
    wanted |= {"device": session.device.type}
    work = folder.claim(output, wanted, overwrite=overwrite, restart=restart)
    try:
        ready = preparing.prepare(
            data, seed=session.seed, read=read, check=check, shares=shares
        )
        for line in (columns.describe(ready.source), *map(str, ready.findings)):
            say(line)
        tokenizer = models.tokenizer(picked)
        network = models.load(picked, ready.labels, seed=session.seed)
        network.to(session.device)
        if work.started:
            decided = work.started
            say(f"Going on with the interrupted run in {work.partial.name}.")
        else:
            decided = deciding.decide(
                ready, session, tokenizer, network, picked.english, minutes, chosen, say
            )
            folder.remember(work, decided)
        settings = training.Settings(**decided["settings"])
        torch.set_num_threads(settings.threads)  # as before an interruption
        parts = preparing.encode(
            ready,
            tokenizer,
            decided["rows"],
            max_length=settings.max_length,
            seed=session.seed,
        )
        simple = _baseline(ready, parts, session.seed)
        say(
            f"Baseline: learnt from {counted(simple.rows, 'text')}, {simple.seconds:.1f} s."
        )
        models.prepare(network, settings)
        pad = tokenizer.pad_token_id or 0
        run = training.train(
            network,
            parts.texts["training"],
            parts.texts["validation"],
            settings,
            pad=pad,
            checkpoint=work.checkpoint,
            checkpoint_seconds=checkpoint_seconds,
            progress=progress,
        )
        result = measuring.outcome(network, parts, ready, settings, simple, pad)
        result["metrics"] |= measuring.of_run(run, simple, decided["plan"])
        result |= {"findings": decided["findings"], "reasons": decided["reasons"]}
        result["mistakes"] = result["mistakes"] if show_texts else []
        result["record"] = {
            "command": command,
            "data": Path(data).name,
            "sha256": wanted["file"],
            "read_as": {"kind": ready.source.kind, **ready.source.how},
            "columns": ready.source.columns,
            "model": picked.name,
            "licence": picked.licence,
            "english": picked.english,
            "settings": asdict(settings),
            "shares": list(shares),
            "versions": versions(),
            "device": session.device.type,
        }
        folder.finish(
            work,
            lambda place: _write(place, network, tokenizer, result),
            overwrite=overwrite,
        )
    finally:
        folder.leave(work)
    return result["metrics"] | {k: result[k] for k in ("findings", "reasons")}


def versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    from course_utils import __version__

    found = {name: metadata.version(name) for name in PACKAGES}
    return {"sft-course": __version__, "python": platform.python_version(), **found}


def _baseline(ready, parts, seed: int) -> baseline.Baseline:
    learn = ready.part("training")
    return baseline.train(
        learn["text"].tolist(),
        learn["label"].map(ready.codes).to_numpy(),
        parts.rows["test"]["text"].tolist(),
        seed=seed,
    )


def _write(place: Path, network, tokenizer, result: dict[str, Any]) -> None:
    """Write everything that the folder holds."""
    network.save_pretrained(place)
    tokenizer.save_pretrained(place)
    codes = {label: number for number, label in enumerate(result["labels"])}
    files = {
        "labels.json": codes,
        "metrics.json": result["metrics"],
        folder.RECORD: result["record"] | {"findings": result["findings"]},
    }
    for name, content in files.items():
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (place / name).write_text(text + "\n", "utf-8")
    (place / "README.md").write_text(card.render(result), "utf-8")
    (place / "report.html").write_text(report.render(result), "utf-8")
