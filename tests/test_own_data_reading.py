"""A learner's file as it lies there: formats, encodings, delimiters, quotes, columns."""

from __future__ import annotations

import csv
import io
import json

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import one_sentence
from course_utils.errors import InputError
from course_utils.own_data import columns, files

ROWS = [("good, really", "yes"), ("not so\ngood", "no"), ('a "quoted" word', "yes")]
ROWS += [("été à Noël", "no"), ("a; b | c", "yes")]


def write(folder, content, *, name="data.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(
        content if isinstance(content, bytes) else content.encode(encoding)
    )
    return path


def delimited(rows, delimiter=",", names=("text", "label")):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([names, *rows])
    return out.getvalue()


def pairs(source):
    return list(zip(source.table["text"], source.table["label"], strict=True))


def names(source):
    return [finding.name for finding in source.findings]


# Formats


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_delimited_files_are_read_whatever_their_encoding(
    tmp_path, delimiter, encoding
):
    path = write(tmp_path, delimited(ROWS, delimiter), encoding=encoding)
    before = path.read_bytes()
    source = columns.read(path)
    texts = [(text.replace("\r\n", "\n"), label) for text, label in pairs(source)]
    assert texts == ROWS
    assert source.table["row"].tolist() == [2, 3, 5, 6, 7]  # lines of the file
    assert ("encoding" in names(source)) is (encoding == "cp1252")
    assert ("delimiter" in names(source)) is (delimiter != ",")
    assert path.read_bytes() == before


@pytest.mark.parametrize("late", [False, True])
def test_two_encodings_glued_together_are_refused(tmp_path, late):
    rows = [(f"schöner Tag {i}", "good") for i in range(4000 if late else 30)]
    glued = delimited(rows).encode() + "trüber Tag,bad\r\n".encode("cp1252")
    with pytest.raises(InputError) as error:
        columns.read(write(tmp_path, glued))
    one_sentence(error, "UTF-8 and", "further down" if late else "1 other line")
    named = columns.read(tmp_path / "data.csv", encoding="cp1252")
    assert named.table["text"].iloc[-1] == "trüber Tag"


def test_zero_bytes_are_found_wherever_they_are(tmp_path):
    content = delimited([("fine", "good")] * 2000).encode() + b"odd\0,bad\r\n"
    with pytest.raises(InputError) as error:
        columns.read(write(tmp_path, content))
    one_sentence(error, "bytes that no text has")


def test_a_doubled_name_is_told(tmp_path):
    path = write(
        tmp_path, delimited([("a", "b", "c")], names=("text", "text", "label"))
    )
    assert "doubled name" in names(columns.read(path))


def test_a_file_of_labels_only_is_told_to_add_a_column(tmp_path):
    with pytest.raises(InputError) as error:
        columns.read(write(tmp_path, "text\nhello there\nsee you soon\n"))
    one_sentence(error, "no other column", "--delimiter")


def test_other_formats_hold_the_same(tmp_path):
    table = pd.DataFrame(ROWS, columns=["text", "label"])
    table.to_parquet(tmp_path / "a.parquet")
    table.to_excel(tmp_path / "a.xlsx", index=False)
    lines = [json.dumps(row) for row in table.to_dict("records")]
    write(tmp_path, "\n".join(lines), name="a.jsonl")
    write(tmp_path, f"[{', '.join(lines)}]", name="a.json")
    for path in sorted(tmp_path.iterdir()):
        assert pairs(columns.read(path)) == ROWS, path.name


@pytest.mark.parametrize("ending", ["parquet", "xlsx", "jsonl"])
def test_numbers_as_labels_are_the_same_in_every_format(tmp_path, ending):
    table = pd.DataFrame({"text": ["a", "b", "c"], "label": [1, 0, None]})
    path = tmp_path / f"a.{ending}"
    if ending == "parquet":
        table.to_parquet(path)
    elif ending == "xlsx":
        table.to_excel(path, index=False)
    else:
        table.to_json(path, orient="records", lines=True)
    assert columns.read(path).table["label"].tolist() == ["1", "0", None]


def test_an_excel_file_called_csv_is_recognised(tmp_path):
    pd.DataFrame(ROWS, columns=["text", "label"]).to_excel(tmp_path / "a.xlsx")
    path = (tmp_path / "a.xlsx").rename(tmp_path / "a.csv")
    assert columns.read(path).kind == "Excel"


def test_labels_that_look_missing_are_words(tmp_path):
    content = "text,label\na,None\nb,NA\nc,null\nd,\n"
    found = columns.read(write(tmp_path, content)).table["label"].tolist()
    assert found == ["None", "NA", "null", None]


def test_excels_own_first_line_is_not_a_row(tmp_path):
    source = columns.read(write(tmp_path, "sep=;\ntext;label\na, b;1\n"))
    assert pairs(source) == [("a, b", "1")] and source.table["row"].tolist() == [3]


# Odd rows


def test_quotes_that_do_not_pair_are_ordinary_signs(tmp_path):
    lines = ["text\tlabel", *(f'"so {i}\tyes\nend" {i}\tno' for i in range(20))]
    source = columns.read(write(tmp_path, "\n".join(lines), name="a.tsv"))
    assert len(source.table) == 40 and source.table["text"][0] == '"so 0'
    assert "quotes" in names(source)


def test_one_quote_that_swallows_rows_is_named_with_its_line(tmp_path):
    content = 'text,label\na,1\n"b, c,1\nd,0\ne,1\n'
    (finding,) = (
        f for f in columns.read(write(tmp_path, content)).findings if f.name == "quotes"
    )
    assert finding.level == "warning" and "begins in line 3 and spans 4" in finding.what


def test_long_texts_in_quotes_are_left_whole(tmp_path):
    text = "\n".join(f"line {i}, with a comma" for i in range(80))
    source = columns.read(write(tmp_path, delimited([(text, "1"), ("b", "0")])))
    assert pairs(source) == [(text, "1"), ("b", "0")] and "quotes" not in names(source)


def test_rows_with_too_many_cells_are_counted_and_left_out(tmp_path):
    content = "text,label\na,1\nb, c,0\nd,0\ne,1,,\n"
    source = columns.read(write(tmp_path, content))
    assert pairs(source) == [("a", "1"), ("d", "0"), ("e", "1")]
    (finding,) = (f for f in source.findings if f.name == "too many cells")
    assert finding.count == 1 and "line 3" in finding.what


def test_a_file_whose_rows_mostly_do_not_fit_is_refused(tmp_path):
    with pytest.raises(InputError) as error:
        columns.read(write(tmp_path, "text,label\na,b,1\nc,d,0\ne,1\n"))
    one_sentence(error, "got more in 2 rows (line 2, 3)", "double quotes")


def test_broken_lines_of_json_are_counted(tmp_path):
    content = '{"text": "a", "label": 1}\n{"text": \n\n{"text": "b", "label": 2}\n'
    source = columns.read(write(tmp_path, content, name="a.jsonl"))
    assert pairs(source) == [("a", "1"), ("b", "2")]
    assert source.table["row"].tolist() == [1, 4]
    assert "broken lines" in names(source)


def test_half_a_sign_in_json_can_still_be_written(tmp_path):
    content = '{"text": "a \\ud83d b", "label": "x"}'
    source = columns.read(write(tmp_path, content, name="a.jsonl"))
    assert source.table["text"][0].encode("utf-8") == b"a ? b"


# Columns


def test_columns_are_recognised_by_name_in_several_languages(tmp_path):
    content = delimited(
        [("eins", "hallo du", "gut")], names=("Nr", "Nachricht", "KLASSE")
    )
    source = columns.read(write(tmp_path, content))
    assert source.columns == {"text": "Nachricht", "label": "KLASSE"}
    assert list(source.others.columns) == ["Nr"]
    content = delimited([("hallo", "gut")], names=("Kommentar", "Kategorie"))
    source = columns.read(write(tmp_path, content))
    assert source.columns == {"text": "Kommentar", "label": "Kategorie"}


def test_columns_are_recognised_by_content_and_that_is_said(tmp_path):
    rows = [(i, f"these are the words number {i}", "ab"[i % 2]) for i in range(20)]
    source = columns.read(write(tmp_path, delimited(rows, names="pqr")))
    assert source.columns == {"text": "q", "label": "r"}
    said = [f for f in source.findings if f.name == "label column"]
    assert said[0].level == "warning" and "--label" in said[0].advice


def test_a_file_without_names_of_columns(tmp_path):
    lines = [
        f"{'ham' if i % 3 else 'spam'}\tmessage with number {i}" for i in range(30)
    ]
    source = columns.read(write(tmp_path, "\n".join(lines), name="sms.txt"))
    assert source.columns == {"text": "column 2", "label": "column 1"}
    assert len(source.table) == 30 and source.table["row"].tolist()[:2] == [1, 2]
    assert "no names" in names(source)


def test_two_columns_of_one_name_are_told_apart(tmp_path):
    source = columns.read(write(tmp_path, "text,label,label,\na,1,x,9\n"))
    assert pairs(source) == [("a", "1")]
    assert list(source.others.columns) == ["label (again)", "column 4"]


def test_a_sheet_that_was_not_read_is_named_when_a_column_is_missing(tmp_path):
    path = tmp_path / "a.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"About": ["a survey"]}).to_excel(book, sheet_name="Info")
        pd.DataFrame(ROWS, columns=["text", "label"]).to_excel(book, sheet_name="Data")
    with pytest.raises(InputError) as error:
        columns.read(path)
    one_sentence(error, "Of 2 sheets the first was read, 'Info'", "a file of its own")


def test_a_file_of_texts_only_needs_no_labels(tmp_path):
    source = columns.read(write(tmp_path, "text\na\nb\n"), labelled=False)
    assert source.table["text"].tolist() == ["a", "b"] and "label" not in source.table


# Refusals


@pytest.mark.parametrize(
    ("content", "name", "part"),
    [
        ("", "a.csv", "got an empty file"),
        ("\n  \n", "a.csv", "got blank lines only"),
        ("text,label\n", "a.csv", "got none"),
        (b"text,label\n\0\1\2,1\n", "a.csv", "bytes that no text has"),
        ("text,label\na,1\n", "a.doc", "got '.doc'"),
        ("text,label\na,1\n", "a.xlsx", "got something else"),
        (b"\x1f\x8b\x08 and more", "a.csv.gz", "Unpack it"),
        (b"PK\x03\x04 and more", "a.zip", "Unpack it"),
        ('{"data": [{"text": "a", "label": 1}]}', "a.json", "a single one with 'data'"),
        (
            '{"messages": "so we said"}\n' * 2,
            "a.jsonl",
            "no other column than 'messages'. Add",
        ),
        (b"PK\x03\x04 and no more", "a.xlsx", "a whole Excel file"),
        (b"PAR1 and no more", "a.parquet", "a whole Parquet file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.xls", "without a password"),
        ("[1, 2", "a.json", "broken JSON"),
        ("hello\nyou\n", "a.jsonl", "one JSON object a line"),
        (b"\xff\xfet\x00e\x00x", "a.csv", "bytes that are not"),
        ("x,y\n1,2\n3,4\n", "a.csv", "none that looks like it"),
        ("text\nhello\nyou\n", "a.csv", "got no other column"),
        ("text\na b c\nd e f\n", "a.csv", "Expected a column of labels"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(tmp_path, content, name, part):
    with pytest.raises(InputError) as error:
        columns.read(write(tmp_path, content, name=name))
    one_sentence(error, part)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"text": "texts"}, "got 'text', 'label'"),
        ({"label": "text"}, "got 'text' for both. Name the right ones with --text"),
        ({"text": "label"}, "got 'label' for both"),
        ({"encoding": "utf-9"}, "got 'utf-9'"),
        ({"encoding": "ascii"}, "text in ascii"),
        ({"encoding": "hex"}, "got 'hex'"),
        ({"delimiter": ";;"}, "got ';;'"),
    ],
)
def test_wrong_arguments_are_refused_in_one_sentence(tmp_path, arguments, part):
    with pytest.raises(InputError) as error:
        columns.read(write(tmp_path, "text,label\ncafé,1\n"), **arguments)
    one_sentence(error, part)


@pytest.mark.parametrize("name", ["no.csv", "folder"])
def test_a_missing_file_or_a_folder(tmp_path, name):
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError) as error:
        columns.read(tmp_path / name)
    one_sentence(error, "no such file" if name == "no.csv" else "a folder")


# Properties


CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)
QUICK = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@QUICK
@given(
    rows=st.lists(st.tuples(CELL, CELL), min_size=1), delimiter=st.sampled_from(",;\t|")
)
def test_any_rows_that_the_csv_module_writes_come_back(tmp_path, rows, delimiter):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("text", "label"), *rows])
    path = write(tmp_path, out.getvalue())
    wanted = [row for row in rows if any(cell.strip() for cell in row)]
    if wanted:
        assert pairs(columns.read(path)) == [(t or None, n or None) for t, n in wanted]


@QUICK
@given(content=st.binary(max_size=400), name=st.sampled_from(sorted(files.KINDS)))
def test_any_bytes_are_read_or_refused_in_one_sentence(tmp_path, content, name):
    path = write(tmp_path, content, name=f"data{name}")
    try:
        source = columns.read(path)
    except InputError as error:
        assert str(error).startswith("Expected ") and "\n" not in str(error)
    else:
        assert {"text", "label", "row"} == set(source.table)
        assert source.table["row"].is_monotonic_increasing
    assert path.read_bytes() == content


@QUICK
@given(text=st.text(alphabet='ab,;"\n\r\t|=é\ufeff \0', max_size=200))
def test_any_mixture_of_quotes_and_delimiters_is_read_or_refused(tmp_path, text):
    path = write(tmp_path, "text,label\n" + text)
    try:
        source = columns.read(path)
    except InputError as error:
        assert str(error).startswith("Expected ") and "\n" not in str(error)
    else:
        assert len(source.table) <= text.count("\n") + text.count("\r") + 1
