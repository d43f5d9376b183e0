"""``fgmcaps evaluate-labels``: annotate audio whose truth is known, and measure how accurate the labels are and how
well their confidences are calibrated.

Estimates are kept in OUT, one file a track, keyed by all that can change them; so an interrupted run goes on, and a run
with another fusion annotates nothing again.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

from fgmcaps.annotators import Profile, fuse
from fgmcaps.annotators.evaluation import AttributeResult, Judged, judge, labels_of_tool, study, unfiltered
from fgmcaps.common.errors import MachineError, NothingToDoError
from fgmcaps.common.files import write_atomically
from fgmcaps.common.fingerprints import fingerprint
from fgmcaps.pipeline.audio.decode import DecodeError, Decoder
from fgmcaps.pipeline.formats.jams import truth_of_window
from fgmcaps.pipeline.labels.corpus import TruthTrack
from fgmcaps.pipeline.sources.base import location_of
from fgmcaps.pipeline.stages.cut import ClipWork, TrackTask, clips_of
from fgmcaps.pipeline.stages.label import annotate, start_tools
from fgmcaps.schemas import DeadLetter, Estimate, Labels, Track, from_json, to_json
from fgmcaps.schemas.dead_letter import Rejection
from fgmcaps.schemas.ids import track_id_of_digest
from fgmcaps.schemas.truth import ClipTruth

CACHE = ".estimates"


@dataclass(frozen=True, slots=True)
class ClipEstimates:
    """One clip of a track: what the tools estimated, or why there are no estimates (``refused``)."""

    name: str
    start_s: float
    duration_s: float
    estimates: tuple[Estimate, ...] = ()
    refused: str = ""


@dataclass(frozen=True, slots=True)
class TrackEstimates:
    """All clips of a track."""

    clips: tuple[ClipEstimates, ...]


def estimate_track(
    track: TruthTrack, profile: Profile, decoder: Decoder, clips_per_track: int | Literal["all"]
) -> TrackEstimates:
    """Decode, gate and annotate the chosen clips of ``track``."""
    try:
        track_id = track_id_of_digest(decoder.hash(track.audio, track.name))
    except DecodeError:  # the letter of the track will say why
        track_id = track_id_of_digest(fingerprint(name=track.name))
    source = Track(track_id, location_of(track.audio), "", track.name, 0, "")
    works = clips_of(TrackTask(source), decoder, clips_per_track)
    return TrackEstimates(tuple(_estimate(track.name, work, profile) for work in works if work is not None))


def _estimate(name: str, work: ClipWork | DeadLetter, profile: Profile) -> ClipEstimates:
    if isinstance(work, DeadLetter):
        return ClipEstimates(name, 0.0, 0.0, refused=f"{work.stage}: {work.message}")
    clip, found = work.clip, annotate(work.audio, profile)
    if isinstance(found, Rejection):
        return ClipEstimates(name, clip.start_s, clip.duration_s, refused=f"{found.reason}: {found.message}")
    return ClipEstimates(name, clip.start_s, clip.duration_s, found.estimates)


class _Worker:
    """What a worker process holds: the profile and a decoder, made once."""

    profile: Profile
    decoder: Decoder
    clips_per_track: int | Literal["all"]


def _start_worker(profile: Profile, clips_per_track: int | Literal["all"]) -> None:
    _Worker.profile, _Worker.decoder, _Worker.clips_per_track = profile, Decoder(), clips_per_track
    start_tools(profile.annotators)  # what cannot start fails here, not as the fault of a clip


def _work(track: TruthTrack) -> str:
    return to_json(estimate_track(track, _Worker.profile, _Worker.decoder, _Worker.clips_per_track))


def estimate_tracks(
    tracks: Sequence[TruthTrack],
    profile: Profile,
    out: Path,
    *,
    clips_per_track: int | Literal["all"] = 1,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[TrackEstimates]:
    """Every track's clips, in the order of ``tracks``; what OUT already holds is read, the rest is annotated.

    Raises MachineError if a tool is missing or takes a worker process down (run again: finished tracks are kept).
    """
    missing = profile.missing()
    if missing:
        raise MachineError(f"profile {profile.name!r} cannot run here: {'; '.join(missing)}")
    key = fingerprint(tools=profile.estimates_fingerprint, clips_per_track=clips_per_track)
    cache = out / CACHE / key[:16]
    files = {track.name: cache / f"{fingerprint(name=track.name, stamp=_stamp(track.audio))}.json" for track in tracks}
    todo = [track for track in tracks if not files[track.name].is_file()]
    done = len(tracks) - len(todo)
    progress(done, len(tracks))
    if todo:
        # A fresh interpreter a worker: forked copies of a process that has started threads may hang.
        context = get_context("spawn")
        arguments = (profile, clips_per_track)
        with ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=arguments) as pool:
            futures = {pool.submit(_work, track): track for track in todo}
            try:
                for future in as_completed(futures):
                    write_atomically(files[futures[future].name], future.result().encode())
                    done += 1
                    progress(done, len(tracks))
            except BrokenProcessPool:
                raise MachineError(
                    "a worker process died or a tool did not start (see above); run the same command again to go on, "
                    "with fewer --workers if memory ran out"
                ) from None
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    return [from_json(TrackEstimates, files[track.name].read_bytes()) for track in tracks]


def _stamp(path: Path) -> list[int]:
    info = path.stat()
    return [info.st_size, info.st_mtime_ns]


def with_truth(
    tracks: Sequence[TruthTrack], estimated: Sequence[TrackEstimates]
) -> list[tuple[ClipEstimates, ClipTruth]]:
    """The clips that the truth says something about. Raises NothingToDoError if there is none."""
    pairs = [
        (clip, truth_of_window(track.document, clip.start_s, clip.duration_s, track.group))
        for track, found in zip(tracks, estimated, strict=True)
        for clip in found.clips
        if clip.duration_s > 0
    ]
    pairs = [(clip, truth) for clip, truth in pairs if not truth.empty]
    if not pairs:
        raise NothingToDoError(f"for none of the {len(tracks)} tracks does the truth cover one of its clips")
    return pairs


Pairs = Sequence[tuple[tuple[Estimate, ...], ClipTruth]]
"""Estimates of a clip (empty where it was refused) and its truth."""


def judge_profile(pairs: Pairs, profile: Profile) -> list[Judged]:
    """Each clip's fused labels, before and after the filter."""
    everything = unfiltered(profile.fusion)
    judged = []
    for estimates, truth in pairs:
        full, kept = (fuse(estimates, s) for s in (everything, profile.fusion)) if estimates else (Labels(), Labels())
        judged.append(judge(full, kept, truth))
    return judged


def judge_tools(pairs: Pairs, profile: Profile, rounds: int = 1000) -> dict[str, dict[str, AttributeResult]]:
    """Results of each of the profile's tools alone, by name, for the attributes that it estimates."""
    attributes = {tool.info.name: _ESTIMATED[tool.attribute] for tool in profile.annotators}
    present = {e.annotator for estimates, _ in pairs for e in estimates}
    results = {}
    for name in (tool.name for tool in profile.tools if tool.name in present):
        judged = []
        for estimates, truth in pairs:
            labels = next((labels_of_tool(e) for e in estimates if e.annotator == name), Labels())
            judged.append(judge(labels, labels, truth))
        results[name] = {a: r for a, r in study(judged, rounds=rounds).items() if a in attributes[name]}
    return results


def judge_all(pairs: Pairs, profile: Profile, rounds: int = 1000) -> dict[str, dict[str, AttributeResult]]:
    """Results of the profile (under its name) and of each of its tools alone, by name."""
    fused = study(judge_profile(pairs, profile), rounds=rounds)
    return {profile.name: fused, **judge_tools(pairs, profile, rounds)}


_ESTIMATED = {
    "beats": ("tempo", "meter", "downbeats"),
    "tempo": ("tempo",),
    "key": ("key",),
    "chords": ("chords",),
}
