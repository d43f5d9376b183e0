"""How likely each key makes a sequence of chords: learned from transcriptions of real songs, not from rules.

A conditional logit (McFadden 1974): each of 24 keys is scored by the same features of the sequence, taken
relative to its tonic, with one set of weights for major keys and one for minor ones. Fitted by
:mod:`benchmarks.labels.chords_to_key` on the McGill Billboard annotations (Burgoyne, Wild, Fujinaga, ISMIR 2011).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from fgmcaps.schemas import ChordSpan
from fgmcaps.schemas.harte import QUALITIES, parse_chord

Floats = npt.NDArray[np.float64]
MAJOR, SEVENTH, MINOR, OTHER = range(4)
_KINDS, _LEAST_S, _SHARE, _MOST_PAIRS = 4, 0.05, 3.0, 2
_PLACES, _SMALL = 12 * _KINDS, 12 * 3
FEATURES = 5 * _PLACES + _SMALL * _SMALL
"""Share of the time, presence, first, last and longest of 48 chords; and pairs of neighbours of 36."""
Sounding = tuple[tuple[int, int], float]
"""A chord as the key hears it, ``(root pitch class, kind)``, and its seconds."""


def kind_of(quality: str) -> int:
    """MAJOR, SEVENTH (dominant ones), MINOR or OTHER of a Harte shorthand."""
    if quality.startswith("min"):
        return MINOR
    if quality.startswith(("dim", "hdim", "sus", "aug", "1", "5")) and quality not in ("11", "13"):
        return OTHER
    return SEVENTH if quality in ("7", "9", "11", "13") else MAJOR


def sounding(spans: Sequence[ChordSpan]) -> list[Sounding]:
    """Chords of a clip in time order; equal neighbours joined, ``N``, ``X`` and what is shorter than 50 ms left out."""
    found: list[Sounding] = []
    for span in spans:
        chord, seconds = parse_chord(span.label), span.end - span.start
        if chord.root_pc is None or seconds <= _LEAST_S or chord.quality not in QUALITIES:
            continue
        here = (chord.root_pc, kind_of(chord.quality))
        if found and found[-1][0] == here:
            found[-1] = (here, found[-1][1] + seconds)
        else:
            found.append((here, seconds))
    return found


def features(chords: Sequence[Sounding], tonic: int) -> Floats:
    """float64[FEATURES] of a sequence that is not empty, relative to ``tonic``."""
    total = sum(seconds for _, seconds in chords)
    places = [(root - tonic) % 12 * _KINDS + kind for (root, kind), _ in chords]
    small = [(root - tonic) % 12 * 3 + min(kind, MINOR) for (root, kind), _ in chords]
    out = np.zeros(FEATURES)
    shares, there, first, last, longest = (out[i * _PLACES : (i + 1) * _PLACES] for i in range(5))
    for place, (_, seconds) in zip(places, chords, strict=True):
        shares[place] += _SHARE * seconds / total
        there[place] = 1.0
    first[places[0]] = last[places[-1]] = 1.0
    longest[places[int(np.argmax([seconds for _, seconds in chords]))]] = 1.0
    pairs = out[5 * _PLACES :]
    for a, b in pairwise(small):
        pairs[a * _SMALL + b] = min(pairs[a * _SMALL + b] + 1.0, float(_MOST_PAIRS))
    return out


@dataclass(frozen=True, eq=False)
class ChordsToKey:
    """``weights`` float[2, FEATURES] and ``bias`` float[2]: of major and of minor keys."""

    weights: Floats
    bias: Floats

    def __call__(self, spans: Sequence[ChordSpan]) -> Floats | None:
        """Log-probability of each of :data:`fgmcaps.schemas.music.KEYS`, float64[24]; None without any chord."""
        chords = sounding(spans)
        if not chords:
            return None
        table = np.stack([features(chords, tonic) for tonic in range(12)])
        scores = np.concatenate([table @ self.weights[0] + self.bias[0], table @ self.weights[1] + self.bias[1]])
        scores -= scores.max()
        return np.asarray(scores - np.log(np.exp(scores).sum()))

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "ChordsToKey":
        """From ``{"weights": [[...], [...]], "bias": [...], "scale": n}``: whole numbers over ``scale``."""
        weights = np.asarray(data["weights"], np.float64) / data["scale"]
        if weights.shape != (2, FEATURES):
            raise ValueError(f"weights of keys given chords have shape {weights.shape}, not {(2, FEATURES)}")
        return cls(weights, np.asarray(data["bias"], np.float64) / data["scale"])


@cache
def shipped() -> ChordsToKey:
    """The model of the package."""
    file = resources.files("fgmcaps.annotators.fusion").joinpath("songs").joinpath("key_from_chords.json")
    return ChordsToKey.from_json(json.loads(file.read_text("utf-8")))
