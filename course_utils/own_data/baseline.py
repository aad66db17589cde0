"""The baseline that a fine-tuned model has to beat: TF-IDF and logistic regression."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MOST = 50_000  # training rows


@dataclass(frozen=True)
class Baseline:
    """Its answers on the test texts, on how many rows it learnt, in how many seconds."""

    predictions: np.ndarray
    rows: int
    seconds: float


def train(
    texts: Sequence[str],
    labels: np.ndarray,
    test: Sequence[str],
    *,
    seed: int,
) -> Baseline:
    """Train on all texts (at most 50,000, drawn at random) and answer the test texts.

    Words and pairs of words, and pieces of words for languages without blanks.

    Taught in: lesson 01.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    began = time.perf_counter()
    rows = np.arange(len(texts))
    if len(rows) > MOST:
        rows = np.random.default_rng(seed).choice(rows, MOST, replace=False)
    beyond = sum(ord(sign) > 0x2E7F for text in texts[:1000] for sign in text[:100])
    no_blanks = beyond > 20 * min(len(texts), 1000) / 2  # Chinese, Japanese, Korean
    kind = {"analyzer": "char", "ngram_range": (1, 3)} if no_blanks else {}
    words = {"ngram_range": (1, 2), "token_pattern": r"(?u)\w+|[^\w\s]"}
    vectors = TfidfVectorizer(
        min_df=2 if len(rows) > 1000 else 1,
        max_features=50_000,
        sublinear_tf=True,
        **(kind or words),
    )
    model = make_pipeline(vectors, LogisticRegression(C=10, max_iter=300))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            model.fit([texts[row] for row in rows], labels[rows])
            answers = model.predict(list(test))
        except ValueError:  # not a single word in the texts
            answers = np.full(len(test), np.bincount(labels).argmax())
    return Baseline(np.asarray(answers), len(rows), time.perf_counter() - began)
