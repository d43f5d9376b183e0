"""Copies that are found, and recordings that are taken for copies: made copies of a folder of real recordings.

    python -m benchmarks.duplicates FOLDER [--limit 130] [--copies 2] [--seconds 60]

Originals are the first minute of each recording as FLAC. Each gets copies by turns from a list of changes: other tags,
re-encodings at several rates, resampled, mono, quieter, trimmed by a second and a half. The inventory and the plan of a
build then read originals and copies together. What is counted is the joining itself, for two unjoined tracks may lie in
one split by chance. False matches are counted among the originals alone, as pairs and as recordings.
"""

import argparse
import itertools
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import soxr

from benchmarks.machine import machine
from fgmcaps.common.union_find import UnionFind
from fgmcaps.pipeline.build.recordings import find_recordings
from fgmcaps.pipeline.sources import FolderSource
from fgmcaps.pipeline.sources.inventory import KnownSound, take_inventory

Change = Callable[[Path, Path], Path]


def _samples(path: Path, seconds: float = 3600.0) -> tuple[np.ndarray[Any, Any], int]:
    """float32[channels, n] and Hz of a file's first seconds."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler("fltp", "stereo", stream.rate)
        parts, length = [], 0
        for frame in container.decode(stream):
            parts += [out.to_ndarray() for out in resampler.resample(frame)]
            length += frame.samples
            if length >= seconds * stream.rate:
                break
        return np.concatenate(parts, axis=1)[:, : round(seconds * stream.rate)], stream.rate


def _encode(samples: np.ndarray[Any, Any], rate: int, path: Path, codec: str, kbps: int = 0, **tags: str) -> Path:
    if codec == "libopus" and rate != 48_000:
        samples, rate = soxr.resample(samples.T, rate, 48_000).T, 48_000
    with av.open(str(path), "w") as out:
        out.metadata.update(tags)
        stream = out.add_stream(codec, rate=rate, layout="stereo")
        if kbps:
            stream.bit_rate = kbps * 1000
        resampler = av.AudioResampler(stream.format.name, "stereo", rate, frame_size=stream.frame_size or 4096)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32), format="fltp", layout="stereo")
        frame.sample_rate = rate
        for made in (*resampler.resample(frame), *resampler.resample(None), None):
            for packet in stream.encode(made):
                out.mux(packet)
    return path


def _retagged(source: Path, target: Path) -> Path:
    path = target.with_suffix(source.suffix)
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        new.metadata.update({"title": "Other title", "artist": f"Somebody {target.stem}", "album": "Best of"})
        stream = new.add_stream_from_template(old.streams.audio[0])
        for packet in old.demux(old.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    return path


def _reencoded(suffix: str, codec: str, kbps: int) -> Change:
    return lambda source, target: _encode(*_samples(source), target.with_suffix(suffix), codec, kbps)


def _changed(change: Callable[[np.ndarray[Any, Any], int], tuple[np.ndarray[Any, Any], int]]) -> Change:
    return lambda source, target: _encode(*change(*_samples(source)), target.with_suffix(".mp3"), "libmp3lame", 96)


CHANGES: dict[str, Change] = {
    "other tags": _retagged,
    "mp3 128 kbit/s": _reencoded(".mp3", "libmp3lame", 128),
    "mp3 48 kbit/s": _reencoded(".mp3", "libmp3lame", 48),
    "aac 96 kbit/s": _reencoded(".m4a", "aac", 96),
    "opus 32 kbit/s": _reencoded(".opus", "libopus", 32),
    "22 kHz, mono": _changed(lambda x, r: (np.repeat(soxr.resample(x.mean(0), r, 22_050)[None], 2, 0), 22_050)),
    "12 dB quieter": _changed(lambda x, r: (x / 4, r)),
    "1.5 s trimmed": _changed(lambda x, r: (x[:, round(1.5 * r) :], r)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, default=130)
    parser.add_argument("--copies", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the originals, from their start")
    args = parser.parse_args()
    originals = [path for f in FolderSource(args.folder).files() if (path := Path(f.location)).is_file()][: args.limit]
    turns = itertools.cycle(CHANGES)
    with tempfile.TemporaryDirectory() as folder:
        corpus, kinds = Path(folder) / "corpus", {}
        corpus.mkdir()
        for number, original in enumerate(originals):
            begin = _encode(*_samples(original, args.seconds), corpus / f"{number:04d}.flac", "flac")
            for kind in itertools.islice(turns, args.copies):
                try:
                    made = CHANGES[kind](begin, corpus / f"{number:04d}-{len(kinds)}")
                except av.FFmpegError as error:  # a container whose times cannot be written again
                    print(f"{original.name}: no copy with {kind}: {error}")
                    continue
                kinds[made.name] = kind
        started = time.perf_counter()
        files = take_inventory(FolderSource(corpus).files(), Path(folder) / "inventory", lambda *_: None)
        read_s = time.perf_counter() - started
    known = [item for item in files if isinstance(item, KnownSound)]
    _report(known, kinds, read_s)


def _report(known: list[KnownSound], kinds: dict[str, str], read_s: float) -> None:
    found = find_recordings(known, compare_sound=True)
    groups = UnionFind(len(found.recordings))
    for a, b in found.related:
        groups.join(a, b)
    track = {item.file.source_path: n for n, r in enumerate(found.recordings) for item in r.files}
    joined, same = Counter[str](), Counter[str]()
    for name, kind in kinds.items():
        original = next(other for other in track if other not in kinds and other[:4] == name[:4])
        joined[kind] += groups.find(track[name]) == groups.find(track[original])
        same[kind] += track[name] == track[original]
    for kind, total in Counter(kinds.values()).items():
        print(f"{kind}: {joined[kind]} of {total} share a split, {same[kind]} are one track")
    print(f"all: {joined.total()} of {len(kinds)} pairs share a split, {same.total()} are one track")
    alone = [item for item in known if item.file.source_path not in kinds]
    pure = find_recordings(alone, compare_sound=True)
    pairs = len(alone) * (len(alone) - 1) // 2
    print(f"among {len(alone)} originals ({pairs} pairs): {len(alone) - len(pure.recordings)} taken for copies, "
          f"{len(pure.related)} pairs related")  # fmt: skip
    for a, b in pure.related:
        print(f"  related: {pure.recordings[a].name} and {pure.recordings[b].name}")
    for recording in pure.recordings:
        for copy in recording.duplicates():
            print(f"  {copy.source_path} holds {copy.how} as {copy.of}")
    print(f"reading: {read_s / len(known):.2f} s a file; {machine()}")


if __name__ == "__main__":
    main()
