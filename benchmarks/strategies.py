"""Nine fine-tuning strategies of one encoder: the full run behind lesson 09.

    python -m benchmarks.strategies                    # everything, about half an hour
    python -m benchmarks.strategies --parts main --seeds 0 --train 64 --epochs 1 --output x.json

Film snippets are learnt, film snippets, tweets and newspaper sentences are judged. Parts, in
this order:
    rates   every strategy at several learning rates, scored on validation texts with seeds of
            their own; the best mean decides the rate of the parts below
    main    every strategy with every seed: scores in three domains, forgetting curve, memory
    ranks   LoRA on two kinds of targets with several ranks, scored on validation texts
    peak    one process per strategy: by how much a few training steps let it grow

The result is written after every run. Started again, it keeps the finished runs and goes on.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import ctypes
import gc
import json
import os
import random
import subprocess
import sys
import threading
import time
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import psutil

from benchmarks.document_example import machine, versions

RESULT = Path(__file__).parent / "results" / "strategies.json"
PARTS = ("rates", "main", "ranks", "peak")
SEEDS = (0, 1, 2, 3, 4)
SWEEP_SEEDS = (100, 101)  # of other training texts than the main part's
MAX_TOKENS, BATCH, PROBE_STRENGTHS = 24, 16, (0.1, 0.3, 1, 3, 10, 30)
DOMAINS = {"movies": 600, "tweets": 600, "nyt": 360}  # test texts
RATES = {
    "frozen features": (),  # a line through stored vectors: no rate
    "BitFit": (1e-3, 3e-3, 1e-2, 3e-2),
    "LoRA query+value": (1e-3, 3e-3, 1e-2),
    "LoRA all linear": (3e-4, 1e-3, 3e-3, 1e-2),
    "last 2 layers": (1e-4, 3e-4, 1e-3),
    "gradual unfreezing": (1e-4, 3e-4, 1e-3),
    "LP-FT": (3e-5, 1e-4, 3e-4),
    "full": (3e-5, 1e-4, 3e-4, 1e-3),
    "full + token table": (1e-4, 3e-4),  # elsewhere in the course the table is frozen
}
LORA = {
    "LoRA query+value": ("query", "value"),
    "LoRA all linear": ("query", "key", "value", "dense"),
}
RANK, ALPHA, RANKS = 8, 16, (1, 2, 8, 32, 128)


def _short(domain: str):
    """Return a domain's different texts of few tokens, with label and length."""
    from course_utils import corpora, pretrained

    table = corpora.sentiment(domain)
    table = table[~table["text"].str.lower().str.split().str.join(" ").duplicated()]
    encoded = pretrained.tokenizer("encoder")(table["text"].tolist())["input_ids"]
    table = table.assign(tokens=[len(x) for x in encoded])
    table["label"] = (table["rating"] > 0).astype(int)
    return table[table["tokens"] <= MAX_TOKENS]


def balanced(table, size: int, seed: int):
    """Draw equally many texts of each class, shortest first."""
    drawn = table.groupby("label").sample(size // 2, random_state=seed)
    return drawn.sort_values("tokens", kind="stable", ignore_index=True)


@cache
def data() -> SimpleNamespace:
    """Return pool, validation, a test table per domain, and the old skill's sentences."""
    short = {domain: _short(domain) for domain in DOMAINS}
    clear = {name: t[t["rating"].abs() >= 0.5] for name, t in short.items()}
    films = clear["movies"].sample(frac=1, random_state=0)
    articles = clear["nyt"].sample(frac=1, random_state=0).groupby("group").head(1)
    places = {"movies": films[:1000], "tweets": clear["tweets"], "nyt": articles}
    tests = {name: balanced(places[name], size, 0) for name, size in DOMAINS.items()}
    rest = short["nyt"][~short["nyt"]["id"].isin(tests["nyt"]["id"])]
    rest = rest.groupby("group").filter(lambda article: len(article) >= 5)
    drawn = rest["group"].drop_duplicates().sample(50, random_state=0)
    old = rest[rest["group"].isin(drawn)].groupby("group").sample(5, random_state=0)
    return SimpleNamespace(
        pool=films[1600:],
        validation=balanced(films[1000:1600], 300, 0),
        tests=tests,
        old=old.sort_values("tokens", kind="stable", ignore_index=True),
    )


def batches(table, size: int) -> list[dict]:
    """Cut a table that is sorted by length into tokenised batches with labels."""
    import torch

    from course_utils import pretrained

    tokenizer, found = pretrained.tokenizer("encoder"), []
    for start in range(0, len(table), size):
        rows = table[start : start + size]
        batch = tokenizer(
            rows["text"].tolist(),
            padding=True,
            return_tensors="pt",
            return_token_type_ids=False,
        )
        batch["labels"] = torch.tensor(rows["label"].tolist())
        found.append(batch)
    return found


@cache
def _pretrained():
    import torch
    from transformers import AutoModel

    from course_utils import pretrained

    place = pretrained.checkpoint("encoder")
    choices = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    choices["attn_implementation"] = "eager"  # for short texts on a CPU the fastest
    choices["add_pooling_layer"] = False  # the head does not need it
    return AutoModel.from_pretrained(
        place.path, dtype=torch.float32, **choices, **place.options
    )


def classifier(seed: int):
    """Return lesson 09's model: encoder, mean of the token vectors, new linear head."""
    import torch
    from torch import nn

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.bert = copy.deepcopy(_pretrained())
            torch.manual_seed(seed)
            self.head = nn.Linear(self.bert.config.hidden_size, 2)

        def forward(self, input_ids, attention_mask, labels):
            states = self.bert(input_ids, attention_mask).last_hidden_state
            mask = attention_mask.unsqueeze(-1)  # [batch, tokens, 1]
            vectors = (states * mask).sum(dim=1) / mask.sum(dim=1)  # [batch, 384]
            logits = self.head(vectors).float()  # [batch, 2]
            loss = nn.functional.cross_entropy(logits, labels)
            return SimpleNamespace(loss=loss, logits=logits, vectors=vectors.float())

    return Classifier()


def predict(model, parts: list[dict], course):
    """Return bool [texts], whether each is right, and the vectors [texts, 384]."""
    import torch

    right, vectors = [], []
    model.eval()
    with torch.no_grad(), course.autocast():
        for batch in parts:
            output = model(**batch)
            right.append(output.logits.argmax(dim=1) == batch["labels"])
            vectors.append(output.vectors)
    return torch.cat(right).numpy(), torch.cat(vectors).numpy()


def same_article(vectors, groups) -> float:
    """Return the share of sentences whose nearest neighbour is of the same article."""
    import numpy as np

    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = vectors @ vectors.T
    np.fill_diagonal(cosine, -2)
    return float((groups[cosine.argmax(axis=1)] == groups).mean())


def set_head(model, train, train_batches, validation_batches, course) -> None:
    """Fit the head on frozen features; its strength is chosen on validation texts."""
    import torch
    from sklearn.linear_model import LogisticRegression

    features = predict(model, train_batches, course)[1]
    others = predict(model, validation_batches, course)[1]
    labels = data().validation["label"]
    lines = [
        LogisticRegression(C=strength, max_iter=3000).fit(features, train["label"])
        for strength in PROBE_STRENGTHS
    ]
    line = max(lines, key=lambda line: line.score(others, labels))
    weight = torch.tensor(line.coef_, dtype=torch.float32)
    bias = torch.tensor(line.intercept_, dtype=torch.float32)
    with torch.no_grad():
        model.head.weight.copy_(torch.cat([-weight, weight]) / 2)
        model.head.bias.copy_(torch.cat([-bias, bias]) / 2)


def groups_of(model, strategy: str, rate: float, rank: int = RANK) -> list[dict]:
    """Switch a strategy on; return its groups: params, rate, and share of the steps to wait."""
    from course_utils import strategies

    if strategy in LORA:
        targets = LORA[strategy]
        strategies.lora(model, targets, rank=rank, alpha=ALPHA, also=["head"])
    elif strategy == "BitFit":
        strategies.bitfit(model, also=["head"])
    elif strategy == "last 2 layers":
        strategies.last_layers(model, 2, also=["head"])
    elif strategy == "frozen features":
        strategies.freeze_all_but(model, "head")
    elif strategy == "full + token table":
        strategies.freeze_all_but(model, "*")
    else:
        strategies.freeze_all_but(model, "bert.encoder", "head")
    if strategy != "gradual unfreezing":
        rates, starts = {"*": rate}, [0]
    else:
        layers = [f"bert.encoder.layer.{number}" for number in range(5, -1, -1)]
        rates = {p: rate * 0.8**depth for depth, p in enumerate(["head", *layers])}
        starts = [0, 0, 0, 0.25, 0.25, 0.5, 0.5]
    groups = strategies.parameter_groups(model, rates)
    return [
        {"params": group["params"], "rate": group["lr"], "start": start}
        for group, start in zip(groups, starts, strict=True)
    ]


def train(model, parts, groups, *, epochs, seed, course, look=None, looks=0):
    """Train in place; return seconds without the looks, and what they saw."""
    import torch

    from course_utils.training import rate_factor

    optimizer = torch.optim.AdamW(groups, fused=True)
    weights = [weight for group in groups for weight in group["params"]]
    order, seconds, seen = random.Random(seed), 0.0, []
    queue = [batch for _ in range(epochs) for batch in order.sample(parts, len(parts))]
    at = {round(share * len(queue) / looks) for share in range(looks)} if looks else ()
    for step, batch in enumerate(queue):
        if look and step in at:
            seen.append((step, *look(model)))
        began = time.perf_counter()
        for group in optimizer.param_groups:
            group["lr"] = group["rate"] * rate_factor(step, len(queue), 0.1)
            for weight in group["params"]:
                weight.requires_grad_(step >= group["start"] * len(queue))
        with course.autocast():
            loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        seconds += time.perf_counter() - began
    return seconds, [*seen, (len(queue), *look(model))] if look else []


def memory(model, batch, course) -> dict[str, int]:
    """Count the bytes of weights, gradients, AdamW's state and saved outputs."""
    import torch

    size = sum(p.numel() * p.element_size() for p in model.parameters())
    moving = [p for p in model.parameters() if p.requires_grad]
    moving = sum(p.numel() * p.element_size() for p in moving)
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept: dict[int, int] = {}

    def note(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    hooks = torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor)
    with hooks, course.autocast():
        loss = model(**batch).loss  # what was saved lives as long as the loss
    saved = sum(kept.values()) if loss.requires_grad else 0
    return {
        "weights": size,
        "gradients": moving,
        "optimiser": 2 * moving,
        "saved": saved,
    }


def run(part, strategy, rate, rank, seed, options, course) -> dict:
    """Train once and return the row of the result."""
    drawn = balanced(data().pool, options.train, seed)
    train_batches = batches(drawn, BATCH)
    validation, old = _fixed_batches()
    model = classifier(seed)
    predict(model, validation[:1], course)  # the libraries' first call costs more
    began = time.perf_counter()
    if strategy in ("frozen features", "LP-FT"):
        set_head(model, drawn, train_batches, validation, course)
    probing = time.perf_counter() - began
    groups = groups_of(model, strategy, rate or 0.0, rank)
    trained = sum(p.numel() for g in groups for p in g["params"])
    counted = memory(model, train_batches[-1], course)
    if strategy == "frozen features":
        counted["gradients"] = counted["optimiser"] = counted["saved"] = 0
    main, seconds, curve = part == "main", 0.0, []

    def look(model):
        right = predict(model, validation, course)[0].mean()
        vectors = predict(model, old, course)[1]
        return round(float(right), 4), same_article(
            vectors, data().old["group"].to_numpy()
        )

    if strategy != "frozen features":
        seconds, curve = train(
            *(model, train_batches, groups),
            epochs=options.epochs,
            seed=seed,
            course=course,
            look=look if main else None,
            looks=4,
        )
    row = {
        "part": part,
        "strategy": strategy,
        "rate": rate,
        "rank": rank if strategy in LORA else None,
        "seed": seed,
        "train_texts": len(drawn),
        "steps": 0
        if strategy == "frozen features"
        else options.epochs * len(train_batches),
        "trained": trained,
        "seconds": round(seconds + probing, 2),
        "memory_mib": round(sum(counted.values()) / 2**20, 1),
        "memory_parts_mib": {n: round(x / 2**20, 1) for n, x in counted.items()},
        "validation": round(float(predict(model, validation, course)[0].mean()), 4),
    }
    if main:
        row |= {"old_skill": round(look(model)[1], 4), "curve": curve}
        for domain, table in data().tests.items():
            right = predict(model, batches(table, 64), course)[0]
            row[domain] = round(float(right.mean()), 4)
            row[f"right_{domain}"] = "".join("01"[int(x)] for x in right)
    return row


@cache
def _fixed_batches():
    return batches(data().validation, 64), batches(data().old, 64)


def peak(strategy: str, rate: float, course) -> dict:
    """Train a few steps in this process; return its growth against the count."""
    parts = batches(balanced(data().pool, 800, 0), BATCH)[-4:]
    model = classifier(0)
    groups = groups_of(model, strategy, rate)
    with course.autocast():
        model(**parts[0])  # libraries take their working space
    with growth() as grown:
        train(model, parts, groups, epochs=1, seed=0, course=course)
    counted = memory(model, parts[-1], course)
    expected = (sum(counted.values()) - counted["weights"]) / 2**20
    return {
        "part": "peak",
        "strategy": strategy,
        "seed": 0,
        "rate": rate,
        "counted_mib": round(expected),
        "grew_mib": round(grown.mib),
    }


def give_back():
    """Collect what is unreachable and give freed pages back to the system.

    glibc keeps what is freed below its `mmap` threshold (it rises to 32 MiB) for the next
    request, so the process does not shrink: `malloc_trim` makes it. Other systems'
    allocators have no such call; there only the collecting is done.
    """
    gc.collect()
    trim = (
        getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    )
    if trim:
        trim(0)


@contextlib.contextmanager
def growth():
    """Watch this process; after the block, `mib` is by how much it grew at the most.

    The system's own peak will not do: it is of the whole life of the process, and
    reading the libraries and the model takes more than a few steps of training. What was
    freed before but still lies with the process would be taken first, and hide as much
    growth: it is given back at the start. What is freed meanwhile lowers the start.
    """
    process, found, done = psutil.Process(), SimpleNamespace(mib=0.0), threading.Event()
    give_back()
    lowest = process.memory_info().rss

    def watch():
        nonlocal lowest
        while not done.wait(0.001):
            now = process.memory_info().rss
            lowest = min(lowest, now)
            found.mib = max(found.mib, (now - lowest) / 2**20)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield found
    finally:
        done.set()
        watcher.join()


def best_rates(rows: list[dict]) -> dict[str, float | None]:
    """Return each strategy's rate with the best mean validation score of the sweep."""
    chosen: dict[str, float | None] = {}
    for strategy, rates in RATES.items():
        scores = {
            rate: [
                r["validation"]
                for r in rows
                if (r["part"], r["strategy"], r["rate"]) == ("rates", strategy, rate)
            ]
            for rate in rates
        }
        scores = {
            rate: sum(found) / len(found) for rate, found in scores.items() if found
        }
        middle = rates[len(rates) // 2] if rates else None
        chosen[strategy] = max(scores, key=scores.get) if scores else middle
    return chosen


def plan(part: str, seeds, rates: dict[str, float | None]):
    """Return what a part consists of: (strategy, rate, rank, seed), seeds outermost."""
    if part == "rates":
        return [
            (name, rate, RANK, seed)
            for seed in SWEEP_SEEDS
            for name in RATES
            for rate in RATES[name]
        ]
    if part == "main":
        return [(name, rates[name], RANK, seed) for seed in seeds for name in RATES]
    if part == "ranks":
        both = [
            (name, rank, seed)
            for seed in SWEEP_SEEDS
            for name in LORA
            for rank in RANKS
        ]
        return [(name, rates[name], rank, seed) for name, rank, seed in both]
    return [(name, rates[name], RANK, 0) for name in RATES if RATES[name]]


def _key(row: dict) -> tuple:
    return row["part"], row["strategy"], row["rate"], row.get("rank"), row["seed"]


def main(arguments: list[str] | None = None) -> int:
    """Run what is still missing and write the result file after every run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--strategies", nargs="+", default=tuple(RATES), choices=RATES)
    parser.add_argument("--train", type=int, default=640, help="training texts")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--output", type=Path, default=RESULT)
    parser.add_argument("--peak", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    from course_utils import session

    course = session.start("09", seed=0, device="cpu")
    if options.peak:
        print(
            "ROW " + json.dumps(peak(options.peak[0], float(options.peak[1]), course))
        )
        return 0
    settings = {"train": options.train, "epochs": options.epochs, "batch": BATCH}
    device = {"threads": course.threads, "precision": str(course.precision)}
    result = {"machine": machine(), "versions": versions(), "device": device}
    result |= {"settings": settings, "rows": []}
    if options.output.exists():
        kept = json.loads(options.output.read_text("utf-8"))
        for what in ("settings", "machine", "device", "versions"):
            if kept[what] != result[what]:
                parser.error(
                    f"{options.output.name} is of other {what}: expected {result[what]}, "
                    f"got {kept[what]}; move it away or name another --output"
                )
        result["rows"] = kept["rows"]
    for part in options.parts:
        for strategy, rate, rank, seed in plan(
            part, options.seeds, best_rates(result["rows"])
        ):
            key = (
                part,
                strategy,
                rate,
                rank if strategy in LORA and part != "peak" else None,
            )
            if strategy not in options.strategies or (*key, seed) in map(
                _key, result["rows"]
            ):
                continue
            if part == "peak":
                row = _in_a_process(strategy, rate)
            else:
                row = run(part, strategy, rate, rank, seed, options, course)
            print(
                {n: x for n, x in row.items() if "right" not in n and n != "curve"},
                flush=True,
            )
            result["rows"].append(row)
            options.output.parent.mkdir(parents=True, exist_ok=True)
            options.output.write_text(
                json.dumps(result, indent=1) + "\n", encoding="utf-8"
            )
    return 0


def _in_a_process(strategy: str, rate: float) -> dict:
    command = [
        sys.executable,
        "-m",
        "benchmarks.strategies",
        "--peak",
        strategy,
        str(rate),
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    (line,) = [x for x in done.stdout.splitlines() if x.startswith("ROW ")]
    return json.loads(line[4:])


if __name__ == "__main__":
    sys.exit(main())
