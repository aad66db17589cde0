"""What is found in a learner's rows, which rows stay together, and how they are split."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import one_sentence
from course_utils.errors import InputError
from course_utils.own_data import checks, duplicates, splitting
from course_utils.own_data.columns import Source
from course_utils.own_data.findings import Finding, refuse_if_needed, some

WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "lmnrst"]


def sentence(seed, length=12):
    return " ".join(random.Random(seed).choices(WORDS, k=length))


def source(rows, **others):
    table = pd.DataFrame(rows, columns=["text", "label"], dtype=object)
    table["row"] = range(2, len(table) + 2)
    others = pd.DataFrame(others, index=table.index)
    return Source("data.csv", table, others, {"text": "text", "label": "label"}, "CSV")


def clean(classes=2, rows=30):
    return [(sentence(i), f"class {i % classes}") for i in range(rows * classes)]


def found(rows, name, *, others=None, **options):
    checked = checks.check(source(rows, **(others or {})), **options)
    matching = [finding for finding in checked.findings if finding.name == name]
    assert len(matching) == 1, checked.findings
    return matching[0], checked.table


def test_a_clean_file_gives_no_finding():
    checked = checks.check(source(clean()))
    assert checked.findings == [] and len(checked.table) == 60
    assert checked.table["group"].is_unique


def test_rows_without_text_or_label_are_counted_and_left_out():
    rows = [*clean(), (None, "class 1"), ("  ", "class 0"), ("a text", None)]
    finding, table = found(rows, "no text")
    assert finding.count == 2 and "row 62, 63" in finding.what and len(table) == 60
    assert found(rows, "no label")[0].count == 1


def test_labels_in_another_spelling_are_one_class_unless_told():
    rows = [(t, n.upper() + " " if i < 3 else n) for i, (t, n) in enumerate(clean())]
    finding, table = found(rows, "label spelling")
    assert finding.count == 3 and "'CLASS 0 '" in finding.what
    assert set(table["label"]) == {"class 0", "class 1"}
    finding, table = found(rows, "small classes", merge_labels=False)
    assert finding.count == 2 and len(table) == 57


def relabelled(count, label, *, rows=60):
    """Return clean rows, and as many more with the label as are asked for."""
    more = [(sentence(500 + i), label) for i in range(count)]
    return [*clean(rows=rows // 2), *more]


def labels_of(checked):
    return set(checked.table["label"])


@pytest.mark.parametrize("mark", ["nan", "NaN", " null", "NULL", "<NA>", "#N/A", r"\N"])
def test_marks_of_an_empty_cell_are_no_label_however_many(mark):
    finding, table = found(relabelled(60, mark), "missing labels")
    assert (finding.level, finding.count, len(table)) == ("warning", 60, 60)
    assert f"{mark!r} (60)" in finding.what and "--keep-spelling" in finding.advice
    kept = checks.check(source(relabelled(60, mark)), merge_labels=False)
    assert mark in labels_of(kept) and kept.findings == []


@pytest.mark.parametrize("word", ["None", "NA", "N/A", "n/a", "-"])
def test_a_word_for_no_label_is_a_class_if_its_rows_are_many(word):
    finding, table = found(relabelled(14, word), "missing labels")  # others have 30
    assert f"{word!r} (14)" in finding.what and len(table) == 60
    finding, table = found(relabelled(15, word), "class or gap")
    assert (finding.level, finding.count, len(table)) == ("warning", 15, 75)
    assert f"{word!r} (15) may mean" in finding.what and "empty" in finding.advice
    kept = checks.check(source(relabelled(14, word)), merge_labels=False)
    assert word in labels_of(kept) and kept.findings == []


def test_several_gaps_are_counted_apart():
    rows = [*relabelled(4, "N/A"), *relabelled(3, "NaN", rows=0)]
    finding, table = found([*rows, ("a text", None)], "missing labels")
    assert finding.count == 7 and "'N/A' (4), 'NaN' (3)" in finding.what
    assert len(table) == 60


def test_rows_whose_labels_are_all_missing_are_refused():
    finding, _ = found([(t, "NaN") for t, _ in clean()], "no rows")
    assert finding.level == "refusal"


def test_one_number_is_one_class():
    rows = [(t, str(i % 2) + ".0" * (i > 50)) for i, (t, _) in enumerate(clean())]
    finding, table = found(rows, "label numbers")
    assert finding.count == 9 and "'1.0' for '1'" in finding.what
    assert set(table["label"]) == {"0", "1"} and len(table) == 60
    kept = checks.check(source(rows), merge_labels=False, smallest_class=2)
    assert labels_of(kept) == {"0", "1", "0.0", "1.0"}


@pytest.mark.parametrize(
    "names", [("0.0", "1.0"), ("1", "01"), ("1", "1.10"), ("1.1", "1.10")]
)
def test_numbers_and_codes_of_one_way_are_left_as_they_are(names):
    rows = [(t, names[i % 2]) for i, (t, _) in enumerate(clean())]
    checked = checks.check(source(rows))
    assert labels_of(checked) == set(names) and checked.findings == []


@pytest.mark.parametrize(
    "several",
    [
        '["a", "b"]',  # JSON
        "['a', 'b']",  # Python
        "['a' 'b']",  # NumPy
        "[0 1 0]",
        '{"name": "a"}',
        '[{"name": "a"}]',
    ],
)
def test_several_labels_per_text_are_refused(several):
    rows = [*clean(), (sentence(900), several), (sentence(901), several)]
    finding, _ = found(rows, "several labels")
    with pytest.raises(InputError) as error:
        refuse_if_needed([finding])
    one_sentence(error, "one label per text", "2 rows (row 62, 63)", several)


def test_lists_of_one_label_are_that_label():
    ways = ['["{}"]', "['{}']", "('{}',)", "{}"]
    rows = [(t, ways[i % 4].format(n)) for i, (t, n) in enumerate(clean())]
    finding, table = found([*rows, ("a text", "[]")], "no label")
    assert finding.count == 1
    assert set(table["label"]) == {"class 0", "class 1"} and len(table) == 60


@pytest.mark.parametrize("name", ["(0, 5]", "[spam]", "{ham}", "(a)", "["])
def test_brackets_alone_make_no_list(name):
    rows = [(t, name if i % 2 else "b") for i, (t, _) in enumerate(clean())]
    assert labels_of(checks.check(source(rows))) == {name, "b"}


@pytest.mark.parametrize("copies", [1, 4])
def test_swapped_columns_are_refused_with_the_options(copies):
    given = source([(label, text) for text, label in clean()] * copies)
    given.columns = {"text": "Kind", "label": "the message"}
    checked = checks.check(given)
    with pytest.raises(InputError) as error:
        refuse_if_needed(checked.findings)
    told = '--text "the message" --label Kind'
    one_sentence(error, "swapped", "2 different texts and 60", told)


def test_after_a_refusal_of_the_columns_nothing_else_is_looked_for():
    rows = [(label, text) for text, label in clean()] * 2
    assert [f.name for f in checks.check(source(rows)).findings] == ["swapped columns"]


def test_labels_that_look_like_several_joined_are_said():
    names = ["joy", "love", "joy, love", "joy;fear", "n/o"]  # nothing is called fear
    rows = [(t, names[i % 5]) for i, (t, _) in enumerate(clean())]
    finding, table = found(rows, "joined labels")
    assert (finding.level, finding.count, len(table)) == ("warning", 12, 60)
    assert finding.what.endswith("such as 'joy, love'.")


def test_texts_as_labels_are_refused_with_the_other_columns():
    rows = [(sentence(i), sentence(100 + i)) for i in range(60)]
    others = {"kind": list("ab") * 30}
    finding, _ = found(rows, "too many classes", others=others)
    assert "looks like texts" in finding.advice and "--label: 'kind'" in finding.advice
    assert "or add one" in found(rows, "too many classes")[0].advice
    rows = [(sentence(i % 40, 3), sentence(i)) for i in range(60)]  # 40 texts: not few
    found(rows, "too many classes")


@pytest.mark.parametrize(
    ("rows", "name", "part"),
    [
        ([], "no rows", "got none"),
        ([(t, "a") for t, _ in clean()], "one class", "got only 'a'"),
        ([(t, str(i)) for i, (t, _) in enumerate(clean())], "too many classes", "60"),
        (clean(rows=5), "small classes", "'class 0' (5)"),
        ([("same text", "ab"[i % 2]) for i in range(40)], "small classes", "too few"),
    ],
)
def test_what_cannot_work_is_refused_in_one_sentence(rows, name, part):
    finding, _ = found(rows, name)
    assert finding.level == "refusal"
    with pytest.raises(InputError) as error:
        refuse_if_needed([Finding("note", "x", "fine"), finding])
    one_sentence(error, part)


def test_a_small_class_is_set_aside_and_named_unless_allowed():
    rows = [*clean(), *((sentence(900 + i), "rare") for i in range(7))]
    finding, table = found(rows, "small classes")
    assert "'rare' (7)" in finding.what and "rare" not in set(table["label"])
    checked = checks.check(source(rows), smallest_class=7)
    assert "rare" in set(checked.table["label"]) and checked.findings == []


def test_copies_and_conflicts_are_counted():
    text = clean()[0][0]
    rows = [*clean(), (f" {text.upper()} ", "class 0"), (text, "class 1")]
    assert found(rows, "duplicates")[0].count == 2
    finding, table = found(rows, "conflicting labels")
    assert finding.count == 1 and "(3 rows)" in finding.what
    assert table["group"].nunique() == 60


def test_near_duplicates_stay_together_unless_told():
    text = sentence(1, 30)
    rows = [*clean(), (text + " 07931", "class 0"), (text + " 08 – 442!", "class 1")]
    finding, table = found(rows, "near-duplicates")
    assert finding.count == 1 and table["group"].nunique() == 61
    assert checks.check(source(rows), near=False).findings == []


def test_a_template_is_said_and_not_kept_together():
    rows = clean()
    rows += [(f"{sentence(3, 40)} {WORDS[i]}", f"class {i % 2}") for i in range(40)]
    finding, table = found(rows, "templates")
    assert finding.count == 40 and table["group"].nunique() == 100


def test_a_column_keeps_its_groups_together_along_with_copies():
    author = [f"a{i // 4}" for i in range(60)] + [None, None]
    rows = [*clean(), (clean()[0][0], "class 0"), (sentence(999), "class 0")]
    checked = checks.check(source(rows, author=author), group="author")
    groups = checked.table["group"]
    assert (
        groups.nunique() == 16
    )  # 15 authors, one row without; one copy joins the first
    assert groups[60] == groups[0] == groups[3] != groups[4]
    with pytest.raises(InputError) as error:
        checks.check(source(rows, author=author), group="writer")
    one_sentence(error, "'author'")
    with pytest.raises(InputError) as error:
        checks.check(source(rows), group="writer")
    one_sentence(error, "no other column", "Leave it out")


def test_a_class_needs_at_least_one_row():
    with pytest.raises(InputError) as error:
        checks.check(source(clean()), smallest_class=0)
    one_sentence(error, "at least 1", "got 0")


def test_leaks_are_noticed():
    rows = [(f"{sentence(i)} [v{i % 2}]", f"class {i % 2}") for i in range(60)]
    assert "[v" in found(rows, "telling word")[0].what
    rows = [(f"class {i % 2}: {sentence(i)}", f"class {i % 2}") for i in range(60)]
    assert found(rows, "label in the text")[0].count == 2
    others = {
        "code": [str(i % 2) for i in range(60)],
        "id": [str(i) for i in range(60)],
    }
    assert "'code'" in found(clean(), "leaking column", others=others)[0].what


def test_damaged_letters_and_html_are_noticed():
    rows = [*clean(), ("cafÃ© au lait <br/> &amp; thÃ©", "class 0")] * 2
    assert found(rows, "damaged letters")[0].count == 2
    rows = [(f"<b>{t}</b>", n) for t, n in clean()]
    assert found(rows, "HTML")[0].count == 60


def test_a_column_of_numbers_as_texts_is_noticed():
    rows = [(str(7919 * i), n) for i, (_, n) in enumerate(clean())]
    assert found(rows, "no letters")[0].count == 60
    rows = [("很好" if i % 2 else str(7919 * i), n) for i, (_, n) in enumerate(clean())]
    assert "no letters" not in [f.name for f in checks.check(source(rows)).findings]


def test_findings_as_words():
    finding = Finding("warning", "x", "2 rows are odd.", 2, "Look.")
    assert str(finding) == "warning: 2 rows are odd. Look."
    assert finding.as_dict()["count"] == 2
    assert some([1, 2, 3, 4, 5]) == "1, 2, 3 and 2 more"


# Properties

CELL = st.one_of(
    st.none(),
    st.sampled_from(
        ["", "  ", "same text", "Same  TEXT", "spam", "Spam ", "ham", "$", "(*"]
    ),
    st.sampled_from(["NaN", "None", "1", "1.0", "01", "['a']", "[]"]),
    st.text(max_size=25),
)


@settings(deadline=None, max_examples=80)
@given(
    cells=st.lists(st.tuples(CELL, CELL), max_size=60),
    good=st.integers(0, 40),
    merge=st.booleans(),
    smallest=st.integers(1, 10),
)
def test_any_rows_can_be_split_or_are_refused(cells, good, merge, smallest):
    given = source([*cells, *clean(rows=good)])
    before = given.table.copy()
    checked = checks.check(given, merge_labels=merge, smallest_class=smallest)
    pd.testing.assert_frame_equal(given.table, before)
    try:
        refuse_if_needed(checked.findings)
    except InputError as error:
        assert str(error).startswith("Expected ") and "; got " in str(error)
        return
    table = splitting.split(checked.table, seed=0)
    assert (table.groupby("group")["part"].nunique() == 1).all()
    keys = table["text"].map(duplicates.same)
    assert (table["part"].groupby(keys).nunique() == 1).all()
    assert table["text"].str.strip().ne("").all() and table["label"].nunique() >= 2
    assert set(table["row"]) <= set(before["row"]) and table["row"].is_unique
    assert (table["label"].value_counts() >= smallest).all()


# Near-duplicates


def jaccard(one, other):
    def pieces(text):
        return {text[i : i + 5] for i in range(len(text) - 4)}

    a, b = pieces(one), pieces(other)
    return len(a & b) / len(a | b)


def test_pairs_are_found_as_their_common_pieces_tell():
    right, total = 0, 0
    for seed in range(240):
        text = sentence(seed, 30)
        words = text.split()
        words[:: 2 + seed % 29] = random.Random(1000 + seed).choices(WORDS, k=30)[
            :: 2 + seed % 29
        ]
        other = " ".join(words)
        share = jaccard(text, other)
        if abs(share - 0.8) > 0.12:  # the estimate is good to about 0.1
            total += 1
            together = len(set(duplicates.groups([text, other]))) == 1
            right += together == (share > 0.8)
    assert total > 60 and right >= 0.97 * total


@pytest.mark.parametrize(
    ("texts", "groups"),
    [
        ([], []),
        (["a"], [0]),
        (["", " ", "!!", "??"], [0, 0, 1, 2]),
        (["你好吗", "再见", "你好吗 "], [0, 1, 0]),
        (["one two three four", "five", "ONE, two three: four!"], [0, 1, 0]),
    ],
)
def test_odd_texts_have_groups(texts, groups):
    assert duplicates.groups(texts).tolist() == groups


def test_a_texts_signature_does_not_depend_on_its_neighbours():
    texts = [sentence(i, 1 + i % 4) for i in range(20)]
    together = duplicates._signatures(texts)
    for text, signature in zip(texts, together, strict=True):
        assert (duplicates._signatures([text])[0] == signature).all()


def test_texts_with_nothing_in_common_are_apart():
    assert len(set(duplicates.groups([sentence(i) for i in range(500)]))) == 500
    assert (
        len(set(duplicates.groups(["ok", "no", "ok!", "okay then", "12", "13"]))) >= 4
    )


@pytest.mark.slow
def test_a_file_of_200_000_texts_is_searched_in_seconds():
    import time

    texts = [sentence(i, 15) for i in range(100_000)]
    texts += [f"{text} x" for text in texts]
    began = time.perf_counter()
    groups = duplicates.groups(texts)
    assert time.perf_counter() - began < 60
    assert len(set(groups)) == pytest.approx(100_000, rel=0.03)


# Splits


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 1000),
    classes=st.integers(2, 5),
    sizes=st.lists(st.integers(1, 12), min_size=30, max_size=120),
)
def test_groups_stay_whole_and_every_class_is_everywhere(seed, classes, sizes):
    rows = [
        {"label": f"c{group % classes}", "group": group}
        for group, size in enumerate(sizes)
        for _ in range(size)
    ]
    table = splitting.split(pd.DataFrame(rows), seed=seed)
    assert (table.groupby("group")["part"].nunique() == 1).all()
    counts = pd.crosstab(table["label"], table["part"])
    assert (counts > 0).all(axis=None) and set(counts) == set(splitting.PARTS)
    most = max(sizes)  # no part is off by more than a group
    shares = counts.div(counts.sum(axis=1), axis=0)
    room = most / counts.sum(axis=1)
    assert ((shares["training"] - 0.7).abs() <= room + 0.01).all()


def test_the_seed_decides_the_split():
    table = pd.DataFrame({"label": list("ab") * 50, "group": range(100)})
    one, same, other = (splitting.split(table, seed=seed)["part"] for seed in (1, 1, 2))
    assert one.equals(same) and not one.equals(other)
    counts = one.value_counts().to_dict()
    assert counts == pytest.approx(
        {"training": 70, "validation": 15, "test": 15}, abs=2
    )


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.7, 0.2, 0.2), (1.0, 0.0, 0.0)])
def test_wrong_shares_are_refused(shares):
    table = pd.DataFrame({"label": ["a", "b"] * 9, "group": range(18)})
    with pytest.raises(InputError) as error:
        splitting.split(table, seed=0, shares=shares)
    one_sentence(error)


def test_too_few_texts_for_three_parts_are_refused():
    table = pd.DataFrame({"label": ["a", "b"] * 9, "group": [0, 1] * 9})
    with pytest.raises(InputError) as error:
        splitting.split(table, seed=0)
    one_sentence(error, "got none for the")


def test_thinning_keeps_shares_and_order():
    labels = ["a"] * 800 + ["b"] * 195 + ["c"] * 5
    parts = np.where(np.arange(1000) % 2, "training", "test")
    table = pd.DataFrame({"label": labels, "part": parts})
    thinned = splitting.thin(table, {"training": 50}, seed=3)
    kept = thinned[thinned["part"] == "training"]["label"].value_counts()
    assert kept.to_dict() == {"a": 40, "b": 10, "c": 1}
    assert (
        thinned["part"] == "test"
    ).sum() == 500 and thinned.index.is_monotonic_increasing
