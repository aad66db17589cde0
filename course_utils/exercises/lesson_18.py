"""Lesson 18: labels of a training row, faults of placeholders, BLEU's precision."""

import re
from collections import Counter

from course_utils.exercises import Exercise, Mistake


def _labels(prompt, answer, stop):
    return [-100] * len(prompt) + answer + [stop]


def _marks(text):
    return Counter(re.findall(r"%\d|\{\w+\}", text))


def _faults(source, answer, *, marks=_marks):
    wanted, said = marks(source), marks(answer)
    return sorted((wanted - said).elements()), sorted((said - wanted).elements())


def _without_repeats(source, answer):
    wanted, said = set(_marks(source)), set(_marks(answer))
    return sorted(wanted - said), sorted(said - wanted)


def _keys_only(source, answer):
    wanted, said = _marks(source), _marks(answer)
    return sorted(wanted - said), sorted(said - wanted)


def _all_of_them(source, answer):
    return sorted(_marks(source).elements()), sorted(_marks(answer).elements())


def _runs(text, n):
    words = text.split()
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def _share(part, whole):
    return part / whole if whole else 0.0


def _precision(answer, reference, n):
    said, wanted = _runs(answer, n), _runs(reference, n)
    return _share((said & wanted).total(), said.total())


def _unclipped(answer, reference, n):
    said, wanted = _runs(answer, n), _runs(reference, n)
    return _share(sum(k for run, k in said.items() if run in wanted), said.total())


def _recall(answer, reference, n):
    said, wanted = _runs(answer, n), _runs(reference, n)
    return _share((said & wanted).total(), wanted.total())


def _different_runs(answer, reference, n):
    said, wanted = set(_runs(answer, n)), set(_runs(reference, n))
    return _share(len(said & wanted), len(said))


def _characters(answer, reference, n):
    return _precision(" ".join(answer), " ".join(reference), n)


EXERCISES = [
    Exercise(
        reference=_labels,
        cases=[([5, 6, 7], [8, 9], 2), ([4], [3, 3, 5], 1)],
        mistakes=[
            Mistake(
                lambda prompt, answer, stop: [-100] * len(prompt) + answer,
                "The stop token has a position, too, and must be learnt: a model that "
                "never sees it in its labels never stops.",
            ),
            Mistake(
                lambda prompt, answer, stop: prompt + answer + [stop],
                "That trains on the prompt as well: the model would learn to write "
                "questions.",
            ),
            Mistake(
                lambda prompt, answer, stop: [-100] * len(prompt) + answer + [-100],
                "The stop token is hidden from the loss. Padding is hidden, the stop "
                "is not.",
            ),
            Mistake(
                lambda prompt, answer, stop: (
                    [-100] * (len(prompt) - 1) + answer + [stop]
                ),
                "One label per position: the shift by one is made inside the loss.",
            ),
            Mistake(
                lambda prompt, answer, stop: [0] * len(prompt) + answer + [stop],
                "0 is the number of a token and would be learnt. Which number does the "
                "loss leave out?",
            ),
        ],
        hint="Position by position: which token stands there, and is it to be learnt?",
    ),
    Exercise(
        reference=_faults,
        cases=[
            ("Rename %1 to %2", "Renommer %1"),
            ("%1 of %1 in {name}", "%1 de {name} {name}"),
            ("Save", "Enregistrer %1"),
            ("Open {path} (%2)", "Ouvrir {chemin} (%2)"),
            ("%1, %1 and {name}", "{a} et {a}"),  # lost twice, invented twice
        ],
        mistakes=[
            Mistake(
                _without_repeats,
                "A set forgets repeats: of two %1, one may be lost.",
            ),
            Mistake(
                _keys_only,
                "Going through a Counter gives each key once: what is lost twice must "
                "stand there twice. `.elements()` repeats them.",
            ),
            Mistake(
                lambda source, answer: (_faults(source, answer)[0], []),
                "Lost ones are there. What does the answer have that the source lacks?",
            ),
            Mistake(
                lambda source, answer: ([], _faults(source, answer)[1]),
                "Invented ones are there. What does the source have that the answer "
                "lacks?",
            ),
            Mistake(
                lambda source, answer: _faults(answer, source),
                "First what was lost, then what was invented.",
            ),
            Mistake(
                lambda source, answer: _faults(
                    source, answer, marks=lambda text: Counter(re.findall(r"%\d", text))
                ),
                "Placeholders in braces count as well: {name}.",
            ),
            Mistake(
                _all_of_them,
                "Those are all placeholders of both texts. Take away what both have.",
            ),
        ],
        same=lambda got, expected: (
            [sorted(part) for part in got] == [sorted(part) for part in expected]
        ),
        hint="Counters can be subtracted; what would go below zero is dropped.",
    ),
    Exercise(
        reference=_precision,
        cases=[
            ("le le le", "le fichier", 1),
            ("le le menu", "le fichier", 1),
            ("ouvrir le fichier", "ouvrir un fichier", 2),
            ("fermer tous les onglets", "fermer tous les", 2),
            ("oui", "non merci", 2),
        ],
        mistakes=[
            Mistake(
                _unclipped,
                "Not clipped: a run counts at most as often as the reference has it.",
            ),
            Mistake(
                _recall,
                "That is recall: the share of the reference's runs. Divide by the "
                "number of runs in the answer.",
            ),
            Mistake(
                _different_runs,
                "Each run was counted once, however often the answer repeats it.",
            ),
            Mistake(
                _characters,
                "Those are runs of characters. BLEU counts words: split at blanks.",
            ),
            Mistake(
                lambda answer, reference, n: _precision(answer, reference, 1),
                "Single words only: use runs of n words.",
            ),
        ],
        hint="Count the answer's runs; `&` of two Counters keeps the smaller counts.",
    ),
]
