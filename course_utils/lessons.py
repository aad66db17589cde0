"""The table of lessons: number, file, section of the document, the question answered."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from course_utils.errors import InputError, choose_from


@dataclass(frozen=True)
class Lesson:
    """One row of the course's table of contents.

    `stage` is the place in the workflow (see `diagrams.workflow_map`): data, model,
    fine-tune, evaluate, or all.
    """

    number: str
    slug: str
    title: str
    section: str
    question: str
    stage: str

    @property
    def file(self) -> str:
        return f"{self.number}_{self.slug}.ipynb"


_ROWS = """
01|introduction|Introduction|1|What is supervised fine-tuning, and can I see it work now?|all
02|pretrained_models|Deep learning and pretrained models|2.1|What does a network learn, and what is it worth to start from one that has?|model
03|what_is_sft|What supervised fine-tuning is|2.2|How do labels compare with no labels and with reward alone?|fine-tune
04|workflow|The workflow|2.3, 7|Which steps lead from labelled data to a tested model, and what flows between them?|all
05|collecting_data|Collecting labelled data|3.1|Where do labels come from, how good are they, how many are enough?|data
06|preprocessing|Preprocessing|3.1|What happens to a text before the model sees it, and what does a leak cost?|data
07|augmentation|Data augmentation|3.1|When does augmentation help, and when not?|data
08|choosing_a_model|Choosing a model|3.2|Can I tell before training which pretrained model will do best?|model
09|strategies|Fine-tuning strategies|3.3|Frozen, partial, full or LoRA: what does each buy, and what does it cost?|fine-tune
10|losses|Loss functions|3.3|Which loss fits which task, under imbalance and noise?|fine-tune
11|optimizers|Optimisers|3.3|What do SGD, momentum, Adam and AdamW do differently?|fine-tune
12|training_settings|Training settings|3.3|How do rate, batch size and epochs act together?|fine-tune
13|evaluation|Evaluation|3.4|How good is the model, how sure am I, and when should it abstain?|evaluate
14|document_example_pytorch|The document's example in PyTorch|4|Does the document's listing run today, and how fast can it be?|all
15|document_example_tensorflow|The document's example in TensorFlow|4.1|Does another framework give the same answer?|all
16|text_classification|Text classification|5.1|Does a sentiment model carry over to other kinds of text?|all
17|named_entities|Named entities|5.1|How is a label given to every word?|all
18|translation|Translation|5.1|Can a small language model learn to translate an interface?|all
19|instruction_tuning|Instruction tuning|5.1|How does a language model learn to answer in a given form?|all
20|image_classification|Image classification|5.2|What is a pretrained image network worth, by number of labels?|all
21|object_detection|Object detection|5.2|How does a network say what is where?|all
22|segmentation|Segmentation|5.2|How does a network label every pixel?|all
23|speech_recognition|Speech recognition|5.3|How is a recogniser adapted to new voices and words?|all
24|speech_emotion|Emotion in speech|5.3|Can a style of speaking be recognised in a voice never heard?|all
25|data_quality|Data quality|6.1|What do wrong labels cost, and can they be found?|data
26|over_and_underfitting|Overfitting and underfitting|6.2|How do I recognise each, and what cures it?|fine-tune
27|hyperparameter_search|Hyperparameter search|6.3|Grid, random or Bayesian: what does a search really gain?|fine-tune
28|compute_and_time|Compute and time|6.4|Where do memory and seconds go, and which saving pays?|fine-tune
29|debugging_clinic|Debugging clinic|6|How do I find the error in a run that does not crash?|all
30|summary_and_outlook|Summary and outlook|7, 8|What have I learnt, and where does the field go?|all
31|your_own_data|Your own data|all|How do I fine-tune on my own file?|all
"""

# Packages that are not in requirements.txt: the lesson has an environment of its own.
NEEDS = {"15": ("tensorflow", "keras", "keras_hub")}

LESSONS: dict[str, Lesson] = {
    row.split("|")[0]: Lesson(*row.split("|")) for row in _ROWS.strip().splitlines()
}


def get(number: str | int) -> Lesson:
    """Return the lesson with this number; '1', '01' and 1 are the same.

    Raises:
        InputError: if no lesson has this number.
    """
    key = str(number).zfill(2)
    if key not in LESSONS:
        raise InputError(
            choose_from("a lesson number", number, ["01", "02", "…", "31"])
        )
    return LESSONS[key]


def lacking(number: str | int) -> list[str]:
    """Return the packages of its own that a lesson needs and that are not installed."""
    needs = NEEDS.get(get(number).number, ())
    return [name for name in needs if find_spec(name) is None]
