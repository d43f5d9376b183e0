"""What an audio encoder's frames carry linearly: probes for tempo, meter, key and chords on clips of known truth.

    python -m benchmarks.features.probe TRUTH [--encoder spectral] [--clips N] [--memory FILE.npz]

TRUTH is a folder of `python -m benchmarks.truth render`. Probes are fitted on its training split and scored on the
other splits, which share no style family with it. A clip is the mean and the deviation of its frames (standardised on
the training split); chords are judged frame by frame. Intervals are 95 %, by clips.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import RidgeClassifier, RidgeCV

from benchmarks.machine import machine, wilson
from benchmarks.truth.read import TruthClip, read_truth
from fgmcaps.schemas.harte import pitch_class
from fgmcaps.schemas.music import TEMPO_MARKINGS, key_index, tempo_marking
from fgmcaps.training.data.audio import AudioError, decode
from fgmcaps.training.data.dataset import AudioRef
from fgmcaps.training.encoders import make_audio_encoder
from fgmcaps.training.encoders.base import AudioEncoder
from fgmcaps.training.encoders.run import encode_clips, pad_clips

Array = npt.NDArray[np.float32]
CHORD_FRAMES = 12  # frames a clip that the chord probe sees


@dataclass(frozen=True)
class Table:
    """Features and truth of clips: ``pooled`` [N, 2 d], ``frames`` [N, F, d], ``chords`` [N, F]; F = CHORD_FRAMES."""

    pooled: Array
    frames: Array
    chords: npt.NDArray[np.int64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--encoder", default="spectral")
    parser.add_argument("--clips", type=int, help="only the first N")
    parser.add_argument("--memory", type=Path, help="keep the features in this file, and use it when it is there")
    parser.add_argument("--parts", action="store_true", help="also probe each part of the spectral features alone")
    args = parser.parse_args()
    clips = read_truth(args.truth)[: args.clips]
    encoder = make_audio_encoder(args.encoder)
    table = features(clips, encoder, args.memory)
    train = np.array([clip.split == "train" for clip in clips])
    print(machine())
    print(f"{args.encoder}: {train.sum()} clips to fit, {(~train).sum()} of other style families to judge")
    report(clips, table.pooled, train, table)
    if args.parts:
        start = 0
        width = encoder.dim
        for part in encoder.parts:  # type: ignore[attr-defined]
            chosen = np.r_[start : start + part.size, width + start : width + start + part.size]
            print(f"\n{part.name} alone ({part.size})")
            report(clips, table.pooled[:, chosen], train, None)
            start += part.size


def features(clips: list[TruthClip], encoder: AudioEncoder, memory: Path | None) -> Table:
    """Pooled and sampled frames of all clips; statistics are fitted on 400 training clips."""
    if memory is not None and memory.is_file():
        with np.load(memory, allow_pickle=False) as kept:
            if len(kept["pooled"]) == len(clips):
                return Table(kept["pooled"], kept["frames"], kept["chords"])
    encoder.setup()
    torch.set_num_threads(1)
    samples = {}
    for clip in clips:
        try:
            samples[clip.path] = decode(AudioRef(None, clip.path, 0.0, clip.duration_s), encoder.sample_rate)
        except AudioError as error:
            raise SystemExit(f"{clip.path}: {error}") from None
    if encoder.needs_fit:
        chosen = [samples[clip.path] for clip in clips if clip.split == "train"][:400]
        encoder.fit(pad_clips(chosen[i : i + 16]) for i in range(0, len(chosen), 16))
    pooled, frames, chords = [], [], []
    for start in range(0, len(clips), 16):
        part = clips[start : start + 16]
        for clip, one in zip(part, encode_clips(encoder, [samples[c.path] for c in part]), strict=True):
            values = one.numpy()
            pooled.append(np.concatenate([values.mean(axis=0), values.std(axis=0)]))
            places = np.linspace(0, len(values) - 1, CHORD_FRAMES).astype(int)
            frames.append(values[places])
            chords.append([chord_class(clip, (p + 0.5) / encoder.frame_rate) for p in places])
    table = Table(np.array(pooled, np.float32), np.array(frames, np.float32), np.array(chords, np.int64))
    if memory is not None:
        np.savez(memory, pooled=table.pooled, frames=table.frames, chords=table.chords)
    return table


def chord_class(clip: TruthClip, time: float) -> int:
    """0 .. 11 major, 12 .. 23 minor triads by root, at a time; -1 for anything else."""
    for span in clip.chords:
        if span.start <= time < span.end:
            root, _, quality = span.label.partition(":")
            quality = quality.split("/")[0]
            if quality.startswith("min"):
                return 12 + pitch_class(root)
            if quality.startswith("maj") or quality in ("", "7", "9", "13", "6"):
                return pitch_class(root.split("/")[0])
    return -1


def report(clips: list[TruthClip], pooled: Array, train: npt.NDArray[np.bool_], table: Table | None) -> None:
    """Fit and score every probe that the truth allows."""
    scale = pooled[train].std(axis=0)
    x = (pooled - pooled[train].mean(axis=0)) / np.where(scale > 1e-6, scale, 1)
    words = [word for _, word in TEMPO_MARKINGS]
    bpm = np.array([clip.tempo_bpm or np.nan for clip in clips])
    known = np.isfinite(bpm)
    regress(x, np.log2(bpm), train & known, ~train & known)
    classify("tempo word", x, [words.index(tempo_marking(b)) if b > 0 else -1 for b in bpm], train)
    meters = ["2/4", "3/4", "4/4", "5/4", "6/8"]
    classify("meter", x, [meters.index(c.meter) if c.meter in meters else -1 for c in clips], train, balanced=True)
    keys = [-1 if c.key is None else key_index(c.key) for c in clips]
    classify("key, 24", x, keys, train)
    classify("mode", x, [k if k < 0 else k // 12 for k in keys], train)
    if table is not None:
        many = table.frames.shape[1]
        flat = table.frames.reshape(-1, table.frames.shape[-1])
        classify("chord, 24, by frame", flat, list(table.chords.reshape(-1)), np.repeat(train, many))


def regress(x: Array, log_bpm: Array, fit: npt.NDArray[np.bool_], judge: npt.NDArray[np.bool_]) -> None:
    """Ridge on log tempo; right within 4 % (accuracy 1), or so at a third, half, double, triple (accuracy 2)."""
    model = RidgeCV(alphas=np.logspace(0, 5, 11)).fit(x[fit], log_bpm[fit])
    error = model.predict(x[judge]) - log_bpm[judge]
    near = np.abs(error) < np.log2(1.08)
    show("tempo within 8 %, ridge", int(near.sum()), len(error))
    print(f"  median error of tempo: {100 * (2 ** np.median(np.abs(error)) - 1):.1f} %")
    classes = np.round(log_bpm * 24 / 2).astype(float)  # 6 % wide
    classify(
        "tempo class in steps of 6 %, one off allowed",
        x,
        [int(c) if np.isfinite(c) else -1 for c in classes],
        fit,
        near=1,
    )


def classify(
    name: str, x: Array, labels: list[int], train: npt.NDArray[np.bool_], balanced: bool = False, near: int = 0
) -> None:
    """Ridge classifier (one against the rest); ``near``: neighbouring classes count as right."""
    y = np.array(labels)
    fit, judge = train & (y >= 0), ~train & (y >= 0)
    if len(set(y[fit])) < 2 or not judge.any():
        print(f"  {name}: too few clips")
        return
    weight = "balanced" if balanced else None
    model = RidgeClassifier(alpha=300.0, class_weight=weight).fit(x[fit], y[fit])
    right = np.abs(model.predict(x[judge]) - y[judge]) <= near
    show(name, int(right.sum()), int(judge.sum()))
    if balanced:
        shares = [right[y[judge] == c].mean() for c in sorted(set(y[judge]))]
        print(f"  {name}: mean over classes {np.mean(shares):.3f}")


def show(name: str, right: int, total: int) -> None:
    low, high = wilson(right, total)
    print(f"  {name}: {right / total:.3f} ({low:.3f} to {high:.3f}, n = {total})")


if __name__ == "__main__":
    main()
