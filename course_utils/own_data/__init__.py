"""From a stranger's file of labelled texts to a model, a report and a saved folder.

`python -m course_utils.finetune` and `python -m course_utils.predict` are thin commands
over these modules; lesson 31 walks through the same functions. They return plain data and
print nothing.

| Module | Duty |
|---|---|
| `findings` | what was found in a file, with its count and an advice |
| `encodings` | bytes to text: the encoding; the delimiter |
| `delimited`, `files` | CSV, TSV, JSON Lines, Parquet, Excel to rows of text |
| `columns` | which column holds the texts, which the labels |
| `checks` | blanks, labels, duplicates, conflicts, leaks |
| `labels` | one label per text, gaps, spellings, whether they are classes |
| `leaks` | columns and words that give the label away |
| `duplicates` | near-duplicates without comparing every pair |
| `language` | whether texts look English |
| `splitting` | three parts, equal shares of classes, no group in two of them |
| `models` | the pretrained model and its tokenizer |
| `machine` | memory, and how fast it trains this model |
| `advice` | strategy and settings from size, lengths and machine, with planned minutes |
| `baseline` | TF-IDF and logistic regression |
| `encoded` | token ids, batches, answers and their score |
| `training` | the run that can be interrupted and goes on |
| `checkpoints` | what a run needs to go on, in one file that is whole or not there |
| `measuring`, `scores` | test scores with intervals, calibration, slices |
| `figures`, `report`, `card` | what the learner reads |
| `writing` | whole files or none, a full disk in one sentence |
| `folder` | the output folder: whole at the end or not there |
| `preparing`, `deciding`, `pipeline` | all of it in order |
| `predicting` | answers of a saved folder, with abstention |
| `shell` | exit codes and the one sentence on an error |
"""
