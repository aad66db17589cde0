"""A voice for every text (eSpeak NG) and an ear for every voice (Whisper)."""

import _ctypes
import ctypes
import io
import json
import re
import struct
import threading
from pathlib import Path

import numpy as np

from course_utils import assets
from course_utils.errors import InputError

# eSpeak's number of each parameter, its lowest and its highest value.
_LIMITS = {"rate": (1, 80, 400), "volume": (2, 0, 200), "pitch": (3, 0, 100)}
_LIMITS["pitch_range"] = (4, 0, 100)
_one_at_a_time = threading.Lock()  # the library has one state for the whole process
# Ids of the recogniser's vocabulary; those below _END are pieces of text.
_END, _START, _NO_TIMESTAMPS = 50256, 50257, 50362
# Its file's names (encoder/layer_0/ffn/linear_0/weight): place, layer, parameter.
_NAME = re.compile(r"(\w+/(?:layer_\d+/)?)(.+)/(\w+)\0")
_LAYERS = {  # what transformers calls these, where some are fused
    "embeddings": ["embed_tokens"],
    "position_encodings": ["embed_positions"],
    "self_attention/layer_norm": ["self_attn_layer_norm"],
    "self_attention/linear_0": [f"self_attn.{part}_proj" for part in "qkv"],
    "self_attention/linear_1": ["self_attn.out_proj"],
    "attention/layer_norm": ["encoder_attn_layer_norm"],
    "attention/linear_0": ["encoder_attn.q_proj"],
    "attention/linear_1": ["encoder_attn.k_proj", "encoder_attn.v_proj"],
    "attention/linear_2": ["encoder_attn.out_proj"],
    "ffn/layer_norm": ["final_layer_norm"],
    "ffn/linear_0": ["fc1"],
    "ffn/linear_1": ["fc2"],
}


def speak(text, *, voice="en-us", rate=175, pitch=50, pitch_range=50, volume=100):
    """Read a text aloud into an array; the same call gives the same samples.

    `voice`: a key of `voices()`, alone or with one of `variants()` as in "en-us+f3";
    `rate`: words per minute, 80…400; `pitch`: 0…100; `pitch_range`: 0 (flat)…100;
    `volume`: 0…200. Returns the waveform, float32 [samples] in -1…1, and its rate,
    22050 samples per second. Raises InputError for anything else, for a text without
    sound, or if the package espeakng-loader is missing.

    Source: eSpeak NG, a formant synthesiser.
    """
    given = {"rate": rate, "volume": volume, "pitch": pitch, "pitch_range": pitch_range}
    for name, value in given.items():
        _, low, high = _LIMITS[name]
        if not hasattr(value, "__index__") or not low <= value <= high:
            wanted = f"{name} to be a whole number from {low} to {high}"
            raise InputError(f"Expected {wanted}; got {value!r}. Choose one of these.")
    samples, per_second = _synthesise(text, voice, given)
    waveform = np.frombuffer(samples, dtype=np.int16) / np.float32(32768)
    if volume > 0 and not waveform.any():
        raise InputError(
            f"Expected letters or digits to say; got {text!r}. Leave it out."
        )
    return waveform, per_second


def voices() -> dict[str, str]:
    """Return the voices of `speak`, one per language or accent: key -> full name."""
    folder, found = _espeak()[1], {}
    for path in sorted((folder / "lang").rglob("*")):
        if (folder / f"{path.name.split('-')[0]}_dict").is_file():  # a word list
            name = re.search("name (.+)", path.read_text(encoding="utf-8"))[1]
            found[path.name.lower()] = name.strip()
    return found


def variants() -> list[str]:
    """Return the speakers that any voice can take on: with "f3", "en-us+f3"."""
    return sorted(path.name for path in (_espeak()[1] / "voices" / "!v").iterdir())


def resample(waveform: np.ndarray, rate: int, to: int = 16000) -> np.ndarray:
    """Change the samples per second of one channel, float [samples]; return float32."""
    from scipy.signal import resample_poly  # filters out what the new rate cannot hold

    waveform = np.asarray(waveform, dtype=np.float32)
    if waveform.ndim != 1 or min(rate, to) < 1 or rate % 1 or to % 1:
        raise InputError(
            "Expected one channel, [samples], and whole rates per second; got shape "
            f"{list(waveform.shape)}, {rate} to {to}. Average the channels first."
        )
    common = np.gcd(int(rate), int(to))
    return resample_poly(waveform, int(to) // common, int(rate) // common)


def whisper():
    """Load the speech recogniser: (WhisperForConditionalGeneration, WhisperProcessor).

    Whisper tiny.en, 37.8 M parameters, in float32, on the CPU, in evaluation mode. The
    processor turns 16,000 samples per second into `input_features`, float32 [batch, 80,
    3000] for 30 seconds, and texts into ids as the model learnt them. `generate` starts
    with 50257 (start) and 50362 (no timestamps) and ends with 50256. Raises AssetError
    if the files cannot be fetched.

    Source: Radford et al., Robust Speech Recognition via … Weak Supervision, ICML 2023.
    """
    import torch
    import transformers as hf

    folder = assets.fetch("speech_model")
    tokens = (folder / "vocabulary.txt").read_text(encoding="utf-8").splitlines()
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    ids = {"eos_token_id": _END, "pad_token_id": _END, "decoder_start_token_id": _START}
    with torch.device("meta"):  # names and shapes only: each weight comes from the file
        config = hf.WhisperConfig(vocab_size=len(tokens), **ids)
        model = hf.WhisperForConditionalGeneration(config)
    model.load_state_dict(_weights(folder / "model.bin"), strict=True, assign=True)
    model.tie_weights()
    ids |= {"no_timestamps_token_id": _NO_TIMESTAMPS, "return_timestamps": False}
    ids |= {"is_multilingual": False, "max_length": 448}
    ids["suppress_tokens"] = settings["suppress_ids"]  # never said; these not at first:
    ids["begin_suppress_tokens"] = settings["suppress_ids_begin"]
    model.generation_config = hf.GenerationConfig(**ids)
    special = {"pad_token": tokens[_END], "extra_special_tokens": tokens[_START:50363]}
    tokenizer = hf.WhisperTokenizer.from_pretrained(folder, **special)
    return model.eval(), hf.WhisperProcessor(hf.WhisperFeatureExtractor(), tokenizer)


def _weights(path: Path):
    """Read CTranslate2's list of arrays; name and cut them as transformers does."""
    import torch

    file, weights = io.BytesIO(path.read_bytes()), {}

    def take(kinds: str):
        return struct.unpack("<" + kinds, file.read(struct.calcsize("<" + kinds)))

    *_, count = take("{1}sII".format(*take("IH")))  # after version, kind, revision
    for _ in range(count):
        name, rank = take("{}sB".format(*take("H")))
        *shape, _, size = take(f"{rank}IBI")
        content = file.read(size)
        if rank == 0:
            continue  # a setting, no weight
        array = np.frombuffer(content, np.float16).reshape(shape).astype(np.float32)
        place, layer, last = _NAME.fullmatch(name.decode()).groups()
        place = place.replace("layer_", "layers.").replace("/", ".")
        last = "bias" if last in ("bias", "beta") else "weight"
        parts = _LAYERS.get(layer, [layer])
        for part, piece in zip(parts, np.split(array, len(parts)), strict=True):
            weights[f"model.{place}{part}.{last}"] = torch.from_numpy(piece)
    weights["proj_out.weight"] = weights["model.decoder.embed_tokens.weight"]
    return {k: w for k, w in weights.items() if not k.endswith("k_proj.bias")}  # zeros


def _synthesise(text: str, voice: str, given: dict) -> tuple[bytes, int]:
    """Load eSpeak, let it speak, unload it: it would carry noise from text to text."""
    (path, folder), sound = _espeak(), bytearray()

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
    def receive(samples, count, events):
        sound.extend(ctypes.string_at(samples, 2 * count) if samples else b"")
        return 0

    with _one_at_a_time:
        library = ctypes.CDLL(path)
        try:  # 2: into memory, no sound; 0x8000: never end Python when something fails
            per_second = library.espeak_Initialize(2, 0, bytes(folder), 0x8000)
            library.espeak_SetSynthCallback(receive)
            library.espeak_ng_SetRandSeed(ctypes.c_long(1))
            if hasattr(_ctypes, "dlclose"):  # Linux, macOS
                ctypes.CDLL(None).srand(1)  # some voices take C's random numbers
            _, plus, variant = voice.partition("+")  # unknown ones would pass unseen
            unknown = library.espeak_SetVoiceByName(voice.encode())
            if unknown or (plus and variant not in variants()):
                raise InputError(
                    "Expected a voice such as 'en-us', 'en' (British) or 'en-us+f3'; "
                    f"got {voice!r}. Choose from voices() and, after +, variants()."
                )
            for name, value in given.items():
                library.espeak_SetParameter(_LIMITS[name][0], int(value), 0)
            letters = text.encode()
            size = ctypes.c_size_t(len(letters) + 1)
            library.espeak_Synth(letters, size, 0, 1, 0, 1, None, None)  # as UTF-8
        finally:
            library.espeak_Terminate()
            (getattr(_ctypes, "dlclose", None) or _ctypes.FreeLibrary)(library._handle)
    return sound, per_second


def _espeak() -> tuple[str, Path]:
    try:
        import espeakng_loader as loader
    except ImportError as error:
        raise InputError(
            "Expected the package espeakng-loader, which holds the voices; got none. "
            "Run `pip install espeakng-loader`."
        ) from error
    return loader.get_library_path(), Path(loader.get_data_path())
