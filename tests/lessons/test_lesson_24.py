"""Lesson 24: the ceilings and their widget, the measures of a voice, folds, pooling."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import function_of

WIDGET = "ceilings_line"
CENTRES = np.array(
    [[-3, -1.5, -1.5, -2], [0, 0, -1, 0], [0.5, 2.5, 2.5, 0.5], [3, 1, -1, 3]]
)
SETTINGS = {"FRAME": 640, "HOP": 320, "np": np}


def tone(hertz, seconds=0.5):
    return np.sin(2 * np.pi * hertz * np.arange(int(16000 * seconds)) / 16000)


@pytest.fixture(scope="module")
def ceilings():
    nearest = function_of("24", "nearest")
    return function_of("24", "ceilings", np=np, nearest=nearest, CENTRES=CENTRES)


@pytest.fixture(scope="module")
def frames_of():
    return function_of("24", "frames_of", **SETTINGS)


def test_speakers_who_are_all_the_same_leave_no_room(ceilings):
    found = list(ceilings(0, 0).values())
    assert len(set(found)) == 1 and 0.9 < found[0] < 1


def test_each_piece_of_knowledge_lifts_the_ceiling(ceilings):
    new, base, own = ceilings(1.5, 1.0).values()
    assert 0.6 < new < base - 0.05 < own - 0.1 < 1
    assert ceilings(1.5, 1.0) == ceilings(1.5, 1.0)
    new, base, own = ceilings(2.0, 0.0).values()  # no own way: nothing more to know
    assert new < base - 0.1 and base == own


def test_the_widget_names_all_three(ceilings):
    line = function_of("24", "ceilings_line", ceilings=ceilings)(1.5, 1.0)
    assert line.startswith("base 1.5, own way 1.0: new speaker ")
    assert line.count("%") == 3 and "base known" in line and "own way known" in line


def test_the_nearest_centre():
    nearest = function_of("24", "nearest")
    assert nearest(CENTRES + 0.1, CENTRES[None]).tolist() == [0, 1, 2, 3]


def test_settings_follow_the_steps_and_stay_in_their_limits():
    limits = {"rate": (80, 400), "pitch": (0, 100), "pitch_range": (0, 100)}
    settings_of = function_of("24", "settings_of", np=np, LIMITS=limits)
    assert settings_of([0, 0, 0, 0]) == {
        "rate": 175,
        "pitch": 45,
        "pitch_range": 45,
        "volume": 25,
    }
    high, low = settings_of([50] * 4), settings_of([-50] * 4)
    assert high == {"rate": 400, "pitch": 100, "pitch_range": 100, "volume": 200}
    assert low == {"rate": 80, "pitch": 0, "pitch_range": 0, "volume": 1}


@pytest.mark.parametrize("hertz", [75, 110, 220, 330, 440])
def test_the_pitch_of_a_tone_with_harmonics(frames_of, hertz):
    pitch = function_of("24", "pitch", **SETTINGS)
    voice = sum(tone(n * hertz) / n for n in (1, 2, 3, 4))
    heard = pitch(frames_of(voice))
    assert np.allclose(heard, hertz, rtol=0.02)


def test_hiss_and_silence_have_no_pitch(frames_of):
    pitch = function_of("24", "pitch", **SETTINGS)
    hiss = np.random.default_rng(1).normal(0, 0.1, 16000)
    assert np.isnan(pitch(frames_of(hiss))).mean() > 0.95
    assert np.isnan(pitch(frames_of(np.zeros(16000)))).all()


def test_loudness_crossings_and_centroid_of_a_tone(frames_of):
    frames = frames_of(tone(440))
    measured = [
        function_of("24", name, **SETTINGS)(frames).mean()
        for name in ("loudness", "crossings", "centroid")
    ]
    assert measured == pytest.approx([-3.01, 880, 440], rel=0.02)
    quieter = function_of("24", "loudness", **SETTINGS)(frames / 10)
    assert quieter.mean() == pytest.approx(-23.01, abs=0.1)


def test_pooling_leaves_out_what_is_not_real():
    torch = pytest.importorskip("torch")
    pool = function_of("24", "pool", torch=torch)
    states = torch.randn(2, 5, 3)
    real = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]).bool()
    changed = states.clone()
    changed[0, 3:] = 99
    assert torch.allclose(pool(states, real), pool(changed, real))
    expected = torch.cat([states[1].mean(0), states[1].std(0, unbiased=False)])
    assert torch.allclose(pool(states, real)[1], expected, atol=1e-4)


def test_folds_never_part_a_speaker():
    folds_by = function_of("24", "folds_by", np=np)
    speakers = np.repeat(np.arange(28), 20)
    folds = folds_by(speakers, 3)
    assert all(len(set(folds[speakers == one])) == 1 for one in range(28))
    assert sorted(np.unique(folds, return_counts=True)[1]) == [140] * 4


def test_centring_uses_only_what_was_heard():
    centre = function_of("24", "centre", np=np)
    values, who = np.array([[1.0], [3.0], [10.0], [20.0]]), np.array([0, 0, 1, 1])
    assert centre(values, who).ravel().tolist() == [-1, 1, -5, 5]
    heard = np.array([True, False, True, True])
    assert centre(values, who, heard).ravel().tolist() == [0, 2, -5, 5]


def test_no_row_is_judged_by_a_line_that_saw_its_fold():
    def remember(features, classes, strength):
        """Answer 1 for rows that were fitted on, else 0."""
        return lambda rows: np.isin(rows[:, 0], features[:, 0]).astype(int)

    out_of_fold = function_of("24", "out_of_fold", np=np, fit_line=remember)
    rows, folds = np.arange(12.0).reshape(-1, 1), np.arange(12) % 4
    assert not out_of_fold(rows, np.ones(12, int), folds, 1.0).any()
