"""Truth and what the tools said of it: a folder of truth clips and a dump of the same clips."""

import glob
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.annotators.dump import read_dump
from benchmarks.truth.read import TruthClip, read_truth
from schemas import Estimate, from_json
from schemas.truth import ClipTruth


@dataclass(frozen=True, slots=True)
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

    @property
    def positive(self) -> bool:
        """True for music with a truth, False for what must not be labelled."""
        return not self.truth.empty


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
        for extra in sorted(path.parent.glob(f"{glob.escape(relative.name)}.*.more")):
            estimates.append(from_json(Estimate, extra.read_text("utf-8")))
        if wanted is not None:
            estimates = [e for e in estimates if e.annotator in wanted]
            if {e.annotator for e in estimates} != wanted:
                raise ValueError(f"{path} lacks {', '.join(wanted - {e.annotator for e in estimates})}: dump it again")
        ordered = tuple(sorted(estimates, key=lambda e: (e.attribute, e.annotator)))
        name, marks = relative.as_posix(), clip.marks
        found.append(LabelClip(name, clip.split, clip.family, truth_of(clip), ordered, gate, marks, clip.library))
    return found


def data_fingerprint(clips: Sequence[LabelClip]) -> str:
    """SHA-256 over the clips' names, truths and estimates: what a model was fitted on."""
    digest = hashlib.sha256()
    for clip in sorted(clips, key=lambda c: c.name):
        digest.update(repr((clip.name, clip.split, clip.truth, clip.estimates)).encode())
    return digest.hexdigest()
