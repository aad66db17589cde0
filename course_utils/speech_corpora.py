"""Read a folder of acted emotional speech that has the layout of RAVDESS or of EMO-DB.

The file names say who speaks and which emotion was acted. What they do not say is left
empty, and a name that does not fit is refused: nothing is guessed.
"""

from __future__ import annotations

import re
import struct
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from course_utils import speech
from course_utils.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

RATE = 16000  # samples per second of what `sound` returns
EXAMPLES = {"RAVDESS": "03-01-06-01-02-01-12.wav", "EMO-DB": "03a01Fa.wav"}

# RAVDESS: modality-channel-emotion-intensity-statement-repetition-actor. Video-only
# files (modality 02) have no sound; the neutral emotion has no strong form.
_RAVDESS = re.compile(r"0[13]-(0[12])-(0[1-8])-(0[12])-(0[12])-(0[12])-(\d\d)")
_RAVDESS_EMOTIONS = {
    f"0{number}": emotion
    for number, emotion in enumerate(
        ["neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"],
        start=1,
    )
}
_CHANNELS = {"01": "speech", "02": "song"}
_INTENSITIES = {"01": "normal", "02": "strong"}
_STATEMENTS = {"01": "kids", "02": "dogs"}  # … are talking by the door, … are sitting …

# EMO-DB: speaker, text, emotion (first letter of the German word), version.
_EMODB = re.compile(r"(\d\d)([ab]\d\d)([WLEAFTN])([a-z])")
_EMODB_EMOTIONS = {
    "W": "angry",  # Wut, Ärger
    "L": "bored",  # Langeweile
    "E": "disgust",  # Ekel
    "A": "fearful",  # Angst
    "F": "happy",  # Freude
    "T": "sad",  # Trauer
    "N": "neutral",
}


def read(folder: str | Path) -> pd.DataFrame:
    """List the WAV files in a folder and below, with what their names say.

    Which of the two layouts it is follows from the names. Files that are no WAV files
    and hidden ones (".…") are left out.

    Args:
        folder: for instance one that holds Actor_01, Actor_02, … (RAVDESS), or the
            folder `wav` of EMO-DB.

    Returns:
        A table in the order of the paths. Columns: path; name (of the file); layout
        ("RAVDESS" or "EMO-DB"); speaker (two digits); emotion; intensity ("normal" or
        "strong"; None in EMO-DB, whose names do not say it); text (what is said: "kids"
        or "dogs", or EMO-DB's code such as "a01"); take (the repetition or version);
        channel ("speech", or "song" for RAVDESS's sung files).

    Raises:
        InputError: if there is no such folder or no WAV file, if a name fits neither
            layout, if both layouts occur, if a file lies in another actor's folder, or
            if a name occurs twice (the same recording twice is a leak).

    Taught in: lesson 24. Source: Livingstone & Russo 2018; Burkhardt et al. 2005.
    """
    import pandas as pd

    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise InputError(
            f"Expected a folder of WAV files; got {_short(folder)!r}, which is none. Check "
            "the path."
        )
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name[0] != ".")
    paths = [path for path in files if path.suffix.lower() == ".wav"]
    if not paths:
        raise InputError(
            f"Expected WAV files in {_short(folder)!r} or below; got {len(files)} files of "
            "other kinds. Unpack the corpus there."
        )
    table = pd.DataFrame([_row(path) for path in paths])
    layouts = table.drop_duplicates("layout")
    if len(layouts) > 1:
        both = " and ".join(layouts["name"] + " (" + layouts["layout"] + ")")
        raise InputError(
            f"Expected one corpus per folder; got both layouts: {both}. Read each "
            "corpus from its own folder."
        )
    twice = table.loc[table["name"].duplicated(), "name"]
    if len(twice):
        raise InputError(
            f"Expected every file name once; got {len(twice)} again, the first is "
            f"{twice.iloc[0]}. Delete the second copy: it would leak into the test."
        )
    return table


def sound(path: str | Path) -> np.ndarray:
    """Load a WAV file as one channel, float32 [samples], 16,000 per second, −1…1.

    Several channels are averaged. Raises InputError if the file is no WAV file that can
    be read, or if there is nothing but silence in it.
    """
    from scipy.io import wavfile

    path = Path(path)
    try:
        with warnings.catch_warnings():  # about chunks that hold no sound
            warnings.simplefilter("ignore", wavfile.WavFileWarning)
            rate, samples = wavfile.read(path)
    except (ValueError, OSError, EOFError, struct.error) as error:
        said = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise InputError(
            f"Expected a WAV file that can be read; got {path.name}: {said}. Convert it "
            "to 16-bit PCM or leave it out."
        ) from error
    if samples.dtype == np.uint8:  # 8 bits are stored around 128
        samples = (samples.astype(np.float32) - 128) / 128
    elif samples.dtype.kind == "i":
        samples = samples.astype(np.float32) / np.float32(
            np.iinfo(samples.dtype).max + 1
        )
    if samples.ndim == 2:
        samples = samples.mean(axis=1)
    if not samples.any():
        raise InputError(
            f"Expected sound; got only silence in {path.name}. Leave the file out."
        )
    return speech.resample(samples, rate, RATE)


def _short(folder: Path) -> str:
    return folder.name or str(folder)


def _row(path: Path) -> dict:
    """Take a file name apart, or refuse it."""
    row = {"path": str(path), "name": path.name}
    if found := _EMODB.fullmatch(path.stem):
        speaker, text, letter, version = found.groups()
        row |= {"layout": "EMO-DB", "speaker": speaker}
        row |= {"emotion": _EMODB_EMOTIONS[letter], "intensity": None}
        return row | {"text": text, "take": version, "channel": "speech"}
    found = _RAVDESS.fullmatch(path.stem)
    # A neutral file that calls itself strong and an actor 00 do not exist.
    if not found or found[2] + found[3] == "0102" or found[6] == "00":
        raise InputError(
            f"Expected names such as {EXAMPLES['RAVDESS']} (RAVDESS) or "
            f"{EXAMPLES['EMO-DB']} (EMO-DB); got {path.name}. Rename the file as its "
            "corpus does, or take it out of the folder."
        )
    channel, emotion, intensity, statement, repetition, actor = found.groups()
    home = re.fullmatch(r"Actor_(\d+)", path.parent.name)
    if home and int(home[1]) != int(actor):
        raise InputError(
            f"Expected only files of one actor in {path.parent.name}; got {path.name} "
            f"of actor {actor}. Find out which of the two is right."
        )
    row |= {"layout": "RAVDESS", "speaker": actor}
    row |= {"emotion": _RAVDESS_EMOTIONS[emotion]}
    row |= {"intensity": _INTENSITIES[intensity], "text": _STATEMENTS[statement]}
    return row | {"take": repetition, "channel": _CHANNELS[channel]}
