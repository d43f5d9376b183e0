"""The spectral encoder on signals whose truth is known by construction."""

import librosa
import numpy as np
import pytest
import torch

from fgmcaps.common.errors import FgmcapsError, InvalidDataError
from fgmcaps.training.encoders import make_audio_encoder
from fgmcaps.training.encoders import spectral_filters as filters
from fgmcaps.training.encoders import spectral_rhythm as rhythm
from fgmcaps.training.encoders import spectral_tonal as tonal
from fgmcaps.training.encoders.spectral import LAGS, RATIOS

RATE = 24_000
SEMITONES = 2 ** (np.arange(12) / 12)


@pytest.fixture(scope="module")
def encoder():
    made = make_audio_encoder("spectral")
    made.setup()
    return made


def part(encoder, frames, name):
    start = 0
    for one in encoder.parts:
        if one.name == name:
            return frames[..., start : start + one.size]
        start += one.size
    raise KeyError(name)


def raw(encoder, *signals):
    lengths = torch.tensor([len(s) for s in signals])
    audio = torch.zeros(len(signals), int(lengths.max()))
    for line, signal in zip(audio, signals, strict=True):
        line[: len(signal)] = torch.from_numpy(np.asarray(signal, dtype=np.float32))
    return encoder.raw(audio, lengths)


def notes(midi, seconds, detune=0.0):
    """Notes with six harmonics each."""
    time = np.arange(round(seconds * RATE)) / RATE
    out = np.zeros(len(time))
    for note in midi:
        f = 440 * 2 ** ((note + detune - 69) / 12)
        out += sum(np.sin(2 * np.pi * f * h * time) / h**1.5 for h in range(1, 7))
    return 0.1 * out * np.minimum(1, np.minimum(time, time[::-1]) * 50)


def clicks(bpm, accents, seconds=10.0):
    """A click on every beat; beats with number 0 in the bar are low and loud."""
    out = np.zeros(round(seconds * RATE))
    decay = np.exp(-np.arange(2400) / 300)
    hat = np.diff(np.random.default_rng(0).normal(size=2404), 4) * decay * 0.05
    drum = np.sin(2 * np.pi * 70 * np.arange(2400) / RATE) * decay * 2
    for beat in range(int(seconds * bpm / 60)):
        start = round((0.1 + beat * 60 / bpm) * RATE)
        sound = drum + hat if beat % accents == 0 else hat
        out[start : start + 2400] += sound[: len(out) - start]
    return out


def test_ten_seconds_are_250_frames_and_padding_changes_nothing(encoder):
    clip = notes([60, 64, 67], 6.0) + clicks(100, 4, 6.0)
    alone, mask = raw(encoder, clip)
    assert alone.shape == (1, 150, encoder.dim)
    assert mask.all()
    padded, mask = raw(encoder, clicks(120, 3), clip)
    assert padded.shape == (2, 250, encoder.dim)
    assert mask.sum(1).tolist() == [250, 150]
    assert torch.allclose(padded[1, :150], alone[0], atol=2e-3)
    assert not padded[1, 150:].any()


@pytest.mark.parametrize("gain", [0.01, 0.3])
def test_gain_says_nothing(encoder, gain):
    clip = notes([57, 60, 64], 4.0)
    loud, _ = raw(encoder, clip)
    soft, _ = raw(encoder, gain * clip)
    assert torch.allclose(loud, soft, atol=2e-3)


@pytest.mark.parametrize("signal", [np.zeros(RATE), np.full(RATE, 0.5), np.eye(1, RATE)[0], np.ones(600)])
def test_odd_signals_give_finite_features(encoder, signal):
    features, _ = raw(encoder, signal)
    assert torch.isfinite(features).all()


@pytest.mark.parametrize("detune", [-0.4, -0.2, 0.0, 0.3, 0.45])
def test_chroma_follows_the_notes_in_any_tuning(encoder, detune):
    features, _ = raw(encoder, notes([62, 66, 69], 3.0, detune))
    chroma = part(encoder, features, "chroma")[0, 10:-10].mean(0)
    assert sorted(torch.topk(chroma, 3).indices.tolist()) == [2, 6, 9]


def test_chroma_agrees_with_librosa(encoder):
    chords = [[60, 64, 67], [57, 60, 64], [65, 69, 72], [55, 59, 62]]
    clip = np.concatenate([notes(c, 2.5) for c in chords])
    ours = part(encoder, raw(encoder, clip)[0], "chroma")[0].numpy()
    theirs = librosa.feature.chroma_cqt(y=clip.astype(np.float32), sr=RATE, hop_length=512).T
    places = (np.arange(250) + 0.5) * 960 / 512
    theirs = theirs[np.minimum(places.astype(int), len(theirs) - 1)]
    cosine = (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    assert np.median(cosine) > 0.9


@pytest.mark.parametrize(("midi", "chord"), [((60, 64, 67), 0), ((57, 60, 64), 12 + 9), ((55, 59, 62, 65), 24 + 7)])
def test_chords_are_recognised(encoder, midi, chord):
    features, _ = raw(encoder, notes([midi[0] - 24, *midi], 3.0))
    assert int(part(encoder, features, "chords")[0, 10:-10].mean(0).argmax()) == chord


@pytest.mark.parametrize(("tonic", "minor"), [(0, False), (6, False), (9, True), (1, True)])
def test_key_of_a_cadence(encoder, tonic, minor):
    degrees = (
        [(0, 3, 7), (5, 8, 12), (7, 11, 14), (0, 3, 7)] if minor else [(0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7)]
    )
    clip = np.concatenate([notes([48 + tonic + d for d in (c[0] - 12, *c)], 2.5) for c in degrees])
    assert int(part(encoder, raw(encoder, clip)[0], "key")[0, 0].argmax()) == tonic + 12 * minor


@pytest.mark.parametrize("bpm", [64, 90, 120, 143, 170])
def test_tempo_of_clicks(encoder, bpm):
    features, _ = raw(encoder, clicks(bpm, 4))
    tempo = part(encoder, features, "tempo")[0, 0]
    found = 60 / LAGS[len(LAGS) - len(tempo) :][int(tempo.argmax())]
    assert min(abs(np.log2(found / bpm * m)) for m in (0.5, 1, 2)) < np.log2(1.04)


@pytest.mark.parametrize(("bpm", "beats"), [(90, 3), (120, 3), (150, 3), (90, 4), (120, 4), (150, 4)])
def test_meter_shows_at_multiples_of_the_beat(encoder, bpm, beats):
    features, _ = raw(encoder, clicks(bpm, beats))
    meter = part(encoder, features, "meter")[0, 0].view(6, len(RATIOS))[0]  # low onsets
    assert meter[RATIOS.index(beats)] > meter[RATIOS.index(7 - beats)] + 0.05


def test_autocorrelation_is_the_textbook_one():
    signal = np.random.default_rng(1).normal(size=(2, 120, 3))
    valid = torch.arange(120)[None] < torch.tensor([120, 80])[:, None]
    found = rhythm.autocorrelation(torch.from_numpy(signal).float(), valid, 50)
    for clip, length in enumerate((120, 80)):
        centred = signal[clip, :length] - signal[clip, :length].mean(0)
        for lag in range(50):
            expected = (centred[: length - lag] * centred[lag:]).mean(0)
            assert np.allclose(found[clip, lag], expected, atol=1e-4)


def test_every_lag_of_a_peak_is_read_in_full():
    lags = filters.lag_grid(0.1, 6, 24)
    reader = filters.lag_reader(lags, 100)
    for sample in range(10, 640):
        acf = torch.zeros(1, 641, 1)
        acf[0, sample] = 1.0
        found = rhythm.at_lags(acf, reader)[0, 0]
        assert found.max() == 1.0
        near = lags[found == 1.0] * 100 / sample
        assert abs(np.log2(near)).max() < 1 / 12


def test_folding_keeps_pitch_classes():
    notes_ = torch.zeros(1, 1, 60)
    notes_[0, 0, 69 - 28] = 1.0
    assert int(tonal.fold(notes_, 28, 64.0, 11.0)[0, 0].argmax()) == 9


def test_statistics_are_those_of_all_frames_and_survive_saving(encoder):
    clips = [notes([60 + n], 1.0 + n / 4) + clicks(100, 4, 1.0 + n / 4) * 0.3 for n in range(5)]
    made = make_audio_encoder("spectral")
    made.setup()
    assert made.needs_fit
    with pytest.raises(RuntimeError, match="no statistics"):
        made.frames(torch.zeros(1, RATE), torch.tensor([RATE]))

    def batches(*groups):
        for group in groups:
            lengths = torch.tensor([len(c) for c in group])
            audio = torch.zeros(len(group), int(lengths.max()))
            for line, clip in zip(audio, group, strict=True):
                line[: len(clip)] = torch.from_numpy(clip)
            yield audio, lengths

    made.fit(batches(clips[:2], clips[2:]))
    frames = np.concatenate([raw(encoder, clip)[0][0].double().numpy() for clip in clips])
    assert np.allclose(made.state["mean"], frames.mean(0), atol=1e-3)
    varied = frames.std(0) > 1e-3
    assert np.allclose(1 / made.state["scale"][varied], frames.std(0)[varied], rtol=2e-2)
    again = make_audio_encoder("spectral")
    again.load_state(made.state)
    again.setup()
    ours, theirs = (e.frames(*next(batches(clips)))[0] for e in (made, again))
    assert torch.equal(ours, theirs)
    assert ours.abs().max() <= 8
    with pytest.raises(InvalidDataError, match="statistics"):
        again.load_state({"mean": np.zeros(3, np.float32), "scale": np.zeros(3, np.float32)})


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(FgmcapsError, match="did you mean 'spectral'"):
        make_audio_encoder("spectrla")
    with pytest.raises(FgmcapsError, match=r"no such option: pth \(did you mean 'path'"):
        make_audio_encoder("muq", pth="x")
