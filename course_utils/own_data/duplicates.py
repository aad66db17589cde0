"""Texts that are the same, or nearly, found without comparing every pair."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

SHINGLE = 5  # signs in a piece
HASHES, BANDS = 64, 16
ALIKE = 0.8  # estimated share of common pieces from which two texts are near-duplicates
READ = 2000  # signs of a text that are looked at
CHUNK = 5000  # texts hashed at once: keeps memory small
LIMIT = (
    f"Near-duplicates are texts that share about {ALIKE:.0%} of their pieces of {SHINGLE} "
    f"signs (estimated from {HASHES} hashes, within their first {READ:,} signs; digits "
    "count as equal). Paraphrases and translations are not found."
)


def same(text: str) -> str:
    """Return what two texts have in common if they differ in case and blanks only."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def groups(texts: Sequence[str]) -> np.ndarray:
    """Return a group number per text: the same or nearly the same texts share one.

    MinHash with bands: only texts that agree in all hashes of some band are compared,
    each with its two neighbours in that band, so time and memory grow with the number of
    texts, not with its square. `LIMIT` says in words what is found.

    Returns:
        int64 [texts], numbers from 0 in the order of first occurrence.

    Source: Broder 1997; Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, ch. 3.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    keys: dict[str, int] = {}
    place = np.array([keys.setdefault(same(text), len(keys)) for text in texts], int)
    signatures = _signatures(list(keys))
    pairs = []
    width = HASHES // BANDS
    for band in range(BANDS):
        part = np.ascontiguousarray(signatures[:, band * width : (band + 1) * width])
        bucket = part.view(np.dtype((np.void, part.itemsize * width))).ravel()
        _, bucket = np.unique(bucket, return_inverse=True)
        order = np.argsort(bucket, kind="stable")
        first = np.r_[True, np.diff(bucket[order]) > 0][: len(order)]
        leader = order[np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))]
        pairs += [np.c_[leader, order][~first], np.c_[np.roll(order, 1), order][~first]]
    pairs = np.unique(np.concatenate(pairs), axis=0) if keys else np.empty((0, 2), int)
    pairs = pairs[_alike(signatures, pairs) >= ALIKE]
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(keys), len(keys)))
    of_key = connected_components(links, directed=False)[1] if keys else place
    _, first, number = np.unique(of_key[place], return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[number]


def _alike(signatures: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return the share of equal hashes of every pair, an estimate of Jaccard's."""
    cuts = range(0, len(pairs), CHUNK)
    parts = [
        (signatures[pairs[i : i + CHUNK, 0]] == signatures[pairs[i : i + CHUNK, 1]])
        for i in cuts
    ]
    return (
        np.concatenate([part.mean(axis=1) for part in parts]) if parts else np.empty(0)
    )


def _signatures(keys: list[str]) -> np.ndarray:
    """Return the smallest hashes of every text's pieces: uint32 [texts, HASHES]."""
    random = np.random.default_rng(0)  # fixed: the same file gives the same groups
    factors = random.integers(1, 2**63, HASHES, dtype=np.uint64) * 2 + 1
    signatures = np.empty((len(keys), HASHES), np.uint32)
    for start in range(0, len(keys), CHUNK):
        part = [_plain(key) for key in keys[start : start + CHUNK]]
        pieces, ends = _pieces(part)
        for number, factor in enumerate(factors):
            with np.errstate(over="ignore"):
                hashed = (pieces * factor) >> np.uint64(32)
            smallest = np.minimum.reduceat(hashed, ends)
            signatures[start : start + len(part), number] = smallest
    return signatures


def _plain(key: str) -> str:
    """Return letters and digits only, digits as 0; the text itself if there are none."""
    plain = re.sub(r"[\W_]+", " ", re.sub(r"\d+", "0", key[:READ])).strip()
    return (plain or key[:READ]).ljust(SHINGLE)


def _pieces(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return a hash of every piece (uint64), and where each text's pieces begin."""
    signs = np.frombuffer("".join(texts).encode("utf-32-le", "replace"), np.uint32)
    lengths = np.array([len(text) for text in texts])
    hashed = np.zeros(len(signs), np.uint64)
    with np.errstate(over="ignore"):
        for shift in range(SHINGLE):
            moved = np.roll(signs, -shift).astype(np.uint64) + np.uint64(1)
            hashed = hashed * np.uint64(0x9E3779B97F4A7C15) + moved
        hashed ^= hashed >> np.uint64(29)
        hashed *= np.uint64(0xBF58476D1CE4E5B9)
        hashed ^= hashed >> np.uint64(32)
    ends = np.cumsum(lengths)
    inside = np.ones(len(signs), bool)
    for shift in range(1, SHINGLE):
        inside[ends - shift] = False  # these pieces would reach into the next text
    counts = lengths - SHINGLE + 1
    return hashed[inside], np.cumsum(counts) - counts
