"""A learner's recordings are read, or refused in one sentence."""

from __future__ import annotations

import subprocess
import sys
import wave

import numpy as np
import pytest

from conftest import one_sentence
from course_utils import recordings
from course_utils.errors import InputError


def tone(seconds=0.5, rate=16000, hertz=440, loud=0.5):
    return loud * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def save(path, samples, *, rate=16000, channels=1, width=2):
    scale = 2 ** (8 * width - 1) - 1
    kind = {1: "u1", 2: "<i2", 4: "<i4"}[width]
    content = (samples * scale + (128 if width == 1 else 0)).astype(kind)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(content.tobytes())


@pytest.fixture
def folder(tmp_path):
    """Two good recordings with their texts."""
    save(tmp_path / "a.wav", tone())
    save(tmp_path / "b.wav", tone(1.0, rate=44100), rate=44100)
    (tmp_path / "transcripts.csv").write_text(
        'file,text\nb.wav,"Take it, please."\na.wav,NA\n', encoding="utf-8"
    )
    return tmp_path


def refused(folder, *parts, **options):
    with pytest.raises(InputError) as error:
        recordings.read_folder(folder, **options)
    one_sentence(error, *parts)


def test_a_good_folder_is_read_in_the_order_of_the_list(folder):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    table = recordings.read_folder(folder)
    assert list(table.columns) == ["file", "text", "seconds", "waveform"]
    assert list(table["file"]) == ["b.wav", "a.wav"]
    assert list(table["text"]) == ["Take it, please.", "NA"]  # a text, not a gap
    assert list(table["seconds"]) == [1.0, 0.5]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_samples_are_those_of_the_file(folder):
    waveform = recordings.read_wav(folder / "a.wav")
    assert waveform.dtype == np.float32 and waveform.shape == (8000,)
    assert np.abs(waveform - tone()).max() < 1e-4


def test_a_higher_rate_is_brought_down(folder):
    waveform = recordings.read_wav(folder / "b.wav")
    assert len(waveform) == 16000 and waveform.dtype == np.float32
    assert np.abs(np.fft.rfft(waveform)).argmax() == 440


def test_a_lower_rate_is_refused(folder):
    save(folder / "a.wav", tone(rate=8000), rate=8000)
    refused(folder, "a.wav", "at least 16000", "got 8000")


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"channels": 2}, ("one channel", "got 2", "mono")),
        ({"width": 1}, ("16 bits", "got 8")),
        ({"width": 4}, ("16 bits", "got 32")),
    ],
)
def test_another_form_is_refused(folder, options, parts):
    save(folder / "a.wav", tone(), **options)
    refused(folder, "a.wav", *parts)


@pytest.mark.parametrize("samples", [np.zeros(8000), tone(loud=0.001), np.zeros(0)])
def test_silence_is_refused(folder, samples):
    save(folder / "a.wav", samples)
    refused(folder, "a.wav", "got silence")


def test_a_quiet_voice_is_no_silence(folder):
    save(folder / "a.wav", tone(loud=0.01))
    assert len(recordings.read_folder(folder)) == 2


def test_what_is_too_long_is_refused(folder):
    refused(folder, "b.wav", "0.8 seconds", "got 1.0", longest=0.8)
    assert len(recordings.read_folder(folder, longest=1.0)) == 2
    save(folder / "a.wav", tone(40))
    refused(folder, "a.wav", "30 seconds", "got 40.0")


@pytest.mark.parametrize("content", [b"", b"RIFF", b"ID3 an MP3 under another name"])
def test_what_is_no_wav_file_is_refused(folder, content):
    (folder / "a.wav").write_bytes(content)
    refused(folder, "a.wav", "16-bit PCM")


def test_a_missing_file_is_named(folder):
    (folder / "a.wav").unlink()
    refused(folder, "a.wav", "no such file")


def test_a_file_without_a_row_is_named(folder):
    save(folder / "c.WAV", tone())
    refused(folder, "c.WAV", "got none")


@pytest.mark.parametrize(
    ("rows", "parts"),
    [
        ("", ("file,text", "an empty file")),
        ("file,text\n", ("file,text", "0 rows")),
        ("name,text\na.wav,Hello\n", ("file,text", "got name,text")),
        ("file,text\na.wav,Hello\nb.wav,\n", ("b.wav", "row 2")),
        ("file,text\na.wav, ... \nb.wav,Hello\n", ("a.wav", "row 1", "'...'")),
        ("file,text\n,Hello\na.wav,Hello\n", ("row 1", "file name")),
        ("file,text\n../a.wav,Hello\n", ("row 1", "../a.wav")),
        ("file,text\na.wav,Hello\nb.wav,Yes\na.wav,No\n", ("a.wav twice",)),
        ("file,text\na.wav,Hello, you\nb.wav,Yes\n", ("row 1", "double quotes")),
        ("file;text\na.wav;Hello\n", ("file,text", "got file;text")),
    ],
)
def test_a_wrong_list_is_refused(folder, rows, parts):
    (folder / "transcripts.csv").write_text(rows, encoding="utf-8")
    refused(folder, "transcripts.csv", *parts)


def test_a_list_in_another_encoding_is_refused(folder):
    (folder / "transcripts.csv").write_bytes(b"file,text\na.wav,caf\xe9\nb.wav,x\n")
    refused(folder, "UTF-8")


def test_a_list_saved_by_a_spreadsheet_is_read(folder):
    (folder / "transcripts.csv").write_text(
        "file,text\na.wav,One\nb.wav,Two\n", encoding="utf-8-sig"
    )
    assert list(recordings.read_folder(folder)["text"]) == ["One", "Two"]


def test_a_missing_folder_or_list_is_named(folder):
    refused(folder / "nowhere", "nowhere", "no such folder")
    (folder / "transcripts.csv").unlink()
    refused(folder, "transcripts.csv", "file,text")


def test_importing_recordings_loads_no_torch():
    code = "import sys, course_utils.recordings; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
