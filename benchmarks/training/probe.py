"""What one pooled vector of each side still holds: linear probes from frozen features to the facts of a caption.

    python -m benchmarks.training.probe CACHE

If a linear map reads a fact from the mean over tokens (or over frames) as well as it can be read at all, a model that
compares one vector a side loses nothing by pooling, and a view of frames and tokens has nothing to add for that fact.
Fitted on the split train of a finished feature cache, ridge chosen on validation, judged on test; 95 % by Wilson.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.machine import machine, wilson
from fgmcaps.training.data.dataset import Row
from fgmcaps.training.evaluation.baselines import RIDGES, clip_features
from fgmcaps.training.features.cache import FeatureCache

Floats = npt.NDArray[np.float64]
Label = Callable[[Row], str | None]
SPLITS = ("train", "validation", "test")
SAME_TEMPO = 0.04
CLASSES: dict[str, Label] = {
    "key": lambda row: row.key,
    "time signature": lambda row: row.time_signature,
    "first chord": lambda row: row.chord_summary[0] if row.chord_summary else None,
    "last chord": lambda row: row.chord_summary[-1] if row.chord_summary else None,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    cache = FeatureCache.open(parser.parse_args().cache)
    indices = {split: cache.rows(split) for split in SPLITS}
    rows = {split: [cache.row(int(i)) for i in indices[split]] for split in SPLITS}
    texts = {s: np.array([cache.text(int(i)).double().mean(0).numpy() for i in indices[s]]) for s in SPLITS}
    clips = {s: clip_features(cache, indices[s]) for s in SPLITS}
    print(machine())
    print("| fact | test clips | from the mean over tokens | from mean and deviation over frames | commonest answer |")
    print("|---|---:|---:|---:|---:|")
    for name, label in CLASSES.items():
        wanted = {s: [label(row) for row in rows[s]] for s in SPLITS}
        print(line(name, wanted, [classified(side, wanted) for side in (texts, clips)]))
    tempi = {s: [row.tempo_bpm for row in rows[s]] for s in SPLITS}
    print(line("tempo within 4 %", tempi, [tempo_right(side, tempi) for side in (texts, clips)]))


def line(name: str, wanted: dict[str, list[str | None]] | dict[str, list[float | None]], right: list[Floats]) -> str:
    """A row of the table."""
    known = [w for w in wanted["train"] if w is not None]
    test = [w for w in wanted["test"] if w is not None]
    if isinstance(known[0], str):
        common = np.mean([w == max(set(known), key=known.count) for w in test])
    else:
        common = same_tempo(np.full(len(test), np.median(np.array(known))), np.array(test)).mean()
    return f"| {name} | {len(test)} | " + " | ".join(share(values) for values in right) + f" | {100 * common:.1f} % |"


def share(right: Floats) -> str:
    """A percentage with its interval."""
    low, high = wilson(int(right.sum()), len(right))
    return f"{100 * right.mean():.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def classified(side: dict[str, Floats], wanted: dict[str, list[str | None]]) -> Floats:
    """Whether the likeliest class is right, for each test clip whose label is known."""
    classes = sorted({w for w in wanted["train"] if w is not None})
    targets = {s: np.array([[float(w == c) for c in classes] for w in wanted[s] if w is not None]) for s in SPLITS}
    found = fitted(side, wanted, targets, lambda p, t: float(t[np.arange(len(p)), p.argmax(1)].mean()))
    return np.asarray(targets["test"][np.arange(len(found)), found.argmax(1)])


def tempo_right(side: dict[str, Floats], wanted: dict[str, list[float | None]]) -> Floats:
    """Whether the tempo read from the octaves that a linear map gives is within 4 %."""
    targets = {s: np.log2(np.array([[w] for w in wanted[s] if w is not None])) for s in SPLITS}
    found = fitted(side, wanted, targets, lambda p, t: float(same_tempo(2**p, 2**t).mean()))
    return same_tempo(2 ** found[:, 0], 2 ** targets["test"][:, 0])


def same_tempo(found: Floats, truth: Floats) -> Floats:
    return np.asarray(np.abs(found / truth - 1) < SAME_TEMPO, dtype=np.float64)


def fitted(
    side: dict[str, Floats],
    wanted: dict[str, list[str | None]] | dict[str, list[float | None]],
    targets: dict[str, Floats],
    score: Callable[[Floats, Floats], float],
) -> Floats:
    """Predictions for the test clips of the ridge regression that scores best on validation."""
    x = {s: side[s][[w is not None for w in wanted[s]]] for s in SPLITS}
    mean, scale = x["train"].mean(0), np.maximum(x["train"].std(0), 1e-6)
    x = {s: (values - mean) / scale for s, values in x.items()}
    level = targets["train"].mean(0)
    gram, moment = x["train"].T @ x["train"], x["train"].T @ (targets["train"] - level)
    maps = [np.linalg.solve(gram + r * len(x["train"]) * np.eye(len(gram)), moment) for r in RIDGES]
    best = max(maps, key=lambda weights: score(x["validation"] @ weights + level, targets["validation"]))
    return np.asarray(x["test"] @ best + level)


if __name__ == "__main__":
    main()
