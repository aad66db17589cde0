"""The document's listing, repaired, against the improved one of lesson 14.

    python -m benchmarks.document_example                     # everything, about half an hour
    python -m benchmarks.document_example --datasets movies --seeds 0

Same model, same 3,000 rows split 70/15/15 with random_state 42 (2,100 training texts), one
epoch, same seeds. Each run is a process of its own, so that its peak memory is its own, and the
two variants take turns, so that a slow minute of the machine hits both. Seconds run from
the model's loading to the test set's predictions, as in the listing; importing the
libraries and reading the file are left out for both.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESULT = Path(__file__).parent / "results" / "document_example.json"
DATASETS = ("sms_spam", "movies")
VARIANTS = ("listing", "improved")
SEEDS = (0, 1, 2)
ROWS = 3000


def table(dataset: str):
    """Return 3,000 rows with `text` and a `label` of 0 or 1."""
    from course_utils import corpora

    if dataset == "sms_spam":
        rows = corpora.sms_spam()
        rows["label"] = (rows["label"] == "spam").astype(int)
    else:
        rows = corpora.sentiment("movies")
        rows["label"] = (rows["rating"] > 0).astype(int)
    rows = rows[["text", "label"]].sample(ROWS, random_state=0)
    return rows.reset_index(drop=True)


def run(dataset: str, variant: str, seed: int) -> dict:
    """Run one variant in this process and return its row of the result."""
    from course_utils import session

    course = session.start("14", seed=seed)
    import torch
    from sklearn.metrics import f1_score
    from sklearn.model_selection import train_test_split
    from transformers import Trainer, set_seed  # noqa: F401  loaded before the clock starts

    from course_utils.training import peak_memory_mib

    train, rest = train_test_split(table(dataset), test_size=0.3, random_state=42)
    valid, test = train_test_split(rest, test_size=0.5, random_state=42)
    set_seed(seed)
    with tempfile.TemporaryDirectory() as folder:
        build = listing if variant == "listing" else improved
        began = time.perf_counter()
        trainer, test_set = build(train, valid, test, seed, folder, course)
        trainer.train()
        output = trainer.predict(test_set)
        seconds = time.perf_counter() - began
    predicted = output.predictions.argmax(-1)
    return {
        "dataset": dataset,
        "variant": variant,
        "seed": seed,
        "seconds": round(seconds, 1),
        "peak_memory_mib": round(peak_memory_mib()),
        "weighted_f1": round(
            f1_score(output.label_ids, predicted, average="weighted"), 4
        ),
        "validation_accuracy": round(trainer.state.log_history[-2]["eval_accuracy"], 4),
        "precision": str(course.precision) if variant == "improved" else "float32",
        "steps": trainer.state.global_step,
        "torch_threads": torch.get_num_threads(),
    }


def _arguments(folder: str, seed: int, **options):
    from transformers import TrainingArguments

    return TrainingArguments(
        output_dir=folder,
        num_train_epochs=1,
        per_device_eval_batch_size=64,
        weight_decay=0.01,
        eval_strategy="epoch",
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=seed,
        use_cpu=True,
        **options,
    )


def _accuracy(output) -> dict[str, float]:
    return {
        "accuracy": float((output.predictions.argmax(-1) == output.label_ids).mean())
    }


def listing(train, valid, test, seed: int, folder: str, course):
    """Build the document's listing, changed only where it no longer runs."""
    import torch
    from transformers import BertForSequenceClassification, BertTokenizer, Trainer

    from course_utils import pretrained

    place = pretrained.checkpoint("encoder").path
    model = BertForSequenceClassification.from_pretrained(place, dtype=torch.float32)
    tokenizer = BertTokenizer.from_pretrained(place)

    class Dataset(torch.utils.data.Dataset):
        def __init__(self, rows):
            texts = rows["text"].tolist()
            self.encodings = tokenizer(texts, truncation=True, padding=True)
            self.labels = rows["label"].tolist()

        def __getitem__(self, idx):
            item = {k: torch.tensor(v[idx]) for k, v in self.encodings.items()}
            item["labels"] = torch.tensor(self.labels[idx])
            return item

        def __len__(self):
            return len(self.labels)

    trainer = Trainer(
        model=model,
        args=_arguments(folder, seed, per_device_train_batch_size=16, warmup_steps=500),
        train_dataset=Dataset(train),
        eval_dataset=Dataset(valid),
        compute_metrics=_accuracy,
    )
    return trainer, Dataset(test)


def improved(train, valid, test, seed: int, folder: str, course):
    """Build lesson 14's improved version: same model, data and number of epochs."""
    import torch
    from datasets import Dataset
    from transformers import (
        BertForSequenceClassification,
        BertTokenizer,
        DataCollatorWithPadding,
        Trainer,
    )

    from course_utils import pretrained

    place = pretrained.checkpoint("encoder").path
    model = BertForSequenceClassification.from_pretrained(
        place,
        dtype=torch.float32,
        attn_implementation="eager",
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    model.bert.embeddings.requires_grad_(False)
    model.bert.encoder.layer[:2].requires_grad_(False)
    tokenizer = BertTokenizer.from_pretrained(place)

    def encode(rows):
        encodings = tokenizer(rows["text"].tolist(), truncation=True)
        lengths = [len(ids) for ids in encodings["input_ids"]]
        columns = {"labels": rows["label"].tolist(), "length": lengths}
        return Dataset.from_dict({**encodings, **columns})

    trainer = Trainer(
        model=model,
        args=_arguments(
            folder,
            seed,
            per_device_train_batch_size=32,
            learning_rate=2e-4,
            warmup_steps=0.1,
            train_sampling_strategy="group_by_length",
            bf16=course.precision == torch.bfloat16,
        ),
        train_dataset=encode(train),
        eval_dataset=encode(valid),
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=_accuracy,
    )
    return trainer, encode(test)


def machine() -> dict:
    """Describe the machine without naming it."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [x for x in cpuinfo.read_text().splitlines() if "model name" in x]
        processor = names[0].split(":")[1].strip() if names else processor
    import psutil

    return {
        "processor": processor,
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": platform.system(),
    }


def versions() -> dict:
    """Return the versions that the result depends on."""
    from importlib.metadata import version

    names = ("torch", "transformers", "accelerate", "tokenizers", "numpy")
    found = {name: version(name).split("+")[0] for name in names}
    return {"python": platform.python_version(), **found}


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for, one process per run, and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", nargs="+", default=DATASETS, choices=DATASETS)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--output", type=Path, default=RESULT)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        dataset, variant, seed = options.one
        print("ROW " + json.dumps(run(dataset, variant, int(seed))))
        return 0
    rows = []
    for dataset in options.datasets:
        for seed in options.seeds:
            for variant in VARIANTS:
                command = [sys.executable, "-m", "benchmarks.document_example", "--one"]
                done = subprocess.run(
                    [*command, dataset, variant, str(seed)],
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                )
                (line,) = [x for x in done.stdout.splitlines() if x.startswith("ROW ")]
                rows.append(json.loads(line[4:]))
                print(rows[-1], flush=True)
    result = {"machine": machine(), "versions": versions(), "rows": rows}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
