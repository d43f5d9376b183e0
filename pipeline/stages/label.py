"""A decoded clip becomes labels: gate, tools, fusion. No Beam; an error of a tool is a rejection of that clip."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fgmcaps.annotators import ClipAudio, FusionSettings, GateSettings, Profile, fuse, gate
from fgmcaps.annotators.base import Annotator
from fgmcaps.annotators.fusion.keep import keep
from fgmcaps.annotators.fusion.track.context import TrackClip, in_context
from fgmcaps.common.errors import MachineError
from fgmcaps.schemas import Annotation, Estimate, Labels
from fgmcaps.schemas.dead_letter import Rejection

GATE, FUSE = "gate", "fuse"


@dataclass(frozen=True, slots=True)
class Labelled:
    """What the tools estimated for one clip, and the labels made of it."""

    estimates: tuple[Estimate, ...]
    labels: Labels


def annotate(audio: ClipAudio, profile: Profile) -> Labelled | Rejection:
    """Gate, tools and fusion of one clip, stage after stage as the DAG runs them."""
    rejection = gate_clip(audio, profile.gate)
    if rejection is not None:
        return rejection
    estimates: tuple[Estimate, ...] = ()
    for stage, tools in profile.stages:
        found = run_tools(stage, tools, audio)
        if isinstance(found, Rejection):
            return found
        estimates += found
    labels = fuse_estimates(estimates, profile.fusion)
    return labels if isinstance(labels, Rejection) else Labelled(estimates, labels)


def gate_clip(audio: ClipAudio, settings: GateSettings) -> Rejection | None:
    """Why the gate turns the clip away (it is filtered, not failed); None for a clip worth annotating."""
    try:
        refused = gate(audio.samples, audio.sample_rate, settings)
    except ValueError as error:
        return failed(GATE, "gate_failed", error)
    return None if refused is None else Rejection(GATE, refused.reason, refused.message, kind="filtered")


def run_tools(stage: str, tools: Sequence[Annotator[Any]], audio: ClipAudio) -> tuple[Estimate, ...] | Rejection:
    """The estimates of the tools of one stage, in their order."""
    estimates = []
    for tool in tools:
        try:
            estimates.append(tool.annotate(audio.at(tool.sample_rate), tool.sample_rate))
        except Exception as error:
            return failed(stage, f"{tool.info.name}_failed", error)
    return tuple(estimates)


def fuse_estimates(estimates: Sequence[Estimate], settings: FusionSettings) -> Labels | Rejection:
    """The labels that passed the confidence filter."""
    try:
        return fuse(estimates, settings)
    except Exception as error:
        return failed(FUSE, "fusion_failed", error)


def judged_together(annotations: Sequence[Annotation], settings: FusionSettings) -> list[Annotation]:
    """Annotations of the clips of one track, their labels judged in its context and filtered anew.

    With ``context: clip``, and where labels say nothing of probabilities, they stay as they are.
    """
    if not settings.hears_tracks:
        return list(annotations)
    known = [i for i, annotation in enumerate(annotations) if annotation.labels.fused is not None]
    clips = [
        TrackClip(a.clip.start_s, a.clip.duration_s, a.labels.fused)
        for a in (annotations[i] for i in known)
        if a.labels.fused is not None
    ]
    out = list(annotations)
    for i, fused in zip(known, in_context(clips), strict=True):
        a = annotations[i]
        out[i] = Annotation(a.clip, keep(fused, settings), a.estimates)
    return out


def start_tools(tools: Iterable[Annotator[Any]], loading: Callable[[int, int], None] | None = None) -> None:
    """Load the models. ``loading`` is told how many of how many are loaded.

    Raises MachineError naming the tool that cannot start, which is not the fault of a clip.
    """
    say = loading or (lambda done, total: None)
    wanted = list(tools)
    for done, tool in enumerate(wanted):
        say(done, len(wanted))
        try:
            tool.setup()
        except Exception as error:
            raise MachineError(f"the annotator {tool.info.name} cannot start: {error}") from error
    say(len(wanted), len(wanted))


def failed(stage: str, reason: str, error: Exception) -> Rejection:
    """An error as a rejection. A tool in a process of its own says whether the same clip may succeed later."""
    message = " ".join(str(error).split()) or type(error).__name__
    retryable = bool(getattr(error, "retryable", False))
    return Rejection(stage, reason, message, error_type=type(error).__name__, retryable=retryable)
