"""Lesson 30: who decides what, learning from a teacher's shares, a greedy soup."""

import math

from course_utils.exercises import Exercise, Mistake

_PARTS = {
    "weights of the head": "training",
    "vocabulary of the word counter": "training",
    "learning rate": "validation",
    "look whose weights are kept": "validation",
    "temperature": "validation",
    "threshold": "validation",
    "which of ten settings is handed over": "validation",
    "score in the report": "test",
}


def _shares(logits, temperature=1.0):
    largest = max(logits)
    powers = [math.exp((logit - largest) / temperature) for logit in logits]
    return [power / sum(powers) for power in powers]


def _student_loss(logits, teacher, temperature):
    shares = _shares(logits, temperature)
    return -sum(q * math.log(p) for q, p in zip(teacher, shares, strict=True))


def _hard(logits, teacher, temperature):
    return -math.log(_shares(logits, temperature)[teacher.index(max(teacher))])


def _swapped(logits, teacher, temperature):
    shares = _shares(logits, temperature)
    return -sum(p * math.log(q) for q, p in zip(teacher, shares, strict=True))


def _average(models):
    return [sum(column) / len(models) for column in zip(*models, strict=True)]


def _greedy(models, score, *, order=None, bar=None, join=None):
    order = order or sorted(range(len(models)), key=lambda i: -score(models[i]))
    kept = [models[order[0]]]
    soup = kept[0]
    for index in order[1:]:
        tried = join(soup, models[index]) if join else _average([*kept, models[index]])
        if score(tried) >= (score(soup) if bar is None else bar(score, models)):
            kept, soup = [*kept, models[index]], tried
    return soup


def _near_two_one(weights):
    """Higher is better: how near the weights are to (2, 1)."""
    return -((weights[0] - 2) ** 2) - (weights[1] - 1) ** 2


def _near_zero(weights):
    """Higher is better: how near the weights are to (0, 0, 0)."""
    return -sum(weight**2 for weight in weights)


_MODELS = [[0.0, 0.0], [4.0, 1.5], [1.0, 2.0], [3.0, 0.5], [9.0, 9.0]]
_OTHERS = [[3.0, 0.0, 0.0], [-1.0, 1.0, 0.0], [0.0, -1.5, 1.0], [0.5, 0.5, -2.0]]
_CLOSE = [[1.0, 1.0, 0.0], [-1.2, 0.5, 1.0], [0.9, -1.4, 0.2], [-0.9, 0.4, -1.5]]
_EQUAL = [[0.0, 1.0], [8.0, 1.0]]  # with the newcomer the score is the same: it joins
_LATE = [[2.0, 2.0], [2.0, 3.0], [2.0, -1.5]]  # the second is refused, the third joins
_LISTED = [[2.0, -0.5], [2.0, 2.0], [2.0, -0.2]]  # listed, the other would be refused


def _strict(models, score):
    order = sorted(models, key=score, reverse=True)
    kept = order[:1]
    for model in order[1:]:
        if score(_average([*kept, model])) > score(_average(kept)):
            kept.append(model)
    return _average(kept)


def _stops(models, score):
    order = sorted(models, key=score, reverse=True)
    kept = order[:1]
    for model in order[1:]:
        if score(_average([*kept, model])) < score(_average(kept)):
            break
        kept.append(model)
    return _average(kept)


def _best_then_listed(models, score):
    best = max(range(len(models)), key=lambda i: score(models[i]))
    others = [i for i in range(len(models)) if i != best]
    return _greedy(models, score, order=[best, *others])


EXERCISES = [
    Exercise(
        reference=_PARTS,
        mistakes=[
            Mistake(
                _PARTS | {"threshold": "test"},
                "A threshold that the test rows chose looks better on them than it "
                "will be.",
            ),
            Mistake(
                _PARTS | {"temperature": "training"},
                "The model is surer on rows that it was trained on: a temperature "
                "fitted there is too small.",
            ),
            Mistake(
                _PARTS | {"vocabulary of the word counter": "validation"},
                "What is fitted on validation rows has seen them. Words are counted "
                "on training rows.",
            ),
            Mistake(
                _PARTS | {"which of ten settings is handed over": "test"},
                "The best of ten on the test is a choice: its score flatters. Choose "
                "on validation.",
            ),
            Mistake(
                _PARTS | {"score in the report": "validation"},
                "Validation chose the setting, so its score is too good. One part "
                "chose nothing.",
            ),
            Mistake(
                _PARTS | {"look whose weights are kept": "training"},
                "On its own training rows the last look is nearly always the best.",
            ),
        ],
        hint="Fitted: training. Chosen: validation. Reported: test. Go through the "
        "lines that differ from this.",
    ),
    Exercise(
        reference=_student_loss,
        cases=[
            ([2.0, 0.0], [0.7, 0.3], 1.0),
            ([0.5, -1.0, 0.2], [0.2, 0.1, 0.7], 2.0),
            ([0.0, 0.0], [0.5, 0.5], 3.0),
            ([900.0, 880.0], [0.9, 0.1], 1.0),  # exp(900) is too large for a float
        ],
        mistakes=[
            Mistake(
                _hard,
                "That uses only the teacher's first choice. Its doubts are the lesson: "
                "sum over all classes, each weighted with the teacher's share.",
            ),
            Mistake(
                lambda z, q, t: -_student_loss(z, q, t),
                "The sign: logarithms of shares are negative, a loss is not.",
            ),
            Mistake(
                lambda z, q, t: _student_loss(z, q, 1.0),
                "Divide the student's logits by the temperature before the softmax.",
            ),
            Mistake(
                _swapped,
                "Teacher and student are swapped: the logarithm is the student's.",
            ),
            Mistake(
                lambda z, q, t: _student_loss([x * t for x in z], q, 1.0),
                "Divide by the temperature; you multiplied.",
            ),
            Mistake(
                lambda z, q, t: _student_loss(z, q, t) / len(z),
                "Sum over the classes, do not average: the teacher's shares already "
                "add up to 1.",
            ),
        ],
        hint="Shares of the student: softmax of its logits, divided by the temperature "
        "first (take the largest off before exp, or large logits overflow). Then minus "
        "the sum of teacher's share × logarithm of the student's share.",
    ),
    Exercise(
        reference=_greedy,
        cases=[
            (_MODELS, _near_two_one),
            (_OTHERS, _near_zero),
            (_CLOSE, _near_zero),
            (_EQUAL, _near_two_one),
            (_LATE, _near_two_one),
            (_LISTED, _near_two_one),
        ],
        mistakes=[
            Mistake(
                lambda models, score: _average(models),
                "That is the soup of all. A model joins only if the soup with it "
                "scores at least as high.",
            ),
            Mistake(
                lambda models, score: _greedy(
                    models, score, order=list(range(len(models)))
                ),
                "Begin with the best model, and try the others from best to worst.",
            ),
            Mistake(
                lambda models, score: _greedy(
                    models, score, join=lambda a, b: _average([a, b])
                ),
                "Half soup, half newcomer gives the last one as much weight as all "
                "before it. Average the kept models, each counting the same.",
            ),
            Mistake(
                lambda models, score: max(models, key=score),
                "That is the best single model: nothing was averaged.",
            ),
            Mistake(
                lambda models, score: _greedy(
                    models, score, bar=lambda score, models: max(map(score, models))
                ),
                "Compare with the soup as it is now, not with the best single model: "
                "the bar rises with the soup.",
            ),
            Mistake(
                _strict,
                "At least as high: a model that leaves the score as it is joins, too.",
            ),
            Mistake(
                _stops,
                "A model that is refused ends nothing: go on with the next one.",
            ),
            Mistake(
                _best_then_listed,
                "The best comes first, right. Sort the others, too, from best to worst.",
            ),
        ],
        hint="Sort by score, best first; keep a list of those that joined; compare the "
        "average of the list with the average of the list and the next model.",
    ),
]
