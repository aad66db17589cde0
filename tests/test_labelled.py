"""A learner's data.csv: read as it is, or refused in one sentence."""

import pytest

from course_utils import labelled
from course_utils.errors import InputError


def write(folder, content, encoding="utf-8"):
    path = folder / "data.csv"
    path.write_bytes(content.encode(encoding))
    return path


def test_a_good_file_is_read_in_its_order_and_left_alone(tmp_path):
    content = 'id,text,label\n1,"good, really",1\n2,bad,0\n'
    path = write(tmp_path, content)
    table = labelled.read_csv(path)
    assert table.to_dict("list") == {"text": ["good, really", "bad"], "label": [1, 0]}
    assert path.read_text() == content


def test_other_column_names_can_be_given(tmp_path):
    path = write(tmp_path, "message,kind\nhello,ham\nwin,spam\n")
    table = labelled.read_csv(path, text="message", label="kind")
    assert list(table["kind"]) == ["ham", "spam"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "got an empty file"),
        ("review,stars\ngood,1\n", "got 'review', 'stars'"),
        ("text\ngood\n", "Expected the columns 'text' and 'label'"),
        ("text,label\n", "Expected rows below the first line"),
        ("text,label\na,1\n,0\nb,\n", "got 2 without, the first is row 2"),
        ("text,label\na,1\n   ,0\n", "got 1 without, the first is row 2"),
        ("text,label\na,spam\nb,spam\n", "got only 'spam'"),
        ("text,label\na,1\nb,c,d,0\n", "same number of columns"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(tmp_path, content, sentence):
    with pytest.raises(InputError) as caught:
        labelled.read_csv(write(tmp_path, content))
    message = str(caught.value)
    assert sentence in message
    assert message.startswith("Expected") and "\n" not in message.strip()


def test_another_encoding_is_named(tmp_path):
    path = write(tmp_path, "text,label\ncafé,1\nthé,0\n", encoding="latin-1")
    with pytest.raises(InputError, match="UTF-8"):
        labelled.read_csv(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        labelled.read_csv(tmp_path / "data.csv")
