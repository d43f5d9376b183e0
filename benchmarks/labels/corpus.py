"""Truth and estimates: a folder of truth clips and a dump of the same clips."""

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmarks.annotators.dump import read_dump
from benchmarks.truth.read import TruthClip, read_truth
from fgmcaps.annotators.fusion.clip_evidence import ClipEvidence, read_evidence
from fgmcaps.annotators.measure.onsets import onset_lag
from fgmcaps.schemas import BeatGrid, Estimate
from fgmcaps.schemas.truth import ClipTruth

SONGS = ("billboard", "pop909")
"""Domains of real songs: sets of ``benchmarks.truth`` whose families are songs."""
RENDERED_FOLDS = 3
NULL = "null:"
"""Mark of the negative set: ``null:key`` says that no key is right."""


@dataclass(frozen=True)
class LabelClip:
    """One clip: its truth, and the estimates of the tools. ``gate``: why the gate refuses it, else None."""

    name: str
    split: str
    family: str
    truth: ClipTruth
    estimates: tuple[Estimate, ...]
    gate: str | None
    marks: tuple[str, ...]
    library: str

    @cached_property
    def evidence(self) -> ClipEvidence:
        """What fusion reads of the estimates."""
        return read_evidence(self.estimates)

    @property
    def domain(self) -> str:
        """The kind of music: one of ``SONGS``, ``recorded``, ``unlabelled``, ``negative`` or ``rendered``."""
        known = (*SONGS, "recorded", "unlabelled", "negative")
        return self.library if self.library in known else "rendered"

    @property
    def fold(self) -> str:
        """What is left out with this clip when it is judged: its domain; of rendered styles a third of the families.

        Rendered styles are in three parts, as no other domain has their meters.
        """
        if self.domain in SONGS:
            return self.domain
        return f"rendered {zlib.crc32(self.family.encode()) % RENDERED_FOLDS}"

    @property
    def ordinary(self) -> bool:
        """True for music of which nothing must be null."""
        return not any(mark.startswith(NULL) for mark in self.marks)

    def outcome(self, attribute: str, score: float | None) -> float | None:
        """``score``, 0 where any label of ``attribute`` is wrong, None where the truth of it is not known."""
        return 0.0 if NULL + attribute in self.marks else score


def truth_of(clip: TruthClip) -> ClipTruth:
    """The contract that evaluation reads; what a clip does not define is None."""
    return ClipTruth(
        tempo_bpm=clip.tempo_bpm,
        beats=clip.beats or None,
        downbeats=clip.downbeats if clip.downbeats and clip.meter is not None else None,
        time_signature=clip.meter,
        key=clip.key,
        chords=clip.chords or None,
        group=clip.family,
    )


def load(truth_folder: Path, dump_folder: Path, tools: Iterable[str] | None = None) -> list[LabelClip]:
    """Clips that are in both folders, by name; of ``tools`` only, if given (and then clips that have them all)."""
    wanted = None if tools is None else set(tools)
    found = []
    for clip in read_truth(truth_folder):
        relative = clip.path.relative_to(truth_folder)
        path = dump_folder / relative.with_name(relative.name + ".json")
        if not path.is_file():
            continue
        _, gate, estimates = read_dump(path)
        estimates = [with_onset_lag(e, path) for e in estimates]
        if wanted is not None:
            estimates = [e for e in estimates if e.annotator in wanted]
            if gate is None and {e.annotator for e in estimates} != wanted:
                raise ValueError(f"{path} lacks {', '.join(wanted - {e.annotator for e in estimates})}: dump it again")
        ordered = tuple(sorted(estimates, key=lambda e: (e.attribute, e.annotator)))
        name, marks = relative.as_posix(), clip.marks
        found.append(LabelClip(name, clip.split, clip.family, truth_of(clip), ordered, gate, marks, clip.library))
    return found


FRAME_RATES = {"madmom_downbeat": 100, "beatnet": 50}


def with_onset_lag(estimate: Estimate, path: Path) -> Estimate:
    """A tracker's estimate with the evidence that dumps of before 2026-11-25 lack, from the frames that they kept."""
    fps = FRAME_RATES.get(estimate.annotator)
    known = "onset_between" not in estimate.details or "onset_lag" in estimate.details
    if fps is None or known or not isinstance(estimate.value, BeatGrid):
        return estimate
    with np.load(path.with_suffix(".npz")) as frames:
        onsets = frames[f"{estimate.annotator}.onsets"].astype(np.float32)
    lag = [list(band) for band in onset_lag(onsets, fps, estimate.value.times)]
    return replace(estimate, details={**estimate.details, "onset_lag": lag})


def negatives_of(clips: Sequence[LabelClip]) -> tuple[list[LabelClip], list[LabelClip]]:
    """The negative set in two: every other clip of each kind to fit on (split train), the rest to judge (test)."""
    kinds: dict[str, int] = {}
    halves: tuple[list[LabelClip], list[LabelClip]] = [], []
    for clip in sorted(clips, key=lambda c: c.name):
        number = kinds[clip.family] = kinds.get(clip.family, -1) + 1
        halves[number % 2].append(replace(clip, split=("train", "test")[number % 2]))
    return halves


def data_fingerprint(clips: Sequence[LabelClip]) -> str:
    """SHA-256 over the clips' names, truths and estimates: what a model was fitted on."""
    digest = hashlib.sha256()
    for clip in sorted(clips, key=lambda c: c.name):
        digest.update(repr((clip.name, clip.split, clip.truth, clip.estimates)).encode())
    return digest.hexdigest()
