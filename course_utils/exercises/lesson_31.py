"""Lesson 31: a file's delimiter, and the confidence below which a model is silent."""

from course_utils.exercises import Exercise, Mistake


def _delimiter(lines, signs):
    def fitting(sign):
        cells = [len(line.split(sign)) for line in lines]
        return sum(count == cells[0] for count in cells) if cells[0] > 1 else 0

    best = max(signs, key=fitting)
    return best if fitting(best) else None


def _most_frequent(lines, signs):
    best = max(signs, key=lambda sign: sum(line.count(sign) for line in lines))
    return best if any(best in line for line in lines) else None


def _of_the_first_line(lines, signs):
    best = max(signs, key=lambda sign: lines[0].count(sign))
    return best if best in lines[0] else None


def _single_cells_too(lines, signs):
    def fitting(sign):
        cells = [len(line.split(sign)) for line in lines]
        return sum(count == cells[0] for count in cells)

    return max(signs, key=fitting)


def _without_the_first_line(lines, signs):
    def fitting(sign):
        cells = [len(line.split(sign)) for line in lines]
        return max([cells.count(count) for count in cells if count > 1], default=0)

    best = max(signs, key=fitting)
    return best if fitting(best) else None


def _all_lines(lines, signs):
    for sign in signs:
        cells = {len(line.split(sign)) for line in lines}
        if len(cells) == 1 and min(cells) > 1:
            return sign
    return None


def _lowest_limit(confidences, right, wanted):
    for limit in sorted(set(confidences)):
        kept = [r for c, r in zip(confidences, right, strict=True) if c >= limit]
        if sum(kept) >= wanted * len(kept):
            return limit
    return None


def _more_than_wanted(confidences, right, wanted):
    for limit in sorted(set(confidences)):
        kept = [r for c, r in zip(confidences, right, strict=True) if c >= limit]
        if sum(kept) > wanted * len(kept):
            return limit
    return None


def _above_only(confidences, right, wanted):
    for limit in sorted(set(confidences)):
        kept = [r for c, r in zip(confidences, right, strict=True) if c > limit]
        if kept and sum(kept) >= wanted * len(kept):
            return limit
    return None


def _of_all_texts(confidences, right, wanted):
    for limit in sorted(set(confidences)):
        kept = [r for c, r in zip(confidences, right, strict=True) if c >= limit]
        if sum(kept) >= wanted * len(confidences):
            return limit
    return None


def _highest(confidences, right, wanted):
    for limit in sorted(set(confidences), reverse=True):
        kept = [r for c, r in zip(confidences, right, strict=True) if c >= limit]
        if sum(kept) >= wanted * len(kept):
            return limit
    return None


def _single_answers(confidences, right, wanted):
    fine = [c for c, r in zip(confidences, right, strict=True) if r]
    return min(fine) if fine else None


def _the_wanted_share(confidences, right, wanted):
    kept = [c for c in confidences if c >= wanted]
    return min(kept) if kept else None


EXERCISES = [
    Exercise(
        reference=_delimiter,
        cases=[
            (["text;label", "yes, well;ham", "a, b, c;spam"], ",;\t|"),
            (["label\ttext", "ham\tso, so", "spam\twin; call\tnow"], ",;\t|"),
            (["id,text,label", "1,a | b,x", "2,c | d | e | f,y"], "|,"),
            (["text", "hello you", "good bye"], ",;"),
            (["a;b;c,d", "1;2,x", "3;4,y"], ",;"),
            (["text;label,note", "a;b;c,1", "d;e;f,2", "g;h;i"], ";,"),
        ],
        mistakes=[
            Mistake(
                _without_the_first_line,
                "A line counts if it has exactly as many cells as the first line: that "
                "one holds the names.",
            ),
            Mistake(
                _most_frequent,
                "A frequent sign may belong to the texts. Compare cells per line with "
                "the first line.",
            ),
            Mistake(
                _of_the_first_line,
                "The first line alone can mislead: see how many lines have as many cells.",
            ),
            Mistake(
                _single_cells_too,
                "A sign that does not occur gives one cell in every line: ask for two.",
            ),
            Mistake(
                _all_lines,
                "One broken line must not decide: take the sign that fits most lines.",
            ),
        ],
    ),
    Exercise(
        reference=_lowest_limit,
        cases=[
            ([0.6, 0.7, 0.8, 0.9], [0, 1, 0, 1], 0.6),
            ([0.9, 0.6, 0.8, 0.7], [1, 0, 1, 1], 0.9),
            ([0.6, 0.7, 0.8, 0.95], [1, 1, 1, 0], 0.9),
            ([0.5, 0.99], [1, 1], 0.95),
            ([0.55, 0.97, 0.97], [0, 1, 0], 0.6),
            ([0.5, 0.6, 0.7, 0.8], [1, 0, 1, 1], 0.75),
        ],
        mistakes=[
            Mistake(
                _more_than_wanted,
                "At least the wanted share: exactly that share keeps the promise.",
            ),
            Mistake(_above_only, "At least this confidence: the limit itself answers."),
            Mistake(
                _of_all_texts,
                "The share is taken of the answers that are given, not of all texts.",
            ),
            Mistake(
                _highest,
                "That keeps the promise, but answers hardly anything: the lowest limit.",
            ),
            Mistake(
                _single_answers,
                "A right answer at some confidence says nothing about the others above it.",
            ),
            Mistake(
                _the_wanted_share,
                "A confidence is the model's opinion. Count how often it is right.",
            ),
        ],
    ),
]
