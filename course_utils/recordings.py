"""Read a learner's own recordings, or say in one sentence what is wrong with them."""

from __future__ import annotations

import csv
import wave
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from course_utils.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

LIST = "transcripts.csv"
QUIETEST = 0.003  # of full scale, about -50 dB: below it there is no voice


def read_folder(
    folder: str | Path, *, rate: int = 16000, longest: float = 30.0
) -> pd.DataFrame:
    """Read the WAV files of a folder with the words that are spoken in them.

    The folder holds WAV files (one channel, 16 bits a sample) and `transcripts.csv`
    with the columns `file` (a name such as note1.wav) and `text` (the words spoken).
    Files recorded at more than `rate` samples per second are brought to `rate`; files
    with fewer are refused, since the missing high tones cannot be brought back. Nothing
    in the folder is changed.

    Args:
        folder: where the files lie.
        rate: samples per second of the waveforms returned.
        longest: seconds that a recording may have, 30 for Whisper.

    Returns:
        A table in the order of the list: `file` (str), `text` (str), `seconds` (float)
        and `waveform` (float32 [samples] in -1…1, at `rate`).

    Raises:
        InputError: for the first thing that is wrong: no folder, no list, a column or a
            text missing, a file that is named twice, missing, not in the list or not a
            WAV file, stereo, another sample size, too low a rate, too long, silent.

    Taught in: lesson 23.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(
            f"Expected a folder of recordings at {folder.name}; got no such folder. "
            "Check the name and the folder you work in."
        )
    table = _read_list(folder / LIST)
    found = {path.name for path in folder.iterdir() if path.suffix.lower() == ".wav"}
    for name in sorted(found - set(table["file"])):
        raise InputError(
            f"Expected a row in {LIST} for every WAV file; got none for {name}. Add "
            "its text or move the file elsewhere."
        )
    table["waveform"] = [
        read_wav(folder / name, rate=rate, longest=longest) for name in table["file"]
    ]
    table["seconds"] = table["waveform"].map(len) / rate
    return table[["file", "text", "seconds", "waveform"]]


def read_wav(
    path: str | Path, *, rate: int = 16000, longest: float = 30.0
) -> np.ndarray:
    """Read one WAV file, float32 [samples] in -1…1 at `rate`; see `read_folder`."""
    path = Path(path)
    if not path.is_file():
        raise InputError(
            f"Expected the file {path.name} in the folder of {LIST}; got no such file. "
            "Check the spelling, capitals too, or delete its row."
        )
    try:
        with wave.open(str(path), "rb") as file:
            channels, width = file.getnchannels(), file.getsampwidth()
            own_rate, count = file.getframerate(), file.getnframes()
            seconds = count / own_rate
            content = file.readframes(min(count, int((longest + 1) * own_rate)))
    except (wave.Error, EOFError, ZeroDivisionError, MemoryError) as error:
        said = " ".join(str(error).split()) or "an unfinished file"
        raise InputError(
            f"Expected {path.name} to be a WAV file of whole-number samples (PCM); got "
            f"{said}. Save it again as 'WAV, 16-bit PCM'; a new file name alone does "
            "not help."
        ) from error
    if channels != 1:
        raise InputError(
            f"Expected {path.name} with one channel; got {channels}. Export it as mono."
        )
    if width != 2:
        raise InputError(
            f"Expected {path.name} with 16 bits a sample; got {8 * width}. Save it again "
            "as 'WAV, 16-bit PCM'."
        )
    if own_rate < rate:
        raise InputError(
            f"Expected {path.name} with at least {rate} samples per second; got "
            f"{own_rate}. Record it again at {rate}: a conversion cannot bring back the "
            "high tones."
        )
    if seconds > longest:
        raise InputError(
            f"Expected {path.name} to last {longest:g} seconds at the most; got "
            f"{seconds:.1f}. Cut it at a pause into several files, each with its text."
        )
    waveform = np.frombuffer(content, dtype="<i2") / np.float32(32768)
    if not len(waveform) or np.abs(waveform).max() < QUIETEST:
        raise InputError(
            f"Expected a voice in {path.name}; got silence. Check the microphone, or "
            "delete the file and its row: a recogniser invents words for silence."
        )
    if own_rate == rate:
        return waveform
    from course_utils import speech

    return speech.resample(waveform, own_rate, rate)


def _read_list(path: Path) -> pd.DataFrame:
    """Read the columns file and text; every row has both, no file occurs twice."""
    import pandas as pd

    if not path.is_file():
        raise InputError(
            f"Expected {LIST} in the folder {path.parent.name}; got no such file. Write "
            "it with the columns file,text: one row per WAV file."
        )
    try:  # utf-8-sig: spreadsheets put a mark at the beginning
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            rows, columns = list(reader), reader.fieldnames or []
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"Expected {LIST} to be a CSV file in UTF-8; got another kind of file. Save "
            "it again as 'CSV UTF-8'."
        ) from error
    if not rows or not {"file", "text"} <= set(columns):
        raise InputError(
            f"Expected the columns file,text in {LIST} and a row per WAV file; got "
            f"{','.join(columns) or 'an empty file'} and {len(rows)} rows. Name the "
            "columns in its first line, with a comma between."
        )
    seen = set()
    for number, row in enumerate(rows, start=1):
        name, text = row["file"].strip(), row["text"].strip()
        if None in row:
            raise InputError(
                f"Expected {len(columns)} columns in row {number} of {LIST}; got more. "
                "Put a text that holds commas into double quotes."
            )
        if Path(name).name != name or not name:
            raise InputError(
                f"Expected a file name in row {number} of {LIST}; got {name!r}. Give the "
                "name alone: the file lies in the same folder."
            )
        if not any(letter.isalnum() for letter in text):
            raise InputError(
                f"Expected the words of {name} in row {number} of {LIST}; got {text!r}. "
                "Write down what is said, or delete the row and the file."
            )
        if name in seen:
            raise InputError(
                f"Expected every file once in {LIST}; got {name} twice. Delete the row "
                "that is wrong."
            )
        seen.add(name)
    table = pd.DataFrame(rows)[["file", "text"]]
    return table.apply(lambda column: column.str.strip())
