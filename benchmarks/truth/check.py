"""The truth against the sound: onsets on the claimed beats, tempo, bar lines, by means that know nothing of the charts.

Music that plays between the beats (off-beat hi-hats, after-beat chords) has its strongest onsets half a beat off, and
harmony may change most on the third beat where each bar has two chords: neither is an error.
"""

from dataclasses import dataclass
from itertools import pairwise

import librosa
import numpy as np
import soundfile
from numpy.typing import NDArray

from benchmarks.truth.truth import TruthClip

_HOP = 256


@dataclass(frozen=True, slots=True)
class Evidence:
    """``lag_s``: how long after the beats (half a beat at most) onsets are strongest; ``tempo_ratio``: the scale of the
    beat grid (.9 .. 1.1) at which they are; ``change_at``: position in the bar, 1 = downbeat, where harmony changes
    most."""

    lag_s: float
    tempo_ratio: float
    change_at: int


def evidence(clip: TruthClip) -> Evidence:
    """Measured on a clip with at least four beats."""
    samples, rate = soundfile.read(clip.path, dtype="float32")
    envelope = librosa.onset.onset_strength(y=samples, sr=rate, hop_length=_HOP, n_fft=1024)
    frames = rate / _HOP
    beats = np.array(clip.beats)
    period = float(np.median(np.diff(beats)))
    lags = np.arange(-period / 2, period / 2, 0.004)
    lag = float(lags[np.argmax([_strength(envelope, frames, beats + lag) for lag in lags])])
    scales = np.linspace(0.9, 1.1, 101)
    grids = [beats[0] + np.arange(0, (9.9 - beats[0]) / (period * scale)) * period * scale for scale in scales]
    ratio = float(scales[np.argmax([_strength(envelope, frames, grid) for grid in grids])])
    return Evidence(lag, ratio, _harmony_change(samples, rate, beats, clip))


def _strength(envelope: NDArray[np.float32], frames: float, times: NDArray[np.float64]) -> float:
    """Mean log onset strength within 10 ms of the times."""
    at = np.round(times * frames).astype(int)
    at = at[(at > 1) & (at < len(envelope) - 2)]
    return float(np.log1p(np.stack([envelope[at + k] for k in (-1, 0, 1)]).max(0)).mean())


def _harmony_change(samples: NDArray[np.float32], rate: int, beats: NDArray[np.float64], clip: TruthClip) -> int:
    chroma = librosa.feature.chroma_stft(y=samples, sr=rate, hop_length=2048, n_fft=8192)
    edges = np.round(beats * rate / 2048).astype(int)
    means = [chroma[:, a:b].mean(axis=1) for a, b in pairwise(edges)]
    changes: dict[int, list[float]] = {}
    bar = clip.beats_per_bar or 1
    # An unfinished first bar is counted back from the first downbeat.
    first = next((i for i, time in enumerate(clip.beats) if time in clip.downbeats), 0)
    for number, (before, after) in enumerate(pairwise(means), start=1):
        similar = float(before @ after / (np.linalg.norm(before) * np.linalg.norm(after) + 1e-9))
        changes.setdefault((number - first) % bar + 1, []).append(1 - similar)
    return max(changes, key=lambda position: float(np.mean(changes[position])))


def summary(clips: list[TruthClip]) -> list[str]:
    """A line of text for each meter (each song of the recorded set): shares of clips, and the median onset lag.

    The median lag of rendered clips is the onset detector's own delay; onsets count as on the beat within 30 ms of it.
    """
    measured = [(clip, evidence(clip)) for clip in clips if len(clip.beats) >= 6]
    groups: dict[str, list[tuple[TruthClip, Evidence]]] = {}
    for clip, found in measured:
        groups.setdefault(clip.meter or clip.style, []).append((clip, found))
    delay = float(np.median([found.lag_s for _, found in measured]))
    lines = [f"{len(measured)} clips, median onset lag {1000 * delay:.0f} ms"]
    for name, group in sorted(groups.items()):
        lags = np.array([found.lag_s for _, found in group])
        periods = np.array([float(np.median(np.diff(clip.beats))) for clip, _ in group])
        on = float(np.mean(np.abs(lags - delay) < 0.03))
        half = float(np.mean(np.abs(np.abs(lags - delay) - periods / 2) < 0.04))
        tempo = float(np.mean([abs(found.tempo_ratio - 1) < 0.011 for _, found in group]))
        change = float(np.mean([found.change_at == 1 for _, found in group]))
        bars = f", harmony changes most on the downbeat {change:.2f}" if group[0][0].downbeats else ""
        lines.append(
            f"{name}: n={len(group)}, onsets on the beat {on:.2f}, half a beat off {half:.2f}, "
            f"tempo within 1 % {tempo:.2f}{bars}; median lag {1000 * float(np.median(lags)):.0f} ms"
        )
    return lines
