"""Fine-tune a text classifier in one process or in many, without changing a line.

    python scaling/train.py texts.csv MODEL
    torchrun --standalone --nproc_per_node 2 scaling/train.py texts.csv MODEL --cpu
    accelerate launch --config_file scaling/fsdp.yaml scaling/train.py texts.csv MODEL

The file has the columns text and label (0, 1, …); MODEL is a folder or a name on the hub.
Lesson 28 builds this script; a test compares the two.
"""

import argparse
import csv
import json
import random
import time
from pathlib import Path

import torch
from accelerate import Accelerator, DataLoaderConfiguration
from torch.utils.data import DataLoader
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def arguments():
    """Read the settings from the command line."""
    parser = argparse.ArgumentParser(description="Fine-tune a text classifier.")
    parser.add_argument("table", help="CSV file with the columns text and label")
    parser.add_argument("model", help="folder or hub name of a pretrained encoder")
    parser.add_argument("--revision", default="main", help="of a model on the hub")
    parser.add_argument("--batch", type=int, default=16, help="texts per step, in all")
    parser.add_argument("--accumulate", type=int, default=1, help="pieces of a batch")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rate", type=float, default=1e-4, help="learning rate")
    parser.add_argument("--layers", type=int, help="use only the first ones, to try")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cpu", action="store_true", help="even if there is a GPU")
    parser.add_argument("--report", help="write the losses to this JSON file")
    parser.add_argument("--save", help="folder for weights and optimiser at the end")
    return parser.parse_args()


def pieces(options, tokenizer):
    """Return the pieces of batches, in the same order however many processes run."""
    with open(options.table, encoding="utf-8", newline="") as file:
        rows = [(row["text"], int(row["label"])) for row in csv.DictReader(file)]
    order, queue = random.Random(options.seed), []
    for _ in range(options.epochs):
        queue += order.sample(rows, len(rows))

    def collate(some):
        texts, labels = zip(*some, strict=True)
        how = {"padding": True, "truncation": True, "max_length": 64}
        batch = tokenizer(list(texts), return_tensors="pt", **how)
        return {**batch, "labels": torch.tensor(labels)}

    size = options.batch // options.accumulate
    return DataLoader(queue, batch_size=size, collate_fn=collate, drop_last=True)


def load(options, accelerator):
    """Return the model, its optimiser and the batches, ready for these processes."""
    place = {"revision": options.revision}
    tokenizer = AutoTokenizer.from_pretrained(options.model, **place)
    # Dropout would draw other numbers in each process: off, so that runs agree.
    how = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    how |= {"num_hidden_layers": options.layers} if options.layers else {}
    model = AutoModelForSequenceClassification.from_pretrained(
        options.model, num_labels=2, dtype=torch.float32, **how, **place
    )
    model.base_model.embeddings.requires_grad_(False)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=options.rate)
    return accelerator.prepare(model, optimizer, pieces(options, tokenizer))


def train_together(accelerator, model, optimizer, batches):
    """Return the loss of every whole batch, and how many texts this process saw."""
    losses, held, texts = [], [], 0
    model.train()
    for batch in batches:
        with accelerator.accumulate(model):  # gradients meet when a batch is complete
            loss = model(**batch).loss
            accelerator.backward(loss)
            if accelerator.sync_gradients:
                accelerator.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
        texts += len(batch["labels"])
        held.append(accelerator.reduce(loss.detach(), "mean").item())
        if accelerator.sync_gradients:
            losses.append(sum(held) / len(held))
            held = []
    return losses, texts


def main():
    """Set up, train, and let the first process report for all."""
    options = arguments()
    torch.manual_seed(options.seed)  # the same new head in every process
    accelerator = Accelerator(
        cpu=options.cpu,
        gradient_accumulation_steps=options.accumulate,
        dataloader_config=DataLoaderConfiguration(split_batches=True),
    )
    count = accelerator.num_processes
    if options.batch % (options.accumulate * count):
        raise SystemExit("--batch must be a multiple of --accumulate times processes")
    model, optimizer, batches = load(options, accelerator)
    began = time.perf_counter()
    losses, texts = train_together(accelerator, model, optimizer, batches)
    found = {"processes": count, "texts_per_process": texts, "losses": losses}
    found["seconds"] = time.perf_counter() - began
    if options.save:
        accelerator.save_state(options.save)  # by all: each may hold a part
    if accelerator.is_main_process:
        print(f"{count} process(es), {len(losses)} steps, last loss {losses[-1]:.4f}")
        if options.report:
            Path(options.report).write_text(json.dumps(found), encoding="utf-8")
    accelerator.end_training()


if __name__ == "__main__":
    main()
