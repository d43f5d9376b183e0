"""Clips of which something must not be named, through the real tools: no label, or a doubt that says why."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.truth.no_music import clicks, coloured_noise, hum, random_notes, silence, sweep
from fgmcaps.annotators import ClipAudio, annotate_clip, gate, load_profile
from fgmcaps.annotators.evaluation import unfiltered
from fgmcaps.annotators.fusion import fuse
from fgmcaps.schemas import Labels

pytestmark = pytest.mark.slow

RATE = 44_100
SECONDS = 10
PROGRESSION = [(0, "maj"), (5, "maj"), (7, "maj"), (0, "maj")]
PROFILES = ("best", "permissive")


def labelled(samples: npt.NDArray[Any], profile: str = "best") -> Labels | None:
    """Labels of a clip, None where the gate turns it away."""
    audio = ClipAudio(np.ascontiguousarray(samples, dtype=np.float32), RATE)
    chosen = load_profile(profile)
    if gate(audio.samples, RATE, chosen.gate) is not None:
        return None
    return annotate_clip(chosen, audio.samples, RATE)[1]


def flags(labels: Labels) -> dict[str, str]:
    return dict(flag.split(":") for flag in labels.qc_flags)


def babble(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Speech-like sound: a gliding voice through three moving formants, in syllables of uneven length with pauses."""
    count = RATE * SECONDS
    t = np.arange(count) / RATE
    pitch = 120 * 2 ** (0.4 * np.interp(t, np.linspace(0, SECONDS, 40), rng.standard_normal(40)))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    formants = [np.interp(t, np.linspace(0, SECONDS, 50), rng.uniform(low, high, 50)) for low, high in
                ((300, 800), (900, 2200), (2300, 3000))]  # fmt: skip
    voice = np.zeros(count)
    for k in range(1, 30):
        gain = sum(np.exp(-(((k * pitch - f) / 150) ** 2)) for f in formants)
        voice += np.sin(k * phase) * gain
    envelope, at = np.zeros(count), 0
    while at < count:
        length, pause = (
            int(RATE * rng.uniform(0.08, 0.3)),
            int(RATE * rng.choice([0.03, 0.05, 0.4], p=[0.5, 0.35, 0.15])),
        )
        stop = min(count, at + length)
        envelope[at:stop] = np.hanning(length)[: stop - at]
        at = stop + pause
    return 0.3 * voice * envelope / np.abs(voice).max()


NO_MUSIC = {
    "silence": lambda rng: silence(rng, RATE * SECONDS),
    "white noise": lambda rng: coloured_noise(rng, RATE * SECONDS, "white"),
    "pink noise": lambda rng: coloured_noise(rng, RATE * SECONDS, "pink"),
    "clicks": lambda rng: clicks(rng, RATE * SECONDS),
    "hum": lambda rng: hum(rng, RATE * SECONDS),
    "sweep": lambda rng: sweep(rng, RATE * SECONDS),
    "speech": babble,
}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("kind", NO_MUSIC)
def test_what_is_no_music_gets_no_label(kind: str, profile: str) -> None:
    for seed in range(2):
        labels = labelled(NO_MUSIC[kind](np.random.default_rng(seed)), profile)
        if labels is not None:
            assert (labels.tempo_bpm, labels.time_signature, labels.downbeats) == (None, None, ())
            assert (labels.key, labels.chords, labels.chord_summary) == (None, (), ())
            assert set(flags(labels)) == {"tempo", "meter", "downbeats", "key", "chords"}


def test_random_notes_get_no_label() -> None:
    labels = labelled(random_notes(np.random.default_rng(1), RATE * SECONDS))
    assert labels is not None
    assert (labels.tempo_bpm, labels.time_signature, labels.key, labels.chords) == (None, None, None, ())


def test_a_clip_shorter_than_two_bars_has_no_meter(play: Any) -> None:
    labels = labelled(play(60, 4, PROGRESSION, seconds=5.0))  # five beats: one bar and a quarter
    assert labels is not None
    assert labels.time_signature is None
    assert labels.downbeats == ()
    assert "meter" in flags(labels)


def test_a_tempo_that_changes_inside_is_doubted(play: Any) -> None:
    steady = labelled(play(100, 4, PROGRESSION))
    changing = labelled(np.concatenate([play(90, 4, PROGRESSION, 5.0), play(127, 4, PROGRESSION, 5.0)]))
    assert steady is not None
    assert changing is not None
    assert changing.tempo_bpm is None
    assert "tempo" in flags(changing)
    assert (changing.tempo_confidence or 0) < (steady.tempo_confidence or 0)


def test_music_without_percussion_is_labelled_or_doubted_not_guessed(pad: Any) -> None:
    labels = labelled(pad([(0, "maj"), (9, "min"), (5, "maj"), (7, "maj")], 2.5))
    assert labels is not None
    assert labels.key in ("C major", None)
    assert labels.time_signature is None or (labels.meter_confidence or 0) < 1
    for attribute, value in (("tempo", labels.tempo_bpm), ("meter", labels.time_signature)):
        assert (value is None) == (attribute in flags(labels))


def test_a_key_that_changes_inside_is_doubted(pad: Any) -> None:
    cadence = [(0, "maj"), (5, "maj"), (7, "maj"), (0, "maj")]
    moved = [((root + 6) % 12, quality) for root, quality in cadence]
    settings = unfiltered(load_profile("best").fusion)

    def confidence(chords: list[tuple[int, str]]) -> float:
        return fuse(annotate_clip(load_profile("best"), pad(chords, 1.25), RATE)[0], settings).key_confidence or 0.0

    assert confidence(cadence + moved) < min(0.9, confidence(cadence + cadence))


def test_drums_alone_have_no_key_and_no_chords() -> None:
    rng = np.random.default_rng(3)
    drums = np.zeros(RATE * SECONDS)
    t = np.arange(RATE // 4) / RATE
    for i in range(38):
        kick = np.sin(2 * np.pi * (50 * t + 1.0 - np.exp(-30 * t))) * np.exp(-14 * t)
        snare = rng.standard_normal(t.size) * np.exp(-25 * t) * 0.4
        hit = kick if i % 4 == 0 else snare if i % 4 == 2 else 0.3 * snare * np.exp(-60 * t)
        at = int(i * 0.26 * RATE)
        drums[at : at + t.size] += hit[: max(0, drums.size - at)]
    labels = labelled(0.5 * drums)
    if labels is not None:
        assert labels.key is None
        assert labels.chords == ()
        assert {"key", "chords"} <= set(flags(labels))


def test_an_atonal_clip_has_no_key() -> None:
    rng = np.random.default_rng(5)
    t = np.arange(RATE) / RATE
    clusters = []
    for _ in range(SECONDS):
        notes = rng.integers(0, 24, 6)
        clusters.append(np.sum([np.sin(2 * np.pi * 220 * 2 ** (n / 12) * t) for n in notes], axis=0))
    labels = labelled(0.1 * np.concatenate(clusters))
    if labels is not None:
        assert labels.key is None
        assert labels.chords == ()
