"""Folders in the layouts of RAVDESS and EMO-DB: read in full or refused in a sentence."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.io import wavfile

from conftest import one_sentence
from course_utils import speech_corpora
from course_utils.errors import InputError

EMOTIONS = [
    "neutral",
    "calm",
    "happy",
    "sad",
    "angry",
    "fearful",
    "disgust",
    "surprised",
]


def lay(folder, *names):
    """Make empty files; only their names are read."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def test_importing_it_loads_neither_torch_nor_pandas():
    code = (
        "import sys, course_utils.speech_corpora as c; "
        "sys.exit(any(name in sys.modules for name in ('torch', 'pandas', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_fields_of_ravdess(tmp_path):
    lay(
        tmp_path,
        "Actor_12/03-01-06-01-02-01-12.wav",
        "Actor_01/03-02-05-02-01-02-01.WAV",
        "Actor_01/.hidden.wav",
        "Actor_01/notes.txt",
    )
    table = speech_corpora.read(tmp_path)
    assert len(table) == 2 and set(table["layout"]) == {"RAVDESS"}
    song, fearful = table.drop(columns=["path", "layout"]).to_dict("records")
    assert fearful == {
        "name": "03-01-06-01-02-01-12.wav",
        "speaker": "12",
        "emotion": "fearful",
        "intensity": "normal",
        "text": "dogs",
        "take": "01",
        "channel": "speech",
    }
    assert song["channel"] == "song" and song["emotion"] == "angry"
    assert (song["intensity"], song["text"], song["take"]) == ("strong", "kids", "02")
    assert table["path"].tolist() == sorted(table["path"])


def test_every_emotion_of_ravdess(tmp_path):
    lay(tmp_path, *(f"03-01-0{n}-01-01-01-02.wav" for n in range(1, 9)))
    assert speech_corpora.read(tmp_path)["emotion"].tolist() == EMOTIONS


@pytest.mark.parametrize(
    ("letter", "emotion"),
    [
        ("W", "angry"),
        ("L", "bored"),
        ("E", "disgust"),
        ("A", "fearful"),  # Angst
        ("F", "happy"),  # Freude
        ("T", "sad"),
        ("N", "neutral"),
    ],
)
def test_the_fields_of_emodb(tmp_path, letter, emotion):
    lay(tmp_path / "wav", f"16b10{letter}c.wav")
    (row,) = speech_corpora.read(tmp_path).to_dict("records")
    assert (row["layout"], row["speaker"], row["emotion"]) == ("EMO-DB", "16", emotion)
    assert (row["text"], row["take"], row["channel"]) == ("b10", "c", "speech")
    assert row["intensity"] is None


@pytest.mark.parametrize(
    "name",
    [
        "hello.wav",
        "03-01-06-01-02-01.wav",  # six fields
        "03-01-06-01-02-01-12-01.wav",  # eight
        "02-01-06-01-02-01-12.wav",  # video only: no sound
        "03-03-06-01-02-01-12.wav",
        "03-01-09-01-02-01-12.wav",
        "03-01-00-01-02-01-12.wav",
        "03-01-01-02-02-01-12.wav",  # neutral, but strong
        "03-01-06-03-02-01-12.wav",
        "03-01-06-01-03-01-12.wav",
        "03-01-06-01-02-03-12.wav",
        "03-01-06-01-02-01-00.wav",
        "03a01Xa.wav",  # no such emotion
        "03a01fa.wav",
        "03c01Fa.wav",
        "3a01Fa.wav",
        "03a01F.wav",
        "03a01Fab.wav",
    ],
)
def test_a_name_that_does_not_fit_is_refused(tmp_path, name):
    lay(tmp_path, "03a01Fa.wav" if "-" not in name else "03-01-06-01-02-01-12.wav")
    lay(tmp_path / "sub", name)
    with pytest.raises(InputError) as error:
        speech_corpora.read(tmp_path)
    one_sentence(error, name, "RAVDESS", "EMO-DB")


def test_both_layouts_in_one_folder_are_refused(tmp_path):
    lay(tmp_path, "a/03a01Fa.wav", "b/03-01-06-01-02-01-12.wav")
    with pytest.raises(InputError) as error:
        speech_corpora.read(tmp_path)
    one_sentence(error, "03a01Fa.wav (EMO-DB)", "03-01-06-01-02-01-12.wav (RAVDESS)")


def test_a_second_copy_is_refused(tmp_path):
    lay(tmp_path, *(f"{copy}/03-01-06-01-02-01-12.wav" for copy in ("one", "two")))
    with pytest.raises(InputError) as error:
        speech_corpora.read(tmp_path)
    one_sentence(error, "got 1 again", "03-01-06-01-02-01-12.wav")


def test_a_file_in_another_actors_folder_is_refused(tmp_path):
    lay(tmp_path, "Actor_11/03-01-06-01-02-01-12.wav")
    with pytest.raises(InputError) as error:
        speech_corpora.read(tmp_path)
    one_sentence(error, "Actor_11", "actor 12")


def test_no_folder_no_sound_and_an_empty_folder_are_refused(tmp_path):
    with pytest.raises(InputError) as error:
        speech_corpora.read(tmp_path / "nowhere")
    one_sentence(error, "'nowhere'")
    with pytest.raises(InputError) as error:
        speech_corpora.read(lay(tmp_path, "film.mp4", "text.txt"))
    one_sentence(error, "got 2 files of other kinds")


@pytest.mark.parametrize(
    ("dtype", "scale", "offset"),
    [
        ("int16", 32767, 0),
        ("int32", 2**31 - 200, 0),
        ("uint8", 127, 128),
        ("float32", 1, 0),
    ],
)
def test_sound_has_one_form_whatever_the_file(tmp_path, dtype, scale, offset):
    wave = np.sin(2 * np.pi * 440 * np.arange(48000) / 48000)
    file = tmp_path / "a.wav"
    wavfile.write(file, 48000, (0.5 * wave * scale + offset).astype(dtype))
    sound = speech_corpora.sound(file)
    assert sound.dtype == np.float32 and sound.shape == (16000,)
    assert np.abs(np.fft.rfft(sound)).argmax() == 440
    assert np.abs(sound[200:-200]).max() == pytest.approx(0.5, abs=0.02)


def test_channels_are_averaged(tmp_path):
    wave = (8000 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)).astype("int16")
    wavfile.write(tmp_path / "a.wav", 16000, np.stack([wave, 0 * wave], axis=1))
    sound = speech_corpora.sound(tmp_path / "a.wav")
    assert np.allclose(sound, wave / 32768 / 2, atol=1e-4)


def test_what_is_no_sound_is_refused(tmp_path):
    (tmp_path / "text.wav").write_text("this is no sound, however long it may be")
    (tmp_path / "empty.wav").touch()
    for name in ("text.wav", "empty.wav", "missing.wav"):
        with pytest.raises(InputError) as error:
            speech_corpora.sound(tmp_path / name)
        one_sentence(error, name, "WAV")
    wavfile.write(tmp_path / "still.wav", 16000, np.zeros(100, np.int16))
    with pytest.raises(InputError) as error:
        speech_corpora.sound(tmp_path / "still.wav")
    one_sentence(error, "still.wav", "silence")
