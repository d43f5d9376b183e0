"""Fit P(key | chords) on transcriptions of real songs: python -m benchmarks.labels.chords_to_key BILLBOARD

BILLBOARD: the folder of McGill Billboard annotations. Prints how right it is on songs that were held out (five folds by
song), for chords as transcribed and as a tool hears them, and writes ``annotators/fusion/songs/key_from_chords.json``.
"""

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.machine import machine
from benchmarks.truth.songs.billboard import Song, mode_of, read_songs
from benchmarks.truth.songs.chords import played
from benchmarks.truth.songs.corpus import split_of_song
from fgmcaps.annotators.fusion.hypotheses.key_from_chords import (
    FEATURES,
    MAJOR,
    MINOR,
    OTHER,
    SEVENTH,
    ChordsToKey,
    Sounding,
    features,
    kind_of,
)

OUT = Path(__file__).parents[2] / "annotators" / "fusion" / "songs" / "key_from_chords.json"
SCALE, PER_SONG, SECONDS = 1000, 8, 10.0


@dataclass(frozen=True)
class Window:
    """Ten seconds of a song: its chords, and the key that the song has there (0 .. 23)."""

    song: str
    key: int
    chords: list[Sounding]


def windows(songs: Sequence[Song], noisy: bool, seconds: float = SECONDS, seed: int = 0) -> list[Window]:
    """Up to PER_SONG windows of each part of a song that has one tonic and a clear mode."""
    rng, found = random.Random(seed), []
    for song in songs:
        for tonic in sorted({bar.tonic for bar in song.bars if bar.tonic is not None}):
            mode = mode_of(song, tonic)
            bars = [bar for bar in song.bars if bar.tonic == tonic]
            if mode is None or bars[-1].start_s - bars[0].start_s < seconds + 2:
                continue
            for _ in range(PER_SONG):
                start = rng.uniform(bars[0].start_s, bars[-1].start_s + bars[-1].seconds - seconds)
                chords: list[Sounding] = []
                for bar in bars:
                    width = bar.seconds / len(bar.chords)
                    for place, label in enumerate(bar.chords):
                        low = max(start, bar.start_s + place * width)
                        high = min(start + seconds, bar.start_s + (place + 1) * width)
                        chord = played(label) if high - low > 0.05 else None
                        if chord is not None:
                            _append(chords, (chord.root, kind_of(chord.quality)), high - low)
                if chords:
                    key = tonic + (12 if mode == "minor" else 0)
                    found.append(Window(song.name, key, heard(chords, rng) if noisy else chords))
    return found


def _append(chords: list[Sounding], here: tuple[int, int], seconds: float) -> None:
    if chords and chords[-1][0] == here:
        chords[-1] = (here, chords[-1][1] + seconds)
    else:
        chords.append((here, seconds))


def heard(chords: Sequence[Sounding], rng: random.Random) -> list[Sounding]:
    """What a chord tool may make of a sequence: short chords missed, relatives and mediants taken, sevenths lost."""
    out: list[Sounding] = []
    for (root, kind), seconds in chords:
        chance = rng.random()
        if seconds < 0.6 and out and rng.random() < 0.3:
            out[-1] = (out[-1][0], out[-1][1] + seconds)
            continue
        if chance < 0.04:
            root, kind = (root + 9) % 12, MINOR
        elif chance < 0.08:
            root, kind = (root + 4) % 12, MAJOR if kind == MINOR else MINOR
        elif chance < 0.10:
            root = (root + 7) % 12
        elif chance < 0.13:
            kind = {MINOR: MAJOR, MAJOR: MINOR}.get(kind, kind)
        if (kind == SEVENTH and rng.random() < 0.6) or (kind == OTHER and rng.random() < 0.5):
            kind = MAJOR
        _append(out, (root, kind), seconds)
    return out or list(chords)


def fit(found: Sequence[Window], steps: int = 150) -> ChordsToKey:
    """The conditional logit, with a Gaussian prior on its weights."""
    table = torch.from_numpy(np.stack([[features(w.chords, k) for k in range(12)] for w in found]).astype(np.float32))
    truth = torch.tensor([w.key for w in found])
    torch.manual_seed(0)
    weights = torch.zeros(2, FEATURES, requires_grad=True)
    bias = torch.zeros(2, requires_grad=True)
    optimiser = torch.optim.Adam([weights, bias], lr=0.02)
    for _ in range(steps):
        optimiser.zero_grad()
        scores = torch.cat([table @ weights[0] + bias[0], table @ weights[1] + bias[1]], 1)
        loss = torch.nn.functional.cross_entropy(scores, truth) + 3e-4 * (weights**2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return ChordsToKey(weights.detach().numpy().astype(np.float64), bias.detach().numpy().astype(np.float64))


def as_json(model: ChordsToKey) -> dict[str, object]:
    """Whole numbers over SCALE."""
    return {
        "scale": SCALE,
        "bias": np.round(model.bias * SCALE).astype(int).tolist(),
        "weights": np.round(model.weights * SCALE).astype(int).tolist(),
    }


def judged(model: ChordsToKey, found: Sequence[Window]) -> tuple[np.ndarray, np.ndarray]:
    """Probability of the likeliest key, and whether it is right."""
    sure, right = [], []
    for window in found:
        table = np.stack([features(window.chords, k) for k in range(12)])
        scores = np.concatenate([table @ model.weights[m] + model.bias[m] for m in (0, 1)])
        share = np.exp(scores - scores.max())
        share /= share.sum()
        sure.append(share.max())
        right.append(float(share.argmax() == window.key))
    return np.array(sure), np.array(right)


def main() -> None:
    """Judge in folds, fit on all, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("billboard", type=Path)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--without", choices=("test",), help="leave out the songs that rendered clips are judged on")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    print(machine())
    songs = read_songs(args.billboard)
    if args.without:
        songs = [song for song in songs if split_of_song(song.name) != args.without]
    names = sorted({song.name for song in songs})
    random.Random(1).shuffle(names)
    fold = {name: i % args.folds for i, name in enumerate(names)}
    training = windows(songs, True) + windows(songs, False, seed=1)
    for noisy in (False, True):
        found, sure, right = windows(songs, noisy, seed=2), [], []
        for number in range(args.folds):
            model = fit([w for w in training if fold[w.song] != number])
            a, b = judged(model, [w for w in found if fold[w.song] == number])
            sure.append(a)
            right.append(b)
        p, ok = np.concatenate(sure), np.concatenate(right)
        print(
            f"{'as heard' if noisy else 'as written'}: {len(ok)} windows, right {ok.mean():.3f}, stated {p.mean():.3f}"
        )
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(as_json(fit(training)), separators=(",", ":")) + "\n")
    print(f"{args.out}: {args.out.stat().st_size / 1000:.0f} kB from {len(training)} windows of {len(names)} songs")


if __name__ == "__main__":
    main()
