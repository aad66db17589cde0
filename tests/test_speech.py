"""Speech: the voices, resampling, the recogniser and its tokenizer."""

import subprocess
import sys

import numpy as np
import pytest

from course_utils import assets, speech
from course_utils.errors import InputError

SENTENCES = [
    "The weather is lovely this morning and the birds are singing.",
    "Please send the letter to my brother before the end of the week.",
    "She opened the window and looked at the mountains.",
    "We bought bread, cheese and a bottle of milk at the market.",
    "The train to the city leaves from the second platform.",
]


@pytest.fixture(scope="module")
def recogniser():
    return speech.whisper()


def words(text):
    kept = "".join(c for c in text.lower() if c.isalpha() or c in " '")
    return kept.split()


def word_errors(reference, heard):
    """Count the words to insert, delete or replace (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(reference, start=1):
        previous, row[0] = row[0], i
        for j, other in enumerate(heard, start=1):
            cost = min(row[j] + 1, row[j - 1] + 1, previous + (word != other))
            previous, row[j] = row[j], cost
    return row[-1]


def test_importing_speech_loads_no_torch():
    code = "import sys, course_utils.speech; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("voice", ["en-us", "en+f3", "en-us+klatt2", "de+whisper"])
def test_the_same_call_gives_the_same_samples(voice):
    waveform, rate = speech.speak(SENTENCES[0], voice=voice)
    speech.speak("Something else in between.", voice="fr+m3", pitch=80)
    again, _ = speech.speak(SENTENCES[0], voice=voice)
    assert rate == 22050 and waveform.dtype == np.float32 and waveform.ndim == 1
    assert np.array_equal(waveform, again)
    assert 0.05 < np.abs(waveform).max() <= 1
    assert 2 < len(waveform) / rate < 8  # seconds


def test_faster_speech_is_shorter():
    lengths = [len(speech.speak(SENTENCES[0], rate=r)[0]) for r in (80, 175, 300, 400)]
    assert lengths == sorted(lengths, reverse=True) and lengths[0] > 3 * lengths[-1]


def test_volume_pitch_and_variant_change_the_sound():
    plain, _ = speech.speak(SENTENCES[0])
    loud, _ = speech.speak(SENTENCES[0], volume=200)
    assert np.abs(loud).mean() > 1.5 * np.abs(plain).mean()
    assert not speech.speak(SENTENCES[0], volume=0)[0].any()
    changes = (
        {"pitch": 90},
        {"pitch_range": 0},
        {"voice": "en-us+f3"},
        {"voice": "en"},
    )
    for change in changes:
        other, _ = speech.speak(SENTENCES[0], **change)
        assert len(other) != len(plain) or not np.array_equal(other, plain)


@pytest.mark.parametrize("voice", ["martian", "en-us+nobody", "en-us+", "+f3", ""])
def test_an_unknown_voice_is_refused_in_a_sentence(voice):
    with pytest.raises(
        InputError, match=r"Expected a voice such as .*; got .*voices\("
    ):
        speech.speak("Hello.", voice=voice)
    assert speech.speak("Hello.")[0].any()  # and the next call works


@pytest.mark.parametrize(
    "wrong", [{"rate": 20}, {"pitch": 101}, {"pitch_range": -1}, {"volume": 0.5}]
)
def test_a_number_out_of_range_is_refused_in_a_sentence(wrong):
    name, value = next(iter(wrong.items()))
    with pytest.raises(InputError, match=rf"Expected {name} to be .*; got {value}\. "):
        speech.speak("Hello.", **wrong)


@pytest.mark.parametrize("text", ["", "  ", "..."])
def test_a_text_without_sound_is_refused(text):
    with pytest.raises(InputError, match="Expected letters or digits"):
        speech.speak(text)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(
        InputError, match=r"Expected .*; got none.*pip install espeakng-"
    ):
        speech.speak("Hello.")


def test_voices_and_variants_are_listed_and_speak():
    voices, variants = speech.voices(), speech.variants()
    assert voices["en-us"] == "English (America)" and {"en", "fr", "cmn"} <= set(voices)
    assert len(voices) > 100 and {"f1", "f3", "m1", "whisper"} <= set(variants)
    for voice in voices:
        assert speech.speak("hello 12", voice=voice)[0].any(), voice
    for variant in variants:
        assert speech.speak("Hello.", voice=f"en-us+{variant}")[0].any(), variant


def test_resample_keeps_a_tone_and_its_duration():
    seconds = np.arange(22050) / 22050
    tone = np.sin(2 * np.pi * 440 * seconds)
    new = speech.resample(tone, 22050)
    assert new.dtype == np.float32 and len(new) == 16000
    assert np.abs(np.fft.rfft(new)).argmax() == 440
    assert np.abs(new[200:-200]).max() == pytest.approx(1, abs=0.02)
    high = speech.resample(np.sin(2 * np.pi * 10000 * seconds), 22050)
    assert np.abs(high[200:-200]).max() < 0.02  # 16,000 samples hold up to 8,000 Hz
    for wrong in [
        (np.zeros((2, 100)), 22050),
        (np.zeros(100), 0),
        (np.zeros(100), 1.5),
    ]:
        with pytest.raises(InputError, match=r"Expected one channel.*; got "):
            speech.resample(*wrong)


def test_every_parameter_of_the_recogniser_comes_from_the_file(recogniser):
    model, _ = recogniser
    weights = speech._weights(assets.fetch("speech_model") / "model.bin")
    state = model.state_dict()
    assert set(weights) == set(state)
    assert all(bool((state[name] == weights[name]).all()) for name in state)
    assert {str(p.dtype) for p in model.parameters()} == {"torch.float32"}
    assert not model.training and not any(p.is_meta for p in model.parameters())
    assert model.proj_out.weight is model.model.decoder.embed_tokens.weight
    assert sum(p.numel() for p in model.parameters()) == 37_760_256


def test_the_recogniser_understands_the_voice(recogniser):
    model, processor = recogniser
    heard = [speech.resample(*speech.speak(sentence)) for sentence in SENTENCES]
    inputs = processor(
        heard, sampling_rate=16000, return_attention_mask=True, return_tensors="pt"
    )
    assert inputs["input_features"].shape == (5, 80, 3000)
    written = model.generate(**inputs)
    texts = processor.batch_decode(written, skip_special_tokens=True)
    rates = [
        word_errors(words(sentence), words(text)) / len(words(sentence))
        for sentence, text in zip(SENTENCES, texts, strict=True)
    ]
    print(f"word error rate {np.mean(rates):.3f}", texts)
    assert np.mean(rates) < 0.3


def test_the_prompt_and_the_end_are_those_of_the_english_model(recogniser):
    model, processor = recogniser
    tokenizer, settings = processor.tokenizer, model.generation_config
    assert (
        settings.decoder_start_token_id == model.config.decoder_start_token_id == 50257
    )
    assert settings.no_timestamps_token_id == 50362
    assert settings.eos_token_id == tokenizer.eos_token_id == tokenizer.pad_token_id
    ids = tokenizer("Hello").input_ids
    assert ids[:2] == [50257, 50362] and ids[-1] == 50256
    assert tokenizer.convert_ids_to_tokens(ids[:2]) == [
        "<|startoftranscript|>",
        "<|notimestamps|>",
    ]


@pytest.mark.parametrize(
    "text",
    [
        *SENTENCES,
        "Isn't it? They've said: 'we'll see', haven't they…",
        "naïve café — “quoted”, 12.5 % of €3",
        "  two  spaces\tand\nlines ",
        "日本語 🙂",
    ],
)
def test_the_tokenizer_gives_every_text_back(recogniser, text):
    tokenizer = recogniser[1].tokenizer
    ids = tokenizer(text).input_ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == text
    assert max(ids) < 51864


def test_the_tokenizer_numbers_its_pieces_as_the_model_does(recogniser):
    path = assets.fetch("speech_model") / "vocabulary.txt"
    tokens = path.read_text(encoding="utf-8").splitlines()
    assert len(tokens) == recogniser[0].config.vocab_size == 51864
    numbers = list(range(50363))  # after these come the timestamps
    assert recogniser[1].tokenizer.convert_ids_to_tokens(numbers) == tokens[:50363]
