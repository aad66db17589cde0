"""What each saving saves, planned and measured, on whatever device there is: behind lesson 28.

    python -m benchmarks.compute_costs                       # on two CPU cores about four minutes
    python -m benchmarks.compute_costs --rounds 1 --texts 32 --output x.json

Parts:
    savings   lesson 28's settings for the small encoder, alone and together, in turn
    large     random weights in the shapes of language models with 1 and 7 billion weights, in
              full and with LoRA, where the device's memory can hold them by plan (GPUs only)

The speed behind the planned seconds is measured here as well: for `savings` on two other batches,
for `large` on a slice of four layers. QLoRA is planned in the lesson and not measured: it needs
bitsandbytes. The result keeps the device's name.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
import tempfile
import time
from functools import cache
from itertools import accumulate
from pathlib import Path

from benchmarks.document_example import machine, versions
from course_utils import planner

RESULT = Path(__file__).parent / "results" / "compute_costs.json"
PARTS = ("savings", "large")
WIDTH, EPOCHS = 48, 3
BASE = {"padding": WIDTH, "precision": "float32", "strategy": "full"}
BASE |= {"batch_size": 16, "accumulate": 1, "checkpointing": False}
BOTH = {"padding": "grouped", "precision": "mixed"}
SETTINGS = {
    "nothing saved": {},
    "dynamic padding": {"padding": "longest"},
    "length grouping": {"padding": "grouped"},
    "16 bits": {"precision": "mixed"},
    "accumulation": {"batch_size": 4, "accumulate": 4},
    "checkpointing": {"checkpointing": True},
    "frozen table": {"strategy": "layers"},
    "LoRA": {"strategy": "lora"},
    "cached features": {"strategy": "frozen"},
    "grouping + 16 bits": BOTH,
    "… + frozen table": BOTH | {"strategy": "layers"},
    "… + LoRA": BOTH | {"strategy": "lora"},
    "… + checkpointing": BOTH | {"strategy": "lora", "checkpointing": True},
    "grouping + 16 bits + cached": BOTH | {"strategy": "frozen"},
}
LARGE = {  # shapes of language models; random weights cost as much as trained ones
    "1 B": {
        "hidden_size": 2048,
        "intermediate_size": 8192,
        "num_hidden_layers": 16,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
        "tie_word_embeddings": True,
    },
    "7 B": {},  # Llama 2
}
WAYS = {
    "LoRA": {"strategy": "lora"},
    "LoRA, checkpointing": {"strategy": "lora", "checkpointing": True},
    "full": {"strategy": "full"},
    "full, checkpointing": {"strategy": "full", "checkpointing": True},
}
TOKENS, SLICE = 1024, 4


def device():
    """Return the device that is measured."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_name() -> str:
    """Return the name of the GPU, or of the processor with its number of threads."""
    import torch

    if device().type == "cuda":
        return torch.cuda.get_device_name()
    return f"{machine()['processor']}, {torch.get_num_threads()} threads"


def wait() -> None:
    """Wait until a GPU has done all that it was asked for."""
    import torch

    if device().type == "cuda":
        torch.cuda.synchronize()


def cast(precision: str):
    """Return the context of a forward pass."""
    import torch

    half = precision == "mixed"
    return torch.autocast(device().type, dtype=torch.bfloat16, enabled=half)


def held(work) -> float:
    """Return the most MiB that torch held at once for `work`, beside what was there."""
    import torch
    from torch.profiler import ProfilerActivity, profile

    gc.collect()
    if device().type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        work()
        wait()
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    os.environ["KINETO_LOG_LEVEL"] = "99"  # no reports of the profiler on itself
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        work()
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.json"
        seen.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text("utf-8"))["traceEvents"]
    blocks = [(e["ts"], e["args"]["Bytes"]) for e in events if e["name"] == "[memory]"]
    return max(accumulate(size for _, size in sorted(blocks))) / 2**20


# The small encoder


@cache
def texts():
    """Return film snippets with label and length in tokens, in random order."""
    from course_utils import corpora, pretrained

    table = corpora.sentiment("movies")
    table = table[table["rating"].abs() >= 0.5].drop_duplicates("text")
    table = table.sample(frac=1, random_state=0, ignore_index=True)
    table["label"] = (table["rating"] > 0).astype(int)
    tokenizer = pretrained.tokenizer("encoder")
    ids = tokenizer(table["text"].tolist(), truncation=True, max_length=WIDTH)
    return table.assign(tokens=[len(row) for row in ids["input_ids"]])


def cut(table, padding, size: int) -> list[dict]:
    """Cut rows into batches on the device, padded as the planner's `padding` says."""
    import torch

    from course_utils import pretrained

    tokenizer, found = pretrained.tokenizer("encoder"), []
    if padding == "grouped":
        table = table.sort_values("tokens", kind="stable")
    fixed = not isinstance(padding, str)
    for start in range(0, len(table), size):
        rows = table[start : start + size]
        batch = tokenizer(
            rows["text"].tolist(),
            padding="max_length" if fixed else True,
            truncation=True,
            max_length=padding if fixed else WIDTH,
            return_tensors="pt",
            return_token_type_ids=False,
        )
        batch["labels"] = torch.tensor(rows["label"].tolist())
        found.append({name: part.to(device()) for name, part in batch.items()})
    return found


def build(strategy: str, checkpointing: bool):
    """Return the encoder with a head, a strategy switched on."""
    from benchmarks.strategies import classifier
    from course_utils import strategies

    model = classifier(0).train()
    if strategy == "layers":
        strategies.freeze_all_but(model, "bert.encoder", "head")
    elif strategy == "lora":
        targets = ["query", "key", "value", "dense"]
        strategies.lora(model, targets, rank=8, also=["head"])
    elif strategy == "frozen":
        strategies.freeze_all_but(model, "head")
    else:
        strategies.freeze_all_but(model, "*")
    if checkpointing:
        model.bert.gradient_checkpointing_enable()
    return model.to(device())


def train(model, batches, *, precision, accumulate=1, frozen=False) -> float:
    """Train one pass; return the seconds. Frozen: one pass without gradients."""
    import torch

    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-6, fused=True)
    wait()
    began = time.perf_counter()
    for number, batch in enumerate(batches, start=1):
        with torch.set_grad_enabled(not frozen), cast(precision):
            loss = model(**batch).loss / accumulate
        if frozen:
            continue
        loss.backward()
        if number % accumulate == 0 or number == len(batches):
            optimizer.step()
            optimizer.zero_grad()
    wait()
    return time.perf_counter() - began


def speed(model, small: dict, large: dict, work: tuple, precision: str):
    """Measure a Speed from two batches that cost `work` operations each."""
    import torch

    def seconds(compute, repeats=6):
        found = []
        for _ in range(repeats):
            wait()
            began = time.perf_counter()
            compute()
            wait()
            found.append(time.perf_counter() - began)
        return statistics.median(found[1:])

    def step(batch):
        with cast(precision):
            loss = model(**batch).loss
        loss.backward()
        model.zero_grad()

    short, long = seconds(lambda: step(small)), seconds(lambda: step(large))
    per_operation = (long - short) / (work[1] - work[0])
    trained = [p for p in model.parameters() if p.requires_grad]
    for weight in trained:
        weight.grad = torch.zeros_like(weight)
    update = seconds(torch.optim.AdamW(trained, lr=1e-6, fused=True).step)
    model.zero_grad()
    return planner.Speed(
        1 / per_operation,
        max(0.0, short - per_operation * work[0]),
        update / sum(weight.numel() for weight in trained),
    )


def savings(options) -> list[dict]:
    """Measure every setting on the encoder, in turn."""
    from transformers import AutoConfig

    from course_utils import costs, pretrained

    place = pretrained.checkpoint("encoder")
    config = AutoConfig.from_pretrained(place.path, **place.options)
    shape, others = costs.shape(config, pooler=False), texts()[-64:]
    work = tuple(n * w * costs.operations(shape, w) for n, w in ((4, 16), (16, WIDTH)))
    speeds = {}
    for precision in ("float32", "mixed"):
        model = build("full", False)
        small, large = cut(others[:4], 16, 4)[0], cut(others[:16], WIDTH, 16)[0]
        speeds[precision] = speed(model, small, large, work, precision)
    sample, rows = texts()[: options.texts], []
    settings = {name: BASE | new for name, new in SETTINGS.items()}
    for turn in range(options.rounds):
        for name, setting in settings.items():
            model = build(setting["strategy"], setting["checkpointing"])
            frozen = setting["strategy"] == "frozen"
            how = {key: setting[key] for key in ("precision", "accumulate")}
            how["frozen"] = frozen
            batches = cut(sample, setting["padding"], setting["batch_size"])
            train(model, batches[:1], **how)  # libraries take their working space
            took = train(model, batches, **how)
            longest = sample.nlargest(16, "tokens")
            pieces = cut(longest, setting["padding"], setting["batch_size"]) * 2
            most = held(lambda m=model, p=pieces, h=how: train(m, p, **h))
            planned = planner.plan(
                config,
                sample["tokens"].tolist(),
                epochs=EPOCHS,
                pooler=False,
                speed=speeds[setting["precision"]],
                **setting,
            )
            row = {"model": "encoder", "setting": name, "round": turn}
            row |= _numbers(planned, took if frozen else EPOCHS * took, most)
            print(row, flush=True)
            rows.append(row)
    return rows


def _numbers(planned, seconds, most) -> dict:
    return {
        "planned_seconds": round(planned.seconds, 3),
        "seconds": None if seconds is None else round(seconds, 3),
        "planned_mib": round(planned.peak - planned.weights, 1),
        "held_mib": None if most is None else round(most, 1),
    }


# Models that are too large for most machines


def language_model(changes: dict, strategy: str, checkpointing: bool):
    """Build a Llama of this shape on the device: 16 bits, random weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from course_utils import strategies

    config = LlamaConfig(attn_implementation="sdpa", use_cache=False, **changes)
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with device():
            model = LlamaForCausalLM(config).train()
    finally:
        torch.set_default_dtype(usual)
    if strategy == "lora":
        strategies.lora(model, ["model.layers.*"], rank=8)
    if checkpointing:
        model.gradient_checkpointing_enable()
    return model, config


def tokens(width: int) -> dict:
    """Return one text of random tokens, with itself as labels."""
    import torch

    ids = torch.randint(1000, (1, width), device=device())
    return {"input_ids": ids, "labels": ids, "use_cache": False}


def large(options) -> list[dict]:
    """Measure one text of 1,024 tokens at a time, where the device can hold it by plan."""
    import torch

    from course_utils import costs

    if device().type != "cuda":
        print("large: no GPU here, nothing measured")
        return []
    memory, rows = torch.cuda.get_device_properties(0).total_memory / 2**20, []
    how = {"batch_size": 1, "precision": "bfloat16", "fused": True}
    for name, changes in LARGE.items():
        few = changes | {"num_hidden_layers": SLICE}
        model, config = language_model(few, "full", False)
        shape = costs.shape(config)
        work = tuple(w * costs.operations(shape, w) for w in (TOKENS // 4, TOKENS))
        # Under autocast, as in the measurement: LoRA's inputs then stay in 16 bits.
        measured = speed(model, tokens(TOKENS // 4), tokens(TOKENS), work, "mixed")
        del model
        for way, setting in WAYS.items():
            whole = config.__class__(**changes)
            one = planner.plan(whole, [TOKENS], speed=measured, **setting, **how)
            row = {"model": name, "setting": way, "round": 0}
            if one.peak > 0.92 * memory:
                rows.append(row | _numbers(one, None, None))
                print(
                    f"{name}, {way}: {one.peak:.0f} MiB by plan, too much", flush=True
                )
                continue
            model, _ = language_model(
                changes, setting["strategy"], setting.get("checkpointing", False)
            )
            batches = [tokens(TOKENS)] * 3
            most = held(lambda m=model, b=batches: train(m, b, precision="mixed"))
            for turn in range(options.rounds):
                took = train(model, batches, precision="mixed") / len(batches)
                rows.append(row | {"round": turn} | _numbers(one, took, most))
                print(rows[-1], flush=True)
            del model
            gc.collect()
            torch.cuda.empty_cache()
    return rows


def main(arguments: list[str] | None = None) -> int:
    """Measure the parts that were asked for and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--texts", type=int, default=96, help="of the encoder's sample")
    parser.add_argument("--output", type=Path, default=RESULT)
    options = parser.parse_args(arguments)
    from course_utils import session

    session.start("28", seed=0)
    result = {"device": device_name(), "machine": machine(), "versions": versions()}
    result["settings"] = {"texts": options.texts, "epochs": EPOCHS, "tokens": TOKENS}
    result["rows"] = []
    for part in options.parts:
        result["rows"] += {"savings": savings, "large": large}[part](options)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    said = json.dumps(result, indent=1, ensure_ascii=False)
    options.output.write_text(said + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
