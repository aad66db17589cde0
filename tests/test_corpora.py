"""Corpora: the documented columns and counts, and splits that leak nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from course_utils import corpora
from course_utils.errors import InputError

COUNTS = {"movies": 10605, "tweets": 4200, "amazon": 3708, "nyt": 5190}


@pytest.fixture(scope="module")
def tables():
    return {domain: corpora.sentiment(domain) for domain in COUNTS}


def is_text(column):
    return column.map(lambda value: isinstance(value, str) and value.strip() == value)


@pytest.mark.parametrize("domain", COUNTS)
def test_sentiment_has_the_documented_columns_and_counts(tables, domain):
    table = tables[domain]
    assert list(table.columns) == ["id", "text", "rating", "ratings", "group"]
    assert len(table) == COUNTS[domain] and not table.isna().any(axis=None)
    assert table["id"].is_unique and is_text(table["text"]).all()
    assert table["text"].ne("").all()
    assert table["rating"].dtype == float and table["rating"].between(-4, 4).all()
    ratings = [rating for row in table["ratings"] for rating in row]
    assert set(ratings) == set(range(-4, 5))


def test_all_domains_together_are_the_23_703_texts(tables):
    assert sum(map(len, tables.values())) == 23_703


@pytest.mark.parametrize("domain", COUNTS)
def test_the_rating_is_the_mean_of_the_ratings(tables, domain):
    table = tables[domain]
    # The source's own flaw: of the 1,000 tweets rated by over 90 people, a fifth have
    # another mean in the ground truth than in the list of ratings.
    sound = table["ratings"].map(len) < 90
    assert (~sound).sum() == (1000 if domain == "tweets" else 0)
    means = table["ratings"].map(np.mean)
    differs = (means - table["rating"]).abs() > 1e-6
    assert not differs[sound].any()
    assert differs[~sound].sum() == (199 if domain == "tweets" else 0)


def test_groups_are_the_documents_that_sentences_were_cut_from(tables):
    groups = {domain: table["group"].nunique() for domain, table in tables.items()}
    assert groups == {"movies": 10605, "tweets": 4200, "amazon": 300, "nyt": 498}
    pairs = zip(tables["nyt"]["id"], tables["nyt"]["group"], strict=True)
    assert all(name.startswith(f"{group}_") for name, group in pairs)


def test_sms_spam_has_the_documented_columns_and_counts():
    table = corpora.sms_spam()
    assert list(table.columns) == ["text", "label"]
    assert table["label"].value_counts().to_dict() == {"ham": 4220, "spam": 642}
    assert is_text(table["text"]).all() and table["text"].ne("").all()
    assert table["text"].duplicated().any()  # as documented; lesson 06 needs them


def test_entities_have_a_tag_for_every_token():
    table = corpora.entities()
    assert list(table.columns) == ["tokens", "tags"] and len(table) == 2394
    assert (table["tokens"].map(len) == table["tags"].map(len)).all()
    assert table["tokens"].map(all).all()
    tags = {tag for row in table["tags"] for tag in row}
    types = "person geo-loc company facility product musicartist sportsteam movie"
    types = [*types.split(), "tvshow", "other"]
    assert tags == {"O"} | {f"{part}-{kind}" for part in "BI" for kind in types}


def test_an_entity_never_continues_what_did_not_begin():
    for tags in corpora.entities()["tags"]:
        for before, tag in zip(["O", *tags], tags, strict=False):
            assert not tag.startswith("I-") or before[2:] == tag[2:]


@pytest.mark.parametrize(("language", "count"), [("fr", 3197), ("zh", 3185)])
def test_translations_are_pairs_of_texts(language, count):
    table = corpora.translations(language)
    assert list(table.columns) == ["english", "translation", "component"]
    assert len(table) == count and table["component"].nunique() == 17
    assert table.ne("").all(axis=None) and not table.isna().any(axis=None)
    assert not table["english"].str.contains("\x04").any()
    assert not table.duplicated(["english", "translation"]).any()


def test_translations_are_in_the_language_asked_for():
    french = corpora.translations("fr").set_index("english")["translation"]
    chinese = corpora.translations("zh")["translation"]
    assert french["Dask Dashboard"] == "Tableau de bord de Dask"
    assert chinese.str.contains("[\u4e00-\u9fff]").mean() > 0.8


def test_digits_are_500_images_of_each():
    images, labels = corpora.digits()
    assert images.shape == (5000, 28, 28) and images.dtype == np.uint8
    assert np.bincount(labels).tolist() == [500] * 10
    assert images.min() == 0 and images.max() == 255


@pytest.mark.parametrize(
    ("load", "name", "known"),
    [
        (corpora.sentiment, "films", "movies, tweets, amazon, nyt"),
        (corpora.translations, "de", "fr, zh"),
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(load, name, known):
    with pytest.raises(InputError) as error:
        load(name)
    text = str(error.value)
    assert text.startswith("Expected a ") and "\n" not in text
    assert f"one of {known}; got {name!r}." in text


# Splitting


def normalised(texts):
    return {" ".join(text.lower().split()) for text in texts}


def assert_no_leak(parts):
    seen = [normalised(part["text"]) for part in parts]
    assert not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]


def table_with_near_copies(seed):
    """Random short texts; most occur again in other case or with other blanks."""
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(random.integers(3, 60)):
        words = random.choice(list("abcdé"), size=random.integers(1, 4))
        word = random.choice([str.upper, str.lower, str.title])(" ".join(words))
        blank = random.choice([" ", "  ", "\t", "\n", "\u00a0"])
        rows.append(random.choice(["", " "]) + word.replace(" ", blank))
    return pd.DataFrame({"text": rows, "row": range(len(rows))})


@pytest.mark.parametrize("seed", range(25))
def test_no_text_is_in_two_parts_and_no_row_is_lost(seed):
    table = table_with_near_copies(seed)
    parts = corpora.split(table, seed=seed, shares=(0.5, 0.3, 0.2))
    assert_no_leak(parts)
    rows = pd.concat(parts)["row"]
    assert sorted(rows) == list(range(len(table)))
    assert all(list(part.index) == list(range(len(part))) for part in parts)


@pytest.mark.parametrize("name", ["movies", "sms"])
def test_real_texts_are_split_without_leaks_in_about_the_shares(tables, name):
    table = corpora.sms_spam() if name == "sms" else tables[name]
    parts = corpora.split(table, seed=0)
    assert_no_leak(parts)
    shares = [len(part) / len(table) for part in parts]
    assert shares == pytest.approx([0.7, 0.15, 0.15], abs=0.02)


def test_different_texts_are_split_in_the_shares_asked_for():
    table = pd.DataFrame({"text": [f"text {number}" for number in range(1000)]})
    parts = corpora.split(table, seed=0, shares=(0.6, 0.3, 0.1))
    assert [len(part) for part in parts] == [600, 300, 100]


def test_a_split_by_group_keeps_documents_whole(tables):
    parts = corpora.split(tables["nyt"], seed=0, by="group")
    groups = [set(part["group"]) for part in parts]
    assert sum(map(len, groups)) == 498 and len(set.union(*groups)) == 498


def test_the_same_seed_gives_the_same_split_and_another_another(tables):
    first, again = (corpora.split(tables["movies"], seed=7) for _ in range(2))
    other = corpora.split(tables["movies"], seed=8)
    for one, two, three in zip(first, again, other, strict=True):
        pd.testing.assert_frame_equal(one, two)
        assert list(one["id"]) != list(three["id"])


def test_a_split_leaves_the_table_as_it_was(tables):
    before = tables["movies"].copy()
    corpora.split(tables["movies"], seed=0)
    pd.testing.assert_frame_equal(tables["movies"], before)


@pytest.mark.parametrize(
    "shares", [(0.5, 0.5), (0.7, 0.2, 0.2), (1.0, 0.0, 0.0), (1.2, -0.1, -0.1)]
)
def test_shares_that_do_not_fit_are_refused(shares):
    table = pd.DataFrame({"text": ["a", "b", "c"]})
    with pytest.raises(InputError) as error:
        corpora.split(table, seed=0, shares=shares)
    assert f"three positive shares that add up to 1; got {shares}." in str(error.value)


def test_a_missing_column_is_answered_with_the_columns():
    table = pd.DataFrame({"review": ["a"], "label": [1]})
    with pytest.raises(InputError, match="one of review, label; got 'text'"):
        corpora.split(table, seed=0)
