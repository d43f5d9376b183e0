"""A clip becomes labels or a rejection: gate, tools and fusion as the DAG runs them, without Beam."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fgmcaps.annotators import ClipAudio, load_profile
from fgmcaps.annotators.base import Annotator
from fgmcaps.common.errors import MachineError
from fgmcaps.pipeline.stages.label import Labelled, annotate, fuse_estimates, gate_clip, run_tools, start_tools
from fgmcaps.schemas import Clip, Estimate, Key, Tempo, ToolInfo
from fgmcaps.schemas.dead_letter import Rejection, dead_letter
from tests.factories import make_annotation, make_samples, make_track

RATE = 24_000
AUDIO = ClipAudio(make_samples(make_annotation(1)), RATE)
SILENCE = ClipAudio(np.zeros(10 * RATE, np.float32), RATE)
PROFILE = load_profile("permissive")


class Tool(Annotator[str]):
    """Estimates one key, at a rate of its own, or raises."""

    attribute, sample_rate = "key", 22_050

    def __init__(self, name: str = "tool", error: Exception | None = None) -> None:
        super().__init__()
        self.name, self.error = name, error

    @property
    def info(self) -> ToolInfo:
        return ToolInfo(self.name, "1", "MIT")

    def _load(self) -> str:
        if isinstance(self.error, ImportError):
            raise self.error
        return "model"

    def _estimate(self, model: str, samples: np.ndarray) -> tuple[Any, float | None, dict[str, Any]]:
        if self.error is not None:
            raise self.error
        return Key("C major"), samples.size / 22_050, {}

    def _cache_key(self) -> str:
        return self.name


class WorkerTimeoutError(Exception):
    """As a tool in a process of its own raises it."""

    retryable = True


def profile_of(*tools: Tool) -> Any:
    """The permissive profile with other tools in its stages."""
    profile = replace(PROFILE)
    profile.__dict__["stages"] = (("beats", tools[:1]), ("key", tools[1:]))
    return profile


def test_the_tools_of_a_stage_run_in_order_at_their_own_rates():
    found = run_tools("key", (Tool("a"), Tool("b")), AUDIO)
    assert found == tuple(Estimate(name, "1", "key", Key("C major"), 10.0, {}) for name in "ab")


@pytest.mark.parametrize(
    ("error", "message", "retryable"),
    [
        (ValueError("two\n  lines"), "two lines", False),
        (KeyError(), "KeyError", False),
        (WorkerTimeoutError("60 s"), "60 s", True),
    ],
)
def test_a_tool_that_fails_rejects_the_clip_and_names_itself(error, message, retryable):
    found = run_tools("key", (Tool("good"), Tool(f"bad {message}", error), Tool("never run", AssertionError())), AUDIO)
    reason = f"bad {message}_failed"
    assert found == Rejection("key", reason, message, error_type=type(error).__name__, retryable=retryable)


def test_the_gate_filters_and_an_error_in_it_fails():
    assert gate_clip(AUDIO, PROFILE.gate) is None
    silent = gate_clip(SILENCE, PROFILE.gate)
    assert silent is not None and (silent.stage, silent.kind, silent.reason) == ("gate", "filtered", "silence")
    stereo = gate_clip(ClipAudio(np.zeros((9, 2), np.float32), RATE), PROFILE.gate)
    assert stereo is not None and (stereo.kind, stereo.reason) == ("failed", "gate_failed")


def test_fusion_that_fails_rejects_the_clip():
    twice = [Estimate("a", "1", "tempo", Tempo(100.0))] * 2
    found = fuse_estimates(twice, PROFILE.fusion)
    assert isinstance(found, Rejection) and (found.stage, found.reason) == ("fuse", "fusion_failed")


def test_annotate_is_gate_then_stages_then_fusion():
    found = annotate(AUDIO, profile_of(Tool("beats"), Tool("key")))
    assert isinstance(found, Labelled) and [e.annotator for e in found.estimates] == ["beats", "key"]
    assert found.labels == fuse_estimates(found.estimates, PROFILE.fusion)
    never = Tool("never run", AssertionError())
    silent = annotate(SILENCE, profile_of(never))
    assert isinstance(silent, Rejection) and silent.reason == "silence"
    failed = annotate(AUDIO, profile_of(Tool("bad beats", ValueError("x")), never))
    assert isinstance(failed, Rejection) and (failed.stage, failed.reason) == ("beats", "bad beats_failed")


def test_a_tool_that_cannot_start_ends_the_build_by_name():
    with pytest.raises(MachineError, match="the annotator absent cannot start: no such package"):
        start_tools([Tool("present"), Tool("absent", ImportError("no such package"))])


def test_a_letter_names_the_file_and_the_time_once():
    track = make_track(1)
    clip = Clip(f"{track.track_id}-00010000", 10.0, 10.0, track)
    letter = dead_letter(Rejection("key", "x_failed", "too loud", error_type="ValueError"), track, clip)
    assert letter.message == f"{track.source_path} at 10 s: too loud"
    assert (letter.track_id, letter.clip_id, letter.source_path) == (track.track_id, clip.clip_id, track.source_path)
    assert (letter.stage, letter.kind, letter.reason, letter.error_type) == ("key", "failed", "x_failed", "ValueError")
    whole = dead_letter(Rejection("decode", "empty", f"{track.source_path}: no bytes", located=True), track)
    assert whole.clip_id is None and whole.message == f"{track.source_path}: no bytes"
    begins_alike = dead_letter(Rejection("key", "x_failed", f"{track.source_path}s are no keys"), track, clip)
    assert begins_alike.message == f"{track.source_path} at 10 s: {track.source_path}s are no keys"
