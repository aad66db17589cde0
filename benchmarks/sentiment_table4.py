"""Sentiment in four domains against table 4 of Hutto & Gilbert 2014: the full run of lesson 16.

    python -m benchmarks.sentiment_table4              # everything, about half an hour on 2 cores
    python -m benchmarks.sentiment_table4 --rows 40 --seeds 0 --epochs 1 --output x.json

One encoder with a head per domain learns the mean rating of all four domains. A fifth of each
domain is held out for the test: whole documents (amazon, nyt), whole sheets of thirty texts that
share their raters (movies), single tweets. Near copies of test texts are dropped from the rest.
Parts, in this order:
    search  a few recipes, one choice after the other, on 2,500 training texts, judged on
            validation texts (a twentieth of each domain)
    main    the best recipe with every seed on all that is not held out, validation texts included;
            judged on the test texts by Pearson's r with the mean rating

Seeds share the split. `ensemble` rows judge the mean of all seeds' answers. The result is written
after every run; started again, the benchmark keeps the finished runs and goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from benchmarks.document_example import machine, versions

RESULT = Path(__file__).parent / "results" / "sentiment_table4.json"
PARTS = ("search", "main")
SEEDS = (0, 1, 2)
PAPER = {  # table 4: one human rater, VADER
    "tweets": (0.888, 0.881),
    "movies": (0.899, 0.451),
    "amazon": (0.911, 0.565),
    "nyt": (0.745, 0.492),
}
DOMAINS = tuple(PAPER)
SPLIT_SEED, TEST_SHARE, VALIDATION_SHARE = 0, 0.2, 0.05
SEARCH_SEED, SEARCH_ROWS = 100, 2500
MAX_TOKENS, BATCH, DRAWS, REPEATS, RATERS = 96, 32, 20, 1000, 20
START = {
    "rate": 2e-4,
    "loss": "squared error",  # of the mean rating, in units of the domain's spread
    "dropout": 0.0,
    "table": False,  # whether the token table is trained, too
}
STEPS = {
    "rate": (1e-4, 2e-4, 4e-4),
    "loss": ("squared error", "distribution"),  # or the shares of the nine answers
    "dropout": (0.0, 0.1),
    "table": (False, True),
}


def chosen(rows: list[dict]) -> tuple[dict, dict | None]:
    """Return the recipe the search has led to so far, and the next one to try or None."""
    tried = {_key(r["recipe"]): r["validation"] for r in rows if r["part"] == "search"}
    best = dict(START)
    for name, values in STEPS.items():
        recipes = [best | {name: value} for value in values]
        for recipe in recipes:
            if _key(recipe) not in tried:
                return best, recipe
        best = max(recipes, key=lambda recipe: tried[_key(recipe)])
    return best, None


def _key(recipe: dict) -> str:
    return json.dumps(recipe, sort_keys=True)


def near_copies(texts, held):
    """Say which texts outside `held` nearly repeat one inside: bool [texts].

    A near copy has the same letters and digits, or shares at least three word triples and half
    of those that the shorter text has.
    """
    import numpy as np
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(
        ngram_range=(3, 3), token_pattern=r"\w+", binary=True, dtype=np.int32
    )
    triples = counter.fit_transform(texts)  # [texts, triples]
    size = np.asarray(triples.sum(axis=1)).ravel()
    letters = texts.str.lower().str.replace(r"\W+", " ", regex=True).str.strip()
    copies = np.array(letters.isin(set(letters[held])))
    inside, outside = np.flatnonzero(held), np.flatnonzero(~held)
    for start in range(0, len(inside), 500):  # in pieces, to spare memory
        rows = inside[start : start + 500]
        shared = (triples[rows] @ triples[outside].T).tocoo()
        least = np.minimum(size[rows][shared.row], size[outside][shared.col])
        close = (shared.data >= 3) & (shared.data >= 0.5 * least)
        copies[outside[shared.col[close]]] = True
    return copies & ~held


@cache
def data(rows: int | None = None) -> SimpleNamespace:
    """Return all texts with domain, unit, part and target, and the near copies dropped.

    With `rows`, only so many texts of each domain and part: a small trial.
    """
    import numpy as np
    import pandas as pd

    from course_utils import corpora

    tables = []
    for domain in DOMAINS:
        table = corpora.sentiment(domain).assign(domain=domain)
        unit = pd.factorize(table["group"])[0]  # documents; single tweets
        if domain == "movies":
            unit = np.arange(len(table)) // 30  # sheets: lesson 05
        drawn = np.random.default_rng(SPLIT_SEED).permutation(unit.max() + 1)
        place = np.argsort(drawn)[unit] / len(drawn)  # of the row's unit, from 0 to 1
        table["unit"] = unit
        table["part"] = np.select(
            [place < TEST_SHARE, place < TEST_SHARE + VALIDATION_SHARE],
            ["test", "validation"],
            "train",
        )
        table["target"] = [float(np.mean(ratings)) for ratings in table["ratings"]]
        tables.append(table)
    everything = pd.concat(tables, ignore_index=True)
    copies = near_copies(everything["text"], (everything["part"] == "test").to_numpy())
    dropped = everything[copies].groupby("domain").size()
    everything = everything[~copies].sample(frac=1, random_state=SPLIT_SEED)
    if rows:
        everything = everything.groupby(["domain", "part"]).head(rows)
    return SimpleNamespace(table=everything.reset_index(drop=True), dropped=dropped)


def part_of(rows: int | None, *parts: str):
    """Return the texts of some parts, with fresh row numbers."""
    table = data(rows).table
    return table[table["part"].isin(parts)].reset_index(drop=True)


def unit_weights(units, repeats: int, seed: int):
    """Draw units with replacement; return how often each row counts [repeats, rows]."""
    import numpy as np

    number = np.unique(units, return_inverse=True)[1]
    count = number.max() + 1
    drawn = np.random.default_rng(seed).integers(count, size=(repeats, count))
    times = np.stack([np.bincount(units, minlength=count) for units in drawn])
    return times[:, number].astype(float)


def correlations(x, y, weights):
    """Return Pearson's r of two columns under each row of weights [repeats]."""
    import numpy as np

    shares = weights / weights.sum(axis=1, keepdims=True)  # [repeats, rows]
    x, y = x - x.mean(), y - y.mean()
    mean_x, mean_y = shares @ x, shares @ y
    spread_x = shares @ x**2 - mean_x**2
    spread_y = shares @ y**2 - mean_y**2
    return (shares @ (x * y) - mean_x * mean_y) / np.sqrt(spread_x * spread_y)


def with_interval(score, units) -> list[float]:
    """Return a score of row weights with its 95 % interval over redrawn units."""
    import numpy as np

    (value,) = score(np.ones((1, len(units))))
    drawn = score(unit_weights(units, REPEATS, seed=0))
    return [round(float(x), 4) for x in (value, *np.quantile(drawn, [0.025, 0.975]))]


def rater_columns(table):
    """Draw one rating per text, DRAWS times; return it, all's mean, the others' mean.

    Each is float [draws, texts]. Of tweets with more than 20 ratings, 20 are drawn.
    """
    import numpy as np

    random = np.random.default_rng(0)
    one, everyone, others = [], [], []
    for _ in range(DRAWS):
        drawn = [random.permutation(ratings)[:RATERS] for ratings in table["ratings"]]
        one.append([ratings[0] for ratings in drawn])
        everyone.append([ratings.mean() for ratings in drawn])
        others.append([ratings[1:].mean() for ratings in drawn])
    return np.array(one, float), np.array(everyone), np.array(others)


def describe(rows: int | None) -> dict:
    """Return what is known of each domain without a model, people's r included."""
    import numpy as np

    found, training = {}, part_of(rows, "train", "validation")
    for domain in DOMAINS:
        test = part_of(rows, "test")
        test = test[test["domain"] == domain]
        units = test["unit"].to_numpy()
        one, everyone, others = rater_columns(test)

        def people(means, one=one):
            return lambda weights: np.mean(
                [correlations(a, b, weights) for a, b in zip(one, means, strict=True)],
                axis=0,
            )

        found[domain] = {
            "train_texts": int((training["domain"] == domain).sum()),
            "test_texts": len(test),
            "test_units": len(np.unique(units)),
            "near_copies_dropped": int(data(rows).dropped.get(domain, 0)),
            "paper_rater": PAPER[domain][0],
            "paper_lexicon": PAPER[domain][1],
            "rater_in_all": with_interval(people(everyone), units),
            "rater_and_others": with_interval(people(others), units),
        }
    return found


def judge(test, said) -> list[dict]:
    """Return a row per domain: r with its interval, the gain over one rater with its own.

    The gain compares with the same target, the mean of the other raters.
    """
    import numpy as np

    found = []
    for domain in DOMAINS:
        place = (test["domain"] == domain).to_numpy()
        rows, answers = test[place], np.asarray(said)[place]
        target, units = rows["target"].to_numpy(), rows["unit"].to_numpy()
        one, _, others = rater_columns(rows)

        def gain(weights, answers=answers, one=one, others=others):
            pairs = zip(one, others, strict=True)
            return np.mean(
                [
                    correlations(answers, b, weights) - correlations(a, b, weights)
                    for a, b in pairs
                ],
                axis=0,
            )

        def r(weights, answers=answers, target=target):
            return correlations(answers, target, weights)

        found.append(
            {
                "domain": domain,
                "r": with_interval(r, units),
                "gain_over_rater": with_interval(gain, units),
                "answers": " ".join(str(round(100 * x)) for x in answers),
            }
        )
    return found


def batches(table, labels=None, size: int = BATCH):
    """Cut texts into tokenised batches of similar length; return them and their rows."""
    import torch

    from course_utils import pretrained

    tokenizer, texts = pretrained.tokenizer("encoder"), table["text"].tolist()
    domains = torch.tensor([DOMAINS.index(name) for name in table["domain"]])
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    found, places = [], []
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        batch = tokenizer(
            [texts[row] for row in rows],
            padding=True,
            truncation=True,
            max_length=MAX_TOKENS,
            return_tensors="pt",
            return_token_type_ids=False,
        )
        batch = dict(batch) | {"domain": domains[rows]}
        if labels is not None:
            batch["labels"] = labels[rows]
        found.append(batch)
        places.append(rows)
    return found, places


def regressor(outputs: int, dropout: float):
    """Return the model: encoder, mean of the token vectors, a linear head per domain."""
    import torch
    from torch import nn
    from transformers import AutoModel

    from course_utils import pretrained

    place = pretrained.checkpoint("encoder")

    class Regressor(nn.Module):
        def __init__(self):
            super().__init__()
            self.bert = AutoModel.from_pretrained(
                place.path,
                dtype=torch.float32,
                attn_implementation="eager",  # the fastest for short texts on a CPU
                hidden_dropout_prob=dropout,
                attention_probs_dropout_prob=dropout,
                add_pooling_layer=False,
                **place.options,
            )
            self.head = nn.Linear(self.bert.config.hidden_size, len(DOMAINS) * outputs)

        def vectors(self, input_ids, attention_mask):
            states = self.bert(input_ids, attention_mask).last_hidden_state
            mask = attention_mask.unsqueeze(-1)  # [batch, tokens, 1]
            total = (states.float() * mask).sum(dim=1)
            return total / mask.sum(dim=1)  # [batch, 384]

        def forward(self, input_ids, attention_mask, domain, labels=None):
            vectors = self.vectors(input_ids, attention_mask)
            with torch.autocast(
                "cpu", enabled=False
            ):  # the last step in full precision
                said = self.head(vectors)
            said = said.view(len(said), len(DOMAINS), outputs)
            said = said[torch.arange(len(said)), domain]  # [batch, outputs]
            loss = None
            if labels is not None and outputs == 1:
                loss = nn.functional.mse_loss(said[:, 0], labels)
            elif labels is not None:
                loss = -(labels * said.log_softmax(dim=1)).sum(dim=1).mean()
            return SimpleNamespace(loss=loss, said=said)

    return Regressor()


def in_order(values, places):
    """Put one tensor per batch back into the order of the table, as an array."""
    import numpy as np
    import torch

    rows = np.concatenate(places)
    return torch.cat(values).double().numpy()[np.argsort(rows)]


def frozen_vectors(table, course):
    """Return the mean token vector of each text before any training [texts, 384]."""
    import torch

    model = regressor(1, 0.0).eval()
    parts, places = batches(table, size=64)
    with torch.no_grad(), course.autocast():
        found = [model.vectors(b["input_ids"], b["attention_mask"]) for b in parts]
    return in_order(found, places)


def labels_of(table, recipe: dict):
    """Return the labels of a recipe's loss [texts, outputs], and each domain's scale."""
    import numpy as np

    if recipe["loss"] == "distribution":
        counts = [np.bincount(np.add(r, 4), minlength=9) for r in table["ratings"]]
        shares = np.array(counts) / np.sum(counts, axis=1, keepdims=True)
        return shares, {}
    grouped = table.groupby("domain")["target"]
    scale = {d: (float(g.mean()), float(g.std(ddof=0))) for d, g in grouped}
    middle = table["domain"].map({d: s[0] for d, s in scale.items()})
    spread = table["domain"].map({d: s[1] for d, s in scale.items()})
    return ((table["target"] - middle) / spread).to_numpy()[:, None], scale


def set_heads(model, table, vectors, labels, recipe: dict) -> None:
    """Fit each domain's head on frozen features by ridge regression (LP-FT)."""
    import numpy as np
    import torch
    from sklearn.linear_model import RidgeCV

    wanted = np.log(labels + 0.02) if recipe["loss"] == "distribution" else labels
    outputs = labels.shape[1]
    for number, domain in enumerate(DOMAINS):
        rows = (table["domain"] == domain).to_numpy()
        middle = vectors[rows].mean(axis=0)
        spread = vectors[rows].std(axis=0) + 1e-3  # one feature is dead
        line = RidgeCV(alphas=np.logspace(0, 4, 9))
        line.fit((vectors[rows] - middle) / spread, wanted[rows])
        weight = np.reshape(line.coef_, (outputs, -1)) / spread
        bias = np.reshape(line.intercept_, outputs) - weight @ middle
        place = slice(number * outputs, (number + 1) * outputs)
        with torch.no_grad():
            model.head.weight[place] = torch.tensor(weight, dtype=torch.float32)
            model.head.bias[place] = torch.tensor(bias, dtype=torch.float32)


def train(recipe: dict, table, vectors, *, seed: int, epochs: int, course):
    """Train one model; return it with the scale of its answers and the seconds it took."""
    import torch

    from course_utils import training

    labels, scale = labels_of(table, recipe)
    torch.manual_seed(seed)  # of dropout
    model = regressor(labels.shape[1], recipe["dropout"])
    model.bert.embeddings.requires_grad_(recipe["table"])
    set_heads(model, table, vectors, labels, recipe)
    targets = torch.tensor(labels, dtype=torch.float32)
    targets = targets[:, 0] if labels.shape[1] == 1 else targets
    parts, _ = batches(table, targets)
    began = time.perf_counter()
    training.fit(
        model,
        parts,
        epochs=epochs,
        learning_rate=recipe["rate"],
        seed=seed,
        autocast=course.autocast,
    )
    model.eval()
    return SimpleNamespace(
        model=model, scale=scale, seconds=time.perf_counter() - began
    )


def answer(trained, table, course):
    """Return the model's rating of each text, on the raters' scale [texts]."""
    import numpy as np
    import torch

    parts, places = batches(table, size=64)
    with torch.no_grad(), course.autocast():
        said = [trained.model(**batch).said for batch in parts]
    said = in_order(said, places)  # [texts, outputs]
    if said.shape[1] > 1:
        shares = np.exp(said - said.max(axis=1, keepdims=True))
        return (shares @ np.arange(-4, 5)) / shares.sum(axis=1)
    scale = np.array([trained.scale[domain] for domain in table["domain"]])
    return said[:, 0] * scale[:, 1] + scale[:, 0]


def search_run(recipe: dict, options, course) -> dict:
    """Try a recipe on some training texts, as many of each domain; return its row."""
    import numpy as np

    table = part_of(options.rows, "train")
    table = table.groupby("domain").head(SEARCH_ROWS // len(DOMAINS))
    table = table.reset_index(drop=True)
    validation = part_of(options.rows, "validation")
    trained = train(
        recipe,
        table,
        _search_vectors(options.rows, course),
        seed=SEARCH_SEED,
        epochs=options.epochs,
        course=course,
    )
    said, scores = answer(trained, validation, course), {}
    for domain in DOMAINS:
        rows = (validation["domain"] == domain).to_numpy()
        pair = said[rows], validation["target"].to_numpy()[rows]
        scores[domain] = round(float(np.corrcoef(*pair)[0, 1]), 4)
    return {
        "part": "search",
        "recipe": recipe,
        "train_texts": len(table),
        "validation": round(sum(scores.values()) / len(scores), 4),
        "by_domain": scores,
        "seconds": round(trained.seconds, 1),
    }


@cache
def _search_vectors(rows, course):
    table = part_of(rows, "train").groupby("domain").head(SEARCH_ROWS // len(DOMAINS))
    return frozen_vectors(table.reset_index(drop=True), course)


@cache
def _main_vectors(rows, course):
    return frozen_vectors(part_of(rows, "train", "validation"), course)


def main_run(recipe: dict, seed: int, options, course) -> list[dict]:
    """Train on all that is not held out; return a row per domain."""
    table, test = (
        part_of(options.rows, *p) for p in (("train", "validation"), ("test",))
    )
    vectors = _main_vectors(options.rows, course)
    trained = train(
        recipe, table, vectors, seed=seed, epochs=options.epochs, course=course
    )
    common = {"part": "main", "seed": seed, "recipe": recipe}
    common |= {"train_texts": len(table), "seconds": round(trained.seconds, 1)}
    return [common | row for row in judge(test, answer(trained, test, course))]


def ensemble(rows: list[dict], test) -> list[dict]:
    """Judge the mean of all seeds' answers; return a row per domain."""
    import numpy as np

    said = np.zeros(len(test))
    seeds = sorted({row["seed"] for row in rows if row["part"] == "main"})
    for row in rows:
        if row["part"] == "main":
            place = (test["domain"] == row["domain"]).to_numpy()
            answers = np.array(row["answers"].split(), float) / 100
            said[place] += answers / len(seeds)
    common = {"part": "ensemble", "seeds": seeds}
    return [
        common | {name: value for name, value in row.items() if name != "answers"}
        for row in judge(test, said)
    ]


def main(arguments: list[str] | None = None) -> int:
    """Run what is still missing and write the result file after every run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rows", type=int, help="texts per domain and part: a trial")
    parser.add_argument("--output", type=Path, default=RESULT)
    options = parser.parse_args(arguments)
    from course_utils import session

    course = session.start("16", seed=0, device="cpu")
    result = {"machine": machine(), "versions": versions()}
    result["device"] = {"threads": course.threads, "precision": str(course.precision)}
    result["settings"] = {
        "epochs": options.epochs,
        "rows": options.rows,
        "search_rows": SEARCH_ROWS,
        "batch": BATCH,
        "max_tokens": MAX_TOKENS,
        "test_share": TEST_SHARE,
        "validation_share": VALIDATION_SHARE,
        "split_seed": SPLIT_SEED,
    }
    rows = []
    if options.output.exists():
        kept = json.loads(options.output.read_text("utf-8"))
        for what in ("settings", "machine", "device", "versions"):
            if kept[what] != result[what]:
                parser.error(
                    f"{options.output.name} is of other {what}: expected {result[what]}, "
                    f"got {kept[what]}; move it away or name another --output"
                )
        rows = [row for row in kept["rows"] if row["part"] != "ensemble"]
    result["domains"] = describe(options.rows)

    def save(new: list[dict]) -> None:
        rows.extend(new)
        for row in new:
            print({n: x for n, x in row.items() if n != "answers"}, flush=True)
        result["rows"] = rows
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")

    while "search" in options.parts and (recipe := chosen(rows)[1]):
        save([search_run(recipe, options, course)])
    if "main" in options.parts:
        for seed in options.seeds:
            if not any(row["part"] == "main" and row["seed"] == seed for row in rows):
                save(main_run(chosen(rows)[0], seed, options, course))
        save(ensemble(rows, part_of(options.rows, "test")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
