"""Repairs of lesson 29, right and wrong: what its exercises compare answers with."""

import math


def balanced(rows, labels):
    """Repeat rows, class by class, up to the largest class."""
    own = [[row for row in rows if labels[row] == name] for name in sorted(set(labels))]
    own = [rows for rows in own if rows]
    most = max(map(len, own))
    return [rows[number % len(rows)] for rows in own for number in range(most)]


def cut(rows, held_out):
    """Part rows into those that stay and those held out."""
    inside = [row for row in rows if row not in held_out]
    return inside, [row for row in rows if row in held_out]


def parts(labels, held_out):
    """Cut first, then balance the training rows."""
    train_rows, test_rows = cut(range(len(labels)), held_out)
    return balanced(train_rows, labels), test_rows


def balance_all_then_cut(labels, held_out):
    """Let the test rows take part in balancing."""
    return cut(balanced(range(len(labels)), labels), held_out)


def balance_test_too(labels, held_out):
    """Put copies into the test as well."""
    train_rows, test_rows = cut(range(len(labels)), held_out)
    return balanced(train_rows, labels), balanced(test_rows, labels)


def number_both(train_words, words):
    """Number by the training words, in alphabetical order."""
    known = {word: number for number, word in enumerate(sorted(set(train_words)))}
    return [known[word] for word in train_words], [known.get(w, -1) for w in words]


def each_by_itself(train_words, words):
    """Number each file by itself."""
    return number_both(train_words, [])[0], number_both(words, [])[0]


def by_appearance(train_words, words):
    """Number by the order of the training file."""
    known = {word: number for number, word in enumerate(dict.fromkeys(train_words))}
    return [known[word] for word in train_words], [known.get(w, -1) for w in words]


def of_all_words(train_words, words):
    """Let the words of validation move the numbers."""
    numbers = number_both([*train_words, *words], [])[0]
    return numbers[: len(train_words)], numbers[len(train_words) :]


def unknown_dropped(train_words, words):
    """Leave rows with an unknown word out."""
    return number_both(train_words, [word for word in words if word in train_words])


def pieces(word_ids, labels, *, empty=-100, later=lambda label: -100):
    """Label the first piece of each word; options make it wrong."""
    found, before = [], None
    for word in word_ids:
        if word is None:
            found.append(empty)
        else:
            found.append(later(labels[word]) if word == before else labels[word])
        before = word
    return found


def entropy(frequencies):
    """Return the loss of a constant answer."""
    return -sum(share * math.log(share) for share in frequencies if share > 0)


def gives_up(losses, frequencies, *, least=12, share=0.95, line=entropy):
    """Stop a run at the line; options make it wrong."""
    late = sum(losses[-4:]) / 4
    return len(losses) >= least and late >= share * line(frequencies)


class Said(float):
    """A number that remembers the model it came from, so that its mode can be seen."""

    def __new__(cls, value, model):
        said = super().__new__(cls, value)
        said.model = model
        return said


class Model:
    """Stands for a PyTorch model: in training mode its answers are off by a half."""

    def __init__(self, training):
        self.train(training)

    def train(self, mode=True):
        self.training = self.dropout = mode  # reaches the layers
        return self

    def eval(self):
        return self.train(False)

    def __call__(self, text):
        return Said(len(text) + 0.5 * self.dropout, self)

    def __repr__(self):
        return f"a model in {'training' if self.training else 'evaluation'} mode"


def answer_all(model, texts, *, during=False, after=None):
    """Answer in a mode, leave in a mode; options make it wrong."""
    before = model.training
    model.train(before if during is None else during)
    said = [model(text) for text in texts]
    model.train(before if after is None else after)
    return said


def same_answers(got, expected):
    """Compare answers, and the mode the model was left in."""
    models = [[said.model for said in each] for each in (got, expected)]
    modes = [[(m.training, m.dropout) for m in each] for each in models]
    return list(got) == list(expected) and modes[0] == modes[1]


def in_file_order(answers, rows):
    """Put answers back into the order of the rows."""
    return [answer for _, answer in sorted(zip(rows, answers, strict=True))]


def plain(name):
    """Take PEFT's additions out of a name."""
    return name.replace(".modules_to_save", "").replace(".default", "")


def lost(trained, saved):
    """Return what was trained but not saved."""
    return sorted({plain(name) for name in trained} - set(saved))


def fill_left(rows, pad):
    """Fill on the left; the mask from the lengths."""
    longest = max(map(len, rows))
    ids = [[pad] * (longest - len(row)) + row for row in rows]
    return ids, [[0] * (longest - len(row)) + [1] * len(row) for row in rows]


def fill_right(rows, pad):
    """Fill on the right."""
    longest = max(map(len, rows))
    ids = [row + [pad] * (longest - len(row)) for row in rows]
    return ids, [[1] * len(row) + [0] * (longest - len(row)) for row in rows]


def mask_by_number(rows, pad):
    """Fill on the left; the mask from the token numbers."""
    ids = fill_left(rows, pad)[0]
    return ids, [[int(token != pad) for token in row] for row in ids]


def as_lists(value):
    """Turn tuples, arrays and numbers of any kind into lists of plain numbers."""
    value = value.tolist() if hasattr(value, "tolist") else value
    return [as_lists(v) for v in value] if isinstance(value, list | tuple) else value


def same_rows(got, expected):
    """Compare two lists of rows each; the order within a list does not count."""
    return [sorted(rows) for rows in got] == [sorted(rows) for rows in expected]


def same_lists(got, expected):
    """Compare after turning all into lists."""
    return as_lists(got) == as_lists(expected)


LAYER = "base_model.model.layers.0.query."
TRAINED = [f"{LAYER}lora_A.default.weight", f"{LAYER}lora_B.default.weight"]
SAVED = [f"{LAYER}lora_A.weight", f"{LAYER}lora_B.weight"]
HEAD = ["base_model.model.head.weight", "base_model.model.head.bias"]
KEPT = ["base_model.model.head.modules_to_save.default.weight"]
