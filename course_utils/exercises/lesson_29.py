"""Lesson 29: nine repairs, from copies in the test to padding on the wrong side."""

import math

from course_utils.exercises import Exercise, Mistake, clinic

EXERCISES = [
    Exercise(
        reference=clinic.parts,
        cases=[
            ([0, 1, 0, 0, 1, 0, 0, 1], {0, 1, 3}),
            ([2, 0, 2, 2, 1, 1, 0, 2], {0, 1}),
        ],
        mistakes=[
            Mistake(
                clinic.balance_all_then_cut,
                "No copies leak this way, but the classes were balanced with the test's "
                "rows among them, and the test holds copies. First cut, then balance.",
            ),
            Mistake(
                clinic.balance_test_too,
                "The test must stay as it was found: copies in it make few rows look "
                "like many. Balance the training rows only.",
            ),
            Mistake(
                lambda labels, held_out: clinic.cut(range(len(labels)), held_out),
                "Cut well, but not balanced: repeat the rows of the smaller classes.",
            ),
        ],
        same=clinic.same_rows,
        hint="Cut first. Then, class by class in order, repeat training rows in turn.",
    ),
    Exercise(
        reference=clinic.number_both,
        cases=[
            (["good", "bad", "good", "fair"], ["good", "fair", "bad"]),
            (["b", "a", "c"], ["c", "b", "aa"]),
        ],
        mistakes=[
            Mistake(
                clinic.each_by_itself,
                "Two numberings, one for each file: they agree only while both files "
                "hold the same words. Number once and use it twice.",
            ),
            Mistake(
                clinic.by_appearance,
                "One numbering for both, good; but it hangs on the order of the file. "
                "Sort the words first.",
            ),
            Mistake(
                clinic.of_all_words,
                "A word that only validation has moved the numbers of training. The "
                "numbering belongs to training alone.",
            ),
            Mistake(
                clinic.unknown_dropped,
                "A row was lost: now words and texts no longer stand side by side. Give "
                "the unknown word a number that shows.",
            ),
        ],
        same=clinic.same_lists,
    ),
    Exercise(
        reference=clinic.pieces,
        cases=[
            ([None, 0, 0, 1, 2, 2, 2, None, None], [1, 0, 1]),
            ([None, 0, 1], [1, 1]),
        ],
        mistakes=[
            Mistake(
                lambda ids, labels: [0 if i is None else labels[i] for i in ids],
                "That is the patient: 0 is an answer, 'no name', and is counted.",
            ),
            Mistake(
                lambda ids, labels: clinic.pieces(
                    ids, labels, later=lambda label: label
                ),
                "Padding is left out now, but a long word is asked once per piece.",
            ),
            Mistake(
                lambda ids, labels: clinic.pieces(ids, labels, empty=0),
                "Later pieces are left out, special tokens and padding are not yet.",
            ),
            Mistake(
                lambda ids, labels: clinic.pieces(
                    ids, labels, empty=-1, later=lambda _: -1
                ),
                "The number that cross-entropy leaves out is −100. It takes −1 for a "
                "class and stops with an error, if you are lucky.",
            ),
        ],
        same=clinic.same_lists,
    ),
    Exercise(
        reference=lambda ids, start: [-100] * start + ids[start:],
        cases=[([11, 12, 13, 14, 9], 3), ([5, 6, 7, 9], 1), ([3, 9], 0)],
        mistakes=[
            Mistake(
                lambda ids, start: [-100] * (start + 1) + ids[start + 1 :],
                "That is the patient: the answer's first token is hidden.",
            ),
            Mistake(
                lambda ids, start: (
                    [-100] * max(0, start - 1) + ids[max(0, start - 1) :]
                ),
                "One too early: the question's last token is learnt, too.",
            ),
            Mistake(
                lambda ids, start: [*([-100] * start + ids[start:])[1:], -100],
                "The loss moves the labels by itself. Moved twice, each place would "
                "guess the token after the next.",
            ),
            Mistake(
                lambda ids, start: [-100] * start + ids[start:-1] + [-100],
                "The stop token belongs to the answer: a model that never learnt it "
                "never stops.",
            ),
            Mistake(
                lambda ids, start: ids[start:],
                "As long as ids, please: one label per token, −100 over the question.",
            ),
            Mistake(lambda ids, start: list(ids), "The question is learnt as well."),
        ],
        same=clinic.same_lists,
    ),
    Exercise(
        reference=clinic.gives_up,
        cases=[
            ([0.7] * 12, [0.5, 0.5]),
            ([0.7] * 11, [0.5, 0.5]),
            ([0.9] * 8 + [0.8, 0.7, 0.5, 0.5], [0.5, 0.5]),
            ([0.9] * 11 + [0.4], [0.5, 0.5]),
            ([0.6] * 12, [0.9, 0.1]),
            ([0.6] * 11 + [0.7], [0.5, 0.5]),
            ([0.68] * 12, [0.5, 0.5]),
            ([0.8] * 6 + [0.5] * 8, [0.5, 0.5]),
            ([0.5] * 12, [0.9, 0.1, 0.0]),
        ],
        mistakes=[
            Mistake(
                lambda s, p: clinic.gives_up(s, p, line=lambda p: math.log(len(p))),
                "ln of the number of classes is the line only if all are equally "
                "frequent. Use the shares.",
            ),
            Mistake(
                lambda s, p: len(s) >= 12 and s[-1] >= 0.95 * clinic.entropy(p),
                "A single loss jumps about: take the mean of the last 4.",
            ),
            Mistake(
                lambda s, p: (
                    len(s) >= 12 and sum(s) / len(s) >= 0.95 * clinic.entropy(p)
                ),
                "The first losses are high in every run: mean of the last 4 only.",
            ),
            Mistake(
                lambda s, p: clinic.gives_up(s, p, least=4),
                "In the first steps every run is near the line: wait for 12 losses.",
            ),
            Mistake(
                lambda s, p: clinic.gives_up(s, p, share=1),
                "A little below the line is not enough: 0.95 times.",
            ),
        ],
    ),
    Exercise(
        reference=clinic.answer_all,
        cases=[(clinic.Model(True), ["a", "bcd"]), (clinic.Model(False), ["ab"])],
        mistakes=[
            Mistake(
                lambda model, texts: clinic.answer_all(model, texts, during=None),
                "That is the patient: its layers are left in the mode they came in "
                "(setting model.training does not reach them).",
            ),
            Mistake(
                lambda model, texts: clinic.answer_all(model, texts, after=False),
                "Right answers; but a training that goes on now has no dropout. Put "
                "the mode back.",
            ),
            Mistake(
                lambda model, texts: clinic.answer_all(model, texts, after=True),
                "A model that came in evaluation mode leaves in training mode. Note "
                "the mode before.",
            ),
        ],
        same=clinic.same_answers,
        hint="Note the mode, switch, answer, put the mode back as it was.",
    ),
    Exercise(
        reference=clinic.in_file_order,
        cases=[(["a", "b", "c"], [2, 0, 1]), ([7, 8, 9, 6], [3, 1, 0, 2])],
        mistakes=[
            Mistake(
                lambda answers, rows: [answers[row] for row in rows],
                "That goes the same way a second time. Answer i belongs to row rows[i].",
            ),
            Mistake(
                lambda answers, rows: list(answers),
                "That is the patient: the order of the batches.",
            ),
            Mistake(
                lambda answers, rows: sorted(answers),
                "Sort by the rows, not by the answers.",
            ),
        ],
        same=clinic.same_lists,
    ),
    Exercise(
        reference=clinic.lost,
        cases=[
            (clinic.TRAINED + clinic.HEAD, clinic.SAVED),
            (clinic.TRAINED + clinic.KEPT, [*clinic.SAVED, clinic.HEAD[0]]),
            (clinic.TRAINED, clinic.SAVED[:1]),
        ],
        mistakes=[
            Mistake(
                lambda trained, saved: sorted(set(trained) - set(saved)),
                "Every name differs, since the model's hold the adapter's name. Take "
                "'.default' and '.modules_to_save' out first.",
            ),
            Mistake(
                lambda trained, saved: sorted(
                    {name.replace(".default", "") for name in trained} - set(saved)
                ),
                "Parts that are kept whole still have '.modules_to_save' in the name.",
            ),
            Mistake(
                lambda trained, saved: sorted(
                    set(map(clinic.plain, trained)) & set(saved)
                ),
                "Those were saved. Which were not?",
            ),
        ],
        same=clinic.same_lists,
    ),
    Exercise(
        reference=clinic.fill_left,
        cases=[([[5, 6, 7], [8], [9, 0]], 0), ([[0, 1], [0, 2, 3, 4]], 0)],
        mistakes=[
            Mistake(clinic.fill_right, "That is the patient: padding on the right."),
            Mistake(
                clinic.mask_by_number,
                "A stop inside a row was masked, since it has the number of the "
                "padding. Make the mask from the lengths.",
            ),
            Mistake(
                lambda rows, pad: (
                    clinic.fill_left(rows, pad)[0],
                    clinic.fill_right(rows, pad)[1],
                ),
                "The rows are right, but the mask is still that of the other side.",
            ),
            Mistake(
                lambda rows, pad: clinic.fill_left(rows, pad)[0],
                "The mask is missing: without it, tokens look at padding.",
            ),
        ],
        same=clinic.same_lists,
    ),
]
